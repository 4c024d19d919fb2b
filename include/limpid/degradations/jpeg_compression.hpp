#pragma once

#include <limpid/core/compiled.hpp>
#include <limpid/core/interval.hpp>
#include <limpid/core/random.hpp>
#include <limpid/core/window.hpp>
#include <limpid/degradations/any_degradation.hpp>
#include <limpid/degradations/batch_degradation.hpp>
#include <limpid/degradations/degradation_options.hpp>
#include <limpid/io/formats/picture_format.hpp>

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <span>
#include <vector>

#ifdef LIMPID_BODIES
#include <limpid/core/check.hpp>
#include <limpid/degradations/batch_tensors.hpp>
#include <limpid/degradations/jpeg_blocks.hpp>
#include <limpid/degradations/planes.hpp>
#include <limpid/degradations/through_codec.hpp>
#include <limpid/io/formats/jpeg.hpp>

#include <algorithm>
#include <cmath>
#endif

namespace limpid {

/// What JPEG files lose: blocks of 8 x 8, rings at edges, colours coarser than the luma. A file is
/// written and read in memory, by the libraries that read and write pictures.
///
/// Without libjpeg files are written by stb_image_write, whose colours are coarse up to quality 90
/// and fine above, whatever was drawn.
///
/// A batch goes through the same losses on tensors (`through_jpeg_blocks`), which no file is made
/// for: within a level of libjpeg's on average.
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
  void check() const;

  /// What one call does to a photograph.
  struct Drawn {
    int quality = 100;
    ColourSampling sampling = ColourSampling::full;
    /// What is left of a block, and a pixel of the next one, from which colours are interpolated.
    std::int64_t margin = kBlock + 2;

    at::Tensor operator()(const at::Tensor& pixels, const Window& window) const;
  };

  Drawn drawn_for(std::int64_t, std::int64_t, Random& random) const;

  /// @param image  (3, H, W) float in [0, 1], sides of at least 16 pixels.
  /// @return       same shape, in [0, 1].
  /// @throws c10::ValueError for another shape or type, or an option out of range.
  at::Tensor operator()(const at::Tensor& image, Random& random) const;

  static constexpr bool batch_equals_calls = false;

  /// As a `BatchDegradation`: (N, 3, H, W) float in [0, 1] on any device.
  at::Tensor batch(const at::Tensor& images, Random& random) const;

  /// As a `PlacedBatchDegradation`: blocks begin where they do in the whole photographs.
  at::Tensor batch(const at::Tensor& images, std::span<const CropPlace> places,
                   Random& random) const;

  /// Pixels around a crop that its degraded version may depend on.
  std::int64_t batch_margin() const { return kBlock + 2; }

 private:
  /// Lines of pictures, `count` of them along `dim`, from `sign` times a start of each picture's
  /// own; those outside are as those at the border.
  static at::Tensor moved(const at::Tensor& images, std::int64_t dim,
                          const std::vector<std::int64_t>& starts, std::int64_t sign,
                          std::int64_t count);

  static constexpr std::int64_t kBlock = 16;  // of four blocks of luma and one of each colour

  /// The first multiple of the block's side that is not below `at`, which may be negative.
  static std::int64_t next_block(std::int64_t at);
};

static_assert(DegradationWithOptions<JpegCompression> && PartwiseDegradation<JpegCompression>);
static_assert(PlacedBatchDegradation<JpegCompression>);

}  // namespace limpid

#ifdef LIMPID_BODIES

namespace limpid {

LIMPID_INLINE void JpegCompression::check() const {
  detail::check_within("JpegCompression: quality", quality, {1, 100});
  detail::check_within("JpegCompression: coarse", coarse, {0, 1});
}

LIMPID_INLINE at::Tensor JpegCompression::Drawn::operator()(const at::Tensor& pixels,
                                                            const Window& window) const {
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

LIMPID_INLINE JpegCompression::Drawn JpegCompression::drawn_for(std::int64_t, std::int64_t,
                                                                Random& random) const {
  check();
  Drawn drawn;
  drawn.quality = static_cast<int>(std::lround(quality.draw(random)));
  if (random.chance(coarse)) drawn.sampling = ColourSampling::half;
  return drawn;
}

LIMPID_INLINE at::Tensor JpegCompression::operator()(const at::Tensor& image,
                                                     Random& random) const {
  const auto clean = detail::photograph("JpegCompression", image);
  const auto height = clean.size(1);
  const auto width = clean.size(2);
  return drawn_for(height, width, random)(clean, Window::whole(height, width));
}

LIMPID_INLINE at::Tensor JpegCompression::batch(const at::Tensor& images, Random& random) const {
  const auto clean = detail::photographs("JpegCompression", images);
  return batch(clean, detail::whole_places(clean), random);
}

LIMPID_INLINE at::Tensor JpegCompression::batch(const at::Tensor& images,
                                                std::span<const CropPlace> places,
                                                Random& random) const {
  const auto clean = detail::photographs("JpegCompression", images);
  detail::check_places("JpegCompression", clean, places);
  std::vector<int> qualities;
  std::vector<bool> are_coarse;
  std::vector<std::int64_t> top, left;  // pixels of the first blocks that the crops lack
  for (const auto& place : places) {
    const auto drawn = drawn_for(place.height, place.width, random);
    qualities.push_back(drawn.quality);
    are_coarse.push_back(drawn.sampling == ColourSampling::half);
    top.push_back(place.window.top - next_block(place.window.top - kBlock + 1));
    left.push_back(place.window.left - next_block(place.window.left - kBlock + 1));
  }
  const auto height = next_block(clean.size(2) + *std::max_element(top.begin(), top.end()));
  const auto width = next_block(clean.size(3) + *std::max_element(left.begin(), left.end()));
  const auto whole = moved(moved(clean, 2, top, -1, height), 3, left, -1, width);
  const auto coded = detail::through_jpeg_blocks(whole, qualities, are_coarse);
  return moved(moved(coded, 2, top, 1, clean.size(2)), 3, left, 1, clean.size(3)).contiguous();
}

LIMPID_INLINE at::Tensor JpegCompression::moved(const at::Tensor& images, std::int64_t dim,
                                                const std::vector<std::int64_t>& starts,
                                                std::int64_t sign, std::int64_t count) {
  std::vector<std::int64_t> lines;
  for (const auto start : starts) {
    for (std::int64_t i = 0; i < count; ++i) {
      lines.push_back(std::clamp<std::int64_t>(sign * start + i, 0, images.size(dim) - 1));
    }
  }
  std::vector<std::int64_t> shape{images.size(0), 1, 1, 1};
  shape[static_cast<std::size_t>(dim)] = count;
  auto sizes = images.sizes().vec();
  sizes[static_cast<std::size_t>(dim)] = count;
  return images.gather(dim, numbers_on(images.device(), lines, shape).expand(sizes));
}

LIMPID_INLINE std::int64_t JpegCompression::next_block(std::int64_t at) {
  const auto past = ((at % kBlock) + kBlock) % kBlock;
  return past == 0 ? at : at + kBlock - past;
}

}  // namespace limpid

#endif  // LIMPID_BODIES
