#pragma once

#include <cstdint>

// Maps that lie as oneDNN's nChw16c: sixteen channels of a pixel beside each other, channels beyond
// the last are zeros. One picture, in float32 or bfloat16.
//
// Sixteen numbers are one value of the compiler's vector types, so that loops over them are as fast
// at -O1 as at -O3. They are only called where the machine has AVX-512 and are compiled for it.

#if defined(__x86_64__) && (defined(__GNUC__) || defined(__clang__))
#define LIMPID_WIDE __attribute__((target("avx512f")))
#else
#define LIMPID_WIDE
#endif
#define LIMPID_LANES LIMPID_WIDE __attribute__((always_inline))

namespace limpid::detail {

using Lanes = float __attribute__((vector_size(64), may_alias));
inline constexpr std::int64_t kLanes = 16;

/// Pixels of a map in float32, sixteen channels each.
struct FloatRow {
  using Pixel = Lanes;

  LIMPID_LANES Lanes operator[](std::int64_t x) const { return pixels[x]; }
  LIMPID_LANES void set(std::int64_t x, Lanes value) const { pixels[x] = value; }

  Pixel* pixels;
};

/// The same in bfloat16, which is the upper half of a float.
struct HalfRow {
  using Pixel = std::uint16_t __attribute__((vector_size(32), may_alias));
  using Bits = std::uint32_t __attribute__((vector_size(64), may_alias));

  LIMPID_LANES Lanes operator[](std::int64_t x) const {
    return reinterpret_cast<Lanes>(__builtin_convertvector(pixels[x], Bits) << 16U);
  }
  /// Rounds to the nearest, halves to even.
  LIMPID_LANES void set(std::int64_t x, Lanes value) const {
    const auto bits = reinterpret_cast<Bits>(value);
    pixels[x] = __builtin_convertvector((bits + 0x7FFFU + ((bits >> 16U) & 1U)) >> 16U, Pixel);
  }

  Pixel* pixels;
};

/// (1, channels, height, width) somewhere in memory, which begins at a multiple of 64 bytes.
struct BlockedMap {
  void* data;
  std::int64_t channels, height, width;
  bool is_half;  ///< bfloat16

  std::int64_t blocks() const { return (channels + kLanes - 1) / kLanes; }
  std::int64_t row_bytes() const { return width * kLanes * (is_half ? 2 : 4); }
  template <class Row>
  Row row(std::int64_t block, std::int64_t y) const {
    return {static_cast<typename Row::Pixel*>(data) + (block * height + y) * width};
  }
};

/// Calls `loops` with a row of the type that the map has.
template <class Loops>
void with_rows(const BlockedMap& map, Loops loops) {
  if (map.is_half) {
    loops(HalfRow{});
  } else {
    loops(FloatRow{});
  }
}

}  // namespace limpid::detail
