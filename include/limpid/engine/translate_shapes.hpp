#pragma once

#include <limpid/engine/graph_builder.hpp>
#include <limpid/engine/recorded_arguments.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <string_view>
#include <vector>

// What makes maps of another shape.

namespace limpid::detail {

/// Borders of zeros, of the mirrored map or of its edge.
/// @return whether operator `i` is one that can be a node
inline bool translate_border(EngineGraphBuilder& builder, std::string_view name,
                             const RecordedArguments& arguments, std::size_t i) {
  // LibTorch's modes: 0 constant, 1 reflect, 2 replicate
  const auto mode = name == "_pad_enum" ? arguments.integer("mode", -1) : -1;
  const bool zeros = name == "constant_pad_nd" || mode == 0,
             reflects = name == "reflection_pad2d" || mode == 1,
             repeats = name == "replication_pad2d" || mode == 2;
  if ((!zeros && !reflects && !repeats) || !arguments.is_map("self") ||
      !is_map(arguments.sizes("self"))) {
    return false;
  }
  const auto sides = arguments.integers(arguments.has("pad") ? "pad" : "padding");
  if (sides.size() != 4 || (zeros && arguments.number("value", 0) != 0) ||
      std::any_of(sides.begin(), sides.end(), [](auto side) { return side < 0; })) {
    return false;
  }
  auto& node = builder.push(NodeKind::pad, {arguments.value("self")}, i);
  node.border = {sides[0], sides[1], sides[2], sides[3],
                 zeros      ? Border::Kind::zeros
                 : reflects ? Border::Kind::reflect
                            : Border::Kind::replicate};
  return true;
}

/// Means of whole channels.
/// @return whether operator `i` is one that can be a node
inline bool translate_means(EngineGraphBuilder& builder, std::string_view name,
                            const RecordedArguments& arguments, std::size_t i) {
  if (name != "mean" && name != "adaptive_avg_pool2d") return false;
  if (!arguments.is_map("self") || !is_map(arguments.sizes("self"))) return false;
  if (name == "mean") {
    auto dims = arguments.integers("dim");
    for (auto& dim : dims) dim = dim < 0 ? dim + 4 : dim;
    std::sort(dims.begin(), dims.end());
    if (dims != std::vector<std::int64_t>{2, 3} || arguments.number("keepdim", 0) == 0) {
      return false;
    }
  } else if (arguments.integers("output_size", 2) != std::vector<std::int64_t>{1, 1}) {
    return false;
  }
  builder.push(NodeKind::means, {arguments.value("self")}, i);
  return true;
}

/// Pixel shuffles, which are fused to a convolution or given back later.
/// @return whether operator `i` is one that can be a node
inline bool translate_shuffle(EngineGraphBuilder& builder, std::string_view name,
                              const RecordedArguments& arguments, std::size_t i) {
  if (name != "pixel_shuffle" || !arguments.is_map("self") || !is_map(arguments.sizes("self"))) {
    return false;
  }
  auto& node = builder.push(NodeKind::shuffle_blocks, {arguments.value("self")}, i);
  node.factor = arguments.integer("upscale_factor", 1);
  return true;
}

/// Channels of several maps joined, and some of a map's channels.
/// @return whether operator `i` is one that can be a node
inline bool translate_channels(EngineGraphBuilder& builder, std::string_view name,
                               const RecordedArguments& arguments, std::size_t i) {
  if (name == "cat") {
    const auto& values = arguments.values("tensors");
    for (std::size_t k = 0; k < values.size(); ++k) {
      if (builder.capture().first().values[values[k]].is_constant) return false;
      const auto sizes = builder.capture().sizes(values[k]);
      if (!is_map(sizes) || (k + 1 < values.size() && sizes[1].first % kLanes != 0)) return false;
    }
    if (arguments.integer("dim", 0) != 1) return false;
    builder.push(NodeKind::concatenate, values, i);
    return true;
  }
  constexpr std::string_view kParts[] = {"narrow", "slice", "chunk", "split", "split_with_sizes"};
  if (std::find(std::begin(kParts), std::end(kParts), name) == std::end(kParts) ||
      !arguments.is_map("self") || !is_map(arguments.sizes("self"))) {
    return false;
  }
  auto dim = arguments.integer("dim", 0);
  if (dim < 0) dim += 4;
  if (dim != 1 || arguments.integer("step", 1) != 1) return false;
  const auto channels = arguments.sizes("self")[1].first;
  auto begin = arguments.integer("start", 0);
  if (begin < 0) begin += channels;
  const auto outputs = builder.capture().operators()[i].outputs;
  std::vector<std::int64_t> begins;
  for (const auto output : outputs) {
    const auto count = builder.capture().sizes(output)[1].first;
    const bool ends = begin + count == channels;
    if (begin % kLanes != 0 || (!ends && count % kLanes != 0) || count < kFewChannels) {
      return false;
    }
    begins.push_back(begin);
    begin += count;
  }
  for (std::size_t k = 0; k < outputs.size(); ++k) {
    auto& node = builder.push(NodeKind::channels, {arguments.value("self")}, i);
    node.outputs = {outputs[k]};
    node.begin = begins[k];
  }
  return true;
}

}  // namespace limpid::detail
