#pragma once

#include <limpid/io/image.hpp>
#include <limpid/io/image_gate.hpp>
#include <limpid/io/raw_images.hpp>
#include <limpid/io/stb.hpp>

#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>
#include <c10/util/Exception.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>

namespace limpid {

/// A grey picture whose values are measurements, such as depth: of 16 bits all count.
struct GreyImage {
  at::Tensor values;           ///< (H, W) float, the whole numbers that the file holds
  std::int64_t highest = 255;  ///< what white is: 255, 65535, or what a PNM file says

  /// Reads a PNG, JPEG, BMP or binary PNM file, as safely as `Image::load`; alpha is dropped, and a
  /// PNG of 1, 2 or 4 bits is stretched to 0 ... 255.
  ///
  /// @throws c10::Error that names the file and what is wrong with it, such as colours.
  static GreyImage load(const std::filesystem::path& path, const ImageLimits& limits = {}) {
    try {
      const auto bytes = detail::read_image_file(path, limits);
      const auto format = detail::recognise(bytes);
      if (format == ImageFormat::pnm) {
        const auto samples = detail::read_pnm(bytes, limits);
        return grey(samples.height, samples.width, samples.highest,
                    [&](std::int64_t pixel, std::int64_t c) {
                      return samples.at(samples.colours == 3 ? 3 * pixel + c : pixel);
                    });
      }
      if (format == ImageFormat::png) {
        const auto header = detail::check_png(bytes, limits);
        if (header.bits == 16) {
          const auto decoded = detail::decode_with_stb<unsigned short>(
              bytes, detail::stb_budget_for(bytes.size(), header));
          detail::check_decoded(decoded, header);
          const auto* rgb = decoded.rgb.get();
          return grey(header.height, header.width, 65535, [rgb](std::int64_t pixel, auto c) {
            return std::int64_t{rgb[3 * pixel + c]};
          });
        }
      }
      const auto pixels = detail::decode_image(bytes, limits);
      const auto* rgb = pixels.data_ptr<std::uint8_t>();
      return grey(pixels.size(0), pixels.size(1), 255,
                  [rgb](std::int64_t pixel, auto c) { return std::int64_t{rgb[3 * pixel + c]}; });
    } catch (const c10::Error& error) {
      TORCH_CHECK(false, "cannot read grey picture '", path.string(),
                  "': ", error.what_without_backtrace());
    }
  }

 private:
  /// The mean of three channels, which are equal but for what a JPEG does to them.
  template <class Sample>
  static GreyImage grey(std::int64_t height, std::int64_t width, std::int64_t highest,
                        Sample sample) {
    GreyImage image{at::empty({height, width}, at::kFloat), highest};
    auto* out = image.values.data_ptr<float>();
    std::int64_t most_apart = 0;
    for (std::int64_t i = 0; i < height * width; ++i) {
      const std::int64_t r = sample(i, 0), g = sample(i, 1), b = sample(i, 2);
      const auto [least, most] = std::minmax({r, g, b});
      most_apart = std::max(most_apart, most - least);
      out[i] = static_cast<float>(r + g + b) / 3.0f;
    }
    TORCH_CHECK(10 * most_apart < highest, "expected grey, found colours (channels up to ",
                most_apart, " of ", highest, " apart)");
    return image;
  }
};

}  // namespace limpid
