#pragma once

#include <limpid/optim/named_optimizers.hpp>
#include <limpid/optim/named_schedules.hpp>
#include <limpid/training/options.hpp>

#include <CLI/CLI.hpp>

#include <string>
#include <variant>

#include "../changes.hpp"
#include "../numbers.hpp"
#include "../options.hpp"

namespace examples {

/// Takes what `read` takes, which throws c10::ValueError else.
template <class Read>
CLI::Validator readable(Read read) {
  return {[read](std::string& text) -> std::string {
            try {
              read(text);
            } catch (const c10::ValueError& error) {
              return error.what_without_backtrace();
            }
            return {};
          },
          ""};
}

/// Adds --optimizer, --critic-optimizer, --schedule, --accumulate, --checkpoint-blocks and
/// --average.
/// @param schedule  is given the words of --schedule, too
inline void add_optimizers(CLI::App& app, Changes<limpid::TrainerOptions>& options,
                           std::string& schedule) {
  using limpid::TrainerOptions;
  const auto add_optimizer = [&](const std::string& name,
                                 limpid::AnyOptimizer TrainerOptions::*member,
                                 const std::string& text) {
    options
        .add<std::string>(
            app, name,
            [member](TrainerOptions& o, const std::string& words) {
              o.*member = limpid::named_optimizer(words);
            },
            text)
        ->check(readable([](const std::string& words) { limpid::named_optimizer(words); }))
        ->type_name("NAME[:KEY=VALUE,...]");
  };
  add_optimizer("--optimizer", &TrainerOptions::optimizer,
                "Of encoder and decoders: " + limpid::kOptimizers.list() +
                    "; options behind a colon, docs/optim.md [adam]");
  add_optimizer("--critic-optimizer", &TrainerOptions::critic_optimizer,
                "Of the critics: \"adam:beta1=0.5,beta2=0.9\" [adam]");
  options
      .add<std::string>(
          app, "--schedule",
          [&schedule](TrainerOptions& o, const std::string& words) {
            schedule = words;
            o.schedule = limpid::named_schedule(words).schedule;
          },
          "How the learning rate goes, one part after the other: " + limpid::kSchedules.list() +
              "; \"warm-up:length=500steps + cosine\", docs/optim.md [the recipe's]")
      ->check(readable([](const std::string& words) { limpid::named_schedule(words); }))
      ->type_name("NAME[:KEY=VALUE,...][+...]");
  options
      .bind(app, "--accumulate", &TrainerOptions::accumulate,
            "Batches whose gradients make one step, as one batch so many times as large does in "
            "more memory [1]")
      ->check(Whole{1, 1 << 20})
      ->type_name("N");
  options.flag(
      app, "--checkpoint-blocks", [](TrainerOptions& o) { o.checkpoint_blocks = true; },
      "Blocks of the networks keep their inputs alone and are computed again in the backward: less "
      "memory, more time, the same result");
  options
      .bind(app, "--average", &TrainerOptions::average,
            "Share of a moving average of the weights that stays in each step, such as 0.999; the "
            "average is validated and saved as model.limpid; 0: none")
      ->check(share_of_average())
      ->type_name("SHARE");
}

/// @throws UsageError for a schedule in steps of a run whose length is a time.
inline void check_schedule(const std::string& schedule, const limpid::TrainerOptions& options) {
  if (schedule.empty() || !std::holds_alternative<limpid::Minutes>(options.length)) return;
  if (!limpid::named_schedule(schedule).counts_steps) return;
  throw UsageError(
      "--schedule: a run of so many minutes has no number of steps ahead; say shares of "
      "the run or epochs, or --steps or --epochs");
}

}  // namespace examples
