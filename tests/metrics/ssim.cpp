#include <limpid/metrics/channels.hpp>
#include <limpid/metrics/cw_ssim.hpp>
#include <limpid/metrics/ms_ssim.hpp>
#include <limpid/metrics/ssim.hpp>
#include <limpid/metrics/ssim_3d.hpp>
#include <support/metrics.hpp>

#include <torch/torch.h>
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace {

using limpid::GaussianSSIM, limpid::MetricChannels, limpid::MSSSIM, limpid::MSSSIMGray,
    limpid::PyssimCWSSIM, limpid::SSIM3D, limpid::SSIMGaussian, limpid::SSIMUniform;

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

/// 8-bit values, as doubles.
at::Tensor bytes(const at::Tensor& image) { return (image.to(torch::kDouble) * 255).round(); }

BOOST_AUTO_TEST_CASE(a_luma_is_judged_where_the_type_says_so) {
  const auto a = limpid_test::metric_picture(13, 15), b = a.flip({2});
  const auto gray = [](const at::Tensor& image) {
    const auto v = bytes(image);
    return ((0.299 * v[0] + 0.587 * v[1] + 0.114 * v[2]).round() / 255).expand({3, 13, 15});
  };
  BOOST_TEST(GaussianSSIM<MetricChannels::gray>{}(a, b) == SSIMGaussian{}(gray(a), gray(b)),
             boost::test_tools::tolerance(1e-12));
  const GaussianSSIM<MetricChannels::y> y;
  BOOST_TEST(y.name == "ssim_gaussian_y");
  BOOST_TEST(y.protocol.find("not rounded") != std::string::npos);
  BOOST_TEST(y(a, b) != GaussianSSIM<MetricChannels::y_rounded>{}(a, b));
}

BOOST_AUTO_TEST_CASE(the_new_ones_call_identical_pictures_perfect) {
  for (const auto& [height, width] : {std::pair{176, 161}, {200, 177}}) {
    const auto picture = limpid_test::metric_picture(height, width);
    BOOST_TEST(SSIM3D{}(picture, picture) == 1.0, boost::test_tools::tolerance(1e-12));
    BOOST_TEST(MSSSIM<>{}(picture, picture) == 1.0, boost::test_tools::tolerance(1e-12));
    BOOST_TEST(PyssimCWSSIM{}(picture, picture) == 1.0, boost::test_tools::tolerance(1e-9));
  }
}

BOOST_AUTO_TEST_CASE(three_axes_give_what_the_definition_gives) {
  const std::int64_t height = 6, width = 7;
  const auto x = limpid_test::metric_picture(height, width), y = x.flip({1});
  std::vector<double> taps(11);
  double sum = 0;
  for (int i = 0; i < 11; ++i) {
    sum += taps[static_cast<std::size_t>(i)] = std::exp(-(i - 5) * (i - 5) / 4.5);
  }
  const auto mean = [&](const at::Tensor& v, std::int64_t c, std::int64_t row,
                        std::int64_t column) {
    double total = 0;
    const auto values = v.accessor<double, 3>();
    for (std::int64_t i = 0; i < 11; ++i) {
      for (std::int64_t j = 0; j < 11; ++j) {
        for (std::int64_t k = 0; k < 11; ++k) {
          const auto weight = taps[static_cast<std::size_t>(i)] *
                              taps[static_cast<std::size_t>(j)] *
                              taps[static_cast<std::size_t>(k)] / (sum * sum * sum);
          total += weight * values[std::clamp<std::int64_t>(c + i - 5, 0, 2)]
                                  [std::clamp<std::int64_t>(row + j - 5, 0, height - 1)]
                                  [std::clamp<std::int64_t>(column + k - 5, 0, width - 1)];
        }
      }
    }
    return total;
  };
  const auto a = bytes(x).contiguous(), b = bytes(y).contiguous();
  const at::Tensor aa = a * a, bb = b * b, ab = a * b;
  double total = 0;
  for (std::int64_t c = 0; c < 3; ++c) {
    for (std::int64_t row = 0; row < height; ++row) {
      for (std::int64_t column = 0; column < width; ++column) {
        const auto ma = mean(a, c, row, column), mb = mean(b, c, row, column);
        const auto va = mean(aa, c, row, column) - ma * ma;
        const auto vb = mean(bb, c, row, column) - mb * mb;
        const auto shared = mean(ab, c, row, column) - ma * mb;
        total += (2 * ma * mb + 6.5025) * (2 * shared + 58.5225) /
                 ((ma * ma + mb * mb + 6.5025) * (va + vb + 58.5225));
      }
    }
  }
  BOOST_TEST(SSIM3D{}(x, y) == total / static_cast<double>(a.numel()),
             boost::test_tools::tolerance(1e-9));
}

BOOST_AUTO_TEST_CASE(many_scales_of_flat_pictures_compare_the_means_of_the_last) {
  const auto a = torch::full({3, 176, 176}, 100.0 / 255),
             b = torch::full({3, 176, 176}, 50.0 / 255);
  const auto means = (2 * 100 * 50 + 6.5025) / (100 * 100 + 50 * 50 + 6.5025);
  BOOST_TEST(MSSSIM<>{}(a, b) == std::pow(means, 0.1333), boost::test_tools::tolerance(1e-9));
  BOOST_TEST(MSSSIMGray{}(a, b) == MSSSIM<>{}(a, b), boost::test_tools::tolerance(1e-9));
}

BOOST_AUTO_TEST_CASE(opposite_structure_counts_as_none) {
  const auto a = limpid_test::metric_picture(176, 176);
  BOOST_TEST(MSSSIM<>{}(a, 1 - a) == 0.0);
}

BOOST_AUTO_TEST_CASE(an_odd_last_row_and_column_are_dropped) {
  const auto a = limpid_test::metric_picture(192, 192), b = (a + 0.02 * a.flip({1})).clamp(0, 1);
  // The first scale sees all; 193 and 192 columns are 96 at the second.
  const auto wide = [](const at::Tensor& image) {
    return torch::cat({image, image.narrow(2, 190, 1)}, 2);
  };
  BOOST_TEST(std::abs(MSSSIM<>{}(wide(a), wide(b)) - MSSSIM<>{}(a, b)) < 1e-4);
}

BOOST_AUTO_TEST_CASE(ms_ssim_says_that_a_picture_is_too_small) {
  const auto small = torch::zeros({3, 300, 160});
  BOOST_CHECK_EXCEPTION(MSSSIM<>{}(small, small), c10::ValueError, [](const auto& error) {
    return std::string_view{error.what_without_backtrace()} ==
           "MSSSIM: expected sides of at least 161 pixels, got [3, 300, 160]";
  });
  const auto least = limpid_test::metric_picture(161, 161);
  BOOST_TEST(std::isfinite(MSSSIM<>{}(least, least.flip({1}))));
}

/// The definition: every hat, every tap.
double cw_ssim_by_definition(const at::Tensor& x, const at::Tensor& y) {
  const auto signal = [](const at::Tensor& image) {
    const auto v = bytes(image);
    return ((v[0] * 19595 + v[1] * 38470 + v[2] * 7471 + 32768) / 65536).floor().reshape(-1);
  };
  const auto a = signal(x), b = signal(y);
  const auto n = a.numel();
  const auto *p = a.data_ptr<double>(), *q = b.data_ptr<double>();
  std::vector<double> shared(static_cast<std::size_t>(n)), absolute(shared), squares(shared);
  for (std::int64_t s = 1; s <= 30; ++s) {
    const double scale = static_cast<double>(s);
    for (std::int64_t at = 0; at < n; ++at) {
      double ca = 0, cb = 0;
      for (std::int64_t i = 0; i < 10 * s; ++i) {
        const auto from = at + (10 * s - 1) / 2 - i;
        if (from < 0 || from >= n) continue;
        const auto t = (static_cast<double>(i) - (10 * scale - 1) / 2) / scale;
        const auto hat = 2 / (std::sqrt(3 * scale) * std::pow(std::numbers::pi, 0.25)) *
                         (1 - t * t) * std::exp(-t * t / 2);
        ca += hat * p[from];
        cb += hat * q[from];
      }
      const auto k = static_cast<std::size_t>(at);
      shared[k] += ca * cb;
      absolute[k] += std::abs(ca * cb);
      squares[k] += ca * ca + cb * cb;
    }
  }
  double total = 0;
  for (std::size_t i = 0; i < shared.size(); ++i) {
    total += (2 * absolute[i] + 0.01) / (squares[i] + 0.01) * (2 * std::abs(shared[i]) + 0.01) /
             (2 * absolute[i] + 0.01);
  }
  return total / static_cast<double>(n);
}

BOOST_AUTO_TEST_CASE(cw_ssim_by_blocks_gives_what_the_definition_gives) {
  for (const auto& [height, width] : {std::pair{20, 15}, {71, 59}}) {  // one block, and two
    const auto a = limpid_test::metric_picture(height, width), b = a.flip({1});
    BOOST_TEST(PyssimCWSSIM{}(a, b) == cw_ssim_by_definition(a, b),
               boost::test_tools::tolerance(1e-9));
  }
  BOOST_TEST(PyssimCWSSIM::protocol.find("NOT the complex-wavelet SSIM of Sampat") !=
             std::string_view::npos);
  const auto tall = torch::zeros({3, 6, 4}), wide = torch::zeros({3, 4, 6});
  BOOST_CHECK_THROW(PyssimCWSSIM{}(tall, wide), c10::ValueError);
}

BOOST_AUTO_TEST_SUITE_END()
}  // namespace
