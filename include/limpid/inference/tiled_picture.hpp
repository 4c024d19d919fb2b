#pragma once

#include <limpid/core/compiled.hpp>
#include <limpid/core/field_of_view.hpp>
#include <limpid/core/whole_maps.hpp>
#include <limpid/inference/degraded_picture.hpp>
#include <limpid/inference/restorer_options.hpp>
#include <limpid/inference/tile_grid.hpp>
#include <limpid/inference/tile_plan.hpp>
#include <limpid/inference/turn.hpp>

#include <ATen/core/Tensor.h>
#include <ATen/ops/cat.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

#ifdef LIMPID_BODIES
#include <limpid/core/memory_format.hpp>
#include <limpid/core/ranges.hpp>

#include <ATen/TensorOperators.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#endif

namespace limpid::detail {

/// degraded (N, 3, H, W) in [-1, 1] -> restored.
using RestoreFunction = std::function<at::Tensor(const at::Tensor&)>;

/// How much the moments of a layer differ, in standard deviations: the largest of all channels.
LIMPID_INLINE double distance(const MapMoments& a, const MapMoments& b);

/// A picture that a network restores in tiles. Only tiles are ever floating-point numbers.
///
/// Tiles lie side by side; the network sees each with its surroundings, as far as it looks, and
/// these are cut off: what is left is what it makes of the whole picture. Layers that look at the
/// whole picture are told its statistics (`WholeMaps`), which are gathered before. Those of one
/// layer depend on those of all layers before, so one pass over the picture finds those of one
/// layer for certain:
///
///  - a sample of the picture, seen as one batch, gives a first guess of all layers at once;
///  - passes through the whole network make the guesses better, all at once, as long as they draw
///    closer at each pass (NAFNet's means, which only scale channels, are found in three or four);
///  - where they do not (instance norm, whose errors grow from layer to layer), one pass for each
///    layer follows, through the part of the network before it: half the network on the average.
class TiledPicture {
 public:
  TiledPicture(const RestoreFunction& restore, const TileNeeds& needs, DegradedPicture degraded,
               const TilePlan& plan, const RestorerOptions& options)
      : restore_(restore),
        needs_(needs),
        degraded_(std::move(degraded)),
        plan_(plan),
        options_(options) {}

  /// Calls `sink` with each part of the picture, restored: (1, 3, h, w) in [-1, 1], on the CPU.
  void restore(const std::function<void(const Rectangle&, const at::Tensor&)>& sink);

  /// Moments of each layer that looks at the whole picture, laid so.
  std::vector<MapMoments> statistics(const Turn& turn);

  /// How many passes over the picture were made for the statistics.
  int passes() const { return passes_; }

 private:
  /// Statistics that no pass moves by more than this, in standard deviations, are found.
  static constexpr double kStill = 2e-6;

  void make_exact(const Turn& turn, std::vector<MapMoments>& known);

  /// One pass over the picture: moments of layers `first` ... `last`.
  std::vector<MapMoments> gathered(const Turn& turn, const std::vector<MapMoments>& known,
                                   std::size_t first, std::size_t last);

  /// Moments of parts of the picture that one tile's memory holds, spread over all of it.
  std::vector<MapMoments> sampled(const Turn& turn);

  /// `count` parts of `length`, from one end of a side to the other; the side itself where it
  /// is not longer.
  std::vector<SidePart> spread(std::int64_t side, std::int64_t length, std::int64_t count) const;

  /// What counts of a part of a sample: all but its surroundings, which it has where it is not as
  /// large as the picture.
  ShownPart centre(std::int64_t rows, std::int64_t columns, std::int64_t height,
                   std::int64_t width) const;

  /// What the network makes of a part of the picture that is laid so, in its surroundings.
  at::Tensor run(const Turn& turn, const Rectangle& core, WholeMaps& maps) const;

  /// A part of the picture that is laid so, as the network takes it.
  at::Tensor shown(const Turn& turn, const Rectangle& part) const;

  const RestoreFunction& restore_;
  const TileNeeds& needs_;
  DegradedPicture degraded_;
  const TilePlan& plan_;
  const RestorerOptions& options_;
  int passes_ = 0;
};

/// Tiles of a network that does not say how far it looks, blended: (1, 3, H, W) in [-1, 1].
/// @param done  called behind each tile
LIMPID_INLINE at::Tensor restore_blended(const RestoreFunction& restore,
                                         const DegradedPicture& degraded, const TilePlan& plan,
                                         const RestorerOptions& options,
                                         const std::function<void()>& done);

}  // namespace limpid::detail

#ifdef LIMPID_BODIES

namespace limpid::detail {

LIMPID_INLINE double distance(const MapMoments& a, const MapMoments& b) {
  constexpr double kEpsilon = 1e-5;  // as instance norm has it
  const auto deviation = (b.variance + kEpsilon).sqrt();
  const auto means = (a.mean - b.mean).abs() / deviation;
  const auto deviations = ((a.variance + kEpsilon).sqrt() / deviation - 1).abs();
  return std::max(means.max().item<double>(), deviations.max().item<double>());
}

LIMPID_INLINE void TiledPicture::restore(
    const std::function<void(const Rectangle&, const at::Tensor&)>& sink) {
  const auto turns = Turn::first(options_.ensemble);
  std::vector<WholeMaps> maps;
  for (const auto& turn : turns) {
    maps.emplace_back(plan_.whole_maps > 0 ? statistics(turn) : std::vector<MapMoments>{});
  }
  const auto height = degraded_.height(), width = degraded_.width();
  for (const auto& core : tile_cores(height, width, plan_.tile, needs_.padding)) {
    at::Tensor sum;
    for (std::size_t i = 0; i < turns.size(); ++i) {
      std::optional<WholeMaps::Scope> scope;
      if (plan_.whole_maps > 0) scope.emplace(maps[i]);
      const auto& turn = turns[i];
      const auto restored = turn.undone(run(turn, turn.of(core, height, width), maps[i]));
      sum = sum.defined() ? sum + restored : restored;
    }
    sink(core, turns.size() == 1 ? sum : sum / static_cast<double>(turns.size()));
  }
}

LIMPID_INLINE std::vector<MapMoments> TiledPicture::statistics(const Turn& turn) {
  auto known = sampled(turn);
  if (plan_.is_exact) make_exact(turn, known);
  return known;
}

LIMPID_INLINE void TiledPicture::make_exact(const Turn& turn, std::vector<MapMoments>& known) {
  std::size_t found = 0;  // layers whose moments are those of the whole picture
  double moved_before = std::numeric_limits<double>::infinity();
  bool draws_closer = true;
  while (found < known.size()) {
    if (!draws_closer) {
      known[found] = gathered(turn, known, found, found).front();
      ++found;
      continue;
    }
    const auto better = gathered(turn, known, 0, known.size() - 1);
    double moved = 0;
    auto still = known.size();  // layers before this one had been right already
    for (std::size_t i = 0; i < known.size(); ++i) {
      const auto by = distance(known[i], better[i]);
      if (!(by <= kStill)) still = std::min(still, i);
      if (i >= found) moved = std::isnan(by) ? by : std::max(moved, by);
    }
    found = std::min(known.size(), still + 1);
    known = better;
    draws_closer = moved < moved_before / 4;
    moved_before = moved;
  }
}

LIMPID_INLINE std::vector<MapMoments> TiledPicture::gathered(const Turn& turn,
                                                             const std::vector<MapMoments>& known,
                                                             std::size_t first, std::size_t last) {
  WholeMaps maps{known};
  maps.gather(first, last);
  const WholeMaps::Scope scope{maps};
  const auto [height, width] = turn.size(degraded_.height(), degraded_.width());
  for (const auto& core : tile_cores(height, width, plan_.tile, needs_.padding)) {
    try {
      run(turn, core, maps);
    } catch (const FarEnough&) {
    }
  }
  ++passes_;
  return maps.gathered();
}

LIMPID_INLINE std::vector<MapMoments> TiledPicture::sampled(const Turn& turn) {
  const auto [height, width] = turn.size(degraded_.height(), degraded_.width());
  const auto least = std::max(needs_.padding.min_side, 3 * plan_.halo);
  const auto most = plan_.tile + 2 * plan_.halo;
  const auto side = std::min(rounded_up(least, needs_.padding.multiple), most);
  const auto count = std::max<std::int64_t>(1, most * most / (side * side));
  const auto down = static_cast<std::int64_t>(
      std::max(1.0, std::round(std::sqrt(static_cast<double>(count * height) / double(width)))));
  const auto rows = spread(height, side, std::min(down, count));
  const auto columns = spread(width, side, std::max<std::int64_t>(1, count / down));
  std::vector<at::Tensor> parts;
  for (const auto& row : rows) {
    for (const auto& column : columns) {
      parts.push_back(shown(turn, {row.begin, column.begin, row.length, column.length}));
    }
  }
  WholeMaps maps;
  maps.gather(0);
  maps.show(centre(rows.front().length, columns.front().length, height, width));
  const WholeMaps::Scope scope{maps};
  restore_(at::cat(parts));
  return maps.gathered();
}

LIMPID_INLINE std::vector<SidePart> TiledPicture::spread(std::int64_t side, std::int64_t length,
                                                         std::int64_t count) const {
  if (side <= length) return {{0, side}};
  std::vector<SidePart> parts;
  for (std::int64_t i = 0; i < count; ++i) {
    const auto begin = count == 1 ? (side - length) / 2 : (side - length) * i / (count - 1);
    parts.push_back({begin / needs_.padding.multiple * needs_.padding.multiple, length});
  }
  return parts;
}

LIMPID_INLINE ShownPart TiledPicture::centre(std::int64_t rows, std::int64_t columns,
                                             std::int64_t height, std::int64_t width) const {
  ShownPart part{.height = needs_.padding.padded(rows), .width = needs_.padding.padded(columns)};
  const auto around = [&](std::int64_t shown, std::int64_t side, std::int64_t padded) {
    const auto border = shown == side ? 0
                                      : std::min(plan_.halo, shown / 3) / needs_.padding.multiple *
                                            needs_.padding.multiple;
    return SidePart{border, padded - 2 * border};
  };
  const auto down = around(rows, height, part.height);
  const auto across = around(columns, width, part.width);
  part.top = down.begin;
  part.rows = down.length;
  part.left = across.begin;
  part.columns = across.length;
  return part;
}

LIMPID_INLINE at::Tensor TiledPicture::run(const Turn& turn, const Rectangle& core,
                                           WholeMaps& maps) const {
  const auto [height, width] = turn.size(degraded_.height(), degraded_.width());
  const auto seen = tile_with_halo(core, plan_.halo, height, width, needs_.padding);
  const auto top = core.top - seen.top, left = core.left - seen.left;
  const ShownPart part{.height = needs_.padding.padded(seen.height),
                       .width = needs_.padding.padded(seen.width),
                       .top = top,
                       .left = left};
  // At the picture's end its padding counts, too, as it does in the whole picture.
  auto counting = part;
  counting.rows = core.bottom() == height ? part.height - top : core.height;
  counting.columns = core.right() == width ? part.width - left : core.width;
  maps.show(counting);
  return restore_(shown(turn, seen))
      .narrow(2, top, core.height)
      .narrow(3, left, core.width)
      .to(at::kCPU, at::kFloat);
}

LIMPID_INLINE at::Tensor TiledPicture::shown(const Turn& turn, const Rectangle& part) const {
  const auto plain = turn.undone(part, degraded_.height(), degraded_.width());
  return laid_out(to_signed(turn.of(degraded_.unit(plain)).to(options_.device)),
                  options_.memory_format);
}

LIMPID_INLINE at::Tensor restore_blended(const RestoreFunction& restore,
                                         const DegradedPicture& degraded, const TilePlan& plan,
                                         const RestorerOptions& options,
                                         const std::function<void()>& done) {
  const auto turns = Turn::first(options.ensemble);
  const auto tile = [&](const at::Tensor& input) {
    at::Tensor sum;
    for (const auto& turn : turns) {
      const auto laid = laid_out(turn.of(input), options.memory_format);
      const auto restored = turn.undone(restore(laid).to(at::kFloat));
      sum = sum.defined() ? sum + restored : restored;
    }
    done();
    return turns.size() == 1 ? sum : sum / static_cast<double>(turns.size());
  };
  return restore_tiled(tile, to_signed(degraded.unit().to(options.device)), {plan.tile, plan.halo});
}

}  // namespace limpid::detail

#endif  // LIMPID_BODIES
