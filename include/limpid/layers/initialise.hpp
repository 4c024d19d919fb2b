#pragma once

#include <limpid/core/compiled.hpp>
#include <limpid/core/modules.hpp>

#include <numbers>

#ifdef LIMPID_BODIES
#include <cmath>
#include <string_view>
#endif

namespace limpid {

/// Gains for `initialise_weights`: what keeps the mean square from layer to layer.
inline constexpr double kReluGain = std::numbers::sqrt2;  ///< ReLU follows
inline constexpr double kLinearGain = 1.0;                ///< nothing follows

/// Draws every weight of a convolution inside `module` from a normal distribution of deviation
/// gain / sqrt(inputs per output) and sets its bias to zero. Norms keep what they have.
///
/// Source: He et al., "Delving Deep into Rectifiers", ICCV 2015, sec. 2.2. Random numbers are
/// LibTorch's own.
LIMPID_INLINE void initialise_weights(torch::nn::Module& module, double gain = kReluGain);

}  // namespace limpid

#ifdef LIMPID_BODIES

namespace limpid {

LIMPID_INLINE void initialise_weights(torch::nn::Module& module, double gain) {
  torch::NoGradGuard no_grad;
  for (auto& item : module.named_parameters()) {
    auto parameter = item.value();
    if (parameter.dim() > 1) {
      const auto inputs = parameter.numel() / parameter.size(0);
      parameter.normal_(0, gain / std::sqrt(static_cast<double>(inputs)));
    } else if (std::string_view{item.key()}.ends_with("bias")) {
      parameter.zero_();
    }
  }
}

}  // namespace limpid

#endif  // LIMPID_BODIES
