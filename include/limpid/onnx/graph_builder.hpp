#pragma once

#include <limpid/onnx/graph.hpp>

#include <ATen/core/Tensor.h>
#include <ATen/ops/tensor.h>

#include <bit>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

namespace limpid {

/// Puts an `ONNXGraph` together. What is computed twice from the same values becomes one node, so
/// that tasks which each ran the encoder share it.
class ONNXGraphBuilder {
 public:
  explicit ONNXGraphBuilder(std::string name) { graph_.name = std::move(name); }

  /// Adds an operator with one output, unless it is there already.
  /// @param layer  what its name begins with
  /// @return       the output's name
  std::string node(const std::string& op, std::vector<std::string> inputs,
                   std::vector<ONNXAttribute> attributes = {}, const std::string& layer = "") {
    const auto key = key_of(op, inputs, attributes);
    if (const auto found = nodes_.find(key); found != nodes_.end()) return found->second;
    const auto name = unique((layer.empty() ? "" : layer + "/") + op);
    graph_.nodes.push_back({op, name, std::move(inputs), {name}, std::move(attributes)});
    return nodes_[key] = name;
  }

  /// A constant under a name of its own, such as a weight.
  /// @param name  what it is called, with a number behind it where that is taken
  std::string constant(const at::Tensor& values, const std::string& name = "constant") {
    const auto kept = values.detach().cpu().contiguous();
    const auto key = std::hash<std::string_view>{}(
        {static_cast<const char*>(kept.data_ptr()), static_cast<std::size_t>(kept.nbytes())});
    const auto [begin, end] = constants_.equal_range(key);
    for (auto same = begin; same != end; ++same) {
      const auto& found = graph_.constants[same->second];
      if (found.values.scalar_type() == kept.scalar_type() && found.values.equal(kept)) {
        return found.name;
      }
    }
    constants_.emplace(key, graph_.constants.size());
    graph_.constants.push_back({unique(name), kept});
    return graph_.constants.back().name;
  }

  std::string constant(const std::vector<std::int64_t>& numbers) {
    return constant(at::tensor(numbers, at::kLong));
  }

  /// One number of float32, without dimensions.
  std::string number(double value) { return constant(at::tensor(value, at::kFloat).squeeze()); }

  /// An input of the graph.
  std::string input(ONNXValue value) {
    names_.emplace(value.name, 1);
    graph_.inputs.push_back(std::move(value));
    return graph_.inputs.back().name;
  }

  /// An output of the graph: the operator that computes it under its name.
  void output(ONNXValue value, const std::string& op, std::vector<std::string> inputs) {
    graph_.nodes.push_back({op, value.name, std::move(inputs), {value.name}, {}});
    graph_.outputs.push_back(std::move(value));
  }

  /// Keeps a name for an output that comes later.
  void reserve(const std::string& name) { names_.emplace(name, 1); }

  const ONNXGraph& graph() const { return graph_; }

 private:
  static std::string key_of(const std::string& op, const std::vector<std::string>& inputs,
                            const std::vector<ONNXAttribute>& attributes) {
    auto key = op;
    for (const auto& input : inputs) key += '\n' + input;
    for (const auto& [name, value] : attributes) {
      key += "\n=" + name;
      std::visit([&](const auto& all) { append(key, all); }, value);
    }
    return key;
  }

  static void append(std::string& key, const std::string& text) { key += ' ' + text; }
  static void append(std::string& key, std::int64_t number) { key += ' ' + std::to_string(number); }
  static void append(std::string& key, float number) {
    append(key, static_cast<std::int64_t>(std::bit_cast<std::uint32_t>(number)));
  }
  template <class Number>
  static void append(std::string& key, const std::vector<Number>& numbers) {
    for (const auto number : numbers) append(key, number);
  }

  std::string unique(const std::string& name) {
    const auto count = names_[name]++;
    return count == 0 ? name : unique(name + "_" + std::to_string(count));
  }

  ONNXGraph graph_;
  std::unordered_map<std::string, std::string> nodes_;           // key -> output
  std::unordered_multimap<std::size_t, std::size_t> constants_;  // hash of values -> place
  std::unordered_map<std::string, int> names_;
};

}  // namespace limpid
