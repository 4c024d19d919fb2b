#pragma once

#include <limpid/core/json_text.hpp>
#include <limpid/model/any_model.hpp>
#include <limpid/model/change_tasks.hpp>
#include <limpid/model/describe.hpp>
#include <limpid/model/state_dict.hpp>

#include <ATen/TensorOperators.h>
#include <nlohmann/json.hpp>

#include <cmath>
#include <span>
#include <string>
#include <utility>

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
/// Source: Wortsman et al., "Robust Fine-Tuning of Zero-Shot Models", CVPR 2022, and "Model Soups",
/// ICML 2022.
/// @param models  of the same networks and tasks. Shares count against their sum; counters of
///                steps, which are no floating-point numbers, are the first model's.
/// @throws c10::ValueError if there is no model, a share is not finite or negative, or all are 0.
/// @throws c10::Error that names the model whose networks or tasks are others than the first one's.
inline AnyModel average_models(std::span<const ModelShare> models) {
  TORCH_CHECK_VALUE(!models.empty(), "average_models: expected a model, got none");
  double sum = 0;
  for (const auto& [name, model, share] : models) {
    TORCH_CHECK_VALUE(std::isfinite(share) && share >= 0, "the share of '", name,
                      "': expected a number from 0 on, got ", share);
    sum += share;
  }
  TORCH_CHECK_VALUE(sum > 0, "average_models: expected a share above 0, got none");
  const auto& first = models.front();
  const auto description = first.model.describe();
  auto mean = first.model.tensors();
  for (auto& [name, tensor] : mean) {
    if (tensor.is_floating_point()) tensor = tensor.detach().to(at::kDouble) * (first.share / sum);
  }
  for (const auto& [whose, model, share] : models.subspan(1)) {
    const auto described = model.describe();
    TORCH_CHECK(described == description, "'", whose, "' has other networks or tasks than '",
                first.name, "': expected ", json_excerpt(description), ", found ",
                json_excerpt(described));
    for (const auto& [name, tensor] : model.tensors()) {
      auto& ours = mean.at(name);
      if (tensor.is_floating_point()) ours = ours + tensor.detach().to(at::kDouble) * (share / sum);
    }
  }
  for (auto& [name, tensor] : mean) {
    if (tensor.is_floating_point()) tensor = tensor.to(at::kFloat);
  }
  return detail::filled_model(description, mean);
}

}  // namespace limpid
