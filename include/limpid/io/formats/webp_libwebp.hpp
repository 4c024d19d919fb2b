#pragma once

#include <limpid/io/formats/picture_format.hpp>
#include <limpid/io/formats/webp_container.hpp>

#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>
#include <c10/util/Exception.h>
#if LIMPID_WITH_WEBP
#include <webp/decode.h>
#include <webp/encode.h>
#endif

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

// WebP by libwebp.
#if LIMPID_WITH_WEBP

namespace limpid::detail {

inline at::Tensor decode_webp(std::string_view bytes, PictureHeader& header,
                              const ImageLimits& limits) {
  WebpPixels chunk;
  read_webp_container(bytes, limits, &chunk);
  const auto count = header.height * header.width;
  const auto channels = header.has_alpha ? 4 : 3;
  // Lossless pixels are unpacked whole, four bytes each.
  check_memory(bytes.size(), count * (channels + (chunk.is_lossless ? 4 : 0) + (channels - 3) * 3),
               limits);
  WebPDecoderConfig config;
  TORCH_CHECK(WebPInitDecoderConfig(&config) != 0, "another version of libwebp");
  auto stored = at::empty({header.height, header.width, channels}, at::kByte);
  config.output.colorspace = header.has_alpha ? MODE_RGBA : MODE_RGB;
  config.output.is_external_memory = 1;
  config.output.u.RGBA.rgba = stored.data_ptr<std::uint8_t>();
  config.output.u.RGBA.stride = static_cast<int>(header.width) * channels;
  config.output.u.RGBA.size = stored.nbytes();
  const auto status =
      WebPDecode(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size(), &config);
  WebPFreeDecBuffer(&config.output);
  TORCH_CHECK(status != VP8_STATUS_NOT_ENOUGH_DATA && status != VP8_STATUS_SUSPENDED,
              "its data end early");
  TORCH_CHECK(status == VP8_STATUS_OK, "it is damaged (libwebp's status ", static_cast<int>(status),
              ")");
  if (!header.has_alpha) return stored;
  auto pixels = at::empty({header.height, header.width, 3}, at::kByte);
  const auto* in = stored.data_ptr<std::uint8_t>();
  auto* out = pixels.data_ptr<std::uint8_t>();
  bool is_opaque = true;
  for (std::int64_t i = 0; i < count; ++i, in += 4) {
    out = std::copy_n(in, 3, out);
    is_opaque = is_opaque && in[3] == 255;
  }
  if (!is_opaque) header.facts.losses.emplace_back(kTransparencyIsLost);
  return pixels;
}

/// Lossy, but for quality 100, which keeps every pixel.
inline std::string encode_webp(const PictureToWrite& picture) {
  TORCH_CHECK_VALUE(picture.height <= WEBP_MAX_DIMENSION && picture.width <= WEBP_MAX_DIMENSION,
                    "expected at most ", WEBP_MAX_DIMENSION, " pixels a side for WebP, got ",
                    picture.width, " x ", picture.height);
  std::uint8_t* made = nullptr;
  const auto width = static_cast<int>(picture.width), height = static_cast<int>(picture.height);
  const auto size = picture.quality == 100
                        ? WebPEncodeLosslessRGB(picture.samples, width, height, 3 * width, &made)
                        : WebPEncodeRGB(picture.samples, width, height, 3 * width,
                                        static_cast<float>(picture.quality), &made);
  std::string bytes{reinterpret_cast<const char*>(made), size};
  WebPFree(made);
  return with_webp_profile(std::move(bytes), picture);
}

}  // namespace limpid::detail

#endif
