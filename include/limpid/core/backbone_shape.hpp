#pragma once

#include <limpid/core/field_of_view.hpp>
#include <limpid/core/padding.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace limpid {

/// How many maps a `Backbone` gives.
inline constexpr std::size_t kBackboneMaps = 5;

namespace detail {

/// A published number of channels times `width`, rounded; never below 4.
inline std::int64_t scaled_channels(std::int64_t published, double width) {
  return std::max<std::int64_t>(4, std::llround(static_cast<double>(published) * width));
}

}  // namespace detail

/// Pixels on the left, right, top and bottom.
using MapBorder = std::array<std::int64_t, 4>;

/// What a `Backbone` says of its maps, from fine to coarse: strides 2, 4, 8, 16, 32.
struct BackboneShape {
  std::array<std::int64_t, kBackboneMaps> channels{};

  /// By how much each map must be reflected to have the side of the image over its stride: not at
  /// all unless its convolutions lose pixels at the border.
  std::array<MapBorder, kBackboneMaps> reflected{};

  /// How far the coarsest map looks, with its reflected border; nothing: it does not say.
  std::optional<FieldOfView> view{};

  /// Which images it takes.
  ImagePadding padding{.multiple = 32, .min_side = 32};
};

}  // namespace limpid
