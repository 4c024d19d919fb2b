#pragma once

#include <limpid/core/compiled.hpp>
#include <limpid/optim/adam.hpp>
#include <limpid/optim/optimizer.hpp>

#include <ATen/core/Tensor.h>
#include <ATen/ops/_foreach_add.h>
#include <ATen/ops/_foreach_mul.h>
#include <ATen/ops/addmm.h>
#include <ATen/ops/mm.h>

#include <cstddef>
#include <cstdint>
#include <string_view>

#ifdef LIMPID_BODIES
#include <limpid/core/check.hpp>

#include <ATen/TensorOperators.h>

#include <algorithm>
#include <array>
#include <cmath>
#endif

namespace limpid {

namespace detail {

/// Five steps of the Newton-Schulz iteration: (m, n) with its singular values brought near 1.
/// Source: Jordan et al., "Muon", 2024.
LIMPID_INLINE at::Tensor orthogonalized(const at::Tensor& matrix);

}  // namespace detail

/// Momentum whose matrix is made orthogonal, so that a step is as long in every direction. Each
/// convolution counts as the matrix (out, in * height * width) that acts on patches of its input:
/// the matrix' largest singular value bounds the layer's up to the root of the kernel's area, so an
/// orthogonal step is a bounded step of the layer, as for a linear one. It is not sound for kernels
/// of groups: their rows read different channels, and need not be orthogonal to each other.
///
/// So matrices are the weights with at least 8 channels at both ends. All else steps as AdamW does:
/// biases, norms, depthwise kernels, and the layers that read or write pictures. Other grouped
/// convolutions look like ungrouped ones: take AdamW for networks that have them (SE-ResNeXt).
///
/// Source: Jordan et al., "Muon: An optimizer for hidden layers in neural networks", 2024, who
/// flatten kernels alike; its length as in Liu et al., "Muon is Scalable for LLM Training", 2025,
/// so that rates of AdamW suit. As `torch.optim.Muon` with `adjust_lr_fn="match_rms_adamw"`.
/// Differs: the iteration runs in the weights' own precision, not in bfloat16; norms and biases do
/// not decay.
struct Muon {
  static constexpr std::string_view name = "muon";
  static constexpr auto state_names = Adam::state_names;

  double momentum = 0.95;  ///< share of the past in the average of gradients, of matrices
  double beta1 = 0.9;      ///< as of AdamW, of all else
  double beta2 = 0.999;    ///< the same
  double decay = 0.01;     ///< times rate and weight, taken off the weight

  static void each_option(auto& self, auto&& visit) {
    visit("momentum", self.momentum, "share of the past in the average of matrices' gradients");
    visit("beta1", self.beta1, "as of adamw, for all that is no matrix");
    visit("beta2", self.beta2, "the same");
    visit("decay", self.decay, "weight decay");
  }

  void check() const;

  static bool is_matrix(const at::Tensor& parameter);

  /// Of a matrix nothing but the average of its gradients is kept.
  static std::size_t states_of(const at::Tensor& parameter);

  void update(UpdateGroup& group) const;
};

}  // namespace limpid

#ifdef LIMPID_BODIES

namespace limpid::detail {

LIMPID_INLINE at::Tensor orthogonalized(const at::Tensor& matrix) {
  constexpr double a = 3.4445, b = -4.7750, c = 2.0315;
  const bool tall = matrix.size(0) > matrix.size(1);
  auto x = tall ? matrix.t() : matrix;
  x = x / x.norm().clamp_min(1e-7);
  for (int i = 0; i < 5; ++i) {
    const auto gram = at::mm(x, x.t());
    x = at::addmm(x, at::addmm(gram, gram, gram, b, c), x, a);
  }
  return tall ? x.t() : x;
}

}  // namespace limpid::detail

namespace limpid {

LIMPID_INLINE void Muon::check() const {
  detail::check_share("momentum", momentum);
  AdamW{beta1, beta2, 1e-8, decay}.check();
}

LIMPID_INLINE bool Muon::is_matrix(const at::Tensor& parameter) {
  constexpr std::int64_t kFewest = 8;
  return parameter.dim() > 1 && parameter.size(0) >= kFewest && parameter.size(1) >= kFewest;
}

LIMPID_INLINE std::size_t Muon::states_of(const at::Tensor& parameter) {
  return is_matrix(parameter) ? 1 : 2;
}

LIMPID_INLINE void Muon::update(UpdateGroup& group) const {
  if (group.state.size() == 2) return AdamW{beta1, beta2, 1e-8, decay}.update(group);
  detail::decay_weights(group, decay);
  auto& average = group.state[0];
  at::_foreach_mul_(average, momentum);
  at::_foreach_add_(average, group.gradients, 1 - momentum);
  for (std::size_t i = 0; i < average.size(); ++i) {
    const auto ahead = group.gradients[i] * (1 - momentum) + average[i] * momentum;
    const auto matrix = ahead.flatten(1);
    const auto longer = static_cast<double>(std::max(matrix.size(0), matrix.size(1)));
    group.parameters[i].add_(detail::orthogonalized(matrix).reshape(ahead.sizes()),
                             -group.rate * 0.2 * std::sqrt(longer));
  }
}

}  // namespace limpid

#endif  // LIMPID_BODIES
