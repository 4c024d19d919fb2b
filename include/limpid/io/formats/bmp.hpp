#pragma once

#include <limpid/core/compiled.hpp>
#include <limpid/core/window.hpp>
#include <limpid/io/byte_reader.hpp>
#include <limpid/io/formats/picture_format.hpp>
#include <limpid/io/image_limits.hpp>
#include <limpid/io/stb.hpp>

#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#ifdef LIMPID_BODIES
#include <limpid/io/colour_profile.hpp>

#include <c10/util/Exception.h>

#include <algorithm>
#include <bit>
#include <cmath>
#endif

namespace limpid {

namespace detail {

/// Header of an uncompressed BMP.
struct BmpHeader {
  std::int64_t height = 0;
  std::int64_t width = 0;
  bool bottom_up = true;
  std::uint32_t bits = 0;
  std::size_t pixels_at = 0;
  std::array<std::uint32_t, 3> masks{};                    ///< 16 and 32 bits
  std::uint32_t alpha_mask = 0;                            ///< likewise; 0: no transparency
  std::array<std::array<std::uint8_t, 3>, 256> palette{};  ///< up to 8 bits
};

LIMPID_INLINE BmpHeader read_bmp_fields(std::string_view bytes, const ImageLimits& limits);

/// Whether the primaries and the gamma of a V4 or V5 header are sRGB's, or are not said.
LIMPID_INLINE bool bmp_colours_are_srgb(std::string_view bytes);

/// Keeps the profile of a V5 header, and says what a V4 or V5 header says of colours in other ways.
/// Source: the pages BITMAPV4HEADER and BITMAPV5HEADER of the Windows API documentation.
LIMPID_INLINE void keep_bmp_colours(PictureFacts& facts, std::string_view bytes, std::size_t size);

LIMPID_INLINE PictureHeader read_bmp_header(std::string_view bytes, const ImageLimits& limits);

/// Part of an uncompressed BMP of 1, 4, 8, 16, 24 or 32 bits -> RGB (H, W, 3).
/// Source: the BITMAPINFOHEADER page of the Windows API documentation.
LIMPID_INLINE at::Tensor decode_bmp_part(std::string_view bytes, PictureHeader& found,
                                         const ImageLimits& limits, const Window& window);

LIMPID_INLINE at::Tensor decode_bmp(std::string_view bytes, PictureHeader& header,
                                    const ImageLimits& limits);

LIMPID_INLINE std::string encode_bmp(const PictureToWrite& picture);

/// Text may begin with "BM" too, so the size of the second header has to be one that there is.
LIMPID_INLINE bool is_bmp(std::string_view start);

}  // namespace detail

/// Uncompressed BMP of 1, 4, 8, 16, 24 and 32 bits; written with 24.
inline constexpr PictureFormat kBmp{.name = "BMP",
                                    .extensions = ".bmp",
                                    .recognises = &detail::is_bmp,
                                    .read_header = &detail::read_bmp_header,
                                    .decode = &detail::decode_bmp,
                                    .decode_part = &detail::decode_bmp_part,
                                    .encode = &detail::encode_bmp,
                                    .max_pixels = detail::kMostPixelsOfStb};

}  // namespace limpid

#ifdef LIMPID_BODIES

namespace limpid::detail {

LIMPID_INLINE BmpHeader read_bmp_fields(std::string_view bytes, const ImageLimits& limits) {
  BmpHeader header;
  ByteReader reader{bytes};
  reader.skip(10);
  header.pixels_at = reader.little(4);
  const auto size = reader.little(4);
  const bool old = size == 12;
  TORCH_CHECK(old || (size >= 40 && size <= 124), "a kind of BMP that is not supported");
  const auto side = [&]() -> std::int64_t {
    return old ? reader.little(2) : std::int64_t{static_cast<std::int32_t>(reader.little(4))};
  };
  header.width = side();
  header.height = side();
  header.bottom_up = header.height > 0;
  if (!header.bottom_up) header.height = -header.height;
  limits.check_size(header.height, header.width);
  reader.skip(2);
  header.bits = reader.little(2);
  const auto compression = old ? 0 : reader.little(4);
  const auto bits = header.bits;
  TORCH_CHECK((compression == 0 &&
               (bits == 1 || bits == 4 || bits == 8 || bits == 16 || bits == 24 || bits == 32)) ||
                  (compression == 3 && (bits == 16 || bits == 32)),
              "a kind of BMP that is not supported (", bits, " bits, compression ", compression,
              ")");
  header.masks = bits == 16 ? std::array<std::uint32_t, 3>{0x7c00, 0x3e0, 0x1f}
                            : std::array<std::uint32_t, 3>{0xff0000, 0xff00, 0xff};
  std::uint32_t colours = 0;
  if (!old) {
    reader.skip(12);
    colours = reader.little(4);
    reader.skip(4);
    if (compression == 3) {
      for (auto& mask : header.masks) mask = reader.little(4);
      if (size >= 56) header.alpha_mask = reader.little(4);
      if (bits == 16) header.alpha_mask &= 0xffff;
    }
  }
  if (bits <= 8) {
    const auto most = 1u << bits;
    const auto count = colours == 0 ? most : std::min(colours, most);
    reader = ByteReader{bytes};
    reader.skip(14 + size);
    for (std::uint32_t i = 0; i < count; ++i) {
      for (int c = 2; c >= 0; --c) {
        header.palette[i][static_cast<std::size_t>(c)] = static_cast<std::uint8_t>(reader.byte());
      }
      if (!old) reader.skip(1);
    }
  }
  return header;
}

LIMPID_INLINE bool bmp_colours_are_srgb(std::string_view bytes) {
  constexpr std::array<std::array<double, 2>, 3> kSrgb{{{0.64, 0.33}, {0.30, 0.60}, {0.15, 0.06}}};
  ByteReader reader{bytes, 14 + 60};
  for (const auto& expected : kSrgb) {
    std::array<double, 3> xyz{};
    for (auto& value : xyz) value = static_cast<double>(reader.little(4));
    const auto sum = xyz[0] + xyz[1] + xyz[2];
    if (sum == 0) continue;
    for (std::size_t i = 0; i < 2; ++i) {
      if (std::abs(xyz[i] / sum - expected[i]) > 0.01) return false;
    }
  }
  for (int i = 0; i < 3; ++i) {
    const auto gamma = static_cast<double>(reader.little(4)) / 65536;  // or one over it
    const bool is_usual =
        gamma == 0 || (gamma > 2.1 && gamma < 2.5) || (gamma > 0.4 && gamma < 0.48);
    if (!is_usual) return false;
  }
  return true;
}

LIMPID_INLINE void keep_bmp_colours(PictureFacts& facts, std::string_view bytes, std::size_t size) {
  constexpr std::uint32_t kCalibrated = 0, kEmbedded = 0x4d424544, kLinked = 0x4c494e4b;
  const auto kind = ByteReader{bytes, 14 + 56}.little(4);
  if (kind == kCalibrated && !bmp_colours_are_srgb(bytes)) {
    facts.losses.emplace_back("primaries and gamma of a BMP are left out; read as sRGB");
  }
  if (size < 124) return;
  if (kind == kLinked) {
    facts.losses.emplace_back("a colour profile in another file is left out");
  } else if (kind == kEmbedded) {
    const std::size_t at = 14 + std::size_t{ByteReader{bytes, 14 + 112}.little(4)};
    const std::size_t length = ByteReader{bytes, 14 + 116}.little(4);
    const bool is_there =
        at <= bytes.size() && length <= bytes.size() - at && length <= kMaxProfileBytes;
    keep_profile(facts, is_there ? std::string{bytes.substr(at, length)} : "none");
  }
}

LIMPID_INLINE PictureHeader read_bmp_header(std::string_view bytes, const ImageLimits& limits) {
  const auto fields = read_bmp_fields(bytes, limits);
  PictureHeader header;
  header.height = fields.height;
  header.width = fields.width;
  ByteReader start{bytes, 14};
  const std::size_t size = start.little(4);
  header.has_alpha = fields.alpha_mask != 0;
  if (size >= 108) keep_bmp_colours(header.facts, bytes, size);
  return header;
}

LIMPID_INLINE at::Tensor decode_bmp_part(std::string_view bytes, PictureHeader& found,
                                         const ImageLimits& limits, const Window& window) {
  const auto header = read_bmp_fields(bytes, limits);
  const auto bits = static_cast<std::int64_t>(header.bits);
  const auto row_bytes = (header.width * bits + 31) / 32 * 4;
  ByteReader reader{bytes};
  reader.skip(header.pixels_at);
  const auto* in = reinterpret_cast<const unsigned char*>(
      reader.take(static_cast<std::size_t>(row_bytes * header.height)).data());

  const auto channel = [&](std::uint32_t pixel, std::size_t c) -> std::uint8_t {
    const auto mask = header.masks[c];
    if (mask == 0) return 0;
    const std::uint64_t highest = mask >> std::countr_zero(mask);
    const std::uint64_t value = (pixel & mask) >> std::countr_zero(mask);
    return static_cast<std::uint8_t>((value * 255 + highest / 2) / highest);
  };
  bool is_opaque = true;
  auto pixels = at::empty({window.height, window.width, 3}, at::kByte);
  auto* out = pixels.data_ptr<std::uint8_t>();
  for (auto y = window.top; y < window.bottom(); ++y) {
    const auto* row = in + row_bytes * (header.bottom_up ? header.height - 1 - y : y);
    for (auto x = window.left; x < window.right(); ++x, out += 3) {
      if (bits == 24) {
        for (int c = 0; c < 3; ++c) out[c] = row[3 * x + 2 - c];
      } else if (bits <= 8) {
        const auto shift = 8 - bits - x * bits % 8;
        const auto index = static_cast<std::size_t>(row[x * bits / 8] >> shift & ((1 << bits) - 1));
        std::copy_n(header.palette[index].data(), 3, out);
      } else {
        std::uint32_t pixel = 0;
        for (std::int64_t i = 0; i < bits / 8; ++i) {
          pixel |= std::uint32_t{row[x * bits / 8 + i]} << (8 * i);
        }
        for (std::size_t c = 0; c < 3; ++c) out[c] = channel(pixel, c);
        is_opaque = is_opaque && (pixel & header.alpha_mask) == header.alpha_mask;
      }
    }
  }
  if (!is_opaque) found.facts.losses.emplace_back(kTransparencyIsLost);
  return pixels;
}

LIMPID_INLINE at::Tensor decode_bmp(std::string_view bytes, PictureHeader& header,
                                    const ImageLimits& limits) {
  return decode_bmp_part(bytes, header, limits, Window::whole(header.height, header.width));
}

LIMPID_INLINE std::string encode_bmp(const PictureToWrite& picture) {
  return encode_bmp_with_stb(picture.samples, static_cast<int>(picture.height),
                             static_cast<int>(picture.width), picture.channels);
}

LIMPID_INLINE bool is_bmp(std::string_view start) {
  if (start.size() < 3 || start.substr(0, 2) != "BM") return false;
  if (start.size() < 18) return start.size() < 6 || start.find('\0') != start.npos;
  const auto size = ByteReader{start, 14}.little(4);
  return size == 12 || (size >= 16 && size <= 124);
}

}  // namespace limpid::detail

#endif  // LIMPID_BODIES
