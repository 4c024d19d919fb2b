#pragma once

#include <limpid/core/fixed_string.hpp>

#include <c10/util/Exception.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

namespace limpid {

/// Task names as a type.
template <FixedString... Tasks>
struct TaskList {};

namespace detail {

template <class F, FixedString... Chosen>
void dispatch_tasks(const std::vector<std::string>&, TaskList<>, TaskList<Chosen...>, F& body) {
  if constexpr (sizeof...(Chosen) > 0) body(TaskList<Chosen...>{});
}

template <class F, FixedString First, FixedString... Rest, FixedString... Chosen>
void dispatch_tasks(const std::vector<std::string>& wanted, TaskList<First, Rest...>,
                    TaskList<Chosen...>, F& body) {
  if (std::find(wanted.begin(), wanted.end(), First.view()) != wanted.end()) {
    dispatch_tasks(wanted, TaskList<Rest...>{}, TaskList<Chosen..., First>{}, body);
  } else {
    dispatch_tasks(wanted, TaskList<Rest...>{}, TaskList<Chosen...>{}, body);
  }
}

}  // namespace detail

/// Calls `body(TaskList<...>{})` with those of `Known` that `wanted` names, in the order of
/// `Known`: from names on a command line to a task set in a type.
///
/// The body is compiled for every subset of `Known`, so keep that short.
/// @throws c10::ValueError if `wanted` is empty, or names a task twice or one not in `Known`.
template <FixedString... Known, class F>
void with_tasks(const std::vector<std::string>& wanted, F body) {
  std::string known;
  ((known += (known.empty() ? "" : ", ") + std::string{Known.view()}), ...);
  TORCH_CHECK_VALUE(!wanted.empty(), "expected at least one task of ", known, ", got none");
  for (const auto& task : wanted) {
    TORCH_CHECK_VALUE(((task == Known.view()) || ...), "unknown task '", task, "': expected ",
                      known);
    TORCH_CHECK_VALUE(std::count(wanted.begin(), wanted.end(), task) == 1, "task '", task,
                      "' is named twice");
  }
  detail::dispatch_tasks(wanted, TaskList<Known...>{}, TaskList<>{}, body);
}

}  // namespace limpid
