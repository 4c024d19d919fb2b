// cuda-check --device cuda|cpu --out FOLDER [--quick] [--limit SECONDS]: see run.sh, which builds
// and runs it.
#include <limpid/version.hpp>

#include <torch/torch.h>
#ifdef LIMPID_CHECK_CUDA
#include <ATen/cuda/CUDAContext.h>
#include <c10/cuda/CUDACachingAllocator.h>
#include <c10/cuda/CUDAFunctions.h>
#endif

#include <cmath>
#include <cstdio>
#include <fstream>
#include <string>
#include <thread>

#include "findings.hpp"

namespace cuda_check {

void Findings::say(const std::string& what, bool good, const std::string& text) {
  std::printf("%-6s %-64s %s\n", good ? "ok" : "WRONG", what.c_str(), text.c_str());
  std::fflush(stdout);
  failures_ += good ? 0 : 1;
  json_["checks"].push_back({{"what", what}, {"ok", good}, {"found", text}});
}

void Findings::at_most(const std::string& what, double value, double limit) {
  char text[96];
  std::snprintf(text, sizeof text, "%.2e (at most %.0e)", value, limit);
  say(what, value <= limit, text);  // NaN is wrong
}

void Findings::agree(const std::string& what, const at::Tensor& expected, const at::Tensor& found,
                     double limit) {
  compare(what, expected, found, limit, [](const at::Tensor& a) { return a.abs().max(); });
}

void Findings::agree_by_norm(const std::string& what, const at::Tensor& expected,
                             const at::Tensor& found, double limit) {
  compare(what, expected, found, limit, [](const at::Tensor& a) { return a.norm(); });
}

void Findings::compare(const std::string& what, const at::Tensor& expected, const at::Tensor& found,
                       double limit, const std::function<at::Tensor(const at::Tensor&)>& size) {
  const auto a = expected.detach().to(at::kCPU, at::kDouble);
  const auto b = found.detach().to(at::kCPU, at::kDouble);
  if (a.sizes() != b.sizes()) {
    say(what, false, "another shape");
    return;
  }
  at_most(what, size(a - b).item<double>() / std::max(size(a).item<double>(), 1e-12), limit);
}

void Findings::guard(const std::string& what, const std::function<void()>& check) {
  try {
    check();
  } catch (const c10::Error& error) {
    say(what, false, error.what_without_backtrace());
  } catch (const std::exception& error) {
    say(what, false, error.what());
  }
}

void Findings::figure(const std::string& what, double value, const std::string& unit) {
  char text[32];
  std::snprintf(text, sizeof text, "%.4g", value);
  std::printf("       %-64s %s %s\n", what.c_str(), text, unit.c_str());
  std::fflush(stdout);
  json_["figures"].push_back({{"what", what}, {"value", value}, {"unit", unit}});
  figures_.push_back({what, text, unit});
}

#ifdef LIMPID_CHECK_CUDA
void wait_for(at::Device device) {
  if (device.is_cuda()) torch::cuda::synchronize();
}

bool counts_waits() { return true; }

namespace {

/// Counts what the debug mode of LibTorch says of operations that wait for the device.
class CountingHandler : public c10::WarningHandler {
 public:
  void process(const c10::Warning& warning) override {
    if (warning.msg().find("synchroniz") != std::string::npos) ++count;
  }
  int count = 0;
};

}  // namespace

int waits_of(const std::function<void()>& body) {
  CountingHandler counter;
  auto* before = c10::WarningUtils::get_warning_handler();
  c10::WarningUtils::set_warning_handler(&counter);
  c10::WarningUtils::set_warnAlways(true);
  c10::cuda::warning_state().set_sync_debug_mode(c10::cuda::SyncDebugMode::L_WARN);
  body();
  c10::cuda::warning_state().set_sync_debug_mode(c10::cuda::SyncDebugMode::L_DISABLED);
  c10::WarningUtils::set_warning_handler(before);
  return counter.count;
}

double peak_mb(at::Device device) {
  if (!device.is_cuda()) return 0;
  const auto stats = c10::cuda::CUDACachingAllocator::getDeviceStats(0);
  return static_cast<double>(stats.allocated_bytes[0].peak) / (1024 * 1024);
}

void forget_peak(at::Device device) {
  if (device.is_cuda()) c10::cuda::CUDACachingAllocator::resetPeakStats(0);
}
#else
void wait_for(at::Device) {}
bool counts_waits() { return false; }
int waits_of(const std::function<void()>& body) {
  body();
  return 0;
}
double peak_mb(at::Device) { return 0; }
void forget_peak(at::Device) {}
#endif

void allow_tf32(bool on) {
  at::globalContext().setAllowTF32CuDNN(on);
  at::globalContext().setAllowTF32CuBLAS(on);
}

namespace {

std::string name_of(at::Device device) {
#ifdef LIMPID_CHECK_CUDA
  if (device.is_cuda()) return at::cuda::getDeviceProperties(0)->name;
#endif
  return device.is_cuda() ? "a card" : "the CPU, as a dry run";
}

void write(const Findings& findings, const Setting& setting) {
  auto json = findings.json();
  json["device"] = name_of(setting.device);
  json["libtorch"] = TORCH_VERSION;
  json["limpid"] = limpid::kVersion;
  std::ofstream{setting.folder + "/cuda.json"} << json.dump(2) << "\n";
  std::ofstream page{setting.folder + "/cuda.md"};
  page << "On " << name_of(setting.device) << ", LibTorch " << TORCH_VERSION << ", limpid "
       << limpid::kVersion << ", by `tests/cuda/run.sh`:\n\n| | | |\n|---|---:|---|\n";
  for (const auto& row : findings.figures()) {
    page << "| " << row[0] << " | " << row[1] << " | " << row[2] << " |\n";
  }
}

int run(int argc, char** argv) {
  Setting setting;
  for (int i = 1; i < argc; ++i) {
    const std::string argument = argv[i];
    if (argument == "--quick") setting.quick = true;
    if (argument == "--device" && i + 1 < argc) setting.device = at::Device{argv[++i]};
    if (argument == "--out" && i + 1 < argc) setting.folder = argv[++i];
    if (argument == "--limit" && i + 1 < argc) setting.limit = std::stod(argv[++i]);
  }
  if (setting.device.is_cuda() && !torch::cuda::is_available()) {
    std::fprintf(stderr, "cuda-check: this LibTorch finds no card; --device cpu is the dry run\n");
    return 2;
  }
  at::set_num_threads(static_cast<int>(std::thread::hardware_concurrency()));
  std::printf("limpid %s, LibTorch %s, %s\n", std::string{limpid::kVersion}.c_str(), TORCH_VERSION,
              name_of(setting.device).c_str());
  Findings findings;
  allow_tf32(false);
  // In the order of what is worth most, should the machine's time end. What a recording that fails
  // leaves of a card is no use to anything after it: those come late.
  for (const auto& part :
       {check_networks, check_losses, check_degradations, check_training, check_restoring,
        check_speed, check_recorded_steps, check_speed_recorded, check_speed_of_other_networks}) {
    part(findings, setting);
    write(findings, setting);
  }
  findings.figure("all of the check", setting.seconds(), "s");
  write(findings, setting);
  std::printf("%d wrong; figures in %s/cuda.md\n", findings.failures(), setting.folder.c_str());
  return findings.failures() == 0 ? 0 : 1;
}

}  // namespace
}  // namespace cuda_check

int main(int argc, char** argv) {
  try {
    return cuda_check::run(argc, argv);
  } catch (const c10::Error& error) {
    std::fprintf(stderr, "cuda-check: %s\n", error.what_without_backtrace());
  } catch (const std::exception& error) {
    std::fprintf(stderr, "cuda-check: %s\n", error.what());
  }
  return 1;
}
