#pragma once

#include <limpid/core/compiled.hpp>
#include <limpid/core/interval.hpp>
#include <limpid/core/random.hpp>
#include <limpid/degradations/degradation_options.hpp>

#include <ATen/core/Tensor.h>

#ifdef LIMPID_BODIES
#include <limpid/core/check.hpp>
#include <limpid/degradations/planes.hpp>
#include <limpid/degradations/through_codec.hpp>
#include <limpid/io/formats/webp.hpp>

#include <c10/util/Exception.h>

#include <cmath>
#endif

namespace limpid {

/// What lossy WebP files lose: blocks predicted from their neighbours and filtered, so that they
/// look smeared where JPEG's look square; colours at half the resolution. A file is written and
/// read in memory by libwebp. A block depends on all before it, so whole pictures are needed.
///
/// Source: RFC 9649 (VP8 in WebP).
struct WebPCompression {
  Interval quality{5, 90};  ///< as libwebp counts it; 99 is the best that loses something

  static void each_option(auto& self, auto&& visit) {
    visit("quality", self.quality, "0 worst, 99 best");
  }

  /// @throws c10::ValueError for an option out of range, and where this build has no libwebp.
  void check() const;

  /// @param image  (3, H, W) float in [0, 1], sides of at least 16 pixels.
  /// @return       same shape, in [0, 1].
  /// @throws c10::ValueError for another shape or type, an option out of range, sides that WebP
  ///   cannot hold (above 16383), and where this build has no libwebp.
  at::Tensor operator()(const at::Tensor& image, Random& random) const;
};

static_assert(DegradationWithOptions<WebPCompression>);

}  // namespace limpid

#ifdef LIMPID_BODIES

namespace limpid {

LIMPID_INLINE void WebPCompression::check() const {
  detail::check_within("WebPCompression: quality", quality, {0, 99});
  TORCH_CHECK_VALUE(kWebp.missing.empty(), "WebPCompression: ", kWebp.missing);
}

LIMPID_INLINE at::Tensor WebPCompression::operator()(const at::Tensor& image,
                                                     Random& random) const {
  const auto clean = detail::photograph("WebPCompression", image);
  check();
  const auto drawn = static_cast<int>(std::lround(quality.draw(random)));
  return detail::through_codec(kWebp, "WebPCompression", clean, drawn);
}

}  // namespace limpid

#endif  // LIMPID_BODIES
