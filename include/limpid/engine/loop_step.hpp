#pragma once

#if LIMPID_WITH_ONEDNN

#include <limpid/core/fail.hpp>
#include <limpid/core/whole_maps.hpp>
#include <limpid/engine/blocked_maps.hpp>
#include <limpid/engine/nodes.hpp>
#include <limpid/engine/plan_layout.hpp>
#include <limpid/engine/prepared_weights.hpp>

#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>
#include <c10/util/Exception.h>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <vector>

namespace limpid::detail {

/// The moments by which a layer normalises: of its map or, where the picture is a part of one,
/// those that are known of the whole.
inline BlockedMoments moments_for(const EngineRun& run, std::size_t layer, const BlockedMap& map) {
  if (run.whole == nullptr) return blocked_moments(map, whole_part(map));
  const auto channels = static_cast<std::size_t>(map.channels);
  const auto known = run.whole->of_layer(layer, {1, map.height, map.width}, [&](const auto& part) {
    const auto own = blocked_moments(map, part);
    const auto as_tensor = [&](const std::vector<double>& values) {
      auto tensor = at::empty({map.channels}, at::kDouble);
      std::copy_n(values.begin(), channels, tensor.template data_ptr<double>());
      return tensor;
    };
    return MapMoments{as_tensor(own.mean), as_tensor(own.variance)};
  });
  const auto of_blocks = [&](const at::Tensor& tensor) {
    std::vector<double> values(static_cast<std::size_t>(map.blocks() * kLanes));
    std::copy_n(tensor.data_ptr<double>(), channels, values.begin());
    return values;
  };
  return {of_blocks(known.mean), of_blocks(known.variance)};
}

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
      return [=, &layout, epsilon = node.epsilon, layer = node.whole_map](EngineRun& run) {
        const auto map = layout.map(run, input);
        normalise_channels(map, layout.map(run, output), moments_for(run, layer, map), epsilon,
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
      return [=, &layout, layer = node.whole_map](EngineRun& run) {
        const auto map = layout.map(run, input);
        auto* means = layout.floats(run, output);
        if (run.whole == nullptr) return channel_means(map, means);
        const auto moments = moments_for(run, layer, map);
        std::copy(moments.mean.begin(), moments.mean.end(), means);
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
