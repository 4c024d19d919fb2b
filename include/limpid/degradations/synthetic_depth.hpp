#pragma once

#include <limpid/core/check.hpp>
#include <limpid/core/interval.hpp>
#include <limpid/core/random.hpp>
#include <limpid/degradations/planes.hpp>

#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numbers>
#include <vector>

namespace limpid {

/// A depth for photographs that come without one.
struct SyntheticDepth {
  Interval horizon{0.05, 0.5};  ///< its height, as a part of the image's, from the top
  Interval roll{-6, 6};         ///< degrees that the camera is turned about its axis
  double nearness = 0.5;        ///< smaller: the ground runs away faster
  double relief = 0.35;         ///< weight of the random field beside the ground: 0 to 1
  std::int64_t cells = 3;  ///< lattice cells of the field's first octave along the shorter side

  static void each_option(auto& self, auto&& visit) {
    visit("horizon", self.horizon, "height of the horizon, a part of the picture's, from the top");
    visit("roll", self.roll, "degrees that the camera is turned about its axis");
    visit("nearness", self.nearness, "smaller: the ground runs away faster");
    visit("relief", self.relief, "weight of hills beside level ground, 0 to 1");
    visit("cells", self.cells, "hills along the shorter side");
  }

  /// @throws c10::ValueError for an option out of range.
  void check() const {
    detail::check_within("SyntheticDepth: horizon", horizon, {-100, 0.999});
    detail::check_within("SyntheticDepth: roll", roll, {-80, 80});
    detail::check_positive("SyntheticDepth: nearness", nearness);
    detail::check_within("SyntheticDepth: relief", relief, {0, 1});
    detail::check_at_least("SyntheticDepth: cells", cells, 1);
  }

  /// Depth in [0, 1], 0 nearest and 1 farthest, both reached:
  ///     d = normalised((1 - relief) ground + relief field)
  ///     ground = k (1 - u) / (k + u),   u = clamp((v - h) / (1 - h), 0, 1),   k = nearness
  /// u is how far below the horizon h a pixel at height v (0 top, 1 bottom, turned by the roll)
  /// lies. Perspective makes the depth of level ground grow like 1 / u; k keeps it finite. The
  /// field is value noise of two octaves, weights 2/3 and 1/3, smoothly interpolated.
  ///
  /// Source: our own stated formula; it stands in for a measured depth and claims no more than that
  /// distance mostly grows upwards and varies smoothly.
  ///
  /// @return (height, width) float.
  /// @throws c10::ValueError if a size or an option makes no sense.
  at::Tensor operator()(std::int64_t height, std::int64_t width, Random& random) const {
    detail::check_at_least("SyntheticDepth: height", height, 2);
    detail::check_at_least("SyntheticDepth: width", width, 2);
    check();
    const auto drawn_horizon = static_cast<float>(horizon.draw(random));
    const auto drawn_roll = roll.draw(random) * std::numbers::pi / 180.0;
    const auto cell = static_cast<double>(std::min(height, width)) / static_cast<double>(cells);
    const Noise coarse{height, width, cell, random};
    const Noise fine{height, width, cell / 2, random};

    auto depth = at::empty({height, width}, at::TensorOptions{}.dtype(at::kFloat));
    auto* out = depth.data_ptr<float>();
    const auto k = static_cast<float>(nearness);
    const auto weight = static_cast<float>(relief);
    const auto rows = static_cast<float>(height);
    const auto lean = static_cast<float>(std::tan(drawn_roll));
    for (std::int64_t y = 0; y < height; ++y) {
      for (std::int64_t x = 0; x < width; ++x) {
        const auto off_centre = static_cast<float>(x) + 0.5f - 0.5f * static_cast<float>(width);
        const auto v = (static_cast<float>(y) + 0.5f + lean * off_centre) / rows;
        const auto u = std::clamp((v - drawn_horizon) / (1.0f - drawn_horizon), 0.0f, 1.0f);
        const auto ground = k * (1.0f - u) / (k + u);
        const auto field = (2.0f * coarse.at(y, x) + fine.at(y, x)) / 3.0f;
        out[y * width + x] = (1.0f - weight) * ground + weight * field;
      }
    }
    const auto [least, most] = std::minmax_element(out, out + height * width);
    const auto low = *least;
    const auto span = std::max(*most - low, 1e-6f);
    std::transform(out, out + height * width, out, [=](float d) { return (d - low) / span; });
    return depth;
  }

 private:
  /// Random values at the corners of square cells, smoothly interpolated.
  class Noise {
   public:
    Noise(std::int64_t height, std::int64_t width, double cell, Random& random)
        : rows_(axis(height, cell)),
          columns_(axis(width, cell)),
          stride_(columns_.back().index + 2),
          corners_(static_cast<std::size_t>((rows_.back().index + 2) * stride_)) {
      for (auto& corner : corners_) corner = static_cast<float>(random.uniform());
    }

    float at(std::int64_t y, std::int64_t x) const {
      const auto& row = rows_[static_cast<std::size_t>(y)];
      const auto& column = columns_[static_cast<std::size_t>(x)];
      const auto* upper = corners_.data() + row.index * stride_ + column.index;
      const auto* lower = upper + stride_;
      const auto above = upper[0] + column.part * (upper[1] - upper[0]);
      const auto below = lower[0] + column.part * (lower[1] - lower[0]);
      return above + row.part * (below - above);
    }

   private:
    struct Position {
      std::int64_t index;
      float part;
    };

    static std::vector<Position> axis(std::int64_t count, double cell) {
      std::vector<Position> positions;
      positions.reserve(static_cast<std::size_t>(count));
      for (std::int64_t i = 0; i < count; ++i) {
        const auto at = (static_cast<double>(i) + 0.5) / cell;
        positions.push_back({static_cast<std::int64_t>(at),
                             detail::smooth_step(static_cast<float>(at - std::floor(at)))});
      }
      return positions;
    }

    std::vector<Position> rows_;
    std::vector<Position> columns_;
    std::int64_t stride_;
    std::vector<float> corners_;
  };
};

}  // namespace limpid
