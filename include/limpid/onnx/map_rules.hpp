#pragma once

#include <limpid/onnx/operator_writer.hpp>

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/eye.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

// How layers that look at places of a map are said in ONNX.
namespace limpid::detail::onnx_rules {

/// [left, right, top, bottom ...] of LibTorch, last dimension first -> all begins, all ends.
inline std::vector<std::int64_t> pads_of(const std::vector<std::int64_t>& given, std::size_t rank) {
  std::vector<std::int64_t> pads(2 * rank, 0);
  for (std::size_t i = 0; 2 * i + 1 < given.size(); ++i) {
    pads[rank - 1 - i] = given[2 * i];
    pads[2 * rank - 1 - i] = given[2 * i + 1];
  }
  return pads;
}

/// The same number at the beginning and the end of each dimension.
inline std::vector<std::int64_t> both_sides(const std::vector<std::int64_t>& sides) {
  auto pads = sides;
  pads.insert(pads.end(), sides.begin(), sides.end());
  return pads;
}

inline void convolve(OperatorWriter& op) {
  if (!op.text("padding").empty()) op.refuse("its padding is named by a word");
  const auto weight = op.sizes("weight");
  const auto spatial = weight.size() - 2;
  std::vector<std::int64_t> kernel;
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
  std::vector<std::int64_t> pads(8, 0);
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
                        {{"kernel_shape", std::vector<std::int64_t>{factor, factor}},
                         {"strides", std::vector<std::int64_t>{factor, factor}},
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

}  // namespace limpid::detail::onnx_rules
