#pragma once

#include <limpid/core/compiled.hpp>
#include <limpid/core/modules.hpp>

#include <ATen/core/Tensor.h>
#include <ATen/ops/upsample_nearest2d.h>

#include <cstdint>

#ifdef LIMPID_BODIES
#include <limpid/core/memory_format.hpp>
#endif

namespace limpid {

/// Every pixel of (N, C, H, W) repeated to `factor` x `factor` pixels, in the map's own type; the
/// map itself for 1. A trace of it serves any size.
LIMPID_INLINE at::Tensor upsample_nearest(const at::Tensor& map, std::int64_t factor);

/// `upsample_nearest` as a layer of a sequence, without parameters.
class UpsampleNearestImpl : public torch::nn::Cloneable<UpsampleNearestImpl> {
 public:
  explicit UpsampleNearestImpl(std::int64_t factor);
  void reset() override {}
  at::Tensor forward(const at::Tensor& map);

 private:
  std::int64_t factor_;
};

TORCH_MODULE(UpsampleNearest);

}  // namespace limpid

#ifdef LIMPID_BODIES

namespace limpid {

LIMPID_INLINE at::Tensor upsample_nearest(const at::Tensor& map, std::int64_t factor) {
  if (factor == 1) return map;
  if (map.scalar_type() == at::kFloat || map.scalar_type() == at::kDouble) {
    const double scales[] = {static_cast<double>(factor), static_cast<double>(factor)};
    return at::upsample_nearest2d(map, {}, at::ArrayRef<double>(scales));
  }
  // LibTorch's operator has no bfloat16 on CUDA before 2.1, and autocast makes it float later on.
  const auto large = map.unsqueeze(3)
                         .unsqueeze(5)
                         .expand({-1, -1, -1, factor, -1, factor})
                         .flatten(4, 5)
                         .flatten(2, 3);
  return detail::laid_like(large, map);
}

LIMPID_INLINE UpsampleNearestImpl::UpsampleNearestImpl(std::int64_t factor) : factor_(factor) {
  reset();
}

LIMPID_INLINE at::Tensor UpsampleNearestImpl::forward(const at::Tensor& map) {
  return upsample_nearest(map, factor_);
}

}  // namespace limpid

#endif  // LIMPID_BODIES
