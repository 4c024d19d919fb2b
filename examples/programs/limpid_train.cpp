// Trains one encoder and a decoder for each task, by a recipe:
//
//   limpid-train --recipe quickstart --data deblur=pairs:blurred --data dehaze=pairs:hazy --out run
//   limpid-train --recipe quickstart --network nafnet:width=16 --data my-task=pairs:mine --out run
//
// Shows progress, validates, and writes run/model.limpid, run/checkpoint.limpid and
// run/metrics.jsonl. `--resume` goes on where a run stood.
#include <limpid/core/json_text.hpp>
#include <limpid/datasets/augment.hpp>
#include <limpid/datasets/data_argument.hpp>
#include <limpid/recipes/named_recipes.hpp>
#include <limpid/weights/load_pretrained.hpp>

#include <torch/torch.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include "changes.hpp"
#include "network_options.hpp"
#include "numbers.hpp"
#include "options.hpp"
#include "program.hpp"
#include "train/loss_options.hpp"
#include "train_recipe.hpp"

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
        limpid::open_pairs(argument, limpid::DataUse::evaluation);
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

std::string name_of(limpid::FitResult result) {
  switch (result) {
    case limpid::FitResult::finished:
      return "finished";
    case limpid::FitResult::stopped:
      return "stopped";
    case limpid::FitResult::interrupted:
      return "interrupted";
  }
  return "";
}

template <limpid::Recipe R>
void write_result(const Plan& plan, const R& recipe, const examples::Trained& trained) {
  if (plan.json.empty()) return;
  const auto& options = recipe.options;
  nlohmann::json json{{"recipe", recipe.name},
                      {"network", recipe.network.family},
                      {"network_options", limpid::all_options(recipe.network)},
                      {"out", options.out.string()},
                      {"steps", trained.steps},
                      {"result", name_of(trained.result)},
                      {"threads", plan.threads},
                      {"device", options.device.str()},
                      {"precision", limpid::name_of(resolve(options.precision, options.device))}};
  std::ifstream log{options.out / "metrics.jsonl"};
  for (std::string line; std::getline(log, line);) {
    const auto entry = nlohmann::json::parse(line, nullptr, false);
    if (!entry.is_object()) continue;
    if (entry.value("kind", "") == "validation") json["validation"] = entry["tasks"];
    json["seconds"] = entry["seconds"];
  }
  examples::write_json(plan.json, json);
}

/// Puts the networks of the command line into a recipe, and sees to their ImageNet weights.
template <limpid::Recipe R>
void choose_network(R& recipe, const Plan& plan) {
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
  recipe.options.facts["threads"] = plan.threads;
  recipe.options.facts["data"] = plan.data;
  examples::RecipeWeights weights{nullptr, plan.backbone};
  if (R::needs_vgg && !own_content) {
    TORCH_CHECK(!plan.vgg.empty(), "recipe ", recipe.name,
                " needs --vgg FILE for its perceptual loss: ", limpid::kVGG19Source);
    weights.vgg = limpid::load_vgg19(plan.vgg, {.deepest = "conv3_3"});
    weights.vgg->to(recipe.options.device);
  }
  const auto trained = examples::train_recipe(
      recipe, tasks.data, weights, [&](const std::string& task, limpid::AnyBranch& branch) {
        if (tasks.batches.count(task) != 0) branch.batch_size = tasks.batches.at(task);
        if (tasks.augmentations.count(task) != 0) {
          branch.augmentation = tasks.augmentations.at(task);
        }
        plan.losses.apply(branch, slope, networks);
      });
  write_result(plan, recipe, trained);
}

/// Options of the trainer; the recipe's where they are not given.
void add_trainer_options(CLI::App& app, Plan& plan) {
  using limpid::TrainerOptions;
  auto& options = plan.options;
  options
      .bind(app, "--out", &TrainerOptions::out,
            "Folder of model.limpid, checkpoint.limpid and metrics.jsonl")
      ->required()
      ->type_name("RUN");
  auto& length = *app.add_option_group("Length", "of the run; the recipe's where none is given");
  const auto add_length = [&]<class Length, class Number>(const char* name, CLI::Validator check,
                                                          const char* type) {
    options
        .add<Number>(
            length, name, [](TrainerOptions& o, Number count) { o.length = Length{count}; }, "")
        ->check(check)
        ->type_name(type);
  };
  add_length.operator()<limpid::Epochs, std::int64_t>("--epochs", examples::Whole{}, "N");
  add_length.operator()<limpid::Steps, std::int64_t>("--steps", examples::Whole{}, "N");
  add_length.operator()<limpid::Minutes, double>("--minutes", examples::positive(), "M");
  length.require_option(0, 1);
  options.bind(app, "--crop", &TrainerOptions::crop, "Side of a crop, pixels")
      ->check(examples::Whole{16, 4096})
      ->type_name("N");
  options
      .bind(app, "--freeze-epochs", &TrainerOptions::freeze_encoder_epochs,
            "Epochs without an update of the encoder's pretrained part")
      ->check(examples::Whole{0})
      ->type_name("N");
  options.flag(
      app, "--resume", [](TrainerOptions& o) { o.start = limpid::Start::resume; },
      "Go on with the run in RUN, or start it");
  options.flag(
      app, "--data-changed", [](TrainerOptions& o) { o.data_changed = true; },
      "With --resume: take the run up although its --data have other pairs than before");
  options
      .bind(app, "--validation-images", &TrainerOptions::validation_images,
            "Validate on so many pictures of each task, spread over its --validate; 0: all")
      ->check(examples::Whole{0})
      ->type_name("N");
  options
      .bind(app, "--stop-after", &TrainerOptions::stop_after,
            "End this sitting after so many steps, saved; schedules still run to the end")
      ->check(examples::Whole{})
      ->type_name("STEPS");
  options
      .add<std::string>(
          app, "--device",
          [](TrainerOptions& o, const auto& name) { o.device = examples::device_of(name); },
          "cpu or cuda [cpu]")
      ->check(CLI::IsMember({"cpu", "cuda"}));
  options
      .add<std::string>(
          app, "--precision",
          [](TrainerOptions& o, const auto& name) { o.precision = examples::precision_of(name); },
          "float32, bfloat16 or auto; the recipe's if not given")
      ->check(CLI::IsMember({"float32", "bfloat16", "auto"}));
  options
      .bind(app, "--workers", &TrainerOptions::workers, "Threads that decode ahead, for each task")
      ->check(examples::Whole{0, 64})
      ->type_name("N");
  options
      .bind(app, "--seed", &TrainerOptions::seed,
            "Of weights, shuffling, crops and degradations [0]")
      ->check(examples::Whole{0})
      ->type_name("N");
  options.flag(
      app, "--quiet", [](TrainerOptions& o) { o.quiet = true; }, "No progress on standard error");
}

}  // namespace

int main(int argc, char** argv) {
  Plan plan;
  CLI::App app{"Trains tasks of any names together from one encoder.", "limpid-train"};
  app.add_option("--recipe", plan.recipe,
                 "Losses, rates and length, by name: " + limpid::kRecipes.list())
      ->required()
      ->check(examples::one_of(limpid::kRecipes))
      ->type_name("NAME");
  examples::add_network(app, plan.network, "the recipe's");
  app.add_option("--data", plan.data, limpid::data_argument_help())
      ->required()
      ->type_name("TASK=FORMAT:PATH[@PART]");
  app.add_option("--validate", plan.validate,
                 "Pairs to measure PSNR on; read like --data, the test part")
      ->type_name("TASK=FORMAT:PATH[@PART]");
  add_trainer_options(app, plan);
  app.add_option("--batch", plan.batches, "Crops of a task in each step")->type_name("TASK=N");
  app.add_option("--augment", plan.augmentations,
                 "How a task's crops are varied: flip+turns, flip, turns or none [flip+turns]")
      ->type_name("TASK=HOW");
  auto& losses = *app.add_option_group("Losses", "instead of the recipe's");
  examples::add_losses(losses, plan.losses);
  plan.options
      .bind(losses, "--critic-rate", &limpid::TrainerOptions::critic_rate,
            "Learning rate of the critics")
      ->check(examples::positive())
      ->type_name("RATE");
  plan.objective
      .bind(losses, "--contextual", &limpid::recipes::ThesisObjective::contextual_weight,
            "Weight of the contextual loss, added to the content")
      ->check(examples::Real{})
      ->type_name("W");
  app.add_option("--vgg", plan.vgg, "VGG-19 weights under torchvision's names, safetensors or .pth")
      ->type_name("FILE");
  auto* backbone = app.add_option("--backbone", plan.backbone,
                                  "ImageNet weights of the FPN's backbone, as pretrainedmodels, "
                                  "timm or torchvision name them, safetensors or .pth");
  backbone->type_name("FILE");
  app.add_flag("--random-backbone", plan.random_backbone,
               "No ImageNet weights: train the backbone from scratch, never frozen")
      ->excludes(backbone);
  examples::add_json(app, plan.json, "Write what came out here");
  examples::add_threads(app, plan.threads);
  examples::add_max_pixels(app);
  app.footer(
      "Ctrl-C, SIGTERM or SIGHUP finishes the step, saves and ends; --resume goes on from there.");
  return examples::run_program(app, argc, argv, [&] {
    limpid::TrainerOptions given;
    plan.options.apply(given);
    auto networks = plan.losses.networks(plan.vgg);
    const auto tasks = open_tasks(plan, given.seed);
    examples::make_folder("--out", given.out);
    examples::try_output("--json", plan.json);
    limpid::with_recipe(plan.recipe, [&](auto recipe) {
      train(std::move(recipe), plan, tasks, std::move(networks));
    });
  });
}
