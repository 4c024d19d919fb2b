#include <limpid/metrics/metric_table.hpp>
#include <limpid/metrics/protocols.hpp>
#include <support/errors.hpp>
#include <support/metrics.hpp>

#include <torch/torch.h>
#include <boost/test/unit_test.hpp>

#include <cmath>
#include <string>
#include <vector>

// Values by scikit-image 0.26.0 and, for PSNR-B, by its definition in NumPy: reference_values.py.
namespace {

using limpid::metrics_by_name, limpid::PSNRB, limpid::MetricChannels;
using limpid_test::error_of;

const auto within = boost::test_tools::tolerance(1e-9);

at::Tensor target(std::int64_t height, std::int64_t width) {
  const auto index = torch::arange(3 * height * width, torch::kDouble).reshape({3, height, width});
  return (index * 0.37).sin().mul(100).add(127).round().div(255);
}

at::Tensor restored(std::int64_t height, std::int64_t width) {
  const auto wave = 0.05 * torch::arange(width, torch::kDouble).cos();
  return (target(height, width) + wave).clamp(0, 1);
}

/// Steps of 12 levels between 8 x 8 blocks, and a slope inside.
at::Tensor blocky(std::int64_t height, std::int64_t width) {
  const auto y = torch::arange(height).unsqueeze(1), x = torch::arange(width).unsqueeze(0);
  const auto block = [](const at::Tensor& place) { return place.div(8, "floor"); };
  const auto base = 60 + 12 * (block(x) + block(y)).remainder(3) + x.remainder(8);
  return torch::stack({base, base + 5, 255 - base}).to(torch::kDouble) / 255;
}

double score(const std::string& name, const at::Tensor& image, const at::Tensor& of) {
  return metrics_by_name({name})[0](image, of);
}

BOOST_AUTO_TEST_SUITE(protocols)

BOOST_AUTO_TEST_CASE(aio_is_what_scikit_image_makes_of_unrounded_floats) {
  const auto metrics = metrics_by_name(limpid::protocol_metrics("aio"));
  BOOST_REQUIRE(metrics.size() == 2u);
  BOOST_TEST(metrics[0].name == "psnr_unrounded:multiple_of=16");
  const auto a = restored(53, 45), b = target(53, 45);
  BOOST_TEST(metrics[0](a, b) == 28.981808211652485, within);
  BOOST_TEST(metrics[1](a, b) == 0.9919165412535088, within);
  // In float, as those programs compute.
  const auto c = a.to(torch::kFloat), d = b.to(torch::kFloat);
  BOOST_TEST(std::abs(metrics[0](c, d) - 28.98180812933703) < 1e-6);
  BOOST_TEST(std::abs(metrics[1](c, d) - 0.9919164776802063) < 1e-6);
  BOOST_TEST(std::abs(score("psnr_rgb:multiple_of=16", a, b) - metrics[0](a, b)) > 1e-4,
             "rounding to 8 bits is another number");
}

BOOST_AUTO_TEST_CASE(derain_y_rounds_matlabs_luma) {
  const auto metrics = metrics_by_name(limpid::protocol_metrics("derain-y"));
  const auto a = restored(53, 45), b = target(53, 45);
  BOOST_TEST(metrics[0](a, b) == 30.10098782584845, within);
  BOOST_TEST(metrics[1](a, b) == 0.8701264656848485, within);
}

BOOST_AUTO_TEST_CASE(any_metric_leaves_a_border_out) {
  const auto a = restored(53, 45), b = target(53, 45);
  BOOST_TEST(score("psnr_y:crop_border=4", a, b) == 30.310294242043135, within);
  BOOST_TEST(score("ssim_gaussian:crop-border=4", a, b) == 0.9923255652995814, within);
  const limpid::PSNRY same{limpid::PSNROptions{.crop_border = 4}};
  BOOST_TEST(score("psnr-y:crop_border=4", a, b) == same(a, b));

  const auto metric = metrics_by_name({"ssim_gaussian:crop_border=4,multiple_of=8"})[0];
  BOOST_TEST(metric.name == "ssim_gaussian:multiple_of=8,crop_border=4");
  BOOST_TEST(metric.protocol.find("first the middle of multiples of 8 pixels of both pictures; "
                                  "first all but a border of 4 pixels") != std::string::npos,
             metric.protocol);
  const auto inside = [](const at::Tensor& image) {
    return image.narrow(1, 2 + 4, 40).narrow(2, 2 + 4, 32);
  };
  BOOST_TEST(metric(a, b) == score("ssim_gaussian", inside(a), inside(b)));
  limpid_test::check_metric(metrics_by_name({"psnr_rgb:crop_border=3"})[0]);
  BOOST_TEST(metrics_by_name({"psnr_rgb:crop_border=3"})[0].pools());
}

BOOST_AUTO_TEST_CASE(parts_and_protocols_that_are_none_are_refused) {
  const auto asked = [](const std::vector<std::string>& names) {
    return error_of([&] { metrics_by_name(names); });
  };
  BOOST_TEST(asked({"psnr_y:border=4"}) ==
             "expected an option, one of multiple-of, crop-border; got 'border'");
  BOOST_TEST(asked({"psnr_y:crop_border=-1"}) == "crop-border must be at least 0, got -1");
  BOOST_TEST(asked({"psnr_y:multiple_of=0"}) == "multiple-of must be at least 1, got 0");
  BOOST_TEST(asked({"psnr_y:crop_border"}) ==
             "metric 'psnr_y:crop_border': expected NAME:OPTION=VALUE, found 'crop_border'");
  BOOST_TEST(asked({"psnr_y:"}) == "metric 'psnr_y:': expected an option behind ':'");
  BOOST_TEST(asked({"psnr_y", "psnr-y:crop_border=0"}) == "metric 'psnr_y' is named twice");
  BOOST_TEST(asked({"psnr_y", "psnr_y:crop_border=2"}) == "no error");
  BOOST_TEST(error_of([] {
               limpid::protocol_metrics("derainy");
             }).find("did you mean 'derain-y'?") != std::string::npos);
  const auto tiny = target(12, 40);
  BOOST_TEST(error_of([&] { score("psnr_rgb:multiple_of=16", tiny, tiny); }) ==
             "psnr_rgb:multiple_of=16: expected sides of at least 16 pixels, got [3, 12, 40]");
  BOOST_TEST(error_of([&] { score("psnr_rgb:crop_border=6", tiny, tiny); }) ==
             "psnr_rgb:crop_border=6: expected sides of at least 13 pixels, got [3, 12, 40]");
}

BOOST_AUTO_TEST_CASE(every_protocol_names_metrics_that_there_are) {
  for (const auto& name : limpid::kProtocols.names()) {
    BOOST_TEST(!metrics_by_name(limpid::protocol_metrics(name)).empty(), name);
  }
  BOOST_TEST(limpid::protocol_metrics("usual").size() == limpid::default_metrics().size());
}

BOOST_AUTO_TEST_CASE(unrounded_metrics_conform) {
  limpid_test::check_metric(limpid::UnroundedPSNR{});
  limpid_test::check_metric(limpid::UnroundedSSIM{});
}

BOOST_AUTO_TEST_CASE(blocks_are_an_error_of_psnr_b) {
  const auto a = blocky(50, 44), b = blocky(50, 44) + 3.0 / 255;
  BOOST_TEST(PSNRB<>{}(a, b) == 24.770135799612675, within);
  BOOST_TEST(PSNRB<MetricChannels::y>{}(a, b) == 28.219184277245645, within);
  BOOST_TEST(PSNRB<>{}(a, b) < score("psnr_rgb", a, b));
  const auto smooth = torch::full({3, 24, 24}, 0.5), darker = smooth - 0.1;
  BOOST_TEST(PSNRB<>{}(smooth, darker) == score("psnr_rgb", smooth, darker), within);
  BOOST_TEST(std::isinf(PSNRB<>{}(smooth, smooth)));
  BOOST_TEST(std::isfinite(PSNRB<>{}(a, a)), "blocks of the true picture count too");
  limpid_test::check_metric(PSNRB<>{});
  limpid_test::check_metric(PSNRB<MetricChannels::y>{});
  BOOST_TEST(error_of([&] { PSNRB<>{}(target(15, 40), target(15, 40)); }) ==
             "PSNRB: expected sides of at least 16 pixels, got [3, 15, 40]");
}

BOOST_AUTO_TEST_SUITE_END()
}  // namespace
