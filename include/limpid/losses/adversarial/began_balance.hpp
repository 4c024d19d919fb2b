#pragma once

#include <limpid/core/compiled.hpp>

#include <ATen/core/Tensor.h>
#include <ATen/ops/isfinite.h>
#include <ATen/ops/scalar_tensor.h>
#include <ATen/ops/where.h>

#ifdef LIMPID_BODIES
#include <ATen/TensorOperators.h>
#endif

namespace limpid {

/// BEGAN's k and its measure of convergence. Both stay on the device of the losses: only reading
/// them as numbers waits for it.
///
/// Source: Berthelot et al., "BEGAN", 2017, eq. 5 and sec. 3.4.1.
class BEGANBalance {
 public:
  explicit BEGANBalance(double k = 0.0, double convergence = 0.0)
      : k_(at::scalar_tensor(k, at::kDouble)),
        convergence_(at::scalar_tensor(convergence, at::kDouble)) {}

  /// Takes the losses of a step, L(target) and L(restored), scalars; their graphs are cut.
  void observe(const at::Tensor& target, const at::Tensor& restored, double gamma);

  /// k = clamp(k + lambda (gamma L(target) - L(restored)), 0, 1) for the losses observed last;
  /// nothing where they have been used already.
  void update(double gamma, double lambda);

  /// Weight of L(restored) in the critic's loss, in [0, 1].
  double k() const { return k_.item<double>(); }

  /// L(target) + |gamma L(target) - L(restored)| of the last step; falls as training converges.
  double convergence() const { return convergence_.item<double>(); }

  /// k on its device: a scalar in double.
  const at::Tensor& k_tensor() const { return k_; }

  /// The measure of convergence on its device: a scalar in double.
  const at::Tensor& convergence_tensor() const { return convergence_; }

 private:
  at::Tensor k_, convergence_;
  at::Tensor target_, restored_;
};

}  // namespace limpid

#ifdef LIMPID_BODIES

namespace limpid {

LIMPID_INLINE void BEGANBalance::observe(const at::Tensor& target, const at::Tensor& restored,
                                         double gamma) {
  target_ = target.detach().to(at::kDouble);
  restored_ = restored.detach().to(at::kDouble);
  convergence_ = target_ + (gamma * target_ - restored_).abs();
}

LIMPID_INLINE void BEGANBalance::update(double gamma, double lambda) {
  if (!target_.defined()) return;
  const auto before = k_.to(target_.device());
  const auto after = (before + lambda * (gamma * target_ - restored_)).clamp(0, 1);
  k_ = at::where(at::isfinite(after), after, before);  // losses that are not finite move nothing
  target_ = at::Tensor{};
  restored_ = at::Tensor{};
}

}  // namespace limpid

#endif  // LIMPID_BODIES
