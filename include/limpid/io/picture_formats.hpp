#pragma once

#include <limpid/core/compiled.hpp>
#include <limpid/io/formats/bmp.hpp>
#include <limpid/io/formats/jpeg.hpp>
#include <limpid/io/formats/picture_format.hpp>
#include <limpid/io/formats/png.hpp>
#include <limpid/io/formats/pnm.hpp>
#include <limpid/io/formats/webp.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#ifdef LIMPID_BODIES
#include <c10/util/Exception.h>
#endif

namespace limpid {

/// Every kind of picture file that limpid knows. A new one is a header in io/formats/ and a line
/// here.
inline constexpr std::array<const PictureFormat*, 5> kPictureFormats{&kPng, &kJpeg, &kWebp, &kBmp,
                                                                     &kPnm};

/// "PNG, JPEG, BMP or PNM": what this build reads.
LIMPID_INLINE std::string readable_formats();

namespace detail {

/// The format that is written under an extension (lower case, with its dot), or null.
LIMPID_INLINE const PictureFormat* format_written_as(std::string_view extension);

/// ".png, .jpg or ...": the extensions that pictures can be written under.
LIMPID_INLINE std::string writable_extensions();

/// @throws c10::ValueError, without a name, if the format cannot hold so many pixels.
LIMPID_INLINE void check_fits(const PictureFormat& format, std::int64_t height, std::int64_t width);

}  // namespace detail
}  // namespace limpid

#ifdef LIMPID_BODIES

namespace limpid {

LIMPID_INLINE std::string readable_formats() {
  std::string text;
  std::string_view last;
  for (const auto* format : kPictureFormats) {
    if (format->decode == nullptr) continue;
    if (!last.empty()) text += (text.empty() ? "" : ", ") + std::string{last};
    last = format->name;
  }
  return text + " or " + std::string{last};
}

}  // namespace limpid

namespace limpid::detail {

LIMPID_INLINE const PictureFormat* format_written_as(std::string_view extension) {
  for (const auto* format : kPictureFormats) {
    if (format->encode != nullptr && has_extension(*format, extension)) return format;
  }
  return nullptr;
}

LIMPID_INLINE std::string writable_extensions() {
  std::string all;
  for (const auto* format : kPictureFormats) {
    if (format->encode != nullptr)
      all += (all.empty() ? "" : " ") + std::string{format->extensions};
  }
  std::string text;
  for (std::size_t at = 0; at != all.npos;) {
    const auto space = all.find(' ', at);
    text += (at == 0 ? "" : space == all.npos ? " or " : ", ") + all.substr(at, space - at);
    at = space == all.npos ? space : space + 1;
  }
  return text;
}

LIMPID_INLINE void check_fits(const PictureFormat& format, std::int64_t height,
                              std::int64_t width) {
  TORCH_CHECK_VALUE(height <= format.max_side && width <= format.max_side, width, " x ", height,
                    " pixels are too many for a ", format.name, " file, which takes ",
                    format.max_side, " a side");
  TORCH_CHECK_VALUE(height * width <= format.max_pixels, width, " x ", height,
                    " pixels are too many for a ", format.name, " file, which takes ",
                    format.max_pixels);
}

}  // namespace limpid::detail

#endif  // LIMPID_BODIES
