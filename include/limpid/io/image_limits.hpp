#pragma once

#include <limpid/core/compiled.hpp>

#include <cstddef>
#include <cstdint>

#ifdef LIMPID_BODIES
#include <c10/util/Exception.h>

#include <algorithm>
#endif

namespace limpid {

namespace detail {

/// 108 megapixels pass; stb_image holds the samples of a grey picture beside its RGB.
#if LIMPID_WITH_JPEG && LIMPID_WITH_PNG
inline constexpr std::int64_t kMaxBytesOfSmallFile = 340'000'000;
#else
inline constexpr std::int64_t kMaxBytesOfSmallFile = 440'000'000;
#endif

/// Sides from here on lie beyond what any format of ours can say or libraries take.
inline constexpr std::int64_t kMaxImageSide = 1'000'000;

}  // namespace detail

/// The largest picture that limpid reads. A file that asks for more is refused before memory is
/// taken for its pixels.
struct ImageLimits {
  std::int64_t max_file_bytes = std::int64_t{4} << 30;  ///< 4 GiB
  std::int64_t max_pixels = 400'000'000;                ///< height x width
  /// Bytes that decoding a file below 1 MiB may take: a few kilobytes can ask for gigabytes.
  std::int64_t max_bytes_of_small_file = detail::kMaxBytesOfSmallFile;

  /// What is used where no limits are given. A program may change it before its first picture.
  static ImageLimits& of_process();

  /// Limits for pictures up to `pixels`, however small their files are.
  static ImageLimits up_to(std::int64_t pixels);

  /// @throws c10::Error for a picture without pixels, or with more than are allowed.
  void check_size(std::int64_t height, std::int64_t width) const;
};

namespace detail {

/// @param file_bytes  the size of the file
/// @param needed      bytes that its decoding takes
LIMPID_INLINE bool may_take_memory(std::size_t file_bytes, std::int64_t needed,
                                   const ImageLimits& limits);

/// @throws c10::Error where it may not.
LIMPID_INLINE void check_memory(std::size_t file_bytes, std::int64_t needed,
                                const ImageLimits& limits);

}  // namespace detail
}  // namespace limpid

#ifdef LIMPID_BODIES

namespace limpid {

LIMPID_INLINE ImageLimits& ImageLimits::of_process() {
  static ImageLimits limits;
  return limits;
}

LIMPID_INLINE ImageLimits ImageLimits::up_to(std::int64_t pixels) {
  ImageLimits limits;
  limits.max_pixels = pixels;
  limits.max_bytes_of_small_file = 16 * pixels;
  limits.max_file_bytes = std::max(limits.max_file_bytes, 8 * pixels);
  return limits;
}

LIMPID_INLINE void ImageLimits::check_size(std::int64_t height, std::int64_t width) const {
  TORCH_CHECK(height > 0 && width > 0, "it has no pixels (", width, " x ", height, ")");
  TORCH_CHECK(width <= detail::kMaxImageSide && height <= detail::kMaxImageSide &&
                  width * height <= max_pixels,
              "its ", width, " x ", height, " pixels exceed the limit of ", max_pixels);
}

}  // namespace limpid

namespace limpid::detail {

LIMPID_INLINE bool may_take_memory(std::size_t file_bytes, std::int64_t needed,
                                   const ImageLimits& limits) {
  return file_bytes >= (std::size_t{1} << 20) || needed <= limits.max_bytes_of_small_file;
}

LIMPID_INLINE void check_memory(std::size_t file_bytes, std::int64_t needed,
                                const ImageLimits& limits) {
  TORCH_CHECK(may_take_memory(file_bytes, needed, limits), "its ", file_bytes, " bytes ask for ",
              needed, " bytes of memory, expected at most ", limits.max_bytes_of_small_file,
              " for a file below 1 MiB");
}

}  // namespace limpid::detail

#endif  // LIMPID_BODIES
