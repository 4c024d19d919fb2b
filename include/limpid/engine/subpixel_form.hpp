#pragma once

#include <limpid/engine/blocked_map.hpp>
#include <limpid/engine/nodes.hpp>

#include <ATen/core/Tensor.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace limpid::detail {

/// How far the taps of a transposed convolution reach along an axis, in pixels of its input: output
/// `stride` i + a, for a in [0, stride), takes tap k from input i + (a + padding - k) / stride.
struct SubpixelReach {
  std::int64_t before = 0, after = 0;

  std::int64_t taps() const { return before + 1 + after; }
};

/// Calls `take(a, k, d)` for each tap k of each part a of an output, d pixels beside its input.
template <class Take>
void for_each_subpixel_tap(std::int64_t taps, std::int64_t stride, std::int64_t padding,
                           Take take) {
  for (std::int64_t a = 0; a < stride; ++a) {
    for (auto k = (a + padding) % stride; k < taps; k += stride) {
      take(a, k, (a + padding - k) / stride);
    }
  }
}

/// A transposed convolution as a usual one that makes channels of the `factor` x `factor` pixels
/// which come of one of its input's (the sub-pixel form: Shi et al., "Is the deconvolution layer
/// the same as a convolutional layer?", 2016): all channels of the first pixel, then of the next,
/// as `shuffle_blocks` takes them. How much faster that is: docs/engine.md.
///
/// @return nothing where the output is no multiple of the input, or its channels fill no blocks
inline std::optional<EngineNode> subpixel_form(const EngineNode& node) {
  const auto stride = node.stride[0];
  if (node.kind != NodeKind::transposed || stride < 2 || node.stride[1] != stride || node.added ||
      node.groups != 1 || node.dilation != std::array<std::int64_t, 2>{1, 1}) {
    return std::nullopt;
  }
  const auto weight = node.weight.to(at::kFloat);  // (in, out, h, w)
  const auto in = weight.size(0), out = weight.size(1);
  if (in <= 3 || out % kLanes != 0) return std::nullopt;
  std::array<SubpixelReach, 2> reach;
  for (std::size_t i = 0; i < 2; ++i) {
    const auto taps = weight.size(static_cast<std::int64_t>(i) + 2);
    if (taps + node.output_padding[i] != stride + 2 * node.padding[i]) return std::nullopt;
    for_each_subpixel_tap(taps, stride, node.padding[i], [&](auto, auto, std::int64_t beside) {
      reach[i].before = std::max(reach[i].before, -beside);
      reach[i].after = std::max(reach[i].after, beside);
    });
  }
  auto form = node;
  form.kind = NodeKind::convolution;
  form.factor = stride;
  form.stride = {1, 1};
  for (std::size_t i = 0; i < 2; ++i) {
    form.padding[i] = reach[i].before;
    form.output_padding[i] = reach[i].before - reach[i].after;  // of the two ends, as steps have it
  }
  form.weight = at::zeros({stride, stride, out, in, reach[0].taps(), reach[1].taps()});
  const auto rows = weight.size(2), columns = weight.size(3);
  for_each_subpixel_tap(rows, stride, node.padding[0], [&](auto a, auto k, auto down) {
    for_each_subpixel_tap(columns, stride, node.padding[1], [&](auto b, auto l, auto right) {
      form.weight[a][b].select(3, reach[1].before + right).select(2, reach[0].before + down) =
          weight.select(3, l).select(2, k).t();
    });
  });
  form.weight = form.weight.flatten(0, 2);
  if (node.bias.defined()) form.bias = node.bias.to(at::kFloat).repeat({stride * stride});
  return form;
}

}  // namespace limpid::detail
