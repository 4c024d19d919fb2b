#pragma once

#include <limpid/io/formats/picture_format.hpp>
#include <limpid/io/formats/webp_container.hpp>
#include <limpid/io/formats/webp_libwebp.hpp>

namespace limpid {

/// WebP, where the build has libwebp. Animations are refused.
inline constexpr PictureFormat kWebp {
  .name = "WebP", .extensions = ".webp", .recognises = &detail::is_webp,
#if LIMPID_WITH_WEBP
  .read_header = &detail::read_webp_header, .decode = &detail::decode_webp,
  .encode = &detail::encode_webp, .max_side = 16383, .keeps_profile = true, .decoder = "libwebp"
#else
  .missing = "this build of limpid has no libwebp"
#endif
};

}  // namespace limpid
