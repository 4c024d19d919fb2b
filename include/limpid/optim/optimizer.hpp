#pragma once

#include <limpid/core/options_by_name.hpp>

#include <ATen/core/Tensor.h>

#include <concepts>
#include <cstdint>
#include <iterator>
#include <string_view>
#include <vector>

namespace limpid {

/// Parameters that one step moves alike, their gradients, and what the optimiser keeps of each.
struct UpdateGroup {
  std::vector<at::Tensor> parameters;
  std::vector<at::Tensor> gradients;
  std::vector<std::vector<at::Tensor>> state;  ///< the k-th of `state_names`, of each parameter;
                                               ///< zeros before a parameter's first step
  double rate = 0;                             ///< learning rate
  bool decays = false;    ///< whether weight decay is for these: not for norms and biases
  std::int64_t step = 1;  ///< of these parameters, from 1

  // Scalars on the device, for optimisers that say `can_skip`; undefined: neither.
  at::Tensor skip{};    ///< 1: leave everything as it is
  at::Tensor shrink{};  ///< divides the gradients
};

/// Moves parameters by their gradients, with options that have names. It keeps nothing itself: what
/// is remembered of each parameter stands in `UpdateGroup::state`, under the names that
/// `state_names` lists, and goes into checkpoints under them. `static std::size_t
/// states_of(parameter)`, where there is one, says that only the first so many are for a parameter.
///
/// `bool can_skip(const UpdateGroup&)`, where there is one, says that `update` heeds the group's
/// `skip` and `shrink`.
///
/// `update` computes with LibTorch's `_foreach` functions, so that on a graphics card a step is a
/// few launches for all parameters. On the CPU it is given one parameter at a time, which is the
/// same arithmetic and better for caches.
template <class O>
concept Optimizer = HasOptionsByName<O> && std::copy_constructible<O> &&
    requires(const O& optimizer, UpdateGroup& group) {
  { O::name } -> std::convertible_to<std::string_view>;
  { *std::begin(O::state_names) } -> std::convertible_to<std::string_view>;
  optimizer.check();  // throws c10::ValueError for an option out of range
  optimizer.update(group);
};

}  // namespace limpid
