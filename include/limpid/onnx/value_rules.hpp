#pragma once

#include <limpid/onnx/operator_writer.hpp>

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>

#include <cmath>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

// How arithmetic, activations and matrix products are said in ONNX.
namespace limpid::detail::onnx_rules {

/// An operator of one tensor that ONNX has under the name `Name`.
template <const char* Name>
void unary(OperatorWriter& op) {
  op.set_output(op.node(Name, {op.tensor("self")}));
}

template <const char* Name>
void binary(OperatorWriter& op) {
  if (op.has("rounding_mode")) op.refuse("it rounds");
  op.set_output(op.node(Name, {op.operand("self"), op.operand("other")}));
}

/// Sums and differences, with a factor before the second.
template <const char* Name>
void weighted(OperatorWriter& op) {
  auto other = op.operand("other");
  const auto factor = op.number("alpha", 1);
  if (factor != 1) other = op.node("Mul", {other, op.number_constant(factor)});
  op.set_output(op.node(Name, {op.operand("self"), other}));
}

inline constexpr char kRelu[] = "Relu", kSigmoid[] = "Sigmoid", kTanh[] = "Tanh", kSqrt[] = "Sqrt",
                      kExp[] = "Exp", kLog[] = "Log", kAbs[] = "Abs", kNeg[] = "Neg",
                      kReciprocal[] = "Reciprocal", kAdd[] = "Add", kSub[] = "Sub", kMul[] = "Mul",
                      kDiv[] = "Div", kErf[] = "Erf";

inline void square(OperatorWriter& op) {
  op.set_output(op.node("Mul", {op.tensor("self"), op.tensor("self")}));
}

inline void reciprocal_root(OperatorWriter& op) {
  op.set_output(op.node("Reciprocal", {op.node("Sqrt", {op.tensor("self")})}));
}

inline void power(OperatorWriter& op) {
  op.set_output(op.node("Pow", {op.tensor("self"), op.operand("exponent")}));
}

inline void clamp(OperatorWriter& op) {
  const auto bound = [&](std::string_view name) {
    return op.has(name) ? op.operand(name) : std::string{};
  };
  const bool is_hard = op.operator_name() == "hardtanh";
  op.set_output(op.node("Clip", {op.tensor("self"), bound(is_hard ? "min_val" : "min"),
                                 bound(is_hard ? "max_val" : "max")}));
}

inline void relu6(OperatorWriter& op) {
  op.set_output(op.node("Clip", {op.tensor("self"), op.number_constant(0), op.number_constant(6)}));
}

inline void leaky_relu(OperatorWriter& op) {
  op.set_output(op.node("LeakyRelu", {op.tensor("self")},
                        {{"alpha", static_cast<float>(op.number("negative_slope", 0.01))}}));
}

inline void elu(OperatorWriter& op) {
  if (op.number("scale", 1) != 1 || op.number("input_scale", 1) != 1) op.refuse("it is scaled");
  op.set_output(
      op.node("Elu", {op.tensor("self")}, {{"alpha", static_cast<float>(op.number("alpha", 1))}}));
}

inline void prelu(OperatorWriter& op) {
  const auto slope = op.constant("weight");
  std::vector<std::int64_t> sizes(op.sizes("self").size() - 1, 1);
  sizes[0] = slope.numel();
  op.set_output(op.node("PRelu", {op.tensor("self"), op.tensor_constant(slope.reshape(sizes))}));
}

inline void silu(OperatorWriter& op) {
  const auto self = op.tensor("self");
  op.set_output(op.node("Mul", {self, op.node("Sigmoid", {self})}));
}

/// x (1 + erf(x / sqrt 2)) / 2: opset 17 has no Gelu.
inline void gelu(OperatorWriter& op) {
  if (op.text("approximate") == "tanh") op.refuse("its approximation by tanh");
  const auto self = op.tensor("self");
  const auto inside = op.node("Mul", {self, op.number_constant(std::sqrt(0.5))});
  const auto gate = op.node("Add", {op.node("Erf", {inside}), op.number_constant(1)});
  op.set_output(op.node("Mul", {op.node("Mul", {self, gate}), op.number_constant(0.5)}));
}

inline void softmax(OperatorWriter& op) {
  op.set_output(op.node("Softmax", {op.tensor("self")}, {{"axis", op.dimension("dim")}}));
}

/// A mean, sum or length over dimensions; over all where none is named.
inline void reduce(OperatorWriter& op) {
  const auto& name = op.operator_name();
  if (name == "norm" && op.number("p", 2) != 2) op.refuse("only lengths (p = 2) are known");
  const auto axes = op.dimensions("dim");
  std::vector<ONNXAttribute> attributes{
      {"keepdims", static_cast<std::int64_t>(op.has("keepdim") && op.flag("keepdim"))}};
  std::vector<std::string> inputs{op.tensor("self")};
  if (name == "sum") {
    inputs.push_back(op.integers_constant(axes));
  } else {
    attributes.push_back({"axes", axes});
  }
  op.set_output(op.node(name == "sum"    ? "ReduceSum"
                        : name == "norm" ? "ReduceL2"
                                         : "ReduceMean",
                        inputs, attributes));
}

/// input + value * tensor1 * tensor2.
inline void add_product(OperatorWriter& op) {
  auto product = op.node("Mul", {op.tensor("tensor1"), op.tensor("tensor2")});
  const auto factor = op.number("value", 1);
  if (factor != 1) product = op.node("Mul", {product, op.number_constant(factor)});
  op.set_output(op.node("Add", {op.tensor("self"), product}));
}

inline void multiply_matrices(OperatorWriter& op) {
  const bool named = op.is_tensor("mat2");
  op.set_output(op.node("MatMul", {op.tensor("self"), op.tensor(named ? "mat2" : "other")}));
}

/// beta self + alpha mat1 mat2.
inline void add_matrices(OperatorWriter& op) {
  if (op.number("beta", 1) != 1 || op.number("alpha", 1) != 1) op.refuse("it has factors");
  op.set_output(op.node(
      "Add", {op.node("MatMul", {op.tensor("mat1"), op.tensor("mat2")}), op.tensor("self")}));
}

inline void linear(OperatorWriter& op) {
  const auto weight = op.tensor_constant(op.constant("weight").t().contiguous());
  auto map = op.node("MatMul", {op.tensor("input"), weight});
  if (op.is_tensor("bias")) map = op.node("Add", {map, op.tensor("bias")});
  op.set_output(map);
}

}  // namespace limpid::detail::onnx_rules
