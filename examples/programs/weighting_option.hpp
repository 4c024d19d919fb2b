#pragma once

#include <limpid/training/options.hpp>
#include <limpid/weighting/named_weightings.hpp>

#include <CLI/CLI.hpp>

#include <string>

#include "changes.hpp"

namespace examples {

/// Adds --weighting.
inline CLI::Option* add_weighting(CLI::App& app, Changes<limpid::TrainerOptions>& options) {
  const auto check = [](std::string& text) -> std::string {
    try {
      limpid::named_weighting(text);
    } catch (const c10::ValueError& error) {
      return error.what_without_backtrace();
    }
    return {};
  };
  return options
      .add<std::string>(
          app, "--weighting",
          [](limpid::TrainerOptions& o, const std::string& text) {
            o.weighting = limpid::named_weighting(text);
          },
          "How tasks share the encoder: " + limpid::kWeightings.list() +
              "; options behind a colon, docs/balance.md [equal]")
      ->check(CLI::Validator{check, ""})
      ->type_name("NAME[:KEY=VALUE,...]");
}

}  // namespace examples
