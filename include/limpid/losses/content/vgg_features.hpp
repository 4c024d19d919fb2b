#pragma once

#include <limpid/backbones/imagenet.hpp>
#include <limpid/backbones/vgg19.hpp>
#include <limpid/core/check.hpp>
#include <limpid/core/precision.hpp>

#include <string>
#include <string_view>

namespace limpid {

/// How images in [-1, 1] are given to VGG-19.
enum class VGGInput {
  imagenet,  ///< As its weights expect: unit range, then ImageNet's mean and deviation.
  raw,       ///< As they are: the thesis' published code.
};

namespace detail {

/// The maps of both images, the target's without a graph.
struct VGGMaps {
  at::Tensor restored;  ///< (N, C, H, W), float at least
  at::Tensor target;
};

inline VGGMaps vgg_maps(std::string_view component, const VGG19& vgg, const std::string& layer,
                        VGGInput input, const at::Tensor& restored, const at::Tensor& target) {
  TORCH_CHECK_VALUE(!vgg.is_empty(), component, ": expected a VGG19, got an empty handle");
  check_image(component, restored);
  check_same_shape(component, restored, target);
  const auto map = [&](const at::Tensor& image) {
    const auto values = at_least_float(image);
    return at_least_float(
        vgg->forward_to(input == VGGInput::imagenet ? to_imagenet(values) : values, layer));
  };
  VGGMaps maps;
  maps.restored = map(restored);
  c10::NoGradGuard no_grad;  // no trace in autocast's cache either: VGG19's weights are constants
  maps.target = map(target);
  return maps;
}

}  // namespace detail
}  // namespace limpid
