#pragma once

#include <limpid/core/compiled.hpp>

#include <ATen/core/Tensor.h>
#include <c10/core/GradMode.h>

#include <concepts>
#include <cstddef>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#ifdef LIMPID_BODIES
#include <limpid/core/check.hpp>
#include <limpid/core/precision.hpp>

#include <c10/util/Exception.h>

#include <algorithm>
#endif

namespace limpid {

/// The maps that a network makes of both images, (N, C, H', W'), float at least; the target's
/// without a graph.
struct FeatureMaps {
  at::Tensor restored;
  at::Tensor target;
};

/// What a loss on a network's feature maps asks for.
struct FeatureRequest {
  std::string component;  ///< the loss, for error texts
  const void* network;    ///< which network, and
  int input;              ///< how it is given images: losses that agree in both share its passes
  std::string layer;
  /// One pass: an image -> the maps of these layers.
  std::function<std::vector<at::Tensor>(const at::Tensor& image,
                                        const std::vector<std::string>& layers)>
      look;
};

/// A content loss that compares the feature maps of both images and nothing else. In a sum, losses
/// on one network share its passes: two in all, one for each image.
template <class L>
concept FeatureLoss = requires(const L& loss, const FeatureMaps& maps) {
  { loss.features() } -> std::same_as<FeatureRequest>;
  { loss.compare(maps) } -> std::same_as<at::Tensor>;
};

/// The same for a loss that compares the maps of several layers.
template <class L>
concept LayeredFeatureLoss = requires(const L& loss, const std::vector<FeatureMaps>& maps) {
  { loss.features() } -> std::same_as<std::vector<FeatureRequest>>;
  { loss.compare(maps) } -> std::same_as<at::Tensor>;
};

/// The passes that the losses of a sum share while they judge one pair of images. All say what they
/// will ask for before any asks, so that one pass serves all layers.
class SharedFeatures {
 public:
  /// Says that `maps` will be asked for this.
  void expect(const FeatureRequest& request);

  void expect(const std::vector<FeatureRequest>& requests);

  /// @param restored, target  (N, 3, H, W), the same in each call.
  /// @throws c10::ValueError if the shapes are others.
  FeatureMaps maps(const FeatureRequest& request, const at::Tensor& restored,
                   const at::Tensor& target);

  /// The same for several requests.
  std::vector<FeatureMaps> maps(const std::vector<FeatureRequest>& requests,
                                const at::Tensor& restored, const at::Tensor& target);

  /// How many networks look, each once at either image.
  std::size_t passes() const { return passes_.size(); }

 private:
  struct Pass {
    const void* network;
    int input;
    std::vector<std::string> layers{};
    std::vector<at::Tensor> restored{}, target{};
  };

  static std::vector<at::Tensor> looked(const FeatureRequest& request, const at::Tensor& image,
                                        const std::vector<std::string>& layers);

  Pass& pass_of(const FeatureRequest& request);

  std::vector<Pass> passes_;
};

namespace detail {

/// A loss on feature maps by itself.
template <class L>
requires FeatureLoss<L> || LayeredFeatureLoss<L> at::Tensor compare_alone(
    const L& loss, const at::Tensor& restored, const at::Tensor& target) {
  SharedFeatures shared;
  const auto request = loss.features();
  shared.expect(request);
  return loss.compare(shared.maps(request, restored, target));
}

}  // namespace detail
}  // namespace limpid

#ifdef LIMPID_BODIES

namespace limpid {

LIMPID_INLINE void SharedFeatures::expect(const FeatureRequest& request) {
  auto& layers = pass_of(request).layers;
  if (std::find(layers.begin(), layers.end(), request.layer) == layers.end()) {
    layers.push_back(request.layer);
  }
}

LIMPID_INLINE void SharedFeatures::expect(const std::vector<FeatureRequest>& requests) {
  for (const auto& request : requests) expect(request);
}

LIMPID_INLINE FeatureMaps SharedFeatures::maps(const FeatureRequest& request,
                                               const at::Tensor& restored,
                                               const at::Tensor& target) {
  detail::check_image(request.component, restored);
  detail::check_same_shape(request.component, restored, target);
  auto& pass = pass_of(request);
  if (pass.restored.empty()) {
    pass.restored = looked(request, restored, pass.layers);
    // No trace in autocast's cache either: weights are constants here.
    const c10::NoGradGuard no_grad;
    pass.target = looked(request, target, pass.layers);
  }
  const auto found = std::find(pass.layers.begin(), pass.layers.end(), request.layer);
  TORCH_INTERNAL_ASSERT(found != pass.layers.end());
  const auto i = static_cast<std::size_t>(found - pass.layers.begin());
  return {pass.restored[i], pass.target[i]};
}

LIMPID_INLINE std::vector<FeatureMaps> SharedFeatures::maps(
    const std::vector<FeatureRequest>& requests, const at::Tensor& restored,
    const at::Tensor& target) {
  std::vector<FeatureMaps> found;
  for (const auto& request : requests) found.push_back(maps(request, restored, target));
  return found;
}

LIMPID_INLINE std::vector<at::Tensor> SharedFeatures::looked(
    const FeatureRequest& request, const at::Tensor& image,
    const std::vector<std::string>& layers) {
  auto maps = request.look(detail::at_least_float(image), layers);
  for (auto& map : maps) map = detail::at_least_float(map);
  return maps;
}

LIMPID_INLINE SharedFeatures::Pass& SharedFeatures::pass_of(const FeatureRequest& request) {
  for (auto& pass : passes_) {
    if (pass.network == request.network && pass.input == request.input) return pass;
  }
  passes_.push_back({request.network, request.input});
  return passes_.back();
}

}  // namespace limpid

#endif  // LIMPID_BODIES
