#pragma once

#include <limpid/onnx/map_rules.hpp>
#include <limpid/onnx/operator_writer.hpp>
#include <limpid/onnx/shape_rules.hpp>
#include <limpid/onnx/value_rules.hpp>

#include <algorithm>
#include <iterator>
#include <string_view>

// How operators of LibTorch are said in ONNX, opset 17. A line of the table at the end makes one
// known.

namespace limpid {

/// How one operator is written.
struct ONNXRule {
  std::string_view name;  ///< LibTorch's, without "aten::" and without the '_' of those in place
  void (*write)(OperatorWriter& op);
};

namespace detail::onnx_rules {

inline constexpr ONNXRule kAll[] = {
    {"conv2d", convolve},
    {"conv_transpose2d", convolve},
    {"batch_norm", normalise_batch},
    {"instance_norm", normalise_instance},
    {"relu", unary<kRelu>},
    {"sigmoid", unary<kSigmoid>},
    {"tanh", unary<kTanh>},
    {"sqrt", unary<kSqrt>},
    {"exp", unary<kExp>},
    {"log", unary<kLog>},
    {"abs", unary<kAbs>},
    {"neg", unary<kNeg>},
    {"erf", unary<kErf>},
    {"reciprocal", unary<kReciprocal>},
    {"mul", binary<kMul>},
    {"div", binary<kDiv>},
    {"add", weighted<kAdd>},
    {"sub", weighted<kSub>},
    {"square", square},
    {"rsqrt", reciprocal_root},
    {"pow", power},
    {"clamp", clamp},
    {"clamp_min", clamp},
    {"clamp_max", clamp},
    {"hardtanh", clamp},
    {"relu6", relu6},
    {"leaky_relu", leaky_relu},
    {"elu", elu},
    {"prelu", prelu},
    {"silu", silu},
    {"gelu", gelu},
    {"softmax", softmax},
    {"mean", reduce},
    {"sum", reduce},
    {"norm", reduce},
    {"addcmul", add_product},
    {"matmul", multiply_matrices},
    {"bmm", multiply_matrices},
    {"mm", multiply_matrices},
    {"addmm", add_matrices},
    {"linear", linear},
    {"transpose", transpose},
    {"permute", transpose},
    {"view", reshape},
    {"reshape", reshape},
    {"flatten", reshape},
    {"unflatten", reshape},
    {"squeeze", reshape},
    {"unsqueeze", reshape},
    {"to", same},
    {"contiguous", same},
    {"detach", same},
    {"alias", same},
    {"clone", same},
    {"dropout", dropout},
    {"narrow", narrow},
    {"slice", slice},
    {"chunk", split},
    {"split", split},
    {"split_with_sizes", split},
    {"select", select},
    {"cat", concatenate},
    {"constant_pad_nd", pad},
    {"reflection_pad2d", pad},
    {"replication_pad2d", pad},
    {"max_pool2d", pool},
    {"avg_pool2d", pool},
    {"adaptive_avg_pool2d", adaptive_mean},
    {"local_mean", local_mean},
    {"pixel_shuffle", shuffle},
    {"pixel_unshuffle", unshuffle},
    {"upsample_nearest2d", enlarge},
    {"upsample_bilinear2d", enlarge},
};

}  // namespace detail::onnx_rules

/// How an operator of LibTorch is written; null where limpid does not know.
inline const ONNXRule* find_onnx_rule(std::string_view name) {
  const auto* const end = std::end(detail::onnx_rules::kAll);
  const auto* const found = std::find_if(std::begin(detail::onnx_rules::kAll), end,
                                         [&](const ONNXRule& rule) { return rule.name == name; });
  return found == end ? nullptr : found;
}

}  // namespace limpid
