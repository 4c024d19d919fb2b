#pragma once

#include <limpid/core/compiled.hpp>
#include <limpid/core/window.hpp>
#include <limpid/io/cut_pictures.hpp>
#include <limpid/io/image.hpp>
#include <limpid/io/image_limits.hpp>
#include <limpid/io/picture_file.hpp>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <utility>

namespace limpid {

/// A picture of which parts can be had: a file that is open and of known size, decoded only as far
/// as a part needs, or an `Image` that is there already.
///
/// A value that is cheap to copy. Safe to use from several threads.
class LazyImage {
 public:
  LazyImage(Image image)
      : image_(std::move(image)), window_(Window::whole(image_.height(), image_.width())) {}

  /// Reads a file and its header. @throws what `Image::load` throws of these
  static LazyImage open(const std::filesystem::path& path,
                        const ImageLimits& limits = ImageLimits::of_process());

  std::int64_t height() const { return window_.height; }
  std::int64_t width() const { return window_.width; }
  bool empty() const;

  /// A window of it as a picture of its own, still not decoded.
  /// @throws c10::ValueError if the window does not lie within it.
  LazyImage within(const Window& window) const;

  /// The same, with parts from `cuts` where it has them; that may belong to several pictures.
  LazyImage cut_by(std::shared_ptr<CutPictures> cuts) const;

  /// Decodes a window of it: bit by bit `load().crop(window)`.
  /// @throws c10::ValueError if the window does not lie within it, and what `Image::load` throws.
  Image part(const Window& window) const;

  /// Decodes all of it.
  Image load() const;

  /// Whether both are the same part of the same file or of the same pixels.
  bool is_same(const LazyImage& other) const;

 private:
  std::shared_ptr<const detail::OpenPictureFile> file_;
  std::shared_ptr<CutPictures> cuts_;
  Image image_;
  Window window_;
};

}  // namespace limpid

#ifdef LIMPID_BODIES

namespace limpid {

LIMPID_INLINE LazyImage LazyImage::open(const std::filesystem::path& path,
                                        const ImageLimits& limits) {
  LazyImage opened{Image{}};
  opened.file_ = std::make_shared<const detail::OpenPictureFile>(path, limits);
  opened.window_ = Window::whole(opened.file_->height(), opened.file_->width());
  return opened;
}

LIMPID_INLINE bool LazyImage::empty() const { return height() == 0; }

LIMPID_INLINE LazyImage LazyImage::within(const Window& window) const {
  detail::check_crop(window, height(), width());
  auto part = *this;
  part.window_ = window_.inner(window);
  return part;
}

LIMPID_INLINE Image LazyImage::part(const Window& window) const { return within(window).load(); }

LIMPID_INLINE Image LazyImage::load() const {
  if (file_ == nullptr) return empty() ? image_ : image_.crop(window_);
  const bool is_whole = window_ == Window::whole(file_->height(), file_->width());
  const auto cut = is_whole || cuts_ == nullptr ? nullptr : cuts_->of(*file_, window_);
  auto read = is_whole ? file_->read() : file_->read(window_, cut.get());
  return Image{read.pixels}.with_facts(read.facts);
}

LIMPID_INLINE LazyImage LazyImage::cut_by(std::shared_ptr<CutPictures> cuts) const {
  auto same = *this;
  same.cuts_ = std::move(cuts);
  return same;
}

LIMPID_INLINE bool LazyImage::is_same(const LazyImage& other) const {
  return window_ == other.window_ && file_ == other.file_ &&
         image_.pixels().is_same(other.image_.pixels());
}

}  // namespace limpid

#endif  // LIMPID_BODIES
