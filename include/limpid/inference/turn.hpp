#pragma once

#include <limpid/core/compiled.hpp>
#include <limpid/inference/tile_grid.hpp>

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <utility>
#include <vector>

#ifdef LIMPID_BODIES
#include <c10/util/Exception.h>
#endif

namespace limpid {

/// One of the eight ways to lay a picture: mirrored or not, turned by quarters. Self-ensemble
/// restores a picture in several and takes the mean.
///
/// Source: Lim et al., "Enhanced Deep Residual Networks for Single Image Super-Resolution", CVPR
/// Workshops 2017, sec. 3.3 (after Timofte et al., CVPR 2016).
class Turn {
 public:
  /// @param number  0 leaves the picture as it is; 1 mirrors it left to right, 2 top to bottom, 3
  ///                both (half a turn); from 4 on the same of the picture with rows and columns
  ///                exchanged.
  constexpr explicit Turn(int number = 0) : number_(number) {}

  /// The first `count`: 1 the picture itself, 2 with its mirror image, 4 without exchange, 8 all.
  /// @throws c10::ValueError for another count.
  static std::vector<Turn> first(int count);

  bool exchanges() const { return (number_ & 4) != 0; }

  /// (N, C, H, W), laid so.
  at::Tensor of(const at::Tensor& picture) const;

  /// Undoes `of`.
  at::Tensor undone(const at::Tensor& laid) const;

  /// The size of a picture of this size, laid so: height and width.
  std::pair<std::int64_t, std::int64_t> size(std::int64_t height, std::int64_t width) const;

  /// Where a part of a picture of this size lies then.
  Rectangle of(Rectangle part, std::int64_t height, std::int64_t width) const;

  /// Undoes that; the size is that of the picture before.
  Rectangle undone(Rectangle part, std::int64_t height, std::int64_t width) const;

 private:
  bool mirrors_columns() const { return (number_ & 1) != 0; }
  bool mirrors_rows() const { return (number_ & 2) != 0; }

  at::Tensor mirrored(const at::Tensor& picture) const;

  Rectangle mirrored(Rectangle part, std::int64_t rows, std::int64_t columns) const;

  static Rectangle exchanged(const Rectangle& part);

  int number_;
};

}  // namespace limpid

#ifdef LIMPID_BODIES

namespace limpid {

LIMPID_INLINE std::vector<Turn> Turn::first(int count) {
  TORCH_CHECK_VALUE(count == 1 || count == 2 || count == 4 || count == 8,
                    "ensemble: expected 1, 2, 4 or 8, got ", count);
  std::vector<Turn> turns;
  for (int number = 0; number < count; ++number) turns.emplace_back(number);
  return turns;
}

LIMPID_INLINE at::Tensor Turn::of(const at::Tensor& picture) const {
  return mirrored(exchanges() ? picture.transpose(2, 3) : picture).contiguous();
}

LIMPID_INLINE at::Tensor Turn::undone(const at::Tensor& laid) const {
  const auto mirrored_back = mirrored(laid);
  return exchanges() ? mirrored_back.transpose(2, 3) : mirrored_back;
}

LIMPID_INLINE std::pair<std::int64_t, std::int64_t> Turn::size(std::int64_t height,
                                                               std::int64_t width) const {
  return exchanges() ? std::pair{width, height} : std::pair{height, width};
}

LIMPID_INLINE Rectangle Turn::of(Rectangle part, std::int64_t height, std::int64_t width) const {
  if (exchanges()) part = exchanged(part);
  const auto [rows, columns] = size(height, width);
  return mirrored(part, rows, columns);
}

LIMPID_INLINE Rectangle Turn::undone(Rectangle part, std::int64_t height,
                                     std::int64_t width) const {
  const auto [rows, columns] = size(height, width);
  part = mirrored(part, rows, columns);
  return exchanges() ? exchanged(part) : part;
}

LIMPID_INLINE at::Tensor Turn::mirrored(const at::Tensor& picture) const {
  std::vector<std::int64_t> sides;
  if (mirrors_rows()) sides.push_back(2);
  if (mirrors_columns()) sides.push_back(3);
  return sides.empty() ? picture : picture.flip(sides);
}

LIMPID_INLINE Rectangle Turn::mirrored(Rectangle part, std::int64_t rows,
                                       std::int64_t columns) const {
  if (mirrors_rows()) part.top = rows - part.bottom();
  if (mirrors_columns()) part.left = columns - part.right();
  return part;
}

LIMPID_INLINE Rectangle Turn::exchanged(const Rectangle& part) {
  return {part.left, part.top, part.width, part.height};
}

}  // namespace limpid

#endif  // LIMPID_BODIES
