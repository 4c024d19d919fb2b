#pragma once

#include <limpid/core/concepts.hpp>
#include <limpid/core/fixed_string.hpp>

#include <array>
#include <cstddef>
#include <string_view>

namespace limpid::detail {

template <std::size_t N>
constexpr bool all_unique(const std::array<std::string_view, N>& names) {
  for (std::size_t i = 0; i < N; ++i) {
    for (std::size_t j = i + 1; j < N; ++j) {
      if (names[i] == names[j]) return false;
    }
  }
  return true;
}

/// The task names of a pack of decoders.
template <Decoder... Decoders>
inline constexpr std::array<std::string_view, sizeof...(Decoders)> kTaskNames{
    std::string_view{ModuleOf<Decoders>::task}...};

/// What is wrong with an encoder and its decoders, if anything.
enum class TaskSetFault {
  none,
  no_encoder,
  no_decoders,
  no_task_name,
  bad_task_name,
  same_task,
  unreadable_features
};

template <class EncoderT, class... Decoders>
consteval TaskSetFault task_set_fault() {
  if constexpr (!Encoder<EncoderT>) {
    return TaskSetFault::no_encoder;
  } else if constexpr (sizeof...(Decoders) == 0) {
    return TaskSetFault::no_decoders;
  } else if constexpr (!(Decoder<Decoders> && ...)) {
    return TaskSetFault::no_task_name;
  } else if constexpr (!(is_task_name(ModuleOf<Decoders>::task) && ...)) {
    return TaskSetFault::bad_task_name;
  } else if constexpr (!all_unique(kTaskNames<Decoders...>)) {
    return TaskSetFault::same_task;
  } else if constexpr (!(DecoderFor<Decoders, EncoderT> && ...)) {
    return TaskSetFault::unreadable_features;
  } else {
    return TaskSetFault::none;
  }
}

/// Position of `task` among `names`, or their number.
template <std::size_t N>
constexpr std::size_t task_index(const std::array<std::string_view, N>& names,
                                 std::string_view task) {
  std::size_t i = 0;
  while (i < N && names[i] != task) ++i;
  return i;
}

/// Refuses a wrong set with one line, whoever asks for it.
template <TaskSetFault fault>
struct CheckedTaskSet {
  static_assert(fault != TaskSetFault::no_encoder,
                "limpid: the first type of the task set is no Encoder (it needs a `Features` type "
                "and `Features forward(const at::Tensor&)`)");
  static_assert(fault != TaskSetFault::no_decoders, "limpid: the task set has no decoder");
  static_assert(fault != TaskSetFault::no_task_name,
                "limpid: a decoder of the task set names no task (it needs `static constexpr "
                "std::string_view task`)");
  static_assert(fault != TaskSetFault::bad_task_name,
                "limpid: a task name may hold only a-z, 0-9, '-' and '_', and must not be empty");
  static_assert(fault != TaskSetFault::same_task, "limpid: two decoders name the same task");
  static_assert(fault != TaskSetFault::unreadable_features,
                "limpid: a decoder cannot read the encoder's features (it needs `at::Tensor "
                "forward(const Features&)`)");
  static constexpr bool good = fault == TaskSetFault::none;
};

/// Stands in for a refused class, so that its refusal is the only error a user reads.
struct Refused {
  template <class... Arguments>
  explicit Refused(Arguments&&...) {}
  template <FixedString Task, class... Arguments>
  void branch(Arguments&&...) {}
  template <class... Arguments>
  void fit(Arguments&&...) {}
};

}  // namespace limpid::detail
