#include <limpid/io/safetensors.hpp>
#include <limpid/metrics/metric_table.hpp>
#include <limpid/weights/load_weights.hpp>
#include <limpid/weights/named_tensors.hpp>
#include <support/errors.hpp>
#include <support/metrics.hpp>
#include <support/temporary_folder.hpp>

#include <torch/torch.h>
#include <boost/test/unit_test.hpp>

#include <filesystem>
#include <string>
#include <vector>

namespace {

using limpid::metrics_by_name, limpid::MetricEntry;

/// A metric with a network of its own, in the manner of LPIPS: the distance of the features that
/// weights from a file find in both pictures.
class FeatureDistance {
 public:
  static constexpr std::string_view name = "feature_distance";
  static constexpr std::string_view protocol =
      "mean squared difference of the features of one 3 x 3 convolution";
  static constexpr bool higher_is_better = false;

  explicit FeatureDistance(const std::filesystem::path& weights) {
    limpid::load_weights(limpid::detail::named_tensors(*network_), weights);
    network_->eval();
  }

  double operator()(const at::Tensor& restored, const at::Tensor& target) const {
    const auto of = [&](const at::Tensor& image) {
      const torch::NoGradGuard no_grad;
      auto network = network_;
      return network->forward(
          image.detach().to(at::kFloat).reshape({1, 3, image.size(-2), image.size(-1)}));
    };
    limpid::detail::check_same_shape("FeatureDistance", restored, target);
    TORCH_CHECK_VALUE(restored.dim() >= 3 && restored.size(-3) == 3 &&
                          (restored.dim() == 3 || restored.size(0) == 1),
                      "FeatureDistance: expected (3, H, W), got ", restored.sizes());
    return (of(restored) - of(target)).square().mean().item<double>();
  }

 private:
  torch::nn::Sequential network_{torch::nn::Conv2d(torch::nn::Conv2dOptions(3, 4, 3)),
                                 torch::nn::ReLU()};
};

static_assert(limpid::Metric<FeatureDistance>);

MetricEntry feature_distance() {
  return {"feature_distance", "the network's weights",
          [](const auto& file) { return FeatureDistance{file}; }};
}

using limpid_test::error_of;

BOOST_AUTO_TEST_SUITE(metric_table)

BOOST_AUTO_TEST_CASE(finds_metrics_by_name_in_the_order_asked) {
  const auto metrics = metrics_by_name({"ssim_uniform", "psnr_rgb"});
  BOOST_REQUIRE(metrics.size() == 2u);
  BOOST_TEST(metrics[0].name == "ssim_uniform");
  BOOST_TEST(metrics[1].name == "psnr_rgb");
  BOOST_TEST(metrics[1].unit == "dB");
  BOOST_TEST(metrics_by_name({"ms-ssim-gray"})[0].name == "ms_ssim_gray", "either spelling");

  std::string names;
  for (const auto& metric : limpid::default_metrics()) names += metric.name + " ";
  BOOST_TEST(names == "psnr_rgb psnr_y ssim_gaussian ssim_uniform ");
}

BOOST_AUTO_TEST_CASE(every_entry_is_called_as_its_metric) {
  for (const auto& entry : limpid::metric_table()) {
    if (entry.file.empty()) BOOST_TEST(entry.make({}).name == entry.name);
  }
}

BOOST_AUTO_TEST_CASE(names_that_no_metric_has_are_refused_with_the_nearest) {
  BOOST_TEST(error_of([] {
               metrics_by_name({"psnr_rgb", "ssim_gausian"});
             }) ==
             "expected a metric, one of psnr_rgb, psnr_y, ssim_gaussian, ssim_uniform, ssim_3d, "
             "cw_ssim, ms_ssim, niqe, psnr_y_rounded, ssim_gaussian_y, ssim_gaussian_y_rounded, "
             "psnr_unrounded, ssim_uniform_unrounded, psnr_b, psnr_b_y, ms_ssim_gray, niqe_gray, "
             "lpips_alex, lpips_vgg, lpips_squeeze, fid; "
             "got 'ssim_gausian', did you mean 'ssim_gaussian'?");
  BOOST_TEST(error_of([] {
               metrics_by_name({"psnr_y", "psnr-y"});
             }) == "metric 'psnr_y' is named twice");
  BOOST_TEST(error_of([] { metrics_by_name({}); }) == "expected the name of at least one metric");
}

BOOST_AUTO_TEST_CASE(a_metric_with_a_network_of_its_own_is_one_entry_and_its_file) {
  const limpid_test::TemporaryFolder place;
  torch::manual_seed(4);
  limpid::TensorFile weights;
  weights.tensors = {{"0.weight", torch::randn({4, 3, 3, 3})}, {"0.bias", torch::randn({4})}};
  const auto path = place / "features.safetensors";
  limpid::write_safetensors(path, weights);

  const auto metrics = metrics_by_name({"psnr_rgb", "feature-distance"}, {feature_distance()},
                                       {{"feature_distance", path}});
  BOOST_TEST(metrics[1].name == "feature_distance");
  limpid_test::check_metric(metrics[1]);

  const auto asked = [&](const std::vector<std::string>& names, const limpid::MetricFiles& files) {
    return error_of([&] { metrics_by_name(names, {feature_distance()}, files); });
  };
  BOOST_TEST(asked({"feature_distance"}, {}) ==
             "metric 'feature_distance' needs a file: the network's weights");
  BOOST_TEST(asked({"psnr_rgb"}, {{"feature_distance", path}}) ==
             "a file is given for metric 'feature_distance', which is not asked for");
  BOOST_TEST(asked({"psnr_rgb"}, {{"psnr_rgb", path}}) ==
             "metric 'psnr_rgb' takes no file, got '" + path.string() + "'");
  const auto missing = asked({"feature_distance"}, {{"feature_distance", place / "no.pth"}});
  BOOST_TEST(missing.find((place / "no.pth").string()) != std::string::npos, missing);
}

BOOST_AUTO_TEST_SUITE_END()
}  // namespace
