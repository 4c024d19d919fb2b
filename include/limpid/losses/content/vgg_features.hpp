#pragma once

#include <limpid/backbones/vgg19.hpp>
#include <limpid/core/compiled.hpp>
#include <limpid/losses/content/shared_features.hpp>

#include <string>
#include <vector>

#ifdef LIMPID_BODIES
#include <limpid/backbones/imagenet.hpp>

#include <c10/util/Exception.h>
#endif

namespace limpid {

/// How images in [-1, 1] are given to VGG-19.
enum class VGGInput {
  imagenet,  ///< as its weights expect: unit range, then ImageNet's mean and deviation
  raw,       ///< as they are: the thesis' published code
};

namespace detail {

/// A loss' request for the maps of one layer of VGG-19.
/// @throws c10::ValueError if `vgg` is empty.
LIMPID_INLINE FeatureRequest vgg_features(const char* component, const VGG19& vgg,
                                          const std::string& layer, VGGInput input);

}  // namespace detail
}  // namespace limpid

#ifdef LIMPID_BODIES

namespace limpid::detail {

LIMPID_INLINE FeatureRequest vgg_features(const char* component, const VGG19& vgg,
                                          const std::string& layer, VGGInput input) {
  TORCH_CHECK_VALUE(!vgg.is_empty(), component, ": expected a VGG19, got an empty handle");
  return {component, vgg.get(), static_cast<int>(input), layer,
          [vgg, input](const at::Tensor& image, const std::vector<std::string>& layers) {
            return vgg->forward_to(input == VGGInput::imagenet ? to_imagenet(image) : image,
                                   layers);
          }};
}

}  // namespace limpid::detail

#endif  // LIMPID_BODIES
