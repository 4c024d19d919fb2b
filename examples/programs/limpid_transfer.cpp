// Measures what it costs or gains tasks to share an encoder, and what weightings do about it:
//
//   limpid-transfer --recipe quickstart --data deblur=photos:train --data dehaze=photos:train
//                   --test deblur=pairs:test/deblur --test dehaze=pairs:test/dehaze
//                   --weightings equal,pcgrad,upgrad --budget images=4000 --seeds 3 --out transfer
//
// All tasks together by each weighting, and each task alone on as many of its own pictures; then a
// page. A run that was stopped goes on where it stood, a finished one is skipped, and the same
// folder takes further weightings and seeds.
#include <limpid/losses/content/content_losses.hpp>
#include <limpid/training/resume_conditions.hpp>

#include <torch/torch.h>

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "options.hpp"
#include "program.hpp"
#include "transfer/page.hpp"
#include "transfer/plan.hpp"
#include "transfer/results.hpp"
#include "transfer/run.hpp"
#include "transfer/text.hpp"

namespace {

using examples::TransferPlan;

/// The recipe with what the command line changes.
template <limpid::Recipe R>
R changed_recipe(R recipe, const TransferPlan& plan) {
  recipe.network = plan.network.chosen(recipe.network);
  const bool has_backbone = examples::has_backbone(recipe.network);
  if (!plan.backbone.empty() && !has_backbone) {
    throw examples::UsageError("--backbone: network " + recipe.network.family + " has none");
  }
  if (!has_backbone) {
    recipe.options.freeze_encoder_epochs = 0;
  } else if (plan.backbone.empty()) {
    examples::from_scratch(recipe);
  }
  recipe.options.quiet = plan.quiet;
  plan.options.apply(recipe.options);
  recipe.options.facts["threads"] = plan.threads;
  recipe.options.facts["data"] = plan.data;
  return recipe;
}

template <limpid::Recipe R>
examples::RecipeWeights load_weights(const TransferPlan& plan) {
  examples::RecipeWeights weights{nullptr, plan.backbone};
  if (!R::needs_vgg) return weights;
  TORCH_CHECK(!plan.vgg.empty(), "recipe ", plan.recipe,
              " needs --vgg FILE for its perceptual loss: ", limpid::kVGG19Source);
  limpid::ContentNetworks networks;
  networks.set_file("vgg19", plan.vgg);
  weights.vgg = limpid::vgg19_of(networks);
  return weights;
}

/// Opens the tests, and sees whether the training data can be opened.
template <limpid::Recipe R>
void open_data(examples::TransferSetup<R>& setup, std::vector<std::string>& remarks) {
  const auto& plan = setup.plan;
  for (const auto& argument : setup.data) {
    limpid::open_pairs(argument, limpid::DataUse::training);
    const auto tests = examples::parse_data("--test", plan.test);
    const auto test = std::find_if(tests.begin(), tests.end(),
                                   [&](const auto& other) { return other.task == argument.task; });
    if (test == tests.end() && limpid::kDataFormats.at(argument.format).parts.empty()) {
      remarks.push_back(argument.task +
                        " is tested on the pictures it was trained on: name others with --test.");
    }
    auto pairs =
        limpid::open_pairs(test == tests.end() ? argument : *test, limpid::DataUse::evaluation);
    const auto all = pairs.size();
    if (plan.max_images > 0) pairs = pairs.first(plan.max_images);
    if (pairs.size() < all) {
      remarks.push_back(argument.task + ": tested on the first " + std::to_string(pairs.size()) +
                        " of " + std::to_string(all) + " pictures.");
    }
    setup.tests[argument.task] = pairs;
  }
}

/// @throws UsageError for tasks that cannot be compared, or are named where there is no data.
void check_tasks(const TransferPlan& plan, const std::vector<std::string>& tasks) {
  if (tasks.size() < 2) throw examples::UsageError("--data: expected two tasks or more");
  for (const auto& argument : examples::parse_data("--test", plan.test)) {
    if (std::find(tasks.begin(), tasks.end(), argument.task) != tasks.end()) continue;
    throw examples::UsageError("--test: task '" + argument.task + "' has no --data");
  }
  for (const auto& weighting : plan.weightings) {
    examples::as_usage("--weightings: ",
                       [&] { limpid::named_weighting(weighting).check_tasks(tasks); });
  }
}

void show_plan(const TransferPlan& plan, const std::vector<examples::TransferRun>& runs) {
  for (std::size_t i = 0; i < runs.size(); ++i) {
    if (!plan.shard.has(i)) continue;
    const auto& run = runs[i];
    const auto folder = plan.out / run.folder();
    const auto result = examples::read_result(examples::result_file(folder));
    const auto state = examples::is_finished(result)                               ? "finished"
                       : !result.is_null() && result.contains("error")             ? "failed"
                       : std::filesystem::exists(folder / limpid::kCheckpointName) ? "begun"
                                                                                   : "to do";
    examples::print("%-10s %s\n", state, run.folder().string().c_str());
  }
}

template <limpid::Recipe R>
void measure_transfer(const TransferPlan& plan, R given) {
  examples::TransferSetup<R> setup{plan, changed_recipe(std::move(given), plan), {}, {}, {}};
  setup.data = examples::parse_data("--data", plan.data);
  const auto tasks = setup.tasks();
  check_tasks(plan, tasks);
  const auto runs = examples::transfer_runs(plan, tasks);
  if (plan.show_plan) return show_plan(plan, runs);
  std::vector<std::string> remarks;
  open_data(setup, remarks);
  setup.weights = load_weights<R>(plan);
  if (examples::has_backbone(setup.recipe.network) && plan.backbone.empty()) {
    remarks.push_back("The backbone began with random weights, not with ImageNet's.");
  }
  examples::make_folder("--out", plan.out);
  const auto settings_file = plan.out / "transfer.json";
  const auto settings =
      examples::transfer_settings(plan, setup.recipe.network, setup.recipe.options);
  const auto found = examples::read_result(settings_file);
  if (!found.is_null()) {
    limpid::check_conditions(found, settings, false, "'" + settings_file.string() + "'");
  }
  limpid::write_atomically(settings_file, limpid::json_text(settings));
  const auto write_page = [&] {
    const examples::TransferResults results{plan.out, plan.weightings, tasks};
    const auto unfinished = std::count_if(runs.begin(), runs.end(), [&](const auto& run) {
      return !examples::is_finished(
          examples::read_result(examples::result_file(plan.out / run.folder())));
    });
    write_transfer_page(plan, settings, results, static_cast<std::size_t>(unfinished), remarks);
    return results;
  };
  for (std::size_t i = 0; i < runs.size(); ++i) {
    if (!plan.shard.has(i)) continue;
    const bool finished = finish_transfer(setup, runs[i]);
    examples::one_at_a_time(plan.out / "transfer.lock", write_page);
    if (finished) continue;
    examples::print("stopped; the same command goes on from there\n");
    return;
  }
  examples::one_at_a_time(plan.out / "transfer.lock",
                          [&] { examples::print_transfer(write_page()); });
  examples::print("%s\n", (plan.out / "index.html").string().c_str());
  std::size_t failed = 0;
  for (std::size_t i = 0; i < runs.size(); ++i) {
    const auto file = examples::result_file(plan.out / runs[i].folder());
    if (plan.shard.has(i) && !examples::is_finished(examples::read_result(file))) ++failed;
  }
  TORCH_CHECK(failed == 0, failed, " of ", runs.size(),
              " runs failed or have pictures that could not be measured; see above");
}

void add_options(CLI::App& app, TransferPlan& plan) {
  using limpid::TrainerOptions;
  app.add_option("--recipe", plan.recipe,
                 "Networks, losses and rates, by name: " + limpid::kRecipes.list())
      ->required()
      ->check(examples::one_of(limpid::kRecipes))
      ->type_name("NAME");
  examples::add_network(app, plan.network, "the recipe's");
  app.add_option("--data", plan.data, limpid::data_argument_help())
      ->required()
      ->type_name("TASK=FORMAT:PATH[@PART]");
  app.add_option("--test", plan.test, "Pairs to measure on [the test part of --data]")
      ->type_name("TASK=FORMAT:PATH[@PART]");
  app.add_option_function<std::string>(
         "--weightings",
         [&plan](const std::string& text) { plan.weightings = examples::split_weightings(text); },
         "How tasks share the encoder, each as limpid-train --weighting has it, commas between "
         "them: equal,cagrad:c=0.4,pcgrad; of " +
             limpid::kWeightings.list())
      ->required()
      ->type_name("NAME[:KEY=VALUE,...],...");
  app.add_option_function<std::string>(
         "--budget",
         [&plan](const std::string& text) {
           plan.budget = examples::TransferBudget::parse(text);
           plan.budget_text = text;
         },
         "Length of each run: images=N crops of each task, or minutes=M of the first run, whose "
         "number of steps all others then take")
      ->required()
      ->type_name("images=N|minutes=M");
  examples::add_count(app, "--seeds", plan.seeds, "Runs of each kind, with the seeds 0 to N - 1");
  app.add_option("--out", plan.out, "Folder of the runs, results.json and index.html")
      ->required()
      ->type_name("DIR");
  app.add_option("--batch", plan.batch, "Crops of each task in each step [the recipe's]")
      ->check(examples::Whole{})
      ->type_name("N");
  plan.options.bind(app, "--crop", &TrainerOptions::crop, "Side of a crop, pixels [the recipe's]")
      ->check(examples::Whole{16, 4096})
      ->type_name("N");
  plan.options
      .bind(app, "--rate", &TrainerOptions::rate, "Learning rate at its highest [the recipe's]")
      ->check(examples::rate())
      ->type_name("RATE");
  plan.options
      .bind(app, "--interference", &TrainerOptions::interference_every,
            "Steps between looks at how much the tasks' gradients agree; 0: never [20]")
      ->check(examples::Whole{0})
      ->type_name("STEPS");
  plan.options
      .bind(app, "--workers", &TrainerOptions::workers, "Threads that decode ahead, for each task")
      ->check(examples::Whole{0, 64})
      ->type_name("N");
  app.add_option("--max-images", plan.max_images, "Measure at most so many pictures of each task")
      ->check(examples::Whole{})
      ->type_name("N");
  app.add_option("--vgg", plan.vgg, "VGG-19 weights under torchvision's names, safetensors or .pth")
      ->type_name("FILE");
  app.add_option("--backbone", plan.backbone,
                 "ImageNet weights of the network's backbone [random weights]")
      ->type_name("FILE");
  plan.options
      .add<std::string>(
          app, "--device",
          [](TrainerOptions& o, const auto& name) { o.device = examples::device_of(name); },
          "Where to compute [cpu]")
      ->check(CLI::IsMember({"cpu", "cuda"}));
  plan.options
      .add<std::string>(
          app, "--precision",
          [](TrainerOptions& o, const auto& name) { o.precision = examples::precision_of(name); },
          "Of convolutions; auto: what is fast here [the recipe's]")
      ->check(CLI::IsMember({"float32", "bfloat16", "auto"}));
  examples::add_threads(app, plan.threads);
  examples::add_shard(app, plan.shard);
  app.add_flag("--plan", plan.show_plan, "List the runs and what is done, and end");
  app.add_flag("--quiet", plan.quiet, "No progress on standard error");
  examples::add_tiling(app, plan.tiling);
  examples::add_tiling_kind(app, plan.tiling);
  examples::add_max_pixels(app);
}

}  // namespace

int main(int argc, char** argv) {
  TransferPlan plan;
  CLI::App app{
      "Measures what sharing an encoder costs or gains each task, by several weightings and seeds: "
      "all runs one after another, then a page.",
      "limpid-transfer"};
  add_options(app, plan);
  app.footer(
      "A run that was stopped (Ctrl-C, SIGTERM) goes on with the same command; finished runs are "
      "skipped. The same folder takes further weightings and seeds.");
  plan.command = examples::command_line(argc, argv);
  return examples::run_program(app, argc, argv, [&] {
    limpid::with_recipe(plan.recipe, [&](auto recipe) {
      recipe.options.interference_every = 20;
      measure_transfer(plan, std::move(recipe));
    });
  });
}
