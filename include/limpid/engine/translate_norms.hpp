#pragma once

#include <limpid/engine/graph_builder.hpp>
#include <limpid/engine/recorded_arguments.hpp>

#include <ATen/TensorOperators.h>
#include <ATen/ops/zeros_like.h>

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <optional>
#include <string_view>
#include <vector>

namespace limpid::detail {

/// Batch norms, with the statistics of training, and instance norms.
/// @return whether operator `i` is one that can be a node
inline bool translate_norm(EngineGraphBuilder& builder, std::string_view name,
                           const RecordedArguments& arguments, std::size_t i) {
  const bool batch = name == "batch_norm", instance = name == "instance_norm";
  if ((!batch && !instance) || !arguments.is_map("input") || !is_map(arguments.sizes("input")) ||
      arguments.is_map("weight") || arguments.is_map("bias")) {
    return false;
  }
  const auto weight = arguments.constant("weight"), bias = arguments.constant("bias");
  if (instance && arguments.number("use_input_stats", 0) != 0) {
    auto& node = builder.push(NodeKind::instance_norm, {arguments.value("input")}, i);
    node.weight = weight;
    node.bias = bias;
    node.epsilon = arguments.number("eps", 1e-5);
    return true;
  }
  if (batch && arguments.number("training", 1) != 0) return false;
  if (!arguments.is_constant("running_mean") || !arguments.is_constant("running_var")) {
    return false;
  }
  auto scale =
      (arguments.constant("running_var").to(at::kDouble) + arguments.number("eps", 1e-5)).rsqrt();
  if (weight.defined()) scale = scale * weight;
  auto shift = -arguments.constant("running_mean") * scale;
  if (bias.defined()) shift = shift + bias;
  builder.affine(arguments.value("input"), scale, shift, i);
  return true;
}

/// Whether something takes what operators `first` ... `end` - 2 make, other than these.
inline bool is_used_beyond(const Capture& capture, std::size_t first, std::size_t end) {
  const auto& operators = capture.operators();
  for (auto k = end; k < operators.size(); ++k) {
    for (const auto& argument : operators[k].arguments) {
      for (const auto value : argument.values) {
        for (auto inner = first; inner + 1 < end; ++inner) {
          if (operators[inner].outputs.front() == value) return true;
        }
      }
    }
  }
  return false;
}

/// The operators that `LayerNorm2d` and `BiasFreeLayerNorm2d` consist of; how many those are.
inline std::size_t translate_pixel_norm(EngineGraphBuilder& builder, std::size_t i) {
  constexpr std::string_view kSteps[] = {"mean", "sub", "square", "mean", "add", "rsqrt", "mul"};
  constexpr std::size_t kCount = std::size(kSteps) + 1;
  const auto& operators = builder.capture().operators();
  if (i + kCount > operators.size()) return 0;
  std::vector<RecordedArguments> steps;
  for (std::size_t k = 0; k < kCount; ++k) {
    if (k < std::size(kSteps) && operators[i + k].name != kSteps[k]) return 0;
    steps.emplace_back(builder.capture(), i + k);
    if (!steps.back().are_fixed()) return 0;
  }
  const auto out = [&](std::size_t k) { return operators[i + k].outputs.front(); };
  const auto takes = [&](std::size_t k, std::string_view name, std::size_t value) {
    return steps[k].is_map(name) && builder.root(steps[k].value(name)) == builder.root(value);
  };
  const auto over_channels = [&](std::size_t k) {
    return steps[k].integers("dim") == std::vector<std::int64_t>{1} &&
           steps[k].number("keepdim", 0) != 0;
  };
  if (!steps[0].is_map("self") || !is_map(steps[0].sizes("self"))) return 0;
  const auto input = steps[0].value("self");
  const auto channels = steps[0].sizes("self")[1].first;
  const auto epsilon = per_channel(steps[4], "other", 1);
  const bool begins = over_channels(0) && takes(1, "self", input) && takes(1, "other", out(0)) &&
                      steps[1].number("alpha", 1) == 1 && takes(2, "self", out(1)) &&
                      over_channels(3) && takes(3, "self", out(2)) && takes(4, "self", out(3)) &&
                      epsilon && steps[4].number("alpha", 1) == 1 && takes(5, "self", out(4)) &&
                      takes(6, "other", out(5));
  if (!begins) return 0;
  const bool centred = takes(6, "self", out(1));
  if (!centred && !takes(6, "self", input)) return 0;
  const auto& last = operators[i + 7].name;
  std::optional<at::Tensor> weight, bias;
  if (last == "addcmul" && takes(7, "tensor1", out(6)) && steps[7].number("value", 1) == 1) {
    weight = per_channel(steps[7], "tensor2", channels);
    bias = per_channel(steps[7], "self", channels);
  } else if (last == "mul" && takes(7, "self", out(6))) {
    weight = per_channel(steps[7], "other", channels);
    if (weight) bias = at::zeros_like(*weight);
  }
  if (!weight || !bias || is_used_beyond(builder.capture(), i, i + kCount)) return 0;
  auto& node = builder.push(NodeKind::pixel_norm, {input}, i);
  node.outputs = {out(7)};
  node.weight = *weight;
  node.bias = *bias;
  node.epsilon = epsilon->item<double>();
  node.centred = centred;
  return kCount;
}

}  // namespace limpid::detail
