#pragma once

#include <limpid/core/fail.hpp>
#include <limpid/onnx/capture.hpp>
#include <limpid/onnx/graph_builder.hpp>

#include <ATen/core/Tensor.h>
#include <c10/util/Exception.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace limpid {

/// A captured operator while it becomes nodes of ONNX: its arguments by the names of LibTorch's
/// schema, and what its outputs are called from then on.
class OperatorWriter {
 public:
  /// @param names  of the values of the capture that have been written
  /// @param index  of the operator
  OperatorWriter(const Capture& capture, ONNXGraphBuilder& graph,
                 std::unordered_map<std::size_t, std::string>& names, std::size_t index)
      : capture_(capture), graph_(graph), names_(names), index_(index) {}

  const std::string& operator_name() const { return op().name; }

  /// Whether an argument was given.
  bool has(std::string_view name) const {
    const auto* argument = find(name);
    return argument != nullptr && (argument->is_tensor || !argument->plain.isNone());
  }

  bool is_tensor(std::string_view name) const {
    const auto* argument = find(name);
    return argument != nullptr && argument->is_tensor;
  }

  /// What a tensor is called in the graph; a constant becomes part of it.
  std::string tensor(std::string_view name) { return tensors(name).front(); }

  std::vector<std::string> tensors(std::string_view name) {
    std::vector<std::string> all;
    for (const auto value : given(name).values) all.push_back(name_of(value));
    TORCH_CHECK(!all.empty(), about(), ": expected a tensor '", name, "'");
    return all;
  }

  /// A tensor or a number.
  std::string operand(std::string_view name) {
    return is_tensor(name) ? tensor(name) : graph_.number(number(name));
  }

  /// The numbers of a constant.
  at::Tensor constant(std::string_view name) const {
    const auto& argument = given(name);
    const bool is_constant =
        argument.values.size() == 1 && capture_.first().values[argument.values[0]].is_constant;
    if (!is_constant) refuse(std::string{name} + " is no constant");
    return capture_.first().values[argument.values[0]].numbers;
  }

  /// Sizes of a tensor, or of the first of a list.
  CapturedSizes sizes(std::string_view name) const {
    return capture_.sizes(given(name).values.at(0));
  }

  CapturedSizes output_sizes(std::size_t i = 0) const { return capture_.sizes(op().outputs.at(i)); }

  std::size_t outputs() const { return op().outputs.size(); }

  /// A number that does not depend on the picture; `otherwise` where none was given.
  double number(std::string_view name, double otherwise = 0) const {
    if (!has(name)) return otherwise;
    const auto one = given(name).plain.toScalar().toDouble();
    if (one != second(name).toScalar().toDouble()) refuse_changing(name);
    return one;
  }

  std::int64_t integer(std::string_view name, std::int64_t otherwise = 0) const {
    return static_cast<std::int64_t>(number(name, static_cast<double>(otherwise)));
  }

  bool flag(std::string_view name) const { return number(name) != 0; }

  /// A word; "" where none was given.
  std::string text(std::string_view name) const {
    const auto* argument = find(name);
    const bool is_text = argument != nullptr && argument->plain.isString();
    return is_text ? argument->plain.toStringRef() : std::string{};
  }

  /// Numbers that do not depend on the picture. One for all is repeated `count` times.
  std::vector<std::int64_t> integers(std::string_view name, std::size_t count = 0) const {
    if (!has(name)) return {};
    const auto& value = given(name).plain;
    if (!value.isIntList() && !value.isInt())
      refuse(std::string{name} + " is not of whole numbers");
    const auto numbers = [](const c10::IValue& plain) {
      return plain.isInt() ? std::vector{plain.toInt()} : plain.toIntVector();
    };
    auto one = numbers(value);
    if (one != numbers(second(name))) refuse_changing(name);
    if (one.size() == 1 && count > 1) one.assign(count, one.front());
    return one;
  }

  /// A dimension counted from the front.
  std::int64_t dimension(std::string_view name, std::string_view of = "self") const {
    const auto dim = integer(name);
    return dim < 0 ? dim + static_cast<std::int64_t>(sizes(of).size()) : dim;
  }

  std::vector<std::int64_t> dimensions(std::string_view name, std::string_view of = "self") const {
    auto all = integers(name);
    const auto rank = static_cast<std::int64_t>(sizes(of).size());
    for (auto& dim : all) dim = dim < 0 ? dim + rank : dim;
    if (all.empty()) {
      for (std::int64_t dim = 0; dim < rank; ++dim) all.push_back(dim);
    }
    return all;
  }

  /// Adds a node of this operator's layer.
  std::string node(const std::string& onnx, std::vector<std::string> inputs,
                   std::vector<ONNXAttribute> attributes = {}) {
    return graph_.node(onnx, std::move(inputs), std::move(attributes), op().layer);
  }

  std::string integers_constant(const std::vector<std::int64_t>& numbers) {
    return graph_.constant(numbers);
  }
  std::string tensor_constant(const at::Tensor& values) { return graph_.constant(values); }
  std::string number_constant(double value) { return graph_.number(value); }

  /// A tensor in other sizes of as many numbers: those of output `i`.
  std::string reshaped(const std::string& input, const CapturedSizes& from,
                       const CapturedSizes& to) {
    if (from == to) return input;
    constexpr std::int64_t kAsInput = 0, kRest = -1;
    std::vector<std::int64_t> sizes;
    std::vector<std::size_t> open;
    for (std::size_t i = 0; i < to.size(); ++i) {
      sizes.push_back(to[i].first);
      if (to[i].is_fixed()) continue;
      sizes.back() = kAsInput;
      if (i >= from.size() || from[i] != to[i]) open.push_back(i);
    }
    if (open.empty()) return node("Reshape", {input, graph_.constant(sizes)});
    sizes[open.back()] = kRest;
    open.pop_back();
    if (open.empty()) return node("Reshape", {input, graph_.constant(sizes)});
    std::vector<std::string> parts;
    for (std::size_t i = 0; i < sizes.size(); ++i) {
      const bool is_open = std::find(open.begin(), open.end(), i) != open.end();
      parts.push_back(is_open ? size(to[i]) : graph_.constant(Ints{sizes[i]}));
    }
    return node("Reshape", {input, node("Concat", parts, {{"axis", std::int64_t{0}}})});
  }

  /// A size as one number of int64 that follows from the picture's.
  std::string size(const CapturedSize& wanted) {
    if (wanted.is_fixed()) return graph_.constant(Ints{wanted.first});
    const auto all = capture_.input_sizes();
    for (const std::size_t i : {std::size_t{0}, std::size_t{2}, std::size_t{3}}) {
      const auto& [first, second] = all[i];
      if (wanted.first * second != wanted.second * first) continue;
      const auto shape = graph_.node("Shape", {names_.at(capture_.first().input)});
      const auto whole =
          graph_.node("Gather", {shape, graph_.constant(Ints{static_cast<std::int64_t>(i)})},
                      {{"axis", std::int64_t{0}}});
      if (wanted.first == first) return whole;
      if (first % wanted.first == 0) {
        return graph_.node("Div", {whole, graph_.constant(Ints{first / wanted.first})});
      }
      if (wanted.first % first == 0) {
        return graph_.node("Mul", {whole, graph_.constant(Ints{wanted.first / first})});
      }
    }
    refuse("a size does not follow from the picture's by a factor");
  }

  /// From now on output `i` is what `name` computes.
  void set_output(const std::string& name, std::size_t i = 0) { names_[op().outputs.at(i)] = name; }

  /// @throws c10::Error that names operator and layer.
  [[noreturn]] void refuse(const std::string& why) const {
    limpid::fail(about(), " cannot be written: ", why);
  }

 private:
  using Ints = std::vector<std::int64_t>;

  const RecordedOperator& op() const { return capture_.operators()[index_]; }

  std::string about() const {
    return "operator '" + op().name + "' of layer '" + op().layer + "' or behind it";
  }

  const RecordedArgument* find(std::string_view name) const {
    for (const auto& argument : op().arguments) {
      if (argument.name == name) return &argument;
    }
    return nullptr;
  }

  const RecordedArgument& given(std::string_view name) const {
    const auto* argument = find(name);
    if (argument == nullptr) refuse("it has no argument '" + std::string{name} + "'");
    return *argument;
  }

  /// The plain argument in the second recording.
  const c10::IValue& second(std::string_view name) const {
    const auto place = static_cast<std::size_t>(find(name) - op().arguments.data());
    return capture_.second().operators[index_].arguments.at(place).plain;
  }

  [[noreturn]] void refuse_changing(std::string_view name) const {
    refuse(std::string{name} + " depends on the picture's size");
  }

  std::string name_of(std::size_t value) {
    if (const auto found = names_.find(value); found != names_.end()) return found->second;
    const auto& kept = capture_.first().values[value];
    if (!kept.is_constant) refuse("it takes a tensor that was not recorded");
    auto numbers = kept.numbers;
    if (numbers.scalar_type() != at::kFloat && numbers.scalar_type() != at::kLong) {
      numbers = numbers.to(at::kFloat);
    }
    return names_[value] = graph_.constant(numbers, kept.name.empty() ? "constant" : kept.name);
  }

  const Capture& capture_;
  ONNXGraphBuilder& graph_;
  std::unordered_map<std::size_t, std::string>& names_;
  std::size_t index_;
};

}  // namespace limpid
