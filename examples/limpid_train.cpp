// Trains one encoder and a decoder for each task, by a recipe:
//
//   limpid-train --recipe quickstart --data deblur=pairs:blurred --data dehaze=pairs:hazy --out run
//
// Shows progress, validates, and writes run/model.limpid, run/checkpoint.limpid and
// run/metrics.jsonl. `--resume` goes on where a run stood.
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include <torch/torch.h>

#include <limpid/datasets/data_argument.hpp>
#include <limpid/recipes/quickstart.hpp>
#include <limpid/recipes/thesis_resnet.hpp>
#include <limpid/training/task_dispatch.hpp>
#include <limpid/training/trainer.hpp>

#include "options.hpp"
#include "program.hpp"

namespace {

/// The command line.
struct Plan {
  std::string recipe;
  std::vector<std::string> data, validate, batches;
  std::filesystem::path out, vgg, json;
  std::int64_t epochs = 0, steps = 0, crop = 0, stop_after = 0, workers = 1;
  double minutes = 0;
  std::uint64_t seed = 0;
  std::string device = "cpu", precision;
  bool resume = false, quiet = false;
  int threads = 1;
};

/// A task's data, once opened.
struct TaskData {
  limpid::Pairs pairs;
  limpid::Pairs validation;
  std::int64_t batch = 0;  ///< 0: the recipe's
};

std::map<std::string, TaskData> open_data(const Plan& plan) {
  std::map<std::string, TaskData> tasks;
  for (const auto& argument : examples::parse_data("--data", plan.data)) {
    tasks[argument.task].pairs = limpid::open_pairs(argument, limpid::DataUse::training);
  }
  const auto known = [&](const std::string& option, const std::string& task) -> TaskData& {
    if (tasks.count(task) == 0) {
      throw examples::UsageError(option + ": task '" + task + "' has no --data");
    }
    return tasks[task];
  };
  for (const auto& argument : examples::parse_data("--validate", plan.validate)) {
    known("--validate", argument.task).validation =
        limpid::open_pairs(argument, limpid::DataUse::evaluation);
  }
  for (const auto& text : plan.batches) {
    const auto equals = text.find('=');
    const auto number = equals == text.npos ? "" : text.substr(equals + 1);
    if (number.empty() || number.find_first_not_of("0123456789") != number.npos ||
        number.size() > 6 || std::stoll(number) < 1) {
      throw examples::UsageError("--batch: expected TASK=N with N from 1, got '" + text + "'");
    }
    known("--batch", text.substr(0, equals)).batch = std::stoll(number);
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
  options.stop_after = plan.stop_after;
  options.workers = plan.workers;
  options.seed = plan.seed;
  options.quiet = plan.quiet;
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
  limpid::write_atomically(plan.json, json.dump(2) + "\n");
}

/// Trains a recipe's networks on the tasks that have data.
template <class Recipe>
void train(const Recipe& recipe, const Plan& plan, const std::map<std::string, TaskData>& data) {
  std::vector<std::string> names;
  for (const auto& [name, task] : data) names.push_back(name);
  examples::as_usage("--data: ",
                     [&] { limpid::with_tasks<"deblur", "dehaze", "derain">(names, [](auto) {}); });
  limpid::with_tasks<"deblur", "dehaze", "derain">(
      names, [&]<limpid::FixedString... Tasks>(limpid::TaskList<Tasks...>) {
        using Encoder = typename Recipe::Encoder;
        limpid::MultiTaskTrainer<Encoder, typename Recipe::template Decoder<Tasks>...> trainer{
            adjusted(Recipe::options(), plan)};
        const auto branch = [&](const std::string& task) {
          const auto& found = data.at(task);
          auto made =
              recipe.branch(found.pairs, found.batch > 0 ? found.batch : Recipe::batch_size(task));
          made.validation = found.validation;
          return made;
        };
        (trainer.template branch<Tasks>(branch(std::string{Tasks.view()})), ...);
        const auto result = trainer.fit();
        write_result(plan, trainer.options(), trainer.steps_done(), result);
      });
}

void run(const Plan& plan) {
  const auto data = open_data(plan);
  if (plan.recipe == "quickstart") {
    train(limpid::recipes::Quickstart{}, plan, data);
    return;
  }
  TORCH_CHECK(!plan.vgg.empty(), "recipe thesis-resnet needs --vgg FILE for its perceptual loss: ",
              limpid::kVGG19Source);
  auto vgg = limpid::load_vgg19(plan.vgg, {.deepest = "conv3_3"});
  if (plan.device == "cuda") vgg->to(torch::kCUDA);
  train(limpid::recipes::ThesisResNet{vgg}, plan, data);
}

}  // namespace

int main(int argc, char** argv) {
  Plan plan;
  CLI::App app{"Trains deblurring, dehazing and raindrop removal together from one encoder.",
               "limpid-train"};
  app.add_option("--recipe", plan.recipe,
                 "quickstart (minutes on a CPU) or thesis-resnet (the paper)")
      ->required()
      ->check(CLI::IsMember({"quickstart", "thesis-resnet"}));
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
  app.add_option("--vgg", plan.vgg, "VGG-19 weights, safetensors under torchvision's names")
      ->type_name("FILE");
  app.add_flag("--resume", plan.resume, "Go on with the run in RUN, or start it");
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
  app.add_option("--seed", plan.seed, "Of weights, shuffling and crops")->capture_default_str();
  app.add_option("--json", plan.json, "Write what came out here")->type_name("FILE");
  app.add_flag("--quiet", plan.quiet, "No progress on standard error");
  examples::add_threads(app, plan.threads);
  app.footer("Ctrl-C or SIGTERM finishes the step, saves and ends; --resume goes on from there.");
  return examples::run_program(app, argc, argv, [&] { run(plan); });
}
