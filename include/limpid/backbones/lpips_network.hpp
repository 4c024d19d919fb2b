#pragma once

#include <limpid/backbones/lpips_layers.hpp>
#include <limpid/core/compiled.hpp>
#include <limpid/core/modules.hpp>
#include <limpid/io/tensor_index.hpp>
#include <limpid/kernels/convolution.hpp>
#include <limpid/layers/conv2d.hpp>
#include <limpid/weights/load_weights.hpp>
#include <limpid/weights/name_map.hpp>

#include <ATen/ops/cat.h>
#include <ATen/ops/conv2d.h>
#include <ATen/ops/max_pool2d.h>
#include <ATen/ops/zeros.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#ifdef LIMPID_BODIES
#include <limpid/backbones/imagenet.hpp>
#include <limpid/core/check.hpp>
#include <limpid/core/fail.hpp>
#include <limpid/core/precision.hpp>
#include <limpid/weights/named_tensors.hpp>

#include <algorithm>
#include <system_error>
#endif

namespace limpid {

namespace detail {

/// A convolution whose weights never get a gradient, on a clone neither.
LIMPID_INLINE at::Tensor frozen(const Conv2dImpl& conv, const at::Tensor& input,
                                std::int64_t padding);

/// SqueezeNet's module: few channels, then as many by 1x1 as by 3x3 convolutions.
class FireImpl : public torch::nn::Cloneable<FireImpl> {
 public:
  FireImpl(std::int64_t in, std::int64_t out);

  void reset() override;

  at::Tensor forward(const at::Tensor& input);

  at::Tensor through(const at::Tensor& input) const;

 private:
  std::int64_t in_, out_;
  Conv2d squeeze_{nullptr}, expand1x1_{nullptr}, expand3x3_{nullptr};
};
TORCH_MODULE(Fire);

/// Lets only limpid's own factories make an LPIPSNetwork: nobody gets random weights by accident.
struct LPIPSKey {
  explicit LPIPSKey() = default;
};

}  // namespace detail

/// What LPIPS looks through, and what weighs what it sees: a network trained on ImageNet and one
/// weight for each channel of five (seven for SqueezeNet) of its maps. Never trained.
///
/// Source: Zhang, Isola, Efros, Shechtman and Wang, "The Unreasonable Effectiveness of Deep
/// Features as a Perceptual Metric", CVPR 2018, eq. 1; version 0.1 of the weights, which expects
/// ImageNet's normalisation. The network's parameters are named as torchvision names them:
/// `features.<index>.weight`. Made by `load_lpips`.
class LPIPSNetworkImpl : public torch::nn::Cloneable<LPIPSNetworkImpl> {
 public:
  LPIPSNetworkImpl(detail::LPIPSKey, LPIPSNet net);

  void reset() override;

  /// The maps that are compared, behind their activations.
  ///
  /// @param image  (N, 3, H, W), values in [-1, 1], sides of at least `min_side()`.
  /// @return       (N, C, H', W') each, float at least.
  /// @throws c10::ValueError if `image` has another shape.
  std::vector<at::Tensor> forward(const at::Tensor& image) const;

  /// How far apart both images look: for each map the squared difference of unit-length feature
  /// vectors, weighted by channel, mean over the positions; the sum over the maps. No gradient
  /// reaches the target.
  ///
  /// @param restored, target  as `forward` takes them, of one shape.
  /// @return  (N); 0 for equal images, mostly below 1.
  /// @throws c10::ValueError if the shapes are others.
  at::Tensor distances(const at::Tensor& restored, const at::Tensor& target) const;

  LPIPSNet net() const { return net_; }
  std::int64_t min_side() const;

 private:
  static at::Tensor unit_length(const at::Tensor& map);

  LPIPSNet net_;
  torch::nn::Sequential features_{nullptr};
  std::vector<at::Tensor> heads_;  // (1, C, 1, 1)
};

/// Handle to an `LPIPSNetworkImpl`. Copies are shallow: a loss and a metric share one network.
class LPIPSNetwork : public torch::nn::ModuleHolder<LPIPSNetworkImpl> {
 public:
  LPIPSNetwork(std::nullptr_t) : ModuleHolder(nullptr) {}
  LPIPSNetwork(std::shared_ptr<LPIPSNetworkImpl> module) : ModuleHolder(std::move(module)) {}

  /// Random weights (He et al. 2015) from LibTorch's own random source, every channel of a map with
  /// the same weight: the speed of the real network, and distances that mean little.
  static LPIPSNetwork random_for_benchmark(LPIPSNet net);
};

namespace detail {

/// The lpips package's names of a network of LPIPS: `net.slice1.0.weight`, cut behind each map.
LIMPID_INLINE NameMap lpips_package_names(LPIPSNet net);

LIMPID_INLINE NameMap lpips_head_names();

/// Fills the tensors of `network` whose names begin with `prefix` by whichever map fits best.
LIMPID_INLINE void load_lpips_part(const LPIPSNetwork& network, const std::string& prefix,
                                   const std::filesystem::path& path,
                                   const std::vector<NameMap>& maps, const std::string& source);

}  // namespace detail

/// Where the file of a backbone of LPIPS comes from, for error texts and help.
LIMPID_INLINE std::string lpips_backbone_source(LPIPSNet net);

/// Where the file of the linear heads comes from, for error texts and help.
LIMPID_INLINE std::string lpips_heads_source(LPIPSNet net);

/// LPIPS with published weights: .pth or safetensors.
///
/// A file of the lpips package's whole module (`net.slice1.0.weight`, `lin0.model.1.weight`) may be
/// given for either or both. Anything that is missing, unexpected or of another shape is an error
/// that lists it by name. Half and double weights become float.
///
/// @param backbone  the network, under torchvision's names; `classifier.*` may be there or not.
/// @param heads     the weights of the channels, of version 0.1: version 0.0 was made for images
///                  that are normalised otherwise, which a file does not show.
/// @throws c10::Error that names the file, what is wrong and where such a file comes from.
LIMPID_INLINE LPIPSNetwork load_lpips(LPIPSNet net, const std::filesystem::path& backbone,
                                      const std::filesystem::path& heads);

}  // namespace limpid

#ifdef LIMPID_BODIES

namespace limpid::detail {

LIMPID_INLINE at::Tensor frozen(const Conv2dImpl& conv, const at::Tensor& input,
                                std::int64_t padding) {
  const auto weight = conv.weight.detach(), bias = conv.bias.detach();
  const auto stride = (*conv.options.stride())[0], side = weight.size(2);
  return side == 3 && stride == 1 ? convolution3x3(input, weight, bias, padding)
                                  : at::conv2d(input, weight, bias, stride, padding);
}

LIMPID_INLINE FireImpl::FireImpl(std::int64_t in, std::int64_t out) : in_(in), out_(out) {
  reset();
}

LIMPID_INLINE void FireImpl::reset() {
  using Options = torch::nn::Conv2dOptions;
  const auto squeezed = out_ / 8;
  squeeze_ = register_module("squeeze", Conv2d(Options(in_, squeezed, 1)));
  expand1x1_ = register_module("expand1x1", Conv2d(Options(squeezed, out_ / 2, 1)));
  expand3x3_ = register_module("expand3x3", Conv2d(Options(squeezed, out_ / 2, 3).padding(1)));
}

LIMPID_INLINE at::Tensor FireImpl::forward(const at::Tensor& input) { return through(input); }

LIMPID_INLINE at::Tensor FireImpl::through(const at::Tensor& input) const {
  const auto few = frozen(*squeeze_, input, 0).relu_();
  return at::cat({frozen(*expand1x1_, few, 0), frozen(*expand3x3_, few, 1)}, 1).relu_();
}

}  // namespace limpid::detail

namespace limpid {

LIMPID_INLINE LPIPSNetworkImpl::LPIPSNetworkImpl(detail::LPIPSKey, LPIPSNet net) : net_(net) {
  reset();
}

LIMPID_INLINE void LPIPSNetworkImpl::reset() {
  features_ = torch::nn::Sequential();
  heads_.clear();
  for (const auto& layer : detail::lpips_layers(net_)) {
    if (layer.kind == detail::LPIPSLayer::Kind::conv) {
      const auto options = torch::nn::Conv2dOptions(layer.in, layer.out, layer.kernel)
                               .stride(layer.stride)
                               .padding(layer.padding);
      features_->push_back(std::to_string(layer.index), Conv2d(options));
    } else if (layer.kind == detail::LPIPSLayer::Kind::fire) {
      features_->push_back(std::to_string(layer.index), detail::Fire(layer.in, layer.out));
    }
    if (!layer.measured) continue;
    const auto name = "lin" + std::to_string(heads_.size());
    heads_.push_back(register_parameter(name, at::zeros({1, layer.out, 1, 1}), false));
  }
  register_module("features", features_);
  for (auto& parameter : parameters()) parameter.requires_grad_(false);
}

LIMPID_INLINE std::vector<at::Tensor> LPIPSNetworkImpl::forward(const at::Tensor& image) const {
  detail::check_image("LPIPS", image, 3, min_side());
  std::vector<at::Tensor> maps;
  auto map = to_imagenet(detail::at_least_float(image));
  std::size_t place = 0;
  for (const auto& layer : detail::lpips_layers(net_)) {
    switch (layer.kind) {
      case detail::LPIPSLayer::Kind::conv:
        map = detail::frozen(features_->at<Conv2dImpl>(place++), map, layer.padding).relu_();
        break;
      case detail::LPIPSLayer::Kind::fire:
        map = features_->at<detail::FireImpl>(place++).through(map);
        break;
      case detail::LPIPSLayer::Kind::pool:
        // SqueezeNet's keep what is left over at the border.
        map = at::max_pool2d(map, layer.kernel, layer.stride, 0, 1, net_ == LPIPSNet::squeeze);
        break;
    }
    if (layer.measured) maps.push_back(detail::at_least_float(map));
  }
  return maps;
}

LIMPID_INLINE at::Tensor LPIPSNetworkImpl::distances(const at::Tensor& restored,
                                                     const at::Tensor& target) const {
  detail::check_same_shape("LPIPS", restored, target);
  const auto seen = forward(restored);
  std::vector<at::Tensor> wanted;
  {
    const c10::NoGradGuard no_grad;
    wanted = forward(target);
  }
  at::Tensor sum;
  for (std::size_t i = 0; i < seen.size(); ++i) {
    const auto apart = (unit_length(seen[i]) - unit_length(wanted[i])).square();
    const auto part = (apart * heads_[i].detach()).sum(1).mean(at::IntArrayRef{1, 2});
    sum = sum.defined() ? sum + part : part;
  }
  return sum;
}

LIMPID_INLINE std::int64_t LPIPSNetworkImpl::min_side() const {
  return detail::lpips_facts(net_).min_side;
}

LIMPID_INLINE at::Tensor LPIPSNetworkImpl::unit_length(const at::Tensor& map) {
  return map / (map.norm(2, {1}, true) + 1e-10);
}

LIMPID_INLINE LPIPSNetwork LPIPSNetwork::random_for_benchmark(LPIPSNet net) {
  LPIPSNetwork network{std::make_shared<LPIPSNetworkImpl>(detail::LPIPSKey{}, net)};
  torch::NoGradGuard no_grad;
  for (auto& item : network->named_parameters()) {
    auto& parameter = item.value();
    if (item.key().rfind("lin", 0) == 0) {
      parameter.fill_(1.0 / static_cast<double>(parameter.numel()));
    } else if (parameter.dim() > 1) {
      torch::nn::init::kaiming_normal_(parameter, 0.0, torch::kFanIn, torch::kReLU);
    } else {
      parameter.zero_();
    }
  }
  return network;
}

}  // namespace limpid

namespace limpid::detail {

LIMPID_INLINE NameMap lpips_package_names(LPIPSNet net) {
  NameMap map;
  int slice = 1;
  for (const auto& layer : lpips_layers(net)) {
    const auto index = std::to_string(layer.index);
    map.rename("features." + index + ".*",
               "net.slice" + std::to_string(slice) + "." + index + ".*");
    if (layer.measured) ++slice;
  }
  return map.ignore("lin#.*").ignore("lins.*").ignore("scaling_layer.*");
}

LIMPID_INLINE NameMap lpips_head_names() {
  NameMap map;
  map.rename("lin#", "lin#.model.1.weight");
  return map.ignore("lins.*").ignore("net.*").ignore("scaling_layer.*");
}

LIMPID_INLINE void load_lpips_part(const LPIPSNetwork& network, const std::string& prefix,
                                   const std::filesystem::path& path,
                                   const std::vector<NameMap>& maps, const std::string& source) {
  const auto component = "LPIPS (" + std::string{lpips_facts(network->net()).name} + "): ";
  std::error_code ignored;
  TORCH_CHECK(std::filesystem::exists(path, ignored), component, "no weights at '", path.string(),
              "'; ", source);
  NamedTensors wanted;
  for (const auto& [name, tensor] : weights_of(network)) {
    if (name.rfind(prefix, 0) == 0) wanted.emplace_back(name, tensor);
  }
  try {
    const auto file = index_tensor_file(path);
    const auto fitting = [&](const NameMap& map) {
      return find_weights_of(wanted, file, map, {}).fitting;
    };
    const auto best = std::max_element(
        maps.begin(), maps.end(),
        [&](const NameMap& a, const NameMap& b) { return fitting(a) < fitting(b); });
    load_weights(wanted, file, "weights '" + path.string() + "'", *best);
  } catch (const c10::Error& error) {
    limpid::fail(component, error.what_without_backtrace(), "; ", source);
  }
}

}  // namespace limpid::detail

namespace limpid {

LIMPID_INLINE std::string lpips_backbone_source(LPIPSNet net) {
  const auto facts = detail::lpips_facts(net);
  return c10::str("expected torchvision's ", facts.backbone,
                  " weights, as it downloads them "
                  "(https://download.pytorch.org/models/",
                  facts.file, ") or as safetensors");
}

LIMPID_INLINE std::string lpips_heads_source(LPIPSNet net) {
  return c10::str("expected the linear heads of the Python package lpips, lpips/weights/v0.1/",
                  detail::lpips_facts(net).name, ".pth in it");
}

LIMPID_INLINE LPIPSNetwork load_lpips(LPIPSNet net, const std::filesystem::path& backbone,
                                      const std::filesystem::path& heads) {
  LPIPSNetwork network{std::make_shared<LPIPSNetworkImpl>(detail::LPIPSKey{}, net)};
  NameMap torchvision;
  torchvision.rename("features.*", "features.*").ignore("classifier.*");
  detail::load_lpips_part(network, "features.", backbone,
                          {torchvision, detail::lpips_package_names(net)},
                          lpips_backbone_source(net));
  detail::load_lpips_part(network, "lin", heads, {detail::lpips_head_names()},
                          lpips_heads_source(net));
  return network;
}

}  // namespace limpid

#endif  // LIMPID_BODIES
