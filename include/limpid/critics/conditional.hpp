#pragma once

#include <limpid/core/check.hpp>
#include <limpid/core/concepts.hpp>
#include <limpid/core/fixed_string.hpp>
#include <limpid/core/modules.hpp>

#include <ATen/ops/cat.h>
#include <c10/util/Exception.h>

#include <string_view>
#include <type_traits>
#include <utility>

namespace limpid {

namespace detail {

inline constexpr std::string_view kConditional = "conditional-";

/// "conditional-patch", where the critic inside says its name.
template <class CriticT>
constexpr std::string_view conditional_name() {
  if constexpr (requires { ModuleOf<CriticT>::architecture; }) {
    return kJoinedNames<kConditional, ModuleOf<CriticT>::architecture>;
  } else {
    return "conditional";
  }
}

}  // namespace detail

/// Judges an image beside the degraded one that it was restored from: a critic of twice the
/// channels, which sees the image first and then the degraded image.
///
/// Source: Isola et al., "Image-to-Image Translation with Conditional Adversarial Networks", CVPR
/// 2017, sec. 3.1.
/// Every adversarial loss hands it the degraded image of the batch by itself. Gradient penalties
/// take the gradient with respect to the judged image alone. Parameters are named `critic.` and the
/// critic's names.
///
/// @tparam CriticT  a critic whose options have a member `in_channels`, here the channels of one
///                  image: `Conditional<PatchGAN<>>{PatchGANOptions{.width = 32}}`.
template <Critic CriticT>
class ConditionalImpl : public torch::nn::Cloneable<ConditionalImpl<CriticT>> {
 public:
  using Options = std::remove_cvref_t<decltype(std::declval<const CriticT&>()->options())>;

  static constexpr std::string_view architecture = detail::conditional_name<CriticT>();

  /// @throws c10::ValueError if the critic refuses the options.
  explicit ConditionalImpl(Options options = {}) : options_(std::move(options)) {
    detail::check_at_least("Conditional: in_channels", options_.in_channels, 1);
    reset();
  }

  void reset() override {
    auto both = options_;
    both.in_channels *= 2;
    critic_ = CriticT{both};
    this->register_module("critic", critic_);
  }

  /// @param image, degraded  (N, in_channels, H, W), values in [-1, 1].
  /// @return                 what the critic returns for both in its channels.
  /// @throws c10::ValueError if a shape is another, or the two differ.
  at::Tensor forward(const at::Tensor& image, const at::Tensor& degraded) {
    detail::check_image("Conditional", image, options_.in_channels);
    TORCH_CHECK_VALUE(image.sizes() == degraded.sizes(), "Conditional: image ", image.sizes(),
                      " and degraded image ", degraded.sizes(), " differ in shape");
    return critic_->forward(at::cat({image, degraded.to(image.scalar_type())}, 1));
  }

  /// Those of the critic, for one image.
  const Options& options() const { return options_; }

 private:
  Options options_;
  CriticT critic_{nullptr};
};

/// Handle to a `ConditionalImpl`.
template <Critic CriticT>
using Conditional = torch::nn::ModuleHolder<ConditionalImpl<CriticT>>;

}  // namespace limpid
