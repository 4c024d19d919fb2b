#pragma once

#include <limpid/engine/nodes.hpp>
#include <limpid/engine/recorded_arguments.hpp>

#include <ATen/TensorOperators.h>
#include <ATen/ops/full.h>

#include <cstddef>
#include <cstdint>
#include <numeric>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

namespace limpid::detail {

/// Fewer channels than that are mostly zeros in blocks of sixteen.
inline constexpr std::int64_t kFewChannels = 8;

inline bool is_picture(const CapturedSizes& sizes) {
  return sizes.size() == 4 && sizes[0].is_fixed() && sizes[0].first == 1 && sizes[1].is_fixed();
}
inline bool is_map(const CapturedSizes& sizes) {
  return is_picture(sizes) && sizes[1].first >= kFewChannels;
}
/// Whether these are the sizes of one number for each channel.
inline bool is_per_channel(const CapturedSizes& sizes, std::int64_t channels) {
  return is_picture(sizes) && sizes[1].first == channels && sizes[2] == CapturedSize{1, 1} &&
         sizes[3] == CapturedSize{1, 1};
}

/// A constant, or a number, as one number for each channel; nothing where it is none of these.
inline std::optional<at::Tensor> per_channel(const RecordedArguments& arguments,
                                             std::string_view name, std::int64_t channels) {
  const auto all = [&](double value) { return at::full({channels}, value, at::kDouble); };
  if (arguments.has(name)) return all(arguments.number(name, 0));
  if (!arguments.is_constant(name)) return std::nullopt;
  const auto constant = arguments.constant(name);
  if (constant.numel() == 1) return all(constant.to(at::kDouble).item<double>());
  const bool fits = constant.numel() == channels && constant.dim() >= 3 && constant.size(-1) == 1 &&
                    constant.size(-2) == 1;
  if (!fits) return std::nullopt;
  return constant.to(at::kDouble).reshape({channels});
}

/// A graph to which nodes are added, each for what a captured operator makes.
class EngineGraphBuilder {
 public:
  explicit EngineGraphBuilder(const Capture& capture) : capture_(capture) {
    graph_.same.resize(capture.first().values.size());
    std::iota(graph_.same.begin(), graph_.same.end(), std::size_t{0});
    graph_.input = capture.first().input;
  }

  const Capture& capture() const { return capture_; }
  EngineGraph& graph() { return graph_; }

  /// The value that this is another name of.
  std::size_t root(std::size_t value) const {
    while (graph_.same[value] != value) value = graph_.same[value];
    return value;
  }

  /// Operator `i` gives a value another name.
  void rename(std::size_t i, std::size_t from) {
    graph_.same[capture_.operators()[i].outputs.front()] = root(from);
  }

  /// A node that makes what operator `i` makes.
  EngineNode& push(NodeKind kind, std::vector<std::size_t> inputs, std::size_t i) {
    EngineNode node;
    node.kind = kind;
    for (auto& value : inputs) value = root(value);
    node.inputs = std::move(inputs);
    node.outputs = capture_.operators()[i].outputs;
    node.recorded = i;
    graph_.nodes.push_back(std::move(node));
    return graph_.nodes.back();
  }

  void affine(std::size_t input, const at::Tensor& scale, const at::Tensor& shift, std::size_t i) {
    auto& node = push(NodeKind::affine, {input}, i);
    node.weight = scale.to(at::kDouble).contiguous();
    node.bias = shift.to(at::kDouble).contiguous();
  }

  /// Operator `i` stays LibTorch's.
  void library(std::size_t i) {
    std::vector<std::size_t> inputs;
    for (const auto& argument : capture_.operators()[i].arguments) {
      for (const auto value : argument.values) {
        if (!capture_.first().values[value].is_constant) inputs.push_back(value);
      }
    }
    push(NodeKind::library, inputs, i);
  }

 private:
  const Capture& capture_;
  EngineGraph graph_;
};

}  // namespace limpid::detail
