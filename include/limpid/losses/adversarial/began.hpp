#pragma once

#include <limpid/core/adversarial_batch.hpp>
#include <limpid/core/check.hpp>
#include <limpid/core/compiled.hpp>
#include <limpid/core/concepts.hpp>
#include <limpid/core/precision.hpp>
#include <limpid/losses/adversarial/began_balance.hpp>

#include <c10/util/ArrayRef.h>
#include <c10/util/Exception.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#ifdef LIMPID_BODIES
#include <ATen/TensorOperators.h>
#endif

namespace limpid {

namespace detail {

/// Mean absolute difference of `image` and what an autoencoder critic makes of it.
template <AutoencoderCritic C>
at::Tensor reconstruction_error(C& critic, const at::Tensor& image, const AdversarialBatch& batch) {
  const auto reconstruction = judge(critic, image, batch);
  TORCH_CHECK_VALUE(reconstruction.sizes() == image.sizes(),
                    "BEGAN: expected a reconstruction of the image's shape ", image.sizes(),
                    ", got ", reconstruction.sizes());
  return (at_least_float(image) - at_least_float(reconstruction)).abs().mean();
}

}  // namespace detail

/// The critic is an autoencoder that reconstructs targets well and restored images badly; a
/// balance keeps both sides at a fixed ratio.
///
/// Source: Berthelot, Schumm and Metz, "BEGAN: Boundary Equilibrium Generative Adversarial
/// Networks", 2017, sec. 3.3 to 3.4.
/// With L(v) = E |v - A(v)|: critic L(target) - k L(restored); generator L(restored); after each
/// step of the critic k becomes clamp(k + lambda_k (gamma L(target) - L(restored)), 0, 1).
/// Differs: k follows the restored images of the critic's step, not those of the generator's, which
/// saves a forward pass.
struct BEGAN {
  double gamma = 0.5;       ///< wanted ratio of L(restored) to L(target), in [0, 1]
  double lambda_k = 0.001;  ///< rate of the balance
  BEGANBalance balance{};   ///< k and the measure of convergence

  static constexpr std::string_view name = "began";

  /// @throws c10::ValueError if `gamma` is outside [0, 1], `lambda_k` is negative, or the
  /// reconstruction has another shape than the image.
  template <AutoencoderCritic C>
  at::Tensor critic_loss(C& critic, const AdversarialBatch& batch) {
    TORCH_CHECK_VALUE(gamma >= 0 && gamma <= 1, "BEGAN: gamma must be in [0, 1], got ", gamma);
    detail::check_not_negative("BEGAN: lambda_k", lambda_k);
    const auto real = detail::reconstruction_error(critic, batch.target, batch);
    const auto fake = detail::reconstruction_error(critic, batch.restored.detach(), batch);
    balance.observe(batch.whole_mean(real.detach()), batch.whole_mean(fake.detach()), gamma);
    return real - balance.k_tensor().to(fake.device(), fake.scalar_type()) * fake;
  }

  template <AutoencoderCritic C>
  at::Tensor generator_loss(C& critic, const AdversarialBatch& batch) const {
    return detail::reconstruction_error(critic, batch.restored, batch);
  }

  /// Moves the balance by the losses of the step.
  template <AutoencoderCritic C>
  void after_critic_step(C&) {
    balance.update(gamma, lambda_k);
  }

  /// k and the measure of convergence, for a log; on their device.
  std::vector<std::pair<std::string, at::Tensor>> figures() const;

  /// k and the measure of convergence, for a checkpoint.
  std::vector<double> state() const;

  /// @throws c10::ValueError if `numbers` is not what `state` gives.
  void load_state(const std::vector<double>& numbers);
};

}  // namespace limpid

#ifdef LIMPID_BODIES

namespace limpid {

LIMPID_INLINE std::vector<std::pair<std::string, at::Tensor>> BEGAN::figures() const {
  return {{"began_k", balance.k_tensor()}, {"began_convergence", balance.convergence_tensor()}};
}

LIMPID_INLINE std::vector<double> BEGAN::state() const {
  return {balance.k(), balance.convergence()};
}

LIMPID_INLINE void BEGAN::load_state(const std::vector<double>& numbers) {
  TORCH_CHECK_VALUE(numbers.size() == 2 && numbers[0] >= 0 && numbers[0] <= 1,
                    "BEGAN: expected a state of k in [0, 1] and a measure of convergence, got ",
                    c10::ArrayRef<double>(numbers));
  balance = BEGANBalance{numbers[0], numbers[1]};
}

}  // namespace limpid

#endif  // LIMPID_BODIES
