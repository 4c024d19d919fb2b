#pragma once

#include <limpid/core/compiled.hpp>
#include <limpid/core/random.hpp>

#include <cstdint>

namespace limpid::detail {

/// A stream of random numbers in which each pixel of a picture has a place of its own, so that a
/// part of the picture gets what it has in the whole.
struct PixelStream {
  Random start{0};
  std::int64_t width = 0;
  std::int64_t each = 1;  ///< numbers for a pixel; `Random::normal` takes two

  /// Takes the numbers of a whole picture out of `random`.
  static PixelStream taken_from(Random& random, std::int64_t height, std::int64_t width,
                                std::int64_t each);

  /// The numbers of a pixel, followed by those of the pixels to its right.
  Random at(std::int64_t y, std::int64_t x) const;
};

}  // namespace limpid::detail

#ifdef LIMPID_BODIES

namespace limpid::detail {

LIMPID_INLINE PixelStream PixelStream::taken_from(Random& random, std::int64_t height,
                                                  std::int64_t width, std::int64_t each) {
  const PixelStream stream{random, width, each};
  random.skip(each * height * width);
  return stream;
}

LIMPID_INLINE Random PixelStream::at(std::int64_t y, std::int64_t x) const {
  auto random = start;
  random.skip(each * (y * width + x));
  return random;
}

}  // namespace limpid::detail

#endif  // LIMPID_BODIES
