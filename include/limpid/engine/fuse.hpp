#pragma once

#include <limpid/engine/nodes.hpp>

#include <ATen/TensorOperators.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace limpid::detail {

/// Makes one node of several that follow each other, so that maps are written and read less often:
/// scales and batch norms go into the weights of convolutions; relu, additions and borders into
/// what comes before them.
class EngineFusion {
 public:
  explicit EngineFusion(EngineGraph& graph) : graph_(graph), gone_(graph.nodes.size()) {
    for (std::size_t i = 0; i < graph_.nodes.size(); ++i) {
      if (!gone_[i]) fuse_next(i);
    }
    auto& nodes = graph_.nodes;
    std::vector<EngineNode> left;
    for (std::size_t i = 0; i < nodes.size(); ++i) {
      if (gone_[i]) continue;
      if (nodes[i].kind == NodeKind::shuffle_blocks && nodes[i].begin == 0) {
        nodes[i].kind = NodeKind::library;  // what comes before has its channels as LibTorch has
      }
      left.push_back(std::move(nodes[i]));
    }
    nodes = std::move(left);
  }

 private:
  static bool takes(const EngineNode& node, std::size_t value) {
    return std::find(node.inputs.begin(), node.inputs.end(), value) != node.inputs.end() ||
           node.added == value;
  }

  /// The only node that takes `value`; `nodes.size()` where there are others, or none.
  std::size_t only_user(std::size_t value) const {
    const auto none = graph_.nodes.size();
    if (value == graph_.output) return none;
    auto found = none;
    for (std::size_t i = 0; i < none; ++i) {
      if (gone_[i] || !takes(graph_.nodes[i], value)) continue;
      if (found != none) return none;
      found = i;
    }
    return found;
  }

  /// Takes the next node into node `i`, which goes to the other's place: its turn comes there.
  void fuse_next(std::size_t i) {
    auto& node = graph_.nodes[i];
    const bool convolves = node.kind == NodeKind::convolution,
               turns = node.kind == NodeKind::transposed,
               passes = node.kind == NodeKind::instance_norm || node.kind == NodeKind::affine;
    if (!convolves && !turns && !passes) return;
    const auto value = node.outputs.front();
    const auto j = only_user(value);
    if (j == graph_.nodes.size() || !node.border.empty()) return;
    auto& next = graph_.nodes[j];
    switch (next.kind) {
      case NodeKind::affine:
        if (passes || node.relu || node.added || next.relu || next.added || !next.border.empty()) {
          return;
        }
        scale_outputs(node, next.weight, next.bias);
        break;
      case NodeKind::element:
        if (turns || next.element != Element::relu || node.relu) return;
        node.relu = true;
        break;
      case NodeKind::add: {
        if (turns || node.relu || node.added || next.alpha != 1) return;
        const auto other = next.inputs[next.inputs[0] == value ? 1 : 0];
        if (other == value) return;
        node.added = other;
        break;
      }
      case NodeKind::pad:
        if (!passes) return;
        node.border = next.border;
        break;
      case NodeKind::shuffle_blocks: {
        const auto parts = next.factor * next.factor;
        const auto out = node.weight.size(0) / parts;
        if (!convolves || node.added || node.groups != 1 || next.begin != 0 || out % kLanes != 0) {
          return;
        }
        order_by_parts(node, parts);
        next.begin = 1;
        return;
      }
      default:
        return;
    }
    auto outputs = next.outputs;
    auto merged = std::move(node);
    merged.outputs = std::move(outputs);
    gone_[i] = true;
    graph_.nodes[j] = std::move(merged);
  }

  static void scale_outputs(EngineNode& node, const at::Tensor& scale, const at::Tensor& shift) {
    auto sizes = std::vector<std::int64_t>(4, 1);
    sizes[node.kind == NodeKind::transposed ? 1 : 0] = -1;
    node.weight = (node.weight.to(at::kDouble) * scale.view(sizes)).to(at::kFloat);
    node.bias = (node.bias.defined() ? node.bias * scale + shift : shift).to(at::kFloat);
  }

  /// Channel c `parts` + k becomes channel k C + c.
  static void order_by_parts(EngineNode& node, std::int64_t parts) {
    const auto sorted = [&](const at::Tensor& of) {
      auto sizes = of.sizes().vec();
      return of.unflatten(0, {sizes[0] / parts, parts}).transpose(0, 1).reshape(sizes).contiguous();
    };
    node.weight = sorted(node.weight);
    if (node.bias.defined()) node.bias = sorted(node.bias);
  }

  EngineGraph& graph_;
  std::vector<bool> gone_;
};

}  // namespace limpid::detail
