#pragma once

#include <limpid/core/fail.hpp>
#include <limpid/engine/picture_size.hpp>
#include <limpid/layers/local_mean.hpp>
#include <limpid/onnx/capture.hpp>

#include <ATen/core/Tensor.h>
#include <ATen/core/ivalue.h>

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace limpid::detail {

/// A captured operator, computed by LibTorch for a picture of some size.
class LibraryCall {
 public:
  /// @throws c10::Error where an argument does not follow from the picture's size.
  LibraryCall(const Capture& capture, std::size_t index, const PictureSize& size)
      : operator_(capture.operators()[index]) {
    const auto& second = capture.second().operators[index];
    for (std::size_t i = 0; i < operator_.arguments.size(); ++i) {
      auto& argument = operator_.arguments[i];
      Given given{argument.values, {}, argument.is_tensor, false};
      if (argument.is_tensor) {
        given.is_list = operator_.handle && is_list(i);
        for (const auto value : argument.values) {
          const auto& known = capture.first().values[value];
          given.constants.push_back(known.is_constant ? known.numbers : at::Tensor{});
        }
      } else {
        argument.plain = plain(argument.plain, second.arguments[i].plain, size);
      }
      arguments_.push_back(std::move(given));
    }
  }

  /// @param tensors  by value
  std::vector<at::Tensor> operator()(const std::vector<at::Tensor>& tensors) const {
    if (!operator_.handle) {
      TORCH_CHECK(operator_.name == "local_mean", "operator '", operator_.name, "' is not known");
      return {local_mean(tensors[arguments_[0].values[0]], operator_.arguments[1].plain.toInt())};
    }
    const auto& schema = operator_.handle->schema();
    std::vector<c10::IValue> stack;
    for (std::size_t i = 0; i < arguments_.size(); ++i) {
      const auto& given = arguments_[i];
      std::vector<at::Tensor> taken;
      for (std::size_t k = 0; k < given.values.size(); ++k) {
        const auto& constant = given.constants[k];
        auto tensor = constant.defined() ? constant : tensors[given.values[k]];
        taken.push_back(schema.is_mutable() ? tensor.clone() : std::move(tensor));
      }
      if (!given.is_tensor) {
        const bool none = operator_.arguments[i].plain.isNone() &&
                          schema.arguments()[i].type()->kind() == c10::TypeKind::TensorType;
        stack.push_back(none ? c10::IValue{at::Tensor{}} : operator_.arguments[i].plain);
      } else if (given.is_list) {
        stack.emplace_back(std::move(taken));
      } else {
        stack.emplace_back(std::move(taken.front()));
      }
    }
    operator_.handle->callBoxed(&stack);
    std::vector<at::Tensor> outputs;
    for (const auto& output : stack) {
      if (output.isTensor()) {
        if (output.toTensor().defined()) outputs.push_back(output.toTensor());
      } else if (output.isTensorList()) {
        for (const auto& tensor : output.toTensorVector()) outputs.push_back(tensor);
      }
    }
    return outputs;
  }

 private:
  struct Given {
    std::vector<std::size_t> values;
    std::vector<at::Tensor> constants;  // undefined for those that are computed
    bool is_tensor, is_list;
  };

  bool is_list(std::size_t i) const {
    return operator_.handle->schema().arguments()[i].type()->kind() == c10::TypeKind::ListType;
  }

  [[noreturn]] void refuse() const {
    limpid::fail("operator '", operator_.name, "' takes what does not follow from the picture");
  }

  c10::IValue plain(const c10::IValue& one, const c10::IValue& two, const PictureSize& size) const {
    if (one.isInt() && two.isInt()) {
      return size.of(CapturedSize{one.toInt(), two.toInt()}, 0);
    }
    if (one.isIntList() && two.isIntList()) {
      const auto first = one.toIntVector(), second = two.toIntVector();
      if (first.size() != second.size()) refuse();
      std::vector<std::int64_t> all;
      for (std::size_t i = 0; i < first.size(); ++i) {
        all.push_back(size.of(CapturedSize{first[i], second[i]}, first.size() == 4 ? i : 0));
      }
      return all;
    }
    const bool holds_others = one.isList() && !one.isDoubleList() && !one.isBoolList();
    if (holds_others || (one.isDouble() && two.isDouble() && one.toDouble() != two.toDouble())) {
      refuse();
    }
    return one;
  }

  RecordedOperator operator_;
  std::vector<Given> arguments_;
};

}  // namespace limpid::detail
