#pragma once

#if LIMPID_WITH_ONEDNN

#include <limpid/core/fail.hpp>
#include <limpid/core/whole_maps.hpp>
#include <limpid/engine/arena.hpp>
#include <limpid/engine/blocked_maps.hpp>
#include <limpid/engine/nodes.hpp>
#include <limpid/engine/picture_size.hpp>
#include <limpid/kernels/onednn.hpp>

#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>
#include <c10/util/Exception.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace limpid::detail {

/// What the steps of one run work on.
struct EngineRun {
  HugeBlock block;
  std::vector<at::Tensor> tensors;  ///< by value
  WholeMaps* whole = nullptr;       ///< what is known of the picture, while this is a part of one
};

using EngineStep = std::function<void(EngineRun&)>;

/// Where the blocked numbers of a value lie.
struct MapPlace {
  std::optional<std::size_t> piece{};
  std::size_t offset = 0;  ///< in it
};

/// Whether oneDNN has only plain loops for what it was asked, which are far slower than all else.
/// @param kernel  as oneDNN names it, such as "jit:avx512_core" or "ref:any"
inline bool is_reference(std::string_view kernel) { return kernel.find("ref") != kernel.npos; }

/// How a plan is made.
struct PlanKind {
  bool half = false;   ///< maps are kept in bfloat16 where `PlanLayout::is_half` says so
  bool roomy = false;  ///< fast ways may take much more memory than the maps
};

/// The steps for pictures of one size, laid out node after node: in which layout each value is
/// there, as a tensor or in blocks, and how long its place in memory is needed.
class PlanLayout {
 public:
  using Layout = dnnl::memory::desc;

  /// @throws c10::Error where sizes do not follow from the picture's.
  PlanLayout(const Capture& capture, const EngineGraph& graph, const PictureSize& size,
             PlanKind kind)
      : kind_(kind), input_(graph.input) {
    const auto values = capture.first().values.size();
    places_.resize(values);
    has_tensor_.resize(values);
    last_node_.resize(values);
    sizes_.resize(values);
    const auto learn = [&](std::size_t value) { sizes_[value] = size.of(capture.sizes(value)); };
    learn(graph.input);
    for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
      for (const auto value : graph.nodes[i].inputs) last_node_[value] = i;
      if (const auto added = graph.nodes[i].added) last_node_[*added] = i;
      for (const auto value : graph.nodes[i].outputs) learn(value);
    }
    last_node_[graph.output] = graph.nodes.size();
    has_tensor_[graph.input] = true;
  }
  PlanLayout(const PlanLayout&) = delete;  // steps know where it is
  PlanLayout& operator=(const PlanLayout&) = delete;

  /// What follows is done for this node.
  void begin(std::size_t node) { node_ = node; }
  std::size_t node() const { return node_; }

  void add(EngineStep step) { steps_.push_back(std::move(step)); }
  const std::vector<EngineStep>& steps() const { return steps_; }

  const std::vector<std::int64_t>& sizes(std::size_t value) const { return sizes_[value]; }
  std::size_t values() const { return sizes_.size(); }

  /// Whether the blocked numbers of a value are bfloat16: not those of a picture, which would lose
  /// levels of its 8 bits, nor those of a mean.
  bool is_half(std::size_t value) const {
    const auto& sizes = sizes_[value];
    return kind_.half && sizes.size() == 4 && sizes[1] > 3 && sizes[2] * sizes[3] > 1;
  }
  dnnl::memory::data_type type(std::size_t value) const {
    return is_half(value) ? dnnl::memory::data_type::bf16 : dnnl::memory::data_type::f32;
  }
  std::size_t number_bytes(std::size_t value) const { return is_half(value) ? 2 : 4; }

  Layout blocked(std::size_t value) const {
    return {dnnl::memory::dims(sizes_[value].begin(), sizes_[value].end()), type(value),
            dnnl::memory::format_tag::nChw16c};
  }
  /// The same, where channels beyond the last count as channels.
  Layout whole_blocks(std::size_t value) const {
    const auto& sizes = sizes_[value];
    const auto channels = (sizes[1] + kLanes - 1) / kLanes * kLanes;
    return {
        {sizes[0], channels, sizes[2], sizes[3]}, type(value), dnnl::memory::format_tag::nChw16c};
  }
  Layout plain(std::size_t value,
               dnnl::memory::data_type type = dnnl::memory::data_type::f32) const {
    return {dnnl::memory::dims(sizes_[value].begin(), sizes_[value].end()), type,
            dnnl::memory::format_tag::nchw};
  }
  std::size_t blocked_bytes(std::size_t value) const {
    const auto& sizes = sizes_[value];
    return static_cast<std::size_t>((sizes[1] + kLanes - 1) / kLanes * kLanes * sizes[2] *
                                    sizes[3]) *
           number_bytes(value);
  }

  /// @name while steps run
  /// @{
  std::byte* numbers(const EngineRun& run, const MapPlace& place) const {
    return run.block.data() + pieces_[*place.piece].offset + place.offset;
  }
  std::byte* numbers(const EngineRun& run, std::size_t value) const {
    return numbers(run, places_[value]);
  }
  /// Of a value that is not half.
  float* floats(const EngineRun& run, std::size_t value) const {
    return reinterpret_cast<float*>(numbers(run, value));
  }
  BlockedMap map(const EngineRun& run, std::size_t value) const {
    const auto& sizes = sizes_[value];
    return {numbers(run, value), sizes[1], sizes[2], sizes[3], is_half(value)};
  }
  /// @}

  const MapPlace& place(std::size_t value) const { return places_[value]; }
  void put(std::size_t value, const MapPlace& place) { places_[value] = place; }
  MapPlace new_piece(std::size_t bytes) {
    pieces_.push_back({bytes, steps_.size(), steps_.size()});
    return {pieces_.size() - 1, 0};
  }
  void new_output(std::size_t value) { places_[value] = new_piece(blocked_bytes(value)); }

  /// The next step needs what lies there.
  void touch(const MapPlace& place) { pieces_[*place.piece].last = steps_.size(); }
  void touch(std::size_t value) { touch(places_[value]); }

  /// Whether the numbers of `value` may be overwritten by this node.
  bool is_last_use(std::size_t value) const {
    const auto& place = places_[value];
    if (!place.piece || place.offset != 0) return false;
    if (pieces_[*place.piece].bytes != blocked_bytes(value)) return false;
    for (std::size_t other = 0; other < places_.size(); ++other) {
      if (places_[other].piece == place.piece && last_node_[other] > node_) return false;
    }
    return true;
  }

  /// A place for what is computed number by number from `from`: the same where that is possible.
  void output_over(std::size_t value, std::size_t from) {
    if (sizes_[value] == sizes_[from] && is_last_use(from)) {
      places_[value] = places_[from];
    } else {
      new_output(value);
    }
  }

  void need_blocked(std::size_t value) {
    if (places_[value].piece) return;
    TORCH_CHECK(has_tensor_[value], "a map is not there");
    new_output(value);
    reorder(value, /*to_blocks=*/true);
  }

  void need_tensor(std::size_t value) {
    if (has_tensor_[value]) return;
    TORCH_CHECK(places_[value].piece, "a map is not there");
    has_tensor_[value] = true;
    reorder(value, /*to_blocks=*/false);
  }

  /// The next step puts a tensor there.
  void makes_tensor(std::size_t value) { has_tensor_[value] = true; }

  /// Lets go of tensors that nobody takes after this node.
  void release(const EngineNode& node) {
    std::vector<std::size_t> done;
    const auto check = [&](std::size_t value) {
      if (has_tensor_[value] && last_node_[value] == node_ && value != input_) {
        done.push_back(value);
      }
    };
    for (const auto value : node.inputs) check(value);
    if (node.added) check(*node.added);
    if (done.empty()) return;
    add([done = std::move(done)](EngineRun& run) {
      for (const auto value : done) run.tensors[value].reset();
    });
  }

  /// A primitive becomes a step.
  /// @param kernel  by which oneDNN computes it, as it says itself
  /// @throws c10::Error where that is its reference: then the network itself is faster.
  void take(const char* kernel) {
    TORCH_CHECK(!is_reference(kernel), "oneDNN has no fast kernel for a step: '", kernel, "'");
    kernels_.emplace_back(kernel);
  }

  bool is_roomy() const { return kind_.roomy; }
  /// A step could have been faster in a roomy plan.
  void miss_room() { lacks_room_ = true; }
  bool lacks_room() const { return lacks_room_; }

  /// By what oneDNN computes the steps, in its own words.
  const std::vector<std::string>& kernels() const { return kernels_; }

  /// When all nodes are laid out: gives each map its place.
  /// @return the bytes of all
  std::size_t arrange() { return plan_arena(pieces_); }

 private:
  void reorder(std::size_t value, bool to_blocks) {
    touch(value);
    const auto in_blocks = blocked(value), as_tensor = plain(value);
    const auto& engine = onednn_engine();
    const auto made = to_blocks
                          ? dnnl::reorder::primitive_desc{engine, as_tensor, engine, in_blocks}
                          : dnnl::reorder::primitive_desc{engine, in_blocks, engine, as_tensor};
    take(made.impl_info_str());
    const dnnl::reorder primitive{made};
    add([=, this](EngineRun& run) {
      auto& tensor = run.tensors[value];
      if (!to_blocks) tensor = at::empty(sizes_[value], at::kFloat);
      const auto there = tensor.contiguous();
      dnnl::memory one{as_tensor, onednn_engine(), there.data_ptr()};
      dnnl::memory two{in_blocks, onednn_engine(), numbers(run, value)};
      dnnl::reorder{primitive}.execute(onednn_stream(), to_blocks ? one : two,
                                       to_blocks ? two : one);
    });
  }

  PlanKind kind_;
  bool lacks_room_ = false;
  std::size_t input_;
  std::size_t node_ = 0;
  std::vector<MapPlace> places_;                  // by value
  std::vector<bool> has_tensor_;                  // by value
  std::vector<std::size_t> last_node_;            // that takes a value
  std::vector<std::vector<std::int64_t>> sizes_;  // by value
  std::vector<ArenaPiece> pieces_;
  std::vector<EngineStep> steps_;
  std::vector<std::string> kernels_;
};

}  // namespace limpid::detail

#endif
