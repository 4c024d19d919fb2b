#pragma once

// Options that take one number or an interval: 1, or 0.6:1.8.

#include <limpid/core/interval.hpp>

#include <c10/util/Exception.h>
#include <CLI/CLI.hpp>

#include <string>

namespace examples {

/// Adds an option that takes an interval within `limits`, or one number of it.
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

}  // namespace examples
