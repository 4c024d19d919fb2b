#include <limpid/metrics/ssim.hpp>

#include <cmath>
#include <string_view>
#include <vector>

#include <torch/torch.h>
#include <boost/test/unit_test.hpp>

#include <support/metrics.hpp>

namespace {

using limpid::SSIMGaussian, limpid::SSIMUniform;

static_assert(SSIMGaussian::name == "ssim_gaussian" && SSIMUniform::name == "ssim_uniform");
static_assert(SSIMGaussian::higher_is_better && SSIMUniform::higher_is_better);

/// The definition, window by window, with two-dimensional weights.
double by_definition(const at::Tensor& a, const at::Tensor& b, const std::vector<double>& weights,
                     std::int64_t side, double covariance) {
  const double c1 = 6.5025, c2 = 58.5225;
  double total = 0;
  std::int64_t count = 0;
  for (std::int64_t c = 0; c < 3; ++c) {
    for (std::int64_t top = 0; top + side <= a.size(1); ++top) {
      for (std::int64_t left = 0; left + side <= a.size(2); ++left, ++count) {
        const auto x =
            (a[c].narrow(0, top, side).narrow(1, left, side).to(torch::kDouble) * 255).round();
        const auto y =
            (b[c].narrow(0, top, side).narrow(1, left, side).to(torch::kDouble) * 255).round();
        const auto w = torch::tensor(weights, torch::kDouble).reshape({side, side});
        const auto mean = [&](const at::Tensor& v) { return (w * v).sum().item<double>(); };
        const auto mx = mean(x), my = mean(y);
        const auto vx = covariance * mean((x - mx).square());
        const auto vy = covariance * mean((y - my).square());
        const auto vxy = covariance * mean((x - mx) * (y - my));
        total += (2 * mx * my + c1) * (2 * vxy + c2) / ((mx * mx + my * my + c1) * (vx + vy + c2));
      }
    }
  }
  return total / static_cast<double>(count);
}

BOOST_AUTO_TEST_SUITE(ssim)

BOOST_AUTO_TEST_CASE(conforms) {
  limpid_test::check_metric(SSIMGaussian{});
  limpid_test::check_metric(SSIMUniform{});
}

BOOST_AUTO_TEST_CASE(identical_pictures_score_one) {
  const auto picture = limpid_test::metric_picture(20, 17);
  BOOST_TEST(SSIMGaussian{}(picture, picture) == 1.0, boost::test_tools::tolerance(1e-12));
  BOOST_TEST(SSIMUniform{}(picture, picture) == 1.0, boost::test_tools::tolerance(1e-12));
}

BOOST_AUTO_TEST_CASE(flat_pictures_compare_their_means_alone) {
  const auto a = torch::full({3, 16, 16}, 100.0 / 255), b = torch::full({3, 16, 16}, 50.0 / 255);
  const auto expected = (2 * 100 * 50 + 6.5025) / (100 * 100 + 50 * 50 + 6.5025);
  BOOST_TEST(SSIMGaussian{}(a, b) == expected, boost::test_tools::tolerance(1e-9));
  BOOST_TEST(SSIMUniform{}(a, b) == expected, boost::test_tools::tolerance(1e-9));
}

BOOST_AUTO_TEST_CASE(separable_filters_give_what_the_definition_gives) {
  const auto a = limpid_test::metric_picture(13, 15);
  const auto b = limpid_test::metric_picture(15, 13).reshape({3, 13, 15}).flip({1});
  std::vector<double> gaussian, uniform(49, 1.0 / 49);
  double sum = 0;
  for (int i = -5; i <= 5; ++i) {
    for (int j = -5; j <= 5; ++j) {
      gaussian.push_back(std::exp(-(i * i + j * j) / (2 * 1.5 * 1.5)));
      sum += gaussian.back();
    }
  }
  for (auto& weight : gaussian) weight /= sum;
  BOOST_TEST(SSIMGaussian{}(a, b) == by_definition(a, b, gaussian, 11, 1.0),
             boost::test_tools::tolerance(1e-9));
  BOOST_TEST(SSIMUniform{}(a, b) == by_definition(a, b, uniform, 7, 49.0 / 48),
             boost::test_tools::tolerance(1e-9));
}

BOOST_AUTO_TEST_CASE(the_smallest_picture_is_one_window) {
  const auto a = limpid_test::metric_picture(11, 11), b = a.flip({1});
  BOOST_TEST(std::isfinite(SSIMGaussian{}(a, b)));
  const auto small = a.narrow(1, 0, 7).narrow(2, 0, 7);
  BOOST_TEST(std::isfinite(SSIMUniform{}(small, small.flip({1}))));
}

BOOST_AUTO_TEST_CASE(says_that_a_picture_is_smaller_than_the_window) {
  const auto says = [](std::string_view text) {
    return [text](const c10::ValueError& error) { return error.what_without_backtrace() == text; };
  };
  const auto narrow = torch::zeros({3, 30, 10}), low = torch::zeros({1, 3, 6, 30});
  BOOST_CHECK_EXCEPTION(
      SSIMGaussian{}(narrow, narrow), c10::ValueError,
      says("SSIMGaussian: expected sides of at least 11 pixels, got [3, 30, 10]"));
  BOOST_CHECK_EXCEPTION(
      SSIMUniform{}(low, low), c10::ValueError,
      says("SSIMUniform: expected sides of at least 7 pixels, got [1, 3, 6, 30]"));
}

BOOST_AUTO_TEST_SUITE_END()
}  // namespace
