#pragma once

#include <limpid/core/compiled.hpp>
#include <limpid/core/window.hpp>
#include <limpid/io/byte_reader.hpp>
#include <limpid/io/formats/picture_format.hpp>
#include <limpid/io/image_limits.hpp>

#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#ifdef LIMPID_BODIES
#include <c10/util/Exception.h>

#include <algorithm>
#endif

namespace limpid {

namespace detail {

/// One number of a PNM header: digits behind white space and comments.
LIMPID_INLINE std::int64_t pnm_number(ByteReader& reader);

/// The samples of a binary PGM (P5) or PPM (P6), 8 or 16 bits, where they lie in the file.
struct PnmSamples {
  std::int64_t height = 0;
  std::int64_t width = 0;
  std::int64_t colours = 1;
  std::int64_t highest = 255;  ///< what white is
  const unsigned char* data = nullptr;

  /// Sample `i`, at most `highest`.
  std::int64_t at(std::int64_t i) const;
};

/// Source: https://netpbm.sourceforge.net/doc/ppm.html.
LIMPID_INLINE PnmSamples read_pnm(std::string_view bytes, const ImageLimits& limits);

LIMPID_INLINE PictureHeader read_pnm_header(std::string_view bytes, const ImageLimits& limits);

LIMPID_INLINE at::Tensor decode_pnm_part(std::string_view bytes, PictureHeader&,
                                         const ImageLimits& limits, const Window& window);

LIMPID_INLINE at::Tensor decode_pnm(std::string_view bytes, PictureHeader& header,
                                    const ImageLimits& limits);

LIMPID_INLINE PictureSamples decode_pnm_samples(std::string_view bytes, const PictureHeader&,
                                                const ImageLimits& limits);

/// P5 for a grey picture named .pgm, P6 else.
LIMPID_INLINE std::string encode_pnm(const PictureToWrite& picture);

LIMPID_INLINE bool is_pnm(std::string_view start);

}  // namespace detail

/// Binary PGM and PPM, 8 and 16 bits.
inline constexpr PictureFormat kPnm{.name = "PNM",
                                    .extensions = ".ppm .pgm .pnm",
                                    .recognises = &detail::is_pnm,
                                    .read_header = &detail::read_pnm_header,
                                    .decode = &detail::decode_pnm,
                                    .decode_part = &detail::decode_pnm_part,
                                    .decode_samples = &detail::decode_pnm_samples,
                                    .encode = &detail::encode_pnm,
                                    .writes_grey = true};

}  // namespace limpid

#ifdef LIMPID_BODIES

namespace limpid::detail {

LIMPID_INLINE std::int64_t pnm_number(ByteReader& reader) {
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

LIMPID_INLINE std::int64_t PnmSamples::at(std::int64_t i) const {
  const std::int64_t raw = highest <= 255 ? data[i] : data[2 * i] << 8 | data[2 * i + 1];
  return std::min(raw, highest);
}

LIMPID_INLINE PnmSamples read_pnm(std::string_view bytes, const ImageLimits& limits) {
  ByteReader reader{bytes, 2};
  PnmSamples samples;
  samples.colours = bytes[1] == '6' ? 3 : 1;
  samples.width = pnm_number(reader);
  samples.height = pnm_number(reader);
  samples.highest = pnm_number(reader);
  limits.check_size(samples.height, samples.width);
  TORCH_CHECK(samples.highest >= 1 && samples.highest <= 65535, "a malformed PNM header");
  const std::int64_t depth = samples.highest > 255 ? 2 : 1;
  samples.data = reinterpret_cast<const unsigned char*>(
      reader
          .take(static_cast<std::size_t>(samples.height * samples.width * samples.colours * depth))
          .data());
  return samples;
}

LIMPID_INLINE PictureHeader read_pnm_header(std::string_view bytes, const ImageLimits& limits) {
  const auto samples = read_pnm(bytes, limits);
  PictureHeader header;
  header.height = samples.height;
  header.width = samples.width;
  header.facts.channels = static_cast<int>(samples.colours);
  header.facts.bits = samples.highest > 255 ? 16 : 8;
  return header;
}

LIMPID_INLINE at::Tensor decode_pnm_part(std::string_view bytes, PictureHeader&,
                                         const ImageLimits& limits, const Window& window) {
  const auto samples = read_pnm(bytes, limits);
  auto pixels = at::empty({window.height, window.width, 3}, at::kByte);
  auto* out = pixels.data_ptr<std::uint8_t>();
  const auto highest = samples.highest;
  const auto value = [&](std::int64_t i) {
    return highest == 255 ? samples.data[i] : to_byte(samples.at(i), highest);
  };
  for (auto y = window.top; y < window.bottom(); ++y) {
    for (auto i = y * samples.width + window.left; i < y * samples.width + window.right(); ++i) {
      for (std::int64_t c = 0; c < 3; ++c) *out++ = value(samples.colours == 3 ? 3 * i + c : i);
    }
  }
  return pixels;
}

LIMPID_INLINE at::Tensor decode_pnm(std::string_view bytes, PictureHeader& header,
                                    const ImageLimits& limits) {
  return decode_pnm_part(bytes, header, limits, Window::whole(header.height, header.width));
}

LIMPID_INLINE PictureSamples decode_pnm_samples(std::string_view bytes, const PictureHeader&,
                                                const ImageLimits& limits) {
  const auto samples = read_pnm(bytes, limits);
  PictureSamples result{at::empty({samples.height, samples.width, samples.colours}, at::kInt),
                        samples.highest};
  auto* out = result.values.data_ptr<std::int32_t>();
  for (std::int64_t i = 0; i < result.values.numel(); ++i) {
    out[i] = static_cast<std::int32_t>(samples.at(i));
  }
  return result;
}

LIMPID_INLINE std::string encode_pnm(const PictureToWrite& picture) {
  const bool as_grey = picture.extension == ".pgm";
  TORCH_CHECK_VALUE(!as_grey || picture.channels == 1,
                    "expected a grey picture for .pgm, got colours (.ppm takes them)");
  auto bytes = (as_grey ? "P5\n" : "P6\n") + std::to_string(picture.width) + " " +
               std::to_string(picture.height) + "\n255\n";
  const auto count = static_cast<std::size_t>(picture.height * picture.width);
  const auto* samples = reinterpret_cast<const char*>(picture.samples);
  if (as_grey || picture.channels == 3) {
    return bytes.append(samples, count * static_cast<std::size_t>(picture.channels));
  }
  bytes.reserve(bytes.size() + 3 * count);
  for (std::size_t i = 0; i < count; ++i) bytes.append(3, samples[i]);
  return bytes;
}

LIMPID_INLINE bool is_pnm(std::string_view start) {
  return start.size() >= 3 && start[0] == 'P' && (start[1] == '5' || start[1] == '6') &&
         std::string_view{" \n\r\t#"}.find(start[2]) != std::string_view::npos;
}

}  // namespace limpid::detail

#endif  // LIMPID_BODIES
