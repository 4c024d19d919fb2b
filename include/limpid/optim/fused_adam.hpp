#pragma once

#include <limpid/core/compiled.hpp>
#include <limpid/optim/optimizer.hpp>

#include <ATen/core/Tensor.h>
#include <ATen/core/ivalue.h>
#include <ATen/ops/_fused_adam.h>
#include <ATen/ops/full.h>
#include <torch/version.h>

#if TORCH_VERSION_MAJOR >= 2
#include <ATen/ops/_fused_adamw.h>
#endif

#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <utility>
#include <vector>

namespace limpid::detail {

#if TORCH_VERSION_MAJOR > 2 || (TORCH_VERSION_MAJOR == 2 && TORCH_VERSION_MINOR >= 4)
inline constexpr bool kFusesOnCPU = true;
#else
inline constexpr bool kFusesOnCPU = false;
#endif

/// While it lives, this thread's Adam is LibTorch's fused one on the CPU, too, where LibTorch has
/// it there: for tests and measurements. Its last bits are others than those of `torch::optim`.
class FusedOnCPU {
 public:
  FusedOnCPU();
  ~FusedOnCPU() { wanted() = before_; }
  FusedOnCPU(const FusedOnCPU&) = delete;
  FusedOnCPU& operator=(const FusedOnCPU&) = delete;

  static bool& wanted();

 private:
  bool before_;
};

/// What Adam's kernel is to do.
struct FusedAdam {
  double beta1, beta2, epsilon;
  double decay;       ///< 0: none
  bool decays_alone;  ///< beside the gradient's step (AdamW), not as a part of the gradient
};

/// Whether two tensors of one shape have their numbers in the same order in memory: where a side is
/// 1 its stride means nothing.
LIMPID_INLINE bool lie_alike(const at::Tensor& a, const at::Tensor& b);

/// Whether LibTorch's kernel takes these tensors: float, on a card, dense, and all of a parameter
/// laid out alike.
LIMPID_INLINE bool takes_fused_adam(const UpdateGroup& group, bool decays_alone);

/// Adam's step in one kernel for all parameters. Where `group.skip` is 1 nothing moves, which the
/// device decides; gradients are divided by `group.shrink` first, and stay so.
LIMPID_INLINE void fused_adam(UpdateGroup& group, const FusedAdam& adam);

}  // namespace limpid::detail

#ifdef LIMPID_BODIES

namespace limpid::detail {

LIMPID_INLINE FusedOnCPU::FusedOnCPU() : before_(wanted()) { wanted() = kFusesOnCPU; }

LIMPID_INLINE bool& FusedOnCPU::wanted() {
  thread_local bool wanted = false;
  return wanted;
}

LIMPID_INLINE bool lie_alike(const at::Tensor& a, const at::Tensor& b) {
  for (std::int64_t i = 0; i < a.dim(); ++i) {
    if (a.size(i) != 1 && a.stride(i) != b.stride(i)) return false;
  }
  return true;
}

LIMPID_INLINE bool takes_fused_adam(const UpdateGroup& group, bool decays_alone) {
  if (decays_alone && TORCH_VERSION_MAJOR < 2) return false;
  for (std::size_t i = 0; i < group.parameters.size(); ++i) {
    const auto& parameter = group.parameters[i];
    if (!parameter.is_cuda() && !(FusedOnCPU::wanted() && parameter.is_cpu())) return false;
    if (parameter.scalar_type() != at::kFloat) return false;
    if (!parameter.is_non_overlapping_and_dense()) return false;
    const auto alike = [&](const at::Tensor& tensor) {
      return tensor.scalar_type() == at::kFloat && lie_alike(parameter, tensor);
    };
    if (!alike(group.gradients[i]) || !alike(group.state[0][i]) || !alike(group.state[1][i])) {
      return false;
    }
  }
  return true;
}

LIMPID_INLINE void fused_adam(UpdateGroup& group, const FusedAdam& adam) {
  // LibTorch's own optional, which is another type before 2.4.
  using Optional =
      std::remove_cvref_t<decltype(std::declval<const at::IValue&>().toOptional<at::Tensor>())>;
  const auto optional = [](const at::Tensor& tensor) {
    return tensor.defined() ? Optional{tensor} : Optional{};
  };
  const auto count = at::full({}, static_cast<double>(group.step),
                              group.parameters.front().options().requires_grad(false));
  const std::vector<at::Tensor> counts(group.parameters.size(), count);
  // The kernel asks for equal strides, those of sides of 1 included.
  const auto strided = [&](std::vector<at::Tensor> tensors) {
    for (std::size_t i = 0; i < tensors.size(); ++i) {
      const auto& parameter = group.parameters[i];
      if (tensors[i].strides() == parameter.strides()) continue;
      tensors[i] = tensors[i].as_strided(parameter.sizes(), parameter.strides());
    }
    return tensors;
  };
  const auto update = [&](auto kernel) {
    kernel(group.parameters, strided(group.gradients), strided(group.state[0]),
           strided(group.state[1]), at::TensorList{}, counts, group.rate, adam.beta1, adam.beta2,
           group.decays ? adam.decay : 0.0, adam.epsilon, /*amsgrad=*/false, /*maximize=*/false,
           optional(group.shrink), optional(group.skip));
  };
#if TORCH_VERSION_MAJOR >= 2
  if (adam.decays_alone) {
    update([](auto&&... arguments) { at::_fused_adamw_(arguments...); });
    return;
  }
#endif
  update([](auto&&... arguments) { at::_fused_adam_(arguments...); });
}

}  // namespace limpid::detail

#endif  // LIMPID_BODIES
