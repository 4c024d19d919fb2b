#pragma once

#include <limpid/optim/any_optimizer.hpp>
#include <limpid/optim/fused_adam.hpp>
#include <limpid/optim/named_parameters.hpp>

#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/full.h>
#include <ATen/ops/zeros_like.h>
#include <c10/util/Exception.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

namespace limpid::detail {

/// An optimiser at work on the parameters of a training, and what it keeps of them. A parameter
/// that has no gradient in a step is passed by, and begins when it first has one.
class ParameterUpdates {
 public:
  ParameterUpdates(AnyOptimizer optimizer, NamedParameters parameters, double rate)
      : optimizer_(std::move(optimizer)), parameters_(std::move(parameters)), rate_(rate) {
    for (const auto& [name, parameter] : parameters_) {
      kept_.push_back({{}, 0, optimizer_.decays(name, parameter)});
    }
  }

  const AnyOptimizer& optimizer() const { return optimizer_; }
  double rate() const { return rate_; }
  void set_rate(double rate) { rate_ = rate; }

  /// Moves all parameters that have a gradient.
  void step() {
    const at::NoGradGuard no_grad;
    make_room();
    for (const auto i : with_gradient()) {
      if (!is_updated_alone(i)) continue;
      ++kept_[i].step;
      UpdateGroup alone;
      add(alone, i);
      optimizer_.update(alone);
    }
    for (auto& group : groups()) {
      count_step(group);
      optimizer_.update(group.update);
    }
  }

  /// The same before the CPU knows whether all is finite: the device looks at `skip` and leaves
  /// everything as it is where that is 1, which `take_back` then tells the counts.
  /// @param skip    0 or 1, float scalar on the parameters' device
  /// @param shrink  divides the gradients; undefined: nothing does
  /// @return false where the optimiser cannot, or there is no gradient; nothing has been done then.
  bool step_unless(const at::Tensor& skip, const at::Tensor& shrink) {
    const at::NoGradGuard no_grad;
    for (const auto i : with_gradient()) {
      if (is_updated_alone(i)) return false;
    }
    make_room();
    auto all = groups();
    for (auto& group : all) {
      group.update.skip = skip;
      group.update.shrink = shrink;
      if (!optimizer_.can_skip(group.update)) return false;
    }
    for (auto& group : all) {
      count_step(group);
      optimizer_.update(group.update);
    }
    return !all.empty();
  }

  /// The device has skipped the last step.
  void take_back() {
    for (const auto i : with_gradient()) --kept_[i].step;
  }

  /// Adds what is kept of the parameters as PREFIX + parameter + .exp_avg, .exp_avg_sq, .step.
  /// Parameters that never had a gradient have none.
  void collect(const std::string& prefix, std::map<std::string, at::Tensor>& tensors) const {
    for (std::size_t i = 0; i < kept_.size(); ++i) {
      const auto& kept = kept_[i];
      if (kept.step == 0) continue;
      const auto name = prefix + parameters_[i].first + ".";
      for (std::size_t k = 0; k < kept.state.size(); ++k) {
        tensors[name + optimizer_.state_names()[k]] = kept.state[k];
      }
      tensors[name + "step"] = at::full({1}, kept.step, at::kLong);
    }
  }

  /// Checks the state that `collect` took. Errors begin with `source`.
  /// @return what puts it in the place of whatever is kept now.
  std::function<void()> load(const std::string& prefix,
                             const std::map<std::string, at::Tensor>& tensors,
                             const std::string& source) {
    auto loaded = std::make_shared<std::vector<Kept>>();
    for (std::size_t i = 0; i < kept_.size(); ++i) {
      const auto& [parameter_name, parameter] = parameters_[i];
      auto& kept = loaded->emplace_back(Kept{{}, 0, kept_[i].decays});
      const auto name = prefix + parameter_name + ".";
      const auto step = tensors.find(name + "step");
      if (step == tensors.end()) continue;
      TORCH_CHECK(step->second.numel() == 1 && step->second.scalar_type() == at::kLong, source,
                  ": expected '", step->first, "' to be one integer");
      kept.step = step->second.item<std::int64_t>();
      for (std::size_t k = 0; k < optimizer_.states_of(parameter); ++k) {
        const auto& which = optimizer_.state_names()[k];
        const auto found = tensors.find(name + which);
        TORCH_CHECK(found != tensors.end() && found->second.sizes() == parameter.sizes(), source,
                    ": expected '", name, which, "' of shape ", parameter.sizes());
        const at::NoGradGuard no_grad;
        auto state = at::zeros_like(parameter, at::MemoryFormat::Preserve);  // laid out as it is
        kept.state.push_back(state.copy_(found->second));
      }
    }
    return [this, loaded] { kept_ = std::move(*loaded); };
  }

  /// Takes all memory that a step of the parameters with a gradient needs, before anything moves.
  void make_room() {
    for (const auto i : with_gradient()) {
      if (!kept_[i].state.empty()) continue;
      std::vector<at::Tensor> state;
      for (std::size_t k = 0; k < optimizer_.states_of(parameters_[i].second); ++k) {
        state.push_back(at::zeros_like(parameters_[i].second, at::MemoryFormat::Preserve));
      }
      kept_[i].state = std::move(state);
    }
  }

  /// @return what puts everything kept back as it is now; it needs no memory for that.
  std::function<void()> remember() {
    auto copies = std::make_shared<std::vector<Kept>>(kept_);
    for (auto& kept : *copies) {
      for (auto& tensor : kept.state) tensor = tensor.clone();
    }
    return [this, copies] { kept_ = *copies; };
  }

 private:
  struct Kept {
    std::vector<at::Tensor> state;  ///< in the order of the optimiser's names; none before step 1
    std::int64_t step = 0;
    bool decays = false;
  };

  /// Parameters that are updated together, by their places.
  struct Group {
    UpdateGroup update;
    std::vector<std::size_t> members;
  };

  const at::Tensor& gradient(std::size_t i) const { return parameters_[i].second.grad(); }

  std::vector<std::size_t> with_gradient() const {
    std::vector<std::size_t> all;
    for (std::size_t i = 0; i < kept_.size(); ++i) {
      if (gradient(i).defined()) all.push_back(i);
    }
    return all;
  }

  /// On the CPU one at a time is better for caches.
  bool is_updated_alone(std::size_t i) const {
    return parameters_[i].second.is_cpu() && !FusedOnCPU::wanted();
  }

  /// What is not updated alone, as the next step will find it.
  std::vector<Group> groups() const {
    std::map<std::tuple<bool, std::int64_t, std::size_t>, Group> together;
    for (const auto i : with_gradient()) {
      if (is_updated_alone(i)) continue;
      auto& group = together[{kept_[i].decays, kept_[i].step, kept_[i].state.size()}];
      add(group.update, i);
      group.update.step = kept_[i].step + 1;
      group.members.push_back(i);
    }
    std::vector<Group> all;
    for (auto& [key, group] : together) all.push_back(std::move(group));
    return all;
  }

  void count_step(const Group& group) {
    for (const auto i : group.members) ++kept_[i].step;
  }

  void add(UpdateGroup& group, std::size_t i) const {
    const auto& kept = kept_[i];
    group.rate = rate_;
    group.decays = kept.decays;
    group.step = kept.step;
    group.parameters.push_back(parameters_[i].second);
    group.gradients.push_back(gradient(i));
    group.state.resize(kept.state.size());
    for (std::size_t k = 0; k < kept.state.size(); ++k) group.state[k].push_back(kept.state[k]);
  }

  AnyOptimizer optimizer_;
  NamedParameters parameters_;
  double rate_;
  std::vector<Kept> kept_;
};

}  // namespace limpid::detail
