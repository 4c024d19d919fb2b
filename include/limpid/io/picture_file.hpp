#pragma once

#include <limpid/io/image_limits.hpp>
#include <limpid/io/picture_facts.hpp>
#include <limpid/io/picture_formats.hpp>
#include <limpid/io/picture_kind.hpp>
#include <limpid/io/regular_file.hpp>
#include <limpid/io/upright.hpp>

#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>
#include <c10/util/Exception.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace limpid::detail {

/// The bytes of a picture file.
inline std::string read_picture_file(const std::filesystem::path& path, const ImageLimits& limits) {
  RegularFile file{path};
  TORCH_CHECK(file.problem().empty(), file.problem());
  TORCH_CHECK(file.size() <= limits.max_file_bytes, "its ", file.size(),
              " bytes exceed the limit of ", limits.max_file_bytes);
  auto bytes = file.read(static_cast<std::size_t>(file.size()));
  TORCH_CHECK(file.problem().empty(), file.problem());
  return bytes;
}

/// The format of a file that this build reads.
inline const PictureFormat& format_of(std::string_view bytes) {
  const auto kind = picture_kind(bytes);
  TORCH_CHECK(kind.is_readable(), "expected a ", readable_formats(), " file, found ",
              kind.description);
  return *kind.format;
}

/// A file that begins and is no longer than `limits` allow: its format and its header.
inline std::pair<const PictureFormat*, PictureHeader> read_picture_header(
    std::string_view bytes, const ImageLimits& limits) {
  TORCH_CHECK(static_cast<std::int64_t>(bytes.size()) <= limits.max_file_bytes, "its ",
              bytes.size(), " bytes exceed the limit of ", limits.max_file_bytes);
  const auto& format = format_of(bytes);
  auto header = format.read_header(bytes, limits);
  header.facts.format = format.name;
  return {&format, std::move(header)};
}

/// Whether the three values of each pixel are equal.
inline bool is_grey(const at::Tensor& pixels) {
  const auto* at = pixels.data_ptr<std::uint8_t>();
  const auto* end = at + pixels.numel();
  while (at != end && at[0] == at[1] && at[0] == at[2]) at += 3;
  return at == end;
}

/// A picture as its file shows it.
struct ReadPicture {
  at::Tensor pixels;  ///< (H, W, 3) of bytes, upright
  PictureFacts facts;
};

inline ReadPicture read_picture(std::string_view bytes, const ImageLimits& limits) {
  auto [format, header] = read_picture_header(bytes, limits);
  const auto stored = format->decode(bytes, header, limits);
  auto& facts = header.facts;
  if (facts.bits > 8) facts.losses.emplace_back(kDepthIsLost);
  if (facts.exif_says_adobe_rgb && facts.channels == 3 && facts.colour_profile.empty() &&
      facts.png_colours.empty()) {
    facts.losses.emplace_back("EXIF says Adobe RGB and there is no colour profile; read as sRGB");
  }
  facts.is_grey = is_grey(stored);
  return {turned_upright<std::uint8_t>(stored, facts.orientation), std::move(facts)};
}

/// RGB (H, W, 3) -> its luma, once or three times a pixel.
inline at::Tensor luma_of(const at::Tensor& pixels, int channels) {
  auto grey = at::empty({pixels.size(0), pixels.size(1), channels}, at::kByte);
  const auto* in = pixels.data_ptr<std::uint8_t>();
  auto* out = grey.data_ptr<std::uint8_t>();
  for (std::int64_t i = 0; i < pixels.size(0) * pixels.size(1); ++i, in += 3) {
    const auto luma = (299 * in[0] + 587 * in[1] + 114 * in[2] + 500) / 1000;
    for (int c = 0; c < channels; ++c) *out++ = static_cast<std::uint8_t>(luma);
  }
  return grey;
}

/// What a format cannot keep of a picture that is written in it.
inline std::vector<std::string> losses_of_writing(const PictureFacts& facts,
                                                  const PictureFormat& format) {
  std::vector<std::string> losses;
  const auto lost = " is not kept in " + std::string{format.name} + " files";
  const bool is_grey_profile = facts.channels == 1;
  if (!facts.colour_profile.empty() &&
      !(format.keeps_profile && (!is_grey_profile || (facts.is_grey && format.writes_grey)))) {
    losses.push_back("a colour profile" + lost);
  }
  if (facts.is_beyond_srgb && !format.keeps_png_colours) {
    losses.push_back("a gamma or primaries other than sRGB's" + lost);
  }
  return losses;
}

}  // namespace limpid::detail
