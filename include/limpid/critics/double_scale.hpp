#pragma once

#include <limpid/core/adversarial_batch.hpp>
#include <limpid/core/compiled.hpp>
#include <limpid/core/concepts.hpp>
#include <limpid/core/modules.hpp>
#include <limpid/critics/patch_gan.hpp>

#include <nlohmann/json.hpp>

#include <array>
#include <concepts>
#include <cstdint>
#include <string_view>
#include <tuple>

namespace limpid {

/// Shape of a `DoubleScale` critic.
struct DoubleScaleOptions {
  std::int64_t in_channels = 3;   ///< channels of the judged image
  std::int64_t width = 64;        ///< channels of the first layer of both
  std::int64_t patch_layers = 3;  ///< convolutions of stride 2 of the critic of patches
  std::int64_t full_layers = 5;   ///< of the critic of the whole image
};

LIMPID_JSON(DoubleScaleOptions, in_channels, width, patch_layers, full_layers)

/// Two critics of one image: one of patches, one that sees far more of it.
///
/// Source: Kupyn et al., "DeblurGAN-v2: Deblurring (Orders-of-Magnitude) Faster and Better", ICCV
/// 2019, sec. 3.2. Parameters have the published names behind `patch.` and `full.`.
/// A composite critic: losses take it through `PerCritic`, which averages those of both.
///
/// @tparam CriticT  of both: `PatchGAN<>`, or `Conditional<PatchGAN<>>` to see the degraded image.
template <ModuleHandle CriticT = PatchGAN<>>
requires std::constructible_from<ModuleOf<CriticT>, PatchGANOptions>
class DoubleScaleImpl : public torch::nn::Cloneable<DoubleScaleImpl<CriticT>> {
 public:
  static constexpr std::string_view architecture =
      ConditionalCritic<CriticT> ? "conditional-double-scale" : "double-scale";

  /// @throws c10::ValueError if any option is below 1.
  explicit DoubleScaleImpl(DoubleScaleOptions options = {}) : options_(options) { reset(); }

  void reset() override {
    patch_ = CriticT{shape(options_.patch_layers)};
    full_ = CriticT{shape(options_.full_layers)};
    this->register_module("patch", patch_);
    this->register_module("full", full_);
  }

  /// The critic of patches and that of the whole image.
  std::tuple<CriticT, CriticT> parts() { return {patch_, full_}; }

  /// @param image  (N, in_channels, H, W), values in [-1, 1].
  /// @return       the raw scores of both critics, of different sizes.
  /// @throws c10::ValueError if `image` has another shape or is too small.
  std::array<at::Tensor, 2> forward(const at::Tensor& image) requires ImageModule<CriticT> {
    return {patch_->forward(image), full_->forward(image)};
  }

  /// The same beside the degraded image, of the same shape.
  std::array<at::Tensor, 2> forward(const at::Tensor& image, const at::Tensor& degraded) requires
      ConditionalCritic<CriticT> {
    return {patch_->forward(image, degraded), full_->forward(image, degraded)};
  }

  const DoubleScaleOptions& options() const { return options_; }

 private:
  PatchGANOptions shape(std::int64_t layers) const {
    return {.in_channels = options_.in_channels, .width = options_.width, .layers = layers};
  }

  DoubleScaleOptions options_;
  CriticT patch_{nullptr}, full_{nullptr};
};

/// Handle to a `DoubleScaleImpl`.
template <ModuleHandle CriticT = PatchGAN<>>
using DoubleScale = torch::nn::ModuleHolder<DoubleScaleImpl<CriticT>>;

static_assert(CompositeCritic<DoubleScale<>>);

}  // namespace limpid
