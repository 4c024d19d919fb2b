#pragma once

#include <limpid/core/compiled.hpp>
#include <limpid/core/concepts.hpp>
#include <limpid/core/modules.hpp>
#include <limpid/core/part_listener.hpp>

#include <ATen/core/Tensor.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/cumsum.h>
#include <ATen/ops/replication_pad2d.h>
#include <c10/core/ScalarType.h>

#include <cstdint>
#include <utility>

#ifdef LIMPID_BODIES
#include <limpid/core/check.hpp>
#include <limpid/core/whole_maps.hpp>

#include <ATen/TensorOperators.h>

#include <algorithm>
#endif

namespace limpid {
namespace detail {

/// Means of `window` successive values along `dimension`: as many fewer values as fit.
LIMPID_INLINE at::Tensor moving_mean(const at::Tensor& input, std::int64_t dimension,
                                     std::int64_t window);

}  // namespace detail

/// Mean of every channel over the `window` x `window` pixels around each pixel; near a border the
/// nearest window that lies inside. The mean of the whole map, (N, C, 1, 1), where the window
/// covers it.
///
/// Source: Chu et al., "Improving Image Restoration by Revisiting Global Information Aggregation"
/// (TLC), ECCV 2022. Time does not depend on the window.
///
/// @param input   (N, C, H, W).
/// @param window  side in pixels, at least 1.
/// @return        (N, C, H, W) or (N, C, 1, 1).
LIMPID_INLINE at::Tensor local_mean(const at::Tensor& input, std::int64_t window);

/// The mean of a map: of the whole map, or of windows as large as those of training.
///
/// A network trained on patches learned what the mean of a patch means; on a larger image the mean
/// of the whole says something else. With `train_size` set, windows are 1.5 times as large as a
/// training patch (TLC; see `local_mean`). Without it, a picture that is restored in tiles has the
/// mean of the whole picture's map in each (`core/whole_maps.hpp`).
class LocalMeanPoolImpl : public torch::nn::Cloneable<LocalMeanPoolImpl> {
 public:
  /// @param stride      image pixels per pixel of the map: 1, 2, 4 ...
  /// @param train_size  side of a training patch in image pixels; 0 takes the mean of the whole.
  /// @throws c10::ValueError if `stride` is below 1 or `train_size` is negative.
  explicit LocalMeanPoolImpl(std::int64_t stride, std::int64_t train_size = 0);

  void reset() override {}

  void set_train_size(std::int64_t train_size);

  /// Side of the window in pixels of the map; 0 is the whole map.
  std::int64_t window() const;

  /// @param map  (N, C, H, W).
  /// @return     (N, C, 1, 1), or (N, C, H, W) where windows are smaller than the map.
  at::Tensor forward(const at::Tensor& map);

 private:
  std::int64_t stride_;
  std::int64_t train_size_ = 0;
};

TORCH_MODULE(LocalMeanPool);

static_assert(ImageModule<LocalMeanPool>);

}  // namespace limpid

#ifdef LIMPID_BODIES

namespace limpid::detail {

LIMPID_INLINE at::Tensor moving_mean(const at::Tensor& input, std::int64_t dimension,
                                     std::int64_t window) {
  const auto sums = at::cumsum(input, dimension);
  const auto count = input.size(dimension) - window;
  const auto first = sums.narrow(dimension, window - 1, 1);
  if (count == 0) return first / static_cast<double>(window);
  const auto rest = sums.narrow(dimension, window, count) - sums.narrow(dimension, 0, count);
  return at::cat({first, rest}, dimension) / static_cast<double>(window);
}

}  // namespace limpid::detail

namespace limpid {

LIMPID_INLINE at::Tensor local_mean(const at::Tensor& input, std::int64_t window) {
  detail::check_at_least("local_mean: window", window, 1);
  if (auto* listener = std::exchange(detail::PartListener::current, nullptr)) {
    const auto means =
        listener->part("local_mean", input, window, [&] { return local_mean(input, window); });
    detail::PartListener::current = listener;
    return means;
  }
  const auto height = input.size(2);
  const auto width = input.size(3);
  if (window >= height && window >= width) return input.mean({2, 3}, /*keepdim=*/true);
  const auto wide = input.to(c10::promoteTypes(input.scalar_type(), at::kFloat));
  const auto rows = std::min(window, height);
  const auto columns = std::min(window, width);
  const auto means = detail::moving_mean(detail::moving_mean(wide, 3, columns), 2, rows);
  return at::replication_pad2d(means, {(columns - 1) / 2, columns / 2, (rows - 1) / 2, rows / 2})
      .to(input.scalar_type());
}

LIMPID_INLINE LocalMeanPoolImpl::LocalMeanPoolImpl(std::int64_t stride, std::int64_t train_size)
    : stride_(stride) {
  detail::check_at_least("LocalMeanPool: stride", stride, 1);
  set_train_size(train_size);
}

LIMPID_INLINE void LocalMeanPoolImpl::set_train_size(std::int64_t train_size) {
  detail::check_at_least("LocalMeanPool: train_size", train_size, 0);
  train_size_ = train_size;
}

LIMPID_INLINE std::int64_t LocalMeanPoolImpl::window() const {
  if (train_size_ == 0) return 0;
  const auto base = train_size_ * 3 / 2;
  return std::max<std::int64_t>(1, train_size_ / stride_ * base / train_size_);
}

LIMPID_INLINE at::Tensor LocalMeanPoolImpl::forward(const at::Tensor& map) {
  if (train_size_ > 0) return local_mean(map, window());
  auto* whole = WholeMaps::current();
  if (whole == nullptr) return map.mean({2, 3}, /*keepdim=*/true);
  return whole->of(map).mean.to(map.options()).view({1, -1, 1, 1});
}

}  // namespace limpid

#endif  // LIMPID_BODIES
