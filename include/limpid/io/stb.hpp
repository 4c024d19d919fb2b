#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>

// What stb includes, taken first so that none of it lands inside our namespace.
#include <assert.h>
#include <limits.h>
#include <math.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#if defined(__SSE2__)
#include <emmintrin.h>
#endif
#if defined(__ARM_NEON)
#include <arm_neon.h>
#endif

// stb_image and stb_image_write, private to limpid: their functions are static, in a namespace of
// ours, with our allocator, and every macro that steers them is put back as it was. A program's own
// stb, before or behind this header, in this or another file, stays as it is.

namespace limpid::detail {

/// Bytes that stb may still take on this thread; nothing outside `decode_with_stb` raises it.
inline thread_local std::size_t stb_budget = 0;

struct alignas(std::max_align_t) StbBlock {
  std::size_t size;
};

/// Zeroed, so that what a damaged file leaves out is black and the same on each run.
inline void* stb_allocate(std::size_t size) {
  if (size > stb_budget) return nullptr;
  auto* block = static_cast<StbBlock*>(std::calloc(1, sizeof(StbBlock) + size));
  if (block == nullptr) return nullptr;
  block->size = size;
  stb_budget -= size;
  return block + 1;
}

inline void stb_release(void* memory) {
  if (memory == nullptr) return;
  auto* block = static_cast<StbBlock*>(memory) - 1;
  stb_budget += block->size;
  std::free(block);
}

inline void* stb_reallocate(void* memory, std::size_t size) {
  auto* grown = stb_allocate(size);
  if (grown == nullptr || memory == nullptr) return grown;
  std::memcpy(grown, memory, std::min(size, (static_cast<StbBlock*>(memory) - 1)->size));
  stb_release(memory);
  return grown;
}

}  // namespace limpid::detail

#pragma push_macro("STBI_INCLUDE_STB_IMAGE_H")
#pragma push_macro("STB_IMAGE_IMPLEMENTATION")
#pragma push_macro("STB_IMAGE_STATIC")
#pragma push_macro("STBIDEF")
#pragma push_macro("STBI_MALLOC")
#pragma push_macro("STBI_REALLOC")
#pragma push_macro("STBI_REALLOC_SIZED")
#pragma push_macro("STBI_FREE")
#pragma push_macro("STBI_ASSERT")
#pragma push_macro("STBI_MAX_DIMENSIONS")
#pragma push_macro("STBI_ONLY_JPEG")
#pragma push_macro("STBI_ONLY_PNG")
#pragma push_macro("STBI_ONLY_BMP")
#pragma push_macro("STBI_ONLY_PSD")
#pragma push_macro("STBI_ONLY_TGA")
#pragma push_macro("STBI_ONLY_GIF")
#pragma push_macro("STBI_ONLY_HDR")
#pragma push_macro("STBI_ONLY_PIC")
#pragma push_macro("STBI_ONLY_PNM")
#pragma push_macro("STBI_ONLY_ZLIB")
#pragma push_macro("STBI_NO_JPEG")
#pragma push_macro("STBI_NO_PNG")
#pragma push_macro("STBI_NO_BMP")
#pragma push_macro("STBI_NO_PSD")
#pragma push_macro("STBI_NO_TGA")
#pragma push_macro("STBI_NO_GIF")
#pragma push_macro("STBI_NO_HDR")
#pragma push_macro("STBI_NO_PIC")
#pragma push_macro("STBI_NO_PNM")
#pragma push_macro("STBI_NO_ZLIB")
#pragma push_macro("STBI_NO_LINEAR")
#pragma push_macro("STBI_NO_STDIO")
#pragma push_macro("STBI_NO_THREAD_LOCALS")
#pragma push_macro("STBI_NO_FAILURE_STRINGS")
#pragma push_macro("STBI_FAILURE_USERMSG")
#pragma push_macro("stbi__err")
#pragma push_macro("INCLUDE_STB_IMAGE_WRITE_H")
#pragma push_macro("STB_IMAGE_WRITE_IMPLEMENTATION")
#pragma push_macro("STB_IMAGE_WRITE_STATIC")
#pragma push_macro("STBIWDEF")
#pragma push_macro("STBIW_MALLOC")
#pragma push_macro("STBIW_REALLOC")
#pragma push_macro("STBIW_REALLOC_SIZED")
#pragma push_macro("STBIW_FREE")
#pragma push_macro("STBIW_ASSERT")
#pragma push_macro("STBIW_MEMMOVE")
#pragma push_macro("STBIW_ZLIB_COMPRESS")
#pragma push_macro("STBIW_CRC32")
#pragma push_macro("STBI_WRITE_NO_STDIO")

#undef STBI_INCLUDE_STB_IMAGE_H
#undef STB_IMAGE_IMPLEMENTATION
#undef STB_IMAGE_STATIC
#undef STBIDEF
#undef STBI_MALLOC
#undef STBI_REALLOC
#undef STBI_REALLOC_SIZED
#undef STBI_FREE
#undef STBI_ASSERT
#undef STBI_MAX_DIMENSIONS
#undef STBI_ONLY_JPEG
#undef STBI_ONLY_PNG
#undef STBI_ONLY_BMP
#undef STBI_ONLY_PSD
#undef STBI_ONLY_TGA
#undef STBI_ONLY_GIF
#undef STBI_ONLY_HDR
#undef STBI_ONLY_PIC
#undef STBI_ONLY_PNM
#undef STBI_ONLY_ZLIB
#undef STBI_NO_JPEG
#undef STBI_NO_PNG
#undef STBI_NO_BMP
#undef STBI_NO_PSD
#undef STBI_NO_TGA
#undef STBI_NO_GIF
#undef STBI_NO_HDR
#undef STBI_NO_PIC
#undef STBI_NO_PNM
#undef STBI_NO_ZLIB
#undef STBI_NO_LINEAR
#undef STBI_NO_STDIO
#undef STBI_NO_THREAD_LOCALS
#undef STBI_NO_FAILURE_STRINGS
#undef STBI_FAILURE_USERMSG
#undef stbi__err
#undef INCLUDE_STB_IMAGE_WRITE_H
#undef STB_IMAGE_WRITE_IMPLEMENTATION
#undef STB_IMAGE_WRITE_STATIC
#undef STBIWDEF
#undef STBIW_MALLOC
#undef STBIW_REALLOC
#undef STBIW_REALLOC_SIZED
#undef STBIW_FREE
#undef STBIW_ASSERT
#undef STBIW_MEMMOVE
#undef STBIW_ZLIB_COMPRESS
#undef STBIW_CRC32
#undef STBI_WRITE_NO_STDIO

#define STB_IMAGE_IMPLEMENTATION
#define STB_IMAGE_STATIC
#define STBI_ONLY_JPEG
#define STBI_ONLY_PNG
#define STBI_NO_LINEAR
#define STBI_NO_HDR
#define STBI_NO_STDIO
#define STBI_MALLOC(size) ::limpid::detail::stb_allocate(size)
#define STBI_REALLOC(memory, size) ::limpid::detail::stb_reallocate(memory, size)
#define STBI_FREE(memory) ::limpid::detail::stb_release(memory)
#define STBI_ASSERT(condition) static_cast<void>(0)  // a damaged file is an error, not an abort
#define STBI_MAX_DIMENSIONS 65535
#define STB_IMAGE_WRITE_IMPLEMENTATION
#define STB_IMAGE_WRITE_STATIC
#define STBI_WRITE_NO_STDIO

#if defined(__GNUC__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunused-function"
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"
#pragma GCC diagnostic ignored "-Wsign-compare"
#pragma GCC diagnostic ignored "-Wcast-qual"
#endif

namespace limpid::detail::stb {
#include <stb_image.h>
#include <stb_image_write.h>
}  // namespace limpid::detail::stb

#if defined(__GNUC__)
#pragma GCC diagnostic pop
#endif

#pragma pop_macro("STBI_INCLUDE_STB_IMAGE_H")
#pragma pop_macro("STB_IMAGE_IMPLEMENTATION")
#pragma pop_macro("STB_IMAGE_STATIC")
#pragma pop_macro("STBIDEF")
#pragma pop_macro("STBI_MALLOC")
#pragma pop_macro("STBI_REALLOC")
#pragma pop_macro("STBI_REALLOC_SIZED")
#pragma pop_macro("STBI_FREE")
#pragma pop_macro("STBI_ASSERT")
#pragma pop_macro("STBI_MAX_DIMENSIONS")
#pragma pop_macro("STBI_ONLY_JPEG")
#pragma pop_macro("STBI_ONLY_PNG")
#pragma pop_macro("STBI_ONLY_BMP")
#pragma pop_macro("STBI_ONLY_PSD")
#pragma pop_macro("STBI_ONLY_TGA")
#pragma pop_macro("STBI_ONLY_GIF")
#pragma pop_macro("STBI_ONLY_HDR")
#pragma pop_macro("STBI_ONLY_PIC")
#pragma pop_macro("STBI_ONLY_PNM")
#pragma pop_macro("STBI_ONLY_ZLIB")
#pragma pop_macro("STBI_NO_JPEG")
#pragma pop_macro("STBI_NO_PNG")
#pragma pop_macro("STBI_NO_BMP")
#pragma pop_macro("STBI_NO_PSD")
#pragma pop_macro("STBI_NO_TGA")
#pragma pop_macro("STBI_NO_GIF")
#pragma pop_macro("STBI_NO_HDR")
#pragma pop_macro("STBI_NO_PIC")
#pragma pop_macro("STBI_NO_PNM")
#pragma pop_macro("STBI_NO_ZLIB")
#pragma pop_macro("STBI_NO_LINEAR")
#pragma pop_macro("STBI_NO_STDIO")
#pragma pop_macro("STBI_NO_THREAD_LOCALS")
#pragma pop_macro("STBI_NO_FAILURE_STRINGS")
#pragma pop_macro("STBI_FAILURE_USERMSG")
#pragma pop_macro("stbi__err")
#pragma pop_macro("INCLUDE_STB_IMAGE_WRITE_H")
#pragma pop_macro("STB_IMAGE_WRITE_IMPLEMENTATION")
#pragma pop_macro("STB_IMAGE_WRITE_STATIC")
#pragma pop_macro("STBIWDEF")
#pragma pop_macro("STBIW_MALLOC")
#pragma pop_macro("STBIW_REALLOC")
#pragma pop_macro("STBIW_REALLOC_SIZED")
#pragma pop_macro("STBIW_FREE")
#pragma pop_macro("STBIW_ASSERT")
#pragma pop_macro("STBIW_MEMMOVE")
#pragma pop_macro("STBIW_ZLIB_COMPRESS")
#pragma pop_macro("STBIW_CRC32")
#pragma pop_macro("STBI_WRITE_NO_STDIO")

namespace limpid::detail {

/// `Sample` is unsigned char or, for 16 bits, unsigned short.
template <class Sample>
struct StbPixels {
  std::unique_ptr<Sample, void (*)(void*)> samples{nullptr, &stb_release};
  std::int64_t height = 0;
  std::int64_t width = 0;
  int channels = 0;   ///< 1 grey, 2 grey and alpha, 3 RGB, 4 RGB and alpha
  std::string error;  ///< empty where it worked
};

/// Bytes of a PNG or JPEG that has been checked -> samples, with at most `budget` bytes of memory
/// at a time.
template <class Sample = unsigned char>
StbPixels<Sample> decode_with_stb(std::string_view bytes, std::size_t budget) {
  StbPixels<Sample> pixels;
  if (bytes.size() > std::size_t{INT_MAX}) {
    pixels.error = "stb_image reads no file of 2 GiB";
    return pixels;
  }
  const auto* data = reinterpret_cast<const unsigned char*>(bytes.data());
  const auto size = static_cast<int>(bytes.size());
  int width = 0;
  int height = 0;
  stb_budget = budget;
  if constexpr (sizeof(Sample) == 2) {
    pixels.samples.reset(
        stb::stbi_load_16_from_memory(data, size, &width, &height, &pixels.channels, 0));
  } else {
    pixels.samples.reset(
        stb::stbi_load_from_memory(data, size, &width, &height, &pixels.channels, 0));
  }
  stb_budget = 0;
  if (pixels.samples == nullptr) {
    const char* reason = stb::stbi_failure_reason();
    pixels.error = reason != nullptr ? reason : "the decoder failed";
  }
  pixels.height = height;
  pixels.width = width;
  return pixels;
}

/// stb_image_write counts bytes in an `int`.
inline constexpr std::int64_t kMostPixelsOfStb = 600'000'000;

inline void append_to_string(void* text, void* data, int size) {
  static_cast<std::string*>(text)->append(static_cast<const char*>(data),
                                          static_cast<std::size_t>(size));
}

/// Rows of 1 or 3 bytes a pixel -> the bytes of a PNG file.
inline std::string encode_png_with_stb(const unsigned char* samples, int height, int width,
                                       int channels) {
  std::string bytes;
  stb::stbi_write_png_to_func(&append_to_string, &bytes, width, height, channels, samples,
                              channels * width);
  return bytes;
}

/// Rows of 1 or 3 bytes a pixel -> the bytes of a baseline JPEG file of three channels; `quality`
/// is in 1 ... 100.
inline std::string encode_jpeg_with_stb(const unsigned char* samples, int height, int width,
                                        int channels, int quality) {
  std::string bytes;
  stb::stbi_write_jpg_to_func(&append_to_string, &bytes, width, height, channels, samples, quality);
  return bytes;
}

/// Rows of 1 or 3 bytes a pixel -> the bytes of a BMP file of 24 bits a pixel.
inline std::string encode_bmp_with_stb(const unsigned char* samples, int height, int width,
                                       int channels) {
  std::string bytes;
  stb::stbi_write_bmp_to_func(&append_to_string, &bytes, width, height, channels, samples);
  return bytes;
}

}  // namespace limpid::detail
