#pragma once

#if LIMPID_WITH_ONEDNN

#include <limpid/engine/blocked_maps.hpp>
#include <limpid/engine/nodes.hpp>
#include <limpid/engine/plan_layout.hpp>
#include <limpid/kernels/onednn.hpp>

#include <ATen/core/Tensor.h>

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <optional>
#include <unordered_map>
#include <utility>
#include <vector>

// Steps that are primitives of oneDNN.

namespace limpid::detail {

/// What a primitive takes or makes: a map in blocks, or a tensor.
struct PrimitiveArgument {
  int argument;  ///< DNNL_ARG_SRC and so on
  dnnl::memory::desc layout;
  MapPlace place{};
  std::optional<std::size_t> tensor{};  ///< the value
};

/// What a primitive is asked to do besides: add to what is there, relu. Its scratchpad is ours.
inline dnnl::primitive_attr primitive_attributes(bool adds, bool relu) {
  dnnl::primitive_attr attributes;
  attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  dnnl::post_ops after;
  if (adds) after.append_sum(1);
  if (relu) after.append_eltwise(1, dnnl::algorithm::eltwise_relu, 0, 0);
  attributes.set_post_ops(after);
  return attributes;
}

/// The next step is this primitive.
/// @param fixed  what is the same in each run: weights
inline void add_primitive(PlanLayout& layout, const dnnl::primitive& primitive,
                          std::vector<PrimitiveArgument> given,
                          std::vector<std::pair<int, dnnl::memory>> fixed,
                          const dnnl::memory::desc& scratchpad) {
  if (scratchpad.get_size() > 0) {
    given.push_back({DNNL_ARG_SCRATCHPAD, scratchpad, layout.new_piece(scratchpad.get_size())});
  }
  for (const auto& one : given) {
    if (!one.tensor) layout.touch(one.place);
  }
  layout.add([=, &layout](EngineRun& run) {
    std::unordered_map<int, dnnl::memory> arguments(fixed.begin(), fixed.end());
    std::vector<at::Tensor> read;
    for (const auto& one : given) {
      void* numbers = nullptr;
      if (one.tensor) {
        const bool half = one.layout.data_type() == dnnl::memory::data_type::bf16;
        const auto there = run.tensors[*one.tensor].to(half ? at::kBFloat16 : at::kFloat);
        numbers = read.emplace_back(there.contiguous()).data_ptr();
      } else {
        numbers = layout.numbers(run, one.place);
      }
      arguments.insert_or_assign(one.argument, dnnl::memory{one.layout, onednn_engine(), numbers});
    }
    primitive.execute(onednn_stream(), arguments);
    onednn_stream().wait();
  });
}

/// Whether a function makes zeros of zeros.
inline bool keeps_zeros(const EngineNode& node) {
  if (node.element == Element::clamp) return node.alpha <= 0 && node.beta >= 0;
  return node.element != Element::sigmoid;
}

/// A function of each number. oneDNN is told of whole blocks of channels: where it has to keep
/// zeros beyond the last one, which are none by this function, it has only its reference.
inline void add_element(PlanLayout& layout, const EngineNode& node) {
  using dnnl::algorithm;
  constexpr std::pair<Element, algorithm> kAlgorithms[] = {
      {Element::relu, algorithm::eltwise_relu},  {Element::leaky_relu, algorithm::eltwise_relu},
      {Element::tanh, algorithm::eltwise_tanh},  {Element::sigmoid, algorithm::eltwise_logistic},
      {Element::silu, algorithm::eltwise_swish}, {Element::gelu, algorithm::eltwise_gelu_erf},
      {Element::clamp, algorithm::eltwise_clip}};
  const auto* const kind = std::find_if(std::begin(kAlgorithms), std::end(kAlgorithms),
                                        [&](const auto& e) { return e.first == node.element; });
  const auto input = node.inputs.front(), output = node.outputs.front();
  layout.need_blocked(input);
  layout.output_over(output, input);
  const auto numbers = layout.whole_blocks(input);
  const float alpha = node.element == Element::silu ? 1 : node.alpha;
  const dnnl::eltwise_forward::primitive_desc made{
      {dnnl::prop_kind::forward_inference, kind->second, numbers, alpha, node.beta},
      primitive_attributes(false, false),
      onednn_engine()};
  layout.take(made.impl_info_str());
  add_primitive(
      layout, dnnl::eltwise_forward{made},
      {{DNNL_ARG_SRC, numbers, layout.place(input)}, {DNNL_ARG_DST, numbers, layout.place(output)}},
      {}, made.scratchpad_desc());
}

}  // namespace limpid::detail

#endif
