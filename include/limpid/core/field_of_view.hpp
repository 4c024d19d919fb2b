#pragma once

#include <limpid/core/padding.hpp>
#include <limpid/core/ranges.hpp>

#include <algorithm>
#include <cstdint>
#include <optional>

namespace limpid {

/// How far a network looks at most: what a cell of one of its maps depends on.
///
/// A cell of a map of stride s stands for s x s pixels of the image. It depends on these and on no
/// pixel more than `reach` beyond them. Networks count it up layer by layer, as they compute:
/// `FieldOfView{}.convolved(7).convolved(3, 2).upsampled(2)`.
struct FieldOfView {
  std::int64_t stride = 1;  ///< pixels of the image per cell
  std::int64_t reach = 0;   ///< pixels beyond the cell's own, on each side
  std::int64_t window = 0;  ///< side in pixels of the largest window that a mean is taken over
                            ///< (`LocalMeanPool`); not counted in `reach`

  /// Behind a convolution or a pooling of odd or even sides that keeps the map's place.
  /// @param by     its stride
  /// @param times  how many follow each other
  constexpr FieldOfView convolved(std::int64_t kernel, std::int64_t by = 1,
                                  std::int64_t times = 1) const {
    auto view = *this;
    for (std::int64_t i = 0; i < times; ++i) {
      if (kernel > by) view.reach += kernel / 2 * view.stride;
      view.stride *= by;
    }
    return view;
  }

  /// Behind a transposed convolution of stride 2 and 3 x 3 weights.
  constexpr FieldOfView deconvolved() const {
    return {.stride = stride / 2, .reach = reach + stride, .window = window};
  }

  /// Behind a pixel shuffle, or with pixels repeated.
  constexpr FieldOfView upsampled(std::int64_t factor) const {
    return {.stride = stride / factor, .reach = reach + stride - stride / factor, .window = window};
  }

  /// Behind means over `cells` x `cells` cells.
  constexpr FieldOfView averaged(std::int64_t cells) const {
    return {.stride = stride, .reach = reach, .window = std::max(window, cells * stride)};
  }

  /// Of a map that is made of two; of the other's stride.
  constexpr FieldOfView joined(const FieldOfView& other) const {
    return {.stride = other.stride,
            .reach = std::max(reach, other.reach),
            .window = std::max(window, other.window)};
  }

  /// Pixels that a tile needs around it, so that it shows what the whole picture would. With means
  /// over windows: so that these lie within the tile's surroundings.
  constexpr std::int64_t halo() const { return reach + (window + 1) / 2; }

  /// Whether a tile with its halo around gives what the whole picture would.
  constexpr bool is_bounded() const { return window == 0; }
};

/// What the tiles of a picture must be like so that a network makes of them what it would make of
/// the whole: where they begin, and how much lies around them.
struct TileNeeds {
  ImagePadding padding{};                       ///< tiles begin at its multiples
  std::optional<FieldOfView> view{};            ///< nothing where the network does not say
  ValueRange range = ValueRange::signed_range;  ///< in which `PaddingMode::zeros` pads
};

}  // namespace limpid
