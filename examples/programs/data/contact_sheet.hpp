#pragma once

// Small copies of pairs in a grid.

#include <limpid/datasets/pairs.hpp>
#include <limpid/io/image.hpp>
#include <limpid/report/picture_strip.hpp>

#include <ATen/ops/full.h>

#include <cstdint>
#include <vector>

namespace examples {

/// The picture shrunk into `height` x `width`, in the middle of white.
inline limpid::Image fitted(const limpid::Image& picture, std::int64_t height, std::int64_t width) {
  const auto small = picture.shrunk_into(height, width);
  auto cell = at::full({height, width, 3}, 255, at::kByte);
  cell.narrow(0, (height - small.height()) / 2, small.height())
      .narrow(1, (width - small.width()) / 2, small.width())
      .copy_(small.pixels());
  return limpid::Image{cell};
}

/// Pairs in rows of `columns`, degraded above target, in cells of 4:3.
inline limpid::Image contact_sheet(const std::vector<limpid::ImagePair>& pairs, std::size_t columns,
                                   std::int64_t cell_width = 240) {
  const auto cell_height = cell_width * 3 / 4;
  const auto white = limpid::Image{at::full({cell_height, cell_width, 3}, 255, at::kByte)};
  std::vector<limpid::Image> rows;
  for (std::size_t start = 0; start < pairs.size(); start += columns) {
    std::vector<limpid::Image> cells;
    for (auto i = start; i < start + columns; ++i) {
      const bool is_pair = i < pairs.size();
      if (!is_pair && rows.empty()) break;  // one row needs no filling
      cells.push_back(limpid::picture_column(
          {is_pair ? fitted(pairs[i].degraded, cell_height, cell_width) : white,
           is_pair ? fitted(pairs[i].target, cell_height, cell_width) : white},
          2));
    }
    rows.push_back(limpid::picture_strip(cells, 8));
  }
  return limpid::picture_column(rows, 16);
}

}  // namespace examples
