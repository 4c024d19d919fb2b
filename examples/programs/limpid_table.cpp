// Makes the paper's Table 4.1 or 4.2: all its runs one after another, then one page.
//
//   limpid-table 4.2 --data deblur=gopro:GoPro --data dehaze=dhazy:D-HAZY
//                    --data derain=raindrop:raindrop --vgg vgg19.pth --out table
//
// A run that was stopped goes on where it stood, a finished one is skipped. --smoke does the same
// with narrow networks and a few steps, in minutes. --shard 2/4 does every fourth run: four
// machines make one table.
#include <limpid/recipes/tables.hpp>
#include <limpid/training/checkpoint.hpp>

#include <torch/torch.h>

#include <cstddef>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "options.hpp"
#include "program.hpp"
#include "table/page.hpp"
#include "table/plan.hpp"
#include "table/run.hpp"

namespace {

using examples::TablePlan;
using PairsOfTasks = std::map<std::string, limpid::Pairs>;

/// The pairs of every task of the table, to train on and to test on.
struct TableData {
  PairsOfTasks training, tests;
  std::vector<std::string> remarks;  ///< for the page
};

/// The test pairs of a set. The thesis measures on Raindrop's test_b, 249 pairs (sec. 4.1).
limpid::Pairs open_tests(limpid::DataArgument argument) {
  if (argument.format == "raindrop" && argument.part.empty()) argument.part = "test_b";
  return open_pairs(argument, limpid::DataUse::evaluation);
}

TableData open_data(const TablePlan& plan, const limpid::recipes::PaperTable& table) {
  TableData data;
  const auto arguments = examples::parse_data("--data", plan.data);
  const auto tests = examples::parse_data("--test", plan.test);
  for (const auto& run : table.runs) {
    for (const auto& task : run.tasks) {
      const auto names_task = [&](const auto& argument) { return argument.task == task; };
      if (data.training.count(task) != 0) continue;
      const auto found = std::find_if(arguments.begin(), arguments.end(), names_task);
      if (found == arguments.end()) {
        throw examples::UsageError("--data: Table " + table.number + " needs data for " + task);
      }
      data.training[task] = open_pairs(*found, limpid::DataUse::training);
      const auto test = std::find_if(tests.begin(), tests.end(), names_task);
      auto pairs = open_tests(test == tests.end() ? *found : *test);
      if (test == tests.end() && limpid::kDataFormats.at(found->format).parts.empty()) {
        data.remarks.push_back(task +
                               " is tested on the pairs it was trained on: name others "
                               "with --test.");
      }
      const auto all = pairs.size();
      const auto most = plan.smoke ? examples::kSmokeImages : plan.max_images;
      if (most > 0) pairs = pairs.first(most);
      if (pairs.size() < all) {
        data.remarks.push_back(task + ": tested on the first " + std::to_string(pairs.size()) +
                               " of " + std::to_string(all) + " pictures.");
      }
      if (plan.smoke) pairs = examples::MiddleParts{pairs, examples::kSmokeSide};
      data.tests[task] = pairs;
    }
  }
  for (const auto& list : {arguments, tests}) {
    for (const auto& argument : list) {
      if (data.training.count(argument.task) != 0) continue;
      throw examples::UsageError("task '" + argument.task + "' is not in Table " + table.number);
    }
  }
  return data;
}

examples::RecipeWeights load_weights(const TablePlan& plan) {
  examples::RecipeWeights weights{nullptr, plan.backbone};
  if (plan.vgg.empty()) {
    torch::manual_seed(plan.seed);
    weights.vgg = limpid::VGG19::random_for_benchmark({.deepest = "conv3_3"});
  } else {
    weights.vgg = limpid::load_vgg19(plan.vgg, {.deepest = "conv3_3"});
  }
  weights.vgg->to(examples::device_of(plan.compute.device));
  return weights;
}

void show_plan(const TablePlan& plan, const limpid::recipes::PaperTable& table) {
  for (std::size_t i = 0; i < table.runs.size(); ++i) {
    if (!plan.shard.has(i)) continue;
    const auto& run = table.runs[i];
    std::string tasks;
    for (const auto& task : run.tasks) tasks += (tasks.empty() ? "" : ", ") + task;
    const auto folder = plan.out / run.name;
    const auto state = std::filesystem::exists(examples::result_file(folder))  ? "finished"
                       : std::filesystem::exists(folder / "checkpoint.limpid") ? "begun"
                                                                               : "to do";
    examples::print("%-10s %-28s %s (%s)\n", state, run.name.c_str(), run.title.c_str(),
                    tasks.c_str());
  }
}

void make_table(const TablePlan& plan, limpid::recipes::PaperTable table) {
  if (!plan.no_twins) table = limpid::recipes::with_twins(std::move(table));
  if (plan.show_plan) return show_plan(plan, table);
  const bool has_backbone = examples::has_backbone(table.runs.front().recipe.network);
  if (!plan.backbone.empty() && !has_backbone) {
    throw examples::UsageError("--backbone: the networks of Table " + table.number + " have none");
  }
  if (!plan.smoke) {
    TORCH_CHECK(!plan.vgg.empty(), "Table ", table.number,
                " needs --vgg FILE for its perceptual loss: ", limpid::kVGG19Source);
    if (has_backbone && plan.backbone.empty()) {
      throw examples::UsageError("Table " + table.number +
                                 " needs --backbone FILE, ImageNet weights");
    }
  }
  const auto data = open_data(plan, table);
  examples::make_folder("--out", plan.out);
  const auto settings_file = plan.out / "table.json";
  const auto settings = examples::table_settings(plan);
  const auto found = examples::read_result(settings_file);
  if (!found.is_null()) {
    limpid::check_conditions(found, settings, false, "'" + settings_file.string() + "'");
  }
  limpid::write_atomically(settings_file, limpid::json_text(settings));
  const auto weights = load_weights(plan);
  std::int64_t failed = 0;
  for (std::size_t i = 0; i < table.runs.size(); ++i) {
    if (!plan.shard.has(i)) continue;
    const auto& run = table.runs[i];
    const bool finished = finish_run(plan, run, data.training, data.tests, weights);
    examples::one_at_a_time(plan.out / "table.lock",
                            [&] { write_page(plan, table, data.remarks); });
    if (!finished) {
      examples::print("stopped; the same command goes on from there\n");
      return;
    }
    failed += examples::failed_pictures(
        examples::read_result(examples::result_file(plan.out / run.name)));
  }
  examples::print("%s\n", (plan.out / "index.html").string().c_str());
  TORCH_CHECK(failed == 0, failed, " pictures could not be measured; see above");
}

}  // namespace

int main(int argc, char** argv) {
  TablePlan plan;
  CLI::App app{"Makes a table of the paper: trains and measures all its runs, writes one page.",
               "limpid-table"};
  app.add_option("TABLE", plan.table,
                 "4.1 (FPN-Inception; one, two and three tasks) or 4.2 (ResNet; three ways)")
      ->required()
      ->check(CLI::IsMember({"4.1", "4.2"}));
  app.add_option("--data", plan.data, limpid::data_argument_help())
      ->type_name("TASK=FORMAT:PATH[@PART]");
  app.add_option("--test", plan.test, "Pairs to measure on [the test part of --data]")
      ->type_name("TASK=FORMAT:PATH[@PART]");
  app.add_option("--out", plan.out, "Folder of the runs, results.json and index.html")
      ->required()
      ->type_name("DIR");
  app.add_option("--vgg", plan.vgg, "VGG-19 weights under torchvision's names, safetensors or .pth")
      ->type_name("FILE");
  app.add_option("--backbone", plan.backbone,
                 "ImageNet weights of InceptionResNetV2, as pretrainedmodels or timm name them, "
                 "safetensors or .pth; for 4.1")
      ->type_name("FILE");
  app.add_flag("--smoke", plan.smoke,
               "Narrow networks, small crops, a few steps; says so on the page");
  app.add_flag("--no-twins", plan.no_twins,
               "Only the paper's runs, without each task's run of its own to compare with");
  examples::add_shard(app, plan.shard);
  app.add_flag("--plan", plan.show_plan, "List the runs and what is done, and end");
  auto* length =
      app.add_option_group("Length of each run", "one of them; else the paper's 80 epochs");
  length->add_option("--epochs", plan.epochs, "Passes over the data")
      ->check(examples::Whole{})
      ->type_name("N");
  length->add_option("--steps", plan.steps, "Updates of the networks")
      ->check(examples::Whole{})
      ->type_name("N");
  length->require_option(0, 1);
  app.add_option("--max-images", plan.max_images, "Measure at most so many pictures of each task")
      ->check(examples::Whole{})
      ->type_name("N");
  app.add_option("--workers", plan.workers, "Threads that decode ahead, for each task")
      ->check(examples::Whole{0, 64})
      ->capture_default_str()
      ->type_name("N");
  app.add_option("--seed", plan.seed, "Of weights, shuffling and crops")->capture_default_str();
  app.add_flag("--quiet", plan.quiet, "No progress on standard error");
  examples::add_tiling(app, plan.tiling);
  examples::add_tiling_kind(app, plan.tiling);
  examples::add_compute(app, plan.compute);
  app.footer(
      "A run that was stopped (Ctrl-C, SIGTERM) goes on with the same command; finished runs are "
      "skipped.");
  plan.command = examples::command_line(argc, argv);
  return examples::run_program(app, argc, argv, [&] {
    if (plan.data.empty() && !plan.show_plan) throw examples::UsageError("--data is required");
    if (plan.table == "4.1") {
      make_table(plan, limpid::recipes::table_4_1());
    } else {
      make_table(plan, limpid::recipes::table_4_2());
    }
  });
}
