#pragma once

#include <limpid/engine/nodes.hpp>
#include <limpid/engine/recorded_arguments.hpp>

#include <ATen/TensorOperators.h>
#include <ATen/ops/full.h>
#include <ATen/ops/ones_like.h>
#include <ATen/ops/zeros_like.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <numeric>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// From captured operators to nodes. Whatever is not recognised here stays LibTorch's.

namespace limpid::detail {

class EngineTranslation {
 public:
  explicit EngineTranslation(const Capture& capture) : capture_(capture) {
    graph_.same.resize(capture.first().values.size());
    std::iota(graph_.same.begin(), graph_.same.end(), std::size_t{0});
    const auto& operators = capture.operators();
    for (std::size_t i = 0; i < operators.size(); ++i) {
      if (const auto taken = pixel_norm(i); taken > 0) {
        i += taken - 1;
        continue;
      }
      translate(i);
    }
    graph_.input = capture.first().input;
    graph_.output = root(capture.first().outputs.front());
  }

  EngineGraph& graph() { return graph_; }

 private:
  using Sizes = CapturedSizes;

  /// Fewer channels than that are mostly zeros in blocks of sixteen.
  static constexpr std::int64_t kFewChannels = 8;

  std::size_t root(std::size_t value) const {
    while (graph_.same[value] != value) value = graph_.same[value];
    return value;
  }

  static bool is_picture(const Sizes& sizes) {
    return sizes.size() == 4 && sizes[0].is_fixed() && sizes[0].first == 1 && sizes[1].is_fixed();
  }
  static bool is_map(const Sizes& sizes) {
    return is_picture(sizes) && sizes[1].first >= kFewChannels;
  }
  static bool is_per_channel(const Sizes& sizes, std::int64_t channels) {
    return is_picture(sizes) && sizes[1].first == channels && sizes[2] == CapturedSize{1, 1} &&
           sizes[3] == CapturedSize{1, 1};
  }

  EngineNode& push(NodeKind kind, std::vector<std::size_t> inputs, std::size_t i) {
    EngineNode node;
    node.kind = kind;
    for (auto& value : inputs) value = root(value);
    node.inputs = std::move(inputs);
    node.outputs = capture_.operators()[i].outputs;
    node.recorded = i;
    graph_.nodes.push_back(std::move(node));
    return graph_.nodes.back();
  }

  void library(std::size_t i) {
    std::vector<std::size_t> inputs;
    for (const auto& argument : capture_.operators()[i].arguments) {
      for (const auto value : argument.values) {
        if (!capture_.first().values[value].is_constant) inputs.push_back(value);
      }
    }
    push(NodeKind::library, inputs, i);
  }

  void translate(std::size_t i) {
    const auto& name = capture_.operators()[i].name;
    const RecordedArguments arguments{capture_, i};
    if (is_same(name, arguments, i)) {
      const auto from = arguments.value(arguments.is_tensor("self") ? "self" : "input");
      graph_.same[capture_.operators()[i].outputs.front()] = root(from);
      return;
    }
    const bool known =
        arguments.are_fixed() && (convolve(name, arguments, i) || normalise(name, arguments, i) ||
                                  element(name, arguments, i) || arithmetic(name, arguments, i) ||
                                  arrange(name, arguments, i) || parts(name, arguments, i));
    if (!known) library(i);
  }

  bool is_same(std::string_view name, const RecordedArguments& arguments, std::size_t i) const {
    if (name == "dropout") return arguments.number("train", 1) == 0;
    constexpr std::string_view kSame[] = {"to", "contiguous", "detach", "alias", "clone"};
    const auto& output = capture_.first().values[capture_.operators()[i].outputs.front()].tensor;
    return std::find(std::begin(kSame), std::end(kSame), name) != std::end(kSame) &&
           arguments.is_map("self") && output.scalar_type() == at::kFloat;
  }

  bool convolve(std::string_view name, const RecordedArguments& arguments, std::size_t i) {
    const bool transposed = name == "conv_transpose2d";
    if ((name != "conv2d" && !transposed) || !arguments.is_map("input") ||
        !arguments.is_constant("weight") || !is_picture(arguments.sizes("input")) ||
        (arguments.is_tensor("bias") && !arguments.is_constant("bias"))) {
      return false;
    }
    const auto weight = arguments.constant("weight");
    const auto groups = arguments.integer("groups", 1);
    const auto stride = arguments.integers("stride", 2), padding = arguments.integers("padding", 2),
               dilation = arguments.integers("dilation", 2),
               more = arguments.integers("output_padding", 2);
    if (stride.size() != 2 || padding.size() != 2 || dilation.size() != 2) return false;
    if (transposed && (groups != 1 || dilation[0] != 1 || dilation[1] != 1 || more.size() != 2 ||
                       more[0] > padding[0] || more[1] > padding[1])) {
      return false;
    }
    if (groups > 1) {
      const auto in = weight.size(1), out = weight.size(0) / groups;
      const bool deep = in == 1 && out == 1 && groups % kLanes == 0;
      if (!deep && (in % kLanes != 0 || out % kLanes != 0)) return false;
    }
    auto& node = push(transposed ? NodeKind::transposed : NodeKind::convolution,
                      {arguments.value("input")}, i);
    node.weight = weight;
    node.bias = arguments.constant("bias");
    node.groups = groups;
    std::copy(stride.begin(), stride.end(), node.stride.begin());
    std::copy(padding.begin(), padding.end(), node.padding.begin());
    std::copy(dilation.begin(), dilation.end(), node.dilation.begin());
    if (transposed) std::copy(more.begin(), more.end(), node.output_padding.begin());
    return true;
  }

  bool normalise(std::string_view name, const RecordedArguments& arguments, std::size_t i) {
    const bool batch = name == "batch_norm", instance = name == "instance_norm";
    if ((!batch && !instance) || !arguments.is_map("input") || !is_map(arguments.sizes("input")) ||
        arguments.is_map("weight") || arguments.is_map("bias")) {
      return false;
    }
    const auto weight = arguments.constant("weight"), bias = arguments.constant("bias");
    if (instance && arguments.number("use_input_stats", 0) != 0) {
      auto& node = push(NodeKind::instance_norm, {arguments.value("input")}, i);
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
    affine(arguments.value("input"), scale, shift, i);
    return true;
  }

  void affine(std::size_t input, const at::Tensor& scale, const at::Tensor& shift, std::size_t i) {
    auto& node = push(NodeKind::affine, {input}, i);
    node.weight = scale.to(at::kDouble).contiguous();
    node.bias = shift.to(at::kDouble).contiguous();
  }

  bool element(std::string_view name, const RecordedArguments& arguments, std::size_t i) {
    if (!arguments.is_map("self") || !is_map(arguments.sizes("self"))) return false;
    constexpr std::pair<std::string_view, Element> kElements[] = {
        {"relu", Element::relu},       {"leaky_relu", Element::leaky_relu},
        {"tanh", Element::tanh},       {"sigmoid", Element::sigmoid},
        {"silu", Element::silu},       {"gelu", Element::gelu},
        {"clamp", Element::clamp},     {"hardtanh", Element::clamp},
        {"clamp_min", Element::clamp}, {"clamp_max", Element::clamp},
        {"relu6", Element::clamp}};
    const auto* found = std::find_if(std::begin(kElements), std::end(kElements),
                                     [&](const auto& entry) { return entry.first == name; });
    if (found == std::end(kElements) || arguments.is_tensor("min") || arguments.is_tensor("max") ||
        (name == "gelu" && arguments.text("approximate") == "tanh")) {
      return false;
    }
    auto& node = push(NodeKind::element, {arguments.value("self")}, i);
    node.element = found->second;
    if (name == "leaky_relu") {
      node.alpha = static_cast<float>(arguments.number("negative_slope", 0.01));
    } else if (name == "relu6") {
      node.beta = 6;
    } else if (found->second == Element::clamp) {
      const bool hard = name == "hardtanh";
      constexpr double kMost = std::numeric_limits<float>::max();
      node.alpha = static_cast<float>(arguments.number(hard ? "min_val" : "min", -kMost));
      node.beta = static_cast<float>(arguments.number(hard ? "max_val" : "max", kMost));
    }
    return true;
  }

  /// A constant, or a number, as one number for each channel; nothing where it is none of these.
  std::optional<at::Tensor> per_channel(const RecordedArguments& arguments, std::string_view name,
                                        std::int64_t channels) const {
    const auto all = [&](double value) { return at::full({channels}, value, at::kDouble); };
    if (arguments.has(name)) return all(arguments.number(name, 0));
    if (!arguments.is_constant(name)) return std::nullopt;
    const auto constant = arguments.constant(name);
    if (constant.numel() == 1) return all(constant.to(at::kDouble).item<double>());
    const bool fits = constant.numel() == channels && constant.dim() >= 3 &&
                      constant.size(-1) == 1 && constant.size(-2) == 1;
    if (!fits) return std::nullopt;
    return constant.to(at::kDouble).reshape({channels});
  }

  bool arithmetic(std::string_view name, const RecordedArguments& arguments, std::size_t i) {
    const bool adds = name == "add", subtracts = name == "sub", multiplies = name == "mul",
               divides = name == "div";
    if (!(adds || subtracts || multiplies || divides) || !arguments.is_tensor("self") ||
        arguments.has("rounding_mode")) {
      return false;
    }
    if ((adds || subtracts) && arguments.number("alpha", 1) != 1) return false;
    if (arguments.is_map("self") && arguments.is_map("other")) {
      auto one = arguments.value("self"), two = arguments.value("other");
      const auto first = capture_.sizes(one), second = capture_.sizes(two);
      if (divides || !is_picture(first) || !is_picture(second)) return false;
      if (first == second && is_map(first)) {
        auto& node = push(multiplies ? NodeKind::multiply : NodeKind::add, {one, two}, i);
        node.alpha = subtracts ? -1 : 1;
        return true;
      }
      if (!multiplies) return false;
      if (is_map(first) && is_per_channel(second, first[1].first)) {
        push(NodeKind::scale, {one, two}, i);
        return true;
      }
      if (is_map(second) && is_per_channel(first, second[1].first)) {
        push(NodeKind::scale, {two, one}, i);
        return true;
      }
      return false;
    }
    const bool turned = arguments.is_constant("self");
    const std::string_view map = turned ? "other" : "self", by = turned ? "self" : "other";
    if (!arguments.is_map(map) || !is_map(arguments.sizes(map)) || (turned && divides)) {
      return false;
    }
    const auto constant = per_channel(arguments, by, arguments.sizes(map)[1].first);
    if (!constant) return false;
    const auto one = at::ones_like(*constant), none = at::zeros_like(*constant);
    const auto value = arguments.value(map);
    if (multiplies) {
      affine(value, *constant, none, i);
    } else if (divides) {
      affine(value, one / *constant, none, i);
    } else if (adds) {
      affine(value, one, *constant, i);
    } else if (turned) {
      affine(value, -one, *constant, i);
    } else {
      affine(value, one, -*constant, i);
    }
    return true;
  }

  bool arrange(std::string_view name, const RecordedArguments& arguments, std::size_t i) {
    if (!arguments.is_map("self") || !is_map(arguments.sizes("self"))) return false;
    const auto self = arguments.value("self");
    if (name == "mean") {
      auto dims = arguments.integers("dim");
      for (auto& dim : dims) dim = dim < 0 ? dim + 4 : dim;
      std::sort(dims.begin(), dims.end());
      if (dims != std::vector<std::int64_t>{2, 3} || arguments.number("keepdim", 0) == 0) {
        return false;
      }
      push(NodeKind::means, {self}, i);
      return true;
    }
    if (name == "adaptive_avg_pool2d") {
      if (arguments.integers("output_size", 2) != std::vector<std::int64_t>{1, 1}) return false;
      push(NodeKind::means, {self}, i);
      return true;
    }
    if (name == "pixel_shuffle") {  // fused or given back later
      auto& node = push(NodeKind::shuffle_blocks, {self}, i);
      node.factor = arguments.integer("upscale_factor", 1);
      return true;
    }
    return pad(name, arguments, i);
  }

  bool pad(std::string_view name, const RecordedArguments& arguments, std::size_t i) {
    // LibTorch's modes: 0 constant, 1 reflect, 2 replicate
    const auto mode = name == "_pad_enum" ? arguments.integer("mode", -1) : -1;
    const bool zeros = name == "constant_pad_nd" || mode == 0,
               reflects = name == "reflection_pad2d" || mode == 1,
               repeats = name == "replication_pad2d" || mode == 2;
    if (!zeros && !reflects && !repeats) return false;
    const auto sides = arguments.integers(arguments.has("pad") ? "pad" : "padding");
    if (sides.size() != 4 || (zeros && arguments.number("value", 0) != 0) ||
        std::any_of(sides.begin(), sides.end(), [](auto side) { return side < 0; })) {
      return false;
    }
    auto& node = push(NodeKind::pad, {arguments.value("self")}, i);
    node.border = {sides[0], sides[1], sides[2], sides[3],
                   zeros      ? Border::Kind::zeros
                   : reflects ? Border::Kind::reflect
                              : Border::Kind::replicate};
    return true;
  }

  bool parts(std::string_view name, const RecordedArguments& arguments, std::size_t i) {
    if (name == "cat") {
      const auto& values = arguments.values("tensors");
      for (std::size_t k = 0; k < values.size(); ++k) {
        if (capture_.first().values[values[k]].is_constant) return false;
        const auto sizes = capture_.sizes(values[k]);
        if (!is_map(sizes) || (k + 1 < values.size() && sizes[1].first % kLanes != 0)) return false;
      }
      if (arguments.integer("dim", 0) != 1) return false;
      push(NodeKind::concatenate, values, i);
      return true;
    }
    constexpr std::string_view kParts[] = {"narrow", "slice", "chunk", "split", "split_with_sizes"};
    if (std::find(std::begin(kParts), std::end(kParts), name) == std::end(kParts) ||
        !arguments.is_map("self") || !is_map(arguments.sizes("self"))) {
      return false;
    }
    auto dim = arguments.integer("dim", 0);
    if (dim < 0) dim += 4;
    if (dim != 1 || arguments.integer("step", 1) != 1) return false;
    const auto channels = arguments.sizes("self")[1].first;
    auto begin = arguments.integer("start", 0);
    if (begin < 0) begin += channels;
    const auto outputs = capture_.operators()[i].outputs;
    std::vector<std::int64_t> begins;
    for (const auto output : outputs) {
      const auto count = capture_.sizes(output)[1].first;
      const bool ends = begin + count == channels;
      if (begin % kLanes != 0 || (!ends && count % kLanes != 0) || count < kFewChannels) {
        return false;
      }
      begins.push_back(begin);
      begin += count;
    }
    for (std::size_t k = 0; k < outputs.size(); ++k) {
      auto& node = push(NodeKind::channels, {arguments.value("self")}, i);
      node.outputs = {outputs[k]};
      node.begin = begins[k];
    }
    return true;
  }

  /// The operators that `LayerNorm2d` and `BiasFreeLayerNorm2d` consist of; how many those are.
  std::size_t pixel_norm(std::size_t i) {
    constexpr std::string_view kSteps[] = {"mean", "sub", "square", "mean", "add", "rsqrt", "mul"};
    constexpr std::size_t kCount = std::size(kSteps) + 1;
    const auto& operators = capture_.operators();
    if (i + kCount > operators.size()) return 0;
    std::vector<RecordedArguments> steps;
    for (std::size_t k = 0; k < kCount; ++k) {
      if (k < std::size(kSteps) && operators[i + k].name != kSteps[k]) return 0;
      steps.emplace_back(capture_, i + k);
      if (!steps.back().are_fixed()) return 0;
    }
    const auto out = [&](std::size_t k) { return operators[i + k].outputs.front(); };
    const auto takes = [&](std::size_t k, std::string_view name, std::size_t value) {
      return steps[k].is_map(name) && root(steps[k].value(name)) == root(value);
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
    if (!weight || !bias || is_used_beyond(i, i + kCount)) return 0;
    auto& node = push(NodeKind::pixel_norm, {input}, i);
    node.outputs = {out(7)};
    node.weight = *weight;
    node.bias = *bias;
    node.epsilon = epsilon->item<double>();
    node.centred = centred;
    return kCount;
  }

  /// Whether something takes what operators `first` ... `end` - 2 make, other than these.
  bool is_used_beyond(std::size_t first, std::size_t end) const {
    const auto& operators = capture_.operators();
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

  const Capture& capture_;
  EngineGraph graph_;
};

}  // namespace limpid::detail
