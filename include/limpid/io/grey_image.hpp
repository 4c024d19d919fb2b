#pragma once

#include <limpid/core/compiled.hpp>
#include <limpid/io/image_limits.hpp>
#include <limpid/io/picture_file.hpp>
#include <limpid/io/upright.hpp>

#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>
#include <c10/util/Exception.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>

#ifdef LIMPID_BODIES
#include <limpid/core/fail.hpp>
#endif

namespace limpid {

/// A grey picture whose values are measurements, such as depth: of 16 bits all count.
struct GreyImage {
  at::Tensor values;           ///< (H, W) float, the whole numbers that the file holds
  std::int64_t highest = 255;  ///< what white is: 255, 65535, or what a PNM file says

  /// Reads a picture of any kind that `Image::load` reads, as safely; alpha is dropped, and a PNG
  /// of 1, 2 or 4 bits is stretched to 0 ... 255.
  ///
  /// @throws c10::Error that names the file and what is wrong with it, such as colours.
  static GreyImage load(const std::filesystem::path& path,
                        const ImageLimits& limits = ImageLimits::of_process());

 private:
  /// The mean of the channels, which are equal but for what a JPEG does to them.
  template <class Sample>
  static GreyImage grey(const at::Tensor& samples, std::int64_t highest) {
    const auto channels = samples.size(2);
    GreyImage image{at::empty({samples.size(0), samples.size(1)}, at::kFloat), highest};
    auto* out = image.values.data_ptr<float>();
    const auto* in = samples.data_ptr<Sample>();
    std::int64_t most_apart = 0;
    for (std::int64_t i = 0; i < image.values.numel(); ++i, in += channels) {
      const auto at = [&](std::int64_t c) { return static_cast<std::int64_t>(in[c % channels]); };
      const auto [least, most] = std::minmax({at(0), at(1), at(2)});
      most_apart = std::max(most_apart, most - least);
      out[i] = static_cast<float>(at(0) + at(1) + at(2)) / 3.0f;
    }
    TORCH_CHECK(10 * most_apart < highest, "expected grey, found colours (channels up to ",
                most_apart, " of ", highest, " apart)");
    return image;
  }
};

}  // namespace limpid

#ifdef LIMPID_BODIES

namespace limpid {

LIMPID_INLINE GreyImage GreyImage::load(const std::filesystem::path& path,
                                        const ImageLimits& limits) {
  try {
    const auto bytes = detail::read_picture_file(path, limits);
    const auto [format, header] = detail::read_picture_header(bytes, limits);
    const bool has_more = header.facts.bits > 8 || format->name == "PNM";
    if (format->decode_samples == nullptr || !has_more) {
      const auto pixels = detail::read_picture(bytes, limits).pixels;
      return grey<std::uint8_t>(pixels, 255);
    }
    const auto samples = format->decode_samples(bytes, header, limits);
    return grey<std::int32_t>(
        detail::turned_upright<std::int32_t>(samples.values, header.facts.orientation),
        samples.highest);
  } catch (const c10::Error& error) {
    limpid::fail("cannot read grey picture '", path.string(),
                 "': ", error.what_without_backtrace());
  }
}

}  // namespace limpid

#endif  // LIMPID_BODIES
