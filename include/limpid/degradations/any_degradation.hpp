#pragma once

#include <limpid/core/concepts.hpp>
#include <limpid/core/random.hpp>
#include <limpid/degradations/haze.hpp>
#include <limpid/degradations/motion_blur.hpp>
#include <limpid/degradations/raindrops.hpp>

#include <ATen/core/Tensor.h>
#include <c10/util/Exception.h>

#include <array>
#include <concepts>
#include <functional>
#include <string_view>
#include <type_traits>
#include <utility>

namespace limpid {

/// Any degradation behind one type, for code that learns at run time which one it gets.
/// Copies are deep, as those of the degradation inside.
class AnyDegradation {
 public:
  template <class D>
  requires(Degradation<D>&& std::copyable<D> && !std::same_as<D, AnyDegradation>)
      AnyDegradation(D degradation)
      : call_(std::move(degradation)) {}

  /// @param image  (3, H, W) float in [0, 1].
  /// @return       same shape, in [0, 1].
  at::Tensor operator()(const at::Tensor& image, Random& random) const {
    return call_(image, random);
  }

 private:
  std::function<at::Tensor(const at::Tensor&, Random&)> call_;
};

static_assert(Degradation<AnyDegradation>);

/// The tasks that `degradation_for` knows.
inline constexpr std::array<std::string_view, 3> kDegradationTasks{"deblur", "dehaze", "derain"};

/// What a restoration task undoes, with its default options: motion blur, haze, raindrops.
///
/// @throws c10::ValueError that lists the known tasks, for any other.
inline AnyDegradation degradation_for(std::string_view task) {
  if (task == "deblur") return MotionBlur{};
  if (task == "dehaze") return Haze{};
  if (task == "derain") return Raindrops{};
  TORCH_CHECK_VALUE(false, "degradation_for: expected deblur, dehaze or derain, got '", task, "'");
}

}  // namespace limpid
