#pragma once

#if LIMPID_WITH_ONEDNN

#include <limpid/core/fail.hpp>
#include <limpid/engine/blocked_maps.hpp>
#include <limpid/engine/nodes.hpp>
#include <limpid/engine/plan_layout.hpp>
#include <limpid/engine/prepared_weights.hpp>

#include <c10/util/Exception.h>

#include <cstring>

namespace limpid::detail {

/// What a node does by loops over blocks.
inline EngineStep loop_step(const PlanLayout& layout, const EngineNode& node,
                            PreparedWeights& weights) {
  const auto input = node.inputs.front(), output = node.outputs.front();
  const auto channels = layout.sizes(input)[1];
  const auto how = [&layout, &node](const EngineRun& run) {
    BlockedAffine how;
    if (node.added) how.added = layout.numbers(run, *node.added);
    how.relu = node.relu;
    how.border = node.border;
    return how;
  };
  switch (node.kind) {
    case NodeKind::affine: {
      const auto scale = weights.lanes(node.weight, channels),
                 shift = weights.lanes(node.bias, channels);
      return [=, &layout](EngineRun& run) {
        auto what = how(run);
        what.scale = scale->data();
        what.shift = shift->data();
        affine(layout.map(run, input), layout.map(run, output), what);
      };
    }
    case NodeKind::pad:
      return [=, &layout](EngineRun& run) {
        affine(layout.map(run, input), layout.map(run, output), how(run));
      };
    case NodeKind::instance_norm: {
      const auto weight = node.weight.defined() ? weights.lanes(node.weight, channels) : nullptr,
                 bias = node.bias.defined() ? weights.lanes(node.bias, channels) : nullptr;
      return [=, &layout, epsilon = node.epsilon](EngineRun& run) {
        normalise_channels(layout.map(run, input), layout.map(run, output), epsilon,
                           weight ? weight->data() : nullptr, bias ? bias->data() : nullptr,
                           how(run));
      };
    }
    case NodeKind::pixel_norm: {
      const auto weight = weights.lanes(node.weight, channels),
                 bias = weights.lanes(node.bias, channels);
      return [=, &layout, epsilon = node.epsilon, centred = node.centred](EngineRun& run) {
        normalise_pixels(layout.map(run, input), layout.map(run, output),
                         {weight->data(), bias->data(), epsilon, centred});
      };
    }
    case NodeKind::multiply:
      return [=, &layout, other = node.inputs[1]](EngineRun& run) {
        multiply(layout.map(run, input), layout.map(run, other), layout.map(run, output));
      };
    case NodeKind::add:
      return [=, &layout, other = node.inputs[1], sign = node.alpha](EngineRun& run) {
        add(layout.map(run, input), layout.map(run, other), sign, layout.map(run, output));
      };
    case NodeKind::scale:
      return [=, &layout, factors = node.inputs[1]](EngineRun& run) {
        BlockedAffine what;
        what.scale = layout.floats(run, factors);
        affine(layout.map(run, input), layout.map(run, output), what);
      };
    case NodeKind::means:
      return [=, &layout](EngineRun& run) {
        channel_means(layout.map(run, input), layout.floats(run, output));
      };
    case NodeKind::shuffle_blocks:
      return [=, &layout, factor = node.factor](EngineRun& run) {
        shuffle_blocks(layout.map(run, input), layout.map(run, output), factor);
      };
    case NodeKind::concatenate:
      return [=, &layout, inputs = node.inputs](EngineRun& run) {
        auto* to = layout.numbers(run, output);
        for (const auto value : inputs) {
          const auto bytes = layout.blocked_bytes(value);
          std::memcpy(to, layout.numbers(run, value), bytes);
          to += bytes;
        }
      };
    default:
      limpid::fail("a node has no loop");
  }
}

/// Lays out a node that loops compute: over its input where that is possible.
inline void add_loop(PlanLayout& layout, const EngineNode& node, PreparedWeights& weights) {
  const auto input = node.inputs.front(), output = node.outputs.front();
  for (const auto value : node.inputs) layout.need_blocked(value);
  if (node.added) layout.need_blocked(*node.added);
  const bool crosses = node.kind == NodeKind::means || node.kind == NodeKind::scale;
  for (const auto value : node.inputs) {
    TORCH_CHECK(crosses || layout.is_half(value) == layout.is_half(output),
                "a loop would read one type and write another");
  }
  TORCH_CHECK(!node.added || layout.is_half(*node.added) == layout.is_half(output),
              "a loop would add one type to another");
  const bool over = node.border.empty() && node.kind != NodeKind::means &&
                    node.kind != NodeKind::concatenate && node.kind != NodeKind::shuffle_blocks;
  if (over) {
    layout.output_over(output, input);
  } else {
    layout.new_output(output);
  }
  for (const auto value : node.inputs) layout.touch(value);
  if (node.added) layout.touch(*node.added);
  layout.touch(output);
  layout.add(loop_step(layout, node, weights));
}

}  // namespace limpid::detail

#endif
