#pragma once

#include <limpid/core/compiled.hpp>
#include <limpid/core/concepts.hpp>
#include <limpid/core/random.hpp>
#include <limpid/core/window.hpp>
#include <limpid/degradations/batch_degradation.hpp>

#include <ATen/core/Tensor.h>
#include <ATen/ops/stack.h>

#include <concepts>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#ifdef LIMPID_BODIES
#include <c10/util/Exception.h>
#endif

namespace limpid {

/// What one call of a degradation does to a picture, after everything is drawn.
template <class D>
concept DrawnDegradation = requires(const D& drawn, const at::Tensor& pixels,
                                    const Window& window) {
  { drawn.margin } -> std::convertible_to<std::int64_t>;
  { drawn(pixels, window) } -> std::same_as<at::Tensor>;
};

/// A degradation that makes a part of a picture by itself: `drawn_for(height, width, random)` draws
/// what happens to a picture of that size, and the result, called with the pixels of a window of
/// the picture, gives what `operator()` makes of these pixels, but for those within `margin` of a
/// border of the window that is none of the picture. A member `is_partwise()` may say no at run
/// time.
template <class D>
concept PartwiseDegradation = Degradation<D> &&
    requires(const D& degradation, std::int64_t side, Random& random) {
  { degradation.drawn_for(side, side, random) } -> DrawnDegradation;
};

/// Any degradation behind one type, for code that learns at run time which one it gets.
/// Copies are deep, as those of the degradation inside.
class AnyDegradation {
 public:
  /// What one call does, drawn.
  struct Drawn {
    std::int64_t margin = 0;
    std::function<at::Tensor(const at::Tensor&, const Window&)> apply;

    at::Tensor operator()(const at::Tensor& pixels, const Window& window) const;
  };

  /// @param description  what logs call it
  template <class D>
  requires(!std::same_as<D, AnyDegradation> && Degradation<D> && std::copy_constructible<D>)
      AnyDegradation(D degradation, std::string description = "a degradation")
      : call_(degradation), description_(std::move(description)) {
    if constexpr (BatchDegradation<D>) {
      batch_ = [held = degradation](const at::Tensor& images, std::span<const CropPlace> places,
                                    Random& random) {
        if constexpr (PlacedBatchDegradation<D>) {
          if (!places.empty()) return held.batch(images, places, random);
        }
        return held.batch(images, random);
      };
      batch_equals_calls_ = limpid::batch_equals_calls<D>();
      if constexpr (requires { degradation.batch_margin(); }) {
        batch_margin_ = degradation.batch_margin();
      }
    }
    if constexpr (requires { degradation.is_partwise(); }) {
      if (!degradation.is_partwise()) return;
    }
    if constexpr (PartwiseDegradation<D>) {
      draw_ = [held = std::move(degradation)](std::int64_t height, std::int64_t width,
                                              Random& random) {
        auto drawn = held.drawn_for(height, width, random);
        const std::int64_t margin = drawn.margin;
        return Drawn{margin, std::move(drawn)};
      };
    }
  }

  /// @param image  (3, H, W) float in [0, 1].
  /// @return       same shape, in [0, 1].
  at::Tensor operator()(const at::Tensor& image, Random& random) const;

  /// Whether `drawn_for` may be called: the degradation inside is a `PartwiseDegradation`.
  bool is_partwise() const { return draw_ != nullptr; }

  /// @throws c10::ValueError unless `is_partwise()`.
  Drawn drawn_for(std::int64_t height, std::int64_t width, Random& random) const;

  /// Whether `batch` runs on the device of the pictures: the degradation inside is a
  /// `BatchDegradation`. If not, it makes one picture after another on the CPU.
  bool has_batch() const { return batch_ != nullptr; }

  /// Pictures (N, 3, H, W) float in [0, 1] on any device -> the same shape on the same device.
  at::Tensor batch(const at::Tensor& images, Random& random) const;

  /// The same of crops; their places matter to a `PlacedBatchDegradation` and, on the CPU, to a
  /// `PartwiseDegradation`.
  at::Tensor batch(const at::Tensor& images, std::span<const CropPlace> places,
                   Random& random) const;

  /// Pixels around a crop that its degraded version in a batch may depend on.
  std::int64_t batch_margin() const { return batch_margin_; }

  /// As `limpid::batch_equals_calls` of the degradation inside.
  bool batch_equals_calls() const { return batch_equals_calls_; }

  const std::string& description() const { return description_; }

  /// The same with a word on how batches are made.
  std::string batch_description() const;

 private:
  at::Tensor one_by_one(const at::Tensor& images, std::span<const CropPlace> places,
                        Random& random) const;

  /// A crop as a part of its photograph, where all of it can be made so; else as a photograph of
  /// its own.
  at::Tensor one_at(const at::Tensor& crop, const CropPlace& place, Random& random) const;

  std::function<at::Tensor(const at::Tensor&, Random&)> call_;
  std::function<Drawn(std::int64_t, std::int64_t, Random&)> draw_;
  std::function<at::Tensor(const at::Tensor&, std::span<const CropPlace>, Random&)> batch_;
  std::int64_t batch_margin_ = 0;
  bool batch_equals_calls_ = true;
  std::string description_;
};

static_assert(Degradation<AnyDegradation>);

}  // namespace limpid

#ifdef LIMPID_BODIES

namespace limpid {

LIMPID_INLINE at::Tensor AnyDegradation::Drawn::operator()(const at::Tensor& pixels,
                                                           const Window& window) const {
  return apply(pixels, window);
}

LIMPID_INLINE at::Tensor AnyDegradation::operator()(const at::Tensor& image, Random& random) const {
  return call_(image, random);
}

LIMPID_INLINE AnyDegradation::Drawn AnyDegradation::drawn_for(std::int64_t height,
                                                              std::int64_t width,
                                                              Random& random) const {
  TORCH_CHECK_VALUE(is_partwise(), description_, " takes whole pictures");
  return draw_(height, width, random);
}

LIMPID_INLINE at::Tensor AnyDegradation::batch(const at::Tensor& images, Random& random) const {
  return batch(images, {}, random);
}

LIMPID_INLINE at::Tensor AnyDegradation::batch(const at::Tensor& images,
                                               std::span<const CropPlace> places,
                                               Random& random) const {
  return has_batch() ? batch_(images, places, random) : one_by_one(images, places, random);
}

LIMPID_INLINE std::string AnyDegradation::batch_description() const {
  return description_ + (has_batch() ? " as batches" : " picture by picture");
}

LIMPID_INLINE at::Tensor AnyDegradation::one_by_one(const at::Tensor& images,
                                                    std::span<const CropPlace> places,
                                                    Random& random) const {
  const auto clean = detail::photographs(description_, images).cpu();
  if (!places.empty()) detail::check_places(description_, images, places);
  std::vector<at::Tensor> degraded;
  for (std::int64_t i = 0; i < clean.size(0); ++i) {
    const auto place = places.empty() ? CropPlace{} : places[static_cast<std::size_t>(i)];
    degraded.push_back(one_at(clean[i], place, random));
  }
  return at::stack(degraded).to(images.device());
}

LIMPID_INLINE at::Tensor AnyDegradation::one_at(const at::Tensor& crop, const CropPlace& place,
                                                Random& random) const {
  if (is_partwise() && place.window.lies_within(place.height, place.width)) {
    auto after = random;
    const auto drawn = draw_(place.height, place.width, after);
    if (drawn.margin == 0) {
      random = after;
      return drawn(crop, place.window);
    }
  }
  return call_(crop, random);
}

}  // namespace limpid

#endif  // LIMPID_BODIES
