#pragma once

#include <limpid/core/modules.hpp>
#include <limpid/model/adapters.hpp>
#include <limpid/model/any_model.hpp>
#include <limpid/model/manifest.hpp>
#include <limpid/training/frozen_weights.hpp>

#include <algorithm>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace limpid {

namespace detail {

/// Parts of a model that stay as they are while it lives: their weights collect no gradient, and in
/// evaluation mode they take no statistics from data and drop nothing out.
class FrozenParts {
 public:
  FrozenParts() = default;

  /// @param names  of modules, as they stand in files: "encoder", "decoder.deblur"
  /// @throws c10::ValueError for a name that no part has.
  FrozenParts(const AnyModel& model, const std::vector<std::string>& names) {
    const auto modules = model.module->named_modules();
    for (const auto& name : names) {
      const auto* found = modules.find(name);
      TORCH_CHECK_VALUE(!name.empty() && found != nullptr,
                        "expected a part of the model to freeze (encoder, decoder.",
                        model.tasks.front(), " ...), got '", name, "'");
      names_.push_back(name + ".");
      modules_.push_back(*found);
      weights_.push_back(std::make_unique<FrozenWeights>(**found));
    }
  }

  /// To be called once the model is in training mode.
  void evaluate() const {
    for (const auto& module : modules_) module->eval();
  }

  /// The model as it is trained: the parameters that are not frozen, and the tasks that have one,
  /// of their own or in the encoder. Module and description stay those of the whole.
  /// @throws c10::ValueError if nothing is left.
  AnyModel trained(const AnyModel& whole) const {
    if (names_.empty()) return whole;
    auto part = whole;
    std::erase_if(part.parameters, [&](const auto& parameter) {
      return std::any_of(names_.begin(), names_.end(),
                         [&](const auto& name) { return parameter.first.starts_with(name); });
    });
    std::vector<std::size_t> places;
    part.tasks.clear();
    for (std::size_t t = 0; t < whole.tasks.size(); ++t) {
      const auto& task = whole.tasks[t];
      if (!has_parameter(part, "encoder.") && !has_parameter(part, decoder_prefix(task)) &&
          !has_parameter(part, adapter_prefix(task))) {
        continue;
      }
      part.tasks.push_back(task);
      places.push_back(t);
    }
    TORCH_CHECK_VALUE(!places.empty(), "everything is frozen; nothing is left to train");
    part.restore = [restore = whole.restore, places](std::size_t task, const at::Tensor& degraded) {
      return restore(places.at(task), degraded);
    };
    part.tile_needs = [needs = whole.tile_needs, places](std::size_t task) {
      return needs(places.at(task));
    };
    return part;
  }

 private:
  static bool has_parameter(const AnyModel& model, std::string_view prefix) {
    return std::any_of(model.parameters.begin(), model.parameters.end(),
                       [&](const auto& parameter) { return parameter.first.starts_with(prefix); });
  }

  std::vector<std::string> names_;  // "encoder."
  std::vector<std::shared_ptr<torch::nn::Module>> modules_;
  std::vector<std::unique_ptr<FrozenWeights>> weights_;
};

}  // namespace detail

/// Whether a run can leave these parts of a model as they are (`TrainerOptions::frozen`).
/// @throws c10::ValueError for a name that no part of it has, or if nothing is left to train.
inline void check_frozen(const AnyModel& model, const std::vector<std::string>& names) {
  detail::FrozenParts{model, names}.trained(model);
}

}  // namespace limpid
