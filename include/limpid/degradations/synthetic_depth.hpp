#pragma once

#include <limpid/core/compiled.hpp>
#include <limpid/core/interval.hpp>
#include <limpid/core/random.hpp>
#include <limpid/core/window.hpp>
#include <limpid/degradations/batch_degradation.hpp>
#include <limpid/degradations/batch_tensors.hpp>
#include <limpid/degradations/planes.hpp>
#include <limpid/degradations/value_noise.hpp>

#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#ifdef LIMPID_BODIES
#include <limpid/core/check.hpp>

#include <ATen/TensorOperators.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#endif

namespace limpid {

/// A depth for photographs that come without one.
struct SyntheticDepth {
  Interval horizon{0.05, 0.5};  ///< its height, as a part of the image's, from the top
  Interval roll{-6, 6};         ///< degrees that the camera is turned about its axis
  double nearness = 0.5;        ///< smaller: the ground runs away faster
  Interval relief{0.2, 0.8};    ///< weight of the random field beside the ground: 0 to 1
  std::int64_t cells = 3;  ///< lattice cells of the field's first octave along the shorter side

  static void each_option(auto& self, auto&& visit) {
    visit("horizon", self.horizon, "height of the horizon, a part of the picture's, from the top");
    visit("roll", self.roll, "degrees that the camera is turned about its axis");
    visit("nearness", self.nearness, "smaller: the ground runs away faster");
    visit("relief", self.relief, "weight of hills beside level ground, 0 to 1");
    visit("cells", self.cells, "hills along the shorter side");
  }

  /// @throws c10::ValueError for an option out of range.
  void check() const;

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
  at::Tensor operator()(std::int64_t height, std::int64_t width, Random& random) const;

  /// One depth: what is drawn of it.
  struct Drawn {
    float horizon;
    float lean;  ///< rows that the horizon sinks in a column
    float relief;
    detail::ValueNoise coarse;
    detail::ValueNoise fine;
  };

  /// @throws c10::ValueError if a size or an option makes no sense.
  Drawn drawn_for(std::int64_t height, std::int64_t width, Random& random) const;

  /// The depths of crops of photographs, each drawn for the whole one. Where a crop is less than
  /// its photograph, nearest and farthest are those of a grid of 128 x 128 pixels all over it.
  ///
  /// @return (N, H, W) float on `device`, in [0, 1].
  at::Tensor batch(const std::vector<Drawn>& drawn, std::span<const CropPlace> places,
                   c10::Device device) const;

 private:
  using Position = detail::ValueNoise::Position;

  static std::vector<std::pair<Position, Position>> positions(const Drawn& drawn,
                                                              std::int64_t count);

  static std::vector<std::int64_t> lines(std::int64_t side, std::int64_t first, std::int64_t count);

  /// As many lines for every photograph, from the first to the last.
  static std::vector<std::int64_t> spread(std::int64_t side);

  at::Tensor unscaled(const std::vector<Drawn>& drawn, std::span<const CropPlace> places,
                      const std::vector<detail::PixelLines>& lines, c10::Device device) const;
};

}  // namespace limpid

#ifdef LIMPID_BODIES

namespace limpid {

LIMPID_INLINE void SyntheticDepth::check() const {
  detail::check_within("SyntheticDepth: horizon", horizon, {-100, 0.999});
  detail::check_within("SyntheticDepth: roll", roll, {-80, 80});
  detail::check_positive("SyntheticDepth: nearness", nearness);
  detail::check_within("SyntheticDepth: relief", relief, {0, 1});
  detail::check_at_least("SyntheticDepth: cells", cells, 1);
}

LIMPID_INLINE at::Tensor SyntheticDepth::operator()(std::int64_t height, std::int64_t width,
                                                    Random& random) const {
  const auto drawn = drawn_for(height, width, random);
  const auto rows = positions(drawn, height);
  const auto columns = positions(drawn, width);
  auto depth = at::empty({height, width}, at::TensorOptions{}.dtype(at::kFloat));
  auto* out = depth.data_ptr<float>();
  const auto k = static_cast<float>(nearness);
  const auto weight = drawn.relief;
  const auto height_as_float = static_cast<float>(height);
  for (std::int64_t y = 0; y < height; ++y) {
    const auto& row = rows[static_cast<std::size_t>(y)];
    for (std::int64_t x = 0; x < width; ++x) {
      const auto& column = columns[static_cast<std::size_t>(x)];
      const auto off_centre = static_cast<float>(x) + 0.5f - 0.5f * static_cast<float>(width);
      const auto v = (static_cast<float>(y) + 0.5f + drawn.lean * off_centre) / height_as_float;
      const auto u = std::clamp((v - drawn.horizon) / (1.0f - drawn.horizon), 0.0f, 1.0f);
      const auto ground = k * (1.0f - u) / (k + u);
      const auto field = (2.0f * drawn.coarse.at(row.first, column.first) +
                          drawn.fine.at(row.second, column.second)) /
                         3.0f;
      out[y * width + x] = (1.0f - weight) * ground + weight * field;
    }
  }
  const auto [least, most] = std::minmax_element(out, out + height * width);
  const auto low = *least;
  const auto span = std::max(*most - low, 1e-6f);
  std::transform(out, out + height * width, out, [=](float d) { return (d - low) / span; });
  return depth;
}

LIMPID_INLINE SyntheticDepth::Drawn SyntheticDepth::drawn_for(std::int64_t height,
                                                              std::int64_t width,
                                                              Random& random) const {
  detail::check_at_least("SyntheticDepth: height", height, 2);
  detail::check_at_least("SyntheticDepth: width", width, 2);
  check();
  const auto drawn_horizon = static_cast<float>(horizon.draw(random));
  const auto drawn_roll = roll.draw(random) * std::numbers::pi / 180.0;
  const auto drawn_relief = static_cast<float>(relief.draw(random));
  const auto cell = static_cast<double>(std::min(height, width)) / static_cast<double>(cells);
  detail::ValueNoise coarse{height, width, cell, random};
  detail::ValueNoise fine{height, width, cell / 2, random};
  return {drawn_horizon, static_cast<float>(std::tan(drawn_roll)), drawn_relief, std::move(coarse),
          std::move(fine)};
}

LIMPID_INLINE at::Tensor SyntheticDepth::batch(const std::vector<Drawn>& drawn,
                                               std::span<const CropPlace> places,
                                               c10::Device device) const {
  std::vector<detail::PixelLines> crops, grids;
  bool all_whole = true;
  for (const auto& place : places) {
    const auto& window = place.window;
    all_whole = all_whole && window == Window::whole(place.height, place.width);
    crops.push_back({lines(place.height, window.top, window.height),
                     lines(place.width, window.left, window.width)});
    grids.push_back({spread(place.height), spread(place.width)});
  }
  const auto depth = unscaled(drawn, places, crops, device);
  const auto seen = all_whole ? depth : unscaled(drawn, places, grids, device);
  const auto low = seen.amin({1, 2}, true);
  return ((depth - low) / (seen.amax({1, 2}, true) - low).clamp_min(1e-6)).clamp(0, 1);
}

LIMPID_INLINE std::vector<std::pair<SyntheticDepth::Position, SyntheticDepth::Position>>
SyntheticDepth::positions(const Drawn& drawn, std::int64_t count) {
  std::vector<std::pair<Position, Position>> positions;
  positions.reserve(static_cast<std::size_t>(count));
  for (std::int64_t i = 0; i < count; ++i) {
    positions.emplace_back(drawn.coarse.position(i), drawn.fine.position(i));
  }
  return positions;
}

LIMPID_INLINE std::vector<std::int64_t> SyntheticDepth::lines(std::int64_t side, std::int64_t first,
                                                              std::int64_t count) {
  std::vector<std::int64_t> lines;
  for (std::int64_t i = 0; i < count; ++i) lines.push_back(detail::mirrored(first + i, side));
  return lines;
}

LIMPID_INLINE std::vector<std::int64_t> SyntheticDepth::spread(std::int64_t side) {
  constexpr std::int64_t kCount = 128;
  std::vector<std::int64_t> lines;
  for (std::int64_t i = 0; i < kCount; ++i) lines.push_back(i * (side - 1) / (kCount - 1));
  return lines;
}

LIMPID_INLINE at::Tensor SyntheticDepth::unscaled(const std::vector<Drawn>& drawn,
                                                  std::span<const CropPlace> places,
                                                  const std::vector<detail::PixelLines>& lines,
                                                  c10::Device device) const {
  const auto count = static_cast<std::int64_t>(drawn.size());
  std::vector<detail::ValueNoise> coarse, fine;
  std::vector<float> lean, horizon_of_each, relief_of_each, height, rows, columns;
  for (std::size_t n = 0; n < drawn.size(); ++n) {
    coarse.push_back(drawn[n].coarse);
    fine.push_back(drawn[n].fine);
    lean.push_back(drawn[n].lean);
    relief_of_each.push_back(drawn[n].relief);
    horizon_of_each.push_back(drawn[n].horizon);
    height.push_back(static_cast<float>(places[n].height));
    for (const auto y : lines[n].rows) rows.push_back(static_cast<float>(y) + 0.5f);
    for (const auto x : lines[n].columns) {
      columns.push_back(static_cast<float>(x) + 0.5f - 0.5f * static_cast<float>(places[n].width));
    }
  }
  const auto of_each = [&](const std::vector<float>& numbers) {
    return numbers_on(device, numbers, {count, 1, 1});
  };
  const auto row_count = static_cast<std::int64_t>(lines.front().rows.size());
  const auto column_count = static_cast<std::int64_t>(lines.front().columns.size());
  const auto down = numbers_on(device, rows, {count, row_count, 1});
  const auto across = numbers_on(device, columns, {count, 1, column_count});
  const auto top = of_each(horizon_of_each);
  const auto u =
      (((down + of_each(lean) * across) / of_each(height) - top) / (1 - top)).clamp(0, 1);
  const auto ground = nearness * (1 - u) / (nearness + u);
  const auto field = (2 * detail::noise_values(coarse, lines, device) +
                      detail::noise_values(fine, lines, device)) /
                     3;
  const auto weight = of_each(relief_of_each);
  return (1 - weight) * ground + weight * field;
}

}  // namespace limpid

#endif  // LIMPID_BODIES
