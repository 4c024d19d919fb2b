#pragma once

#include <limpid/io/formats/png_chunks.hpp>
#include <limpid/io/stb.hpp>

#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>
#include <c10/util/Exception.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

// PNG by stb_image, where the build has no libpng. Its chunks have been checked before.
#if !LIMPID_WITH_PNG

namespace limpid::detail {

inline constexpr std::string_view kPngDecoder = "stb_image";
inline constexpr std::int64_t kMostPngPixels = kMostPixelsOfStb;

template <class Sample>
StbPixels<Sample> png_pixels_by_stb(std::string_view bytes, const PictureHeader& header,
                                    const ImageLimits& limits) {
  const auto shape = png_shape(bytes);
  const auto count = header.height * header.width;
  const auto channels = header.facts.channels + (header.has_alpha ? 1 : 0);
  const auto samples = count * channels * header.facts.bits / 8;
  const auto before = shape.colour_type == 3 ? count : png_raw_bytes(header, shape);
  check_memory(bytes.size(), samples + std::max(before, 3 * count), limits);
  const auto budget = (std::size_t{64} << 20) + 4 * bytes.size() +
                      32 * static_cast<std::size_t>(header.height * header.width);
  auto decoded = decode_with_stb<Sample>(bytes, budget);
  TORCH_CHECK(decoded.error.empty(), "it is damaged (", decoded.error, ")");
  TORCH_CHECK(decoded.height == header.height && decoded.width == header.width,
              "it is damaged (two sizes)");
  return decoded;
}

inline at::Tensor decode_png_by_library(std::string_view bytes, PictureHeader& header,
                                        const ImageLimits& limits) {
  at::Tensor pixels;
  const auto count = header.height * header.width;
  bool is_opaque = true;
  const auto fill = [&](const auto& decoded, auto byte_of, auto opaque) {
    pixels = at::empty({header.height, header.width, 3}, at::kByte);
    const auto channels = decoded.channels;
    const auto* in = decoded.samples.get();
    auto* out = pixels.data_ptr<std::uint8_t>();
    for (std::int64_t i = 0; i < count; ++i, in += channels, out += 3) {
      for (int c = 0; c < 3; ++c) out[c] = byte_of(in[channels < 3 ? 0 : c]);
      is_opaque = is_opaque && (channels % 2 == 1 || in[channels - 1] == opaque);
    }
  };
  if (header.facts.bits == 16) {
    fill(
        png_pixels_by_stb<unsigned short>(bytes, header, limits),
        [](unsigned short value) { return to_byte(value, 65535); }, 65535);
  } else {
    fill(
        png_pixels_by_stb<unsigned char>(bytes, header, limits),
        [](unsigned char value) { return value; }, 255);
  }
  if (!is_opaque) header.facts.losses.emplace_back(kTransparencyIsLost);
  return pixels;
}

inline PictureSamples decode_png_samples(std::string_view bytes, const PictureHeader& header,
                                         const ImageLimits& limits) {
  const auto decoded = png_pixels_by_stb<unsigned short>(bytes, header, limits);
  const auto colours = decoded.channels < 3 ? 1 : 3;
  PictureSamples result{at::empty({header.height, header.width, colours}, at::kInt), 65535};
  auto* out = result.values.data_ptr<std::int32_t>();
  const auto* in = decoded.samples.get();
  for (std::int64_t i = 0; i < header.height * header.width; ++i, in += decoded.channels) {
    for (int c = 0; c < colours; ++c) *out++ = in[c];
  }
  return result;
}

inline std::string encode_png(const PictureToWrite& picture) {
  return encode_png_with_stb(picture.samples, static_cast<int>(picture.height),
                             static_cast<int>(picture.width), picture.channels);
}

}  // namespace limpid::detail

#endif
