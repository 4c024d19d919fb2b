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

/// Median seconds of `runs` runs after some to warm up, or of as many as one second holds, and
/// three.
double seconds_of(at::Device device, int runs, const std::function<void()>& body, int warm_up = 2) {
  using Clock = std::chrono::steady_clock;
  std::vector<double> seconds;
  const auto since = [](Clock::time_point then) {
    return std::chrono::duration<double>(Clock::now() - then).count();
  };
  auto began_all = Clock::now();
  for (int i = -warm_up; i < runs; ++i) {
    wait_for(device);
    if (i == 0) began_all = Clock::now();
    const auto began = Clock::now();
    body();
    wait_for(device);
    if (i >= 0) seconds.push_back(since(began));
    if (seconds.size() >= 3 && since(began_all) > 1) break;
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

/// Of steps alone: cuDNN's search takes longer than restoring one picture.
const std::vector<Way> kWaysWithSearch{
    {"TF32, cuDNN benchmark", Precision::float32, true, at::MemoryFormat::Contiguous, true},
    {"bfloat16, channels-last, cuDNN benchmark", Precision::bfloat16, true, kLast, true},
};

const std::vector<Way> kRecordedWays{
    {"TF32, recorded", Precision::float32, true, at::MemoryFormat::Contiguous, false, true},
    {"bfloat16, channels-last, recorded", Precision::bfloat16, true, kLast, false, true},
};

/// Whether there is time for a further figure; where not, that is counted.
bool is_in_time(const Setting& setting, int& left_out) {
  if (setting.seconds() <= setting.limit) return true;
  ++left_out;
  return false;
}

void say_left_out(Findings& findings, const std::string& of, int count) {
  if (count > 0) findings.figure("left out, for time, of " + of, count, "figures");
}

/// Whether the device has such a way: the CPU has no TF32, and no cuDNN.
bool has_way(const Setting& setting, const Way& way) {
  return setting.device.is_cuda() || (!way.benchmark && way.name != "TF32");
}

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

std::vector<Size> sizes_of(const Setting& setting) {
  if (setting.quick) return {{64, 48}};
  return {{1280, 720}, {1920, 1080}, {3840, 2160}};
}

/// The networks whose pictures of all sizes are measured first.
bool is_measured_first(const std::string& network) {
  return network == "resnet" || network == "pixel-unet" || network == "nafnet";
}

void time_steps(Findings& findings, const Setting& setting, const std::vector<Way>& ways) {
  int left_out = 0;
  for (const auto& way : ways) {
    if (!has_way(setting, way)) continue;
    for (const auto& recipe : kRecipes.names()) {
      if (is_in_time(setting, left_out)) time_step(findings, setting, recipe, way);
    }
  }
  say_left_out(findings, "steps", left_out);
}

void time_pictures(Findings& findings, const Setting& setting, bool first) {
  int left_out = 0;
  for (const auto& size : sizes_of(setting)) {
    for (const auto& way : kWays) {
      if (!has_way(setting, way)) continue;
      for (const auto& network : kFamilies.names()) {
        if (is_measured_first(network) != first || !is_in_time(setting, left_out)) continue;
        time_restoring(findings, setting, network, way, size);
      }
    }
  }
  say_left_out(findings, "restoring", left_out);
}

}  // namespace

void check_speed(Findings& findings, const Setting& setting) {
  time_steps(findings, setting, kWays);
  time_pictures(findings, setting, true);
  time_steps(findings, setting, kWaysWithSearch);
}

void check_speed_recorded(Findings& findings, const Setting& setting) {
  for (const auto& way : kRecordedWays) {
    for (const auto& recipe : kRecipes.names()) time_step(findings, setting, recipe, way);
  }
}

void check_speed_of_other_networks(Findings& findings, const Setting& setting) {
  time_pictures(findings, setting, false);
}

}  // namespace cuda_check
