#pragma once

#include <limpid/io/image_gate.hpp>

#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>
#include <c10/util/Exception.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace limpid::detail {

/// One number of a PNM header: digits behind white space and comments.
inline std::int64_t pnm_number(ByteReader& reader) {
  auto c = reader.byte();
  while (c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '#') {
    if (c == '#') {
      while (c != '\n') c = reader.byte();
    }
    c = reader.byte();
  }
  std::int64_t value = 0;
  TORCH_CHECK(c >= '0' && c <= '9', "a malformed PNM header");
  while (c >= '0' && c <= '9') {
    value = value * 10 + (c - '0');
    TORCH_CHECK(value <= 1'000'000, "a malformed PNM header");
    c = reader.byte();
  }
  TORCH_CHECK(c == ' ' || c == '\t' || c == '\n' || c == '\r', "a malformed PNM header");
  return value;
}

/// The samples of a binary PGM (P5) or PPM (P6), 8 or 16 bits, where they lie in the file.
struct PnmSamples {
  std::int64_t height = 0;
  std::int64_t width = 0;
  std::int64_t colours = 1;
  std::int64_t highest = 255;  ///< what white is
  const unsigned char* data = nullptr;

  /// Sample `i`, at most `highest`.
  std::int64_t at(std::int64_t i) const {
    const std::int64_t raw = highest <= 255 ? data[i] : data[2 * i] << 8 | data[2 * i + 1];
    return std::min(raw, highest);
  }
};

/// Source: https://netpbm.sourceforge.net/doc/ppm.html.
inline PnmSamples read_pnm(std::string_view bytes, const ImageLimits& limits) {
  ByteReader reader{bytes, 2};
  PnmSamples samples;
  samples.colours = bytes[1] == '6' ? 3 : 1;
  samples.width = pnm_number(reader);
  samples.height = pnm_number(reader);
  samples.highest = pnm_number(reader);
  check_size(samples.height, samples.width, limits);
  TORCH_CHECK(samples.highest >= 1 && samples.highest <= 65535, "a malformed PNM header");
  const std::int64_t depth = samples.highest > 255 ? 2 : 1;
  samples.data = reinterpret_cast<const unsigned char*>(
      reader
          .take(static_cast<std::size_t>(samples.height * samples.width * samples.colours * depth))
          .data());
  return samples;
}

/// Binary PGM and PPM -> RGB (H, W, 3).
inline at::Tensor decode_pnm(std::string_view bytes, const ImageLimits& limits) {
  const auto samples = read_pnm(bytes, limits);
  auto pixels = at::empty({samples.height, samples.width, 3}, at::kByte);
  auto* out = pixels.data_ptr<std::uint8_t>();
  const auto highest = samples.highest;
  const auto value = [&](std::int64_t i) -> std::uint8_t {
    if (highest == 255) return samples.data[i];
    return static_cast<std::uint8_t>((samples.at(i) * 255 + highest / 2) / highest);
  };
  for (std::int64_t i = 0; i < samples.height * samples.width; ++i) {
    for (std::int64_t c = 0; c < 3; ++c) *out++ = value(samples.colours == 3 ? 3 * i + c : i);
  }
  return pixels;
}

/// Header of an uncompressed BMP.
struct BmpHeader {
  std::int64_t height = 0;
  std::int64_t width = 0;
  bool bottom_up = true;
  std::uint32_t bits = 0;
  std::size_t pixels_at = 0;
  std::array<std::uint32_t, 3> masks{};                    ///< 16 and 32 bits
  std::array<std::array<std::uint8_t, 3>, 256> palette{};  ///< up to 8 bits
};

inline BmpHeader read_bmp_header(std::string_view bytes, const ImageLimits& limits) {
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
  check_size(header.height, header.width, limits);
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

/// Uncompressed BMP of 1, 4, 8, 16, 24 or 32 bits -> RGB (H, W, 3).
/// Source: the BITMAPINFOHEADER page of the Windows API documentation.
inline at::Tensor decode_bmp(std::string_view bytes, const ImageLimits& limits) {
  const auto header = read_bmp_header(bytes, limits);
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
  auto pixels = at::empty({header.height, header.width, 3}, at::kByte);
  auto* out = pixels.data_ptr<std::uint8_t>();
  for (std::int64_t y = 0; y < header.height; ++y) {
    const auto* row = in + row_bytes * (header.bottom_up ? header.height - 1 - y : y);
    for (std::int64_t x = 0; x < header.width; ++x, out += 3) {
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
      }
    }
  }
  return pixels;
}

/// RGB -> the bytes of a PPM file.
inline std::string encode_ppm(const unsigned char* rgb, int height, int width) {
  auto bytes = "P6\n" + std::to_string(width) + " " + std::to_string(height) + "\n255\n";
  bytes.append(reinterpret_cast<const char*>(rgb),
               static_cast<std::size_t>(height) * static_cast<std::size_t>(width) * 3);
  return bytes;
}

/// RGB -> the bytes of a 24-bit BMP file.
inline std::string encode_bmp(const unsigned char* rgb, int height, int width) {
  const auto row_bytes = (static_cast<std::size_t>(width) * 3 + 3) / 4 * 4;
  const auto data_bytes = row_bytes * static_cast<std::size_t>(height);
  std::string bytes = "BM";
  const auto add = [&](std::size_t value, int count) {
    for (int i = 0; i < count; ++i) bytes += static_cast<char>(value >> (8 * i) & 255);
  };
  add(54 + data_bytes, 4);
  add(0, 4);
  add(54, 4);
  add(40, 4);
  add(static_cast<std::size_t>(width), 4);
  add(static_cast<std::size_t>(height), 4);
  add(1, 2);
  add(24, 2);
  add(0, 4);
  add(data_bytes, 4);
  for (int i = 0; i < 4; ++i) add(0, 4);
  for (int y = height - 1; y >= 0; --y) {
    const auto* row = rgb + static_cast<std::size_t>(y) * static_cast<std::size_t>(width) * 3;
    for (int x = 0; x < width; ++x) {
      for (int c = 2; c >= 0; --c) bytes += static_cast<char>(row[3 * x + c]);
    }
    bytes.append(row_bytes - static_cast<std::size_t>(width) * 3, '\0');
  }
  return bytes;
}

}  // namespace limpid::detail
