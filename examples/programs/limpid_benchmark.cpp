// Measures what limpid takes on this machine, as JSON:
//
//   limpid-benchmark step --recipe thesis-resnet --tasks 3
//   limpid-benchmark restore --model run/model.limpid --task deblur --size 1280x720
//   limpid-benchmark data --data deblur=gopro:GoPro
//
// `median_s` and `min_s` are over the runs, after a warm-up; `peak_mb` is the largest memory of
// this process so far, weights and LibTorch included.
#include <limpid/datasets/loader.hpp>
#include <limpid/inference/any_restorer.hpp>
#include <limpid/metrics/evaluation.hpp>
#include <limpid/recipes/quickstart.hpp>
#include <limpid/recipes/thesis_fpn_inception.hpp>
#include <limpid/recipes/thesis_resnet.hpp>
#include <limpid/training/trainer.hpp>

#include <torch/torch.h>

#include <array>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "benchmark/operations.hpp"
#include "measure.hpp"
#include "options.hpp"
#include "program.hpp"

namespace {

using namespace limpid;
using nlohmann::json;

/// The command line.
struct Plan {
  std::string recipe, task, size = "1280x720";
  std::filesystem::path model, json;
  std::vector<std::string> data;
  std::int64_t tasks = 3, runs = 5, warmup = 1, crop = 0, batch = 4, batches = 25, cache_mb = 0,
               workers = 1;
  std::int64_t critic_updates = 0;
  double contextual = 0;
  Tiling tiling;
  examples::Compute compute;
};

/// Measures `body`, which works on so many images, and prints that beside `what`.
template <class Body>
void report(const Plan& plan, json what, std::int64_t images, Body body) {
  what.update(examples::measure(plan.warmup, plan.runs, body));
  what["images_per_s"] = static_cast<double>(images) / what["median_s"].get<double>();
  what["device"] = plan.compute.device;
  what["precision"] = plan.compute.precision;
  what["threads"] = plan.compute.threads;
  what["libtorch"] = TORCH_VERSION;
  what["limpid"] = kVersion;
  std::fputs(json_text(what).c_str(), stdout);
  if (plan.json != "-") examples::write_json(plan.json, what);
}

/// The task name "t1", "t2" ...
consteval FixedString<3> numbered(std::size_t i) {
  FixedString<3> name{"t1"};
  name.characters[1] = static_cast<char>('1' + i);
  return name;
}

/// Training steps on random batches of the recipe's shapes.
template <class Recipe, std::size_t... I>
void step(Recipe recipe, const Plan& plan, std::index_sequence<I...>) {
  if constexpr (requires { recipe.objective; }) {
    recipe.objective.contextual_weight = plan.contextual;
    if (plan.critic_updates > 0) recipe.objective.critic_updates = plan.critic_updates;
  }
  auto options = recipe.options;
  options.device = examples::device_of(plan.compute.device);
  options.precision = examples::precision_of(plan.compute.precision);
  if (plan.crop > 0) options.crop = plan.crop;
  MultiTaskTrainer<typename Recipe::Encoder, typename Recipe::template Decoder<numbered(I)>...>
      trainer{options, recipe.make_encoder(), recipe.template make_decoder<numbered(I)>()...};
  // The first task has deblurring's batch size, which is larger in the paper.
  const std::array like{I == 0 ? "deblur" : "dehaze" ...};
  const std::array sizes{recipe.batch_size(like[I])...};
  if constexpr (Recipe::needs_vgg) {
    auto vgg = VGG19::random_for_benchmark({.deepest = "conv3_3"});
    vgg->to(options.device);
    (trainer.template branch<numbered(I)>(recipe.branch(like[I], {}, vgg)), ...);
  } else {
    (trainer.template branch<numbered(I)>(recipe.branch(like[I], {})), ...);
  }
  std::vector<Batch> batches;
  std::int64_t images = 0;
  for (const auto size : sizes) {
    const auto random = [&] { return 2 * torch::rand({size, 3, options.crop, options.crop}) - 1; };
    batches.push_back({random(), random()});
    images += size;
  }
  json what{{"benchmark", "step"},
            {"recipe", recipe.name},
            {"tasks", sizes.size()},
            {"batches", sizes},
            {"crop", options.crop}};
  if (Recipe::needs_vgg) what["vgg"] = "random weights, for the speed only";
  if (examples::kCountsOperations) {
    const examples::OperationCounter counter;
    trainer.step(batches);
    what["tera_operations"] = counter.operations() * 1e-12;
  }
  report(plan, what, images, [&] { trainer.step(batches); });
}

template <class Recipe>
void step(const Recipe& recipe, const Plan& plan) {
  const auto one_of = [&]<std::size_t... N>(std::index_sequence<N...>) {
    const auto wanted = static_cast<std::size_t>(plan.tasks);
    ((wanted == N ? step(recipe, plan, std::make_index_sequence<N>{}) : void()), ...);
  };
  one_of(std::index_sequence<1, 2, 3, 4, 8>{});  // each is a type of its own
}

/// A recipe's networks with random weights.
template <class Recipe>
std::function<Image(const Image&)> untrained(const RestorerOptions& options) {
  MultiTaskModel<typename Recipe::Encoder, typename Recipe::template Decoder<"any">> model;
  return [restorer = Restorer{model, options}](const Image& image) mutable {
    return restorer.template restore<"any">(image);
  };
}

void restore(const Plan& plan) {
  if (plan.recipe.empty() == plan.model.empty()) {
    throw examples::UsageError("expected --recipe, or --model and --task");
  }
  int width = 0, height = 0, end = 0;
  if (std::sscanf(plan.size.c_str(), "%5dx%5d%n", &width, &height, &end) != 2 || width < 1 ||
      height < 1 || static_cast<std::size_t>(end) != plan.size.size()) {
    throw examples::UsageError("--size: expected WIDTHxHEIGHT, got '" + plan.size + "'");
  }
  const auto options = examples::restorer_options(plan.compute, plan.tiling);
  std::function<Image(const Image&)> run;
  if (plan.recipe == "quickstart") run = untrained<recipes::Quickstart>(options);
  if (plan.recipe == "thesis-resnet") run = untrained<recipes::ThesisResNet>(options);
  if (plan.recipe == "thesis-fpn-inception") {
    run = untrained<recipes::ThesisFPNInception>(options);
  }
  if (!plan.model.empty()) {
    const AnyRestorer restorer{plan.model, options};
    restorer.check_task(plan.task);
    run = [restorer, task = plan.task](const auto& image) { return restorer.restore(task, image); };
  }
  const auto image = Image::from_unit(torch::rand({3, height, width}));
  const json what{{"benchmark", "restore"},
                  {"network", plan.model.empty() ? plan.recipe : plan.model.string()},
                  {"size", plan.size},
                  {"tile", plan.tiling.tile}};
  report(plan, what, 1, [&] { run(image); });
}

/// Batches of crops as training draws them, without the training.
void data(const Plan& plan) {
  const LoaderOptions options{.batch_size = plan.batch,
                              .crop = plan.crop > 0 ? plan.crop : 256,
                              .workers = plan.workers,
                              .cache_mb = plan.cache_mb};
  std::vector<PairLoader> loaders;
  for (const auto& argument : examples::parse_data("--data", plan.data)) {
    loaders.emplace_back(open_pairs(argument, DataUse::training), options);
  }
  const json what{{"benchmark", "data"},         {"data", plan.data},
                  {"batch", options.batch_size}, {"batches", plan.batches},
                  {"crop", options.crop},        {"workers", options.workers},
                  {"cache_mb", options.cache_mb}};
  const auto images = plan.batch * plan.batches * static_cast<std::int64_t>(loaders.size());
  report(plan, what, images, [&] {
    for (std::int64_t i = 0; i < plan.batches; ++i) {
      for (auto& loader : loaders) loader.next();
    }
  });
}

}  // namespace

int main(int argc, char** argv) {
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
    command->add_option("--recipe", plan.recipe, "Whose networks and losses")
        ->check(CLI::IsMember({"quickstart", "thesis-resnet", "thesis-fpn-inception"}))
        ->required(command == step_app);
  }
  step_app->add_option("--tasks", plan.tasks, "Tasks that train together")
      ->check(CLI::IsMember({1, 2, 3, 4, 8}))
      ->capture_default_str();
  examples::add_count(*step_app, "--critic-updates", plan.critic_updates,
                      "Steps of the critic in each step; 0: the recipe's", 0);
  step_app->add_option("--contextual", plan.contextual, "Weight of the contextual loss")
      ->check(CLI::NonNegativeNumber);
  examples::add_count(*step_app, "--crop", plan.crop, "Side of a crop, pixels; 0: the recipe's", 0);
  auto* task = restore_app->add_option("--task", plan.task, "A task of the model");
  restore_app->add_option("--model", plan.model, "A model instead of a recipe")->needs(task);
  restore_app->add_option("--size", plan.size, "WIDTHxHEIGHT")->capture_default_str();
  examples::add_tiling(*restore_app, plan.tiling);
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
  return examples::run_program(app, argc, argv, [&] {
    if (data_app->parsed()) return data(plan);
    if (restore_app->parsed()) return restore(plan);
    if (plan.recipe == "quickstart") return step(recipes::quickstart(), plan);
    if (plan.recipe == "thesis-resnet") return step(recipes::thesis_resnet(), plan);
    step(recipes::thesis_fpn_inception(), plan);
  });
}
