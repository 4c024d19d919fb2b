#pragma once

#include <limpid/engine/graph_builder.hpp>
#include <limpid/engine/recorded_arguments.hpp>

#include <ATen/TensorOperators.h>
#include <ATen/ops/ones_like.h>
#include <ATen/ops/zeros_like.h>

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <limits>
#include <string_view>
#include <utility>

// What is done number by number.

namespace limpid::detail {

/// Functions of one number, such as relu.
/// @return whether operator `i` is one that can be a node
inline bool translate_element(EngineGraphBuilder& builder, std::string_view name,
                              const RecordedArguments& arguments, std::size_t i) {
  if (!arguments.is_map("self") || !is_map(arguments.sizes("self"))) return false;
  constexpr std::pair<std::string_view, Element> kElements[] = {
      {"relu", Element::relu},       {"leaky_relu", Element::leaky_relu},
      {"tanh", Element::tanh},       {"sigmoid", Element::sigmoid},
      {"silu", Element::silu},       {"gelu", Element::gelu},
      {"clamp", Element::clamp},     {"hardtanh", Element::clamp},
      {"clamp_min", Element::clamp}, {"clamp_max", Element::clamp},
      {"relu6", Element::clamp}};
  const auto* found = std::find_if(std::begin(kElements), std::end(kElements),
                                   [&](const auto& entry) { return entry.first == name; });
  if (found == std::end(kElements) || arguments.is_tensor("min") || arguments.is_tensor("max") ||
      (name == "gelu" && arguments.text("approximate") == "tanh")) {
    return false;
  }
  auto& node = builder.push(NodeKind::element, {arguments.value("self")}, i);
  node.element = found->second;
  if (name == "leaky_relu") {
    node.alpha = static_cast<float>(arguments.number("negative_slope", 0.01));
  } else if (name == "relu6") {
    node.beta = 6;
  } else if (found->second == Element::clamp) {
    const bool hard = name == "hardtanh";
    constexpr double kMost = std::numeric_limits<float>::max();
    node.alpha = static_cast<float>(arguments.number(hard ? "min_val" : "min", -kMost));
    node.beta = static_cast<float>(arguments.number(hard ? "max_val" : "max", kMost));
  }
  return true;
}

/// Sums, differences, products and quotients: of two maps, or of a map and constants.
/// @return whether operator `i` is one that can be a node
inline bool translate_arithmetic(EngineGraphBuilder& builder, std::string_view name,
                                 const RecordedArguments& arguments, std::size_t i) {
  const bool adds = name == "add", subtracts = name == "sub", multiplies = name == "mul",
             divides = name == "div";
  if (!(adds || subtracts || multiplies || divides) || !arguments.is_tensor("self") ||
      arguments.has("rounding_mode")) {
    return false;
  }
  if ((adds || subtracts) && arguments.number("alpha", 1) != 1) return false;
  if (arguments.is_map("self") && arguments.is_map("other")) {
    auto one = arguments.value("self"), two = arguments.value("other");
    const auto first = builder.capture().sizes(one), second = builder.capture().sizes(two);
    if (divides || !is_picture(first) || !is_picture(second)) return false;
    if (first == second && is_map(first)) {
      auto& node = builder.push(multiplies ? NodeKind::multiply : NodeKind::add, {one, two}, i);
      node.alpha = subtracts ? -1 : 1;
      return true;
    }
    if (!multiplies) return false;
    if (is_map(first) && is_per_channel(second, first[1].first)) {
      builder.push(NodeKind::scale, {one, two}, i);
      return true;
    }
    if (is_map(second) && is_per_channel(first, second[1].first)) {
      builder.push(NodeKind::scale, {two, one}, i);
      return true;
    }
    return false;
  }
  const bool turned = arguments.is_constant("self");
  const std::string_view map = turned ? "other" : "self", by = turned ? "self" : "other";
  if (!arguments.is_map(map) || !is_map(arguments.sizes(map)) || (turned && divides)) {
    return false;
  }
  const auto constant = per_channel(arguments, by, arguments.sizes(map)[1].first);
  if (!constant) return false;
  const auto one = at::ones_like(*constant), none = at::zeros_like(*constant);
  const auto value = arguments.value(map);
  if (multiplies) {
    builder.affine(value, *constant, none, i);
  } else if (divides) {
    builder.affine(value, one / *constant, none, i);
  } else if (adds) {
    builder.affine(value, one, *constant, i);
  } else if (turned) {
    builder.affine(value, -one, *constant, i);
  } else {
    builder.affine(value, one, -*constant, i);
  }
  return true;
}

}  // namespace limpid::detail
