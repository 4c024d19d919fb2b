#pragma once

#include <limpid/core/check.hpp>
#include <limpid/core/interval.hpp>
#include <limpid/core/random.hpp>
#include <limpid/core/window.hpp>
#include <limpid/degradations/any_degradation.hpp>
#include <limpid/degradations/degradation_options.hpp>
#include <limpid/degradations/planes.hpp>
#include <limpid/degradations/through_codec.hpp>
#include <limpid/io/formats/jpeg.hpp>

#include <ATen/core/Tensor.h>

#include <algorithm>
#include <cmath>
#include <cstdint>

namespace limpid {

/// What JPEG files lose: blocks of 8 x 8, rings at edges, colours coarser than the luma. A file is
/// written and read in memory, by the libraries that read and write pictures.
///
/// Without libjpeg files are written by stb_image_write, whose colours are coarse up to quality 90
/// and fine above, whatever was drawn.
///
/// Source: Jiang, Zhang and Timofte, "Towards Flexible Blind JPEG Artifacts Removal" (FBCNN), ICCV
/// 2021 (quality 10 to 95, as libjpeg counts it).
struct JpegCompression {
  Interval quality{10, 95};  ///< 1 worst, 100 best; a whole number is drawn
  double coarse = 0.75;      ///< probability that colours have half the resolution (4:2:0)

  static void each_option(auto& self, auto&& visit) {
    visit("quality", self.quality, "1 worst, 100 best");
    visit("coarse", self.coarse, "probability that colours have half the resolution");
  }

  /// @throws c10::ValueError for an option out of range.
  void check() const {
    detail::check_within("JpegCompression: quality", quality, {1, 100});
    detail::check_within("JpegCompression: coarse", coarse, {0, 1});
  }

  /// What one call does to a photograph.
  struct Drawn {
    int quality = 100;
    ColourSampling sampling = ColourSampling::full;
    /// What is left of a block, and a pixel of the next one, from which colours are interpolated.
    std::int64_t margin = kBlock + 2;

    at::Tensor operator()(const at::Tensor& pixels, const Window& window) const {
      const auto clean = detail::photograph("JpegCompression", pixels);
      auto coded = detail::empty_like_photograph(clean);
      coded.copy_(clean);
      // Blocks begin where they do in the whole picture.
      const auto top = next_block(window.top) - window.top;
      const auto left = next_block(window.left) - window.left;
      const auto height = window.height - top;
      const auto width = window.width - left;
      if (height <= 0 || width <= 0) return coded;
      const auto blocks = clean.narrow(1, top, height).narrow(2, left, width);
      coded.narrow(1, top, height)
          .narrow(2, left, width)
          .copy_(detail::through_codec(kJpeg, "JpegCompression", blocks, quality, sampling));
      return coded;
    }
  };

  Drawn drawn_for(std::int64_t, std::int64_t, Random& random) const {
    check();
    Drawn drawn;
    drawn.quality = static_cast<int>(std::lround(quality.draw(random)));
    if (random.chance(coarse)) drawn.sampling = ColourSampling::half;
    return drawn;
  }

  /// @param image  (3, H, W) float in [0, 1], sides of at least 16 pixels.
  /// @return       same shape, in [0, 1].
  /// @throws c10::ValueError for another shape or type, or an option out of range.
  at::Tensor operator()(const at::Tensor& image, Random& random) const {
    const auto clean = detail::photograph("JpegCompression", image);
    const auto height = clean.size(1);
    const auto width = clean.size(2);
    return drawn_for(height, width, random)(clean, Window::whole(height, width));
  }

 private:
  static constexpr std::int64_t kBlock = 16;  // of four blocks of luma and one of each colour

  static std::int64_t next_block(std::int64_t at) { return (at + kBlock - 1) / kBlock * kBlock; }
};

static_assert(DegradationWithOptions<JpegCompression> && PartwiseDegradation<JpegCompression>);

}  // namespace limpid
