#pragma once

#include <limpid/core/compiled.hpp>

#include <ATen/core/Tensor.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/zeros.h>

#include <cstdint>
#include <functional>
#include <vector>

#ifdef LIMPID_BODIES
#include <limpid/core/check.hpp>

#include <ATen/TensorOperators.h>

#include <algorithm>
#endif

namespace limpid {

/// What a picture that is restored in tiles is to be like.
enum class TilingKind {
  exact,        ///< that of the whole picture; layers that look at all of it cost further passes
  approximate,  ///< in one pass: such layers know a sample of the picture
};

/// How a large image is cut: memory follows the tile, not the image.
struct Tiling {
  /// A tile: the whole image at once, unless memory would not do or it has more than `kWhole`
  /// pixels; then tiles of `kLarge`, or what a `Restorer` finds. An overlap: as far as the network
  /// looks; `kBlended` where that is not known.
  static constexpr std::int64_t automatic = -1;
  static constexpr std::int64_t kWhole = 32'000'000, kLarge = 2048, kBlended = 32;

  std::int64_t tile = automatic;     ///< side of a tile, pixels; 0: the whole image at once
  std::int64_t overlap = automatic;  ///< pixels around a tile that are restored with it
  TilingKind kind = TilingKind::exact;

  /// The tile for an image of this size; 0: all of it at once.
  std::int64_t tile_for(std::int64_t height, std::int64_t width) const;

  /// Pixels over which tiles of a network are blended that does not say how far it looks.
  std::int64_t blended() const { return overlap == automatic ? kBlended : overlap; }
};

namespace detail {

/// First pixels of the tiles along one side; the last one ends at the border.
LIMPID_INLINE std::vector<std::int64_t> tile_starts(std::int64_t side, std::int64_t tile,
                                                    std::int64_t overlap);

/// How many tiles `restore_tiled` cuts an image of this size into.
LIMPID_INLINE std::int64_t tile_count(std::int64_t height, std::int64_t width,
                                      const Tiling& tiling);

/// Weights (tile) that rise over the overlap from a side that has a neighbour.
LIMPID_INLINE at::Tensor tile_ramp(std::int64_t tile, std::int64_t overlap, bool before,
                                   bool after);

}  // namespace detail

/// Applies `restore` to overlapping tiles of (1, C, H, W) and blends them linearly.
///
/// `restore` keeps the size; the channels of its result are those of this one's.
///
/// For networks that do not say how far they look, and whatever takes a tensor; a `Restorer` knows
/// better (`inference/restore_picture.hpp`). A network that normalises over the whole image sees
/// each tile by itself; one without does not show the seams where `overlap` is at least its field
/// of view.
///
/// @throws c10::ValueError unless 0 <= overlap < tile.
LIMPID_INLINE at::Tensor restore_tiled(const std::function<at::Tensor(const at::Tensor&)>& restore,
                                       const at::Tensor& degraded, const Tiling& tiling);

}  // namespace limpid

#ifdef LIMPID_BODIES

namespace limpid {

LIMPID_INLINE std::int64_t Tiling::tile_for(std::int64_t height, std::int64_t width) const {
  const auto side = tile != automatic ? tile : height > kWhole / width ? kLarge : 0;
  return height <= side && width <= side ? 0 : side;
}

}  // namespace limpid

namespace limpid::detail {

LIMPID_INLINE std::vector<std::int64_t> tile_starts(std::int64_t side, std::int64_t tile,
                                                    std::int64_t overlap) {
  std::vector<std::int64_t> starts;
  for (std::int64_t start = 0; start + tile < side; start += tile - overlap) {
    starts.push_back(start);
  }
  starts.push_back(std::max<std::int64_t>(0, side - tile));
  return starts;
}

LIMPID_INLINE std::int64_t tile_count(std::int64_t height, std::int64_t width,
                                      const Tiling& tiling) {
  const auto side = tiling.tile_for(height, width);
  if (side == 0) return 1;
  const auto along = [&](std::int64_t length) {
    return static_cast<std::int64_t>(
        tile_starts(length, std::min(side, length), tiling.blended()).size());
  };
  return along(height) * along(width);
}

LIMPID_INLINE at::Tensor tile_ramp(std::int64_t tile, std::int64_t overlap, bool before,
                                   bool after) {
  auto ramp = at::ones({tile}, at::kFloat);
  const auto slope = (at::arange(overlap, at::kFloat) + 1) / static_cast<double>(overlap + 1);
  if (overlap > 0 && before) ramp.narrow(0, 0, overlap).mul_(slope);
  if (overlap > 0 && after) ramp.narrow(0, tile - overlap, overlap).mul_(slope.flip(0));
  return ramp;
}

}  // namespace limpid::detail

namespace limpid {

LIMPID_INLINE at::Tensor restore_tiled(const std::function<at::Tensor(const at::Tensor&)>& restore,
                                       const at::Tensor& degraded, const Tiling& tiling) {
  const auto height = degraded.size(2), width = degraded.size(3);
  const auto side = tiling.tile_for(height, width);
  if (side == 0) return restore(degraded);
  detail::check_at_least("tile", side, 16);
  const auto overlap = tiling.blended();
  TORCH_CHECK_VALUE(overlap >= 0 && 2 * overlap <= side,
                    "overlap must be from 0 to half the tile (", side / 2, "), got ", overlap);

  const auto tall = std::min(side, height), wide = std::min(side, width);
  const auto rows = detail::tile_starts(height, tall, overlap);
  const auto columns = detail::tile_starts(width, wide, overlap);
  at::Tensor sum;
  auto weights = at::zeros({1, 1, height, width}, degraded.options());
  for (const auto top : rows) {
    const auto down =
        detail::tile_ramp(tall, tall < height ? overlap : 0, top > 0, top + tall < height);
    for (const auto left : columns) {
      const auto across =
          detail::tile_ramp(wide, wide < width ? overlap : 0, left > 0, left + wide < width);
      const auto mask = (down.unsqueeze(1) * across).to(degraded.options());
      const auto tile = degraded.narrow(2, top, tall).narrow(3, left, wide);
      const auto restored = restore(tile) * mask;
      if (!sum.defined()) sum = at::zeros({1, restored.size(1), height, width}, restored.options());
      sum.narrow(2, top, tall).narrow(3, left, wide).add_(restored);
      weights.narrow(2, top, tall).narrow(3, left, wide).add_(mask);
    }
  }
  return sum / weights;
}

}  // namespace limpid

#endif  // LIMPID_BODIES
