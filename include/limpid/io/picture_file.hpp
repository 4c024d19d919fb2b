#pragma once

#include <limpid/core/compiled.hpp>
#include <limpid/core/fail.hpp>
#include <limpid/core/window.hpp>
#include <limpid/io/formats/picture_format.hpp>
#include <limpid/io/image_limits.hpp>
#include <limpid/io/picture_facts.hpp>
#include <limpid/io/regular_file.hpp>
#include <limpid/io/upright.hpp>

#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>
#include <c10/util/Exception.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#ifdef LIMPID_BODIES
#include <limpid/io/cropped.hpp>
#include <limpid/io/picture_formats.hpp>
#include <limpid/io/picture_kind.hpp>
#include <limpid/io/picture_losses.hpp>

#include <tuple>
#endif

namespace limpid::detail {

/// The bytes of a picture file.
LIMPID_INLINE std::string read_picture_file(const std::filesystem::path& path,
                                            const ImageLimits& limits);

/// The format of a file that this build reads.
LIMPID_INLINE const PictureFormat& format_of(std::string_view bytes);

/// A file that begins and is no longer than `limits` allow: its format and its header.
LIMPID_INLINE std::pair<const PictureFormat*, PictureHeader> read_picture_header(
    std::string_view bytes, const ImageLimits& limits);

/// Whether the three values of each pixel are equal.
LIMPID_INLINE bool is_grey(const at::Tensor& pixels);

/// A picture as its file shows it.
struct ReadPicture {
  at::Tensor pixels;  ///< (H, W, 3) of bytes, upright
  PictureFacts facts;
};

/// A picture file of which the header has been read, so that its size is known.
class OpenPicture {
 public:
  /// @param bytes  of the file; they have to outlive this.
  OpenPicture(std::string_view bytes, const ImageLimits& limits);

  std::int64_t height() const;
  std::int64_t width() const;

  ReadPicture read() const;

  /// A window of the upright picture, which lies within it.
  /// @param cut  null, or what `cut()` gave of the same bytes
  ReadPicture read(const Window& window, const CutPicture* cut = nullptr) const;

  /// Whether pictures of this format can be packed anew.
  bool can_be_cut() const { return format_->cut != nullptr; }

  /// The picture packed anew; null where it cannot be.
  std::shared_ptr<const CutPicture> cut() const;

 private:
  bool is_on_its_side() const { return UprightTurn{header_.facts.orientation}.exchanged; }

  static ReadPicture finished(const at::Tensor& stored, PictureFacts facts);

  std::string_view bytes_;
  ImageLimits limits_;
  const PictureFormat* format_ = nullptr;
  PictureHeader header_;
};

LIMPID_INLINE ReadPicture read_picture(std::string_view bytes, const ImageLimits& limits);

/// A picture file that has been read but not decoded. Its errors name it, and what its picture
/// loses is noted. Safe to use from several threads.
class OpenPictureFile {
 public:
  OpenPictureFile(const std::filesystem::path& path, const ImageLimits& limits)
      : path_(path.string()),
        bytes_(named([&] { return read_picture_file(path, limits); })),
        picture_(named([&] {
          return OpenPicture{bytes_, limits};
        })) {}
  OpenPictureFile(const OpenPictureFile&) = delete;
  OpenPictureFile& operator=(const OpenPictureFile&) = delete;

  std::int64_t height() const;
  std::int64_t width() const;

  const std::string& path() const { return path_; }
  const std::string& bytes() const { return bytes_; }

  ReadPicture read() const;
  ReadPicture read(const Window& window, const CutPicture* cut = nullptr) const;
  bool can_be_cut() const { return picture_.can_be_cut(); }
  std::shared_ptr<const CutPicture> cut() const { return picture_.cut(); }

 private:
  template <class Do>
  std::invoke_result_t<Do> named(Do what) const {
    try {
      return what();
    } catch (const c10::Error& error) {
      limpid::fail("cannot read image '", path_, "': ", error.what_without_backtrace());
    }
  }

  ReadPicture noted(ReadPicture read) const;

  std::string path_;
  std::string bytes_;
  OpenPicture picture_;
};

/// RGB (H, W, 3) -> its luma, once or three times a pixel.
LIMPID_INLINE at::Tensor luma_of(const at::Tensor& pixels, int channels);

/// What a format cannot keep of a picture that is written in it.
LIMPID_INLINE std::vector<std::string> losses_of_writing(const PictureFacts& facts,
                                                         const PictureFormat& format);

}  // namespace limpid::detail

#ifdef LIMPID_BODIES

namespace limpid::detail {

LIMPID_INLINE std::string read_picture_file(const std::filesystem::path& path,
                                            const ImageLimits& limits) {
  RegularFile file{path};
  TORCH_CHECK(file.problem().empty(), file.problem());
  TORCH_CHECK(file.size() <= limits.max_file_bytes, "its ", file.size(),
              " bytes exceed the limit of ", limits.max_file_bytes);
  auto bytes = file.read(static_cast<std::size_t>(file.size()));
  TORCH_CHECK(file.problem().empty(), file.problem());
  return bytes;
}

LIMPID_INLINE const PictureFormat& format_of(std::string_view bytes) {
  const auto kind = picture_kind(bytes);
  TORCH_CHECK(kind.is_readable(), "expected a ", readable_formats(), " file, found ",
              kind.description);
  return *kind.format;
}

LIMPID_INLINE std::pair<const PictureFormat*, PictureHeader> read_picture_header(
    std::string_view bytes, const ImageLimits& limits) {
  TORCH_CHECK(static_cast<std::int64_t>(bytes.size()) <= limits.max_file_bytes, "its ",
              bytes.size(), " bytes exceed the limit of ", limits.max_file_bytes);
  const auto& format = format_of(bytes);
  auto header = format.read_header(bytes, limits);
  header.facts.format = format.name;
  return {&format, std::move(header)};
}

LIMPID_INLINE bool is_grey(const at::Tensor& pixels) {
  const auto* at = pixels.data_ptr<std::uint8_t>();
  const auto* end = at + pixels.numel();
  while (at != end && at[0] == at[1] && at[0] == at[2]) at += 3;
  return at == end;
}

LIMPID_INLINE OpenPicture::OpenPicture(std::string_view bytes, const ImageLimits& limits)
    : bytes_(bytes), limits_(limits) {
  std::tie(format_, header_) = read_picture_header(bytes, limits);
}

LIMPID_INLINE std::int64_t OpenPicture::height() const {
  return is_on_its_side() ? header_.width : header_.height;
}

LIMPID_INLINE std::int64_t OpenPicture::width() const {
  return is_on_its_side() ? header_.height : header_.width;
}

LIMPID_INLINE ReadPicture OpenPicture::read() const {
  auto header = header_;
  const auto stored = format_->decode(bytes_, header, limits_);
  return finished(stored, std::move(header.facts));
}

LIMPID_INLINE ReadPicture OpenPicture::read(const Window& window, const CutPicture* cut) const {
  auto header = header_;
  const auto part = stored_window(window, header.facts.orientation, header.height, header.width);
  const auto stored = cut != nullptr && cut->has(part) ? cut->decode(part, limits_)
                      : format_->decode_part != nullptr
                          ? format_->decode_part(bytes_, header, limits_, part)
                          : cropped(format_->decode(bytes_, header, limits_), part);
  return finished(stored, std::move(header.facts));
}

LIMPID_INLINE std::shared_ptr<const CutPicture> OpenPicture::cut() const {
  return can_be_cut() ? format_->cut(bytes_, header_, limits_) : nullptr;
}

LIMPID_INLINE ReadPicture OpenPicture::finished(const at::Tensor& stored, PictureFacts facts) {
  if (facts.bits > 8) facts.losses.emplace_back(kDepthIsLost);
  if (facts.exif_says_adobe_rgb && facts.channels == 3 && facts.colour_profile.empty() &&
      facts.png_colours.empty()) {
    facts.losses.emplace_back("EXIF says Adobe RGB and there is no colour profile; read as sRGB");
  }
  facts.is_grey = is_grey(stored);
  return {turned_upright<std::uint8_t>(stored, facts.orientation), std::move(facts)};
}

LIMPID_INLINE ReadPicture read_picture(std::string_view bytes, const ImageLimits& limits) {
  return OpenPicture{bytes, limits}.read();
}

LIMPID_INLINE std::int64_t OpenPictureFile::height() const { return picture_.height(); }

LIMPID_INLINE std::int64_t OpenPictureFile::width() const { return picture_.width(); }

LIMPID_INLINE ReadPicture OpenPictureFile::read() const {
  return noted(named([&] { return picture_.read(); }));
}

LIMPID_INLINE ReadPicture OpenPictureFile::read(const Window& window, const CutPicture* cut) const {
  return noted(named([&] { return picture_.read(window, cut); }));
}

LIMPID_INLINE ReadPicture OpenPictureFile::noted(ReadPicture read) const {
  PictureLosses::of_process().add(read.facts.losses, path_);
  return read;
}

LIMPID_INLINE at::Tensor luma_of(const at::Tensor& pixels, int channels) {
  auto grey = at::empty({pixels.size(0), pixels.size(1), channels}, at::kByte);
  const auto* in = pixels.data_ptr<std::uint8_t>();
  auto* out = grey.data_ptr<std::uint8_t>();
  for (std::int64_t i = 0; i < pixels.size(0) * pixels.size(1); ++i, in += 3) {
    const auto luma = (299 * in[0] + 587 * in[1] + 114 * in[2] + 500) / 1000;
    for (int c = 0; c < channels; ++c) *out++ = static_cast<std::uint8_t>(luma);
  }
  return grey;
}

LIMPID_INLINE std::vector<std::string> losses_of_writing(const PictureFacts& facts,
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

#endif  // LIMPID_BODIES
