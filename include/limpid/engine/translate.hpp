#pragma once

#include <limpid/engine/graph_builder.hpp>
#include <limpid/engine/nodes.hpp>
#include <limpid/engine/recorded_arguments.hpp>
#include <limpid/engine/translate_convolutions.hpp>
#include <limpid/engine/translate_norms.hpp>
#include <limpid/engine/translate_numbers.hpp>
#include <limpid/engine/translate_shapes.hpp>

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <string_view>
#include <utility>
#include <vector>

namespace limpid::detail {

/// Whether operator `i` gives back what it is given.
inline bool is_same(const Capture& capture, std::string_view name,
                    const RecordedArguments& arguments, std::size_t i) {
  if (name == "dropout") return arguments.number("train", 1) == 0;
  constexpr std::string_view kSame[] = {"to", "contiguous", "detach", "alias", "clone"};
  const auto& output = capture.first().values[capture.operators()[i].outputs.front()].tensor;
  return std::find(std::begin(kSame), std::end(kSame), name) != std::end(kSame) &&
         arguments.is_map("self") && output.scalar_type() == at::kFloat;
}

/// Numbers the nodes that look at whole maps, in the network's order; how many there are.
inline std::size_t number_whole_maps(std::vector<EngineNode>& nodes) {
  std::size_t count = 0;
  for (auto& node : nodes) {
    if (node.kind == NodeKind::instance_norm || node.kind == NodeKind::means) {
      node.whole_map = count++;
    }
  }
  return count;
}

/// From captured operators to nodes. Whatever is not recognised stays LibTorch's.
inline EngineGraph translated(const Capture& capture) {
  using Translate =
      bool (*)(EngineGraphBuilder&, std::string_view, const RecordedArguments&, std::size_t);
  constexpr Translate kKnown[] = {translate_convolution, translate_norm,    translate_element,
                                  translate_arithmetic,  translate_means,   translate_shuffle,
                                  translate_border,      translate_channels};
  EngineGraphBuilder builder{capture};
  const auto& operators = capture.operators();
  for (std::size_t i = 0; i < operators.size(); ++i) {
    if (const auto taken = translate_pixel_norm(builder, i); taken > 0) {
      i += taken - 1;
      continue;
    }
    const auto& name = operators[i].name;
    const RecordedArguments arguments{capture, i};
    if (is_same(capture, name, arguments, i)) {
      builder.rename(i, arguments.value(arguments.is_tensor("self") ? "self" : "input"));
      continue;
    }
    const bool known = arguments.are_fixed() &&
                       std::any_of(std::begin(kKnown), std::end(kKnown), [&](auto translate) {
                         return translate(builder, name, arguments, i);
                       });
    if (!known) builder.library(i);
  }
  builder.graph().whole_maps = number_whole_maps(builder.graph().nodes);
  builder.graph().output = builder.root(capture.first().outputs.front());
  return std::move(builder.graph());
}

}  // namespace limpid::detail
