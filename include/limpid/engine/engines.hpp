#pragma once

#include <limpid/core/compiled.hpp>
#include <limpid/core/field_of_view.hpp>

#include <ATen/core/Tensor.h>
#include <torch/nn/module.h>

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#if defined(LIMPID_BODIES) && LIMPID_WITH_ONEDNN
#include <limpid/core/autocast.hpp>
#include <limpid/core/errors.hpp>
#include <limpid/core/part_listener.hpp>
#include <limpid/core/whole_maps.hpp>
#include <limpid/engine/compiled_network.hpp>
#include <limpid/engine/plan.hpp>
#include <limpid/kernels/convolution.hpp>
#include <limpid/kernels/convolution_switch.hpp>
#include <limpid/kernels/winograd_rule.hpp>
#include <limpid/onnx/recording.hpp>

#include <ATen/TracerMode.h>
#include <ATen/ops/cat.h>
#include <c10/core/GradMode.h>

#include <cstdint>
#include <exception>
#include <map>
#include <mutex>
#include <new>
#include <utility>

#ifndef LIMPID_COMPILED  // which holds it elsewhere
#include <limpid/engine/engine_network.hpp>
#endif
#endif

namespace limpid {

/// How a task is restored by `Engines`.
struct EngineState {
  bool is_compiled = false;
  std::size_t operators = 0;              ///< after fusion
  std::vector<std::string> by_library{};  ///< those of them that LibTorch computes
  std::string reason{};                   ///< why it is not compiled; empty where nobody asked yet
};

/// Networks that restore, compiled once for inference: blocked layout throughout, operations fused,
/// memory planned (docs/engine.md). Copies share what they know; any thread may restore.
///
/// Taken where convolutions are `Convolution::fast` (`ConvolutionScope`), on the CPU, where oneDNN
/// and AVX-512 are there, for whole pictures and for tiles; in bfloat16 (`AutocastScope`) where the
/// CPU has instructions for that. Everything else, and what cannot be captured, is the network
/// itself.
class Engines {
 public:
  using Restore = std::function<at::Tensor(const at::Tensor&)>;

  Engines();

  /// @param restore   what `module` does for the task: (N, 3, H, W) in [-1, 1] -> restored
  at::Tensor restore([[maybe_unused]] const std::string& task,
                     [[maybe_unused]] torch::nn::Module& module,
                     [[maybe_unused]] const TileNeeds& needs, const Restore& restore,
                     const at::Tensor& image) const;

  EngineState state([[maybe_unused]] const std::string& task) const;

 private:
  struct Known;  ///< by task: the compiled network, or why there is none
  std::shared_ptr<Known> known_;
};

}  // namespace limpid

#ifdef LIMPID_BODIES

namespace limpid {

struct Engines::Known {
#if LIMPID_WITH_ONEDNN
  /// Pixels from which on compiling is worth it.
  static constexpr std::int64_t kLeastPixels = 64 * 64;

  static bool is_for_engine(const torch::nn::Module& module, const at::Tensor& image) {
    return ConvolutionScope::in_force() == Convolution::fast && detail::machine_has_winograd() &&
           detail::is_plain_float(image) && image.dim() == 4 && image.size(1) == 3 &&
           image.size(2) * image.size(3) >= kLeastPixels && !c10::GradMode::is_enabled() &&
           !at::tracer::impl::is_dispatch_enabled() &&
           (!detail::autocast_is_on(at::kCPU) || cpu_has_bfloat16()) &&
           detail::PartListener::current == nullptr && !module.is_training() &&
           !module.named_children().contains("adapter");  // exchanges weights while it runs
  }

  /// Whether it can be told what is known of the whole picture, where `image` is a part of one. Of
  /// several parts at once each would have statistics of its own.
  static bool is_told(const detail::CompiledNetwork& network, const at::Tensor& image) {
    return WholeMaps::current() == nullptr || (network.can_be_told() && image.size(0) == 1);
  }

  /// Where all weights lie and how often they were written.
  using Weights = std::vector<std::pair<const void*, std::uint32_t>>;

  struct Task {
    std::shared_ptr<detail::CompiledNetwork> network;
    Precision precision = Precision::float32;
    Weights weights;
    std::string reason;
  };
  std::mutex mutex;
  std::map<std::string, Task> tasks;

  static Weights weights_of(const torch::nn::Module& module) {
    Weights weights;
    const auto add = [&](const at::Tensor& tensor) {
      const auto version = tensor.is_inference() ? 0 : tensor._version();
      weights.emplace_back(tensor.unsafeGetTensorImpl()->data(), version);
    };
    for (const auto& tensor : module.parameters()) add(tensor);
    for (const auto& tensor : module.buffers()) add(tensor);
    return weights;
  }

  std::shared_ptr<detail::CompiledNetwork> of(const std::string& task, torch::nn::Module& module,
                                              const TileNeeds& needs, Precision precision,
                                              const Restore& restore) {
    const std::lock_guard lock{mutex};
    auto& known = tasks[task];
    auto weights = weights_of(module);
    if (known.weights == weights && known.precision == precision) return known.network;
    known = {nullptr, precision, std::move(weights), {}};
    try {
      known.network = detail::compile_network(module, restore, needs, precision);
    } catch (const std::bad_alloc&) {
      throw;
    } catch (const std::exception& error) {
      known.reason = error_text(error);
    }
    return known.network;
  }

  void give_up(const std::string& task, std::string reason) {
    const std::lock_guard lock{mutex};
    auto& known = tasks[task];
    known.network = nullptr;
    known.reason = std::move(reason);
  }
#endif
};

LIMPID_INLINE Engines::Engines() : known_(std::make_shared<Known>()) {}

LIMPID_INLINE at::Tensor Engines::restore([[maybe_unused]] const std::string& task,
                                          [[maybe_unused]] torch::nn::Module& module,
                                          [[maybe_unused]] const TileNeeds& needs,
                                          const Restore& restore, const at::Tensor& image) const {
#if LIMPID_WITH_ONEDNN
  if (!Known::is_for_engine(module, image)) return restore(image);
  const auto precision =
      detail::autocast_is_on(at::kCPU) ? Precision::bfloat16 : Precision::float32;
  const auto network = known_->of(task, module, needs, precision, restore);
  if (!network || !Known::is_told(*network, image)) return restore(image);
  std::vector<at::Tensor> restored;
  try {
    for (std::int64_t i = 0; i < image.size(0); ++i) {
      restored.push_back(network->restore(image.narrow(0, i, 1)));
    }
  } catch (const std::bad_alloc&) {
    throw;
  } catch (const std::exception& error) {
    known_->give_up(task, error_text(error));
    return restore(image);
  }
  return restored.size() == 1 ? restored.front() : at::cat(restored);
#else
  return restore(image);
#endif
}

LIMPID_INLINE EngineState Engines::state([[maybe_unused]] const std::string& task) const {
#if LIMPID_WITH_ONEDNN
  const std::lock_guard lock{known_->mutex};
  const auto found = known_->tasks.find(task);
  if (found == known_->tasks.end()) return {};
  const auto& [network, precision, weights, reason] = found->second;
  if (!network) return {false, 0, {}, reason};
  return {true, network->operators(), network->library_operators(), {}};
#else
  return {false, 0, {}, "this build has no oneDNN"};
#endif
}

}  // namespace limpid

#endif  // LIMPID_BODIES
