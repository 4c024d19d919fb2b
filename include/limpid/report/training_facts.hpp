#pragma once

#include <limpid/core/progress_line.hpp>
#include <limpid/report/report_parts.hpp>

#include <nlohmann/json.hpp>

#include <string>
#include <vector>

namespace limpid {

/// What a model file's manifest says of its training, for a report: recipe, steps, time, data.
/// What it does not say is left out.
inline std::vector<Fact> training_facts(const nlohmann::json& manifest) {
  std::vector<Fact> facts;
  const auto trained = manifest.value("facts", nlohmann::json::object());
  if (manifest.contains("recipe")) facts.push_back({"Recipe", manifest.value("recipe", "")});
  if (manifest.contains("step")) {
    facts.push_back({"Training steps", std::to_string(manifest.value("step", 0LL))});
  }
  if (manifest.contains("seconds")) {
    auto time = duration_text(manifest.value("seconds", 0.0));
    if (trained.contains("threads")) {
      time += " with " + std::to_string(trained.value("threads", 0)) + " threads";
    }
    facts.push_back({"Training time", time});
  }
  std::string data;
  for (const auto& text : trained.value("data", std::vector<std::string>{})) {
    data += (data.empty() ? "" : "\n") + text;
  }
  if (!data.empty()) facts.push_back({"Trained on", data});
  return facts;
}

}  // namespace limpid
