#pragma once

#include <limpid/recipes/thesis_fpn_inception.hpp>
#include <limpid/recipes/thesis_resnet.hpp>

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace limpid::recipes {

/// What the paper prints for one task of one run.
struct PaperScore {
  std::string task;
  double psnr = 0;          ///< dB
  double ssim = 0;          ///< under the protocol below
  std::string ssim_metric;  ///< limpid's name of the protocol that the number was computed by
};

/// Another method's score that the paper prints beside its own.
struct CitedScore {
  std::string method;
  double psnr = 0;
  double ssim = 0;
};

/// One training run of a table.
struct TableRun {
  std::string name;     ///< of its folder
  std::string title;    ///< what readers see
  std::string variant;  ///< runs of one variant differ in their tasks only
  std::vector<std::string> tasks;
  ThesisRecipe recipe;
  std::vector<PaperScore> paper{};  ///< empty for runs that the paper does not have
};

/// A table of the paper: its runs, in order.
struct PaperTable {
  std::string number;
  std::string title;
  std::vector<TableRun> runs;
  std::vector<CitedScore> cited{};
  std::string cited_note{};
};

/// Table 4.1 of the thesis (sec. 4.4): FPN-Inception trained for one, two and three tasks, measured
/// on GoPro's test part.
///
/// The SSIM of the first row is most likely the CW-SSIM of DeblurGAN's script, that of the others
/// scikit-image's default (docs/metrics.md).
inline PaperTable table_4_1() {
  const auto recipe = thesis_fpn_inception();
  const auto run = [&](std::string name, std::string title, std::vector<std::string> tasks,
                       PaperScore paper) {
    return TableRun{std::move(name),  std::move(title), "fpn-inception",
                    std::move(tasks), recipe,           {std::move(paper)}};
  };
  return {.number = "4.1",
          .title = "FPN-Inception with one, two and three tasks",
          .runs = {run("one-task", "one task", {"deblur"}, {"deblur", 28.277, 0.928, "cw_ssim"}),
                   run("two-tasks", "two tasks", {"deblur", "dehaze"},
                       {"deblur", 27.3, 0.81, "ssim_uniform"}),
                   run("three-tasks", "three tasks", {"deblur", "dehaze", "derain"},
                       {"deblur", 27.38, 0.80, "ssim_uniform"})},
          .cited = {{"Nah et al. 2017", 28.3, 0.916},
                    {"Xu et al.", 25.1, 0.89},
                    {"DeblurGAN", 27.2, 0.954}},
          .cited_note = "As the thesis prints them; their SSIM protocols differ."};
}

/// Table 4.2 of the thesis (sec. 4.4): the ResNet generator trained for three tasks, in three ways.
///
/// The thesis does not say which critic rate its second row has; here it is that of the first, to
/// which the row adds its term.
inline PaperTable table_4_2() {
  auto doubled = thesis_resnet();
  doubled.options.critic_rate = 2 * doubled.options.rate;
  auto contextual = doubled;
  contextual.objective.contextual_weight = 0.5;
  auto five = thesis_resnet();
  five.objective.critic_updates = 5;

  const auto paper = [](double deblur, double deblur_ssim, double dehaze, double dehaze_ssim,
                        double derain, double derain_ssim) {
    return std::vector<PaperScore>{{"deblur", deblur, deblur_ssim, "ssim_uniform"},
                                   {"dehaze", dehaze, dehaze_ssim, "ssim_uniform"},
                                   {"derain", derain, derain_ssim, "ssim_uniform"}};
  };
  const std::vector<std::string> all{"deblur", "dehaze", "derain"};
  return {.number = "4.2",
          .title = "The ResNet generator with three tasks",
          .runs = {{"critic-rate-doubled", "lr_D = 2 lr_G", "critic-rate-doubled", all, doubled,
                    paper(27.13, 0.791, 16.92, 0.695, 23.98, 0.765)},
                   {"contextual", "+ 0.5 contextual", "contextual", all, contextual,
                    paper(26.56, 0.779, 16.92, 0.718, 23.96, 0.756)},
                   {"five-critic-updates", "lr_D = lr_G, 5 critic updates", "five-critic-updates",
                    all, five, paper(26.85, 0.78, 16.6, 0.699, 23.97, 0.761)}}};
}

/// The table with a single-task run of the same variant for every task that shares an encoder in
/// it: what the sharing costs or gains is the difference to that twin. The paper's runs come first.
inline PaperTable with_twins(PaperTable table) {
  const auto paper_runs = table.runs;
  for (const auto& run : paper_runs) {
    if (run.tasks.size() < 2) continue;
    for (const auto& task : run.tasks) {
      const bool exists = std::any_of(table.runs.begin(), table.runs.end(), [&](const auto& other) {
        return other.variant == run.variant && other.tasks == std::vector<std::string>{task};
      });
      if (exists) continue;
      auto twin = run;
      twin.name = run.variant + "-" + task + "-alone";
      twin.title = task + " alone, " + run.title;
      if (run.variant == "fpn-inception") twin.title = task + " alone";
      twin.tasks = {task};
      twin.paper.clear();
      table.runs.push_back(std::move(twin));
    }
  }
  return table;
}

/// The run that trains `task` alone as `run` trains it among others; null where there is none, or
/// where `run` has no other task.
inline const TableRun* twin_of(const PaperTable& table, const TableRun& run,
                               const std::string& task) {
  if (run.tasks.size() < 2) return nullptr;
  for (const auto& other : table.runs) {
    if (other.variant == run.variant && other.tasks == std::vector<std::string>{task}) {
      return &other;
    }
  }
  return nullptr;
}

}  // namespace limpid::recipes
