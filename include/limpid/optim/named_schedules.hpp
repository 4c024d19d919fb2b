#pragma once

#include <limpid/core/fail.hpp>
#include <limpid/core/named.hpp>
#include <limpid/core/options_by_name.hpp>
#include <limpid/optim/schedule.hpp>
#include <limpid/optim/schedule_parts.hpp>
#include <limpid/optim/stretch.hpp>

#include <c10/util/Exception.h>

#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace limpid {

/// A schedule of a table.
template <class S>
struct ScheduleType {
  using type = S;
};

/// Every schedule that a command line can name.
inline constexpr NamedTable kSchedules{
    "a schedule",
    Named{"constant", "the rate as it is", ScheduleType<ConstantRate>{}},
    Named{"warm-up", "rises linearly", ScheduleType<WarmUp>{}},
    Named{"linear", "falls linearly", ScheduleType<LinearFall>{}},
    Named{"cosine", "falls by half a cosine", ScheduleType<CosineFall>{}},
    Named{"multi-step", "falls at milestones", ScheduleType<MultiStep>{}},
    Named{"restarts", "half cosines, one after the other", ScheduleType<WarmRestarts>{}}};

namespace detail {

/// Options that every schedule has.
struct CommonScheduleOptions {
  std::optional<Stretch> length{};
  bool by_epochs = false;

  /// @return whether it has an option of this name, which is set then
  bool set(std::string_view option, std::string_view text) {
    if (means_name(option, "length")) {
      length = Stretch::parse(text);
    } else if (means_name(option, "by")) {
      TORCH_CHECK_VALUE(text == "step" || text == "epoch", "by: expected step or epoch, found '",
                        text, "'");
      by_epochs = text == "epoch";
    } else {
      return false;
    }
    return true;
  }
};

inline std::string_view without_blanks(std::string_view text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  return text;
}

/// One schedule of a sequence, from its words.
/// @param counts_steps  set where it counts steps
inline ScheduleSequence::Part schedule_part(std::string_view words, bool& counts_steps) {
  const auto text = TextByName<':'>::parse(words);
  const auto name = kSchedules.spelled(text.name);
  return kSchedules.with(name, [&](const auto& entry) {
    using S = typename std::remove_cvref_t<decltype(entry)>::type;
    S schedule{};
    CommonScheduleOptions common;
    if (name == "warm-up") common.length = Stretch::share(0.02);
    try {
      check_set_once(text.options);
      for (const auto& [option, value] : text.options) {
        if (!common.set(option, value)) set_option(schedule, option, value);
      }
      if constexpr (requires { schedule.check(); }) schedule.check();
    } catch (const c10::ValueError& error) {
      limpid::refuse(name, ": ", error.what_without_backtrace());
    }
    if (common.length) counts_steps = counts_steps || common.length->counts_steps();
    if constexpr (requires { schedule.counts_steps(); }) {
      counts_steps = counts_steps || schedule.counts_steps();
    }
    return ScheduleSequence::Part{std::move(schedule), common.length, common.by_epochs};
  });
}

}  // namespace detail

/// A schedule from its words.
struct NamedSchedule {
  Schedule schedule;
  bool counts_steps = false;  ///< so that it is not for runs whose length is a time
};

/// The schedule that the words say: "warm-up:length=500steps+cosine:final=1e-6", schedules one
/// after the other. Beside its own options each takes `length`, a share of the run, steps or
/// epochs, and `by`, step or epoch: when the rate changes. Those without a length share what the
/// others leave; a warm-up is 0.02 of the run.
///
/// @throws c10::ValueError for an unknown name or option, and for a value out of range.
inline NamedSchedule named_schedule(std::string_view text) {
  NamedSchedule result;
  std::vector<ScheduleSequence::Part> parts;
  for (auto rest = text;;) {
    const auto words = detail::until(rest, '+');
    parts.push_back(detail::schedule_part(detail::without_blanks(words), result.counts_steps));
    if (words.size() == rest.size()) break;
    rest.remove_prefix(words.size() + 1);
  }
  result.schedule = ScheduleSequence{std::move(parts)};
  return result;
}

}  // namespace limpid
