#pragma once

#include <limpid/inference/published_model.hpp>
#include <limpid/model/any_model.hpp>
#include <limpid/model/average_models.hpp>

#include <CLI/CLI.hpp>

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "../numbers.hpp"
#include "../options.hpp"

// Models whose weights are averaged with those of the one that is converted.
namespace examples {

/// One word of --average: MODEL, or MODEL:SHARE.
struct AveragedModel {
  std::filesystem::path path;
  std::optional<double> share;

  static AveragedModel of(const std::string& word) {
    const auto colon = word.rfind(':');
    if (colon == std::string::npos) return {word, {}};
    const std::string number = word.substr(colon + 1);
    char* end = nullptr;
    const double share = std::strtod(number.c_str(), &end);
    if (number.empty() || *end != '\0') return {word, {}};  // a colon of the name
    if (!std::isfinite(share) || share < 0 || share > 1) {
      throw UsageError("--average: expected a share from 0 to 1 behind '" + word.substr(0, colon) +
                       ":', got '" + number + "'");
    }
    return {word.substr(0, colon), share};
  }
};

inline void add_averaging(CLI::App& app, std::vector<std::string>& words) {
  app.add_option("--average", words,
                 "Models of the same networks, trained on from one another, of all or some of IN's "
                 "tasks: take the mean of its weights and theirs. SHARE is a model's part of the "
                 "whole; those without one, and IN, get equal parts of the rest")
      ->type_name("MODEL[:SHARE]");
}

/// What --average makes of the model IN.
inline limpid::AnyModel averaged(const std::string& in, const limpid::AnyModel& model,
                                 const std::vector<std::string>& words) {
  double rest = 1;
  int without = 1;
  std::vector<AveragedModel> others;
  for (const auto& word : words) {
    others.push_back(AveragedModel::of(word));
    if (others.back().share) {
      rest -= *others.back().share;
    } else {
      ++without;
    }
  }
  if (rest < 0) {
    throw UsageError("--average: expected shares of at most 1 together, got " +
                     number_text(1 - rest));
  }
  std::vector<limpid::ModelShare> models{{in, model, rest / without}};
  for (const auto& [path, share] : others) {
    models.push_back({path.string(), limpid::load_any(path).model, share.value_or(rest / without)});
  }
  return limpid::average_models(models);
}

}  // namespace examples
