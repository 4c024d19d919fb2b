#pragma once

#include <limpid/model/adapt_to.hpp>
#include <limpid/model/any_model.hpp>
#include <limpid/model/families.hpp>

#include <CLI/CLI.hpp>

#include <cstdint>
#include <string>

#include "../options.hpp"

// One task of another model, as adapters of the one that is converted.
namespace examples {

/// The command line of --adapt.
struct AdaptingPlan {
  std::string word;  ///< TASK=MODEL
  std::int64_t rank = 2;

  std::string task() const { return word.substr(0, word.find('=')); }
  std::string path() const { return word.substr(word.find('=') + 1); }
};

inline void add_adapting(CLI::App& app, AdaptingPlan& plan) {
  auto* adapt = app.add_option(
      "--adapt", plan.word,
      "Take a task from a model that was trained on from IN with an encoder that moved: its "
      "decoder, and low-rank adapters in the place of what changed in the encoder; other tasks "
      "stay as they are, to the bit");
  adapt->type_name("TASK=MODEL")->check([](const std::string& text) {
    const auto equals = text.find('=');
    const bool is_pair = equals != std::string::npos && equals > 0 && equals + 1 < text.size();
    return is_pair ? std::string{} : "expected TASK=MODEL, got '" + text + "'";
  });
  app.add_option("--rank", plan.rank, "Of each convolution's adapter [2]")
      ->needs(adapt)
      ->check(Whole{1, 4096})
      ->type_name("N");
}

/// What --adapt makes of the model IN.
inline limpid::AnyModel adapted(const limpid::AnyModel& model, const AdaptingPlan& plan) {
  const auto tuned = limpid::load_any(plan.path()).model;
  return as_usage("--adapt: ",
                  [&] { return limpid::adapt_to(model, tuned, plan.task(), {.rank = plan.rank}); });
}

}  // namespace examples
