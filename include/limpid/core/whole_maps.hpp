#pragma once

#include <limpid/core/compiled.hpp>

#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/zeros_like.h>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <utility>
#include <vector>

// Layers that look at a whole map (instance norm, a mean over the map) while a network sees a
// picture in pieces. They ask `WholeMaps::current()`.

#ifdef LIMPID_BODIES
#include <limpid/core/check.hpp>

#include <ATen/Parallel.h>
#include <ATen/TensorOperators.h>
#include <c10/util/Exception.h>
#endif

namespace limpid {

/// Mean and variance (biased) of each channel over all pixels of a map: (C), double, on the CPU. Or
/// other means, with the squares of what is much for each.
struct MapMoments {
  at::Tensor mean, variance;
};

/// What a network is shown of a picture, and the part of it that counts: not what surrounds that.
/// Pixels; the sides are those that the network sees, padding included.
struct ShownPart {
  std::int64_t height = 0, width = 0;
  std::int64_t top = 0, left = 0, rows = 0, columns = 0;
};

/// Rows and columns of a map.
struct MapPart {
  std::int64_t top = 0, left = 0, rows = 0, columns = 0;
};

namespace detail {

/// Mean and variance of each channel of (N, C, H, W).
LIMPID_INLINE MapMoments moments_of(const at::Tensor& map);

/// Thrown through a network behind the last layer that is asked for.
struct FarEnough {};

}  // namespace detail

/// What a network's layers that look at whole maps take for these while it sees a part of the
/// picture, and what they say of their part.
///
/// The layers of a network come in the same order in each run: the first one that asks is layer 0.
class WholeMaps {
 public:
  static constexpr std::size_t kAll = std::numeric_limits<std::size_t>::max();

  /// Layers take what is `known`; those beyond it what they see themselves.
  explicit WholeMaps(std::vector<MapMoments> known = {}) : known_(std::move(known)) {}

  /// From now on the moments of layers `first` ... `last` are gathered; where `last` is not `kAll`,
  /// `detail::FarEnough` is thrown behind it.
  void gather(std::size_t first, std::size_t last = kAll);

  /// Called before each run of the network.
  void show(const ShownPart& part);

  /// How many layers asked in the last run.
  std::size_t layers() const { return next_; }

  /// Moments of the parts shown so far together, of the layers that were gathered.
  std::vector<MapMoments> gathered() const;

  /// Asked by a layer. @param map  (N, C, h, w), what it sees
  MapMoments of(const at::Tensor& map);

  /// Asked by a layer that takes other means over a map than those of its channels.
  /// @param moments  part of `map` -> its `MapMoments`: means over all of its pixels, and how large
  ///                 squares of a difference count that matters as much as one deviation would
  template <class Moments>
  MapMoments of(const at::Tensor& map, Moments moments) {
    const auto own = [&](const MapPart& part) {
      return moments(map.narrow(2, part.top, part.rows).narrow(3, part.left, part.columns));
    };
    return of_layer(next_++, {map.size(0), map.size(2), map.size(3)}, own);
  }

  /// Pictures, rows and columns of a map.
  struct MapSize {
    std::int64_t pictures, height, width;
  };

  /// Asked by who knows the layer's number, and may compute layers in another order.
  /// @param moments  part of its map -> its `MapMoments`
  template <class Moments>
  MapMoments of_layer(std::size_t layer, const MapSize& map, Moments moments) {
    const bool is_known = layer < known_.size();
    const bool is_gathered = gathers_ && layer >= first_ && layer <= last_;
    if (is_known && !is_gathered) return known_[layer];
    const auto counting = is_gathered ? counting_part(map) : MapPart{0, 0, map.height, map.width};
    const auto own = moments(counting);
    if (is_gathered) {
      if (sums_.size() <= layer - first_) sums_.resize(layer - first_ + 1);
      auto& sum = sums_[layer - first_];
      if (!sum.mean.defined()) {
        sum = {at::zeros_like(own.mean), at::zeros_like(own.mean), 0};
      }
      const auto count = static_cast<double>(map.pictures * counting.rows * counting.columns);
      sum.mean += own.mean * count;
      sum.square += (own.variance + own.mean.square()) * count;
      sum.count += count;
      if (++gathered_here_ == last_ - first_ + 1) throw detail::FarEnough{};
    }
    return is_known ? known_[layer] : own;
  }

  /// What layers of this thread shall ask; nullptr where networks see whole pictures.
  static WholeMaps* current() { return current_; }

  /// While it lives, layers of this thread ask `maps`.
  class Scope {
   public:
    explicit Scope(WholeMaps& maps) : Scope(&maps) {}
    /// Layers see whole pictures meanwhile.
    explicit Scope(std::nullptr_t) : Scope(static_cast<WholeMaps*>(nullptr)) {}
    ~Scope() { current_ = before_; }
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;

   private:
    explicit Scope(WholeMaps* maps) : before_(std::exchange(current_, maps)) {}

    WholeMaps* before_;
  };

 private:
  struct Sum {
    at::Tensor mean{}, square{};
    double count = 0;
  };

  MapPart counting_part(const MapSize& map) const;

  static inline thread_local WholeMaps* current_ = nullptr;

  std::vector<MapMoments> known_;
  bool gathers_ = false;
  std::size_t first_ = 0, last_ = kAll, next_ = 0, gathered_here_ = 0;
  std::vector<Sum> sums_;
  ShownPart part_;
};

}  // namespace limpid

#ifdef LIMPID_BODIES

namespace limpid::detail {

LIMPID_INLINE MapMoments moments_of(const at::Tensor& map) {
  if (!map.device().is_cpu()) {
    const auto mean = map.mean({0, 2, 3}, /*keepdim=*/true, at::kDouble);
    const auto centred = map.to(at::kFloat) - mean.to(at::kFloat);
    const auto variance = centred.square().mean({0, 2, 3}, /*keepdim=*/false, at::kDouble);
    return {mean.flatten().cpu(), variance.cpu()};
  }
  const bool is_plain = map.scalar_type() == at::kFloat && (map.stride(3) == 1 || map.size(3) == 1);
  const auto values = is_plain ? map : map.to(at::kFloat).contiguous();
  const auto channels = values.size(1), rows = values.size(2), columns = values.size(3);
  auto moments = at::empty({2, channels}, at::kDouble);
  auto* out = moments.data_ptr<double>();
  const auto* in = values.data_ptr<float>();
  at::parallel_for(0, channels, 1, [&](std::int64_t first, std::int64_t last) {
    constexpr std::int64_t kLanes = 8;
    for (auto channel = first; channel < last; ++channel) {
      double sums[kLanes]{}, squares[kLanes]{};
      for (std::int64_t n = 0; n < values.size(0); ++n) {
        for (std::int64_t y = 0; y < rows; ++y) {
          const auto* row =
              in + n * values.stride(0) + channel * values.stride(1) + y * values.stride(2);
          std::int64_t x = 0;
          for (; x + kLanes <= columns; x += kLanes) {
            for (std::int64_t lane = 0; lane < kLanes; ++lane) {
              const double value = row[x + lane];
              sums[lane] += value;
              squares[lane] += value * value;
            }
          }
          for (; x < columns; ++x) {
            sums[0] += row[x];
            squares[0] += static_cast<double>(row[x]) * row[x];
          }
        }
      }
      double sum = 0, square = 0;
      for (std::int64_t lane = 0; lane < kLanes; ++lane) {
        sum += sums[lane];
        square += squares[lane];
      }
      const auto count = static_cast<double>(values.size(0) * rows * columns);
      const auto mean = sum / count;
      out[channel] = mean;
      out[channels + channel] = square / count > mean * mean ? square / count - mean * mean : 0;
    }
  });
  return {moments[0], moments[1]};
}

}  // namespace limpid::detail

namespace limpid {

LIMPID_INLINE void WholeMaps::gather(std::size_t first, std::size_t last) {
  gathers_ = true;
  first_ = first;
  last_ = last;
  sums_.clear();
}

LIMPID_INLINE void WholeMaps::show(const ShownPart& part) {
  part_ = part;
  next_ = gathered_here_ = 0;
}

LIMPID_INLINE std::vector<MapMoments> WholeMaps::gathered() const {
  std::vector<MapMoments> all;
  for (const auto& sum : sums_) {
    const auto mean = sum.mean / sum.count;
    all.push_back({mean, (sum.square / sum.count - mean.square()).clamp_min(0)});
  }
  return all;
}

LIMPID_INLINE MapMoments WholeMaps::of(const at::Tensor& map) {
  return of(map, [](const at::Tensor& part) { return detail::moments_of(part); });
}

LIMPID_INLINE MapPart WholeMaps::counting_part(const MapSize& map) const {
  const auto stride = part_.height / map.height;
  TORCH_CHECK(
      stride >= 1 && map.height * stride == part_.height && map.width * stride == part_.width,
      "WholeMaps: expected a map whose sides divide ", part_.height, " x ", part_.width, ", got ",
      map.height, " x ", map.width);
  return {part_.top / stride, part_.left / stride, part_.rows / stride, part_.columns / stride};
}

}  // namespace limpid

#endif  // LIMPID_BODIES
