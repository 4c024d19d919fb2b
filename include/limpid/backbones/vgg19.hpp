#pragma once

#include <limpid/core/compiled.hpp>
#include <limpid/core/modules.hpp>
#include <limpid/weights/load_weights.hpp>
#include <limpid/weights/maps.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#ifdef LIMPID_BODIES
#include <limpid/core/check.hpp>
#include <limpid/core/fail.hpp>
#include <limpid/kernels/convolution.hpp>
#include <limpid/kernels/max_pool.hpp>
#include <limpid/layers/conv2d.hpp>

#include <algorithm>
#include <system_error>
#endif

namespace limpid {

/// How much of VGG-19 is built.
struct VGG19Options {
  std::string deepest = "conv5_4";  ///< layers behind it are neither built nor loaded
};

namespace detail {

/// A layer by its name in the literature: conv3_3, or relu3_3 behind its activation.
struct VGG19Layer {
  std::int64_t block;    ///< 1 to 5; a pooling by 2 stands before each but the first
  std::int64_t conv;     ///< 1 to 2 in blocks 1 and 2, 1 to 4 in the others
  bool activated;        ///< reluI_J
  std::int64_t ordinal;  ///< which convolution of the whole network, from 0
};

inline constexpr std::array<std::int64_t, 5> kVGG19Convs{2, 2, 4, 4, 4};
inline constexpr std::array<std::int64_t, 5> kVGG19Widths{64, 128, 256, 512, 512};

/// @throws c10::ValueError if VGG-19 has no layer of that name.
LIMPID_INLINE VGG19Layer parse_vgg19_layer(const std::string& name);

/// Calls `visit(ordinal, index, in, out)` for each convolution: its place among the convolutions,
/// its place among all layers, which torchvision's names count, and its channels.
template <class Visit>
void for_each_vgg19_conv(Visit visit) {
  std::int64_t ordinal = 0;
  std::int64_t index = 0;
  std::int64_t in = 3;
  for (std::size_t block = 0; block < kVGG19Convs.size(); ++block) {
    for (std::int64_t j = 0; j < kVGG19Convs[block]; ++j) {
      visit(ordinal, index, in, kVGG19Widths[block]);
      in = kVGG19Widths[block];
      ++ordinal;
      index += 2;  // itself and its activation
    }
    ++index;  // the pooling
  }
}

/// Lets only limpid's own factories make a VGG19: nobody gets random weights by accident.
struct VGG19Key {
  explicit VGG19Key() = default;
};

}  // namespace detail

/// The convolutions of VGG-19, to measure images by its feature maps. Never trained: no weight of
/// it ever gets a gradient.
///
/// Source: Simonyan and Zisserman, "Very Deep Convolutional Networks for Large-Scale Image
/// Recognition", ICLR 2015, table 1, column E. Parameters are named as torchvision names them:
/// `features.<index>.weight`. Made by `load_vgg19`.
class VGG19Impl : public torch::nn::Cloneable<VGG19Impl> {
 public:
  VGG19Impl(detail::VGG19Key, VGG19Options options);

  void reset() override;

  /// One feature map.
  ///
  /// @param image  (N, 3, H, W), normalised as the weights expect it (`to_imagenet`). Sides of at
  ///               least 2^(I - 1) pixels for a layer of block I.
  /// @param layer  convI_J (before the activation) or reluI_J (after it), no deeper than
  ///               `options().deepest`; nothing behind it is computed.
  /// @return       (N, C, H / 2^(I - 1), W / 2^(I - 1)), rounded down.
  /// @throws c10::ValueError if `image` has another shape or the layer is unknown or too deep.
  at::Tensor forward_to(const at::Tensor& image, const std::string& layer) const;

  /// The maps of several layers, in their order, from one pass.
  std::vector<at::Tensor> forward_to(const at::Tensor& image,
                                     const std::vector<std::string>& layers) const;

  const VGG19Options& options() const { return options_; }

 private:
  /// @throws c10::ValueError if there is no such layer, or it is not built.
  detail::VGG19Layer parse(const std::string& name) const;

  VGG19Options options_;
  torch::nn::Sequential features_{nullptr};
};

/// Handle to a `VGG19Impl`. Copies are shallow: losses share one network.
class VGG19 : public torch::nn::ModuleHolder<VGG19Impl> {
 public:
  VGG19(std::nullptr_t) : ModuleHolder(nullptr) {}
  VGG19(std::shared_ptr<VGG19Impl> module) : ModuleHolder(std::move(module)) {}

  /// Random weights (He et al. 2015), from LibTorch's own random source: the speed of the real
  /// network, and distances that mean nothing.
  static VGG19 random_for_benchmark(VGG19Options options = {});
};

/// Where a file of VGG-19 weights comes from, for error texts and help.
inline constexpr std::string_view kVGG19Source =
    "expected torchvision's vgg19 weights, as it downloads them "
    "(https://download.pytorch.org/models/vgg19-dcbb9e9d.pth) or as safetensors; the recipe "
    "quickstart needs no such file";

/// VGG-19 with the weights of a file under torchvision's names: .pth or safetensors.
///
/// `classifier.*` and layers behind `options.deepest` may be there or not; anything else that is
/// missing, unexpected or of another shape is an error that lists it by name. Half and double
/// weights become float.
///
/// @throws c10::Error that names the file, what is wrong and where such a file comes from.
LIMPID_INLINE VGG19 load_vgg19(const std::filesystem::path& path, VGG19Options options = {});

}  // namespace limpid

#ifdef LIMPID_BODIES

namespace limpid::detail {

LIMPID_INLINE VGG19Layer parse_vgg19_layer(const std::string& name) {
  VGG19Layer layer{};
  const std::string_view view{name};
  const bool conv = view.substr(0, 4) == "conv";
  layer.activated = view.substr(0, 4) == "relu";
  if ((conv || layer.activated) && view.size() == 7 && view[5] == '_') {
    layer.block = view[4] - '0';
    layer.conv = view[6] - '0';
  }
  const bool known = layer.block >= 1 && layer.block <= 5 && layer.conv >= 1 &&
                     layer.conv <= kVGG19Convs[static_cast<std::size_t>(layer.block - 1)];
  TORCH_CHECK_VALUE(known, "VGG19: expected a layer convI_J or reluI_J, conv1_1 to relu5_4, got '",
                    name, "'");
  layer.ordinal = layer.conv - 1;
  for (std::int64_t block = 1; block < layer.block; ++block) {
    layer.ordinal += kVGG19Convs[static_cast<std::size_t>(block - 1)];
  }
  return layer;
}

}  // namespace limpid::detail

namespace limpid {

LIMPID_INLINE VGG19Impl::VGG19Impl(detail::VGG19Key, VGG19Options options)
    : options_(std::move(options)) {
  reset();
}

LIMPID_INLINE void VGG19Impl::reset() {
  const auto deepest = detail::parse_vgg19_layer(options_.deepest);
  features_ = torch::nn::Sequential();
  detail::for_each_vgg19_conv(
      [&](std::int64_t ordinal, std::int64_t index, std::int64_t in, std::int64_t out) {
        if (ordinal > deepest.ordinal) return;
        const auto options = torch::nn::Conv2dOptions(in, out, 3).padding(1);
        features_->push_back(std::to_string(index), Conv2d(options));
      });
  register_module("features", features_);
  for (auto& parameter : parameters()) parameter.requires_grad_(false);
}

LIMPID_INLINE at::Tensor VGG19Impl::forward_to(const at::Tensor& image,
                                               const std::string& layer) const {
  return forward_to(image, std::vector<std::string>{layer})[0];
}

LIMPID_INLINE std::vector<at::Tensor> VGG19Impl::forward_to(
    const at::Tensor& image, const std::vector<std::string>& layers) const {
  std::vector<detail::VGG19Layer> wanted;
  std::int64_t deepest_block = 1;
  for (const auto& layer : layers) {
    wanted.push_back(parse(layer));
    deepest_block = std::max(deepest_block, wanted.back().block);
  }
  detail::check_image("VGG19", image, 3, std::int64_t{1} << (deepest_block - 1));

  std::vector<at::Tensor> maps(wanted.size());
  std::size_t missing = wanted.size();
  // Keeps the map for each layer that is this one, and says whether there is one.
  const auto keep = [&](std::size_t ordinal, bool activated, const at::Tensor& map) {
    const auto before = missing;
    for (std::size_t i = 0; i < wanted.size(); ++i) {
      if (wanted[i].ordinal != static_cast<std::int64_t>(ordinal)) continue;
      if (wanted[i].activated != activated) continue;
      maps[i] = map;
      --missing;
    }
    return missing < before;
  };
  auto map = image;
  std::size_t ordinal = 0;
  for (const auto convs : detail::kVGG19Convs) {
    for (std::int64_t j = 0; j < convs && missing > 0; ++j, ++ordinal) {
      const auto& conv = features_->at<Conv2dImpl>(ordinal);
      // Detached: also a clone, or a module someone unfroze, gets no gradient.
      map = convolution3x3(map, conv.weight.detach(), conv.bias.detach(), 1);
      const bool kept = keep(ordinal, false, map);
      if (missing == 0) break;
      map = kept ? map.relu() : map.relu_();
      keep(ordinal, true, map);
    }
    if (missing == 0) break;
    map = max_pool2x2(map);
  }
  return maps;
}

LIMPID_INLINE detail::VGG19Layer VGG19Impl::parse(const std::string& name) const {
  const auto layer = detail::parse_vgg19_layer(name);
  TORCH_CHECK_VALUE(layer.ordinal < static_cast<std::int64_t>(features_->size()),
                    "VGG19: expected a layer no deeper than ", options_.deepest, ", got '", name,
                    "'");
  return layer;
}

LIMPID_INLINE VGG19 VGG19::random_for_benchmark(VGG19Options options) {
  auto vgg = VGG19{std::make_shared<VGG19Impl>(detail::VGG19Key{}, std::move(options))};
  torch::NoGradGuard no_grad;
  for (auto& parameter : vgg->parameters()) {
    if (parameter.dim() > 1) {
      torch::nn::init::kaiming_normal_(parameter, 0.0, torch::kFanIn, torch::kReLU);
    } else {
      parameter.zero_();
    }
  }
  return vgg;
}

LIMPID_INLINE VGG19 load_vgg19(const std::filesystem::path& path, VGG19Options options) {
  std::error_code ignored;
  TORCH_CHECK(std::filesystem::exists(path, ignored), "VGG19: no weights at '", path.string(),
              "'; ", kVGG19Source);
  VGG19 vgg{std::make_shared<VGG19Impl>(detail::VGG19Key{}, std::move(options))};
  try {
    load_weights(vgg, path, maps::torchvision_vgg19());
  } catch (const c10::Error& error) {
    limpid::fail("VGG19: ", error.what_without_backtrace(), "; ", kVGG19Source);
  }
  return vgg;
}

}  // namespace limpid

#endif  // LIMPID_BODIES
