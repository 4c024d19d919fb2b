#pragma once

#include <limpid/core/concepts.hpp>
#include <limpid/core/random.hpp>
#include <limpid/core/window.hpp>

#include <ATen/core/Tensor.h>
#include <c10/util/Exception.h>

#include <concepts>
#include <cstdint>
#include <functional>
#include <string>
#include <utility>

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
/// border of the window that is none of the picture.
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

    at::Tensor operator()(const at::Tensor& pixels, const Window& window) const {
      return apply(pixels, window);
    }
  };

  /// @param description  what logs call it
  template <class D>
  requires(Degradation<D>&& std::copy_constructible<D> && !std::same_as<D, AnyDegradation>)
      AnyDegradation(D degradation, std::string description = "a degradation")
      : call_(degradation), description_(std::move(description)) {
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
  at::Tensor operator()(const at::Tensor& image, Random& random) const {
    return call_(image, random);
  }

  /// Whether `drawn_for` may be called: the degradation inside is a `PartwiseDegradation`.
  bool is_partwise() const { return draw_ != nullptr; }

  /// @throws c10::ValueError unless `is_partwise()`.
  Drawn drawn_for(std::int64_t height, std::int64_t width, Random& random) const {
    TORCH_CHECK_VALUE(is_partwise(), description_, " takes whole pictures");
    return draw_(height, width, random);
  }

  const std::string& description() const { return description_; }

 private:
  std::function<at::Tensor(const at::Tensor&, Random&)> call_;
  std::function<Drawn(std::int64_t, std::int64_t, Random&)> draw_;
  std::string description_;
};

static_assert(Degradation<AnyDegradation>);

}  // namespace limpid
