#include <limpid/report/picture_strip.hpp>

#include <torch/torch.h>
#include <boost/test/unit_test.hpp>

#include <string_view>

namespace {

using limpid::Image, limpid::picture_column, limpid::picture_strip;

Image flat(double value, std::int64_t height, std::int64_t width) {
  return Image::from_unit(torch::full({1, 3, height, width}, value));
}

BOOST_AUTO_TEST_SUITE(strip)

BOOST_AUTO_TEST_CASE(three_pictures_stand_side_by_side_with_white_between) {
  const auto strip = picture_strip(flat(0, 4, 5), flat(0.2, 4, 5), flat(0.4, 4, 6), 2);
  BOOST_TEST(strip.height() == 4);
  BOOST_TEST(strip.width() == 20);
  const auto row = strip.pixels().select(0, 3).select(1, 0).to(torch::kLong);
  const auto expected = torch::tensor(
      {0, 0, 0, 0, 0, 255, 255, 51, 51, 51, 51, 51, 255, 255, 102, 102, 102, 102, 102, 102},
      torch::kLong);
  BOOST_TEST(torch::equal(row, expected));
  BOOST_TEST(picture_strip({flat(1, 2, 3)}).width() == 3);
}

BOOST_AUTO_TEST_CASE(strips_stand_below_each_other) {
  const auto column = picture_column({flat(0, 2, 5), flat(0.2, 3, 5)}, 1);
  BOOST_TEST(column.height() == 6);
  BOOST_TEST(column.width() == 5);
  BOOST_TEST(column.pixels()[2][0][0].item<std::int64_t>() == 255);
}

BOOST_AUTO_TEST_CASE(unequal_heights_and_no_picture_are_errors) {
  BOOST_CHECK_EXCEPTION(picture_strip({flat(0, 2, 5), flat(0, 3, 5)}), c10::ValueError,
                        [](const auto& error) {
                          return std::string_view{error.what_without_backtrace()} ==
                                 "picture_strip: expected pictures of equal height, got [1, 3, 2, "
                                 "5] and [1, 3, 3, 5]";
                        });
  BOOST_CHECK_THROW(picture_strip(std::vector<Image>{}), c10::ValueError);
  BOOST_CHECK_THROW(picture_strip({flat(0, 2, 5)}, -1), c10::ValueError);
}

BOOST_AUTO_TEST_SUITE_END()
}  // namespace
