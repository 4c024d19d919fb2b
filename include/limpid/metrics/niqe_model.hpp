#pragma once

#include <limpid/io/safetensors.hpp>
#include <limpid/io/tensor_file.hpp>
#include <limpid/metrics/channels.hpp>
#include <limpid/metrics/niqe_features.hpp>
#include <limpid/metrics/windowed_ssim.hpp>

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/from_blob.h>
#include <c10/util/Exception.h>

#include <cmath>
#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace limpid {

/// What NIQE compares with: how the features of pristine photographs are distributed.
struct NIQEModel {
  at::Tensor mean;        ///< (36), double
  at::Tensor covariance;  ///< (36, 36), double
  at::Tensor window;      ///< (K, K), double, K odd, sum 1: what local means are taken with

  /// The window of the published model: 7 x 7 Gaussian, sigma 7/6.
  static at::Tensor published_window() {
    auto taps = detail::gaussian_taps(7, 7.0 / 6);
    const auto line = at::from_blob(taps.data(), {7}, at::kDouble).clone();
    return line.unsqueeze(1) * line;
  }
};

namespace detail {

inline at::Tensor niqe_tensor(const TensorFile& file, const std::filesystem::path& path,
                              const std::string& name) {
  const auto found = file.tensors.find(name);
  TORCH_CHECK(found != file.tensors.end(), "NIQE model '", path.string(),
              "': expected tensors "
              "mu_pris_param, cov_pris_param and gaussian_window, found no ",
              name);
  const auto tensor = found->second.to(at::kDouble).contiguous();
  TORCH_CHECK(tensor.isfinite().all().item<bool>(), "NIQE model '", path.string(), "': ", name,
              " holds values that are not finite numbers");
  return tensor;
}

}  // namespace detail

/// Reads a model from the published .npz (BasicSR's niqe_pris_params.npz), or from what
/// `write_niqe_model` wrote: mu_pris_param (1, 36) or (36), cov_pris_param (36, 36),
/// gaussian_window (K, K).
///
/// @throws c10::Error that names the file and the tensor, what was expected and what was found.
inline NIQEModel read_niqe_model(const std::filesystem::path& path) {
  const auto file = read_tensor_file(path);
  const auto of = [&](const std::string& name) { return detail::niqe_tensor(file, path, name); };
  const auto mean = of("mu_pris_param"), covariance = of("cov_pris_param");
  const auto window = of("gaussian_window");
  const auto check = [&](bool fits, const char* name, const char* expected,
                         const at::Tensor& found) {
    TORCH_CHECK(fits, "NIQE model '", path.string(), "': expected ", name, " ", expected,
                ", found ", found.sizes());
  };
  check(mean.numel() == 36, "mu_pris_param", "(1, 36)", mean);
  check(covariance.sizes() == at::IntArrayRef({36, 36}), "cov_pris_param", "(36, 36)", covariance);
  check(window.dim() == 2 && window.size(0) == window.size(1) && window.size(0) % 2 == 1 &&
            window.size(0) <= 95,
        "gaussian_window", "square, of odd side up to 95", window);
  const auto sum = window.sum().item<double>();
  TORCH_CHECK(std::abs(sum - 1) < 1e-6, "NIQE model '", path.string(),
              "': expected a gaussian_window whose sum is 1, found ", sum);
  return {mean.reshape({36}), covariance, window / sum};
}

/// Writes a model as safetensors with the published names.
///
/// @param metadata  what else the file says of itself.
inline void write_niqe_model(const std::filesystem::path& path, const NIQEModel& model,
                             std::map<std::string, std::string> metadata = {}) {
  TensorFile file;
  file.tensors = {{"mu_pris_param", model.mean.reshape({1, 36})},
                  {"cov_pris_param", model.covariance},
                  {"gaussian_window", model.window}};
  file.metadata = std::move(metadata);
  write_safetensors(path, file);
}

/// Fits a model to photographs without faults, one after another.
///
/// Of each photograph the blocks whose sharpness (mean local deviation) exceeds `kSharp` times that
/// of its sharpest count. A good corpus has a hundred photographs or more.
/// Source: Mittal, Soundararajan, Bovik, "Making a 'Completely Blind' Image Quality Analyzer", IEEE
/// SPL 2013, sec. II-B.
/// Differs: a flat block has no features and is left out.
class NIQEModelFit {
 public:
  static constexpr double kSharp = 0.75;  ///< share of the sharpest block's sharpness

  /// @param channels  on which luma: that of the metric that will use the model.
  /// @throws c10::ValueError for RGB.
  explicit NIQEModelFit(MetricChannels channels = MetricChannels::y_rounded) : channels_(channels) {
    TORCH_CHECK_VALUE(channels != MetricChannels::rgb, "NIQEModelFit: expected a luma, got RGB");
  }

  /// @param image  (3, H, W) or (1, 3, H, W), sides of at least 96, values in [0, 1].
  /// @return how many of its blocks count.
  /// @throws c10::ValueError for other shapes.
  std::int64_t add(const at::Tensor& image) {
    const auto plane =
        detail::metric_channels("NIQEModelFit", image, channels_, detail::kNIQEBlock);
    const auto features = detail::niqe_features(plane[0], window_);
    double sharpest = 0;
    for (const auto sharpness : features.sharpness) sharpest = std::max(sharpest, sharpness);
    std::int64_t count = 0;
    for (std::size_t i = 0; i < features.sharpness.size(); ++i) {
      if (!(features.sharpness[i] > kSharp * sharpest)) continue;
      rows_.push_back(features.values[static_cast<std::int64_t>(i)].unsqueeze(0));
      ++count;
    }
    return count;
  }

  /// Blocks that count so far.
  std::int64_t blocks() const { return static_cast<std::int64_t>(rows_.size()); }

  /// @throws c10::Error where there are fewer blocks than features: their covariance would be
  ///         singular.
  NIQEModel model() const {
    TORCH_CHECK(blocks() > 36,
                "NIQEModelFit: expected at least 37 sharp blocks of 96 x 96 pixels, "
                "found ",
                blocks(), "; more photographs are needed");
    const auto [mean, covariance] = detail::mean_and_covariance(at::cat(rows_));
    return {mean, covariance, window_};
  }

 private:
  MetricChannels channels_;
  at::Tensor window_ = NIQEModel::published_window();
  std::vector<at::Tensor> rows_;
};

}  // namespace limpid
