#pragma once

#include <limpid/core/autocast.hpp>
#include <limpid/training/options.hpp>
#include <limpid/training/run_folder.hpp>
#include <limpid/training/training_run.hpp>

#include <nlohmann/json.hpp>

#include <cstdint>
#include <fstream>
#include <string>

namespace examples {

inline std::string name_of(limpid::FitResult result) {
  switch (result) {
    case limpid::FitResult::finished:
      return "finished";
    case limpid::FitResult::stopped:
      return "stopped";
    case limpid::FitResult::interrupted:
      return "interrupted";
  }
  return "";
}

/// What --json gets of a run: how it ended, its last validation, and which was its best.
inline nlohmann::json run_result(const limpid::TrainerOptions& options, limpid::FitResult result,
                                 std::int64_t steps, int threads) {
  nlohmann::json json{{"out", options.out.string()},
                      {"steps", steps},
                      {"result", name_of(result)},
                      {"threads", threads},
                      {"device", options.device.str()},
                      {"precision", limpid::name_of(resolve(options.precision, options.device))},
                      {"convolution", limpid::name_of(options.convolution)},
                      {"checkpoint_blocks", options.checkpoint_blocks}};
  std::ifstream log{options.out / limpid::kMetricsName};
  for (std::string line; std::getline(log, line);) {
    const auto entry = nlohmann::json::parse(line, nullptr, false);
    if (!entry.is_object()) continue;
    if (entry.value("kind", "") == "validation") json["validation"] = entry["tasks"];
    if (entry.contains("best")) json["best"] = entry["best"];
    json["seconds"] = entry["seconds"];
  }
  return json;
}

}  // namespace examples
