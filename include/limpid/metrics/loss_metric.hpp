#pragma once

#include <limpid/core/concepts.hpp>
#include <limpid/core/ranges.hpp>

#include <ATen/core/Tensor.h>
#include <c10/core/GradMode.h>
#include <c10/util/Exception.h>

#include <string>

namespace limpid {

/// A content loss as a metric: a distance on a network's features, for one, that trains and judges.
/// Lower is better.
///
/// `LossMetric{"perceptual", "VGG-19 conv3_3, ImageNet's normalisation", Perceptual{vgg}}`
template <ContentLoss L>
struct LossMetric {
  std::string name;      ///< what programs print and JSON files use
  std::string protocol;  ///< how exactly it is computed
  L loss;

  static constexpr bool higher_is_better = false;

  /// @param restored, target  (3, H, W) or (1, 3, H, W), values in [0, 1]; the loss gets them in
  ///                          [-1, 1], as always.
  /// @throws c10::ValueError if the shapes are others, or what the loss throws.
  double operator()(const at::Tensor& restored, const at::Tensor& target) const {
    const c10::NoGradGuard no_grad;
    return loss(batch_of(restored), batch_of(target)).template item<double>();
  }

 private:
  static at::Tensor batch_of(const at::Tensor& unit) {
    TORCH_CHECK_VALUE(unit.dim() == 3 || (unit.dim() == 4 && unit.size(0) == 1),
                      "a loss as a metric: expected an image (3, H, W) or (1, 3, H, W), got ",
                      unit.sizes());
    return to_signed(unit.dim() == 3 ? unit.unsqueeze(0) : unit);
  }
};

}  // namespace limpid
