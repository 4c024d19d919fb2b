#pragma once

#include <limpid/core/compiled.hpp>
#include <limpid/core/concepts.hpp>
#include <limpid/core/modules.hpp>

#include <cstdint>
#include <vector>

#ifdef LIMPID_BODIES
#include <limpid/core/whole_maps.hpp>
#include <limpid/kernels/convolution.hpp>
#include <limpid/kernels/norm_of_maps.hpp>

#include <ATen/Context.h>
#include <ATen/ops/batch_norm.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/instance_norm.h>
#include <c10/core/MemoryFormat.h>
#endif

namespace limpid {

/// Instance norm without affine parameters or running statistics.
///
/// Source: Ulyanov et al., "Instance Normalization: The Missing Ingredient for Fast Stylization",
/// 2016. Differs from `torch::nn::InstanceNorm2d`: where a picture is restored in tiles, it
/// normalises by the statistics of the whole picture (`core/whole_maps.hpp`); while training under
/// `Convolution::fast` it goes over each map once (`kernels/norm_of_maps.hpp`).
class InstanceNormImpl : public torch::nn::Cloneable<InstanceNormImpl> {
 public:
  explicit InstanceNormImpl(std::int64_t /*channels*/) {}

  void reset() override {}

  /// @param input  (N, C, H, W).
  /// @return       the same shape.
  at::Tensor forward(const at::Tensor& input);

 private:
  bool may_be_fast(const at::Tensor& input) const;

  static bool lies_by_pixel(const at::Tensor& input);

  /// LibTorch's operator lays its input out channel by channel; of one picture a batch norm is the
  /// same and leaves it as it lies.
  static at::Tensor by_picture(const at::Tensor& input, bool cudnn);

  static constexpr double kMomentum = 0.1, kEpsilon = 1e-5;  // LibTorch's
};

TORCH_MODULE(InstanceNorm);

static_assert(ChannelNorm<InstanceNorm>);

}  // namespace limpid

#ifdef LIMPID_BODIES

namespace limpid {

LIMPID_INLINE at::Tensor InstanceNormImpl::forward(const at::Tensor& input) {
  const bool cudnn = at::globalContext().userEnabledCuDNN();
  auto* whole = WholeMaps::current();
  if (whole == nullptr && lies_by_pixel(input)) return by_picture(input, cudnn);
  if (whole == nullptr) {
    if (may_be_fast(input)) return norm_of_maps(input, kEpsilon);
    return at::instance_norm(input, {}, {}, {}, {}, /*use_input_stats=*/true, kMomentum, kEpsilon,
                             cudnn);
  }
  const auto moments = whole->of(input);
  const auto wide = input.to(at::kFloat);
  const auto here = [&](const at::Tensor& moment) { return moment.to(wide.options()); };
  return at::batch_norm(wide, {}, {}, here(moments.mean), here(moments.variance),
                        /*training=*/false, kMomentum, kEpsilon, cudnn)
      .to(input.scalar_type());
}

LIMPID_INLINE bool InstanceNormImpl::may_be_fast(const at::Tensor& input) const {
  // Not by whether a graph is built: a block that is computed again builds one the second time
  // only.
  return is_training() && ConvolutionScope::in_force() == Convolution::fast &&
         detail::is_fast_input(input) && input.dim() == 4 && input.is_contiguous() &&
         input.size(2) * input.size(3) > 1 && detail::may_leave_libtorch();
}

LIMPID_INLINE bool InstanceNormImpl::lies_by_pixel(const at::Tensor& input) {
  return input.dim() == 4 && input.suggest_memory_format() == at::MemoryFormat::ChannelsLast;
}

LIMPID_INLINE at::Tensor InstanceNormImpl::by_picture(const at::Tensor& input, bool cudnn) {
  std::vector<at::Tensor> pictures;
  for (std::int64_t i = 0; i < input.size(0); ++i) {
    pictures.push_back(at::batch_norm(input.narrow(0, i, 1), {}, {}, {}, {}, /*training=*/true,
                                      kMomentum, kEpsilon, cudnn));
  }
  return pictures.size() == 1 ? pictures.front() : at::cat(pictures);
}

}  // namespace limpid

#endif  // LIMPID_BODIES
