#pragma once

#include <limpid/core/compiled.hpp>
#include <limpid/core/window.hpp>
#include <limpid/io/image.hpp>
#include <limpid/model/any_model.hpp>

#include <ATen/core/Tensor.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>
#include <c10/core/GradMode.h>

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#ifdef LIMPID_BODIES
#include <limpid/core/evaluation_scope.hpp>
#include <limpid/core/ranges.hpp>

#include <ATen/TensorOperators.h>
#include <c10/util/Exception.h>

#include <algorithm>
#include <cmath>
#endif

namespace limpid {

namespace detail {

/// The windows of a picture that are looked at: all of a small one, else 3 x 3 of 256 x 256 pixels,
/// evenly spread.
LIMPID_INLINE std::vector<Window> windows_to_look_at(std::int64_t height, std::int64_t width);

/// Sums over space, from which mean and deviation follow.
class ChannelSums {
 public:
  void add(const std::vector<at::Tensor>& maps);

  /// All means, then all deviations.
  std::vector<at::Tensor> statistics() const;

 private:
  std::vector<at::Tensor> sums_, squares_;
  std::vector<double> counts_;
};

/// How much a task changes a picture.
class ChangeSum {
 public:
  void add(const at::Tensor& change);

  /// log10 of the mean square, and the mean.
  at::Tensor statistics() const;

 private:
  double sum_ = 0, squares_ = 0, count_ = 0;
};

/// What a router sees, and what it was seen by.
struct RoutingLook {
  at::Tensor features;
  std::vector<at::Tensor> restored;  ///< by each task, in [-1, 1]; of a small picture only
};

LIMPID_INLINE RoutingLook routing_look(const AnyModel& model, const Image& picture);

}  // namespace detail

/// What a router sees of a picture, whatever its size: numbers of what a model makes of it, double
/// on the CPU.
///  - Mean and deviation over space of each channel of the shared encoder's maps; means first, maps
///    from fine to coarse.
///  - For each task, how much it would change the picture: log10 of the mean squared change, in the
///    network's range, and the mean change. A decoder leaves alone what it finds no damage in, so
///    these tell more than all else.
///
/// Of a picture of more than 0.6 megapixels nine windows are looked at.
/// @throws c10::ValueError if the image is empty or the encoder's features are no maps.
LIMPID_INLINE at::Tensor routing_features(const AnyModel& model, const Image& picture);

}  // namespace limpid

#ifdef LIMPID_BODIES

namespace limpid::detail {

LIMPID_INLINE std::vector<Window> windows_to_look_at(std::int64_t height, std::int64_t width) {
  constexpr std::int64_t kSide = 256, kEach = 3, kSmall = kEach * kEach * kSide * kSide;
  if (height * width <= kSmall) return {Window{0, 0, height, width}};
  const auto tall = std::min(height, kSide), wide = std::min(width, kSide);
  std::vector<Window> windows;
  for (std::int64_t row = 0; row < kEach; ++row) {
    for (std::int64_t column = 0; column < kEach; ++column) {
      windows.push_back(
          {(height - tall) * row / (kEach - 1), (width - wide) * column / (kEach - 1), tall, wide});
    }
  }
  return windows;
}

LIMPID_INLINE void ChannelSums::add(const std::vector<at::Tensor>& maps) {
  sums_.resize(maps.size()), squares_.resize(maps.size()), counts_.resize(maps.size());
  for (std::size_t i = 0; i < maps.size(); ++i) {
    const auto map = maps[i].detach().to(at::kDouble);
    const auto sum = map.sum({0, 2, 3}).cpu(), square = (map * map).sum({0, 2, 3}).cpu();
    sums_[i] = sums_[i].defined() ? sums_[i] + sum : sum;
    squares_[i] = squares_[i].defined() ? squares_[i] + square : square;
    counts_[i] += static_cast<double>(map.size(0) * map.size(2) * map.size(3));
  }
}

LIMPID_INLINE std::vector<at::Tensor> ChannelSums::statistics() const {
  std::vector<at::Tensor> means, deviations;
  for (std::size_t i = 0; i < sums_.size(); ++i) {
    const auto mean = sums_[i] / counts_[i];
    means.push_back(mean);
    deviations.push_back((squares_[i] / counts_[i] - mean * mean).clamp_min(0).sqrt());
  }
  means.insert(means.end(), deviations.begin(), deviations.end());
  return means;
}

LIMPID_INLINE void ChangeSum::add(const at::Tensor& change) {
  const auto values = change.detach().to(at::kDouble);
  sum_ += values.sum().item<double>();
  squares_ += (values * values).sum().item<double>();
  count_ += static_cast<double>(values.numel());
}

LIMPID_INLINE at::Tensor ChangeSum::statistics() const {
  constexpr double kNothing = 1e-6;  // a step of 8 bits is 6e-5, squared
  auto numbers = at::empty({2}, at::kDouble);
  numbers[0] = std::log10(squares_ / count_ + kNothing);
  numbers[1] = sum_ / count_;
  return numbers;
}

LIMPID_INLINE RoutingLook routing_look(const AnyModel& model, const Image& picture) {
  TORCH_CHECK_VALUE(!picture.empty(), "routing_features: the image is empty");
  TORCH_CHECK_VALUE(model.look != nullptr,
                    "routing_features: the model's encoder does not say which maps it returns");
  const c10::NoGradGuard no_grad;
  const EvaluationScope evaluation{*model.module};
  const auto device =
      model.parameters.empty() ? at::Device{at::kCPU} : model.parameters.front().second.device();
  const auto windows = windows_to_look_at(picture.height(), picture.width());
  ChannelSums maps;
  std::vector<ChangeSum> changes(model.tasks.size());
  RoutingLook look;
  for (const auto& window : windows) {
    const auto degraded = to_signed(picture.crop(window).unit().to(device));
    auto seen = model.look(degraded);
    maps.add(seen.maps);
    for (std::size_t t = 0; t < changes.size(); ++t) changes[t].add(seen.restored[t] - degraded);
    if (windows.size() == 1) look.restored = std::move(seen.restored);
  }
  auto features = maps.statistics();
  for (const auto& change : changes) features.push_back(change.statistics());
  look.features = at::cat(features);
  return look;
}

}  // namespace limpid::detail

namespace limpid {

LIMPID_INLINE at::Tensor routing_features(const AnyModel& model, const Image& picture) {
  return detail::routing_look(model, picture).features;
}

}  // namespace limpid

#endif  // LIMPID_BODIES
