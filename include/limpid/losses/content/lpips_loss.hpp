#pragma once

#include <limpid/backbones/lpips_network.hpp>
#include <limpid/core/compiled.hpp>
#include <limpid/losses/content/combination.hpp>

#include <c10/core/Device.h>

#include <string>

#ifdef LIMPID_BODIES
#include <c10/util/Exception.h>
#endif

namespace limpid {

/// Learned perceptual distance: how different two images look to people, as a network trained on
/// their judgments says.
///
/// Source: Zhang, Isola, Efros, Shechtman and Wang, "The Unreasonable Effectiveness of Deep
/// Features as a Perceptual Metric", CVPR 2018, eq. 1; mean over samples. Images in [-1, 1] are
/// what its package takes. It hardly sees colour shifts and fine noise: it stands beside a loss on
/// pixels.
struct LPIPSLoss {
  LPIPSNetwork network;

  /// "lpips-alex", "lpips-vgg" or "lpips-squeeze".
  std::string name() const;

  /// Moves the shared network.
  void to(c10::Device device);

  /// @param restored, target  (N, 3, H, W), values in [-1, 1], sides of at least 31 pixels (alex),
  ///                          16 (vgg) or 17 (squeeze).
  /// @return  scalar; 0 for equal images, mostly below 1.
  /// @throws c10::ValueError if the shapes are others.
  at::Tensor operator()(const at::Tensor& restored, const at::Tensor& target) const;
};

static_assert(NamedContentLoss<LPIPSLoss>);

}  // namespace limpid

#ifdef LIMPID_BODIES

namespace limpid {

LIMPID_INLINE std::string LPIPSLoss::name() const {
  return network.is_empty() ? "lpips" : c10::str("lpips-", lpips_name(network->net()));
}

LIMPID_INLINE void LPIPSLoss::to(c10::Device device) { network->to(device); }

LIMPID_INLINE at::Tensor LPIPSLoss::operator()(const at::Tensor& restored,
                                               const at::Tensor& target) const {
  TORCH_CHECK_VALUE(!network.is_empty(), "LPIPS: expected a network, got an empty handle");
  return network->distances(restored, target).mean();
}

}  // namespace limpid

#endif  // LIMPID_BODIES
