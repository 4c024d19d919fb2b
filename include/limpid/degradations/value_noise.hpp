#pragma once

#include <limpid/core/random.hpp>
#include <limpid/degradations/batch_tensors.hpp>
#include <limpid/degradations/planes.hpp>

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <c10/core/Device.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

namespace limpid::detail {

/// Random values in [0, 1) at the corners of square cells, smoothly interpolated: hills of one
/// size.
class ValueNoise {
 public:
  /// Where a pixel lies on one side of the lattice: behind corner `index`, by a smoothed `part`.
  struct Position {
    std::int64_t index;
    float part;
  };

  /// @param cell  side of a cell, pixels.
  ValueNoise(std::int64_t height, std::int64_t width, double cell, Random& random)
      : cell_(cell),
        rows_(position(height - 1).index + 2),
        columns_(position(width - 1).index + 2),
        corners_(static_cast<std::size_t>(rows_ * columns_)) {
    for (auto& corner : corners_) corner = static_cast<float>(random.uniform());
  }

  Position position(std::int64_t pixel) const {
    const auto at = (static_cast<double>(pixel) + 0.5) / cell_;
    return {static_cast<std::int64_t>(at), smooth_step(static_cast<float>(at - std::floor(at)))};
  }

  float at(const Position& row, const Position& column) const {
    const auto* upper = corners_.data() + row.index * columns_ + column.index;
    const auto* lower = upper + columns_;
    const auto above = upper[0] + column.part * (upper[1] - upper[0]);
    const auto below = lower[0] + column.part * (lower[1] - lower[0]);
    return above + row.part * (below - above);
  }

  std::int64_t rows() const { return rows_; }        ///< of corners
  std::int64_t columns() const { return columns_; }  ///< of corners
  const std::vector<float>& corners() const { return corners_; }

 private:
  double cell_;
  std::int64_t rows_;
  std::int64_t columns_;
  std::vector<float> corners_;
};

/// The pixels of a photograph at which something is worked out, for one photograph of a batch.
struct PixelLines {
  std::vector<std::int64_t> rows;
  std::vector<std::int64_t> columns;
};

/// Values of a noise of its own for each picture of a batch, at pixels that form a grid.
///
/// @param lines  for each picture, equally many rows and columns.
/// @return       (N, rows, columns) float on `device`.
inline at::Tensor noise_values(std::span<const ValueNoise> noises,
                               std::span<const PixelLines> lines, c10::Device device) {
  const auto count = static_cast<std::int64_t>(noises.size());
  std::int64_t corner_rows = 0, corner_columns = 0;
  for (const auto& noise : noises) {
    corner_rows = std::max(corner_rows, noise.rows());
    corner_columns = std::max(corner_columns, noise.columns());
  }
  std::vector<float> corners(static_cast<std::size_t>(count * corner_rows * corner_columns));
  for (std::int64_t n = 0; n < count; ++n) {
    const auto& noise = noises[static_cast<std::size_t>(n)];
    for (std::int64_t row = 0; row < noise.rows(); ++row) {
      std::copy_n(noise.corners().data() + row * noise.columns(), noise.columns(),
                  corners.data() + (n * corner_rows + row) * corner_columns);
    }
  }
  // Between corners along one side: lines[i] of `values` and the next one, in their parts.
  const auto along = [&](const at::Tensor& values, std::int64_t dim, auto lines_of) {
    std::vector<std::int64_t> index;
    std::vector<float> part;
    for (std::size_t n = 0; n < lines.size(); ++n) {
      for (const auto pixel : lines_of(lines[n])) {
        const auto at = noises[n].position(pixel);
        index.push_back(at.index);
        part.push_back(at.part);
      }
    }
    const auto length = static_cast<std::int64_t>(index.size()) / count;
    std::vector<std::int64_t> shape{count, 1, 1};
    shape[static_cast<std::size_t>(dim)] = length;
    auto whole = values.sizes().vec();
    whole[static_cast<std::size_t>(dim)] = length;
    const auto first = numbers_on(device, index, shape).expand(whole);
    const auto lower = values.gather(dim, first);
    return lower + numbers_on(device, part, shape) * (values.gather(dim, first + 1) - lower);
  };
  auto values = numbers_on(device, corners, {count, corner_rows, corner_columns});
  values = along(values, 1, [](const PixelLines& of) { return of.rows; });
  return along(values, 2, [](const PixelLines& of) { return of.columns; });
}

}  // namespace limpid::detail
