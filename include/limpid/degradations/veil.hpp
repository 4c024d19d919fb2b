#pragma once

#include <limpid/core/compiled.hpp>
#include <limpid/core/random.hpp>
#include <limpid/core/window.hpp>
#include <limpid/degradations/batch_degradation.hpp>
#include <limpid/degradations/synthetic_depth.hpp>

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <span>
#include <vector>

#ifdef LIMPID_BODIES
#include <limpid/degradations/batch_tensors.hpp>

#include <ATen/TensorOperators.h>

#include <cmath>
#endif

namespace limpid::detail {

/// What is too far to be seen one by one, drops or flakes: it takes light away with the distance
/// and scatters its own into the way, as haze does.
struct Veil {
  at::Tensor depth;  ///< of the whole picture, (H, W) in [0, 1]; undefined where there is no veil
  float beta = 0;    ///< exp(-beta) of the farthest point's light arrives

  static Veil drawn(float beta, const SyntheticDepth& synthetic, std::int64_t height,
                    std::int64_t width, Random& random);

  /// The part of the light that arrives, for each pixel of a window; empty where all of it does.
  std::vector<float> transmission(const Window& window) const;
};

/// The veils of a batch.
class VeilBatch {
 public:
  explicit VeilBatch(const SyntheticDepth& synthetic) : synthetic_(synthetic) {}

  /// Draws that of the next picture; as `Veil::drawn`.
  void add(float beta, const CropPlace& place, Random& random);

  /// Pictures behind their veils. @param airlight  (N, 1, 1, 1)
  at::Tensor before(const at::Tensor& images, std::span<const CropPlace> places,
                    const at::Tensor& airlight) const;

 private:
  SyntheticDepth synthetic_;
  std::vector<SyntheticDepth::Drawn> depths_;
  std::vector<float> minus_beta_;
};

}  // namespace limpid::detail

#ifdef LIMPID_BODIES

namespace limpid::detail {

LIMPID_INLINE Veil Veil::drawn(float beta, const SyntheticDepth& synthetic, std::int64_t height,
                               std::int64_t width, Random& random) {
  if (beta == 0) return {};
  return {synthetic(height, width, random), beta};
}

LIMPID_INLINE std::vector<float> Veil::transmission(const Window& window) const {
  if (!depth.defined()) return {};
  std::vector<float> result;
  result.reserve(static_cast<std::size_t>(window.height * window.width));
  const auto* values = depth.data_ptr<float>();
  for (auto y = window.top; y < window.bottom(); ++y) {
    const auto* row = values + y * depth.size(1);
    for (auto x = window.left; x < window.right(); ++x) result.push_back(std::exp(-beta * row[x]));
  }
  return result;
}

LIMPID_INLINE void VeilBatch::add(float beta, const CropPlace& place, Random& random) {
  minus_beta_.push_back(-beta);
  auto unused = random;  // where there is no veil, nothing is drawn of it
  auto& source = beta == 0 ? unused : random;
  depths_.push_back(synthetic_.drawn_for(place.height, place.width, source));
}

LIMPID_INLINE at::Tensor VeilBatch::before(const at::Tensor& images,
                                           std::span<const CropPlace> places,
                                           const at::Tensor& airlight) const {
  const auto depth = synthetic_.batch(depths_, places, images.device()).unsqueeze(1);
  const auto arrives = (for_each_picture(images, minus_beta_) * depth).exp();
  return arrives * images + (1 - arrives) * airlight;
}

}  // namespace limpid::detail

#endif  // LIMPID_BODIES
