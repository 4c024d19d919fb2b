#pragma once

#include <limpid/core/autocast.hpp>
#include <limpid/core/ranges.hpp>
#include <limpid/metrics/psnr.hpp>
#include <limpid/training/training_state.hpp>

#include <torch/nn.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <map>
#include <string>

namespace limpid::detail {

/// While it lives, a module is in evaluation mode: no dropout, no statistics taken from the data.
class EvaluationMode {
 public:
  explicit EvaluationMode(torch::nn::Module& module)
      : module_(module), was_training_(module.is_training()) {
    module_.eval();
  }
  ~EvaluationMode() { module_.train(was_training_); }
  EvaluationMode(const EvaluationMode&) = delete;
  EvaluationMode& operator=(const EvaluationMode&) = delete;

 private:
  torch::nn::Module& module_;
  bool was_training_;
};

/// Mean PSNR (RGB, 8 bit, dB) of each task's validation images, whole, and of their degraded
/// inputs: {"deblur": {"psnr_rgb": 27.1, "identity_psnr_rgb": 26.0, "images": 4}, ...}.
/// @param identity  the means of the inputs, kept from call to call.
inline nlohmann::json validation_scores(TrainingState& state, const TrainerOptions& options,
                                        std::map<std::string, double>& identity) {
  nlohmann::json scores = nlohmann::json::object();
  torch::NoGradGuard no_grad;
  EvaluationMode evaluation{*state.model.module};
  const PSNR<> psnr{};
  for (std::size_t t = 0; t < state.tasks.size(); ++t) {
    const auto& task = state.tasks[t];
    auto count = task.branch.validation.size();
    if (options.validation_images > 0) count = std::min(count, options.validation_images);
    if (count == 0) continue;
    const bool first_time = identity.count(task.name) == 0;
    double sum = 0, identity_sum = 0;
    for (std::int64_t i = 0; i < count; ++i) {
      const auto pair = task.branch.validation.load(i, 0);
      const auto degraded = pair.degraded.unit();
      const auto target = pair.target.unit();
      if (first_time) identity_sum += psnr(degraded, target);
      AutocastScope autocast{options.precision, options.device};
      const auto restored = state.model.restore(t, to_signed(degraded).to(options.device));
      sum += psnr(to_unit(restored.to(at::kFloat)).to(at::kCPU), target);
    }
    const auto images = static_cast<double>(count);
    if (first_time) identity[task.name] = identity_sum / images;
    scores[task.name] = {
        {"psnr_rgb", sum / images}, {"identity_psnr_rgb", identity[task.name]}, {"images", count}};
  }
  return scores;
}

/// "step 200  validation PSNR  deblur 27.31 dB (+0.45)  dehaze 18.20 dB (+3.90)"
inline std::string validation_text(std::int64_t step, const nlohmann::json& scores) {
  auto text = "step " + std::to_string(step) + "  validation PSNR";
  for (const auto& [task, score] : scores.items()) {
    const auto psnr = score.at("psnr_rgb").get<double>();
    char part[96];
    std::snprintf(part, sizeof part, "  %s %.2f dB (%+.2f)", task.c_str(), psnr,
                  psnr - score.at("identity_psnr_rgb").get<double>());
    text += part;
  }
  return text;
}

}  // namespace limpid::detail
