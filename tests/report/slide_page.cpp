#include <limpid/report/slide_page.hpp>
#include <support/errors.hpp>
#include <support/images.hpp>

#include <boost/test/unit_test.hpp>

#include <cstddef>
#include <string>

namespace {

using limpid::SlidePage;
using limpid_test::picture;
using limpid_test::value_error_of;

std::size_t count(const std::string& text, const std::string& part) {
  std::size_t found = 0;
  for (auto at = text.find(part); at != text.npos; at = text.find(part, at + 1)) ++found;
  return found;
}

BOOST_AUTO_TEST_SUITE(slide_page)

BOOST_AUTO_TEST_CASE(a_page_of_sliders_needs_no_other_file_and_names_cannot_break_it) {
  SlidePage page{{.title = "Mine & yours", .max_side = 32}};
  page.add("a.jpg", picture(30, 64), picture(30, 64, 1), "deblur");
  page.add("<script>alert(1)</script>\"", picture(20, 20), picture(20, 20, 1));
  BOOST_TEST(page.size() == 2u);
  const auto html = page.html();
  BOOST_TEST(count(html, "<input type=\"range\"") == 2u);
  BOOST_TEST(count(html, "src=\"data:image/jpeg;base64,") == 4u);
  BOOST_TEST(count(html, "src=") == 4u);
  BOOST_TEST(count(html, "http:") + count(html, "https:") == 0u);
  BOOST_TEST(count(html, "<script>alert") == 0u);
  BOOST_TEST(count(html, "Mine &amp; yours") == 2u);
  BOOST_TEST(count(html, "width=\"32\" height=\"15\"") == 2u);
}

BOOST_AUTO_TEST_CASE(pictures_of_two_sizes_are_no_pair) {
  SlidePage page;
  BOOST_TEST(value_error_of([&] { return page.add("a", picture(16, 16), picture(16, 17)), 0; }) ==
             "SlidePage: 'a': expected two pictures of one size, got 16 x 16 and 17 x 16");
  BOOST_TEST(value_error_of([] { return SlidePage{{.jpeg_quality = 0}}; }) ==
             "SlidePage: jpeg_quality: expected 1 to 100, got 0");
}

BOOST_AUTO_TEST_SUITE_END()
}  // namespace
