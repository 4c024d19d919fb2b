#pragma once

#include <limpid/core/interval.hpp>
#include <limpid/core/random.hpp>
#include <limpid/core/window.hpp>
#include <limpid/degradations/synthetic_depth.hpp>

#include <ATen/core/Tensor.h>

#include <cmath>
#include <cstdint>
#include <vector>

namespace limpid::detail {

/// What is too far to be seen one by one, drops or flakes: it takes light away with the distance
/// and scatters its own into the way, as haze does.
struct Veil {
  at::Tensor depth;  ///< of the whole picture, (H, W) in [0, 1]; undefined where there is no veil
  float beta = 0;    ///< exp(-beta) of the farthest point's light arrives

  static Veil drawn(const Interval& thickness, const SyntheticDepth& synthetic, std::int64_t height,
                    std::int64_t width, Random& random) {
    const auto beta = static_cast<float>(thickness.draw(random));
    if (beta == 0) return {};
    return {synthetic(height, width, random), beta};
  }

  /// The part of the light that arrives, for each pixel of a window; empty where all of it does.
  std::vector<float> transmission(const Window& window) const {
    if (!depth.defined()) return {};
    std::vector<float> result;
    result.reserve(static_cast<std::size_t>(window.height * window.width));
    const auto* values = depth.data_ptr<float>();
    for (auto y = window.top; y < window.bottom(); ++y) {
      const auto* row = values + y * depth.size(1);
      for (auto x = window.left; x < window.right(); ++x)
        result.push_back(std::exp(-beta * row[x]));
    }
    return result;
  }
};

}  // namespace limpid::detail
