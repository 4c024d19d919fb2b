#pragma once

#include <limpid/core/compiled.hpp>
#include <limpid/core/fail.hpp>
#include <limpid/core/options_by_name.hpp>
#include <limpid/optim/optimizer.hpp>

#include <ATen/core/Tensor.h>
#include <c10/util/Exception.h>

#include <cstddef>
#include <functional>
#include <iterator>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace limpid {

/// Whether weight decay is for a parameter: for the weights of convolutions and linear layers, not
/// for biases, norms, or scales that stand by themselves. By its name, which ends in `weight`, and
/// its shape of more than one dimension.
LIMPID_INLINE bool decays_by_name(std::string_view name, const at::Tensor& parameter);

/// Any optimiser with its options behind one type. It keeps nothing of a training, so that one
/// value serves many; what a training keeps is `ParameterUpdates`.
class AnyOptimizer {
 public:
  using Decays = std::function<bool(const std::string& name, const at::Tensor& parameter)>;

  /// None: what asks for one has its own.
  AnyOptimizer() = default;

  /// @throws c10::ValueError that names the optimiser and the option that is out of range.
  template <Optimizer O>
  AnyOptimizer(O optimizer) : name_(O::name), decays_(decays_by_name) {
    try {
      optimizer.check();
    } catch (const c10::ValueError& error) {
      limpid::refuse(name_, ": ", error.what_without_backtrace());
    }
    for (const auto& name : O::state_names) state_names_.emplace_back(name);
    description_ = name_ + ", " + options_text(optimizer);
    if constexpr (requires(const at::Tensor& parameter) { O::states_of(parameter); }) {
      states_of_ = [](const at::Tensor& parameter) { return O::states_of(parameter); };
    } else {
      states_of_ = [](const at::Tensor&) { return std::size(O::state_names); };
    }
    if constexpr (requires(const UpdateGroup& group) { optimizer.can_skip(group); }) {
      can_skip_ = [optimizer](const UpdateGroup& group) { return optimizer.can_skip(group); };
    } else {
      can_skip_ = [](const UpdateGroup&) { return false; };
    }
    update_ = [optimizer = std::move(optimizer)](UpdateGroup& group) { optimizer.update(group); };
  }

  explicit operator bool() const { return update_ != nullptr; }

  /// The same, with other parameters that decay.
  /// @param which  said in the description: runs of other decay are not resumed
  AnyOptimizer decaying(Decays decays, const std::string& which) const;

  const std::string& name() const { return name_; }

  /// "adamw, beta1 0.9, beta2 0.999, epsilon 1e-08, decay 0.01"
  const std::string& description() const { return description_; }

  /// What it keeps of parameters.
  const std::vector<std::string>& state_names() const { return state_names_; }

  /// Only the first so many are for this parameter.
  std::size_t states_of(const at::Tensor& parameter) const;

  bool decays(const std::string& name, const at::Tensor& parameter) const;

  void update(UpdateGroup& group) const;

  /// Whether `update` heeds what this group says of skipping.
  bool can_skip(const UpdateGroup& group) const;

 private:
  std::string name_, description_;
  std::vector<std::string> state_names_;
  std::function<void(UpdateGroup&)> update_;
  std::function<bool(const UpdateGroup&)> can_skip_;
  std::function<std::size_t(const at::Tensor&)> states_of_;
  Decays decays_;
};

}  // namespace limpid

#ifdef LIMPID_BODIES

namespace limpid {

LIMPID_INLINE bool decays_by_name(std::string_view name, const at::Tensor& parameter) {
  return name.ends_with("weight") && parameter.dim() > 1;
}

LIMPID_INLINE AnyOptimizer AnyOptimizer::decaying(Decays decays, const std::string& which) const {
  auto result = *this;
  result.decays_ = std::move(decays);
  result.description_ += ", decays " + which;
  return result;
}

LIMPID_INLINE std::size_t AnyOptimizer::states_of(const at::Tensor& parameter) const {
  return states_of_(parameter);
}

LIMPID_INLINE bool AnyOptimizer::decays(const std::string& name,
                                        const at::Tensor& parameter) const {
  return decays_(name, parameter);
}

LIMPID_INLINE void AnyOptimizer::update(UpdateGroup& group) const { update_(group); }

LIMPID_INLINE bool AnyOptimizer::can_skip(const UpdateGroup& group) const {
  return can_skip_(group);
}

}  // namespace limpid

#endif  // LIMPID_BODIES
