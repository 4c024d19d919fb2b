#include <limpid/metrics/psnr.hpp>
#include <support/metrics.hpp>

#include <torch/torch.h>
#include <boost/test/unit_test.hpp>

#include <cmath>
#include <limits>
#include <string_view>

namespace {

using limpid::PSNR, limpid::MetricChannels, limpid::PSNROptions, limpid::PSNRY;

static_assert(PSNR<>::name == "psnr_rgb" && PSNRY::name == "psnr_y");
static_assert(PSNR<>::higher_is_better && PSNR<>::unit == "dB");

at::Tensor grey(double value, std::int64_t height = 4, std::int64_t width = 5) {
  return torch::full({3, height, width}, value / 255, torch::kFloat);
}

BOOST_AUTO_TEST_SUITE(psnr)

BOOST_AUTO_TEST_CASE(conforms) {
  limpid_test::check_metric(PSNR<>{});
  limpid_test::check_metric(PSNRY{});
}

BOOST_AUTO_TEST_CASE(a_difference_of_one_step_everywhere_is_48_dB) {
  BOOST_TEST(PSNR<>{}(grey(101), grey(100)) == 20 * std::log10(255.0),
             boost::test_tools::tolerance(1e-12));
  // a grey step of 1 is a luma step of (65.481 + 128.553 + 24.966) / 255 = 219 / 255
  BOOST_TEST(PSNRY{}(grey(101), grey(100)) == 20 * std::log10(255.0 * 255 / 219),
             boost::test_tools::tolerance(1e-12));
}

BOOST_AUTO_TEST_CASE(one_wrong_value_in_sixty_is_averaged_over_all) {
  auto restored = grey(100);
  restored[1][2][3] = 110.0 / 255;
  const auto error = 100.0 / 60;
  BOOST_TEST(PSNR<>{}(restored, grey(100)) == 10 * std::log10(255 * 255 / error),
             boost::test_tools::tolerance(1e-12));
  const auto luma = 128.553 * 10 / 255;
  BOOST_TEST(PSNRY{}(restored, grey(100)) == 10 * std::log10(255 * 255 / (luma * luma / 20)),
             boost::test_tools::tolerance(1e-12));
}

BOOST_AUTO_TEST_CASE(identical_pictures_score_infinity) {
  const auto infinity = std::numeric_limits<double>::infinity();
  BOOST_TEST(PSNR<>{}(grey(7), grey(7)) == infinity);
  BOOST_TEST(PSNRY{}(grey(7), grey(7)) == infinity);
  BOOST_TEST(PSNR<>{}(grey(7.4), grey(6.6)) == infinity, "they are compared as 8-bit pictures");
}

BOOST_AUTO_TEST_CASE(clamps_what_a_file_could_not_hold) {
  BOOST_TEST(PSNR<>{}(grey(300), grey(254)) == PSNR<>{}(grey(255), grey(254)));
  BOOST_TEST(PSNR<>{}(grey(-40), grey(1)) == PSNR<>{}(grey(0), grey(1)));
}

BOOST_AUTO_TEST_CASE(what_is_no_number_scores_none) {
  BOOST_TEST(std::isnan(PSNR<>{}(grey(NAN), grey(1))));
}

BOOST_AUTO_TEST_CASE(leaves_the_border_out) {
  auto restored = grey(100, 8, 9);
  restored.select(1, 0).fill_(0);
  restored.select(2, 8).fill_(1);
  restored[0][3][4] = 101.0 / 255;
  const PSNR<> inside{PSNROptions{.crop_border = 1}};
  BOOST_TEST(inside(restored, grey(100, 8, 9)) == 10 * std::log10(255.0 * 255 * 3 * 6 * 7),
             boost::test_tools::tolerance(1e-12));
  BOOST_TEST(inside.protocol.find("border of 1 pixels left out") != std::string::npos);
}

template <class Call>
void throws(Call call, std::string_view text) {
  BOOST_CHECK_EXCEPTION(call(), c10::ValueError, [&](const c10::ValueError& error) {
    BOOST_TEST(error.what_without_backtrace() == text);
    return error.what_without_backtrace() == text;
  });
}

BOOST_AUTO_TEST_CASE(says_what_it_wanted) {
  throws(
      [] {
        return PSNR<>{}(torch::zeros({1, 4, 4}), torch::zeros({1, 4, 4}));
      },
      "PSNR: expected image (3, H, W) or (1, 3, H, W), got [1, 4, 4]");
  throws([] { return PSNR<>{}(grey(1, 4, 4), grey(1, 4, 5)); },
         "PSNR: restored [3, 4, 4] and target [3, 4, 5] differ in shape");
  throws([] { return PSNR<>{PSNROptions{.crop_border = 2}}(grey(1), grey(1)); },
         "PSNR: expected sides of at least 5 pixels, got [3, 4, 5]");
  throws([] { return PSNR<>{PSNROptions{.crop_border = -1}}; },
         "PSNR: crop_border must be at least 0, got -1");
}

BOOST_AUTO_TEST_SUITE_END()
}  // namespace
