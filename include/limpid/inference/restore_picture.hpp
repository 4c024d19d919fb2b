#pragma once

#include <limpid/core/autocast.hpp>
#include <limpid/core/compiled.hpp>
#include <limpid/core/field_of_view.hpp>
#include <limpid/core/finite.hpp>
#include <limpid/core/ranges.hpp>
#include <limpid/core/tiling.hpp>
#include <limpid/core/whole_maps.hpp>
#include <limpid/inference/degraded_picture.hpp>
#include <limpid/inference/network_cost.hpp>
#include <limpid/inference/restore_watch.hpp>
#include <limpid/inference/restorer_options.hpp>
#include <limpid/inference/tile_plan.hpp>
#include <limpid/inference/tiled_picture.hpp>
#include <limpid/inference/turn.hpp>
#include <limpid/io/image.hpp>
#include <limpid/io/picture_view.hpp>
#include <limpid/kernels/convolution_switch.hpp>

#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/full.h>
#include <ATen/ops/lerp.h>
#include <c10/core/GradMode.h>
#include <c10/util/Exception.h>

#include <cstdint>
#include <string>

#ifdef LIMPID_BODIES
#include <limpid/core/memory_format.hpp>

#include <ATen/TensorOperators.h>

#include <string_view>
#endif

namespace limpid::detail {

/// A network that restores a task, and what restoring needs to know of it.
struct TaskNetwork {
  std::string task;
  RestoreFunction restore;
  TileNeeds needs{};
  KnownCosts costs{};
  RestoreFunction own{};  ///< the same by the network itself, where `restore` is another engine's
};

/// (1, 3, H, W) in [-1, 1], on the network's device.
LIMPID_INLINE at::Tensor network_input(const at::Tensor& unit, const RestorerOptions& options);

/// The whole picture at once: the mean over `turns`, (1, 3, H, W) in [-1, 1].
LIMPID_INLINE at::Tensor restore_whole(const RestoreFunction& restore,
                                       const DegradedPicture& degraded,
                                       const RestorerOptions& options);

/// degraded + strength (restored - degraded), in the network's range.
LIMPID_INLINE RestoreFunction with_strength(const RestoreFunction& restore, double strength);

/// What restoring a pixel costs; found once, by restoring a small picture, with the network itself:
/// nobody sees into an engine.
LIMPID_INLINE NetworkCost cost_of(const TaskNetwork& network, const RestorerOptions& options);

/// How `network` restores a picture of this size.
LIMPID_INLINE TilePlan plan_of(const TaskNetwork& network, std::int64_t height, std::int64_t width,
                               const RestorerOptions& options);

/// How many tiles a picture of this size has by `plan`.
LIMPID_INLINE std::int64_t tiles_of(const TilePlan& plan, const TileNeeds& needs,
                                    std::int64_t height, std::int64_t width);

/// The one way from a picture to a restored one: whole or tile by tile.
/// @param sink  (part, values): (1, 3, H, W) float on the CPU, in [0, 1] but for what the network
///              does beyond
/// @throws c10::Error if what the model makes is not finite; `RestoreCancelled`.
template <class Sink>
void restore_parts(const TaskNetwork& network, const DegradedPicture& degraded,
                   const RestorerOptions& options, const RestoreWatch& watch, Sink sink) {
  TORCH_CHECK_VALUE(!degraded.empty(), "restore: the image is empty");
  const c10::NoGradGuard no_grad;
  const AutocastScope autocast{options.precision, options.device};
  const ConvolutionScope convolution{options.convolution};
  const auto height = degraded.height(), width = degraded.width();
  const auto plan = plan_of(network, height, width, options);
  TORCH_CHECK(!network.own || plan.tile == 0 || !plan.is_known || plan.whole_maps == 0,
              "restore: expected a picture that is restored at once, got ", width, " x ", height,
              " pixels in tiles of ", plan.tile, " (at once: about ", memory_text(plan.whole_bytes),
              "): the network of task '", network.task,
              "' looks at the whole picture, of which an engine's graph cannot be told; limpid's "
              "own engine can, or tile 0 restores it at once");
  const auto what = "the picture restored by task '" + network.task + "'";
  WatchedRun run{watch, tiles_of(plan, network.needs, height, width)};
  if (options.strength == 0) {
    sink(Rectangle{0, 0, height, width}, degraded.unit());
    return;
  }
  const auto blended = with_strength(network.restore, options.strength);
  const RestoreFunction restore = [&](const at::Tensor& input) {
    run.check();
    try {
      auto restored = blended(input);
      run.ran();
      return restored;
    } catch (const FarEnough&) {  // a part of the network that was all to be run
      run.ran();
      throw;
    }
  };
  if (plan.tile == 0 || !plan.is_known) {
    const auto restored = plan.tile == 0 ? restore_whole(restore, degraded, options)
                                         : restore_blended(restore, degraded, plan, options,
                                                           [&] { run.tile_done(); });
    check_picture_finite(what, restored);
    sink(Rectangle{0, 0, height, width}, to_unit(restored).to(at::kCPU));
    if (plan.tile == 0) run.tile_done();
    return;
  }
  TiledPicture tiles{restore, network.needs, degraded, plan, options};
  tiles.restore([&](const Rectangle& part, const at::Tensor& restored) {
    check_picture_finite(what, restored);
    sink(part, to_unit(restored));
    run.tile_done();
  });
}

/// (H, W, 3) bytes.
LIMPID_INLINE at::Tensor restore_pixels(const TaskNetwork& network, const DegradedPicture& degraded,
                                        const RestorerOptions& options, const RestoreWatch& watch);

/// As a picture of 8 bits.
LIMPID_INLINE Image restore_picture(const TaskNetwork& network, const Image& degraded,
                                    const RestorerOptions& options, const RestoreWatch& watch = {});

/// As (1, 3, H, W) float in [0, 1] on the CPU, not rounded.
LIMPID_INLINE at::Tensor restore_unit(const TaskNetwork& network, const DegradedPicture& degraded,
                                      const RestorerOptions& options,
                                      const RestoreWatch& watch = {});

/// From memory to memory, which is written when all is done: `degraded` and `restored` may be the
/// same, and nothing is written where it throws.
LIMPID_INLINE void restore_memory(const TaskNetwork& network, const PictureView& degraded,
                                  const PictureBuffer& restored, const RestorerOptions& options,
                                  const RestoreWatch& watch);

}  // namespace limpid::detail

#ifdef LIMPID_BODIES

namespace limpid::detail {

LIMPID_INLINE at::Tensor network_input(const at::Tensor& unit, const RestorerOptions& options) {
  return laid_out(to_signed(unit.to(options.device)), options.memory_format);
}

LIMPID_INLINE at::Tensor restore_whole(const RestoreFunction& restore,
                                       const DegradedPicture& degraded,
                                       const RestorerOptions& options) {
  const auto turns = Turn::first(options.ensemble);
  const auto input = network_input(degraded.unit(), options);
  if (turns.size() == 1) return restore(input).to(at::kFloat);
  at::Tensor sum;
  for (const auto& turn : turns) {
    const auto laid = laid_out(turn.of(input), options.memory_format);
    const auto restored = turn.undone(restore(laid).to(at::kFloat));
    sum = sum.defined() ? sum.add_(restored) : restored.clone();
  }
  return sum.div_(static_cast<double>(turns.size()));
}

LIMPID_INLINE RestoreFunction with_strength(const RestoreFunction& restore, double strength) {
  TORCH_CHECK_VALUE(strength >= 0 && strength <= 1, "restore: expected a strength in 0 ... 1, got ",
                    strength);
  if (strength == 1) return restore;
  return [restore, strength](const at::Tensor& degraded) {
    return at::lerp(degraded.to(at::kFloat), restore(degraded).to(at::kFloat), strength);
  };
}

LIMPID_INLINE NetworkCost cost_of(const TaskNetwork& network, const RestorerOptions& options) {
  return network.costs.of(network.task, [&] {
    const c10::NoGradGuard no_grad;
    const AutocastScope autocast{options.precision, options.device};
    const ConvolutionScope convolution{Convolution::exact};  // which is the network itself
    return measure_cost(
        [&](std::int64_t side) {
          const Image grey{at::full({side, side, 3}, 128, at::kByte)};
          const auto& run = network.own ? network.own : network.restore;
          (void)to_unit(restore_whole(run, grey, options));
        },
        network.needs.padding);
  });
}

LIMPID_INLINE TilePlan plan_of(const TaskNetwork& network, std::int64_t height, std::int64_t width,
                               const RestorerOptions& options) {
  if (is_surely_whole(options.tiling, height, width)) return {};
  return plan_tiles(cost_of(network, options), network.needs, options, height, width);
}

LIMPID_INLINE std::int64_t tiles_of(const TilePlan& plan, const TileNeeds& needs,
                                    std::int64_t height, std::int64_t width) {
  if (plan.tile == 0) return 1;
  if (!plan.is_known) return tile_count(height, width, {plan.tile, plan.halo});
  return static_cast<std::int64_t>(tile_cores(height, width, plan.tile, needs.padding).size());
}

LIMPID_INLINE at::Tensor restore_pixels(const TaskNetwork& network, const DegradedPicture& degraded,
                                        const RestorerOptions& options, const RestoreWatch& watch) {
  const auto height = degraded.height(), width = degraded.width();
  at::Tensor pixels;
  const auto sink = [&](const Rectangle& part, const at::Tensor& unit) {
    const auto made = Image::from_unit(unit).pixels();
    if (part.height == height && part.width == width) {
      pixels = made;
      return;
    }
    if (!pixels.defined()) pixels = at::empty({height, width, 3}, at::kByte);
    pixels.narrow(0, part.top, part.height).narrow(1, part.left, part.width).copy_(made);
  };
  restore_parts(network, degraded, options, watch, sink);
  return pixels;
}

LIMPID_INLINE Image restore_picture(const TaskNetwork& network, const Image& degraded,
                                    const RestorerOptions& options, const RestoreWatch& watch) {
  return Image{restore_pixels(network, degraded, options, watch)}.with_facts(degraded.facts());
}

LIMPID_INLINE at::Tensor restore_unit(const TaskNetwork& network, const DegradedPicture& degraded,
                                      const RestorerOptions& options, const RestoreWatch& watch) {
  auto values = at::empty({1, 3, degraded.height(), degraded.width()}, at::kFloat);
  const auto sink = [&](const Rectangle& part, const at::Tensor& unit) {
    values.narrow(2, part.top, part.height).narrow(3, part.left, part.width).copy_(unit);
  };
  restore_parts(network, degraded, options, watch, sink);
  return values.clamp_(0, 1);
}

LIMPID_INLINE void restore_memory(const TaskNetwork& network, const PictureView& degraded,
                                  const PictureBuffer& restored, const RestorerOptions& options,
                                  const RestoreWatch& watch) {
  const auto view = checked_view("degraded picture", degraded);
  const auto buffer = checked_buffer("restored picture", restored, view.height, view.width);
  const DegradedPicture picture{view};
  if (buffer.format == PixelFormat::rgb_float32) {
    write_floats(restore_unit(network, picture, options, watch), buffer);
    return;
  }
  const auto pixels = restore_pixels(network, picture, options, watch);
  write_bytes(pixels, alpha_of(view), buffer);
}

}  // namespace limpid::detail

#endif  // LIMPID_BODIES
