#pragma once

#include <limpid/core/adversarial_batch.hpp>
#include <limpid/core/autocast.hpp>
#include <limpid/core/modules.hpp>
#include <limpid/datasets/loader.hpp>
#include <limpid/kernels/convolution_switch.hpp>
#include <limpid/layers/recompute.hpp>
#include <limpid/parallel/shared_mean.hpp>
#include <limpid/training/balanced_step.hpp>
#include <limpid/training/critics_before.hpp>
#include <limpid/training/dropout_seed.hpp>
#include <limpid/training/frozen_weights.hpp>
#include <limpid/training/gradient_exchange.hpp>
#include <limpid/training/step_graph.hpp>
#include <limpid/training/step_losses.hpp>
#include <limpid/training/training_state.hpp>
#include <limpid/training/tried_critic.hpp>

#include <ATen/ops/_foreach_mul.h>
#include <ATen/ops/from_blob.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace limpid::detail {

/// Names of the step's own terms; those of other terms never mix with them.
inline TermNames names_beside_the_steps_own() {
  return TermNames{{"critic", "content", "adversarial", "total", "weight"}};
}

/// The gradient of a task's critic on images that carry no graph.
inline void backward_critic(TaskState& task, const AdversarialBatch& batch,
                            const TrainerOptions& options, GradientExchange& exchange,
                            StepLosses& losses) {
  at::Tensor loss;
  {
    AutocastScope autocast{options.precision, options.device};
    loss = task.branch.adversarial_weight * task.branch.adversary.critic_loss(batch);
  }
  losses.add(task.name, "critic", loss);
  loss.backward();
  exchange.add_gradients(task.critic_parameters);
  exchange.run();
  losses.check(task.name, "the gradient of the critic has norm ",
               gradient_norm(task.critic_parameters));
}

/// One step of a task's critic along that gradient.
inline void step_critic(TaskState& task, StepLosses& losses) {
  task.critic_updates->step();
  if (!task.tries_critic) forget_gradients(task.critic_parameters);
  task.branch.adversary.after_critic_step();
  auto named = names_beside_the_steps_own();
  for (const auto& [name, value] : task.branch.adversary.figures()) {
    losses.add(task.name, named(name), value);
  }
}

/// What the generator minimises for one task. The critic collects no gradient.
inline GeneratorLoss generator_loss(TaskState& task, const AdversarialBatch& batch,
                                    const TrainerOptions& options, StepLosses& losses) {
  AutocastScope autocast{options.precision, options.device};
  const auto terms = loss_terms(task.branch.content, batch.restored, batch.target);
  if (terms.size() > 1) {
    auto named = names_beside_the_steps_own();
    for (const auto& term : terms) losses.add(task.name, named(term.name), term.value);
  }
  auto loss = sum_of(terms);
  losses.add(task.name, "content", loss);
  GeneratorLoss result{{}, task.branch.weight * loss};
  if (auto* critic = task.branch.adversary.critic()) {
    FrozenWeights frozen{*critic};
    const auto adversarial = task.branch.adversary.generator_loss(batch);
    losses.add(task.name, "adversarial", adversarial);
    const auto weighed = task.branch.adversarial_weight * adversarial;
    result.adversarial = task.branch.weight * weighed;
    loss = loss + weighed;
  }
  losses.add(task.name, "total", loss);
  result.total = task.branch.weight * loss;
  return result;
}

/// Shortens the generator's gradient of the given norm to `longest`.
inline void clip_gradient(const NamedParameters& parameters, double norm, double longest) {
  if (norm <= longest) return;
  const torch::NoGradGuard no_grad;
  const auto gradients = gradients_of(parameters);
  at::_foreach_mul_(gradients, longest / norm);
}

/// A batch cut along its pictures into so many parts, or as many as it has pictures.
inline std::vector<Batch> parts_of(const Batch& batch, std::int64_t count) {
  if (count == 1) return {batch};
  std::vector<Batch> parts;
  const auto degraded = batch.degraded.chunk(count), target = batch.target.chunk(count);
  for (std::size_t i = 0; i < degraded.size(); ++i) parts.push_back({degraded[i], target[i]});
  return parts;
}

/// The forwards and backwards of one task on one part of its batch.
/// @param share      of the batch
/// @param processes  that share the part; null: one
inline void train_task(TrainingState& state, std::size_t t, const Batch& part, double share,
                       const BatchShare* processes, const TrainerOptions& options,
                       BalancedStep& balanced, GradientExchange& exchange, StepLosses& losses) {
  auto& task = state.tasks[t];
  const auto& degraded = part.degraded;
  const auto& target = part.target;
  at::Tensor restored;
  const auto forward = [&] {
    AutocastScope autocast{options.precision, options.device};
    const RecomputeScope recompute{options.checkpoint_blocks};
    restored = state.model.restore(t, degraded).to(at::kFloat);
  };
  const auto backward = [&] {
    const auto loss = generator_loss(task, {degraded, restored, target, &task.random, processes},
                                     options, losses);
    balanced.backward(t, share == 1 ? loss : share * loss);
  };
  if (!task.branch.adversary) {
    state.graph.piece(state.model.parameters, [&] {
      forward();
      backward();
    });
    return;
  }
  std::optional<TriedCritic> tried;
  for (std::int64_t i = 0; i < task.branch.critic_updates; ++i) {
    state.graph.piece(task.critic_parameters, [&] {
      if (i == 0) forward();
      backward_critic(task, {degraded, restored.detach(), target, &task.random, processes}, options,
                      exchange, losses);
    });
    if (i == 0) tried.emplace(task);
    step_critic(task, losses);
  }
  state.graph.piece(state.model.parameters, backward);
}

/// The exchange of several processes before they update the generator: from here on all of them
/// compute the same.
inline void agree(TrainingState& state, const TrainerOptions& options, BalancedStep& balanced,
                  GradientExchange& exchange, StepLosses& losses) {
  const auto said = state.agenda_of_this ? state.agenda_of_this() : StepAgenda{};
  auto numbers = said.to_floats(options.communicator.is_first());
  const auto sums = at::from_blob(numbers.data(), {StepAgenda::kNumbers}, at::kFloat);
  balanced.exchange(exchange, losses, sums);
  state.agenda = StepAgenda::of_sums(numbers.data());
}

/// Reads the losses; meanwhile the next batches may be got.
inline double read_losses(TrainingState& state, StepLosses& losses) {
  if (losses.is_waited_for() && state.while_waiting) state.while_waiting();
  return losses.read();
}

/// Checks losses and gradient, shortens the gradient where that is asked for, and updates encoder
/// and decoders. Where the optimiser can skip by itself, the card is given the update before the
/// losses are read, and has work while the CPU waits for them.
inline void update_generator(TrainingState& state, const TrainerOptions& options,
                             StepLosses& losses) {
  const auto norm = gradient_norm(state.model.parameters);
  losses.close(norm);
  const bool clips = options.clip_gradient_norm > 0;
  if (norm.defined() && losses.is_waited_for()) {
    const auto shrink =
        clips ? (norm / options.clip_gradient_norm).clamp_min(1).to(at::kFloat) : at::Tensor{};
    if (state.updates->step_unless(losses.not_finite(), shrink)) {
      try {
        read_losses(state, losses);
      } catch (...) {
        state.updates->take_back();
        throw;
      }
      return;
    }
  }
  const auto length = read_losses(state, losses);
  if (clips) clip_gradient(state.model.parameters, length, options.clip_gradient_norm);
  state.updates->step();
}

/// Why a step cannot be recorded (`StepGraph`); empty where nothing is known against it.
inline std::string why_no_graph(const TrainingState& state, const TrainerOptions& options) {
  if (!kHasStepGraphs) return "this build of limpid is without CUDA";
  if (!options.device.is_cuda()) return "the device is not a graphics card";
  if (!options.communicator.is_alone()) return "several processes train together";
  if (state.weighting.needs() != WeightingNeeds::nothing) {
    return "the weighting " + state.weighting.description() +
           " reads the tasks' losses or gradients";
  }
  if (options.interference_every > 0) return "the tasks' gradients are looked at apart";
  if (options.checkpoint_blocks) return "blocks are computed again, with numbers drawn as before";
  for (const auto& task : state.tasks) {
    const auto who = "the adversarial loss of task '" + task.name + "' ";
    if (!task.branch.adversary.penalty_slope().empty())
      return who + "draws numbers for its penalty";
    if (!task.branch.adversary.state().empty()) return who + "remembers numbers";
  }
  return {};
}

/// The same of what only a step shows.
inline std::string why_no_graph_after(TrainingState& state,
                                      const std::vector<std::uint64_t>& drawn) {
  for (std::size_t t = 0; t < state.tasks.size(); ++t) {
    auto& task = state.tasks[t];
    const auto who = "the adversarial loss of task '" + task.name + "' ";
    if (task.random.state() != drawn[t]) return who + "draws random numbers";
    if (!task.branch.adversary.figures().empty()) return who + "has figures of its own";
  }
  return {};
}

/// One training step on one batch of each task, on the device of the model: the gradients of all
/// tasks meet in the shared encoder, and the encoder and all decoders are updated once. They add up
/// (thesis, sec. 3.2), or are combined as the run's weighting says.
///
/// A task's graph is gone before the next task's begins, so memory does not grow with the number of
/// tasks; the sum of the tasks' backwards is the backward of their sum. The same holds of the parts
/// that `options.accumulate` asks for: with losses that are means over the pictures they add up to
/// the step of the whole batch. A critic is stepped on each part.
///
/// Of several processes each has a part of the batches; gradients and losses are those of the whole
/// ones.
///
/// @param epoch  of the step, from 0
inline std::vector<LossValue> computed_step(TrainingState& state, std::vector<Batch> batches,
                                            const TrainerOptions& options, std::int64_t epoch) {
  const ConvolutionScope convolution{options.convolution};
  StepLosses losses{state.step};
  GradientExchange exchange{options.communicator, state.exchange_buffer,
                            type_of_sums(options.reduce_in)};
  const auto whole = share_of(options.communicator);
  const auto* processes = options.communicator.is_alone() ? nullptr : &whole;
  if (processes != nullptr) seed_dropout(options, state.step);
  CriticsBefore critics{state, options};
  forget_gradients(state.model.parameters);
  const auto on_stream = state.graph.begin(batches, state.model.parameters);
  const auto every = options.interference_every;
  BalancedStep balanced{state, epoch, every > 0 && (state.step + 1) % every == 0};
  for (std::size_t t = 0; t < state.tasks.size(); ++t) {
    const auto parts = parts_of(batches[t], options.accumulate);
    for (std::size_t i = 0; i < parts.size(); ++i) {
      const auto share = static_cast<double>(parts[i].target.size(0)) /
                         static_cast<double>(batches[t].target.size(0));
      losses.begin_part(share, i == 0);
      train_task(state, t, parts[i], share, processes, options, balanced, exchange, losses);
    }
  }
  state.graph.keep(losses);
  if (processes != nullptr) agree(state, options, balanced, exchange, losses);
  balanced.combine(losses);
  update_generator(state, options, losses);
  if (state.average) state.average->update();
  critics.keep_step();
  balanced.keep(losses);
  ++state.step;
  return losses.values();
}

/// `computed_step`, recorded where that is asked for and can be: on a card, where nothing in it
/// needs the CPU. A step whose recording fails is done as an ordinary one, and none is recorded
/// from then on.
inline std::vector<LossValue> training_step(TrainingState& state, const std::vector<Batch>& batches,
                                            const TrainerOptions& options, std::int64_t epoch = 0) {
  if (!state.graph.is_wanted()) return computed_step(state, batches, options, epoch);
  std::vector<std::uint64_t> drawn;
  for (const auto& task : state.tasks) drawn.push_back(task.random.state());
  try {
    auto losses = computed_step(state, batches, options, epoch);
    if (const auto why = why_no_graph_after(state, drawn); !why.empty()) state.graph.refuse(why);
    return losses;
  } catch (const c10::Error& error) {
    if (!state.graph.is_recording()) throw;
    state.graph.refuse(error.what_without_backtrace());
  }
  return computed_step(state, batches, options, epoch);
}

}  // namespace limpid::detail
