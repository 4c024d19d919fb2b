#include <limpid/report/pair_sheet.hpp>
#include <limpid/report/text_picture.hpp>
#include <support/errors.hpp>

#include <torch/torch.h>
#include <boost/test/unit_test.hpp>

#include <cstdint>
#include <string>

namespace {

using limpid::Image, limpid::pair_sheet, limpid::pair_sheet_html, limpid::SheetPart,
    limpid::text_picture;
using limpid_test::value_error_of;

Image flat(int value, std::int64_t height, std::int64_t width) {
  return Image{torch::full({height, width, 3}, value, torch::kByte)};
}

int at(const Image& image, std::int64_t y, std::int64_t x) {
  return image.data()[3 * (y * image.width() + x)];
}

std::int64_t dark_pixels(const Image& image) {
  return image.pixels().lt(128).sum().item<std::int64_t>() / 3;
}

SheetPart part(std::int64_t height, std::int64_t width) {
  return {"title", "", {{"a", flat(0, height, width), flat(90, height, width)}}};
}

bool has(const std::string& text, const std::string& piece) {
  return text.find(piece) != text.npos;
}

BOOST_AUTO_TEST_SUITE(sheets)

BOOST_AUTO_TEST_CASE(text_is_dark_on_white_and_as_wide_as_asked) {
  const auto line = text_picture("Limpid 0.5", 200);
  BOOST_TEST(line.width() == 200);
  BOOST_TEST(line.height() == 28);
  BOOST_TEST(dark_pixels(line) > 100);
  BOOST_TEST(dark_pixels(text_picture("", 200)) == 0);
  BOOST_TEST((text_picture("\xc3\xa9", 40) == text_picture("?", 40)));
  BOOST_TEST((text_picture("\xff\n\x01", 40) == text_picture("???", 40)));
  BOOST_TEST(!(text_picture("a", 40) == text_picture("b", 40)));
}

BOOST_AUTO_TEST_CASE(long_text_goes_on_below_and_loses_no_letter) {
  const std::string words = "a long line of words that does not fit";
  const auto wrapped = text_picture(words, 120);
  BOOST_TEST(wrapped.height() > 28);
  BOOST_TEST(dark_pixels(wrapped) == dark_pixels(text_picture(words, 2000)));
  const std::string path(300, 'm');
  BOOST_TEST(dark_pixels(text_picture(path, 64)) == dark_pixels(text_picture(path, 9000)));
  BOOST_TEST(value_error_of([] { text_picture("a", 3); }) ==
             "text_picture: width must be at least 16, got 3");
}

BOOST_AUTO_TEST_CASE(a_sheet_has_degraded_left_and_target_right_under_their_names) {
  const auto sheet = pair_sheet({part(60, 80)}, {.width = 64});
  BOOST_TEST(sheet.width() == 2 * 64 + 4);
  const auto y = sheet.height() - 5;
  BOOST_TEST(at(sheet, y, 5) == 0);
  BOOST_TEST(at(sheet, y, 64 + 4 + 5) == 90);
  BOOST_TEST(dark_pixels(sheet.crop(0, 0, 28, sheet.width())) > 20, "a title");
}

BOOST_AUTO_TEST_CASE(pairs_of_any_size_fill_rows_and_none_is_enlarged) {
  auto mixed = part(200, 100);
  mixed.pairs.push_back({"b", flat(10, 20, 30), flat(20, 20, 30)});
  mixed.pairs.push_back({"c", flat(10, 100, 300), flat(20, 100, 300)});
  const auto sheet = pair_sheet({mixed}, {.width = 100, .columns = 2});
  BOOST_TEST(sheet.width() == 4 * 100 + 2 * 4 + 16);
  const auto second = 2 * 100 + 4 + 16;
  BOOST_TEST(at(sheet, 28 + 8 + 28 + 10, second + 20) == 10);
  BOOST_TEST(at(sheet, 28 + 8 + 28 + 30, second + 50) == 255, "white around a small picture");
  BOOST_TEST(at(sheet, sheet.height() - 2, 50) == 10, "the third is shrunk to 100 x 33");
  BOOST_TEST(at(sheet, sheet.height() - 2, second + 50) == 255, "no fourth");
}

BOOST_AUTO_TEST_CASE(a_crop_shows_the_middle) {
  auto pixels = torch::zeros({40, 60, 3}, torch::kByte);
  pixels.narrow(0, 15, 10).narrow(1, 25, 10).fill_(200);
  const SheetPart one{"t", "", {{"a", Image{pixels}, Image{pixels}}}};
  const auto sheet = pair_sheet({one}, {.width = 64, .crop = 10});
  BOOST_TEST(at(sheet, sheet.height() - 1, 0) == 200);
  BOOST_TEST(at(sheet, sheet.height() - 1, 9) == 200);
  BOOST_TEST(at(sheet, sheet.height() - 1, 10) == 255);
}

BOOST_AUTO_TEST_CASE(a_page_holds_the_pairs_their_names_and_scores) {
  auto one = part(60, 80);
  one.title = "<set>";
  one.text = "what it is";
  one.pairs.push_back({"same", flat(3, 60, 80), flat(3, 60, 80)});
  const auto page = pair_sheet_html({one}, {.title = "A & B"});
  BOOST_TEST(has(page, "<h1>A &amp; B</h1>"));
  BOOST_TEST(has(page, "<h2>&lt;set&gt;</h2>\n<p class=\"quiet\">what it is</p>"));
  BOOST_TEST(has(page, "<strong>a</strong> <span class=\"number\">80 x 60, PSNR RGB 9.05 dB"));
  BOOST_TEST(has(page, "PSNR RGB identical"));
  BOOST_TEST(has(page, "alt=\"target: same\""));
}

BOOST_AUTO_TEST_CASE(nothing_to_show_is_an_error) {
  BOOST_TEST(value_error_of([] { pair_sheet({{"empty"}}); }) ==
             "pair_sheet: expected at least one pair to show, got none");
  BOOST_TEST(value_error_of([] { pair_sheet({part(4, 4)}, {.columns = 0}); }) ==
             "pair_sheet: columns must be at least 1, got 0");
}

BOOST_AUTO_TEST_SUITE_END()
}  // namespace
