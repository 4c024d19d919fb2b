#pragma once

#include <limpid/core/options_by_name.hpp>

#include <c10/util/Exception.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>
#include <string_view>

namespace limpid {

/// A part of a run: a share of it, steps, or epochs. As text "0.5", "500steps", "3epochs".
class Stretch {
 public:
  static constexpr Stretch share(double count) { return {count, Unit::share}; }
  static constexpr Stretch steps(double count) { return {count, Unit::steps}; }
  static constexpr Stretch epochs(double count) { return {count, Unit::epochs}; }

  /// @throws c10::ValueError that quotes the text and says what was expected.
  static Stretch parse(std::string_view text) {
    const std::string_view name = text.ends_with("steps")    ? "steps"
                                  : text.ends_with("epochs") ? "epochs"
                                                             : "";
    const auto unit = name == "steps" ? Unit::steps : name == "epochs" ? Unit::epochs : Unit::share;
    double count = -1;
    try {
      detail::read_option(text.substr(0, text.size() - name.size()), count);
    } catch (const c10::ValueError&) {
      count = -1;
    }
    TORCH_CHECK_VALUE(count >= 0 && (unit != Unit::share || count <= 1),
                      "expected a share of the run from 0 to 1, Nsteps or Nepochs, found '", text,
                      "'");
    return {count, unit};
  }

  /// Its length in a run of so many steps.
  std::int64_t in_steps(std::int64_t run, std::int64_t steps_per_epoch) const {
    const auto one = unit_ == Unit::share    ? static_cast<double>(run)
                     : unit_ == Unit::epochs ? static_cast<double>(steps_per_epoch)
                                             : 1.0;
    return std::llround(std::min(count_ * one, static_cast<double>(run)));
  }

  /// Whether it is a number of steps, which a run whose length is a time does not know ahead.
  bool counts_steps() const { return unit_ == Unit::steps; }

  std::string text() const {
    return detail::option_text(count_) + (unit_ == Unit::steps    ? "steps"
                                          : unit_ == Unit::epochs ? "epochs"
                                                                  : "");
  }

 private:
  enum class Unit { share, steps, epochs };
  constexpr Stretch(double count, Unit unit) : count_(count), unit_(unit) {}

  double count_;
  Unit unit_;
};

}  // namespace limpid
