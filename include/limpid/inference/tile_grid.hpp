#pragma once

#include <limpid/core/compiled.hpp>
#include <limpid/core/padding.hpp>

#include <cstdint>
#include <vector>

#ifdef LIMPID_BODIES
#include <algorithm>
#endif

namespace limpid {

/// A part of a picture, pixels.
struct Rectangle {
  std::int64_t top = 0, left = 0, height = 0, width = 0;

  std::int64_t bottom() const { return top + height; }
  std::int64_t right() const { return left + width; }
  friend bool operator==(const Rectangle&, const Rectangle&) = default;
};

namespace detail {

/// First pixel and length of a part of one side.
struct SidePart {
  std::int64_t begin = 0, length = 0;
};

LIMPID_INLINE std::int64_t rounded_up(std::int64_t value, std::int64_t multiple);

/// Cuts a side into parts of equal length, at most `tile` rounded to `multiple`; the last one
/// is what is left.
LIMPID_INLINE std::vector<SidePart> cut_side(std::int64_t side, std::int64_t tile,
                                             std::int64_t multiple);

/// A part with `halo` more on both sides, as far as the side goes; it begins at a multiple, and
/// is as long as the network needs it.
LIMPID_INLINE SidePart with_halo(const SidePart& part, std::int64_t halo, std::int64_t side,
                                 const ImagePadding& padding);

}  // namespace detail

/// Tiles that cover a picture side by side, row by row. They begin at multiples of
/// `padding.multiple`, so that a network's cells in a tile are those of the whole picture.
LIMPID_INLINE std::vector<Rectangle> tile_cores(std::int64_t height, std::int64_t width,
                                                std::int64_t tile, const ImagePadding& padding);

/// What a network must be shown of a picture to restore `core`: `halo` pixels more on each side
/// where the picture has them.
LIMPID_INLINE Rectangle tile_with_halo(const Rectangle& core, std::int64_t halo,
                                       std::int64_t height, std::int64_t width,
                                       const ImagePadding& padding);

}  // namespace limpid

#ifdef LIMPID_BODIES

namespace limpid::detail {

LIMPID_INLINE std::int64_t rounded_up(std::int64_t value, std::int64_t multiple) {
  return (value + multiple - 1) / multiple * multiple;
}

LIMPID_INLINE std::vector<SidePart> cut_side(std::int64_t side, std::int64_t tile,
                                             std::int64_t multiple) {
  const auto most = std::max(multiple, tile / multiple * multiple);
  const auto count = (side + most - 1) / most;
  const auto length = rounded_up((side + count - 1) / count, multiple);
  std::vector<SidePart> parts;
  for (std::int64_t begin = 0; begin < side; begin += length) {
    parts.push_back({begin, std::min(length, side - begin)});
  }
  return parts;
}

LIMPID_INLINE SidePart with_halo(const SidePart& part, std::int64_t halo, std::int64_t side,
                                 const ImagePadding& padding) {
  const auto aligned = [&](std::int64_t at) {
    return std::max<std::int64_t>(0, at) / padding.multiple * padding.multiple;
  };
  auto begin = aligned(part.begin - halo);
  auto end = std::min(side, rounded_up(part.begin + part.length + halo, padding.multiple));
  if (end - begin < padding.min_side) begin = std::min(begin, aligned(end - padding.min_side));
  if (end - begin < padding.min_side) end = std::min(side, begin + padding.min_side);
  return {begin, end - begin};
}

}  // namespace limpid::detail

namespace limpid {

LIMPID_INLINE std::vector<Rectangle> tile_cores(std::int64_t height, std::int64_t width,
                                                std::int64_t tile, const ImagePadding& padding) {
  std::vector<Rectangle> cores;
  for (const auto& rows : detail::cut_side(height, tile, padding.multiple)) {
    for (const auto& columns : detail::cut_side(width, tile, padding.multiple)) {
      cores.push_back({rows.begin, columns.begin, rows.length, columns.length});
    }
  }
  return cores;
}

LIMPID_INLINE Rectangle tile_with_halo(const Rectangle& core, std::int64_t halo,
                                       std::int64_t height, std::int64_t width,
                                       const ImagePadding& padding) {
  const auto rows = detail::with_halo({core.top, core.height}, halo, height, padding);
  const auto columns = detail::with_halo({core.left, core.width}, halo, width, padding);
  return {rows.begin, columns.begin, rows.length, columns.length};
}

}  // namespace limpid

#endif  // LIMPID_BODIES
