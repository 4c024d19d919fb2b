#pragma once

#if LIMPID_WITH_ONEDNN

#include <limpid/engine/blocked_maps.hpp>
#include <limpid/engine/nodes.hpp>
#include <limpid/engine/plan_layout.hpp>
#include <limpid/engine/primitive_step.hpp>
#include <limpid/kernels/onednn.hpp>
#include <limpid/kernels/winograd_rule.hpp>

#include <ATen/core/Tensor.h>
#include <ATen/ops/constant_pad_nd.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace limpid::detail {

/// The weight of a convolution in the order of oneDNN's sizes: of whole blocks where its input is
/// told to have whole blocks, with zeros for the channels that this lacks. Channels that fill no
/// block oneDNN may compute by its reference.
inline at::Tensor engine_weight(const EngineNode& node, bool whole_blocks) {
  auto weight = node.weight.to(at::kFloat);
  if (node.kind == NodeKind::transposed) weight = weight.transpose(0, 1);
  if (node.groups > 1) weight = weight.unflatten(0, {node.groups, weight.size(0) / node.groups});
  const auto missing = whole_blocks ? (kLanes - weight.size(1) % kLanes) % kLanes : 0;
  if (missing > 0) weight = at::constant_pad_nd(weight, {0, 0, 0, 0, 0, missing});
  return weight.contiguous();
}

/// How oneDNN computes a convolution of a network for pictures of one size.
class EngineConvolution {
 public:
  using Layout = dnnl::memory::desc;

  /// @param to  of its output
  EngineConvolution(const EngineNode& node, const PlanLayout& layout, const Layout& to)
      : reads_tensor_(node.kind == NodeKind::convolution &&
                      layout.sizes(node.inputs.front())[1] <= 3),
        numbers_(engine_weight(node, takes_whole_blocks(node))),
        source_(source_of(node, layout, to.data_type())) {
    if (node.bias.defined()) {
      bias_ = {{node.bias.size(0)}, dnnl::memory::data_type::f32, dnnl::memory::format_tag::a};
    }
    const auto sizes = numbers_.sizes();
    const Layout weight{dnnl::memory::dims(sizes.begin(), sizes.end()), source_.data_type(),
                        dnnl::memory::format_tag::any};
    if (node.kind == NodeKind::transposed) {
      prepare_transposed(node, weight, to);
    } else if (!prepare_winograd(node, weight, to, layout.is_roomy())) {
      keep(described(node, weight, to, dnnl::prop_kind::forward_inference,
                     dnnl::algorithm::convolution_direct));
    }
  }

  /// By what it is computed, in oneDNN's words.
  const std::string& kernel() const { return kernel_; }
  /// Where its input is an image, rather than a map in blocks.
  bool reads_tensor() const { return reads_tensor_; }
  /// The weight in plain order, and as it is asked for.
  const at::Tensor& numbers() const { return numbers_; }
  const Layout& weight() const { return weight_; }
  const Layout& source() const { return source_; }
  const Layout& bias() const { return bias_; }
  const Layout& scratchpad() const { return scratchpad_; }
  const dnnl::primitive& primitive() const { return primitive_; }
  /// Whether Winograd's way was left for its memory.
  bool lacks_room() const { return lacks_room_; }

 private:
  bool takes_whole_blocks(const EngineNode& node) const {
    return node.kind == NodeKind::convolution && node.groups == 1 && !reads_tensor_;
  }

  /// The layout in which a convolution reads its input.
  Layout source_of(const EngineNode& node, const PlanLayout& layout,
                   dnnl::memory::data_type made) const {
    const auto input = node.inputs.front();
    if (reads_tensor_) return layout.plain(input, made);
    return takes_whole_blocks(node) ? layout.whole_blocks(input) : layout.blocked(input);
  }

  struct Steps {
    dnnl::memory::dims stride, dilation, begin, end;
  };

  static Steps steps_of(const EngineNode& node) {
    Steps steps;
    for (std::size_t i = 0; i < 2; ++i) {
      steps.stride.push_back(node.stride[i]);
      steps.dilation.push_back(node.dilation[i] - 1);
      steps.begin.push_back(node.padding[i]);
      steps.end.push_back(node.padding[i] - node.output_padding[i]);
    }
    return steps;
  }

  dnnl::convolution_forward::primitive_desc described(const EngineNode& node, const Layout& weight,
                                                      const Layout& to, dnnl::prop_kind kind,
                                                      dnnl::algorithm how) const {
    const auto steps = steps_of(node);
    return {{kind, how, source_, weight, bias_, to, steps.stride, steps.dilation, steps.begin,
             steps.end},
            primitive_attributes(node.added.has_value(), node.relu),
            onednn_engine()};
  }

  void keep(const dnnl::convolution_forward::primitive_desc& made) {
    primitive_ = dnnl::convolution_forward{made};
    weight_ = made.weights_desc(), scratchpad_ = made.scratchpad_desc();
    kernel_ = made.impl_info_str();
  }

  void prepare_transposed(const EngineNode& node, const Layout& weight, const Layout& to) {
    const auto steps = steps_of(node);
    const dnnl::deconvolution_forward::primitive_desc made{
        {dnnl::prop_kind::forward_inference, dnnl::algorithm::deconvolution_direct, source_, weight,
         bias_, to, steps.stride, steps.begin, steps.end},
        primitive_attributes(node.added.has_value(), node.relu),
        onednn_engine()};
    primitive_ = dnnl::deconvolution_forward{made};
    weight_ = made.weights_desc(), scratchpad_ = made.scratchpad_desc();
    kernel_ = made.impl_info_str();
  }

  /// @return whether Winograd's way is there and pays
  bool prepare_winograd(const EngineNode& node, const Layout& weight, const Layout& to,
                        bool is_roomy) {
    const auto sizes = numbers_.sizes();
    const bool is_3x3 = node.groups == 1 && sizes[2] == 3 && sizes[3] == 3 && node.stride[0] == 1 &&
                        node.stride[1] == 1 && node.dilation[0] == 1 && node.dilation[1] == 1 &&
                        node.padding[0] == node.padding[1] && node.padding[0] <= 1 &&
                        node.output_padding[0] == 0 && node.output_padding[1] == 0;
    const auto in = source_.dims();
    const WinogradShape shape{1,     node.weight.size(1), sizes[0],           in[2],
                              in[3], node.padding[0],     node.bias.defined()};
    if (!is_3x3 || reads_tensor_ || source_.data_type() != dnnl::memory::data_type::f32 ||
        !winograd_pays(shape)) {
      return false;
    }
    try {
      // For inference oneDNN would keep weights that are four times as large.
      const auto fast = described(node, weight, to, dnnl::prop_kind::forward_training,
                                  dnnl::algorithm::convolution_winograd);
      const auto usual = (std::size_t{64} << 20) + source_.get_size() + to.get_size();
      lacks_room_ = !is_roomy && fast.scratchpad_desc().get_size() > usual;
      if (lacks_room_) return false;
      keep(fast);
      return true;
    } catch (const dnnl::error& error) {
      if (error.status != dnnl_unimplemented) throw;
      return false;
    }
  }

  bool reads_tensor_;
  bool lacks_room_ = false;
  at::Tensor numbers_;
  Layout source_, weight_, bias_, scratchpad_;
  dnnl::primitive primitive_;
  std::string kernel_;
};

}  // namespace limpid::detail

#endif
