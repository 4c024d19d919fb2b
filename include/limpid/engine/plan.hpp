#pragma once

#if LIMPID_WITH_ONEDNN

#include <limpid/engine/arena.hpp>
#include <limpid/engine/blocked_maps.hpp>
#include <limpid/engine/library_call.hpp>
#include <limpid/engine/nodes.hpp>
#include <limpid/engine/picture_size.hpp>
#include <limpid/engine/prepared_weights.hpp>
#include <limpid/kernels/onednn.hpp>
#include <limpid/kernels/winograd_rule.hpp>

#include <ATen/core/Tensor.h>
#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/zeros.h>
#include <c10/util/Exception.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <memory>
#include <optional>
#include <unordered_map>
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
             std::int64_t height, std::int64_t width)
      : capture_(capture), graph_(graph), weights_(weights), size_(capture, height, width) {
    const auto values = capture.first().values.size();
    places_.resize(values);
    has_tensor_.resize(values);
    last_node_.resize(values);
    sizes_.resize(values);
    for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
      for (const auto value : graph.nodes[i].inputs) last_node_[value] = i;
      if (const auto added = graph.nodes[i].added) last_node_[*added] = i;
    }
    last_node_[graph.output] = graph.nodes.size();
    has_tensor_[graph.input] = true;
    sizes_[graph.input] = size_.of(capture.sizes(graph.input));
    for (node_ = 0; node_ < graph.nodes.size(); ++node_) {
      const auto& node = graph.nodes[node_];
      for (const auto output : node.outputs) sizes_[output] = size_.of(capture.sizes(output));
      prepare(node);
      release(node);
    }
    need_tensor(graph.output);
    bytes_ = plan_arena(pieces_);
  }

  /// (1, 3, H, W) -> what the network makes of it.
  /// @param blocks  from which the memory comes
  at::Tensor run(const at::Tensor& image, HugeBlocks& blocks) const {
    Run run{blocks.take(bytes_), std::vector<at::Tensor>(sizes_.size())};
    run.tensors[graph_.input] = image;
    for (const auto& step : steps_) step(run);
    auto output = std::move(run.tensors[graph_.output]);
    run.tensors.clear();
    blocks.give(std::move(run.block));
    return output;
  }

  /// Of the maps that it computes itself.
  std::size_t bytes() const { return bytes_; }

 private:
  struct Run {
    HugeBlock block;
    std::vector<at::Tensor> tensors;  // by value
  };
  using Step = std::function<void(Run&)>;
  using Layout = dnnl::memory::desc;

  /// Where the blocked numbers of a value lie.
  struct Place {
    std::optional<std::size_t> piece{};
    std::size_t offset = 0;  // in it
  };

  /// What a primitive takes or makes.
  struct Bound {
    int argument;
    Place place;
    Layout layout;
  };

  static std::size_t blocked_bytes(const std::vector<std::int64_t>& sizes) {
    return static_cast<std::size_t>((sizes[1] + kLanes - 1) / kLanes * kLanes * sizes[2] *
                                    sizes[3]) *
           sizeof(float);
  }
  Layout blocked_layout(std::size_t value) const {
    return {dnnl::memory::dims(sizes_[value].begin(), sizes_[value].end()),
            dnnl::memory::data_type::f32, dnnl::memory::format_tag::nChw16c};
  }
  Layout plain_layout(std::size_t value) const {
    return {dnnl::memory::dims(sizes_[value].begin(), sizes_[value].end()),
            dnnl::memory::data_type::f32, dnnl::memory::format_tag::nchw};
  }

  float* numbers(const Run& run, const Place& place) const {
    return reinterpret_cast<float*>(run.block.data() + pieces_[*place.piece].offset + place.offset);
  }
  BlockedMap map(const Run& run, std::size_t value) const {
    const auto& sizes = sizes_[value];
    return {numbers(run, places_[value]), sizes[1], sizes[2], sizes[3]};
  }

  Place new_piece(std::size_t bytes) {
    pieces_.push_back({bytes, steps_.size(), steps_.size()});
    return {pieces_.size() - 1, 0};
  }
  void touch(const Place& place) { pieces_[*place.piece].last = steps_.size(); }

  /// Whether the numbers of `value` may be overwritten by this node.
  bool is_last_use(std::size_t value) const {
    const auto& place = places_[value];
    if (!place.piece || place.offset != 0) return false;
    if (pieces_[*place.piece].bytes != blocked_bytes(sizes_[value])) return false;
    for (std::size_t other = 0; other < places_.size(); ++other) {
      if (places_[other].piece == place.piece && last_node_[other] > node_) return false;
    }
    return true;
  }

  void new_output(std::size_t value) { places_[value] = new_piece(blocked_bytes(sizes_[value])); }

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

  void reorder(std::size_t value, bool to_blocks) {
    touch(places_[value]);
    const auto blocked = blocked_layout(value), plain = plain_layout(value);
    const auto& engine = onednn_engine();
    dnnl::reorder primitive{to_blocks
                                ? dnnl::reorder::primitive_desc{engine, plain, engine, blocked}
                                : dnnl::reorder::primitive_desc{engine, blocked, engine, plain}};
    steps_.push_back([=, this](Run& run) {
      auto& tensor = run.tensors[value];
      if (!to_blocks) tensor = at::empty(sizes_[value], at::kFloat);
      const auto there = tensor.contiguous();
      dnnl::memory one{plain, onednn_engine(), there.data_ptr()};
      dnnl::memory two{blocked, onednn_engine(), numbers(run, places_[value])};
      dnnl::reorder{primitive}.execute(onednn_stream(), to_blocks ? one : two,
                                       to_blocks ? two : one);
    });
  }

  /// Tensors that nobody takes any more.
  void release(const EngineNode& node) {
    std::vector<std::size_t> done;
    const auto check = [&](std::size_t value) {
      if (has_tensor_[value] && last_node_[value] == node_ && value != graph_.input) {
        done.push_back(value);
      }
    };
    for (const auto value : node.inputs) check(value);
    if (node.added) check(*node.added);
    if (done.empty()) return;
    steps_.push_back([done = std::move(done)](Run& run) {
      for (const auto value : done) run.tensors[value].reset();
    });
  }

  void prepare(const EngineNode& node) {
    if (node.kind == NodeKind::library) return call_library(node);
    const auto input = node.inputs.front(), output = node.outputs.front();
    const bool convolves = node.kind == NodeKind::convolution || node.kind == NodeKind::transposed;
    if (convolves) return convolve(node);
    for (const auto value : node.inputs) need_blocked(value);
    if (node.added) need_blocked(*node.added);
    if (node.kind == NodeKind::channels) {
      const auto& sizes = sizes_[input];
      const auto bytes = static_cast<std::size_t>(node.begin * sizes[2] * sizes[3]) * sizeof(float);
      places_[output] = {places_[input].piece, places_[input].offset + bytes};
      return;
    }
    if (node.kind == NodeKind::element) return apply_element(node);
    const bool over = node.border.empty() && node.kind != NodeKind::means &&
                      node.kind != NodeKind::concatenate && node.kind != NodeKind::shuffle_blocks;
    if (over) {
      output_over(output, input);
    } else {
      new_output(output);
    }
    for (const auto value : node.inputs) touch(places_[value]);
    if (node.added) touch(places_[*node.added]);
    touch(places_[output]);
    steps_.push_back(loop(node));
  }

  /// What a node does by loops over blocks.
  Step loop(const EngineNode& node) {
    const auto input = node.inputs.front(), output = node.outputs.front();
    const auto channels = sizes_[input][1];
    const auto how = [this, &node](const Run& run) {
      BlockedAffine how;
      if (node.added) how.added = numbers(run, places_[*node.added]);
      how.relu = node.relu;
      how.border = node.border;
      return how;
    };
    switch (node.kind) {
      case NodeKind::affine: {
        const auto scale = filled(node.weight, channels), shift = filled(node.bias, channels);
        return [=, this](Run& run) {
          auto what = how(run);
          what.scale = scale->data();
          what.shift = shift->data();
          affine(map(run, input), map(run, output), what);
        };
      }
      case NodeKind::pad:
        return [=, this](Run& run) { affine(map(run, input), map(run, output), how(run)); };
      case NodeKind::instance_norm: {
        const auto weight = node.weight.defined() ? filled(node.weight, channels) : nullptr,
                   bias = node.bias.defined() ? filled(node.bias, channels) : nullptr;
        return [=, this, epsilon = node.epsilon](Run& run) {
          normalise_channels(map(run, input), map(run, output), epsilon,
                             weight ? weight->data() : nullptr, bias ? bias->data() : nullptr,
                             how(run));
        };
      }
      case NodeKind::pixel_norm: {
        const auto weight = filled(node.weight, channels), bias = filled(node.bias, channels);
        return [=, this, epsilon = node.epsilon, centred = node.centred](Run& run) {
          normalise_pixels(map(run, input), map(run, output),
                           {weight->data(), bias->data(), epsilon, centred});
        };
      }
      case NodeKind::multiply:
        return [=, this, other = node.inputs[1]](Run& run) {
          multiply(map(run, input), numbers(run, places_[other]), numbers(run, places_[output]));
        };
      case NodeKind::add:
        return [=, this, other = node.inputs[1], sign = node.alpha](Run& run) {
          add(map(run, input), numbers(run, places_[other]), sign, numbers(run, places_[output]));
        };
      case NodeKind::scale:
        return [=, this, factors = node.inputs[1]](Run& run) {
          BlockedAffine what;
          what.scale = numbers(run, places_[factors]);
          affine(map(run, input), map(run, output), what);
        };
      case NodeKind::means:
        return
            [=, this](Run& run) { channel_means(map(run, input), numbers(run, places_[output])); };
      case NodeKind::shuffle_blocks:
        return [=, this, factor = node.factor](Run& run) {
          shuffle_blocks(map(run, input), map(run, output), factor);
        };
      case NodeKind::concatenate:
        return [=, this, inputs = node.inputs](Run& run) {
          auto* to = numbers(run, places_[output]);
          for (const auto value : inputs) {
            const auto bytes = blocked_bytes(sizes_[value]);
            std::memcpy(to, numbers(run, places_[value]), bytes);
            to += bytes / sizeof(float);
          }
        };
      default:
        limpid::fail("a node has no loop");
    }
  }

  /// Numbers for each channel, in whole blocks.
  std::shared_ptr<LaneNumbers> filled(const at::Tensor& values, std::int64_t channels) {
    return weights_.lanes(values, channels);
  }

  void push(const dnnl::primitive& primitive, std::vector<Bound> bound,
            std::vector<std::pair<int, dnnl::memory>> fixed, const Layout& scratchpad) {
    if (scratchpad.get_size() > 0) {
      bound.push_back({DNNL_ARG_SCRATCHPAD, new_piece(scratchpad.get_size()), scratchpad});
    }
    for (const auto& item : bound) touch(item.place);
    steps_.push_back([=, this](Run& run) {
      std::unordered_map<int, dnnl::memory> arguments(fixed.begin(), fixed.end());
      for (const auto& [argument, place, layout] : bound) {
        arguments.insert_or_assign(argument,
                                   dnnl::memory{layout, onednn_engine(), numbers(run, place)});
      }
      primitive.execute(onednn_stream(), arguments);
      onednn_stream().wait();
    });
  }

  static dnnl::primitive_attr attributes(bool adds, bool relu) {
    dnnl::primitive_attr attributes;
    attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
    dnnl::post_ops after;
    if (adds) after.append_sum(1);
    if (relu) after.append_eltwise(1, dnnl::algorithm::eltwise_relu, 0, 0);
    attributes.set_post_ops(after);
    return attributes;
  }

  void apply_element(const EngineNode& node) {
    using dnnl::algorithm;
    constexpr std::pair<Element, algorithm> kAlgorithms[] = {
        {Element::relu, algorithm::eltwise_relu},  {Element::leaky_relu, algorithm::eltwise_relu},
        {Element::tanh, algorithm::eltwise_tanh},  {Element::sigmoid, algorithm::eltwise_logistic},
        {Element::silu, algorithm::eltwise_swish}, {Element::gelu, algorithm::eltwise_gelu_erf},
        {Element::clamp, algorithm::eltwise_clip}};
    const auto* const kind = std::find_if(std::begin(kAlgorithms), std::end(kAlgorithms),
                                          [&](const auto& e) { return e.first == node.element; });
    const auto input = node.inputs.front(), output = node.outputs.front();
    output_over(output, input);
    const auto layout = blocked_layout(input);
    const float alpha = node.element == Element::silu ? 1 : node.alpha;
    const dnnl::eltwise_forward::primitive_desc made{
        {dnnl::prop_kind::forward_inference, kind->second, layout, alpha, node.beta},
        attributes(false, false),
        onednn_engine()};
    push(dnnl::eltwise_forward{made},
         {{DNNL_ARG_SRC, places_[input], layout}, {DNNL_ARG_DST, places_[output], layout}}, {},
         made.scratchpad_desc());
  }

  /// Sizes of a convolution, as oneDNN takes them.
  struct ConvolutionShape {
    dnnl::memory::dims weight, stride, dilation, begin, end;
  };

  void convolve(const EngineNode& node) {
    using namespace dnnl;
    const auto input = node.inputs.front(), output = node.outputs.front();
    const bool from_plain = sizes_[input][1] <= 3 && node.kind == NodeKind::convolution;
    if (from_plain) {
      need_tensor(input);
    } else {
      need_blocked(input);
    }
    if (node.added) {
      need_blocked(*node.added);
      const bool alone = places_[*node.added].piece != places_[input].piece;
      if (alone && is_last_use(*node.added)) {
        places_[output] = places_[*node.added];
      } else {
        new_output(output);
        touch(places_[*node.added]);
        touch(places_[output]);
        steps_.push_back([=, this, from = *node.added](Run& run) {
          multiply_copy(numbers(run, places_[from]), map(run, output));
        });
      }
    } else {
      new_output(output);
    }
    const auto prepared = convolution(node, from_plain);
    const auto weight = weights_.in_layout(node_, prepared_weight(node), prepared.weight);
    std::vector<std::pair<int, memory>> fixed{{DNNL_ARG_WEIGHTS, weight}};
    if (node.bias.defined()) {
      fixed.emplace_back(DNNL_ARG_BIAS,
                         weights_.in_layout(node_, node.bias.to(at::kFloat), bias_layout(node)));
    }
    const auto layout = blocked_layout(output);
    if (!from_plain) {
      push(prepared.primitive,
           {{DNNL_ARG_SRC, places_[input], source_layout(node, from_plain)},
            {DNNL_ARG_DST, places_[output], layout}},
           fixed, prepared.scratchpad);
      return;
    }
    std::vector<Bound> bound{{DNNL_ARG_DST, places_[output], layout}};
    if (prepared.scratchpad.get_size() > 0) {
      bound.push_back(
          {DNNL_ARG_SCRATCHPAD, new_piece(prepared.scratchpad.get_size()), prepared.scratchpad});
    }
    for (const auto& item : bound) touch(item.place);
    steps_.push_back([=, this, from = plain_layout(input)](Run& run) {
      std::unordered_map<int, memory> arguments(fixed.begin(), fixed.end());
      for (const auto& [argument, place, layout] : bound) {
        arguments.insert_or_assign(argument, memory{layout, onednn_engine(), numbers(run, place)});
      }
      const auto image = run.tensors[input].contiguous();
      arguments.insert_or_assign(DNNL_ARG_SRC, memory{from, onednn_engine(), image.data_ptr()});
      prepared.primitive.execute(onednn_stream(), arguments);
      onednn_stream().wait();
    });
  }

  static void multiply_copy(const float* from, const BlockedMap& to) {
    const auto row = to.width * kLanes;
    in_parallel(to.blocks() * to.height, [&](std::int64_t begin, std::int64_t end) {
      std::memcpy(to.data + begin * row, from + begin * row,
                  static_cast<std::size_t>((end - begin) * row) * sizeof(float));
    });
  }

  static Layout bias_layout(const EngineNode& node) {
    return {{node.bias.size(0)}, dnnl::memory::data_type::f32, dnnl::memory::format_tag::a};
  }

  /// The weight in the order of oneDNN's sizes.
  static at::Tensor prepared_weight(const EngineNode& node) {
    auto weight = node.weight.to(at::kFloat);
    if (node.kind == NodeKind::transposed) weight = weight.transpose(0, 1);
    if (node.groups > 1) weight = weight.unflatten(0, {node.groups, weight.size(0) / node.groups});
    const auto missing = takes_whole_blocks(node) ? (kLanes - weight.size(1) % kLanes) % kLanes : 0;
    if (missing > 0) weight = at::constant_pad_nd(weight, {0, 0, 0, 0, 0, missing});
    return weight.contiguous();
  }

  /// Whether a convolution is told that its input has whole blocks of channels, with weights of
  /// zero for those that it lacks: of 12 channels oneDNN would compute by its reference, a hundred
  /// times as long.
  static bool takes_whole_blocks(const EngineNode& node) {
    return node.kind == NodeKind::convolution && node.groups == 1 && node.weight.size(1) > 3;
  }

  /// The layout in which a convolution reads its input.
  Layout source_layout(const EngineNode& node, bool from_plain) const {
    const auto input = node.inputs.front();
    if (from_plain) return plain_layout(input);
    if (!takes_whole_blocks(node)) return blocked_layout(input);
    const auto& sizes = sizes_[input];
    const auto channels = (sizes[1] + kLanes - 1) / kLanes * kLanes;
    return {{sizes[0], channels, sizes[2], sizes[3]},
            dnnl::memory::data_type::f32,
            dnnl::memory::format_tag::nChw16c};
  }

  struct PreparedConvolution {
    dnnl::primitive primitive;
    Layout weight, scratchpad;
  };

  PreparedConvolution convolution(const EngineNode& node, bool from_plain) const {
    using namespace dnnl;
    const auto input = node.inputs.front(), output = node.outputs.front();
    const auto from = source_layout(node, from_plain), to = blocked_layout(output);
    const auto numbers = prepared_weight(node);
    const auto sizes = numbers.sizes();
    const Layout weight{memory::dims(sizes.begin(), sizes.end()), memory::data_type::f32,
                        memory::format_tag::any};
    const auto bias = node.bias.defined() ? bias_layout(node) : Layout{};
    memory::dims stride, dilation, begin, end;
    for (std::size_t i = 0; i < 2; ++i) {
      stride.push_back(node.stride[i]);
      dilation.push_back(node.dilation[i] - 1);
      begin.push_back(node.padding[i]);
      end.push_back(node.padding[i] - node.output_padding[i]);
    }
    const auto after = attributes(node.added.has_value(), node.relu);
    if (node.kind == NodeKind::transposed) {
      const deconvolution_forward::primitive_desc made{
          {prop_kind::forward_inference, algorithm::deconvolution_direct, from, weight, bias, to,
           stride, begin, end},
          after,
          onednn_engine()};
      return {deconvolution_forward{made}, made.weights_desc(), made.scratchpad_desc()};
    }
    const auto made = [&](prop_kind kind, algorithm how) {
      return convolution_forward::primitive_desc{
          {kind, how, from, weight, bias, to, stride, dilation, begin, end},
          after,
          onednn_engine()};
    };
    const bool is_3x3 = node.groups == 1 && sizes[2] == 3 && sizes[3] == 3 && node.stride[0] == 1 &&
                        node.stride[1] == 1 && node.dilation[0] == 1 && node.dilation[1] == 1 &&
                        node.padding[0] == node.padding[1] && node.padding[0] <= 1;
    const WinogradShape shape{1,
                              sizes_[input][1],
                              sizes_[output][1],
                              sizes_[input][2],
                              sizes_[input][3],
                              node.padding[0],
                              node.bias.defined()};
    if (is_3x3 && !from_plain && winograd_pays(shape)) {
      try {
        // For inference oneDNN would keep weights that are four times as large.
        const auto fast = made(prop_kind::forward_training, algorithm::convolution_winograd);
        const auto usual = (std::size_t{64} << 20) + from.get_size() + to.get_size();
        if (fast.scratchpad_desc().get_size() <= usual) {
          return {convolution_forward{fast}, fast.weights_desc(), fast.scratchpad_desc()};
        }
      } catch (const dnnl::error& error) {
        if (error.status != dnnl_unimplemented) throw;
      }
    }
    const auto direct = made(prop_kind::forward_inference, algorithm::convolution_direct);
    return {convolution_forward{direct}, direct.weights_desc(), direct.scratchpad_desc()};
  }

  void call_library(const EngineNode& node) {
    for (const auto value : node.inputs) need_tensor(value);
    for (const auto output : node.outputs) has_tensor_[output] = true;
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
    steps_.push_back([this, call, names, outputs = node.outputs](Run& run) {
      for (const auto& [name, root] : names) run.tensors[name] = run.tensors[root];
      const auto made = (*call)(run.tensors);
      for (const auto& [name, root] : names) run.tensors[name].reset();
      TORCH_CHECK(made.size() == outputs.size(), "an operator made another number of tensors");
      for (std::size_t i = 0; i < outputs.size(); ++i) {
        TORCH_CHECK(made[i].sizes() == at::IntArrayRef{sizes_[outputs[i]]} &&
                        made[i].scalar_type() == at::kFloat,
                    "an operator made a tensor of other sizes");
        run.tensors[outputs[i]] = made[i];
      }
    });
  }

  const Capture& capture_;
  const EngineGraph& graph_;
  PreparedWeights& weights_;
  PictureSize size_;
  std::size_t node_ = 0;
  std::vector<Place> places_;                     // by value
  std::vector<bool> has_tensor_;                  // by value
  std::vector<std::size_t> last_node_;            // that takes a value
  std::vector<std::vector<std::int64_t>> sizes_;  // by value
  std::vector<ArenaPiece> pieces_;
  std::vector<Step> steps_;
  std::size_t bytes_ = 0;
};

}  // namespace limpid::detail

#endif
