// Ten steps of each recipe, the first beside the CPU's; a run in halves beside one in one piece.
#include <limpid/degradations/haze.hpp>
#include <limpid/losses/content/l1.hpp>

#include <ATen/CPUGeneratorImpl.h>
#include <torch/torch.h>

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
    auto here = make_trainer(name, at::kCPU, Precision::float32, false, crop);
    const auto expected = total_of(here.trainer.step(here.batches));
    auto there = make_trainer(name, setting.device, Precision::float32, false, crop);
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
    findings.figure("waits for the device in a step, " + name, waits, "");
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
  findings.guard("resume", [&] {
    findings.agree("resume after 5 of 10 steps beside one piece", weights_after(setting, 0),
                   weights_after(setting, 5), 1e-4);
  });
}

}  // namespace cuda_check
