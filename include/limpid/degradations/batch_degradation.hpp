#pragma once

#include <limpid/core/compiled.hpp>
#include <limpid/core/concepts.hpp>
#include <limpid/core/random.hpp>
#include <limpid/core/window.hpp>
#include <limpid/degradations/planes.hpp>

#include <ATen/core/Tensor.h>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#ifdef LIMPID_BODIES
#include <c10/util/Exception.h>
#endif

namespace limpid {

/// A degradation that makes a whole batch at once, on the device that the pictures are on.
///
/// `batch(images, random)` takes (N, 3, H, W) float in [0, 1] and returns the same shape and range.
/// What is drawn for a picture (a path, a thickness, a strength) comes from `random` on the CPU,
/// picture after picture, as N calls of `operator()` would draw it; what is drawn for each pixel
/// comes from a stream of its own that the device computes (`random_normal` of streams in
/// core/random_tensor.hpp). No pixel is looped over on the CPU, and nobody waits for the device: no
/// `item()`, no copy back. The building blocks are in degradations/batch_tensors.hpp.
///
/// The batch is, within 1e-4, what the N calls give one after another, and leaves `random` where
/// they leave it. A degradation that agrees with its calls only in distribution says so with
/// `static constexpr bool batch_equals_calls = false`. `check_degradation` in
/// tests/support/degradations.hpp checks either.
///
/// Optional members:
///  - `batch_margin() -> std::int64_t`: pixels around a crop that its degraded version may depend
///    on, at most; 0 where it is missing;
///  - `batch(images, places, random)`: see `PlacedBatchDegradation`.
template <class D>
concept BatchDegradation = Degradation<D> && std::copy_constructible<D> &&
    requires(const D& degradation, const at::Tensor& images, Random& random) {
  { degradation.batch(images, random) } -> std::same_as<at::Tensor>;
};

/// Where a picture of a batch lies in the photograph that it was cut from.
struct CropPlace {
  Window window;            ///< may reach beyond the photograph, which is mirrored there
  std::int64_t height = 0;  ///< of the photograph
  std::int64_t width = 0;
};

/// A degradation for which it matters where in its photograph a crop lies, or how large that is
/// (haze is thickest at the horizon): `batch(images, places, random)`, with the N places, makes of
/// crops what they would be in whole degraded photographs, at least in distribution.
template <class D>
concept PlacedBatchDegradation = BatchDegradation<D> &&
    requires(const D& degradation, const at::Tensor& images, std::span<const CropPlace> places,
             Random& random) {
  { degradation.batch(images, places, random) } -> std::same_as<at::Tensor>;
};

/// Whether a batch has the pixels of N calls, and not only their distribution.
template <BatchDegradation D>
constexpr bool batch_equals_calls() {
  if constexpr (requires { D::batch_equals_calls; }) {
    return D::batch_equals_calls;
  } else {
    return true;
  }
}

namespace detail {

/// The pictures of a batch as contiguous floats, on the device that they are on.
/// "Haze: expected images (N, 3, H, W) of Float, got [3, 64, 64] of Double"
LIMPID_INLINE at::Tensor photographs(std::string_view component, const at::Tensor& images);

/// @throws c10::ValueError unless there is a place for each picture, as large as it.
LIMPID_INLINE void check_places(std::string_view component, const at::Tensor& images,
                                std::span<const CropPlace> places);

/// The places of whole photographs.
LIMPID_INLINE std::vector<CropPlace> whole_places(const at::Tensor& images);

}  // namespace detail
}  // namespace limpid

#ifdef LIMPID_BODIES

namespace limpid::detail {

LIMPID_INLINE at::Tensor photographs(std::string_view component, const at::Tensor& images) {
  TORCH_CHECK_VALUE(images.defined() && images.dim() == 4 && images.size(0) > 0 &&
                        images.size(1) == 3 && images.scalar_type() == at::kFloat,
                    component, ": expected images (N, 3, H, W) of Float, got ",
                    images.defined() ? images.sizes() : at::IntArrayRef{}, " of ",
                    images.defined() ? toString(images.scalar_type()) : "nothing");
  TORCH_CHECK_VALUE(images.size(2) >= kMinDegradedSide && images.size(3) >= kMinDegradedSide,
                    component, ": expected sides of at least ", kMinDegradedSide, " pixels, got ",
                    images.sizes());
  return images.detach().contiguous();
}

LIMPID_INLINE void check_places(std::string_view component, const at::Tensor& images,
                                std::span<const CropPlace> places) {
  TORCH_CHECK_VALUE(static_cast<std::int64_t>(places.size()) == images.size(0), component,
                    ": expected the places of ", images.size(0), " pictures, got ", places.size());
  for (const auto& place : places) {
    TORCH_CHECK_VALUE(place.window.height == images.size(2) &&
                          place.window.width == images.size(3) && place.height > 1 &&
                          place.width > 1,
                      component, ": expected the place of ", images.size(3), " x ", images.size(2),
                      " pixels, got one of ", place.window.width, " x ", place.window.height,
                      " in a photograph of ", place.width, " x ", place.height);
  }
}

LIMPID_INLINE std::vector<CropPlace> whole_places(const at::Tensor& images) {
  const auto height = images.size(2);
  const auto width = images.size(3);
  return std::vector<CropPlace>(static_cast<std::size_t>(images.size(0)),
                                {Window::whole(height, width), height, width});
}

}  // namespace limpid::detail

#endif  // LIMPID_BODIES
