#pragma once

// limpid-benchmark step: how many arithmetic operations a step takes, by counting what it calls.

#include <limpid/kernels/winograd.hpp>

#include <ATen/core/Tensor.h>
#include <ATen/core/ivalue.h>
#include <ATen/record_function.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <string_view>

namespace examples {

#ifdef NDEBUG
inline constexpr bool kCountsOperations = true;
#else
// LibTorch's libraries are built with NDEBUG, and a RecordFunction without it has another layout.
inline constexpr bool kCountsOperations = false;
#endif

/// While it lives, adds up the operations of convolutions, forward and backward, and of matrix
/// products, on all threads: two for each multiplication and its addition. Fast convolutions count
/// as many as exact ones. Everything else
/// (norms, activations, losses, Adam) is left out.
class OperationCounter {
 public:
  OperationCounter() {
    total().store(0);
    if constexpr (!kCountsOperations) return;
    handle_ = at::addGlobalCallback(
        at::RecordFunctionCallback(&before).needsInputs(true).scopes({at::RecordScope::FUNCTION}));
  }
  ~OperationCounter() {
    if constexpr (kCountsOperations) at::removeCallback(handle_);
  }
  OperationCounter(const OperationCounter&) = delete;
  OperationCounter& operator=(const OperationCounter&) = delete;

  double operations() const { return static_cast<double>(total().load()); }

 private:
  static std::atomic<std::int64_t>& total() {
    static std::atomic<std::int64_t> sum{0};
    return sum;
  }

  static std::int64_t output_side(std::int64_t in, std::int64_t kernel, std::int64_t stride,
                                  std::int64_t padding, std::int64_t dilation) {
    return (in + 2 * padding - dilation * (kernel - 1) - 1) / stride + 1;
  }

  /// Multiplications of aten::convolution(input, weight, bias, stride, padding, dilation,
  /// transposed, ...).
  static std::int64_t convolution(c10::ArrayRef<const c10::IValue> inputs) {
    const auto& input = inputs[0].toTensor();
    const auto& weight = inputs[1].toTensor();
    if (inputs[6].toBool()) return input.numel() * weight.numel() / weight.size(0);
    const auto stride = inputs[3].toIntVector(), padding = inputs[4].toIntVector(),
               dilation = inputs[5].toIntVector();
    auto positions = input.size(0);
    for (std::int64_t d = 2; d < input.dim(); ++d) {
      const auto i = static_cast<std::size_t>(d - 2);
      const auto of = [&](const auto& list) { return list[list.size() == 1 ? 0 : i]; };
      positions *=
          output_side(input.size(d), weight.size(d), of(stride), of(padding), of(dilation));
    }
    return positions * weight.numel();
  }

  /// Multiplications of aten::convolution_backward(grad_output, input, weight, ..., transposed,
  /// ..., output_mask): one convolution for each of the two gradients that is wanted.
  static std::int64_t convolution_backward(c10::ArrayRef<const c10::IValue> inputs) {
    const auto& gradient = inputs[0].toTensor();
    const auto& input = inputs[1].toTensor();
    const auto& weight = inputs[2].toTensor();
    const auto forward = inputs[7].toBool() ? input.numel() * weight.numel() / weight.size(0)
                                            : gradient.numel() * weight.numel() / weight.size(0);
    const auto mask = inputs[10].toBoolList();
    return forward * (static_cast<std::int64_t>(mask.get(0)) + mask.get(1));
  }

  static std::unique_ptr<at::ObserverContext> before(const at::RecordFunction& function) {
    const std::string_view name{function.name()};
    const auto inputs = function.inputs();
    std::int64_t multiplications = 0;
    if (name == "aten::convolution") multiplications = convolution(inputs);
    if (name == "aten::convolution_backward") multiplications = convolution_backward(inputs);
    if (name == limpid::kWinogradName) multiplications = inputs[0].toInt();
    if (name == "aten::mm" || name == "aten::bmm") {
      multiplications = inputs[0].toTensor().numel() * inputs[1].toTensor().size(-1);
    }
    total() += 2 * multiplications;
    return nullptr;
  }

  at::CallbackHandle handle_{};
};

}  // namespace examples
