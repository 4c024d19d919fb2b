#pragma once

// Options that several subcommands of limpid-data have.

#include <limpid/core/interval.hpp>

#include <c10/util/Exception.h>
#include <CLI/CLI.hpp>

#include <cstdint>
#include <string>

#include "../numbers.hpp"

namespace examples {

/// Adds an option that takes an interval within `limits`, or one number of it: 1, or 0.6:1.8.
inline CLI::Option* add_interval(CLI::App& app, const std::string& name, limpid::Interval& interval,
                                 const limpid::Interval& limits, const std::string& text) {
  const auto read = [name, &interval, limits](const std::string& written) {
    try {
      interval = limpid::Interval::parse(written);
      if (limits.contains(interval)) return;
    } catch (const c10::ValueError&) {
    }
    throw CLI::ValidationError(name, "expected a number N or an interval LOW:HIGH within " +
                                         limits.text() + ", found '" + written + "'");
  };
  return app.add_option_function<std::string>(name, read, text)
      ->default_str(interval.text())
      ->type_name("N|LOW:HIGH");
}

/// Adds --seed.
inline void add_seed(CLI::App& app, std::uint64_t& seed, const std::string& text) {
  app.add_option("--seed", seed, text)->capture_default_str()->type_name("N");
}

/// Adds --max-side.
inline void add_max_side(CLI::App& app, std::int64_t& side) {
  app.add_option("--max-side", side, "Shrink photographs whose longer side has more pixels")
      ->check(Whole{16, 65536})
      ->type_name("N");
}

}  // namespace examples
