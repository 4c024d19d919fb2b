#pragma once

#include <limpid/core/fail.hpp>
#include <limpid/onnx/capture.hpp>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace limpid::detail {

/// Sizes of a captured network for a picture of another size.
class PictureSize {
 public:
  PictureSize(const Capture& capture, std::int64_t height, std::int64_t width)
      : input_(capture.input_sizes()), height_(height), width_(width) {}

  /// @param dimension  of what it is the size; of maps, 2 grows with the height and 3 with the
  /// width
  /// @throws c10::Error where it does not follow from the picture's size.
  std::int64_t of(const CapturedSize& size, std::size_t dimension) const {
    if (size.is_fixed()) return size.first;
    const auto& [h1, h2] = input_[2];
    const auto& [w1, w2] = input_[3];
    const auto by = [&](std::int64_t one, std::int64_t two, std::int64_t now) {
      return size.first * two == size.second * one && size.first * now % one == 0
                 ? size.first * now / one
                 : -1;
    };
    const auto beyond = [&](std::int64_t one, std::int64_t two, std::int64_t now) {
      const auto more = (size.second - size.first) * (now - one);
      return more % (two - one) == 0 ? size.first + more / (two - one) : -1;
    };
    const auto height = by(h1, h2, height_), width = by(w1, w2, width_),
               area = by(h1 * w1, h2 * w2, height_ * width_);
    std::int64_t found = -1;
    const auto take = [&](std::int64_t one) { found = found < 0 ? one : found; };
    if (dimension == 2) take(height);
    if (dimension == 3) take(width);
    take(area);
    if (dimension == 2) take(beyond(h1, h2, height_));  // a border, or what a kernel takes away
    if (dimension == 3) take(beyond(w1, w2, width_));
    take(height);
    take(width);
    if (found < 0) limpid::fail("a size does not follow from the picture's");
    return found;
  }

  std::vector<std::int64_t> of(const CapturedSizes& sizes) const {
    std::vector<std::int64_t> all;
    for (std::size_t i = 0; i < sizes.size(); ++i) all.push_back(of(sizes[i], i));
    return all;
  }

 private:
  CapturedSizes input_;
  std::int64_t height_, width_;
};

}  // namespace limpid::detail
