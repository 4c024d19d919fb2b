#pragma once

#include <limpid/core/json_text.hpp>
#include <limpid/model/any_model.hpp>
#include <limpid/model/change_tasks.hpp>
#include <limpid/model/describe.hpp>
#include <limpid/model/state_dict.hpp>

#include <ATen/TensorOperators.h>
#include <ATen/ops/zeros_like.h>
#include <nlohmann/json.hpp>

#include <cmath>
#include <cstddef>
#include <span>
#include <string>
#include <vector>

namespace limpid {

/// A model, what errors call it, and how much of it there is in an average.
struct ModelShare {
  std::string name;
  AnyModel model;
  double share;
};

/// One model whose weights are the mean of several models' weights.
///
/// A model that was trained on for other pictures does better on those and worse on others; between
/// its weights and those that it began with lie models that often do better than either on both.
/// Models that began apart have nothing in common, and their mean restores nothing.
///
/// A model may have some of the first one's tasks only, as one that was trained on for a task of
/// many: each weight is the mean over those that have it.
/// Source: Wortsman et al., "Robust Fine-Tuning of Zero-Shot Models", CVPR 2022, and "Model Soups",
/// ICML 2022.
/// @param models  of the same networks. Shares count against their sum; counters of steps, which
///                are no floating-point numbers, are the first model's.
/// @throws c10::ValueError if there is no model, a share is not finite or negative, or all are 0.
/// @throws c10::Error that names the model whose networks are others than the first one's, or that
///         has a task that the first one lacks.
inline AnyModel average_models(std::span<const ModelShare> models) {
  TORCH_CHECK_VALUE(!models.empty(), "average_models: expected a model, got none");
  double all = 0;
  for (const auto& [name, model, share] : models) {
    TORCH_CHECK_VALUE(std::isfinite(share) && share >= 0, "the share of '", name,
                      "': expected a number from 0 on, got ", share);
    all += share;
  }
  TORCH_CHECK_VALUE(all > 0, "average_models: expected a share above 0, got none");
  const auto& first = models.front();
  const auto description = first.model.describe();
  std::vector<TensorMap> weights;
  for (const auto& [whose, model, share] : models) {
    const auto described = model.describe();
    const auto check = [&, &whose = whose](const nlohmann::json& ours,
                                           const nlohmann::json& theirs) {
      TORCH_CHECK(theirs == ours, "'", whose, "' has other networks or tasks than '", first.name,
                  "': expected ", json_excerpt(ours), ", found ", json_excerpt(theirs));
    };
    check(description.at("encoder"), described.at("encoder"));
    for (const auto& entry : described.at("tasks")) {
      check(detail::entry_of(description, entry.at("name")), entry);
    }
    weights.push_back(model.tensors());
  }
  auto mean = weights.front();
  for (auto& [name, tensor] : mean) {
    if (!tensor.is_floating_point()) continue;
    double sum = 0;
    auto total = at::zeros_like(tensor, at::kDouble);
    for (std::size_t i = 0; i < models.size(); ++i) {
      const auto theirs = weights[i].find(name);
      if (theirs == weights[i].end()) continue;
      total += theirs->second.detach().to(at::kDouble) * models[i].share;
      sum += models[i].share;
    }
    if (sum > 0) tensor = (total / sum).to(at::kFloat);
  }
  return detail::filled_model(description, mean);
}

}  // namespace limpid
