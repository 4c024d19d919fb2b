#pragma once

#if LIMPID_WITH_ONEDNN

#include <limpid/core/whole_maps.hpp>
#include <limpid/engine/arena.hpp>
#include <limpid/engine/convolution_step.hpp>
#include <limpid/engine/library_call.hpp>
#include <limpid/engine/loop_step.hpp>
#include <limpid/engine/nodes.hpp>
#include <limpid/engine/picture_size.hpp>
#include <limpid/engine/plan_layout.hpp>
#include <limpid/engine/prepared_weights.hpp>
#include <limpid/engine/primitive_step.hpp>

#include <ATen/core/Tensor.h>
#include <c10/util/Exception.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace limpid::detail {

/// A network made ready for pictures of one size: which step computes what, where maps lie, and
/// oneDNN's primitives. Any number of threads may run one at once.
class EnginePlan {
 public:
  /// @param weights  in oneDNN's layouts, shared by the plans of a network
  /// @throws c10::Error or dnnl::error where something cannot be prepared.
  EnginePlan(const Capture& capture, const EngineGraph& graph, PreparedWeights& weights,
             std::int64_t height, std::int64_t width, PlanKind kind)
      : capture_(capture),
        graph_(graph),
        size_(capture, height, width),
        layout_(capture, graph, size_, kind) {
    for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
      layout_.begin(i);
      add(graph.nodes[i], weights);
      layout_.release(graph.nodes[i]);
    }
    layout_.need_tensor(graph.output);
    bytes_ = layout_.arrange();
  }

  /// (1, 3, H, W) -> what the network makes of it.
  /// @param blocks  from which the memory comes
  /// @param whole   what is known of the picture that `image` is a part of, or null
  /// @throws FarEnough, where `whole` does.
  at::Tensor run(const at::Tensor& image, HugeBlocks& blocks, WholeMaps* whole) const {
    struct Borrowed : EngineRun {
      ~Borrowed() { owner.give(std::move(block)); }
      HugeBlocks& owner;
    } run{{blocks.take(bytes_), std::vector<at::Tensor>(layout_.values()), whole}, blocks};
    run.tensors[graph_.input] = image;
    for (const auto& step : layout_.steps()) step(run);
    return std::move(run.tensors[graph_.output]);
  }

  /// Of the maps that it computes itself.
  std::size_t bytes() const { return bytes_; }

  /// Whether a roomy plan would have faster steps.
  bool lacks_room() const { return layout_.lacks_room(); }

  /// By what oneDNN computes the steps that are its own, in its words; never its reference.
  const std::vector<std::string>& kernels() const { return layout_.kernels(); }

  /// The nodes that LibTorch computes, because the graph says so or for want of a fast kernel.
  const std::vector<std::size_t>& by_library() const { return by_library_; }

 private:
  void add(const EngineNode& node, PreparedWeights& weights) {
    switch (node.kind) {
      case NodeKind::library:
        by_library_.push_back(layout_.node());
        return call_library(node);
      case NodeKind::convolution:
      case NodeKind::transposed:
        if (!add_convolution(layout_, node, weights)) by_library_.push_back(layout_.node());
        return;
      case NodeKind::channels:
        return look_into(node);
      case NodeKind::element:
        return add_element(layout_, node);
      default:
        return add_loop(layout_, node, weights);
    }
  }

  /// Some channels of a map are where they are.
  void look_into(const EngineNode& node) {
    const auto input = node.inputs.front();
    layout_.need_blocked(input);
    const auto& sizes = layout_.sizes(input);
    auto place = layout_.place(input);
    place.offset +=
        static_cast<std::size_t>(node.begin * sizes[2] * sizes[3]) * layout_.number_bytes(input);
    layout_.put(node.outputs.front(), place);
  }

  void call_library(const EngineNode& node) {
    for (const auto value : node.inputs) layout_.need_tensor(value);
    for (const auto output : node.outputs) layout_.makes_tensor(output);
    const auto& recorded = capture_.operators()[node.recorded];
    // Arguments are named as captured; what they are other names of is where the tensors are.
    std::vector<std::pair<std::size_t, std::size_t>> names;
    for (const auto& argument : recorded.arguments) {
      for (const auto value : argument.values) {
        auto root = value;
        while (graph_.same[root] != root) root = graph_.same[root];
        if (root != value) names.emplace_back(value, root);
      }
    }
    const auto call = std::make_shared<const LibraryCall>(capture_, node.recorded, size_);
    layout_.add([this, call, names, outputs = node.outputs](EngineRun& run) {
      for (const auto& [name, root] : names) run.tensors[name] = run.tensors[root];
      const auto made = (*call)(run.tensors);
      for (const auto& [name, root] : names) run.tensors[name].reset();
      TORCH_CHECK(made.size() == outputs.size(), "an operator made another number of tensors");
      for (std::size_t i = 0; i < outputs.size(); ++i) {
        TORCH_CHECK(made[i].sizes() == at::IntArrayRef{layout_.sizes(outputs[i])} &&
                        made[i].scalar_type() == at::kFloat,
                    "an operator made a tensor of other sizes");
        run.tensors[outputs[i]] = made[i];
      }
    });
  }

  const Capture& capture_;
  const EngineGraph& graph_;
  PictureSize size_;
  PlanLayout layout_;
  std::vector<std::size_t> by_library_;
  std::size_t bytes_ = 0;
};

}  // namespace limpid::detail

#endif
