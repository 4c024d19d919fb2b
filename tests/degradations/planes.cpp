#include <limpid/degradations/planes.hpp>
#include <support/errors.hpp>

#include <torch/torch.h>
#include <boost/test/unit_test.hpp>

#include <cstdint>
#include <vector>

using namespace limpid::detail;
using limpid_test::value_error_of;

BOOST_AUTO_TEST_SUITE(planes)

BOOST_AUTO_TEST_CASE(what_lies_beyond_a_border_is_mirrored_without_the_border_itself) {
  std::vector<std::int64_t> seen;
  for (std::int64_t i = -4; i < 8; ++i) seen.push_back(mirrored(i, 3));
  const std::vector<std::int64_t> expected{0, 1, 2, 1, 0, 1, 2, 1, 0, 1, 2, 1};
  BOOST_TEST(seen == expected, boost::test_tools::per_element());
  BOOST_TEST(mirrored(-1000001, 1) == 0);
}

BOOST_AUTO_TEST_CASE(a_smooth_step_is_level_at_both_ends) {
  BOOST_TEST(smooth_step(-3) == 0);
  BOOST_TEST(smooth_step(0.5f) == 0.5f);
  BOOST_TEST(smooth_step(7) == 1);
  BOOST_TEST(smooth_step(0.25f) == 0.15625f);  // 3/16 - 2/64
}

BOOST_AUTO_TEST_CASE(half_a_picture_is_the_mean_of_each_four_pixels) {
  // 3 x 3: the last row and column stand twice.
  const auto image = torch::arange(27).to(torch::kFloat).reshape({3, 3, 3});
  const auto half = halved(image.data_ptr<float>(), 3, 3);
  BOOST_TEST(half.height == 2);
  BOOST_TEST(half.width == 2);
  const std::vector<float> first{2, 3.5f, 6.5f, 8};
  BOOST_TEST(std::vector<float>(half.plane(0), half.plane(0) + 4) == first,
             boost::test_tools::per_element());
  BOOST_TEST(half.plane(2)[3] == 26);
}

BOOST_AUTO_TEST_CASE(what_is_no_photograph_is_refused_by_shape_and_type) {
  BOOST_TEST(value_error_of([] {
               photograph("Haze", torch::zeros({1, 3, 32, 32}));
             }) ==
             "Haze: expected image (3, H, W) of Float on cpu, got [1, 3, 32, 32] of Float on cpu");
  BOOST_TEST(value_error_of([] {
               photograph("Haze", torch::zeros({3, 32, 32}, at::kDouble));
             }).find("of Double") != std::string::npos);
  BOOST_TEST(value_error_of([] {
               photograph("Haze", torch::zeros({3, 15, 32}));
             }) == "Haze: expected sides of at least 16 pixels, got [3, 15, 32]");
  BOOST_TEST(value_error_of([] { photograph("Haze", {}); }).find("nothing") != std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()
