// How long a training step and a restoring take on this device, and their memory.
#include <limpid/core/autocast.hpp>
#include <limpid/core/memory_format.hpp>

#include <torch/torch.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "findings.hpp"
#include "recipe_trainer.hpp"

namespace cuda_check {
namespace {

using namespace limpid;

/// Median seconds of `runs` runs after two to warm up, or of as many as three seconds hold.
double seconds_of(at::Device device, int runs, const std::function<void()>& body, int warm_up = 2) {
  using Clock = std::chrono::steady_clock;
  std::vector<double> seconds;
  const auto began_all = Clock::now();
  const auto since = [](Clock::time_point then) {
    return std::chrono::duration<double>(Clock::now() - then).count();
  };
  for (int i = -warm_up; i < runs; ++i) {
    wait_for(device);
    const auto began = Clock::now();
    body();
    wait_for(device);
    if (i >= 0) seconds.push_back(since(began));
    if (seconds.size() >= 3 && since(began_all) > 3) break;
  }
  std::sort(seconds.begin(), seconds.end());
  return seconds[seconds.size() / 2];
}

constexpr auto kLast = at::MemoryFormat::ChannelsLast;

const std::vector<Way> kWays{
    {"float32"},
    {"TF32", Precision::float32, true},
    {"TF32, channels-last", Precision::float32, true, kLast},
    {"bfloat16", Precision::bfloat16, true},
    {"bfloat16, channels-last", Precision::bfloat16, true, kLast},
};

/// Those of steps alone: cuDNN's search takes longer than restoring one picture.
const std::vector<Way> kWaysOfSteps{
    {"TF32, cuDNN benchmark", Precision::float32, true, at::MemoryFormat::Contiguous, true},
    {"bfloat16, channels-last, cuDNN benchmark", Precision::bfloat16, true, kLast, true},
    {"TF32, recorded", Precision::float32, true, at::MemoryFormat::Contiguous, false, true},
    {"bfloat16, channels-last, recorded", Precision::bfloat16, true, kLast, false, true},
};

void time_step(Findings& findings, const Setting& setting, const std::string& recipe,
               const Way& way) {
  findings.guard("time of " + recipe, [&] {
    allow_tf32(way.tf32);
    auto made = make_trainer(recipe, setting.device, way, setting.quick ? 64 : 0);
    forget_peak(setting.device);
    // A step is recorded after some ordinary ones.
    const auto seconds = seconds_of(
        setting.device, setting.quick ? 1 : 10, [&] { made.trainer.step(made.batches); },
        way.graphs && setting.device.is_cuda() ? 6 : 2);
    const auto name = "step of " + recipe + ", three tasks, " + way.name;
    if (const auto& why = made.trainer.why_no_step_graphs(); !why.empty()) {
      findings.say(name, true, "not measured: " + why);
      return;
    }
    findings.figure(name, 1000 * seconds, "ms");
    findings.figure(name + ", memory", peak_mb(setting.device), "MiB");
  });
}

struct Size {
  std::int64_t width, height;
};

void time_restoring(Findings& findings, const Setting& setting, const std::string& network,
                    const Way& way, Size size) {
  const auto name = "restore " + std::to_string(size.width) + " x " + std::to_string(size.height) +
                    ", " + network + ", " + way.name;
  findings.guard(name, [&] {
    allow_tf32(way.tf32);
    auto model = make_model({network}, {"any"});
    model.module->eval();
    model.module->to(setting.device);
    limpid::detail::lay_out(*model.module, way.format);
    const c10::NoGradGuard no_grad;
    const AutocastScope autocast{way.precision, setting.device};
    const auto random = torch::rand({1, 3, size.height, size.width}).to(setting.device) * 2 - 1;
    const auto picture = limpid::detail::laid_out(random, way.format);
    forget_peak(setting.device);
    const auto seconds =
        seconds_of(setting.device, setting.quick ? 1 : 10, [&] { model.restore(0, picture); });
    findings.figure(name, 1000 * seconds, "ms");
    findings.figure(name + ", memory", peak_mb(setting.device), "MiB");
  });
}

}  // namespace

void check_speed(Findings& findings, const Setting& setting) {
  std::vector<Size> sizes{{1280, 720}, {1920, 1080}, {3840, 2160}};
  if (setting.quick) sizes = {{64, 48}};
  const auto is_shown = [&](const Way& way) {  // the CPU has no TF32
    return setting.device.is_cuda() || (!way.benchmark && way.name != "TF32");
  };
  for (const auto* ways : {&kWays, &kWaysOfSteps}) {
    for (const auto& way : *ways) {
      if (!is_shown(way)) continue;
      for (const auto& recipe : kRecipes.names()) time_step(findings, setting, recipe, way);
    }
  }
  int left_out = 0;
  for (const auto& size : sizes) {
    for (const auto& way : kWays) {
      if (!is_shown(way)) continue;
      for (const auto& network : kFamilies.names()) {
        if (setting.seconds() > setting.limit) {
          ++left_out;
          continue;
        }
        time_restoring(findings, setting, network, way, size);
      }
    }
  }
  if (left_out > 0) findings.figure("left out, for time", left_out, "figures");
}

}  // namespace cuda_check
