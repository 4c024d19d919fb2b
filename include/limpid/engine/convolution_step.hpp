#pragma once

#if LIMPID_WITH_ONEDNN

#include <limpid/engine/blocked_maps.hpp>
#include <limpid/engine/engine_convolution.hpp>
#include <limpid/engine/in_parallel.hpp>
#include <limpid/engine/nodes.hpp>
#include <limpid/engine/plan_layout.hpp>
#include <limpid/engine/prepared_weights.hpp>
#include <limpid/engine/primitive_step.hpp>
#include <limpid/engine/subpixel_form.hpp>
#include <limpid/kernels/onednn.hpp>

#include <ATen/core/Tensor.h>
#include <ATen/ops/conv2d.h>
#include <ATen/ops/conv_transpose2d.h>
#include <c10/util/Exception.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <utility>
#include <vector>

// Steps that are convolutions: oneDNN's, or LibTorch's where oneDNN has only its reference.

namespace limpid::detail {

inline void copy_blocks(const std::byte* from, const BlockedMap& to) {
  auto* place = static_cast<std::byte*>(to.data);
  const auto row = to.row_bytes();
  in_parallel(to.blocks() * to.height, [&](std::int64_t begin, std::int64_t end) {
    std::memcpy(place + begin * row, from + begin * row,
                static_cast<std::size_t>((end - begin) * row));
  });
}

/// The node as LibTorch computes it, with what is fused to it.
inline void add_library_convolution(PlanLayout& layout, const EngineNode& node) {
  const auto input = node.inputs.front(), output = node.outputs.front();
  layout.need_tensor(input);
  if (node.added) layout.need_tensor(*node.added);
  layout.makes_tensor(output);
  layout.add([node, input, output, weight = node.weight.to(at::kFloat),
              bias = node.bias.defined() ? node.bias.to(at::kFloat) : node.bias](EngineRun& run) {
    const auto& image = run.tensors[input];
    auto made = node.kind == NodeKind::transposed
                    ? at::conv_transpose2d(image, weight, bias, node.stride, node.padding,
                                           node.output_padding, node.groups, node.dilation)
                    : at::conv2d(image, weight, bias, node.stride, node.padding, node.dilation,
                                 node.groups);
    if (node.added) made.add_(run.tensors[*node.added]);
    if (node.relu) made.relu_();
    run.tensors[output] = std::move(made);
  });
}

/// A place for the output; where something is added it holds that, and the primitive adds to it.
inline void place_convolution(PlanLayout& layout, const EngineNode& node) {
  const auto input = node.inputs.front(), output = node.outputs.front();
  if (!node.added) return layout.new_output(output);
  const auto added = *node.added;
  layout.need_blocked(added);
  const bool alone = layout.place(added).piece != layout.place(input).piece;
  if (alone && layout.is_last_use(added)) return layout.put(output, layout.place(added));
  layout.new_output(output);
  layout.touch(added);
  layout.touch(output);
  layout.add([=, &layout](EngineRun& run) {
    copy_blocks(layout.numbers(run, added), layout.map(run, output));
  });
}

/// The primitive, when its input is there.
/// @param place  of its output
inline void add_prepared_convolution(PlanLayout& layout, const EngineNode& node,
                                     const EngineConvolution& made, PreparedWeights& weights,
                                     const dnnl::memory::desc& to, const MapPlace& place) {
  if (made.lacks_room()) layout.miss_room();
  const auto input = node.inputs.front();
  std::vector<std::pair<int, dnnl::memory>> fixed{
      {DNNL_ARG_WEIGHTS, weights.in_layout(layout.node(), made.numbers(), made.weight())}};
  if (node.bias.defined()) {
    fixed.emplace_back(DNNL_ARG_BIAS,
                       weights.in_layout(layout.node(), node.bias.to(at::kFloat), made.bias()));
  }
  PrimitiveArgument source{DNNL_ARG_SRC, made.source()};
  if (made.reads_tensor()) {
    source.tensor = input;
  } else {
    source.place = layout.place(input);
  }
  layout.take(made.kernel().c_str());
  add_primitive(layout, made.primitive(), {source, {DNNL_ARG_DST, to, place}}, fixed,
                made.scratchpad());
}

/// A transposed convolution in its sub-pixel form.
/// @return whether oneDNN computes that
inline bool add_subpixels(PlanLayout& layout, const EngineNode& form, PreparedWeights& weights) {
  const auto input = form.inputs.front(), output = form.outputs.front();
  const auto& sizes = layout.sizes(input);
  const auto channels = form.weight.size(0);
  const auto type = layout.type(output);
  const dnnl::memory::desc apart{
      {1, channels, sizes[2], sizes[3]}, type, dnnl::memory::format_tag::nChw16c};
  const EngineConvolution made{form, layout, apart};
  if (is_reference(made.kernel())) return false;
  layout.need_blocked(input);
  const auto place = layout.new_piece(apart.get_size());
  add_prepared_convolution(layout, form, made, weights, apart, place);
  layout.new_output(output);
  layout.touch(place);
  layout.touch(output);
  layout.add([=, &layout, half = layout.is_half(output), height = sizes[2], width = sizes[3],
              factor = form.factor](EngineRun& run) {
    shuffle_blocks({layout.numbers(run, place), channels, height, width, half},
                   layout.map(run, output), factor);
  });
  return true;
}

/// @return whether oneDNN computes it
inline bool add_convolution(PlanLayout& layout, const EngineNode& node, PreparedWeights& weights) {
  if (const auto form = subpixel_form(node)) {
    if (add_subpixels(layout, *form, weights)) return true;
  }
  const auto input = node.inputs.front(), output = node.outputs.front();
  const auto to = layout.blocked(output);
  const EngineConvolution made{node, layout, to};
  if (is_reference(made.kernel())) {
    add_library_convolution(layout, node);
    return false;
  }
  if (made.reads_tensor()) {
    layout.need_tensor(input);
  } else {
    layout.need_blocked(input);
  }
  TORCH_CHECK(!node.added || layout.is_half(*node.added) == layout.is_half(output),
              "a convolution would add one type to another");
  place_convolution(layout, node);
  add_prepared_convolution(layout, node, made, weights, to, layout.place(output));
  return true;
}

}  // namespace limpid::detail

#endif
