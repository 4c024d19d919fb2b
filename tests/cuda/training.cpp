// Ten steps of each recipe, the first beside the CPU's; a run in halves beside one in one piece.
#include <limpid/degradations/haze.hpp>
#include <limpid/losses/content/l1.hpp>
#include <limpid/optim/adam.hpp>
#include <limpid/optim/parameter_updates.hpp>

#include <ATen/CPUGeneratorImpl.h>
#include <torch/torch.h>

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "findings.hpp"
#include "recipe_trainer.hpp"

namespace cuda_check {
namespace {

using namespace limpid;

double total_of(const std::vector<LossValue>& losses) {
  double total = 0;
  for (const auto& loss : losses) {
    if (loss.term == "total") total += loss.value;
  }
  return total;
}

void check_recipe(Findings& findings, const Setting& setting, const std::string& name) {
  findings.guard("recipe " + name, [&] {
    const std::int64_t crop = setting.quick ? 64 : 128;
    auto here = make_trainer(name, at::kCPU, {"float32"}, crop);
    const auto expected = total_of(here.trainer.step(here.batches));
    auto there = make_trainer(name, setting.device, {"float32"}, crop);
    double found = 0, last = 0;
    for (int step = 0; step < (setting.quick ? 3 : 10); ++step) {
      last = total_of(there.trainer.step(there.batches));
      if (step == 0) found = last;
    }
    // Dropout draws other numbers on another device.
    findings.at_most("recipe " + name + ", first step beside the CPU's",
                     std::abs(found - expected) / std::abs(expected), 0.05);
    findings.at_most("recipe " + name + ", last step's loss is a number",
                     std::isfinite(last) ? 0 : 1, 0.5);
    if (!counts_waits()) return;
    const auto waits = waits_of([&] { there.trainer.step(there.batches); });
    findings.at_most("recipe " + name + ", waits for the device in a step", waits, 1);
  });
}

/// All weights after some steps.
std::vector<at::Tensor> weights_after_steps(RecipeTrainer& made, int steps) {
  torch::manual_seed(7);  // of dropout
  for (int step = 0; step < steps; ++step) made.trainer.step(made.batches);
  std::vector<at::Tensor> weights;
  for (const auto& [name, weight] : made.trainer.model().parameters) {
    weights.push_back(weight.detach().clone());
  }
  return weights;
}

/// Steps that are recorded and replayed beside ordinary ones, bit for bit.
void check_graphs(Findings& findings, const Setting& setting, const std::string& recipe,
                  Precision precision) {
  const auto what = "recorded steps of " + recipe + ", " + std::string{name_of(precision)};
  findings.guard(what, [&] {
    const bool deterministic = at::globalContext().deterministicCuDNN();
    at::globalContext().setDeterministicCuDNN(true);
    Way way{"", precision};
    auto ordinary = make_trainer(recipe, setting.device, way, 64);
    way.graphs = true;
    auto recorded = make_trainer(recipe, setting.device, way, 64);
    auto again = make_trainer(recipe, setting.device, {"", precision}, 64);
    const int steps = setting.quick ? 6 : 12;
    const auto expected = weights_after_steps(ordinary, steps);
    const auto found = weights_after_steps(recorded, steps);
    const auto repeated = weights_after_steps(again, steps);
    at::globalContext().setDeterministicCuDNN(deterministic);
    double difference = 0, of_ordinary_ones = 0;
    for (std::size_t i = 0; i < expected.size(); ++i) {
      difference = std::max(difference, (expected[i] - found[i]).abs().max().item<double>());
      of_ordinary_ones =
          std::max(of_ordinary_ones, (expected[i] - repeated[i]).abs().max().item<double>());
    }
    const auto& why = recorded.trainer.why_no_step_graphs();
    // Numbers that a step draws would be the same in each replay, so such recipes say no.
    const bool may_be = recipe == "quickstart";
    findings.say(what + (may_be ? ", are recorded" : ", are refused"),
                 why.empty() == may_be || !setting.device.is_cuda(), why.empty() ? "yes" : why);
    // Where two ordinary runs differ, because a backward adds in any order, so may these.
    findings.at_most(what + ", weights beside ordinary steps", difference,
                     of_ordinary_ones > 0 ? 2 * of_ordinary_ones : 0);
    findings.figure(what + ", difference of two ordinary runs", of_ordinary_ones, "");
  });
}

/// Adam's fused kernel beside the same in single operators.
void check_fused_adam(Findings& findings, const Setting& setting) {
  findings.guard("fused Adam", [&] {
    torch::manual_seed(8);
    for (const bool decoupled : {false, true}) {
      const AnyOptimizer optimizer =
          decoupled ? AnyOptimizer{AdamW{.decay = 0.1}} : AnyOptimizer{Adam{.decay = 0.1}};
      const auto initial = torch::randn({64, 32, 3, 3}), gradient = torch::randn({64, 32, 3, 3});
      const auto after = [&](at::Device device, const at::Tensor& skip) {
        const auto weight = initial.to(device).clone().requires_grad_();
        limpid::detail::ParameterUpdates updates{optimizer, {{"weight", weight}}, 1e-2};
        for (int step = 1; step <= 5; ++step) {
          weight.mutable_grad() = (gradient * step).cos().to(device);
          if (!skip.defined() || !updates.step_unless(skip.to(device), {})) updates.step();
        }
        return weight.detach();
      };
      const std::string name = decoupled ? "fused AdamW" : "fused Adam";
      findings.agree(name + " beside the CPU's", after(at::kCPU, {}),
                     after(setting.device, torch::zeros({})), 1e-5);
      if (!setting.device.is_cuda()) continue;
      findings.agree(name + ", skipped by the device", initial,
                     after(setting.device, torch::ones({})), 0);
    }
  });
}

/// Pairs that need no file: clouds of colour, and the same in haze.
struct Clouds {
  std::int64_t size() const { return 8; }
  std::string name(std::int64_t i) const { return "cloud " + std::to_string(i); }
  ImagePair load(std::int64_t i, std::int64_t) const {
    auto random = Random::stream(5, {static_cast<std::uint64_t>(i)});
    const auto generator = at::make_generator<at::CPUGeneratorImpl>(random.bits());
    const auto photo = Image::from_unit(torch::rand({3, 6, 8}, generator)).resized(96, 128);
    return {Image::from_unit(Haze{}(photo.unit()[0], random)), photo};
  }
};

/// The weights after ten steps on the device, the run broken off and resumed after `stop_after`.
at::Tensor weights_after(const Setting& setting, std::int64_t stop_after) {
  const std::filesystem::path out = setting.folder + "/resume-" + std::to_string(stop_after);
  std::filesystem::remove_all(out);
  at::Tensor weights;
  for (int sitting = 0; sitting < (stop_after > 0 ? 2 : 1); ++sitting) {
    TrainerOptions options{.out = out, .length = Steps{10}, .crop = 64};
    options.device = setting.device;
    options.quiet = true;
    options.start = Start::resume;
    options.stop_after = sitting == 0 ? stop_after : 0;
    torch::manual_seed(1);
    AnyTrainer trainer{options, make_model({"pixel-unet"}, {"dehaze"})};
    trainer.branch("dehaze", Branch{.pairs = Clouds{}, .batch_size = 2, .content = L1{}});
    trainer.fit();
    weights = trainer.model().parameters.front().second.detach().clone();
  }
  return weights;
}

}  // namespace

void check_training(Findings& findings, const Setting& setting) {
  for (const auto& name : kRecipes.names()) check_recipe(findings, setting, name);
  check_fused_adam(findings, setting);
  findings.guard("resume", [&] {
    findings.agree("resume after 5 of 10 steps beside one piece", weights_after(setting, 0),
                   weights_after(setting, 5), 1e-4);
  });
}

void check_recorded_steps(Findings& findings, const Setting& setting) {
  for (const auto precision : {Precision::float32, Precision::bfloat16}) {
    check_graphs(findings, setting, "quickstart", precision);
    check_graphs(findings, setting, "thesis-fpn-inception", precision);
  }
}

}  // namespace cuda_check
