#pragma once

#include <limpid/degradations/batch_tensors.hpp>
#include <limpid/degradations/strokes.hpp>

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <map>
#include <vector>

namespace limpid::detail {

/// The numbers of many strokes as columns of a tensor (numbers, strokes, 1, 1) on a device.
class StrokeColumns {
 public:
  /// @param numbers  of each stroke, one after another
  StrokeColumns(const std::vector<float>& numbers, std::int64_t strokes, c10::Device device)
      : columns_(numbers_on(device, numbers,
                            {strokes, static_cast<std::int64_t>(numbers.size()) / strokes})
                     .transpose(0, 1)
                     .unsqueeze(-1)
                     .unsqueeze(-1)) {}

  at::Tensor operator[](std::int64_t number) const { return columns_[number]; }

 private:
  at::Tensor columns_;
};

/// Sums over all strokes of each picture of a batch, (N, H, W) on `device`.
///
/// A stroke is evaluated on a box of pixels around it; strokes with boxes of like size go together.
///
/// @param strokes  of each picture; `Shape` is `Stroke` or derives from it.
/// @param reach    reach(stroke): how far from its way it may give anything, pixels.
/// @param numbers  numbers(stroke): what `value` needs besides the places, a std::vector<float>.
/// @param value    value(columns, along, across): what the strokes give at pixels that lie there,
///                 as `each_pixel_near` measures it; 0 beyond their reach.
template <class Shape, class Reach, class Numbers, class Value>
at::Tensor stroke_sums(const std::vector<std::vector<Shape>>& strokes, std::int64_t height,
                       std::int64_t width, c10::Device device, Reach reach, Numbers numbers,
                       Value value) {
  struct Group {
    std::vector<float> places, others;
    std::vector<std::int64_t> pictures;
    std::int64_t rows = 0, columns = 0;
  };
  std::map<std::int64_t, Group> groups;  // by the power of two of their boxes' areas
  for (std::size_t n = 0; n < strokes.size(); ++n) {
    for (const auto& stroke : strokes[n]) {
      const auto half = stroke.half_way();
      const auto along_y = half > 0 ? stroke.dy / half : 1.0f;
      const auto along_x = half > 0 ? stroke.dx / half : 0.0f;
      const auto near = reach(stroke);
      const auto tall = std::abs(stroke.dy) + near;
      // Upright enough: of each row only the part that the way crosses.
      const bool leans = std::abs(along_y) > 0.25f;
      const auto wide = leans ? near / std::abs(along_y) : std::abs(stroke.dx) + near;
      const auto rows = static_cast<std::int64_t>(2 * tall) + 2;
      const auto columns = static_cast<std::int64_t>(2 * wide) + 2;
      const auto size = static_cast<std::int64_t>(std::log2(static_cast<double>(rows * columns)));
      auto& group = groups[size];
      group.rows = std::max(group.rows, rows);
      group.columns = std::max(group.columns, columns);
      group.pictures.push_back(static_cast<std::int64_t>(n));
      for (const auto number :
           {stroke.y, stroke.x, along_y, along_x, tall, wide, leans ? along_x / along_y : 0.0f}) {
        group.places.push_back(number);
      }
      for (const auto number : numbers(stroke)) group.others.push_back(number);
    }
  }
  const auto floats = at::TensorOptions().dtype(at::kFloat).device(device);
  auto sums = at::zeros({static_cast<std::int64_t>(strokes.size()) * height * width}, floats);
  for (const auto& [size, group] : groups) {
    const auto count = static_cast<std::int64_t>(group.pictures.size());
    const StrokeColumns place{group.places, count, device};
    const StrokeColumns other{group.others, count, device};
    const auto picture = numbers_on(device, group.pictures, {count, 1, 1});
    const auto row = at::arange(group.rows, floats).reshape({1, group.rows, 1});
    const auto column = at::arange(group.columns, floats).reshape({1, 1, group.columns});
    const auto y = (place[0] - place[4]).floor() + row;
    const auto dy = y + 0.5 - place[0];
    const auto x = (place[1] + dy * place[6] - place[5]).floor() + column;
    const auto dx = x + 0.5 - place[1];
    const auto given = value(other, dy * place[2] + dx * place[3], dy * place[3] - dx * place[2]);
    const auto inside = (y >= 0) & (y < height) & (x >= 0) & (x < width);
    const auto at_pixel = (picture * height + y.clamp(0, height - 1).to(at::kLong)) * width +
                          x.clamp(0, width - 1).to(at::kLong);
    sums.index_add_(0, at_pixel.flatten(), given.masked_fill(inside.logical_not(), 0).flatten());
  }
  return sums.reshape({static_cast<std::int64_t>(strokes.size()), height, width});
}

}  // namespace limpid::detail
