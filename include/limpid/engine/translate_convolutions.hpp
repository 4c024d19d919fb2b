#pragma once

#include <limpid/engine/graph_builder.hpp>
#include <limpid/engine/recorded_arguments.hpp>

#include <algorithm>
#include <cstddef>
#include <string_view>

namespace limpid::detail {

/// Convolutions and transposed ones.
/// @return whether operator `i` is one that can be a node
inline bool translate_convolution(EngineGraphBuilder& builder, std::string_view name,
                                  const RecordedArguments& arguments, std::size_t i) {
  const bool transposed = name == "conv_transpose2d";
  if ((name != "conv2d" && !transposed) || !arguments.is_map("input") ||
      !arguments.is_constant("weight") || !is_picture(arguments.sizes("input")) ||
      (arguments.is_tensor("bias") && !arguments.is_constant("bias"))) {
    return false;
  }
  const auto weight = arguments.constant("weight");
  const auto groups = arguments.integer("groups", 1);
  const auto stride = arguments.integers("stride", 2), padding = arguments.integers("padding", 2),
             dilation = arguments.integers("dilation", 2),
             more = arguments.integers("output_padding", 2);
  if (stride.size() != 2 || padding.size() != 2 || dilation.size() != 2) return false;
  if (transposed && (groups != 1 || dilation[0] != 1 || dilation[1] != 1 || more.size() != 2 ||
                     more[0] > padding[0] || more[1] > padding[1])) {
    return false;
  }
  if (groups > 1) {
    const auto in = weight.size(1), out = weight.size(0) / groups;
    const bool deep = in == 1 && out == 1 && groups % kLanes == 0;
    if (!deep && (in % kLanes != 0 || out % kLanes != 0)) return false;
  }
  auto& node = builder.push(transposed ? NodeKind::transposed : NodeKind::convolution,
                            {arguments.value("input")}, i);
  node.weight = weight;
  node.bias = arguments.constant("bias");
  node.groups = groups;
  std::copy(stride.begin(), stride.end(), node.stride.begin());
  std::copy(padding.begin(), padding.end(), node.padding.begin());
  std::copy(dilation.begin(), dilation.end(), node.dilation.begin());
  if (transposed) std::copy(more.begin(), more.end(), node.output_padding.begin());
  return true;
}

}  // namespace limpid::detail
