#pragma once

#include <limpid/core/compiled.hpp>
#include <limpid/inference/tile_grid.hpp>
#include <limpid/io/image.hpp>
#include <limpid/io/picture_view.hpp>

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <optional>
#include <utility>

#ifdef LIMPID_BODIES
#include <limpid/core/window.hpp>
#endif

namespace limpid::detail {

/// A picture to be restored, wherever its pixels are: an image, memory of somebody else's, which
/// must stay as it is meanwhile, or floats. Of the former two only parts are ever floating-point
/// numbers.
class DegradedPicture {
 public:
  DegradedPicture(Image image) : image_(std::move(image)) {}

  /// @param view  checked
  explicit DegradedPicture(const PictureView& view) : view_(view) {}

  /// @param unit  (1, 3, H, W) float in [0, 1], on the CPU
  explicit DegradedPicture(at::Tensor unit) : unit_(std::move(unit)) {}

  std::int64_t height() const;
  std::int64_t width() const;
  bool empty() const { return !unit_.defined() && !view_ && image_.empty(); }

  /// A part: (1, 3, h, w) float in [0, 1].
  at::Tensor unit(const Rectangle& part) const;

  /// All of it.
  at::Tensor unit() const;

 private:
  Image image_;
  std::optional<PictureView> view_;
  at::Tensor unit_;
};

}  // namespace limpid::detail

#ifdef LIMPID_BODIES

namespace limpid::detail {

LIMPID_INLINE std::int64_t DegradedPicture::height() const {
  return unit_.defined() ? unit_.size(2) : view_ ? view_->height : image_.height();
}

LIMPID_INLINE std::int64_t DegradedPicture::width() const {
  return unit_.defined() ? unit_.size(3) : view_ ? view_->width : image_.width();
}

LIMPID_INLINE at::Tensor DegradedPicture::unit(const Rectangle& part) const {
  if (unit_.defined()) {
    return unit_.narrow(2, part.top, part.height).narrow(3, part.left, part.width);
  }
  const Window window{part.top, part.left, part.height, part.width};
  return view_ ? unit_of(*view_, window) : image_.crop(window).unit();
}

LIMPID_INLINE at::Tensor DegradedPicture::unit() const {
  if (unit_.defined()) return unit_;
  return view_ ? unit_of(*view_, Window::whole(height(), width())) : image_.unit();
}

}  // namespace limpid::detail

#endif  // LIMPID_BODIES
