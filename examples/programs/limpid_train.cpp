// Trains one encoder and a decoder for each task, by a recipe:
//
//   limpid-train --recipe quickstart --data deblur=pairs:blurred --data dehaze=pairs:hazy --out run
//
// Shows progress, validates, and writes run/model.limpid, run/checkpoint.limpid and
// run/metrics.jsonl. `--resume` goes on where a run stood.
#include <limpid/core/json_text.hpp>
#include <limpid/datasets/data_argument.hpp>
#include <limpid/recipes/adversaries.hpp>
#include <limpid/recipes/quickstart.hpp>
#include <limpid/recipes/thesis_fpn_inception.hpp>
#include <limpid/recipes/thesis_resnet.hpp>

#include <torch/torch.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include "options.hpp"
#include "program.hpp"
#include "train_recipe.hpp"

namespace {

/// The command line.
struct Plan {
  std::string recipe;
  std::vector<std::string> data, validate, batches;
  std::filesystem::path out, vgg, backbone, json;
  std::string adversarial, critic;
  std::int64_t epochs = 0, steps = 0, crop = 0, stop_after = 0, workers = 1;
  std::int64_t critic_updates = 0, freeze_epochs = -1;
  double minutes = 0, adversarial_weight = 0, critic_rate = 0, contextual = 0;
  bool random_backbone = false;
  std::uint64_t seed = 0;
  std::string device = "cpu", precision;
  bool resume = false, data_changed = false, quiet = false;
  std::int64_t validation_images = 0;
  int threads = 1;
};

/// What the command line says of the tasks.
struct Tasks {
  std::map<std::string, examples::TaskData> data;
  std::map<std::string, std::int64_t> batches;
};

Tasks open_tasks(const Plan& plan) {
  Tasks tasks;
  for (const auto& argument : examples::parse_data("--data", plan.data)) {
    examples::as_usage("--data: ", [&] {
      limpid::with_tasks<"deblur", "dehaze", "derain">({argument.task}, [](auto) {});
    });
    tasks.data[argument.task].pairs =
        limpid::open_pairs(argument, limpid::DataUse::training, nullptr, plan.seed);
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
    const auto number = equals == text.npos ? "" : text.substr(equals + 1);
    if (number.empty() || number.find_first_not_of("0123456789") != number.npos ||
        number.size() > 6 || std::stoll(number) < 1) {
      throw examples::UsageError("--batch: expected TASK=N with N from 1, got '" + text + "'");
    }
    check_known("--batch", text.substr(0, equals));
    tasks.batches[text.substr(0, equals)] = std::stoll(number);
  }
  return tasks;
}

/// The recipe's options with what the command line changes.
limpid::TrainerOptions adjusted(limpid::TrainerOptions options, const Plan& plan) {
  options.out = plan.out;
  if (plan.epochs > 0) options.length = limpid::Epochs{plan.epochs};
  if (plan.steps > 0) options.length = limpid::Steps{plan.steps};
  if (plan.minutes > 0) options.length = limpid::Minutes{plan.minutes};
  if (plan.crop > 0) options.crop = plan.crop;
  if (plan.critic_rate > 0) options.critic_rate = plan.critic_rate;
  if (plan.freeze_epochs >= 0) options.freeze_encoder_epochs = plan.freeze_epochs;
  options.stop_after = plan.stop_after;
  options.workers = plan.workers;
  options.seed = plan.seed;
  options.quiet = plan.quiet;
  options.data_changed = plan.data_changed;
  options.validation_images = plan.validation_images;
  options.start = plan.resume ? limpid::Start::resume : limpid::Start::fresh;
  options.device = examples::device_of(plan.device);
  if (!plan.precision.empty()) options.precision = examples::precision_of(plan.precision);
  options.facts["threads"] = plan.threads;
  options.facts["data"] = plan.data;
  return options;
}

void write_result(const Plan& plan, const limpid::TrainerOptions& options, std::int64_t steps,
                  limpid::FitResult result) {
  if (plan.json.empty()) return;
  constexpr const char* kEnds[] = {"finished", "stopped", "interrupted"};
  nlohmann::json json{{"recipe", options.recipe},
                      {"out", options.out.string()},
                      {"steps", steps},
                      {"result", kEnds[static_cast<int>(result)]},
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

/// Gives a branch what the command line says of its losses.
void adjust(const Plan& plan, const Tasks& tasks, const std::string& task,
            limpid::AnyBranch& branch) {
  if (tasks.batches.count(task) != 0) branch.batch_size = tasks.batches.at(task);
  if (!plan.adversarial.empty() || !plan.critic.empty()) {
    branch.adversary = examples::as_usage("--adversarial, --critic: ", [&] {
      const auto objective = plan.adversarial.empty() ? "wasserstein-gp" : plan.adversarial;
      return limpid::recipes::make_adversary(objective, plan.critic);
    });
  }
  if (plan.adversarial_weight > 0) branch.adversarial_weight = plan.adversarial_weight;
  if (plan.critic_updates > 0) branch.critic_updates = plan.critic_updates;
}

template <class Recipe>
void train(Recipe recipe, const Plan& plan, const Tasks& tasks) {
  if constexpr (requires { recipe.objective; }) {
    recipe.objective.contextual_weight = plan.contextual;
  } else if (plan.contextual > 0) {
    throw examples::UsageError("--contextual: recipe " + recipe.name + " has no VGG-19");
  }
  if constexpr (examples::has_backbone<Recipe>()) {
    if (plan.backbone.empty() && !plan.random_backbone) {
      throw examples::UsageError(
          "recipe " + recipe.name +
          " needs --backbone FILE, ImageNet weights, or --random-backbone to "
          "train all of it from scratch");
    }
    if (plan.random_backbone) recipe = examples::from_scratch(std::move(recipe));
  } else if (!plan.backbone.empty() || plan.random_backbone) {
    throw examples::UsageError("--backbone, --random-backbone: recipe " + recipe.name +
                               " has no backbone");
  }
  examples::RecipeWeights weights{nullptr, plan.backbone};
  if constexpr (Recipe::needs_vgg) {
    TORCH_CHECK(!plan.vgg.empty(), "recipe ", recipe.name,
                " needs --vgg FILE for its perceptual loss: ", limpid::kVGG19Source);
    weights.vgg = limpid::load_vgg19(plan.vgg, {.deepest = "conv3_3"});
    if (plan.device == "cuda") weights.vgg->to(torch::kCUDA);
  }
  recipe.options = adjusted(std::move(recipe.options), plan);
  const auto [result, steps] = examples::train_recipe(
      recipe, tasks.data, weights, [&](const std::string& task, limpid::AnyBranch& branch) {
        adjust(plan, tasks, task, branch);
      });
  write_result(plan, recipe.options, steps, result);
}

void run(const Plan& plan) {
  const auto tasks = open_tasks(plan);
  examples::make_folder("--out", plan.out);
  examples::try_output("--json", plan.json);
  if (plan.recipe == "quickstart") train(limpid::recipes::quickstart(), plan, tasks);
  if (plan.recipe == "thesis-resnet") train(limpid::recipes::thesis_resnet(), plan, tasks);
  if (plan.recipe == "thesis-fpn-inception") {
    train(limpid::recipes::thesis_fpn_inception(), plan, tasks);
  }
}

std::string joined(const std::vector<std::string>& names) {
  std::string text;
  for (const auto& name : names) text += (text.empty() ? "" : ", ") + name;
  return text;
}

}  // namespace

int main(int argc, char** argv) {
  Plan plan;
  CLI::App app{"Trains deblurring, dehazing and raindrop removal together from one encoder.",
               "limpid-train"};
  app.add_option("--recipe", plan.recipe,
                 "quickstart (minutes on a CPU), thesis-resnet or thesis-fpn-inception (the paper)")
      ->required()
      ->check(CLI::IsMember({"quickstart", "thesis-resnet", "thesis-fpn-inception"}));
  app.add_option("--data", plan.data, limpid::data_argument_help())
      ->required()
      ->type_name("TASK=FORMAT:PATH[@PART]");
  app.add_option("--validate", plan.validate,
                 "Pairs to measure PSNR on; read like --data, the test part")
      ->type_name("TASK=FORMAT:PATH[@PART]");
  app.add_option("--out", plan.out, "Folder of model.limpid, checkpoint.limpid and metrics.jsonl")
      ->required()
      ->type_name("RUN");
  auto* length = app.add_option_group("Length", "of the run; the recipe's where none is given");
  length->add_option("--epochs", plan.epochs)->check(CLI::PositiveNumber)->type_name("N");
  length->add_option("--steps", plan.steps)->check(CLI::PositiveNumber)->type_name("N");
  length->add_option("--minutes", plan.minutes)->check(CLI::PositiveNumber)->type_name("M");
  length->require_option(0, 1);
  app.add_option("--batch", plan.batches, "Crops of a task in each step")->type_name("TASK=N");
  app.add_option("--crop", plan.crop, "Side of a crop, pixels")
      ->check(CLI::Range(16, 4096))
      ->type_name("N");
  auto* losses = app.add_option_group("Losses", "instead of the recipe's");
  losses
      ->add_option("--adversarial", plan.adversarial,
                   "GAN objective: " + joined(limpid::adversarial_names()))
      ->check(CLI::IsMember(limpid::adversarial_names()))
      ->type_name("NAME");
  losses
      ->add_option(
          "--critic", plan.critic,
          "Critic: " + joined(limpid::critic_names()) + " [autoencoder for began, else patch]")
      ->check(CLI::IsMember(limpid::critic_names()))
      ->type_name("NAME");
  const auto number = [&](const std::string& name, auto& value, const std::string& text) {
    losses->add_option(name, value, text)->check(CLI::PositiveNumber);
  };
  number("--adversarial-weight", plan.adversarial_weight, "Of the GAN losses, beside content");
  number("--critic-updates", plan.critic_updates, "Steps of the critic in each training step");
  number("--critic-rate", plan.critic_rate, "Learning rate of the critics");
  number("--contextual", plan.contextual, "Weight of the contextual loss, added to the content");
  app.add_option("--vgg", plan.vgg, "VGG-19 weights under torchvision's names, safetensors or .pth")
      ->type_name("FILE");
  auto* backbone = app.add_option("--backbone", plan.backbone,
                                  "ImageNet weights of the FPN's backbone, as pretrainedmodels or "
                                  "timm name them, safetensors or .pth");
  backbone->type_name("FILE");
  app.add_flag("--random-backbone", plan.random_backbone,
               "No ImageNet weights: train the backbone from scratch, never frozen")
      ->excludes(backbone);
  app.add_option("--freeze-epochs", plan.freeze_epochs,
                 "Epochs without an update of the encoder's pretrained part [the recipe's]")
      ->check(CLI::NonNegativeNumber)
      ->type_name("N");
  app.add_flag("--resume", plan.resume, "Go on with the run in RUN, or start it");
  app.add_flag("--data-changed", plan.data_changed,
               "With --resume: take the run up although its --data have other pairs than before");
  app.add_option("--validation-images", plan.validation_images,
                 "Validate on so many pictures of each task, spread over its --validate; 0: all")
      ->check(CLI::NonNegativeNumber)
      ->type_name("N");
  app.add_option("--stop-after", plan.stop_after,
                 "End this sitting after so many steps, saved; schedules still run to the end")
      ->check(CLI::PositiveNumber)
      ->type_name("STEPS");
  app.add_option("--device", plan.device, "cpu or cuda")
      ->check(CLI::IsMember({"cpu", "cuda"}))
      ->capture_default_str();
  app.add_option("--precision", plan.precision,
                 "float32, bfloat16 or auto; the recipe's if not given")
      ->check(CLI::IsMember({"float32", "bfloat16", "auto"}));
  app.add_option("--workers", plan.workers, "Threads that decode ahead, for each task")
      ->check(CLI::Range(0, 64))
      ->capture_default_str();
  app.add_option("--seed", plan.seed, "Of weights, shuffling, crops and degradations")
      ->capture_default_str();
  examples::add_json(app, plan.json, "Write what came out here");
  app.add_flag("--quiet", plan.quiet, "No progress on standard error");
  examples::add_threads(app, plan.threads);
  examples::add_max_pixels(app);
  app.footer(
      "Ctrl-C, SIGTERM or SIGHUP finishes the step, saves and ends; --resume goes on from there.");
  return examples::run_program(app, argc, argv, [&] { run(plan); });
}
