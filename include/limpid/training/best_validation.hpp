#pragma once

#include <limpid/training/pair_names.hpp>
#include <limpid/training/training_state.hpp>
#include <limpid/training/validation.hpp>

#include <nlohmann/json.hpp>

#include <cstdint>
#include <cstdio>
#include <optional>
#include <string>

// Which validation of a run is its best: the one with the highest mean over the tasks of the gain
// in PSNR (RGB, 8 bit, dB). A task weighs the same whatever the number of its pictures, and as much
// whether its pictures are hard or easy.
namespace limpid::detail {

inline constexpr const char* kBestMeasure = "mean_gain_psnr_rgb";

/// What a validation is compared by; nothing where a task has no finite score.
/// @param scores  what `validation_scores` found
inline std::optional<double> mean_gain(const nlohmann::json& scores) {
  double sum = 0;
  for (const auto& [task, score] : scores.items()) {
    if (!score.contains("psnr_rgb")) return std::nullopt;
    sum += score.at("psnr_rgb").get<double>() - score.at("identity_psnr_rgb").get<double>();
  }
  if (scores.empty()) return std::nullopt;
  return sum / static_cast<double>(scores.size());
}

/// What the tasks are validated on, in one line: scores of other pictures are not compared.
inline std::string validated_on(const TrainingState& state, const TrainerOptions& options) {
  std::string text;
  for (const auto& task : state.tasks) {
    const auto pairs = validation_pairs(task, options);
    if (pairs.empty()) continue;
    text += (text.empty() ? "" : " ") + task.name + ":" + checksum_of_names(pairs);
  }
  return text;
}

/// Compares a validation with the best of the run so far, and keeps it in `state.best` if it is
/// better. One that had to leave out more pictures is not better.
inline bool is_best(TrainingState& state, const TrainerOptions& options,
                    const nlohmann::json& scores) {
  const auto score = mean_gain(scores);
  if (!score) return false;
  std::int64_t failed = 0;
  for (const auto& [task, found] : scores.items()) failed += found.at("failed").get<std::int64_t>();
  const auto data = validated_on(state, options);
  const auto& best = state.best;
  const bool comparable = best && best->data == data;
  if (comparable && (failed > best->failed || *score <= best->score)) return false;
  state.best = BestValidation{*score, state.step, failed, data};
  return true;
}

/// For the log.
inline nlohmann::json best_json(const BestValidation& best) {
  return {{"measure", kBestMeasure}, {"score", best.score}, {"step", best.step}};
}

/// "; mean gain +1.23 dB, the best so far", to stand behind the text of a validation.
inline std::string best_text(const TrainingState& state, const nlohmann::json& scores) {
  const auto score = mean_gain(scores);
  if (!score || !state.best) return "";
  char text[120];
  if (state.best->step == state.step) {
    std::snprintf(text, sizeof text, "; mean gain %+.2f dB, the best so far", *score);
  } else {
    std::snprintf(text, sizeof text, "; mean gain %+.2f dB, the best is %+.2f dB of step %lld",
                  *score, state.best->score, static_cast<long long>(state.best->step));
  }
  return text;
}

}  // namespace limpid::detail
