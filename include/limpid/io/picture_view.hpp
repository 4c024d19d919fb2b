#pragma once

#include <limpid/core/compiled.hpp>
#include <limpid/core/named.hpp>
#include <limpid/core/window.hpp>
#include <limpid/io/image.hpp>
#include <limpid/io/picture_file.hpp>

#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>

#include <cstdint>
#include <string>
#include <string_view>

// Pictures in memory that somebody else owns: of a camera, a window, a video, another library.

#ifdef LIMPID_BODIES
#include <limpid/core/errors.hpp>
#include <limpid/core/fail.hpp>

#include <c10/util/Exception.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#endif

namespace limpid {

/// How the pixels of a picture lie in memory, one value behind the other.
enum class PixelFormat {
  rgb8,         ///< red, green, blue: a byte each
  bgr8,         ///< blue, green, red: a byte each, as OpenCV has it
  rgba8,        ///< and how opaque it is: not premultiplied
  bgra8,        ///< as most windows have it
  grey8,        ///< one byte
  rgb_float32,  ///< red, green, blue: values in [0, 1]
};

/// What limpid must know of a `PixelFormat`.
struct PixelLayout {
  PixelFormat format;
  std::int64_t bytes;           ///< of a pixel
  int red, green, blue, alpha;  ///< which of its values it is; -1: it has none

  constexpr bool has_alpha() const { return alpha >= 0; }
  constexpr bool is_grey() const { return red == blue; }
};

/// The formats by name, as users write them.
inline constexpr NamedTable kPixelFormats{
    "a pixel format",
    Named{"rgb8", "red, green, blue", PixelLayout{PixelFormat::rgb8, 3, 0, 1, 2, -1}},
    Named{"bgr8", "blue, green, red", PixelLayout{PixelFormat::bgr8, 3, 2, 1, 0, -1}},
    Named{"rgba8", "red, green, blue, alpha", PixelLayout{PixelFormat::rgba8, 4, 0, 1, 2, 3}},
    Named{"bgra8", "blue, green, red, alpha", PixelLayout{PixelFormat::bgra8, 4, 2, 1, 0, 3}},
    Named{"grey8", "one byte", PixelLayout{PixelFormat::grey8, 1, 0, 0, 0, -1}},
    Named{"rgb-float32", "red, green, blue, in [0, 1]",
          PixelLayout{PixelFormat::rgb_float32, 12, 0, 1, 2, -1}},
};

/// @throws c10::ValueError for a number that is none of the formats.
LIMPID_INLINE PixelLayout pixel_layout(PixelFormat format);

LIMPID_INLINE std::string_view name_of(PixelFormat format);

/// A picture in memory, to be read.
///
/// ```cpp
/// PictureView frame{.pixels = data, .width = 640, .height = 480, .format = PixelFormat::bgra8};
/// ```
struct PictureView {
  const void* pixels = nullptr;  ///< the first pixel of the first row
  std::int64_t width = 0, height = 0;
  PixelFormat format = PixelFormat::rgb8;
  /// Bytes from a row to the next; 0: none lie between them. Negative where the picture lies
  /// upside down: `pixels` is still the row at its top.
  std::int64_t stride = 0;
};

/// A picture in memory, to be written, or read and written.
struct PictureBuffer {
  void* pixels = nullptr;  ///< the first pixel of the first row
  std::int64_t width = 0, height = 0;
  PixelFormat format = PixelFormat::rgb8;
  std::int64_t stride = 0;  ///< as in `PictureView`

  operator PictureView() const { return {pixels, width, height, format, stride}; }
};

namespace detail {

/// A view whose numbers are those of a picture, and its stride in bytes.
/// @param what  how errors begin: "degraded picture"
/// @throws c10::ValueError that says what is wrong with it.
LIMPID_INLINE PictureView checked_view(std::string_view what, PictureView view);

LIMPID_INLINE const std::uint8_t* row_of(const PictureView& view, std::int64_t row);

LIMPID_INLINE std::uint8_t* row_of(const PictureBuffer& buffer, std::int64_t row);

/// (1, 3, h, w) float in [0, 1]: a part of a checked view.
/// @throws c10::ValueError for a value that is not finite.
LIMPID_INLINE at::Tensor unit_of(const PictureView& view, const Window& part);

/// (H, W) bytes: how opaque each pixel of a checked view is; undefined where it does not say.
LIMPID_INLINE at::Tensor alpha_of(const PictureView& view);

/// Writes (H, W, 3) bytes to a checked buffer of their size that is not `rgb_float32`.
/// @param alpha  as of `alpha_of`; opaque where it is undefined
LIMPID_INLINE void write_bytes(const at::Tensor& pixels, const at::Tensor& alpha,
                               const PictureBuffer& buffer);

/// Writes (1, 3, H, W) floats to a checked buffer of `rgb_float32`.
LIMPID_INLINE void write_floats(const at::Tensor& unit, const PictureBuffer& buffer);

/// A checked buffer for a picture of this size.
LIMPID_INLINE PictureBuffer checked_buffer(std::string_view what, PictureBuffer buffer,
                                           std::int64_t height, std::int64_t width);

}  // namespace detail

/// A copy of a picture in memory, rounded to 8 bits; alpha is dropped.
/// @throws c10::ValueError that says what is wrong with the view.
LIMPID_INLINE Image image_of(const PictureView& picture);

/// Writes an image to memory, opaque where there is alpha, as its luma where that is grey.
/// @throws c10::ValueError unless the buffer is of its size.
LIMPID_INLINE void copy_to(const PictureBuffer& destination, const Image& image);

}  // namespace limpid

#ifdef LIMPID_BODIES

namespace limpid {

LIMPID_INLINE PixelLayout pixel_layout(PixelFormat format) {
  const PixelLayout* found = nullptr;
  kPixelFormats.for_each([&](const auto& entry) {
    if (entry.value.format == format) found = &entry.value;
  });
  if (found == nullptr) {
    limpid::refuse("expected ", kPixelFormats.kind(), ", one of ", kPixelFormats.list(),
                   "; got number ", static_cast<int>(format));
  }
  return *found;
}

LIMPID_INLINE std::string_view name_of(PixelFormat format) {
  std::string_view name;
  kPixelFormats.for_each([&](const auto& entry) {
    if (entry.value.format == format) name = entry.name;
  });
  return name;
}

}  // namespace limpid

namespace limpid::detail {

LIMPID_INLINE PictureView checked_view(std::string_view what, PictureView view) {
  constexpr std::int64_t kMost = std::int64_t{1} << 40;  // pixels: bytes stay far below 2^63
  const auto layout = naming(std::string{what}, [&] { return pixel_layout(view.format); });
  TORCH_CHECK_VALUE(view.pixels != nullptr, what, ": expected pixels, got a null pointer");
  TORCH_CHECK_VALUE(view.width >= 1 && view.height >= 1 && view.height <= kMost / view.width, what,
                    ": expected a size of at least 1 x 1, got ", view.width, " x ", view.height);
  const auto row = view.width * layout.bytes;
  if (view.stride == 0) view.stride = row;
  const auto most = (std::int64_t{1} << 60) / view.height;
  TORCH_CHECK_VALUE(
      view.stride >= -most && view.stride <= most && (view.stride >= row || view.stride <= -row),
      what, ": expected a stride of at least ", row, " bytes for ", view.width, " pixels of ",
      name_of(view.format), ", got ", view.stride);
  return view;
}

LIMPID_INLINE const std::uint8_t* row_of(const PictureView& view, std::int64_t row) {
  return static_cast<const std::uint8_t*>(view.pixels) + row * view.stride;
}

LIMPID_INLINE std::uint8_t* row_of(const PictureBuffer& buffer, std::int64_t row) {
  return static_cast<std::uint8_t*>(buffer.pixels) + row * buffer.stride;
}

LIMPID_INLINE at::Tensor unit_of(const PictureView& view, const Window& part) {
  const auto layout = pixel_layout(view.format);
  const int channels[3] = {layout.red, layout.green, layout.blue};
  auto values = at::empty({1, 3, part.height, part.width}, at::kFloat);
  const auto plane = part.height * part.width;
  auto* out = values.data_ptr<float>();
  bool all_finite = true;
  for (std::int64_t y = 0; y < part.height; ++y, out += part.width) {
    const auto* in = row_of(view, part.top + y) + part.left * layout.bytes;
    for (std::int64_t x = 0; x < part.width; ++x, in += layout.bytes) {
      for (int c = 0; c < 3; ++c) {
        if (view.format != PixelFormat::rgb_float32) {
          out[c * plane + x] = static_cast<float>(in[channels[c]]) / 255.0f;
          continue;
        }
        float value;  // rows need not be aligned
        std::memcpy(&value, in + 4 * channels[c], sizeof value);
        all_finite = all_finite && std::isfinite(value);
        out[c * plane + x] = std::clamp(value, 0.0f, 1.0f);
      }
    }
  }
  TORCH_CHECK_VALUE(all_finite, "degraded picture: expected finite values, got NaN or infinity");
  return values;
}

LIMPID_INLINE at::Tensor alpha_of(const PictureView& view) {
  const auto layout = pixel_layout(view.format);
  if (!layout.has_alpha()) return {};
  auto alpha = at::empty({view.height, view.width}, at::kByte);
  auto* out = alpha.data_ptr<std::uint8_t>();
  for (std::int64_t y = 0; y < view.height; ++y) {
    const auto* in = row_of(view, y) + layout.alpha;
    for (std::int64_t x = 0; x < view.width; ++x, in += layout.bytes) *out++ = *in;
  }
  return alpha;
}

LIMPID_INLINE void write_bytes(const at::Tensor& pixels, const at::Tensor& alpha,
                               const PictureBuffer& buffer) {
  const auto layout = pixel_layout(buffer.format);
  const auto source = layout.is_grey() ? luma_of(pixels, 3) : pixels;
  const auto* in = source.data_ptr<std::uint8_t>();
  const auto* opaque = alpha.defined() ? alpha.data_ptr<std::uint8_t>() : nullptr;
  for (std::int64_t y = 0; y < buffer.height; ++y) {
    auto* out = row_of(buffer, y);
    for (std::int64_t x = 0; x < buffer.width; ++x, in += 3, out += layout.bytes) {
      out[layout.red] = in[0];
      out[layout.green] = in[1];
      out[layout.blue] = in[2];
      if (layout.has_alpha()) out[layout.alpha] = opaque != nullptr ? *opaque++ : 255;
    }
  }
}

LIMPID_INLINE void write_floats(const at::Tensor& unit, const PictureBuffer& buffer) {
  const auto* in = unit.data_ptr<float>();
  const auto plane = buffer.height * buffer.width;
  for (std::int64_t y = 0; y < buffer.height; ++y, in += buffer.width) {
    auto* out = row_of(buffer, y);
    for (std::int64_t x = 0; x < buffer.width; ++x) {
      for (int c = 0; c < 3; ++c, out += 4) std::memcpy(out, in + c * plane + x, 4);
    }
  }
}

LIMPID_INLINE PictureBuffer checked_buffer(std::string_view what, PictureBuffer buffer,
                                           std::int64_t height, std::int64_t width) {
  buffer.stride = checked_view(what, buffer).stride;
  TORCH_CHECK_VALUE(buffer.height == height && buffer.width == width, what, ": expected ", width,
                    " x ", height, " pixels, got ", buffer.width, " x ", buffer.height);
  return buffer;
}

}  // namespace limpid::detail

namespace limpid {

LIMPID_INLINE Image image_of(const PictureView& picture) {
  const auto view = detail::checked_view("picture", picture);
  if (view.format == PixelFormat::rgb_float32) {
    return Image::from_unit(detail::unit_of(view, Window::whole(view.height, view.width)));
  }
  const auto layout = pixel_layout(view.format);
  auto pixels = at::empty({view.height, view.width, 3}, at::kByte);
  auto* out = pixels.data_ptr<std::uint8_t>();
  for (std::int64_t y = 0; y < view.height; ++y) {
    const auto* in = detail::row_of(view, y);
    for (std::int64_t x = 0; x < view.width; ++x, in += layout.bytes) {
      *out++ = in[layout.red];
      *out++ = in[layout.green];
      *out++ = in[layout.blue];
    }
  }
  return Image{pixels};
}

LIMPID_INLINE void copy_to(const PictureBuffer& destination, const Image& image) {
  const auto buffer =
      detail::checked_buffer("destination", destination, image.height(), image.width());
  if (buffer.format == PixelFormat::rgb_float32) {
    detail::write_floats(image.unit(), buffer);
  } else {
    detail::write_bytes(image.pixels(), {}, buffer);
  }
}

}  // namespace limpid

#endif  // LIMPID_BODIES
