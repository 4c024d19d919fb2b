// How long a training step and a restoring take on this device, and their memory.
#include <limpid/core/autocast.hpp>

#include <torch/torch.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "findings.hpp"
#include "recipe_trainer.hpp"

namespace cuda_check {
namespace {

using namespace limpid;

/// Median seconds of `runs` runs, after two to warm up.
double seconds_of(at::Device device, int runs, const std::function<void()>& body) {
  std::vector<double> seconds;
  for (int i = -2; i < runs; ++i) {
    wait_for(device);
    const auto began = std::chrono::steady_clock::now();
    body();
    wait_for(device);
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
    if (i >= 0) seconds.push_back(took.count());
  }
  std::sort(seconds.begin(), seconds.end());
  return seconds[seconds.size() / 2];
}

struct Way {
  std::string name;
  Precision precision;
  bool tf32;
};

const std::vector<Way> kWays{{"float32", Precision::float32, false},
                             {"TF32", Precision::float32, true},
                             {"bfloat16", Precision::bfloat16, true}};

void time_step(Findings& findings, const Setting& setting, const std::string& recipe,
               const Way& way) {
  findings.guard("time of " + recipe, [&] {
    allow_tf32(way.tf32);
    auto made =
        make_trainer(recipe, setting.device, way.precision, way.tf32, setting.quick ? 64 : 0);
    forget_peak(setting.device);
    const auto seconds = seconds_of(setting.device, setting.quick ? 1 : 10,
                                    [&] { made.trainer.step(made.batches); });
    const auto name = "step of " + recipe + ", three tasks, " + way.name;
    findings.figure(name, 1000 * seconds, "ms");
    findings.figure(name + ", memory", peak_mb(setting.device), "MiB");
  });
}

void time_restoring(Findings& findings, const Setting& setting, const std::string& network,
                    const Way& way) {
  findings.guard("time of " + network, [&] {
    allow_tf32(way.tf32);
    auto model = make_model({network}, {"any"});
    model.module->eval();
    model.module->to(setting.device);
    const c10::NoGradGuard no_grad;
    const AutocastScope autocast{way.precision, setting.device};
    const auto height = setting.quick ? 96 : 720, width = setting.quick ? 128 : 1280;
    const auto picture = torch::rand({1, 3, height, width}).to(setting.device) * 2 - 1;
    forget_peak(setting.device);
    const auto seconds =
        seconds_of(setting.device, setting.quick ? 1 : 10, [&] { model.restore(0, picture); });
    const auto name = "restore " + std::to_string(width) + " x " + std::to_string(height) + ", " +
                      network + ", " + way.name;
    findings.figure(name, 1000 * seconds, "ms");
    findings.figure(name + ", memory", peak_mb(setting.device), "MiB");
  });
}

}  // namespace

void check_speed(Findings& findings, const Setting& setting) {
  for (const auto& way : kWays) {
    if (!setting.device.is_cuda() && way.tf32 && way.precision == Precision::float32) continue;
    for (const auto& recipe : kRecipes.names()) time_step(findings, setting, recipe, way);
    for (const auto& network : kFamilies.names()) time_restoring(findings, setting, network, way);
  }
}

}  // namespace cuda_check
