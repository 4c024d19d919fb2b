#pragma once

#include <limpid/core/compiled.hpp>
#include <limpid/core/evaluation_scope.hpp>
#include <limpid/inference/degraded_picture.hpp>
#include <limpid/inference/restore_picture.hpp>
#include <limpid/inference/restore_watch.hpp>
#include <limpid/inference/restorer_options.hpp>
#include <limpid/inference/router.hpp>
#include <limpid/io/image.hpp>
#include <limpid/io/picture_view.hpp>
#include <limpid/model/any_model.hpp>

#include <functional>
#include <string>
#include <utility>

#ifdef LIMPID_BODIES
#include <limpid/inference/routing_features.hpp>
#include <limpid/kernels/convolution_switch.hpp>

#include <ATen/TensorOperators.h>
#endif

namespace limpid::detail {

/// The options of one task among several: what `strength` blends is the end of all.
LIMPID_INLINE RestorerOptions at_full_strength(RestorerOptions options);

/// `strength` of the way from a picture to what was made of it.
LIMPID_INLINE Image blended(const Image& degraded, const Image& restored, double strength);

/// Restores as a router leads: what it is sure of, one task after another.
class RoutedRestoring {
 public:
  /// @param network  of a task
  RoutedRestoring(const Router& router, AnyModel model,
                  std::function<TaskNetwork(const std::string& task)> network,
                  const RestorerOptions& options)
      : router_(router),
        model_(std::move(model)),
        network_(std::move(network)),
        options_(options),
        evaluation_(*model_.module) {}

  /// Each task's picture is rounded to 8 bits.
  RoutedPicture restore(const Image& degraded, const RestoreWatch& watch) const;

  /// @param unit  (1, 3, H, W) in [0, 1], which becomes what is made of it
  Routing restore_unit(at::Tensor& unit, const RestoreWatch& watch) const;

  /// From memory to memory. Where either is `rgb_float32`, nothing is rounded between tasks.
  Routing restore(const PictureView& degraded, const PictureBuffer& restored,
                  const RestoreWatch& watch) const;

 private:
  at::Tensor look_at(const Image& picture, const RestoreWatch& watch) const;

  const Router& router_;
  AnyModel model_;
  std::function<TaskNetwork(const std::string& task)> network_;
  RestorerOptions options_;
  EvaluationScope evaluation_;
};

}  // namespace limpid::detail

#ifdef LIMPID_BODIES

namespace limpid::detail {

LIMPID_INLINE RestorerOptions at_full_strength(RestorerOptions options) {
  options.strength = 1;
  return options;
}

LIMPID_INLINE Image blended(const Image& degraded, const Image& restored, double strength) {
  if (strength == 1) return restored;
  return Image::from_unit(degraded.unit().lerp(restored.unit(), strength))
      .with_facts(degraded.facts());
}

LIMPID_INLINE RoutedPicture RoutedRestoring::restore(const Image& degraded,
                                                     const RestoreWatch& watch) const {
  auto routed = router_.lead(
      degraded, [&](const Image& picture) { return look_at(picture, watch); },
      [&](const std::string& task, const Image& picture) {
        return restore_picture(network_(task), picture, at_full_strength(options_), watch);
      });
  if (!routed.done.empty()) routed.image = blended(degraded, routed.image, options_.strength);
  return routed;
}

LIMPID_INLINE Routing RoutedRestoring::restore_unit(at::Tensor& unit,
                                                    const RestoreWatch& watch) const {
  const auto from = unit;
  const auto routing =
      router_.lead([&] { return look_at(Image::from_unit(unit), watch); },
                   [&](const std::string& task) {
                     unit = detail::restore_unit(network_(task), DegradedPicture{unit},
                                                 at_full_strength(options_), watch);
                   });
  if (!routing.done.empty() && options_.strength != 1) unit = from.lerp(unit, options_.strength);
  return routing;
}

LIMPID_INLINE Routing RoutedRestoring::restore(const PictureView& degraded,
                                               const PictureBuffer& restored,
                                               const RestoreWatch& watch) const {
  const auto view = checked_view("degraded picture", degraded);
  const auto buffer = checked_buffer("restored picture", restored, view.height, view.width);
  constexpr auto kFloats = PixelFormat::rgb_float32;
  if (view.format != kFloats && buffer.format != kFloats) {
    RoutedPicture routed = restore(image_of(view), watch);
    write_bytes(routed.image.pixels(), alpha_of(view), buffer);
    return routed;
  }
  auto unit = DegradedPicture{view}.unit();
  const auto routing = restore_unit(unit, watch);
  if (buffer.format == kFloats) {
    write_floats(unit.contiguous(), buffer);
  } else {
    write_bytes(Image::from_unit(unit).pixels(), {}, buffer);
  }
  return routing;
}

LIMPID_INLINE at::Tensor RoutedRestoring::look_at(const Image& picture,
                                                  const RestoreWatch& watch) const {
  if (watch.stop.stop_requested()) throw RestoreCancelled{{}};
  const ConvolutionScope convolution{options_.convolution};
  return routing_features(model_, picture);
}

}  // namespace limpid::detail

#endif  // LIMPID_BODIES
