#pragma once

#include <limpid/onnx/capture.hpp>

#include <ATen/core/Tensor.h>
#include <ATen/core/ivalue.h>

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace limpid::detail {

/// Whether two plain arguments say the same, as far as they can differ by a picture's size.
inline bool says_the_same(const c10::IValue& one, const c10::IValue& two) {
  if (one.isInt() && two.isInt()) return one.toInt() == two.toInt();
  if (one.isDouble() && two.isDouble()) return one.toDouble() == two.toDouble();
  if (one.isIntList() && two.isIntList()) return one.toIntVector() == two.toIntVector();
  if (one.isDoubleList() && two.isDoubleList()) return one.toDoubleVector() == two.toDoubleVector();
  if (one.isBool() && two.isBool()) return one.toBool() == two.toBool();
  return one.tagKind() == two.tagKind();
}

/// The arguments of a captured operator, by the names of LibTorch's schema.
class RecordedArguments {
 public:
  RecordedArguments(const Capture& capture, std::size_t index)
      : capture_(capture),
        op_(capture.operators()[index]),
        second_(capture.second().operators[index]) {}

  /// Whether no plain argument depends on the picture's size.
  bool are_fixed() const {
    for (std::size_t i = 0; i < op_.arguments.size(); ++i) {
      if (op_.arguments[i].is_tensor) continue;
      if (!says_the_same(op_.arguments[i].plain, second_.arguments[i].plain)) return false;
    }
    return true;
  }

  bool is_tensor(std::string_view name) const {
    const auto* found = find(name);
    return found != nullptr && found->is_tensor && !found->values.empty();
  }
  bool is_constant(std::string_view name) const {
    return is_tensor(name) && capture_.first().values[value(name)].is_constant;
  }
  bool is_map(std::string_view name) const { return is_tensor(name) && !is_constant(name); }

  std::size_t value(std::string_view name) const { return find(name)->values.front(); }
  const std::vector<std::size_t>& values(std::string_view name) const { return find(name)->values; }

  /// The numbers of a constant; undefined where there is none.
  at::Tensor constant(std::string_view name) const {
    return is_constant(name) ? capture_.first().values[value(name)].numbers : at::Tensor{};
  }

  CapturedSizes sizes(std::string_view name) const { return capture_.sizes(value(name)); }

  bool has(std::string_view name) const {
    const auto* found = find(name);
    return found != nullptr && !found->is_tensor && !found->plain.isNone();
  }

  double number(std::string_view name, double otherwise) const {
    if (!has(name)) return otherwise;
    const auto& plain = find(name)->plain;
    return plain.isScalar() || plain.isBool() ? plain.toScalar().toDouble() : otherwise;
  }

  std::int64_t integer(std::string_view name, std::int64_t otherwise) const {
    return static_cast<std::int64_t>(number(name, static_cast<double>(otherwise)));
  }

  /// Whole numbers, one repeated `count` times; empty where there are none.
  std::vector<std::int64_t> integers(std::string_view name, std::size_t count = 0) const {
    if (!has(name)) return {};
    const auto& plain = find(name)->plain;
    if (plain.isInt()) return std::vector<std::int64_t>(count, plain.toInt());
    if (!plain.isIntList()) return {};
    auto all = plain.toIntVector();
    if (all.size() == 1 && count > 1) all.assign(count, all.front());
    return all;
  }

  std::string_view text(std::string_view name) const {
    const auto* found = find(name);
    return found != nullptr && found->plain.isString() ? found->plain.toStringRef()
                                                       : std::string_view{};
  }

 private:
  const RecordedArgument* find(std::string_view name) const {
    for (const auto& argument : op_.arguments) {
      if (argument.name == name) return &argument;
    }
    return nullptr;
  }

  const Capture& capture_;
  const RecordedOperator& op_;
  const RecordedOperator& second_;
};

}  // namespace limpid::detail
