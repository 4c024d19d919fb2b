// Trains one encoder and a decoder for each task, by a recipe:
//
//   limpid-train --recipe quickstart --data deblur=pairs:blurred --data dehaze=pairs:hazy --out run
//   limpid-train --recipe quickstart --network nafnet:width=16 --data my-task=pairs:mine --out run
//   limpid-train --recipe quickstart --from run/model.limpid --freeze encoder
//                --data derain=pairs:rainy --out more
//
// Shows progress, validates, and writes run/model.limpid, run/checkpoint.limpid and
// run/metrics.jsonl. `--resume` goes on where a run stood. `--processes N` trains in N processes;
// started by torchrun, srun or mpirun it is one of theirs (docs/scale.md).
#include <limpid/core/huge_pages.hpp>
#include <limpid/core/json_text.hpp>
#include <limpid/datasets/augment.hpp>
#include <limpid/datasets/data_argument.hpp>
#include <limpid/recipes/named_recipes.hpp>
#include <limpid/weights/load_pretrained.hpp>

#include <torch/torch.h>

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "changes.hpp"
#include "keep_memory.hpp"
#include "network_options.hpp"
#include "numbers.hpp"
#include "options.hpp"
#include "program.hpp"
#include "train/loss_options.hpp"
#include "train/optimizer_options.hpp"
#include "train/process_options.hpp"
#include "train/run_options.hpp"
#include "train/run_result.hpp"
#include "train/start_model.hpp"
#include "train_recipe.hpp"
#include "weighting_option.hpp"

namespace {

/// The command line: what it names, and what it changes of the recipe.
struct Plan {
  std::string recipe;
  examples::NetworkOptions network;
  std::vector<std::string> data, validate, batches, augmentations;
  std::filesystem::path vgg, backbone, json;
  bool random_backbone = false;
  int threads = 1;
  examples::Changes<limpid::TrainerOptions> options;
  examples::Changes<limpid::recipes::ThesisObjective> objective;
  examples::LossOptions losses;
  std::string schedule;  ///< as the command line says it; empty: the recipe's
  examples::ProcessOptions processes;
  limpid::WorldPlace place;
  limpid::Communicator communicator;
  examples::StartModel start;
};

/// What the command line says of the tasks.
struct Tasks {
  std::map<std::string, examples::TaskData> data;
  std::map<std::string, std::int64_t> batches;
  std::map<std::string, limpid::Augmentation> augmentations;
};

Tasks open_tasks(const Plan& plan, std::uint64_t seed) {
  Tasks tasks;
  for (const auto& argument : examples::parse_data("--data", plan.data)) {
    tasks.data[argument.task].pairs =
        limpid::open_pairs(argument, limpid::DataUse::training, nullptr, seed);
  }
  const auto check_known = [&](const std::string& option, const std::string& task) {
    if (tasks.data.count(task) == 0) {
      throw examples::UsageError(option + ": task '" + task + "' has no --data");
    }
  };
  for (const auto& argument : examples::parse_data("--validate", plan.validate)) {
    check_known("--validate", argument.task);
    tasks.data[argument.task].validation =
        limpid::open_pairs(argument, limpid::DataUse::evaluation, nullptr, seed);
  }
  for (const auto& text : plan.batches) {
    const auto equals = text.find('=');
    auto number = equals == text.npos ? std::string{} : text.substr(equals + 1);
    if (!examples::Whole{1, 1 << 20}(number).empty()) {
      throw examples::UsageError("--batch: expected TASK=N with N from 1, got '" + text + "'");
    }
    check_known("--batch", text.substr(0, equals));
    tasks.batches[text.substr(0, equals)] = std::stoll(number);
  }
  for (const auto& text : plan.augmentations) {
    const auto equals = text.find('=');
    if (equals == text.npos) {
      throw examples::UsageError("--augment: expected TASK=HOW, got '" + text + "'");
    }
    const auto task = text.substr(0, equals);
    check_known("--augment", task);
    examples::as_usage("--augment: ", [&] {
      tasks.augmentations[task] = limpid::Augmentation::parse(text.substr(equals + 1));
    });
  }
  return tasks;
}

template <limpid::Recipe R>
void write_result(const Plan& plan, const R& recipe, const examples::Trained& trained) {
  if (plan.json.empty() || plan.place.rank != 0) return;
  auto json = examples::run_result(recipe.options, trained.result, trained.steps, plan.threads);
  json["recipe"] = recipe.name;
  json["network"] = recipe.network.family;
  json["network_options"] = limpid::all_options(recipe.network);
  examples::write_json(plan.json, json);
}

/// Puts the networks of the command line into a recipe, and sees to their ImageNet weights.
template <limpid::Recipe R>
void choose_network(R& recipe, const Plan& plan) {
  if (plan.start.given()) {
    if (plan.network.given() || !plan.backbone.empty() || plan.random_backbone) {
      throw examples::UsageError(
          "--network, --network-options, --backbone, --random-backbone: the model of --from says "
          "which networks, and has their weights");
    }
    recipe.network = plan.start.network();
    recipe.options.freeze_encoder_epochs = 0;
    return;
  }
  recipe.network = plan.network.chosen(recipe.network);
  const auto& family = recipe.network.family;
  if (examples::has_backbone(recipe.network)) {
    if (plan.backbone.empty() && !plan.random_backbone) {
      throw examples::UsageError("recipe " + recipe.name + " with network " + family +
                                 " needs --backbone FILE, ImageNet weights, or --random-backbone "
                                 "to train all of it from scratch");
    }
    if (plan.random_backbone) examples::from_scratch(recipe);
  } else {
    if (!plan.backbone.empty() || plan.random_backbone) {
      throw examples::UsageError("--backbone, --random-backbone: recipe " + recipe.name +
                                 " with network " + family + " has no backbone");
    }
    recipe.options.freeze_encoder_epochs = 0;
  }
}

template <limpid::Recipe R>
void train(R recipe, const Plan& plan, const Tasks& tasks, limpid::ContentNetworks networks) {
  choose_network(recipe, plan);
  if constexpr (requires { recipe.objective; }) {
    plan.objective.apply(recipe.objective);
  } else if (!plan.objective.empty()) {
    throw examples::UsageError("--contextual: recipe " + recipe.name + " has no VGG-19");
  }
  const auto slope = plan.losses.change_slope(recipe);
  const bool own_content = !plan.losses.content.empty();
  if (own_content && !plan.objective.empty()) {
    throw examples::UsageError("--contextual: --content says the whole content loss");
  }
  plan.options.apply(recipe.options);
  examples::check_schedule(plan.schedule, recipe.options);
  recipe.options.communicator = plan.communicator;
  recipe.options.device = examples::device_of_rank(recipe.options.device, plan.place);
  if (plan.place.rank != 0) recipe.options.quiet = true;
  std::vector<std::string> names;
  for (const auto& [task, data] : tasks.data) names.push_back(task);
  plan.start.freeze(recipe.options, names);
  recipe.options.facts["threads"] = plan.threads;
  recipe.options.facts["data"] = plan.data;
  examples::RecipeWeights weights{nullptr, plan.backbone};
  if (R::needs_vgg && !own_content) {
    TORCH_CHECK(networks.has("vgg19"), "recipe ", recipe.name,
                " needs --vgg FILE for its perceptual loss: ", limpid::kVGG19Source);
    weights.vgg = limpid::vgg19_of(networks);
  }
  const auto trained = examples::train_recipe(
      recipe, tasks.data, weights,
      [&](const std::string& task, limpid::AnyBranch& branch) {
        if (tasks.batches.count(task) != 0) branch.batch_size = tasks.batches.at(task);
        if (tasks.augmentations.count(task) != 0) {
          branch.augmentation = tasks.augmentations.at(task);
        }
        plan.losses.apply(branch, slope, networks);
      },
      plan.start.parts(tasks.batches, recipe.options.quiet));
  write_result(plan, recipe, trained);
}

/// The work of one process.
void train_as_one_of_all(Plan& plan) {
  limpid::TrainerOptions given;
  plan.options.apply(given);
  auto networks = limpid::with_recipe(
      plan.recipe, [&](const auto& recipe) { return plan.losses.networks(plan.vgg, recipe); });
  examples::as_usage("--weighting: ", [&] {
    std::vector<std::string> names;
    for (const auto& data : examples::parse_data("--data", plan.data)) names.push_back(data.task);
    given.weighting.check_tasks(names);
  });
  plan.start.open(given.out);
  const auto tasks = open_tasks(plan, given.seed);
  examples::make_folder("--out", given.out);
  if (plan.place.rank == 0) examples::try_output("--json", plan.json);
  limpid::with_recipe(plan.recipe, [&](auto recipe) {
    train(std::move(recipe), plan, tasks, std::move(networks));
  });
}

}  // namespace

int main(int argc, char** argv) {
  examples::keep_memory();
  limpid::use_huge_pages();
  Plan plan;
  CLI::App app{"Trains tasks of any names together from one encoder.", "limpid-train"};
  app.add_option("--recipe", plan.recipe,
                 "Losses, rates and length, by name: " + limpid::kRecipes.list())
      ->required()
      ->check(examples::one_of(limpid::kRecipes))
      ->type_name("NAME")
      ->group("Recipe and networks");
  examples::add_network(app, plan.network, "the recipe's", "Recipe and networks");
  plan.start.add_options(app);
  app.add_option("--data", plan.data, limpid::data_argument_help())
      ->required()
      ->type_name("TASK=FORMAT:PATH[@PART]")
      ->group("Data");
  app.add_option("--validate", plan.validate,
                 "Pairs to measure PSNR on; read like --data, the test part")
      ->type_name("TASK=FORMAT:PATH[@PART]")
      ->group("Data");
  examples::add_run_options(app, plan.options);
  plan.options
      .bind(app, "--freeze-epochs", &limpid::TrainerOptions::freeze_encoder_epochs,
            "Epochs without an update of the encoder's pretrained part")
      ->check(examples::Whole{0})
      ->type_name("N")
      ->group("Recipe and networks");
  auto& optimizers = *app.add_option_group("Optimisation", "instead of the recipe's");
  examples::add_optimizers(optimizers, plan.options, plan.schedule);
  app.add_option("--batch", plan.batches, "Crops of a task in each step")
      ->type_name("TASK=N")
      ->group("Data");
  app.add_option("--augment", plan.augmentations,
                 "How a task's crops are varied: none, or some of flip, turns, mixup, cut-mix, "
                 "cut-blur with + between them; the last three mix a share of the batches, "
                 "mixup@0.5 half of them [flip+turns]")
      ->type_name("TASK=HOW")
      ->group("Data");
  auto& losses = *app.add_option_group("Losses", "instead of the recipe's");
  examples::add_losses(losses, plan.losses);
  plan.options
      .bind(losses, "--critic-rate", &limpid::TrainerOptions::critic_rate,
            "Learning rate of the critics")
      ->check(examples::rate())
      ->type_name("RATE");
  examples::add_weighting(losses, plan.options);
  plan.options
      .bind(losses, "--interference", &limpid::TrainerOptions::interference_every,
            "Log how much the tasks' gradients of the encoder agree, every so many steps; 0: never")
      ->check(examples::Whole{0})
      ->type_name("STEPS");
  plan.objective
      .bind(losses, "--contextual", &limpid::recipes::ThesisObjective::contextual_weight,
            "Weight of the contextual loss, added to the content")
      ->check(examples::weight_or_none())
      ->type_name("W");
  app.add_option("--vgg", plan.vgg, "VGG-19 weights under torchvision's names, safetensors or .pth")
      ->type_name("FILE")
      ->group("Recipe and networks");
  auto* backbone = app.add_option("--backbone", plan.backbone,
                                  "ImageNet weights of the FPN's backbone, as pretrainedmodels, "
                                  "timm or torchvision name them, safetensors or .pth");
  backbone->type_name("FILE")->group("Recipe and networks");
  app.add_flag("--random-backbone", plan.random_backbone,
               "No ImageNet weights: train the backbone from scratch, never frozen")
      ->excludes(backbone)
      ->group("Recipe and networks");
  examples::add_processes(app, plan.processes);
  examples::add_reduce_in(app, plan.options);
  examples::add_json(app, plan.json, "Write what came out here");
  examples::add_threads(app, plan.threads);
  examples::add_max_pixels(app);
  app.footer(
      "Ctrl-C, SIGTERM or SIGHUP finishes the step, saves and ends; --resume goes on from there.");
  return examples::run_program(app, argc, argv, [&] {
    if (plan.processes.starts_ranks()) {
      return examples::start_ranks(plan.processes, app.get_name(), argc, argv);
    }
    plan.place = examples::place_of_process(plan.processes);
    if (plan.place.size > 1 && app.count("--threads") == 0) {
      plan.threads = examples::shared_threads(plan.place);
      at::set_num_threads(plan.threads);
    }
    plan.communicator = limpid::join(plan.place, plan.processes.patience());
    examples::telling_the_others(plan.communicator, [&] { train_as_one_of_all(plan); });
    return 0;
  });
}
