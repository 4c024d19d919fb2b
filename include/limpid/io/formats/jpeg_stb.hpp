#pragma once

#include <limpid/io/formats/jpeg_gate.hpp>
#include <limpid/io/formats/jpeg_header.hpp>
#include <limpid/io/formats/picture_format.hpp>
#include <limpid/io/stb.hpp>

#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>
#include <c10/util/Exception.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

// JPEG by stb_image, where the build has no libjpeg. Nothing reaches it that the gate has not
// written.
#if !LIMPID_WITH_JPEG

namespace limpid::detail {

inline constexpr std::string_view kJpegDecoder = "stb_image";
inline constexpr std::int64_t kMostJpegPixels = kMostPixelsOfStb;

inline at::Tensor decode_jpeg(std::string_view bytes, PictureHeader& header,
                              const ImageLimits& limits) {
  const auto count = header.height * header.width;
  const auto planes = count * header.facts.channels;
  check_memory(bytes.size(), (header.comes_in_passes ? 3 : 1) * planes + planes + 3 * count,
               limits);
  const auto cleaned = JpegGate{bytes, limits}.cleaned();
  const auto budget =
      (std::size_t{64} << 20) + 4 * bytes.size() + 32 * static_cast<std::size_t>(count);
  const auto decoded = decode_with_stb(cleaned, budget);
  TORCH_CHECK(decoded.error.empty(), "it is damaged (", decoded.error, ")");
  TORCH_CHECK(decoded.height == header.height && decoded.width == header.width,
              "it is damaged (two sizes)");
  auto pixels = at::empty({header.height, header.width, 3}, at::kByte);
  auto* out = pixels.data_ptr<std::uint8_t>();
  if (decoded.channels == 3) {
    std::memcpy(out, decoded.samples.get(), pixels.nbytes());
  } else {
    for (std::int64_t i = 0; i < count; ++i) out = std::fill_n(out, 3, decoded.samples.get()[i]);
  }
  return pixels;
}

inline constexpr decltype(PictureFormat::decode_part) kDecodeJpegPart = nullptr;

/// It writes three channels whatever it gets.
inline constexpr bool kJpegWritesGrey = false;

inline std::string encode_jpeg(const PictureToWrite& picture) {
  return encode_jpeg_with_stb(picture.samples, static_cast<int>(picture.height),
                              static_cast<int>(picture.width), picture.channels, picture.quality);
}

}  // namespace limpid::detail

#endif
