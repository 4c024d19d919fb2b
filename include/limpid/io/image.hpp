#pragma once

#include <limpid/core/compiled.hpp>
#include <limpid/core/window.hpp>
#include <limpid/io/atomic_file.hpp>
#include <limpid/io/image_limits.hpp>
#include <limpid/io/picture_facts.hpp>
#include <limpid/io/picture_file.hpp>
#include <limpid/io/picture_losses.hpp>

#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#ifdef LIMPID_BODIES
#include <limpid/core/errors.hpp>
#include <limpid/core/fail.hpp>
#include <limpid/io/cropped.hpp>
#include <limpid/io/picture_folder.hpp>
#include <limpid/io/picture_formats.hpp>
#include <limpid/io/resize.hpp>

#include <c10/util/Exception.h>

#include <cmath>
#endif

namespace limpid {

namespace detail {

LIMPID_INLINE void check_crop(const Window& window, std::int64_t height, std::int64_t width);

}  // namespace detail

/// A picture file that is made but not written: what is wrong with the picture showed when it was
/// made, and what is wrong with the disk shows when it is written.
struct EncodedPicture {
  std::filesystem::path path;
  std::string bytes;
  std::vector<std::string> losses;  ///< what the format cannot keep of the picture's facts

  /// Writes it atomically, and notes the losses in `PictureLosses::of_process()`.
  /// @throws c10::Error that names the path if it cannot be written.
  void write() const;
};

/// An 8-bit RGB picture.
///
/// A value that is cheap to copy: copies share their pixels, and nothing in limpid writes to the
/// pixels of an image that exists. Safe to use from several threads.
///
/// Beside its pixels it carries what its file said (`facts`): `save` writes a grey picture grey and
/// keeps its colour profile. What is made from pixels (`from_unit`) has no facts but those that
/// `with_facts` gives it.
class Image {
 public:
  Image() = default;

  /// @param pixels  (H, W, 3) of bytes, 0 ... 255.
  /// @throws c10::ValueError if `pixels` has another shape or type.
  explicit Image(const at::Tensor& pixels);

  /// Reads a picture of any kind in `kPictureFormats`, told by what the file holds: grey becomes
  /// RGB, alpha is dropped, 16 bits become 8, EXIF's orientation is applied. Safe for files of
  /// unknown origin. What is lost so is noted in `PictureLosses::of_process()`.
  ///
  /// @throws c10::Error that names the file and what is wrong with it.
  static Image load(const std::filesystem::path& path,
                    const ImageLimits& limits = ImageLimits::of_process());

  /// A part of a picture file: `load(path).crop(window)`, bit by bit, for less work. What lies
  /// behind the part in the file is not decoded, so that damage there is no error
  /// (docs/io.md says what is looked at in each format).
  ///
  /// @throws what `load` and `crop` throw.
  static Image load_part(const std::filesystem::path& path, const Window& window,
                         const ImageLimits& limits = ImageLimits::of_process());

  /// Reads a picture from the bytes of its file; `name` is what errors call it.
  static Image decode(std::string_view bytes, std::string_view name,
                      const ImageLimits& limits = ImageLimits::of_process());

  /// @param unit  (3, H, W) or (1, 3, H, W); values are clamped to [0, 1] and rounded to bytes.
  /// @throws c10::ValueError if `unit` has another shape, or holds NaN or infinity.
  static Image from_unit(const at::Tensor& unit);

  /// (1, 3, H, W) float in [0, 1].
  at::Tensor unit() const;

  /// (H, W, 3) bytes, contiguous; undefined where the image is empty. Not to be written to.
  const at::Tensor& pixels() const { return pixels_; }

  /// The first byte of the first pixel.
  const std::uint8_t* data() const { return pixels_.data_ptr<std::uint8_t>(); }

  bool empty() const { return !pixels_.defined(); }
  std::int64_t height() const { return empty() ? 0 : pixels_.size(0); }
  std::int64_t width() const { return empty() ? 0 : pixels_.size(1); }

  /// The part of `height` x `width` pixels whose first pixel is (top, left).
  /// @throws c10::ValueError if it does not lie within the image.
  Image crop(std::int64_t top, std::int64_t left, std::int64_t height, std::int64_t width) const;

  Image crop(const Window& window) const;

  /// Shrunk so that its longer side has at most `long_side` pixels; itself where it has no more.
  Image shrunk_to(std::int64_t long_side) const;

  /// Shrunk until it fits into `most_height` x `most_width`, its sides in proportion; itself where
  /// it fits.
  Image shrunk_into(std::int64_t most_height, std::int64_t most_width) const;

  /// Resized to `height` x `width`: linear, antialiased where it shrinks.
  Image resized(std::int64_t height, std::int64_t width) const;

  /// What the picture's file said beside its pixels; that of a coloured picture where there was no
  /// file.
  const PictureFacts& facts() const;

  /// The same pixels, to be written with other facts: those of the picture that they were made
  /// from.
  Image with_facts(const PictureFacts& facts) const;

  /// The same pixels, with the colour profile of the picture that they were made from, not with its
  /// EXIF data; grey only where they still are.
  Image with_colours_of(const Image& original) const;

  /// The bytes of a picture file, of the format that is written under ".`extension`": png, jpg,
  /// bmp, ppm ... A grey picture is written as its luma (ITU-R BT.601).
  std::string encoded(std::string_view extension, int quality = 95) const;

  /// Writes a file atomically; its extension (png, jpg, bmp, ppm ...) says which kind. What the
  /// format cannot keep of the facts is noted in `PictureLosses::of_process()`.
  ///
  /// @throws c10::ValueError for another extension, c10::Error if the file cannot be written.
  void save(const std::filesystem::path& path, int quality = 95) const;

  /// What `save` writes, not yet written.
  /// @throws c10::ValueError for another extension and for more pixels than its format takes,
  ///         c10::Error where memory runs out.
  EncodedPicture encoded_for(const std::filesystem::path& path, int quality = 95) const;

  /// Whether a picture of this size can be saved there, before any work on it.
  /// @throws c10::ValueError that names the path for an extension that is not written, and for more
  ///         pixels than its format takes.
  static void check_can_be_saved(const std::filesystem::path& path, std::int64_t height,
                                 std::int64_t width);

  /// Whether both have the same size and the same pixels.
  friend bool operator==(const Image& a, const Image& b) {
    if (a.height() != b.height() || a.width() != b.width()) return false;
    return a.empty() || std::equal(a.data(), a.data() + a.pixels_.numel(), b.data());
  }

 private:
  static Image from_file(detail::ReadPicture read);

  /// Another picture of the same facts.
  Image alike(const at::Tensor& pixels) const;

  static std::string describe(const at::Tensor& tensor);

  void check_not_empty(const char* what) const;

  at::Tensor pixels_;
  std::shared_ptr<const PictureFacts> facts_;
};

}  // namespace limpid

#ifdef LIMPID_BODIES

namespace limpid::detail {

LIMPID_INLINE void check_crop(const Window& window, std::int64_t height, std::int64_t width) {
  TORCH_CHECK_VALUE(window.lies_within(height, width), "Image: expected a crop within ", height,
                    " x ", width, ", got ", window.height, " x ", window.width, " at (", window.top,
                    ", ", window.left, ")");
}

}  // namespace limpid::detail

namespace limpid {

LIMPID_INLINE void EncodedPicture::write() const {
  write_atomically(path, bytes);
  PictureLosses::of_process().add(losses, path.string());
}

LIMPID_INLINE Image::Image(const at::Tensor& pixels) {
  TORCH_CHECK_VALUE(pixels.defined() && pixels.dim() == 3 && pixels.size(2) == 3 &&
                        pixels.scalar_type() == at::kByte && pixels.numel() > 0,
                    "Image: expected bytes (H, W, 3), got ", describe(pixels));
  pixels_ = pixels.detach().cpu().contiguous();
}

LIMPID_INLINE Image Image::load(const std::filesystem::path& path, const ImageLimits& limits) {
  return from_file(detail::OpenPictureFile{path, limits}.read());
}

LIMPID_INLINE Image Image::load_part(const std::filesystem::path& path, const Window& window,
                                     const ImageLimits& limits) {
  const detail::OpenPictureFile file{path, limits};
  detail::check_crop(window, file.height(), file.width());
  return from_file(file.read(window));
}

LIMPID_INLINE Image Image::decode(std::string_view bytes, std::string_view name,
                                  const ImageLimits& limits) {
  try {
    return from_file(detail::read_picture(bytes, limits));
  } catch (const c10::Error& error) {
    limpid::fail("cannot read image '", name, "': ", error.what_without_backtrace());
  }
}

LIMPID_INLINE Image Image::from_unit(const at::Tensor& unit) {
  const auto dim = unit.defined() ? unit.dim() : 0;
  TORCH_CHECK_VALUE((dim == 3 && unit.size(0) == 3 && unit.numel() > 0) ||
                        (dim == 4 && unit.size(0) == 1 && unit.size(1) == 3 && unit.numel() > 0),
                    "Image: expected (3, H, W) or (1, 3, H, W), got ", describe(unit));
  const auto values = unit.detach().to(at::kCPU, at::kFloat).contiguous();
  const auto height = values.size(dim - 2);
  const auto width = values.size(dim - 1);
  auto pixels = at::empty({height, width, 3}, at::kByte);
  const auto* in = values.data_ptr<float>();
  auto* out = pixels.data_ptr<std::uint8_t>();
  bool all_finite = true;
  for (std::int64_t i = 0; i < height * width; ++i) {
    for (std::int64_t c = 0; c < 3; ++c) {
      const auto value = in[c * height * width + i];
      all_finite = all_finite && std::isfinite(value);
      *out++ = value > 0 ? static_cast<std::uint8_t>(std::min(value, 1.0f) * 255.0f + 0.5f) : 0;
    }
  }
  TORCH_CHECK_VALUE(all_finite, "Image: expected finite values, got NaN or infinity");
  return Image{pixels};
}

LIMPID_INLINE at::Tensor Image::unit() const {
  check_not_empty("unit");
  auto values = at::empty({1, 3, height(), width()}, at::kFloat);
  const auto count = height() * width();
  const auto* in = data();
  auto* out = values.data_ptr<float>();
  for (std::int64_t i = 0; i < count; ++i) {
    for (std::int64_t c = 0; c < 3; ++c) {
      out[c * count + i] = static_cast<float>(in[3 * i + c]) / 255.0f;
    }
  }
  return values;
}

LIMPID_INLINE Image Image::crop(std::int64_t top, std::int64_t left, std::int64_t height,
                                std::int64_t width) const {
  return crop({top, left, height, width});
}

LIMPID_INLINE Image Image::crop(const Window& window) const {
  detail::check_crop(window, height(), width());
  return alike(detail::cropped(pixels_, window));
}

LIMPID_INLINE Image Image::shrunk_to(std::int64_t long_side) const {
  return shrunk_into(long_side, long_side);
}

LIMPID_INLINE Image Image::shrunk_into(std::int64_t most_height, std::int64_t most_width) const {
  check_not_empty("shrunk_into");
  if (height() <= most_height && width() <= most_width) return *this;
  const bool by_height = height() * most_width >= width() * most_height;
  const auto from = by_height ? height() : width();
  const auto to = by_height ? most_height : most_width;
  const auto scaled = [&](std::int64_t side) {
    return std::max<std::int64_t>(1, (side * to + from / 2) / from);
  };
  return resized(scaled(height()), scaled(width()));
}

LIMPID_INLINE Image Image::resized(std::int64_t height, std::int64_t width) const {
  check_not_empty("resized");
  TORCH_CHECK_VALUE(height >= 1 && width >= 1, "Image: expected a size of at least 1 x 1, got ",
                    height, " x ", width);
  if (height == this->height() && width == this->width()) return *this;
  const auto values =
      detail::resized_values(data(), this->height(), this->width(), 3, height, width);
  auto result = at::empty({height, width, 3}, at::kByte);
  auto* out = result.data_ptr<std::uint8_t>();
  for (const auto value : values) {
    *out++ = static_cast<std::uint8_t>(std::clamp(value + 0.5f, 0.0f, 255.0f));
  }
  return alike(result);
}

LIMPID_INLINE const PictureFacts& Image::facts() const {
  static const PictureFacts none;
  return facts_ == nullptr ? none : *facts_;
}

LIMPID_INLINE Image Image::with_facts(const PictureFacts& facts) const {
  auto image = *this;
  image.facts_ = std::make_shared<const PictureFacts>(facts);
  return image;
}

LIMPID_INLINE Image Image::with_colours_of(const Image& original) const {
  check_not_empty("with_colours_of");
  auto facts = original.facts();
  facts.exif.clear();
  facts.is_grey = detail::is_grey(pixels_);
  return with_facts(facts);
}

LIMPID_INLINE std::string Image::encoded(std::string_view extension, int quality) const {
  check_not_empty("encoded");
  const auto dotted = "." + std::string{extension};
  const auto* format = detail::format_written_as(dotted);
  TORCH_CHECK_VALUE(format != nullptr, "Image: expected one of ", detail::writable_extensions(),
                    " to write, got '", dotted, "'");
  TORCH_CHECK_VALUE(quality >= 1 && quality <= 100, "Image: expected a quality in 1 ... 100, got ",
                    quality);
  detail::check_fits(*format, height(), width());
  PictureToWrite picture{.samples = data(),
                         .height = height(),
                         .width = width(),
                         .quality = quality,
                         .extension = dotted,
                         .facts = &facts()};
  if (!facts().is_grey) return format->encode(picture);
  picture.channels = facts().channels == 1 && format->writes_grey ? 1 : 3;
  const auto grey = detail::luma_of(pixels_, picture.channels);
  picture.samples = grey.data_ptr<std::uint8_t>();
  return format->encode(picture);
}

LIMPID_INLINE void Image::save(const std::filesystem::path& path, int quality) const {
  encoded_for(path, quality).write();
}

LIMPID_INLINE EncodedPicture Image::encoded_for(const std::filesystem::path& path,
                                                int quality) const {
  check_can_be_saved(path, height(), width());
  const auto extension = lower_extension(path);
  auto bytes = encoded(extension.substr(1), quality);
  TORCH_CHECK(!bytes.empty(), "cannot write image '", path.string(), "': out of memory");
  const auto& format = *detail::format_written_as(extension);
  return {path, std::move(bytes), detail::losses_of_writing(facts(), format)};
}

LIMPID_INLINE void Image::check_can_be_saved(const std::filesystem::path& path, std::int64_t height,
                                             std::int64_t width) {
  const auto where = "cannot write image '" + path.string() + "'";
  const auto extension = lower_extension(path);
  const auto* format = detail::format_written_as(extension);
  TORCH_CHECK_VALUE(format != nullptr, where, ": expected an extension ",
                    detail::writable_extensions(), ", got '", extension, "'");
  naming(where, [&] { detail::check_fits(*format, height, width); });
}

LIMPID_INLINE Image Image::from_file(detail::ReadPicture read) {
  Image image{read.pixels};
  image.facts_ = std::make_shared<const PictureFacts>(std::move(read.facts));
  return image;
}

LIMPID_INLINE Image Image::alike(const at::Tensor& pixels) const {
  Image image{pixels};
  image.facts_ = facts_;
  return image;
}

LIMPID_INLINE std::string Image::describe(const at::Tensor& tensor) {
  if (!tensor.defined()) return "an undefined tensor";
  std::string text = c10::toString(tensor.scalar_type());
  text += " (";
  for (std::int64_t i = 0; i < tensor.dim(); ++i) {
    text += (i > 0 ? ", " : "") + std::to_string(tensor.size(i));
  }
  return text + ")";
}

LIMPID_INLINE void Image::check_not_empty(const char* what) const {
  TORCH_CHECK_VALUE(!empty(), "Image: ", what, "() of an empty image");
}

}  // namespace limpid

#endif  // LIMPID_BODIES
