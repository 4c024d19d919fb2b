#pragma once

#include <limpid/io/formats/picture_format.hpp>
#include <limpid/io/formats/png_chunks.hpp>

#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>
#include <c10/util/Exception.h>

#include <algorithm>
#include <bit>
#include <csetjmp>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#if LIMPID_WITH_PNG

#include <png.h>

// PNG by libpng. Its chunks have been checked before.
//
// An error of libpng's is a jump back out of it, so nothing between jump and return may own memory:
// `PngReading` and `PngWriting` hold all that has to be released.
namespace limpid::detail {

inline constexpr std::string_view kPngDecoder = "libpng";
inline constexpr std::int64_t kMostPngPixels = std::numeric_limits<std::int64_t>::max();

struct PngSession {
  png_structp png = nullptr;
  png_infop info = nullptr;
  std::jmp_buf back;
  char problem[128] = {};
};

[[noreturn]] inline void on_png_error(png_structp png, png_const_charp text) {
  auto& session = *static_cast<PngSession*>(png_get_error_ptr(png));
  std::snprintf(session.problem, sizeof session.problem, "%s", text);
  std::longjmp(session.back, 1);
}

inline void on_png_warning(png_structp, png_const_charp) {}

struct PngReading : PngSession {
  std::string_view left;
  ~PngReading() { png_destroy_read_struct(&png, &info, nullptr); }
};

inline void give_png_bytes(png_structp png, png_bytep out, std::size_t count) {
  auto& left = static_cast<PngReading*>(png_get_io_ptr(png))->left;
  if (count > left.size()) png_error(png, "the file is cut short");
  std::memcpy(out, left.data(), count);
  left.remove_prefix(count);
}

/// Samples of 8 bits (or of 16, in this machine's order, where `deep` is set) of 1 to 4 channels,
/// whatever the file holds. @return whether that worked; `problem` says why not.
inline bool start_reading_png(PngReading& reading, std::string_view bytes, bool deep) {
  reading.left = bytes;
  reading.png =
      png_create_read_struct(PNG_LIBPNG_VER_STRING, &reading, &on_png_error, &on_png_warning);
  if (reading.png == nullptr || setjmp(reading.back) != 0) return false;
  auto* png = reading.png;
  reading.info = png_create_info_struct(png);
  png_set_read_fn(png, &reading, &give_png_bytes);
  png_set_user_limits(png, PNG_UINT_31_MAX, PNG_UINT_31_MAX);  // checked before
  png_set_keep_unknown_chunks(png, PNG_HANDLE_CHUNK_NEVER, nullptr, -1);
  png_read_info(png, reading.info);
  png_set_expand(png);
  if (png_get_bit_depth(png, reading.info) == 16) {
    if (!deep) {
      png_set_scale_16(png);
    } else if (std::endian::native == std::endian::little) {
      png_set_swap(png);
    }
  }
  png_set_interlace_handling(png);
  png_read_update_info(png, reading.info);
  return true;
}

/// One row at a time goes through `row`, or all through `rows` where the file is interlaced;
/// `use(y, row)` takes them.
template <class Use>
bool read_png_rows(PngReading& reading, png_bytep row, png_bytepp rows, png_uint_32 height,
                   const Use& use) {
  if (setjmp(reading.back) != 0) return false;
  if (rows != nullptr) png_read_image(reading.png, rows);
  for (png_uint_32 y = 0; y < height; ++y) {
    if (rows == nullptr) png_read_row(reading.png, row, nullptr);
    use(y, rows == nullptr ? row : rows[y]);
  }
  return true;
}

/// Decodes, and calls `use(y, row, channels)` for each row; it must not throw.
template <class Use>
void for_each_png_row(std::string_view bytes, const PictureHeader& header,
                      const ImageLimits& limits, bool deep, const Use& use) {
  const auto shape = png_shape(bytes);
  const auto count = header.height * header.width;
  const auto most_channels = header.facts.channels + (header.has_alpha ? 1 : 0);
  const auto stored = count * most_channels * (deep && header.facts.bits == 16 ? 2 : 1);
  check_memory(
      bytes.size(),
      std::max(png_raw_bytes(header, shape), 3 * count + (header.comes_in_passes ? stored : 0)),
      limits);
  PngReading reading;
  const auto check = [&](bool worked) {
    TORCH_CHECK(worked, "it is damaged (", reading.problem, ")");
  };
  check(start_reading_png(reading, bytes, deep));
  const auto height = static_cast<std::size_t>(header.height);
  const auto row_bytes = png_get_rowbytes(reading.png, reading.info);
  const int channels = png_get_channels(reading.png, reading.info);
  std::vector<png_byte> room(row_bytes * (header.comes_in_passes ? height : 1));
  std::vector<png_bytep> rows;
  for (std::size_t y = 0; header.comes_in_passes && y < height; ++y) {
    rows.push_back(room.data() + y * row_bytes);
  }
  check(read_png_rows(reading, room.data(), rows.empty() ? nullptr : rows.data(),
                      static_cast<png_uint_32>(height),
                      [&](png_uint_32 y, png_bytep row) { use(y, row, channels); }));
}

inline at::Tensor decode_png_by_library(std::string_view bytes, PictureHeader& header,
                                        const ImageLimits& limits) {
  auto pixels = at::empty({header.height, header.width, 3}, at::kByte);
  auto* first = pixels.data_ptr<std::uint8_t>();
  const auto width = header.width;
  bool is_opaque = true;
  for_each_png_row(bytes, header, limits, false, [&](auto y, const png_byte* in, int channels) {
    auto* out = first + std::int64_t{y} * width * 3;
    if (channels == 3) {
      std::memcpy(out, in, static_cast<std::size_t>(3 * width));
      return;
    }
    for (std::int64_t x = 0; x < width; ++x, in += channels, out += 3) {
      for (int c = 0; c < 3; ++c) out[c] = in[channels < 3 ? 0 : c];
      is_opaque = is_opaque && (channels % 2 == 1 || in[channels - 1] == 255);
    }
  });
  if (!is_opaque) header.facts.losses.emplace_back(kTransparencyIsLost);
  return pixels;
}

inline PictureSamples decode_png_samples(std::string_view bytes, const PictureHeader& header,
                                         const ImageLimits& limits) {
  const auto colours = header.facts.channels;
  PictureSamples result{at::empty({header.height, header.width, colours}, at::kInt), 65535};
  auto* first = result.values.data_ptr<std::int32_t>();
  for_each_png_row(bytes, header, limits, true, [&](auto y, const png_byte* row, int channels) {
    auto* out = first + std::int64_t{y} * header.width * colours;
    for (std::int64_t x = 0; x < header.width; ++x) {
      for (int c = 0; c < colours; ++c) {
        std::uint16_t value = 0;
        std::memcpy(&value, row + 2 * (x * channels + c), 2);
        *out++ = value;
      }
    }
  });
  return result;
}

struct PngWriting : PngSession {
  std::string bytes;
  ~PngWriting() { png_destroy_write_struct(&png, &info); }
};

inline void take_png_bytes(png_structp png, png_bytep data, std::size_t count) {
  auto& bytes = static_cast<PngWriting*>(png_get_io_ptr(png))->bytes;
  try {
    bytes.append(reinterpret_cast<const char*>(data), count);
    return;
  } catch (...) {  // no exception goes through libpng
  }
  png_error(png, "out of memory");
}

inline bool write_png(PngWriting& writing, const PictureToWrite& picture) {
  writing.png =
      png_create_write_struct(PNG_LIBPNG_VER_STRING, &writing, &on_png_error, &on_png_warning);
  if (writing.png == nullptr || setjmp(writing.back) != 0) return false;
  auto* png = writing.png;
  writing.info = png_create_info_struct(png);
  png_set_write_fn(png, &writing, &take_png_bytes, [](png_structp) {});
  png_set_IHDR(png, writing.info, static_cast<png_uint_32>(picture.width),
               static_cast<png_uint_32>(picture.height), 8,
               picture.channels == 1 ? PNG_COLOR_TYPE_GRAY : PNG_COLOR_TYPE_RGB, PNG_INTERLACE_NONE,
               PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
  // Half the time of zlib's usual 6, and files of photographs that are half a percent larger.
  png_set_compression_level(png, 4);
  png_write_info(png, writing.info);
  const auto stride = picture.width * picture.channels;
  for (std::int64_t y = 0; y < picture.height; ++y) {
    png_write_row(png, const_cast<png_bytep>(picture.samples + y * stride));
  }
  png_write_end(png, nullptr);
  return true;
}

inline std::string encode_png(const PictureToWrite& picture) {
  PngWriting writing;
  TORCH_CHECK(write_png(writing, picture), writing.problem);
  return std::move(writing.bytes);
}

}  // namespace limpid::detail

#endif
