#pragma once

#include <limpid/core/window.hpp>
#include <limpid/io/image_limits.hpp>
#include <limpid/io/picture_facts.hpp>

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <string_view>

namespace limpid {

/// How fine the colours of a JPEG file are, beside its luma.
enum class ColourSampling {
  by_quality,  ///< full above quality 90
  full,        ///< 4:4:4
  half,        ///< 4:2:0
};

/// Pixels to write, upright.
struct PictureToWrite {
  const std::uint8_t* samples = nullptr;  ///< rows of `channels` bytes a pixel
  std::int64_t height = 0;
  std::int64_t width = 0;
  int channels = 3;            ///< 1 for a grey picture, where the format can say it; else 3
  int quality = 95;            ///< 1 ... 100, of formats that lose something
  std::string_view extension;  ///< lower case, with its dot
  const PictureFacts* facts = nullptr;
  ColourSampling sampling = ColourSampling::by_quality;  ///< where libjpeg writes
};

/// Whole numbers as a grey or colour file holds them.
struct PictureSamples {
  at::Tensor values;           ///< (H, W, 1 or 3) of int32
  std::int64_t highest = 255;  ///< what white is
};

/// A picture packed anew, so that a part of it is decoded without what stands before that part.
class CutPicture {
 public:
  CutPicture() = default;
  CutPicture(const CutPicture&) = delete;
  CutPicture& operator=(const CutPicture&) = delete;
  virtual ~CutPicture() = default;

  virtual std::int64_t bytes() const = 0;

  /// Whether `decode` gives this part, which lies within the picture as it is stored.
  virtual bool has(const Window& window) const = 0;

  /// (H, W, 3) of bytes: bit by bit what `PictureFormat::decode_part` gives.
  virtual at::Tensor decode(const Window& window, const ImageLimits& limits) const = 0;
};

/// A kind of picture file. Each stands in a file of its own beside this one, and in the table of
/// io/picture_formats.hpp. What a function throws says the cause only; its caller names the file.
struct PictureFormat {
  std::string_view name;        ///< "PNG"
  std::string_view extensions;  ///< lower case, as ".jpg .jpeg"; the first is the usual one

  /// Whether a file that begins so is of this kind. @param start  its first 64 bytes, or all.
  bool (*recognises)(std::string_view start);

  /// Size and facts, without decoding. Null where this build cannot read the format; `missing`
  /// then says why.
  PictureHeader (*read_header)(std::string_view bytes, const ImageLimits& limits) = nullptr;

  /// Pixels (H, W, 3) of bytes, not yet turned upright. Adds to the header what it finds.
  at::Tensor (*decode)(std::string_view bytes, PictureHeader& header,
                       const ImageLimits& limits) = nullptr;

  /// The same for a part of the picture as it is stored, bit by bit what `decode` gives there. What
  /// lies below and beside it need not be looked at, damage included. Null where all is decoded.
  at::Tensor (*decode_part)(std::string_view bytes, PictureHeader& header,
                            const ImageLimits& limits, const Window& window) = nullptr;

  /// The picture packed anew; null where it cannot be, as where the file is damaged. Null where no
  /// file can.
  std::shared_ptr<const CutPicture> (*cut)(std::string_view bytes, const PictureHeader& header,
                                           const ImageLimits& limits) = nullptr;

  /// All bits of a picture of more than 8. Null where there are never more.
  PictureSamples (*decode_samples)(std::string_view bytes, const PictureHeader& header,
                                   const ImageLimits& limits) = nullptr;

  /// The bytes of a file; empty where memory runs out. Null where limpid does not write it.
  std::string (*encode)(const PictureToWrite& picture) = nullptr;

  std::int64_t max_side = detail::kMaxImageSide;                       ///< of what `encode` takes
  std::int64_t max_pixels = std::numeric_limits<std::int64_t>::max();  ///< likewise
  bool writes_grey = false;                                            ///< as one channel
  bool keeps_profile = false;                                          ///< an ICC profile
  bool keeps_png_colours = false;
  std::string_view decoder = "limpid";  ///< whose code decodes it
  std::string_view missing = {};        ///< such as "this build has no libwebp"
};

namespace detail {

/// Whether `extension`, with its dot and in lower case, is one of the format's.
inline bool has_extension(const PictureFormat& format, std::string_view extension) {
  if (extension.size() < 2) return false;
  auto left = format.extensions;
  while (!left.empty()) {
    const auto end = left.find(' ');
    if (left.substr(0, end) == extension) return true;
    left = end == left.npos ? std::string_view{} : left.substr(end + 1);
  }
  return false;
}

inline constexpr const char* kTransparencyIsLost = "transparency is left out";
inline constexpr const char* kDepthIsLost = "16 bits a colour become 8";

/// A sample in 0 ... `highest` as a byte, rounded.
inline std::uint8_t to_byte(std::int64_t value, std::int64_t highest) {
  return static_cast<std::uint8_t>((value * 255 + highest / 2) / highest);
}

}  // namespace detail
}  // namespace limpid
