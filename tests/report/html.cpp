#include <limpid/report/html.hpp>

#include <boost/test/unit_test.hpp>

#include <string>

namespace {

using limpid::detail::base64, limpid::detail::escaped;

BOOST_AUTO_TEST_SUITE(html)

BOOST_AUTO_TEST_CASE(base64_gives_the_test_vectors_of_rfc_4648) {
  BOOST_TEST(base64("") == "");
  BOOST_TEST(base64("f") == "Zg==");
  BOOST_TEST(base64("fo") == "Zm8=");
  BOOST_TEST(base64("foo") == "Zm9v");
  BOOST_TEST(base64("foob") == "Zm9vYg==");
  BOOST_TEST(base64("fooba") == "Zm9vYmE=");
  BOOST_TEST(base64("foobar") == "Zm9vYmFy");
  BOOST_TEST(base64(std::string("\xff\xfb\x00", 3)) == "//sA");
}

BOOST_AUTO_TEST_CASE(markup_in_names_stays_text) {
  BOOST_TEST(escaped("<img src=x onerror='a(\"b\")'> & co") ==
             "&lt;img src=x onerror=&#39;a(&quot;b&quot;)&#39;&gt; &amp; co");
}

BOOST_AUTO_TEST_CASE(utf8_passes_and_all_else_is_replaced) {
  const std::string wrong = "\xef\xbf\xbd";
  const std::string good = "\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80\t\n";
  BOOST_TEST(escaped(good) == good);
  BOOST_TEST(escaped("a\xff"
                     "b") == "a" + wrong + "b");
  BOOST_TEST(escaped("\xc3") == wrong);
  BOOST_TEST(escaped("\xc3<") == wrong + "&lt;");
  BOOST_TEST(escaped("\xc0\xbc") == wrong + wrong, "an overlong '<' is none");
  BOOST_TEST(escaped("\xed\xa0\x80") == wrong + wrong + wrong, "nor is half a surrogate pair");
  BOOST_TEST(escaped(std::string("\0\x1b\x7f", 3)) == wrong + wrong + wrong);
}

BOOST_AUTO_TEST_SUITE_END()
}  // namespace
