#pragma once

#include <limpid/core/compiled.hpp>

#include <compare>
#include <cstdint>
#include <string_view>

#ifdef LIMPID_BODIES
#include <limits>
#endif

namespace limpid {

/// Under this name LibTorch's profilers see a pass, with the multiplications of an exact one as its
/// input.
inline constexpr std::string_view kWinogradName = "limpid::winograd";

}  // namespace limpid

namespace limpid::detail {

/// A 3x3 convolution of stride 1.
struct WinogradShape {
  std::int64_t batch, in, out;  ///< images, input channels, output channels
  std::int64_t height, width;   ///< of the input
  std::int64_t padding;         ///< zeros on each side: 0 or 1
  bool bias;

  std::int64_t output_height() const { return height + 2 * padding - 2; }
  std::int64_t output_width() const { return width + 2 * padding - 2; }

  std::int64_t multiplications() const;

  auto operator<=>(const WinogradShape&) const = default;
};

/// What is computed from the other two of input, weight and output.
enum class WinogradPass { forward, input_gradient, weight_gradient };

/// How many tiles of 4x4 results a pass works on, in rows and columns and over the batch.
struct WinogradTiles {
  std::int64_t batch, rows, columns;
  std::int64_t count() const { return batch * rows * columns; }
};

LIMPID_INLINE WinogradTiles winograd_tiles(WinogradPass pass, const WinogradShape& shape);

/// How long a tile takes among so many, compared with the best number of them: the library cuts the
/// tiles into blocks of equal size, and blocks that fit the caches need small factors. 17 x 17
/// tiles take 1.4 times as long as 17 x 18 (docs/kernels.md).
LIMPID_INLINE double slowness_of_count(std::int64_t count);

/// The shape with up to two rows and columns of tiles more, which are zeros, where that is faster.
LIMPID_INLINE WinogradShape in_good_tiles(WinogradPass pass, const WinogradShape& shape);

}  // namespace limpid::detail

#if LIMPID_WITH_ONEDNN

#include <limpid/kernels/bounded_cache.hpp>
#include <limpid/kernels/onednn.hpp>

#include <ATen/Parallel.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>
#include <ATen/record_function.h>

#include <cstddef>
#include <memory>
#include <optional>
#include <type_traits>
#include <unordered_map>
#include <utility>

// Winograd's convolution F(4x4, 3x3) as oneDNN 2 has it: 36 multiplications for each 144.

namespace limpid::detail {

/// A primitive and the layouts that it works in. Any number of threads may execute one at once.
struct PreparedWinograd {
  dnnl::primitive primitive;
  dnnl::memory::desc input, weight, output, scratchpad;

  /// Executes it, with a scratchpad of this call's own.
  void execute(std::unordered_map<int, dnnl::memory> arguments) const {
    const Workspace pad{scratchpad.get_size()};
    arguments.emplace(DNNL_ARG_SCRATCHPAD, dnnl::memory{scratchpad, onednn_engine(), pad.data()});
    primitive.execute(onednn_stream(), arguments);
    onednn_stream().wait();
  }
};

/// What a primitive is made for: it also depends on the number of threads it is executed by.
struct WinogradKey {
  WinogradPass pass;
  WinogradShape shape;
  int threads;

  auto operator<=>(const WinogradKey&) const = default;
};

/// Nothing where the library has no such convolution.
using WinogradPlan = std::shared_ptr<const PreparedWinograd>;

/// Makes the primitive, unless it needs more than 64 MiB of memory and what its tensors take.
inline WinogradPlan make_winograd(WinogradPass pass, const WinogradShape& shape) {
  using namespace dnnl;
  const auto any = [](const memory::dims& sizes) {
    return memory::desc{sizes, memory::data_type::f32, memory::format_tag::any};
  };
  const auto input = any({shape.batch, shape.in, shape.height, shape.width});
  const auto weight = any({shape.out, shape.in, 3, 3});
  const auto output = any({shape.batch, shape.out, shape.output_height(), shape.output_width()});
  const auto bias = shape.bias
                        ? memory::desc{{shape.out}, memory::data_type::f32, memory::format_tag::a}
                        : memory::desc{};
  const memory::dims stride{1, 1}, padding{shape.padding, shape.padding};
  const auto winograd = algorithm::convolution_winograd;
  primitive_attr attributes;
  attributes.set_scratchpad_mode(scratchpad_mode::user);
  try {
    const convolution_forward::primitive_desc forward{
        {prop_kind::forward_training, winograd, input, weight,
         pass == WinogradPass::forward ? bias : memory::desc{}, output, stride, padding, padding},
        attributes,
        onednn_engine()};
    const auto prepared = [&]<class Primitive>(const auto& made, std::type_identity<Primitive>,
                                               const auto& input, const auto& weight,
                                               const auto& output) -> WinogradPlan {
      const auto memory = made.scratchpad_desc().get_size();
      const auto usual = (std::size_t{64} << 20) + input.get_size() + output.get_size();
      if (memory > usual) return nullptr;
      return std::make_shared<const PreparedWinograd>(
          PreparedWinograd{Primitive{made}, input, weight, output, made.scratchpad_desc()});
    };
    if (pass == WinogradPass::forward) {
      return prepared(forward, std::type_identity<convolution_forward>{}, forward.src_desc(),
                      forward.weights_desc(), forward.dst_desc());
    }
    if (pass == WinogradPass::input_gradient) {
      const convolution_backward_data::primitive_desc backward{
          {winograd, input, weight, output, stride, padding, padding},
          attributes,
          onednn_engine(),
          forward};
      return prepared(backward, std::type_identity<convolution_backward_data>{},
                      backward.diff_src_desc(), backward.weights_desc(), backward.diff_dst_desc());
    }
    const convolution_backward_weights::primitive_desc backward{
        {winograd, input, weight, bias, output, stride, padding, padding},
        attributes,
        onednn_engine(),
        forward};
    return prepared(backward, std::type_identity<convolution_backward_weights>{},
                    backward.src_desc(), backward.diff_weights_desc(), backward.diff_dst_desc());
  } catch (const dnnl::error& error) {
    if (error.status == dnnl_unimplemented) return nullptr;
    throw;
  }
}

/// Primitives that were used last; making one generates machine code.
inline BoundedCache<WinogradKey, WinogradPlan>& winograd_cache() {
  static BoundedCache<WinogradKey, WinogradPlan> cache{256};
  return cache;
}

/// What computes a pass of this shape; null where the library cannot. It takes all pictures at
/// once, or one at a time where it would need much memory for all, which takes no more time
/// (docs/kernels.md). The weight's gradient is a sum over all.
inline WinogradPlan plan_winograd(WinogradPass pass, const WinogradShape& shape) {
  constexpr std::size_t kMuch = std::size_t{32} << 20;
  const auto made = [pass](const WinogradShape& of) {
    auto enlarged = in_good_tiles(pass, of);
    if (pass == WinogradPass::input_gradient) enlarged.bias = false;
    return winograd_cache().get({pass, enlarged, at::get_num_threads()},
                                [&] { return make_winograd(pass, enlarged); });
  };
  return with_onednn([&] {
    auto all = made(shape);
    if (shape.batch == 1 || pass == WinogradPass::weight_gradient) return all;
    if (all && all->scratchpad.get_size() <= kMuch) return all;
    auto one = shape;
    one.batch = 1;
    return made(one);
  });
}

/// Tells LibTorch's profilers of a pass while it lives; in release builds only, because LibTorch's
/// libraries are, and a RecordFunction has another layout without NDEBUG.
class RecordedPass {
 public:
#ifdef NDEBUG
  explicit RecordedPass(const WinogradShape& shape) {
    if (!function_.isActive()) return;
    const c10::IValue input{shape.multiplications()};
    function_.before(kWinogradName.data(), c10::ArrayRef<const c10::IValue>(&input, 1));
  }

 private:
  at::RecordFunction function_{at::RecordScope::FUNCTION};
#else
  explicit RecordedPass(const WinogradShape&) {}
#endif
};

/// Calls `compute` with as many pictures of both as a plan takes at once, until all had their turn.
/// @param layout  of `from`, by the plan
template <class Compute>
void for_pictures(const dnnl::memory::desc& layout, const at::Tensor& from, const at::Tensor& to,
                  Compute compute) {
  const auto count = layout.dims()[0];
  for (std::int64_t first = 0; first < from.size(0); first += count) {
    compute(from.narrow(0, first, count), to.narrow(0, first, count));
  }
}

/// input (N, in, H, W), weight (out, in, 3, 3), bias (out) or undefined -> (N, out, H', W').
/// @param input  float32 or bfloat16
/// @param type   of the result: one of these
inline at::Tensor winograd_forward(const PreparedWinograd& plan, const WinogradShape& shape,
                                   const at::Tensor& input, const at::Tensor& weight,
                                   const at::Tensor& bias, at::ScalarType type = at::kFloat) {
  return with_onednn([&] {
    const RecordedPass recorded{shape};
    const auto output =
        at::empty({shape.batch, shape.out, shape.output_height(), shape.output_width()},
                  input.options().dtype(type), input.suggest_memory_format());
    const auto by = InLayout::of(weight, plan.weight);
    const auto offsets = shape.bias ? bias.contiguous() : at::Tensor{};
    for_pictures(plan.input, input, output, [&](const at::Tensor& some, const at::Tensor& made) {
      auto result = InLayout::empty(plan.output);
      {
        const auto from = InLayout::of(some, plan.input);
        std::unordered_map<int, dnnl::memory> arguments{{DNNL_ARG_SRC, from.memory()},
                                                        {DNNL_ARG_WEIGHTS, by.memory()},
                                                        {DNNL_ARG_DST, result.memory()}};
        if (shape.bias) arguments.emplace(DNNL_ARG_BIAS, memory_of(offsets));
        plan.execute(std::move(arguments));
      }
      result.copy_to(made);
    });
    return output;
  });
}

/// Gradients of one convolution; undefined where nobody asked.
struct ConvolutionGradients {
  at::Tensor input, weight, bias;
};

/// What is asked of a backward: the plans that are there are followed.
struct WinogradBackward {
  WinogradShape shape;  ///< `bias`: whether the bias's gradient comes with the weight's
  WinogradPlan input, weight;
  at::ScalarType type = at::kFloat;  ///< of the input's gradient: float32 or bfloat16
};

/// The gradients that `plan` names, from the output's gradient.
/// @param gradient  float32 or bfloat16, like `input`; those of weight and bias are float32
/// @param input   needed for the weight's gradient, undefined otherwise
/// @param weight  needed for the input's gradient, undefined otherwise
inline ConvolutionGradients winograd_backward(const WinogradBackward& plan,
                                              const at::Tensor& gradient, const at::Tensor& input,
                                              const at::Tensor& weight) {
  return with_onednn([&] {
    const auto& shape = plan.shape;
    ConvolutionGradients gradients;
    std::optional<InLayout> from;  // one layout serves both, as a rule
    if (plan.input) {
      const RecordedPass recorded{shape};
      gradients.input =
          at::empty({shape.batch, shape.in, shape.height, shape.width},
                    gradient.options().dtype(plan.type), gradient.suggest_memory_format());
      const auto by = InLayout::of(weight, plan.input->weight);
      for_pictures(plan.input->output, gradient, gradients.input,
                   [&](const at::Tensor& some, const at::Tensor& made) {
                     from.reset();
                     auto result = InLayout::empty(plan.input->input);
                     from.emplace(InLayout::of(some, plan.input->output));
                     plan.input->execute({{DNNL_ARG_DIFF_DST, from->memory()},
                                          {DNNL_ARG_WEIGHTS, by.memory()},
                                          {DNNL_ARG_DIFF_SRC, result.memory()}});
                     result.copy_to(made);
                   });
    }
    if (plan.weight) {
      const RecordedPass recorded{shape};
      if (!from || from->memory().get_desc() != plan.weight->output) {
        from.reset();
        from.emplace(InLayout::of(gradient, plan.weight->output));
      }
      gradients.weight =
          at::empty({shape.out, shape.in, 3, 3}, gradient.options().dtype(at::kFloat));
      auto result = InLayout::empty(plan.weight->weight);
      {
        const auto by = InLayout::of(input, plan.weight->input);
        std::unordered_map<int, dnnl::memory> arguments{{DNNL_ARG_DIFF_DST, from->memory()},
                                                        {DNNL_ARG_SRC, by.memory()},
                                                        {DNNL_ARG_DIFF_WEIGHTS, result.memory()}};
        if (shape.bias) {
          gradients.bias = at::empty({shape.out}, gradients.weight.options());
          arguments.emplace(DNNL_ARG_DIFF_BIAS, memory_of(gradients.bias));
        }
        plan.weight->execute(std::move(arguments));
      }
      result.copy_to(gradients.weight);
    }
    return gradients;
  });
}

}  // namespace limpid::detail

#endif

#ifdef LIMPID_BODIES

namespace limpid::detail {

LIMPID_INLINE std::int64_t WinogradShape::multiplications() const {
  return batch * output_height() * output_width() * in * out * 9;
}

LIMPID_INLINE WinogradTiles winograd_tiles(WinogradPass pass, const WinogradShape& shape) {
  const bool of_input = pass == WinogradPass::input_gradient;
  const auto rows = of_input ? shape.height : shape.output_height();
  const auto columns = of_input ? shape.width : shape.output_width();
  return {shape.batch, (rows + 3) / 4, (columns + 3) / 4};
}

LIMPID_INLINE double slowness_of_count(std::int64_t count) {
  std::int64_t small_factors = 1;
  for (const std::int64_t factor : {2, 3, 5}) {
    for (; count % factor == 0; count /= factor) small_factors *= factor;
  }
  return small_factors >= 12 ? 1.0 : small_factors >= 3 ? 1.2 : 1.5;
}

LIMPID_INLINE WinogradShape in_good_tiles(WinogradPass pass, const WinogradShape& shape) {
  const auto tiles = winograd_tiles(pass, shape);
  auto best = shape;
  auto least = std::numeric_limits<double>::infinity();
  for (std::int64_t rows = 0; rows <= 2; ++rows) {
    for (std::int64_t columns = 0; columns <= 2; ++columns) {
      const auto count = tiles.batch * (tiles.rows + rows) * (tiles.columns + columns);
      const auto time = static_cast<double>(count) * slowness_of_count(count);
      if (time >= least) continue;
      least = time;
      best.height = shape.height + 4 * rows;
      best.width = shape.width + 4 * columns;
    }
  }
  return best;
}

}  // namespace limpid::detail

#endif  // LIMPID_BODIES
