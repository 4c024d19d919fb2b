#pragma once

#include <limpid/core/compiled.hpp>
#include <limpid/core/field_of_view.hpp>
#include <limpid/inference/network_cost.hpp>
#include <limpid/inference/restorer_options.hpp>

#include <cstddef>
#include <cstdint>
#include <string>

#ifdef LIMPID_BODIES
#include <limpid/core/machine_memory.hpp>
#include <limpid/inference/tile_grid.hpp>

#include <c10/util/Exception.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#endif

namespace limpid {

/// How a picture is restored: at once or in tiles, and why.
struct TilePlan {
  std::int64_t tile = 0;       ///< side of a tile, pixels; 0: the whole picture at once
  std::int64_t halo = 0;       ///< pixels around a tile that the network sees with it
  bool is_automatic = false;   ///< nobody asked for this tile
  bool is_known = false;       ///< whether the network says how far it looks
  bool is_exact = true;        ///< whether the result is that of the whole picture
  std::size_t whole_maps = 0;  ///< layers that look at the whole picture
  double whole_bytes = 0;      ///< memory that the whole picture would take, by estimate
  double free_bytes = 0;       ///< memory that was there

  /// In words; empty where the picture is restored at once.
  std::string text() const;
};

namespace detail {

/// Tiles that nobody asked for take at most so much memory: more makes them no faster.
inline constexpr double kTileBytes = 512.0 * 1024 * 1024;

/// Part of the free memory that a whole picture, and a tile, may take by estimate.
inline constexpr double kWholePart = 0.5, kTilePart = 0.35;

/// "23.9 GB" or "310 MB".
LIMPID_INLINE std::string memory_text(double bytes);

/// Pixels around a tile that its network sees with it.
LIMPID_INLINE std::int64_t halo_of(const TileNeeds& needs, const Tiling& tiling);

/// Tiles that fit into `plan.free_bytes`.
LIMPID_INLINE void fit_tiles(TilePlan& plan, double bytes_per_pixel, const TileNeeds& needs);

}  // namespace detail

inline std::string TilePlan::text() const {
  if (tile == 0) return {};
  std::string text;
  if (is_automatic) {
    text = "at once it would take about " + detail::memory_text(whole_bytes) + " of memory (" +
           detail::memory_text(free_bytes) + " are free): ";
  }
  text += "restored in tiles of " + std::to_string(tile) + " pixels";
  if (!is_known)
    return text +
           ", blended at their borders, as its network does not say how far it "
           "looks";
  text += ", with " + std::to_string(halo) + " pixels around each";
  if (whole_maps > 0) {
    text += is_exact
                ? "; the statistics of the whole picture are gathered before, in up to " +
                      std::to_string(whole_maps) + (whole_maps == 1 ? " pass" : " passes") +
                      ", so that the result is that of the whole (--tiling approximate does "
                      "without)"
                : "; the statistics are those of a sample of the picture (--tiling exact takes "
                  "those of the whole)";
  } else {
    text += is_exact ? ", as far as its network looks: the result is that of the whole"
                     : ", less than its network looks";
  }
  if (is_automatic) text += "; --tile 0 restores it at once";
  return text;
}

/// Whether a picture of this size is small enough to be restored at once without an estimate.
LIMPID_INLINE bool is_surely_whole(const Tiling& tiling, std::int64_t height, std::int64_t width);

/// How a picture of this size is restored.
/// @param cost  of its network; with `options.ensemble`, of one way to lay the picture
/// @throws c10::ValueError if the tile is smaller than 16 or the overlap negative.
LIMPID_INLINE TilePlan plan_tiles(const NetworkCost& cost, const TileNeeds& needs,
                                  const RestorerOptions& options, std::int64_t height,
                                  std::int64_t width);

}  // namespace limpid

#ifdef LIMPID_BODIES

namespace limpid::detail {

LIMPID_INLINE std::string memory_text(double bytes) {
  char text[32];
  if (bytes >= 1e9) {
    std::snprintf(text, sizeof text, "%.1f GB", bytes * 1e-9);
  } else {
    std::snprintf(text, sizeof text, "%.0f MB", std::ceil(bytes * 1e-6));
  }
  return text;
}

LIMPID_INLINE std::int64_t halo_of(const TileNeeds& needs, const Tiling& tiling) {
  const auto halo = tiling.overlap != Tiling::automatic ? tiling.overlap : needs.view->halo();
  return rounded_up(halo, needs.padding.multiple);
}

LIMPID_INLINE void fit_tiles(TilePlan& plan, double bytes_per_pixel, const TileNeeds& needs) {
  const auto multiple = needs.padding.multiple;
  const auto largest = [&](double bytes) {
    return static_cast<std::int64_t>(std::sqrt(bytes / std::max(1.0, bytes_per_pixel)));
  };
  const auto shown = largest(std::min(kTileBytes, kTilePart * plan.free_bytes));
  plan.tile = (shown - 2 * plan.halo) / multiple * multiple;
  const auto least = rounded_up(std::clamp<std::int64_t>(plan.halo, 64, 512), multiple);
  if (plan.tile >= least) return;
  // A network that looks far: tiles that are not mostly surroundings, where there is memory.
  plan.tile = least;
  const auto possible = largest(2 * kTilePart * plan.free_bytes);
  if (plan.tile + 2 * plan.halo <= possible) return;
  plan.halo = std::max<std::int64_t>(0, possible / 4) / multiple * multiple;
  plan.tile = std::max(multiple, (possible - 2 * plan.halo) / multiple * multiple);
}

}  // namespace limpid::detail

namespace limpid {

LIMPID_INLINE bool is_surely_whole(const Tiling& tiling, std::int64_t height, std::int64_t width) {
  constexpr std::int64_t kSmall = 1'000'000;
  return tiling.tile == 0 || (tiling.tile == Tiling::automatic && height * width <= kSmall);
}

LIMPID_INLINE TilePlan plan_tiles(const NetworkCost& cost, const TileNeeds& needs,
                                  const RestorerOptions& options, std::int64_t height,
                                  std::int64_t width) {
  const auto& tiling = options.tiling;
  TilePlan plan{.is_automatic = tiling.tile == Tiling::automatic,
                .is_known = needs.view.has_value(),
                .whole_maps = cost.whole_maps};
  if (tiling.tile == 0) return plan;
  TORCH_CHECK_VALUE(plan.is_automatic || tiling.tile >= 16, "tile must be at least 16, got ",
                    tiling.tile);
  TORCH_CHECK_VALUE(tiling.overlap == Tiling::automatic || tiling.overlap >= 0,
                    "overlap must not be negative, got ", tiling.overlap);
  plan.whole_bytes =
      cost.bytes_per_pixel * static_cast<double>(height) * static_cast<double>(width);
  plan.free_bytes = static_cast<double>(options.memory > 0 ? options.memory : free_memory());
  const bool fits = plan.whole_bytes <= detail::kWholePart * plan.free_bytes;
  if (plan.is_automatic && fits && height <= Tiling::kWhole / width) return plan;
  if (!plan.is_known) {
    plan.is_exact = false;
    plan.tile = plan.is_automatic ? Tiling::kLarge : tiling.tile;
    plan.halo = tiling.blended();
  } else {
    plan.halo = detail::halo_of(needs, tiling);
    if (plan.is_automatic) {
      detail::fit_tiles(plan, cost.bytes_per_pixel, needs);
    } else {
      const auto multiple = needs.padding.multiple;
      plan.tile = std::max(multiple, tiling.tile / multiple * multiple);
    }
    plan.is_exact = plan.halo >= needs.view->reach && needs.view->is_bounded() &&
                    (cost.whole_maps == 0 || tiling.kind == TilingKind::exact);
  }
  if (height <= plan.tile && width <= plan.tile) plan.tile = 0;
  return plan;
}

}  // namespace limpid

#endif  // LIMPID_BODIES
