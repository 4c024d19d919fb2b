#pragma once

#include <limpid/onnx/operator_writer.hpp>

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/eye.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// How operators of LibTorch are said in ONNX, opset 17. A line of the table at the end makes one
// known.

namespace limpid {

/// How one operator is written.
struct ONNXRule {
  std::string_view name;  ///< LibTorch's, without "aten::" and without the '_' of those in place
  void (*write)(OperatorWriter& op);
};

namespace detail::onnx_rules {

using Ints = std::vector<std::int64_t>;

/// [left, right, top, bottom ...] of LibTorch, last dimension first -> all begins, all ends.
inline Ints pads_of(const Ints& given, std::size_t rank) {
  Ints pads(2 * rank, 0);
  for (std::size_t i = 0; 2 * i + 1 < given.size(); ++i) {
    pads[rank - 1 - i] = given[2 * i];
    pads[2 * rank - 1 - i] = given[2 * i + 1];
  }
  return pads;
}

/// The same number at the beginning and the end of each dimension.
inline Ints both_sides(const Ints& sides) {
  auto pads = sides;
  pads.insert(pads.end(), sides.begin(), sides.end());
  return pads;
}

inline void convolve(OperatorWriter& op) {
  if (!op.text("padding").empty()) op.refuse("its padding is named by a word");
  const auto weight = op.sizes("weight");
  const auto spatial = weight.size() - 2;
  Ints kernel;
  for (std::size_t i = 2; i < weight.size(); ++i) kernel.push_back(weight[i].first);
  std::vector<ONNXAttribute> attributes{
      {"kernel_shape", kernel},
      {"strides", op.integers("stride", spatial)},
      {"pads", both_sides(op.integers("padding", spatial))},
      {"dilations", op.integers("dilation", spatial)},
      {"group", op.integer("groups", 1)},
  };
  const bool is_transposed = op.operator_name().find("transpose") != std::string::npos;
  if (is_transposed) {
    attributes.push_back({"output_padding", op.integers("output_padding", spatial)});
  }
  std::vector<std::string> inputs{op.tensor("input"), op.tensor("weight")};
  if (op.is_tensor("bias")) inputs.push_back(op.tensor("bias"));
  op.set_output(op.node(is_transposed ? "ConvTranspose" : "Conv", inputs, attributes));
}

/// A weight per channel, or what stands for none.
inline std::string per_channel(OperatorWriter& op, std::string_view name, double otherwise) {
  if (op.is_tensor(name)) return op.tensor(name);
  const auto channels = op.sizes("input").at(1).first;
  return op.tensor_constant(at::ones({channels}) * otherwise);
}

inline void normalise_batch(OperatorWriter& op) {
  if (op.flag("training")) op.refuse("it is in training mode");
  const auto scale = per_channel(op, "weight", 1), shift = per_channel(op, "bias", 0);
  op.set_output(op.node(
      "BatchNormalization",
      {op.tensor("input"), scale, shift, op.tensor("running_mean"), op.tensor("running_var")},
      {{"epsilon", static_cast<float>(op.number("eps"))}}));
}

inline void normalise_instance(OperatorWriter& op) {
  if (!op.flag("use_input_stats")) return normalise_batch(op);
  op.set_output(
      op.node("InstanceNormalization",
              {op.tensor("input"), per_channel(op, "weight", 1), per_channel(op, "bias", 0)},
              {{"epsilon", static_cast<float>(op.number("eps"))}}));
}

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
  Ints sizes(op.sizes("self").size() - 1, 1);
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

inline void transpose(OperatorWriter& op) {
  Ints order(op.sizes("self").size());
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

inline void pad(OperatorWriter& op) {
  const auto& name = op.operator_name();
  const bool is_constant = name == "constant_pad_nd";
  const auto pads = pads_of(op.integers(is_constant ? "pad" : "padding"), op.sizes("self").size());
  std::vector<std::string> inputs{op.tensor("self"), op.integers_constant(pads)};
  if (is_constant) inputs.push_back(op.number_constant(op.number("value")));
  const std::string mode = is_constant                  ? "constant"
                           : name == "reflection_pad2d" ? "reflect"
                                                        : "edge";
  op.set_output(op.node("Pad", inputs, {{"mode", mode}}));
}

/// Largest values or means of windows.
inline void pool(OperatorWriter& op) {
  const bool is_mean = op.operator_name() == "avg_pool2d";
  const auto kernel = op.integers("kernel_size", 2);
  auto stride = op.integers("stride", 2);
  if (stride.empty()) stride = kernel;
  std::vector<ONNXAttribute> attributes{{"kernel_shape", kernel},
                                        {"strides", stride},
                                        {"pads", both_sides(op.integers("padding", 2))},
                                        {"ceil_mode", std::int64_t{op.flag("ceil_mode")}}};
  if (is_mean) {
    if (op.has("divisor_override")) op.refuse("it has a divisor of its own");
    attributes.push_back({"count_include_pad", std::int64_t{op.flag("count_include_pad")}});
  } else {
    attributes.push_back({"dilations", op.integers("dilation", 2)});
  }
  op.set_output(op.node(is_mean ? "AveragePool" : "MaxPool", {op.tensor("self")}, attributes));
}

inline void adaptive_mean(OperatorWriter& op) {
  for (const auto side : op.integers("output_size")) {
    if (side != 1) op.refuse("only means of whole maps are known");
  }
  op.set_output(op.node("GlobalAveragePool", {op.tensor("self")}));
}

/// limpid's `local_mean`, along one dimension: differences of sums, of the nearest window that lies
/// inside. A window that is larger than the map is the whole of it.
inline std::string moving_mean(OperatorWriter& op, const std::string& map, std::int64_t dim,
                               std::int64_t window) {
  const auto integer = [&](std::int64_t value) { return op.integers_constant({value}); };
  const auto scalar = [&](std::int64_t value) {
    return op.tensor_constant(at::zeros({}, at::kLong) + value);
  };
  const auto side = op.node("Gather", {op.node("Shape", {map}), integer(dim)});
  const auto covered = op.node("Min", {side, integer(window)});
  Ints pads(8, 0);
  pads[static_cast<std::size_t>(dim)] = 1;
  const auto sums =
      op.node("Pad", {op.node("CumSum", {map, scalar(dim)}), op.integers_constant(pads)},
              {{"mode", std::string{"constant"}}});
  const auto places = op.node("Range", {scalar(0), op.node("Squeeze", {side}), scalar(1)});
  const auto before = op.node("Div", {op.node("Sub", {covered, integer(1)}), integer(2)});
  const auto inside = op.node("Max", {op.node("Sub", {places, before}), integer(0)});
  const auto first = op.node("Min", {inside, op.node("Sub", {side, covered})});
  const auto last = op.node("Add", {first, covered});
  const auto sums_at = [&](const std::string& place) {
    return op.node("Gather", {sums, place}, {{"axis", dim}});
  };
  const auto count = op.node("Cast", {covered}, {{"to", std::int64_t{1}}});  // float32
  return op.node("Div", {op.node("Sub", {sums_at(last), sums_at(first)}), count});
}

inline void local_mean(OperatorWriter& op) {
  const auto window = op.integer("number");
  const auto along_rows = moving_mean(op, op.tensor("self"), 3, window);
  op.set_output(moving_mean(op, along_rows, 2, window));
}

inline void shuffle(OperatorWriter& op) {
  op.set_output(
      op.node("DepthToSpace", {op.tensor("self")},
              {{"blocksize", op.integer("upscale_factor")}, {"mode", std::string{"CRD"}}}));
}

/// A convolution that takes each place of a block into a channel of its own. SpaceToDepth has the
/// places before the channels, where LibTorch has them behind, and OpenVINO 2026.4 computes wrong
/// values for a Gather that exchanges channels before a convolution.
inline void unshuffle(OperatorWriter& op) {
  const auto factor = op.integer("downscale_factor");
  const auto channels = op.sizes("self").at(1).first;
  const auto places = factor * factor;
  const auto weight = at::eye(places).view({places, 1, factor, factor}).repeat({channels, 1, 1, 1});
  op.set_output(op.node("Conv", {op.tensor("self"), op.tensor_constant(weight)},
                        {{"kernel_shape", Ints{factor, factor}},
                         {"strides", Ints{factor, factor}},
                         {"group", channels}}));
}

/// More pixels, by whole factors.
inline void enlarge(OperatorWriter& op) {
  const std::string_view input = op.is_tensor("self") ? "self" : "input";
  const auto from = op.sizes(input), to = op.output_sizes();
  std::vector<float> scales{1, 1};
  for (const std::size_t i : {std::size_t{2}, std::size_t{3}}) {
    const auto scale = static_cast<double>(to[i].first) / static_cast<double>(from[i].first);
    if (static_cast<double>(from[i].second) * scale != static_cast<double>(to[i].second)) {
      op.refuse("its factor depends on the picture's size");
    }
    scales.push_back(static_cast<float>(scale));
  }
  const bool is_linear = op.operator_name() == "upsample_bilinear2d";
  if (is_linear && op.flag("align_corners")) op.refuse("its corners are aligned");
  std::vector<ONNXAttribute> attributes{
      {"mode", std::string{is_linear ? "linear" : "nearest"}},
      {"coordinate_transformation_mode", std::string{is_linear ? "half_pixel" : "asymmetric"}}};
  if (!is_linear) attributes.push_back({"nearest_mode", std::string{"floor"}});
  const auto factors = op.tensor_constant(at::tensor(scales));
  op.set_output(op.node("Resize", {op.tensor(input), "", factors}, attributes));
}

inline constexpr ONNXRule kAll[] = {
    {"conv2d", convolve},
    {"conv_transpose2d", convolve},
    {"batch_norm", normalise_batch},
    {"instance_norm", normalise_instance},
    {"relu", unary<kRelu>},
    {"sigmoid", unary<kSigmoid>},
    {"tanh", unary<kTanh>},
    {"sqrt", unary<kSqrt>},
    {"exp", unary<kExp>},
    {"log", unary<kLog>},
    {"abs", unary<kAbs>},
    {"neg", unary<kNeg>},
    {"erf", unary<kErf>},
    {"reciprocal", unary<kReciprocal>},
    {"mul", binary<kMul>},
    {"div", binary<kDiv>},
    {"add", weighted<kAdd>},
    {"sub", weighted<kSub>},
    {"square", square},
    {"rsqrt", reciprocal_root},
    {"pow", power},
    {"clamp", clamp},
    {"clamp_min", clamp},
    {"clamp_max", clamp},
    {"hardtanh", clamp},
    {"relu6", relu6},
    {"leaky_relu", leaky_relu},
    {"elu", elu},
    {"prelu", prelu},
    {"silu", silu},
    {"gelu", gelu},
    {"softmax", softmax},
    {"mean", reduce},
    {"sum", reduce},
    {"norm", reduce},
    {"addcmul", add_product},
    {"matmul", multiply_matrices},
    {"bmm", multiply_matrices},
    {"mm", multiply_matrices},
    {"addmm", add_matrices},
    {"linear", linear},
    {"transpose", transpose},
    {"permute", transpose},
    {"view", reshape},
    {"reshape", reshape},
    {"flatten", reshape},
    {"unflatten", reshape},
    {"squeeze", reshape},
    {"unsqueeze", reshape},
    {"to", same},
    {"contiguous", same},
    {"detach", same},
    {"alias", same},
    {"clone", same},
    {"dropout", dropout},
    {"narrow", narrow},
    {"slice", slice},
    {"chunk", split},
    {"split", split},
    {"split_with_sizes", split},
    {"select", select},
    {"cat", concatenate},
    {"constant_pad_nd", pad},
    {"reflection_pad2d", pad},
    {"replication_pad2d", pad},
    {"max_pool2d", pool},
    {"avg_pool2d", pool},
    {"adaptive_avg_pool2d", adaptive_mean},
    {"local_mean", local_mean},
    {"pixel_shuffle", shuffle},
    {"pixel_unshuffle", unshuffle},
    {"upsample_nearest2d", enlarge},
    {"upsample_bilinear2d", enlarge},
};

}  // namespace detail::onnx_rules

/// How an operator of LibTorch is written; null where limpid does not know.
inline const ONNXRule* find_onnx_rule(std::string_view name) {
  const auto* const end = std::end(detail::onnx_rules::kAll);
  const auto* const found = std::find_if(std::begin(detail::onnx_rules::kAll), end,
                                         [&](const ONNXRule& rule) { return rule.name == name; });
  return found == end ? nullptr : found;
}

}  // namespace limpid
