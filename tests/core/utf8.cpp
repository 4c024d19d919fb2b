#include <limpid/core/utf8.hpp>

#include <boost/test/unit_test.hpp>

#include <string>

namespace {

using limpid::as_utf8, limpid::is_utf8, limpid::utf8_character;

BOOST_AUTO_TEST_SUITE(utf8)

BOOST_AUTO_TEST_CASE(characters_have_their_length_and_number) {
  const std::string text = "a\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80";
  BOOST_TEST(utf8_character(text, 0).code == 0x61u);
  BOOST_TEST(utf8_character(text, 1).code == 0xe9u);
  BOOST_TEST(utf8_character(text, 3).code == 0x20acu);
  BOOST_TEST(utf8_character(text, 6).code == 0x1f600u);
  BOOST_TEST(utf8_character(text, 6).length == 4u);
  BOOST_TEST(utf8_character(text, 2).length == 0u, "the middle of one is none");
  BOOST_TEST(utf8_character(text, text.size()).length == 0u);
}

BOOST_AUTO_TEST_CASE(what_is_no_utf8_is_seen) {
  for (const auto* text : {"\xff", "\xc3", "\xc0\xbc", "\xe0\x80\xaf", "\xed\xa0\x80",
                           "\xf4\x90\x80\x80", "\xf8\x88\x80\x80\x80", "a\x80"}) {
    BOOST_TEST(!is_utf8(text), text);
  }
  BOOST_TEST(!is_utf8(std::string(1, '\0')), "no name holds a NUL");
  BOOST_TEST(is_utf8("a\xc3\xa9\xf4\x8f\xbf\xbf"));
}

BOOST_AUTO_TEST_CASE(bytes_that_are_none_are_replaced_one_by_one) {
  const std::string wrong = "\xef\xbf\xbd";
  BOOST_TEST(as_utf8("caf\xe9.png") == "caf" + wrong + ".png");
  BOOST_TEST(as_utf8("\xe2\x82") == wrong + wrong);
  BOOST_TEST(as_utf8("\xc3\xa9") == "\xc3\xa9");
}

BOOST_AUTO_TEST_SUITE_END()
}  // namespace
