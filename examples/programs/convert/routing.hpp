#pragma once

#include <limpid/core/progress_line.hpp>
#include <limpid/datasets/data_argument.hpp>
#include <limpid/inference/fit_router.hpp>
#include <limpid/inference/router.hpp>
#include <limpid/inference/routing_samples.hpp>
#include <limpid/kernels/convolution_switch.hpp>
#include <limpid/model/any_model.hpp>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "../options.hpp"

// The router that `limpid-restore --task auto` asks: fitting one, and keeping it in a model file.
namespace examples {

/// The command line of --fit-router.
struct RoutingPlan {
  bool fit = false;
  std::vector<std::string> data;
  std::int64_t pairs = 400;
  double sure = 0;  ///< 0: from where it pays
};

inline void add_routing(CLI::App& app, RoutingPlan& plan) {
  auto* fit =
      app.add_flag("--fit-router", plan.fit,
                   "Fit the router that limpid-restore --task auto asks to pairs of --data, "
                   "and keep it in the model file");
  app.add_option(
         "--data", plan.data,
         "NAME=FORMAT:PATH[@PART], as of limpid-train: pairs of all damages that the router "
         "will meet, together or apart, and of none; NAME is any")
      ->needs(fit)
      ->type_name("DATA");
  app.add_option("--pairs", plan.pairs, "Of each --data, at most so many [400]")
      ->needs(fit)
      ->check(Whole{5, 1 << 20})
      ->type_name("N");
  app.add_option("--sure", plan.sure,
                 "The probability from which each task is done [from where it pays, by what pairs "
                 "gain and lose]")
      ->needs(fit)
      ->check(Real{0.51, 1})
      ->type_name("P");
}

/// What a model file keeps of a router, and how well it did on photographs that it had not seen.
inline nlohmann::json fitted_json(const limpid::RouterFit& fit) {
  auto json = fit.router.to_json();
  auto tasks = nlohmann::json::array();
  for (const auto& task : fit.tasks) {
    tasks.push_back({{"task", task.task},
                     {"sure", task.sure},
                     {"needed", task.needed},
                     {"done", task.done},
                     {"done_right", task.done_right}});
  }
  json["fitted"] = {{"samples", fit.samples}, {"unseen", std::move(tasks)}};
  return json;
}

/// Looks at the pairs of all --data and fits a router to them.
inline nlohmann::json fitted_router(const limpid::AnyModel& model, const RoutingPlan& plan) {
  if (plan.data.empty()) throw UsageError("--fit-router: expected --data NAME=FORMAT:PATH");
  const limpid::ConvolutionScope convolution{limpid::Convolution::fast};
  limpid::ProgressLine progress;
  std::vector<limpid::RoutingSample> samples;
  std::uint64_t seed = 0;
  for (const auto& argument : parse_data("--data", plan.data)) {
    const auto pairs =
        limpid::open_pairs(argument, limpid::DataUse::training, nullptr, 1000 + seed);
    const limpid::RoutingSamplesOptions options{.count = plan.pairs, .seed = seed++};
    const auto more =
        limpid::routing_samples(model, pairs, options, [&](std::int64_t done, std::int64_t of) {
          progress.show(argument.task + ": " + std::to_string(done) + "/" + std::to_string(of));
        });
    samples.insert(samples.end(), more.begin(), more.end());
  }
  const auto fit = limpid::fit_router(model.tasks, samples, {.sure = plan.sure});
  for (const auto& task : fit.tasks) {
    print(
        "%s: %lld of %lld looks need it; done from %.0f %% on: %lld, right in %lld (photographs "
        "unseen)\n",
        task.task.c_str(), static_cast<long long>(task.needed), static_cast<long long>(fit.samples),
        100 * task.sure, static_cast<long long>(task.done),
        static_cast<long long>(task.done_right));
  }
  return fitted_json(fit);
}

/// The router of a file whose encoder stays, for the tasks that stay; null where none is left.
inline nlohmann::json kept_router(const nlohmann::json& manifest, const std::string& source,
                                  const std::vector<std::string>& tasks) {
  const auto router = limpid::Router::of(manifest, source);
  if (!router) return nullptr;
  bool any = false, every = true;
  for (const auto& task : router->tasks()) {
    const bool stays = std::find(tasks.begin(), tasks.end(), task) != tasks.end();
    any = any || stays;
    every = every && stays;
  }
  if (every) return manifest.at("router");
  return any ? router->with_tasks(tasks).to_json() : nlohmann::json(nullptr);
}

}  // namespace examples
