// Measures what limpid takes on this machine, as JSON:
//
//   limpid-benchmark step --recipe thesis-resnet --tasks 3
//   limpid-benchmark step --recipe quickstart --network nafnet:width=16
//   limpid-benchmark restore --model run/model.limpid --task deblur --size 1280x720
//   limpid-benchmark data --data deblur=gopro:GoPro
//
// `median_s` and `min_s` are over the runs, after a warm-up; `peak_mb` is the largest memory of
// this process so far, weights and LibTorch included.
#include <limpid/core/huge_pages.hpp>
#include <limpid/datasets/loader.hpp>
#include <limpid/inference/any_restorer.hpp>
#include <limpid/metrics/evaluation.hpp>
#include <limpid/recipes/named_recipes.hpp>
#include <limpid/training/any_trainer.hpp>

#include <torch/torch.h>

#include <cstddef>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "benchmark/operations.hpp"
#include "changes.hpp"
#include "keep_memory.hpp"
#include "measure.hpp"
#include "network_options.hpp"
#include "options.hpp"
#include "program.hpp"
#include "weighting_option.hpp"

namespace {

using namespace limpid;
using nlohmann::json;

/// The command line.
struct Plan {
  std::string recipe, task, size = "1280x720", against;
  std::filesystem::path model, json;
  std::vector<std::string> data;
  std::int64_t tasks = 3, runs = 5, warmup = 1, crop = 0, batch = 4, batches = 25, cache_mb = 0,
               cut_mb = 256, workers = 1;
  examples::NetworkOptions network;
  examples::Changes<recipes::ThesisObjective> objective;
  examples::Changes<TrainerOptions> options;
  Tiling tiling;
  int ensemble = 1;
  examples::Compute compute;
};

/// Measures `body`, which works on so many images, in turns with `other` if there is one, and
/// prints that beside `what`.
void report(const Plan& plan, json what, std::int64_t images, std::function<void()> body,
            std::function<void()> other = {}) {
  std::vector<std::function<void()>> bodies{std::move(body)};
  if (other) bodies.push_back(std::move(other));
  const auto measured = examples::measure(plan.warmup, plan.runs, bodies);
  what.update(measured[0]);
  if (measured.size() > 1) {
    what["against"] = {{"convolution", plan.against},
                       {"median_s", measured[1]["median_s"]},
                       {"min_s", measured[1]["min_s"]}};
    what["times_against"] =
        measured[0]["median_s"].get<double>() / measured[1]["median_s"].get<double>();
  }
  what["images_per_s"] = static_cast<double>(images) / what["median_s"].get<double>();
  what["device"] = plan.compute.device;
  what["precision"] = plan.compute.precision;
  what["convolution"] = plan.compute.convolution;
  what["memory_format"] = plan.compute.memory_format;
  what["threads"] = plan.compute.threads;
  what["libtorch"] = TORCH_VERSION;
  what["limpid"] = kVersion;
  std::fputs(json_text(what).c_str(), stdout);
  if (plan.json != "-") examples::write_json(plan.json, what);
}

/// How many numbers the encoder has, which the tasks share.
std::int64_t encoder_parameters(const AnyModel& model) {
  std::int64_t count = 0;
  for (const auto& [name, parameter] : model.parameters) {
    if (name.starts_with("encoder.")) count += parameter.numel();
  }
  return count;
}

/// Training steps on random batches of the recipe's shapes.
template <Recipe R>
void step(R recipe, const Plan& plan) {
  use_huge_pages();  // as limpid-train does
  recipe.network = plan.network.chosen(recipe.network);
  if constexpr (requires { recipe.objective; }) {
    plan.objective.apply(recipe.objective);
  } else if (!plan.objective.empty()) {
    throw examples::UsageError("--critic-updates, --contextual: recipe " + recipe.name +
                               " has no such losses");
  }
  auto options = recipe.options;
  plan.options.apply(options);
  options.device = examples::device_of(plan.compute.device);
  options.precision = examples::precision_of(plan.compute.precision);
  options.memory_format = kMemoryFormats.at(plan.compute.memory_format);
  if (plan.crop > 0) options.crop = plan.crop;
  std::vector<std::string> tasks;
  for (std::int64_t i = 1; i <= plan.tasks; ++i) tasks.push_back("t" + std::to_string(i));
  VGG19 vgg{nullptr};
  if (R::needs_vgg) {
    vgg = VGG19::random_for_benchmark({.deepest = "conv3_3"});
    vgg->to(options.device);
  }
  std::vector<Batch> batches;
  std::vector<std::int64_t> sizes;
  std::int64_t images = 0;
  for (std::size_t i = 0; i < tasks.size(); ++i) {
    // The first task has deblurring's batch size, which is larger in the paper.
    const auto* like = sizes.empty() ? "deblur" : "dehaze";
    sizes.push_back(recipe.batch_size(like));
    const auto random = [&] {
      return 2 * torch::rand({sizes.back(), 3, options.crop, options.crop}) - 1;
    };
    batches.push_back({random(), random()});
    images += sizes.back();
  }
  json what{{"benchmark", "step"},
            {"recipe", recipe.name},
            {"network", recipe.network.family},
            {"network_options", all_options(recipe.network)},
            {"tasks", sizes.size()},
            {"batches", sizes},
            {"crop", options.crop},
            {"checkpoint_blocks", options.checkpoint_blocks},
            {"weighting", options.weighting.description()}};
  if (R::needs_vgg) what["vgg"] = "random weights, for the speed only";
  const auto step_with = [&](const std::string& convolution) -> std::function<void()> {
    options.convolution = kConvolutions.at(convolution);
    const auto trainer =
        std::make_shared<AnyTrainer>(options, examples::build_model(recipe.network, tasks));
    what["encoder_parameters"] = encoder_parameters(trainer->model());
    for (const auto& task : tasks) {
      trainer->branch(task, recipe.branch(task == tasks[0] ? "deblur" : "dehaze", {}, vgg));
    }
    return [trainer, &batches] { trainer->step(batches); };
  };
  const auto step = step_with(plan.compute.convolution);
  if (examples::kCountsOperations) {
    const examples::OperationCounter counter;
    step();
    what["tera_operations"] = counter.operations() * 1e-12;
  }
  report(plan, what, images, step,
         plan.against.empty() ? std::function<void()>{} : step_with(plan.against));
}

/// What is to restore: a model file, or networks with random weights, those of a recipe or others.
AnyRestorer restorer_of(const Plan& plan, const RestorerOptions& options, json& what) {
  if (!plan.model.empty()) {
    what["network"] = plan.model.string();
    AnyRestorer restorer{plan.model, options};
    restorer.check_task(plan.task);
    return restorer;
  }
  const auto usual =
      plan.recipe.empty()
          ? Network{}
          : with_recipe(plan.recipe, [](const auto& recipe) { return Network{recipe.network}; });
  const auto network = plan.network.chosen(usual);
  what["network"] = network.family;
  what["network_options"] = all_options(network);
  return AnyRestorer{examples::build_model(network, {"any"}), options};
}

void restore(const Plan& plan) {
  const bool built = !plan.recipe.empty() || plan.network.given();
  if (built == !plan.model.empty()) {
    throw examples::UsageError("expected --recipe, --network, or --model and --task");
  }
  int width = 0, height = 0, end = 0;
  if (std::sscanf(plan.size.c_str(), "%5dx%5d%n", &width, &height, &end) != 2 || width < 1 ||
      height < 1 || static_cast<std::size_t>(end) != plan.size.size()) {
    throw examples::UsageError("--size: expected WIDTHxHEIGHT, got '" + plan.size + "'");
  }
  auto options = examples::restorer_options(plan.compute, plan.tiling, plan.ensemble);
  json what{{"benchmark", "restore"},
            {"size", plan.size},
            {"tile", plan.tiling.tile},
            {"ensemble", plan.ensemble}};
  const auto task = plan.model.empty() ? std::string{"any"} : plan.task;
  const auto image = Image::from_unit(torch::rand({3, height, width}));
  const auto restore_with = [&](const std::string& convolution) -> std::function<void()> {
    options.convolution = kConvolutions.at(convolution);
    const auto restorer =
        std::shared_ptr<const AnyRestorer>{new AnyRestorer(restorer_of(plan, options, what))};
    return [restorer, &task, &image] { restorer->restore(task, image); };
  };
  const auto body = restore_with(plan.compute.convolution);
  report(plan, what, 1, body,
         plan.against.empty() ? std::function<void()>{} : restore_with(plan.against));
}

/// Batches of crops as training draws them, without the training.
void data(const Plan& plan) {
  const LoaderOptions options{.batch_size = plan.batch,
                              .crop = plan.crop > 0 ? plan.crop : 256,
                              .workers = plan.workers,
                              .cache_mb = plan.cache_mb,
                              .cut_mb = plan.cut_mb};
  std::vector<PairLoader> loaders;
  for (const auto& argument : examples::parse_data("--data", plan.data)) {
    loaders.emplace_back(open_pairs(argument, DataUse::training), options);
  }
  const json what{{"benchmark", "data"},          {"data", plan.data},
                  {"batch", options.batch_size},  {"batches", plan.batches},
                  {"crop", options.crop},         {"workers", options.workers},
                  {"cache_mb", options.cache_mb}, {"cut_mb", options.cut_mb}};
  const auto images = plan.batch * plan.batches * static_cast<std::int64_t>(loaders.size());
  report(plan, what, images, [&] {
    for (std::int64_t i = 0; i < plan.batches; ++i) {
      for (auto& loader : loaders) loader.next();
    }
  });
}

}  // namespace

int main(int argc, char** argv) {
  examples::keep_memory();
  Plan plan;
  CLI::App app{"Measures speed and memory.", "limpid-benchmark"};
  app.require_subcommand(1);
  auto* step_app = app.add_subcommand("step", "A training step on random crops");
  auto* restore_app = app.add_subcommand("restore", "Restoring one random picture");
  auto* data_app = app.add_subcommand("data", "Batches of crops, as training draws them");
  for (auto* command : {step_app, restore_app, data_app}) {
    examples::add_count(*command, "--runs,--steps", plan.runs, "Measured runs");
    examples::add_count(*command, "--warmup", plan.warmup, "Runs before them", 0);
    examples::add_json(*command, plan.json, "Write the JSON here too");
    examples::add_compute(*command, plan.compute);
    if (command == data_app) continue;
    command
        ->add_option("--against", plan.against,
                     "Measure these convolutions too, in turns; `times_against`: how many times as "
                     "long as theirs the median run takes")
        ->check(examples::one_of(kConvolutions))
        ->type_name("NAME");
    command->add_option("--recipe", plan.recipe, "Whose networks and losses: " + kRecipes.list())
        ->check(examples::one_of(kRecipes))
        ->type_name("NAME")
        ->required(command == step_app);
    examples::add_network(*command, plan.network, "the recipe's");
  }
  step_app->add_option("--tasks", plan.tasks, "Tasks that train together")
      ->check(examples::Whole{1, 64})
      ->capture_default_str()
      ->type_name("N");
  plan.objective
      .bind(*step_app, "--critic-updates", &recipes::ThesisObjective::critic_updates,
            "Steps of the critic in each step [the recipe's]")
      ->check(examples::Whole{})
      ->type_name("N");
  plan.objective
      .bind(*step_app, "--contextual", &recipes::ThesisObjective::contextual_weight,
            "Weight of the contextual loss [the recipe's]")
      ->check(examples::weight_or_none())
      ->type_name("W");
  plan.options.flag(
      *step_app, "--checkpoint-blocks", [](TrainerOptions& o) { o.checkpoint_blocks = true; },
      "Compute the networks' blocks again in the backward, in less memory");
  examples::add_weighting(*step_app, plan.options);
  examples::add_count(*step_app, "--crop", plan.crop, "Side of a crop, pixels; 0: the recipe's", 0);
  auto* task = restore_app->add_option("--task", plan.task, "A task of the model");
  restore_app->add_option("--model", plan.model, "A model instead of a recipe")->needs(task);
  restore_app->add_option("--size", plan.size, "WIDTHxHEIGHT")->capture_default_str();
  examples::add_tiling(*restore_app, plan.tiling);
  examples::add_tiling_kind(*restore_app, plan.tiling);
  examples::add_ensemble(*restore_app, plan.ensemble);
  data_app->add_option("--data", plan.data, data_argument_help())
      ->required()
      ->type_name("TASK=FORMAT:PATH[@PART]");
  examples::add_count(*data_app, "--crop", plan.crop, "Side of a crop, pixels; 0: 256", 0);
  examples::add_count(*data_app, "--batch", plan.batch, "Crops of a batch");
  examples::add_count(*data_app, "--batches", plan.batches, "Batches of a run");
  examples::add_count(*data_app, "--workers", plan.workers,
                      "Threads that decode ahead, for each --data", 0);
  examples::add_count(*data_app, "--cache-mb", plan.cache_mb, "Decoded pictures that are kept, MiB",
                      0);
  examples::add_count(*data_app, "--cut-mb", plan.cut_mb,
                      "JPEG files that are kept packed anew for crops, MiB", 0);
  return examples::run_program(app, argc, argv, [&] {
    if (data_app->parsed()) return data(plan);
    if (restore_app->parsed()) return restore(plan);
    with_recipe(plan.recipe, [&](auto recipe) { step(std::move(recipe), plan); });
  });
}
