#pragma once

#include <limpid/core/check.hpp>
#include <limpid/core/compiled.hpp>
#include <limpid/core/concepts.hpp>
#include <limpid/core/modules.hpp>
#include <limpid/interpolation/separable_convolution.hpp>
#include <limpid/layers/conv2d.hpp>

#include <ATen/TensorOperators.h>
#include <ATen/ops/avg_pool2d.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/replication_pad2d.h>
#include <nlohmann/json.hpp>

#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace limpid {

/// Shape of a `SepConvNetwork`; the defaults are the published one.
struct SepConvOptions {
  std::vector<std::int64_t> widths = {32, 64, 128, 256, 512};  ///< channels per level, fine first
  std::int64_t taps = 51;  ///< of a kernel, odd: motion up to taps / 2 pixels either way
  bool bgr = false;        ///< weights that expect blue first, as the published ones do

  /// A smaller one for CPUs: 0.9 instead of 21.7 million weights, motion up to 18 pixels from a
  /// frame to the middle.
  static SepConvOptions small() {
    return {.widths = {16, 32, 48, 64, 64}, .taps = 37, .bgr = false};
  }

  /// The sides of a frame are multiples of this: 32 for the published network.
  std::int64_t multiple() const { return std::int64_t{1} << widths.size(); }
};

LIMPID_JSON(SepConvOptions, widths, taps, bgr)

/// The frame halfway between two: a network looks at both and gives every pixel two separable
/// kernels, one for each frame; the two results are added.
///
/// Source: Niklaus, Mai and Liu, "Video Frame Interpolation via Adaptive Separable Convolution",
/// ICCV 2017. Parameters have the published names: `netConv1.0.weight`, `netVertical1.7.bias`.
/// Differs: the number of levels, their widths and the taps are options.
class SepConvNetworkImpl : public torch::nn::Cloneable<SepConvNetworkImpl> {
 public:
  static constexpr std::string_view architecture = "sepconv";

  /// @throws c10::ValueError unless there are 2 to 8 levels, widths of at least 1 and odd taps.
  explicit SepConvNetworkImpl(SepConvOptions options = {}) : options_(std::move(options)) {
    const auto levels = options_.widths.size();
    TORCH_CHECK_VALUE(levels >= 2 && levels <= 8, "SepConvNetwork: expected 2 to 8 levels, got ",
                      levels);
    for (const auto width : options_.widths) {
      detail::check_at_least("SepConvNetwork: width", width, 1);
    }
    TORCH_CHECK_VALUE(options_.taps >= 1 && options_.taps % 2 == 1,
                      "SepConvNetwork: taps must be odd, got ", options_.taps);
    reset();
  }

  void reset() override {
    down_.clear();
    up_.clear();
    upsamplers_.clear();
    const auto& widths = options_.widths;
    const auto levels = widths.size();
    std::int64_t in = 6;
    for (std::size_t i = 0; i < levels; ++i) {
      down_.push_back(add("netConv" + std::to_string(i + 1), three_convolutions(in, widths[i])));
      in = widths[i];
    }
    for (auto i = levels; i >= 2; --i) {
      const auto out = widths[i - 1];
      up_.push_back(add("netDeconv" + std::to_string(i), three_convolutions(in, out)));
      upsamplers_.push_back(add("netUpsample" + std::to_string(i),
                                torch::nn::Sequential(upsample(), convolution(out, out), relu())));
      in = out;
    }
    for (std::size_t i = 0; i < heads_.size(); ++i) heads_[i] = add(kHeads[i], head());
  }

  /// @param first, second  (N, 3, H, W) RGB in [0, 1]; sides are multiples of `multiple()`.
  /// @return               (N, 3, H, W), not clamped.
  /// @throws c10::ValueError for other shapes.
  at::Tensor forward(const at::Tensor& first, const at::Tensor& second) {
    check(first, second);
    const auto one = ordered(first), two = ordered(second);
    const auto taps = kernels(one, two);
    return ordered(separable_convolution(bordered(one), taps[0], taps[1]) +
                   separable_convolution(bordered(two), taps[2], taps[3]));
  }

  /// The kernels that `forward` applies to frames in the weights' own order of colours: vertical
  /// and horizontal of the first frame, then of the second, (N, taps, H, W) each.
  std::array<at::Tensor, 4> kernels(const at::Tensor& first, const at::Tensor& second) {
    std::vector<at::Tensor> maps;
    auto features = at::cat({first, second}, 1);
    for (auto& level : down_) {
      maps.push_back(level->forward(features));
      features = at::avg_pool2d(maps.back(), {2, 2}, {2, 2});
    }
    for (std::size_t i = 0; i < up_.size(); ++i) {
      if (i > 0) features = features + maps[maps.size() - i];
      features = upsamplers_[i]->forward(up_[i]->forward(features));
    }
    features = features + maps[1];
    return {heads_[0]->forward(features), heads_[1]->forward(features),
            heads_[2]->forward(features), heads_[3]->forward(features)};
  }

  /// Puts the kernels near a single centre tap of each frame, so that an untrained network gives
  /// the mean of both frames: where training starts best.
  void start_from_average() {
    torch::NoGradGuard no_grad;
    for (auto& head : heads_) {
      auto& last = *head->children().back()->as<Conv2d>();
      last.weight.mul_(0.1);
      last.bias.zero_()[options_.taps / 2] = std::sqrt(0.5);
    }
  }

  const SepConvOptions& options() const { return options_; }

 private:
  static constexpr std::array<const char*, 4> kHeads{"netVertical1", "netHorizontal1",
                                                     "netVertical2", "netHorizontal2"};

  static Conv2d convolution(std::int64_t in, std::int64_t out) {
    return Conv2d(torch::nn::Conv2dOptions(in, out, 3).padding(1));
  }

  static torch::nn::ReLU relu() { return torch::nn::ReLU(torch::nn::ReLUOptions().inplace(true)); }

  static torch::nn::Upsample upsample() {
    return torch::nn::Upsample(torch::nn::UpsampleOptions()
                                   .scale_factor(std::vector<double>{2, 2})
                                   .mode(torch::kBilinear)
                                   .align_corners(true));
  }

  static torch::nn::Sequential three_convolutions(std::int64_t in, std::int64_t out) {
    return torch::nn::Sequential(convolution(in, out), relu(), convolution(out, out), relu(),
                                 convolution(out, out), relu());
  }

  torch::nn::Sequential head() const {
    const auto width = options_.widths[1], taps = options_.taps;
    return torch::nn::Sequential(convolution(width, width), relu(), convolution(width, width),
                                 relu(), convolution(width, taps), relu(), upsample(),
                                 convolution(taps, taps));
  }

  torch::nn::Sequential add(const std::string& name, torch::nn::Sequential part) {
    return register_module(name, std::move(part));
  }

  void check(const at::Tensor& first, const at::Tensor& second) const {
    detail::check_image("SepConvNetwork", first);
    TORCH_CHECK_VALUE(second.sizes() == first.sizes(), "SepConvNetwork: frames ", first.sizes(),
                      " and ", second.sizes(), " differ in shape");
    const auto multiple = options_.multiple();
    TORCH_CHECK_VALUE(first.size(2) % multiple == 0 && first.size(3) % multiple == 0,
                      "SepConvNetwork: expected sides that are multiples of ", multiple, ", got ",
                      first.sizes(), " (interpolate pads)");
  }

  at::Tensor ordered(const at::Tensor& frame) const { return options_.bgr ? frame.flip(1) : frame; }

  at::Tensor bordered(const at::Tensor& frame) const {
    const auto reach = options_.taps / 2;
    return at::replication_pad2d(frame, {reach, reach, reach, reach});
  }

  SepConvOptions options_;
  std::vector<torch::nn::Sequential> down_, up_, upsamplers_;
  std::array<torch::nn::Sequential, 4> heads_{
      torch::nn::Sequential{nullptr}, torch::nn::Sequential{nullptr},
      torch::nn::Sequential{nullptr}, torch::nn::Sequential{nullptr}};
};

/// Handle to a `SepConvNetworkImpl`: `SepConvNetwork network{SepConvOptions::small()};`
TORCH_MODULE(SepConvNetwork);

}  // namespace limpid
