#pragma once

#include <limpid/core/compiled.hpp>
#include <limpid/core/concepts.hpp>
#include <limpid/core/modules.hpp>
#include <limpid/layers/conv2d.hpp>

#include <ATen/ops/gelu.h>

#include <cstdint>

#ifdef LIMPID_BODIES
#include <limpid/core/check.hpp>

#include <ATen/TensorOperators.h>
#include <c10/util/Exception.h>
#endif

namespace limpid {

/// Widens the channels twice over, looks at neighbours within each, and lets GELU of one half gate
/// the other (GDFN).
///
/// Source: Zamir et al., "Restormer: Efficient Transformer for High-Resolution Image Restoration",
/// CVPR 2022, sec. 3.2. Parameters have the published names. No convolution has a bias.
class GatedFeedForwardImpl : public torch::nn::Cloneable<GatedFeedForwardImpl> {
 public:
  /// @param expansion  hidden channels per channel; rounded down.
  /// @throws c10::ValueError if `channels` is below 1, or no hidden channel is left.
  explicit GatedFeedForwardImpl(std::int64_t channels, double expansion = 2.66);

  /// How many hidden channels there are; 0 where that is no number of channels.
  static std::int64_t hidden(std::int64_t channels, double expansion);

  void reset() override;

  /// @param input  (N, channels, H, W).
  /// @return       the same shape.
  at::Tensor forward(const at::Tensor& input);

 private:
  std::int64_t channels_;
  std::int64_t hidden_;
  Conv2d project_in_{nullptr}, dwconv_{nullptr}, project_out_{nullptr};
};

TORCH_MODULE(GatedFeedForward);

static_assert(ImageModule<GatedFeedForward>);

}  // namespace limpid

#ifdef LIMPID_BODIES

namespace limpid {

LIMPID_INLINE GatedFeedForwardImpl::GatedFeedForwardImpl(std::int64_t channels, double expansion)
    : channels_(channels), hidden_(hidden(channels, expansion)) {
  detail::check_at_least("GatedFeedForward: channels", channels, 1);
  TORCH_CHECK_VALUE(hidden_ >= 1, "GatedFeedForward: expected an expansion that leaves a hidden ",
                    "channel, got ", expansion, " for ", channels, " channels");
  reset();
}

LIMPID_INLINE std::int64_t GatedFeedForwardImpl::hidden(std::int64_t channels, double expansion) {
  const auto wide = static_cast<double>(channels) * expansion;
  return wide >= 1 && wide < 1e9 ? static_cast<std::int64_t>(wide) : 0;
}

LIMPID_INLINE void GatedFeedForwardImpl::reset() {
  using torch::nn::Conv2dOptions;
  const auto wide = 2 * hidden_;
  project_in_ =
      register_module("project_in", Conv2d(Conv2dOptions(channels_, wide, 1).bias(false)));
  dwconv_ = register_module(
      "dwconv", Conv2d(Conv2dOptions(wide, wide, 3).padding(1).groups(wide).bias(false)));
  project_out_ =
      register_module("project_out", Conv2d(Conv2dOptions(hidden_, channels_, 1).bias(false)));
}

LIMPID_INLINE at::Tensor GatedFeedForwardImpl::forward(const at::Tensor& input) {
  detail::check_image("GatedFeedForward", input, channels_);
  const auto wide = dwconv_->forward(project_in_->forward(input));
  const auto gate = at::gelu(wide.narrow(1, 0, hidden_));
  return project_out_->forward(gate * wide.narrow(1, hidden_, hidden_));
}

}  // namespace limpid

#endif  // LIMPID_BODIES
