#pragma once

#include <limpid/core/compiled.hpp>

#include <ATen/core/Tensor.h>
#include <torch/nn/module.h>

#include <functional>
#include <memory>
#include <utility>

#ifdef LIMPID_BODIES
#include <limpid/core/autocast.hpp>
#include <limpid/kernels/convolution_switch.hpp>

#include <ATen/Context.h>
#include <ATen/TracerMode.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>
#include <cstddef>
#include <mutex>
#include <vector>
#endif

namespace limpid {

/// While it lives with `on`, a block that this thread runs keeps its input alone for the backward,
/// which computes the block again. Blocks are what calls `recomputed`; where there is no scope they
/// keep all maps between their layers.
///
/// Source: Chen et al., "Training Deep Nets with Sublinear Memory Cost", 2016.
class RecomputeScope {
 public:
  explicit RecomputeScope(bool on = true) : before_(std::exchange(current(), on)) {}
  ~RecomputeScope() { current() = before_; }
  RecomputeScope(const RecomputeScope&) = delete;
  RecomputeScope& operator=(const RecomputeScope&) = delete;

  /// What holds for this thread.
  static bool in_force();

 private:
  static bool& current();

  bool before_;
};

namespace detail {

/// Whether the backward of a block, run now, shall compute it again.
LIMPID_INLINE bool is_recomputed(const torch::nn::Module& block, const at::Tensor& input);

/// compute(input), the forward of `block`, whose maps are not kept.
LIMPID_INLINE at::Tensor recomputed_block(
    const std::shared_ptr<torch::nn::Module>& block,
    const std::function<at::Tensor(const at::Tensor&)>& compute, const at::Tensor& input);

}  // namespace detail

/// compute(block, input), the forward of a block of a network, computed again in the backward where
/// a `RecomputeScope` says so. Results, gradients and second derivatives are the same to the bit.
///
/// @param block    a module that a holder or shared pointer owns
/// @param compute  of the block, from an input; what it reads besides must not change until the
///                 backward: its parameters, whether it is training
template <class Block, class Compute>
at::Tensor recomputed(Block& block, const at::Tensor& input, Compute compute) {
  if (!detail::is_recomputed(block, input)) return compute(block, input);
  // The graph owns the block; it may outlive the network.
  return detail::recomputed_block(
      block.shared_from_this(),
      [&block, compute](const at::Tensor& x) { return compute(block, x); }, input);
}

}  // namespace limpid

#ifdef LIMPID_BODIES

namespace limpid {

LIMPID_INLINE bool RecomputeScope::in_force() { return current(); }

LIMPID_INLINE bool& RecomputeScope::current() {
  thread_local bool on = false;
  return on;
}

}  // namespace limpid

namespace limpid::detail {

/// While it lives, a random generator continues from `state`; then as if nothing had been drawn.
class RandomStateScope {
 public:
  RandomStateScope(at::Generator generator, const at::Tensor& state);
  ~RandomStateScope() { set(before_); }
  RandomStateScope(const RandomStateScope&) = delete;
  RandomStateScope& operator=(const RandomStateScope&) = delete;

  static at::Tensor state_of(at::Generator& generator);

 private:
  void set(const at::Tensor& state);

  at::Generator generator_;
  at::Tensor before_;
};

/// A block that can be run once more, under all that it ran under: dropout draws the same, buffers
/// hold what they held, convolutions and precision are the same.
class Recomputation : public torch::CustomClassHolder {
 public:
  using Compute = std::function<at::Tensor(const at::Tensor&)>;

  Recomputation(std::shared_ptr<torch::nn::Module> block, Compute compute, at::Device device)
      : block_(std::move(block)), compute_(std::move(compute)), device_(device) {}

  /// Runs the block for the first time.
  at::Tensor first(const at::Tensor& input);

  /// Runs it again; what it changes besides its result is as before.
  at::Tensor again(const at::Tensor& input) const;

  std::vector<at::Tensor> parameters() const;

 private:
  std::shared_ptr<torch::nn::Module> block_;
  Compute compute_;
  at::Device device_;
  Convolution convolution_ = ConvolutionScope::in_force();
  bool bfloat16_ = autocast_is_on(device_);
  at::Tensor random_;
  std::vector<at::Tensor> buffers_;
};

/// A block whose maps are computed once more in the backward. The parameters are arguments, so that
/// whoever asks for their gradients, by `backward` or `grad`, gets them.
class RecomputedBlock : public torch::autograd::Function<RecomputedBlock> {
 public:
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& input,
                            at::TensorList /*parameters*/,
                            const c10::intrusive_ptr<Recomputation>& block);

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 torch::autograd::variable_list gradients);
};

LIMPID_INLINE RandomStateScope::RandomStateScope(at::Generator generator, const at::Tensor& state)
    : generator_(std::move(generator)), before_(state_of(generator_)) {
  set(state);
}

LIMPID_INLINE at::Tensor RandomStateScope::state_of(at::Generator& generator) {
  const std::lock_guard lock{generator.mutex()};
  return generator.get_state();
}

LIMPID_INLINE void RandomStateScope::set(const at::Tensor& state) {
  const std::lock_guard lock{generator_.mutex()};
  generator_.set_state(state);
}

LIMPID_INLINE at::Tensor Recomputation::first(const at::Tensor& input) {
  auto generator = at::globalContext().defaultGenerator(device_);
  random_ = RandomStateScope::state_of(generator);
  for (const auto& buffer : block_->buffers()) buffers_.push_back(buffer.clone());
  return compute_(input);
}

LIMPID_INLINE at::Tensor Recomputation::again(const at::Tensor& input) const {
  const RandomStateScope random{at::globalContext().defaultGenerator(device_), random_};
  const ConvolutionScope convolution{convolution_};
  const RecomputeScope inner{false};
  AutocastScope autocast{bfloat16_ ? Precision::bfloat16 : Precision::float32, device_};
  const auto buffers = block_->buffers();
  std::vector<at::Tensor> now;
  for (std::size_t i = 0; i < buffers.size(); ++i) {
    now.push_back(buffers[i].clone());
    buffers[i].data().copy_(buffers_[i]);
  }
  auto output = compute_(input);
  for (std::size_t i = 0; i < buffers.size(); ++i) buffers[i].data().copy_(now[i]);
  return output;
}

LIMPID_INLINE std::vector<at::Tensor> Recomputation::parameters() const {
  return block_->parameters();
}

LIMPID_INLINE at::Tensor RecomputedBlock::forward(torch::autograd::AutogradContext* context,
                                                  const at::Tensor& input,
                                                  at::TensorList /*parameters*/,
                                                  const c10::intrusive_ptr<Recomputation>& block) {
  context->save_for_backward({input});
  context->saved_data["block"] = c10::IValue::make_capsule(block);
  return block->first(input);
}

LIMPID_INLINE torch::autograd::variable_list RecomputedBlock::backward(
    torch::autograd::AutogradContext* context, torch::autograd::variable_list gradients) {
  const auto capsule = context->saved_data["block"].toCapsule();
  const auto& block = static_cast<const Recomputation&>(*capsule);
  const auto parameters = block.parameters();
  // A backward that needs a graph of its own leads through the input's; others end there.
  const bool graph = at::GradMode::is_enabled();
  const auto saved = context->get_saved_variables()[0];
  const bool for_input = context->needs_input_grad(0);
  const auto input = graph ? saved : saved.detach().requires_grad_(for_input);

  std::vector<std::size_t> places;
  torch::autograd::variable_list wanted;
  const auto want = [&](const at::Tensor& tensor, std::size_t place) {
    if (!context->needs_input_grad(place)) return;
    places.push_back(place);
    wanted.push_back(tensor);
  };
  want(input, 0);
  for (std::size_t i = 0; i < parameters.size(); ++i) want(parameters[i], i + 1);

  torch::autograd::variable_list found;
  {
    const at::AutoGradMode with_graph{true};
    const auto output = block.again(input);
    found = torch::autograd::grad({output}, wanted, {gradients[0]}, graph, graph,
                                  /*allow_unused=*/true);
  }
  torch::autograd::variable_list all(parameters.size() + 2);  // the block has none
  for (std::size_t i = 0; i < places.size(); ++i) all[places[i]] = found[i];
  return all;
}

LIMPID_INLINE bool is_recomputed(const torch::nn::Module& block, const at::Tensor& input) {
  if (!RecomputeScope::in_force() || !at::GradMode::is_enabled() ||
      at::tracer::impl::is_dispatch_enabled()) {
    return false;
  }
  const auto parameters = block.parameters();
  return input.requires_grad() ||
         std::any_of(parameters.begin(), parameters.end(),
                     [](const at::Tensor& tensor) { return tensor.requires_grad(); });
}

LIMPID_INLINE at::Tensor recomputed_block(
    const std::shared_ptr<torch::nn::Module>& block,
    const std::function<at::Tensor(const at::Tensor&)>& compute, const at::Tensor& input) {
  const auto parameters = block->parameters();
  auto again = c10::make_intrusive<Recomputation>(block, compute, input.device());
  return RecomputedBlock::apply(input, at::TensorList{parameters}, again);
}

}  // namespace limpid::detail

#endif  // LIMPID_BODIES
