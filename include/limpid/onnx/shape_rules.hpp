#pragma once

#include <limpid/onnx/operator_writer.hpp>

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/zeros.h>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <utility>
#include <vector>

// How other arrangements of the same numbers are said in ONNX.
namespace limpid::detail::onnx_rules {

inline void transpose(OperatorWriter& op) {
  std::vector<std::int64_t> order(op.sizes("self").size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = static_cast<std::int64_t>(i);
  if (op.operator_name() == "permute") {
    order = op.dimensions("dims");
  } else {
    std::swap(order[static_cast<std::size_t>(op.dimension("dim0"))],
              order[static_cast<std::size_t>(op.dimension("dim1"))]);
  }
  op.set_output(op.node("Transpose", {op.tensor("self")}, {{"perm", order}}));
}

/// Other sizes for the same numbers in the same order.
inline void reshape(OperatorWriter& op) {
  op.set_output(op.reshaped(op.tensor("self"), op.sizes("self"), op.output_sizes()));
}

/// The tensor itself.
inline void same(OperatorWriter& op) {
  op.set_output(op.tensor(op.is_tensor("self") ? "self" : "input"));
}

inline void dropout(OperatorWriter& op) {
  if (op.flag("train")) op.refuse("it is in training mode");
  same(op);
}

inline std::string part(OperatorWriter& op, std::int64_t dim, std::int64_t begin,
                        std::int64_t end) {
  return op.node("Slice", {op.tensor("self"), op.integers_constant({begin}),
                           op.integers_constant({end}), op.integers_constant({dim})});
}

inline void narrow(OperatorWriter& op) {
  const auto begin = op.integer("start");
  op.set_output(part(op, op.dimension("dim"), begin, begin + op.integer("length")));
}

inline void slice(OperatorWriter& op) {
  if (op.integer("step", 1) != 1) op.refuse("its step is not 1");
  op.set_output(part(op, op.dimension("dim"), op.integer("start"),
                     op.integer("end", std::numeric_limits<std::int64_t>::max())));
}

/// Parts next to each other, all of fixed sizes.
inline void split(OperatorWriter& op) {
  const auto dim = op.dimension("dim");
  std::int64_t begin = 0;
  for (std::size_t i = 0; i < op.outputs(); ++i) {
    const auto size = op.output_sizes(i).at(static_cast<std::size_t>(dim));
    if (!size.is_fixed()) op.refuse("sizes of its parts depend on the picture's");
    op.set_output(part(op, dim, begin, begin + size.first), i);
    begin += size.first;
  }
}

inline void select(OperatorWriter& op) {
  const auto index = op.tensor_constant(at::zeros({}, at::kLong) + op.integer("index"));
  op.set_output(op.node("Gather", {op.tensor("self"), index}, {{"axis", op.dimension("dim")}}));
}

inline void concatenate(OperatorWriter& op) {
  op.set_output(
      op.node("Concat", op.tensors("tensors"), {{"axis", op.dimension("dim", "tensors")}}));
}

}  // namespace limpid::detail::onnx_rules
