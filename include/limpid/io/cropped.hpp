#pragma once

#include <limpid/core/compiled.hpp>
#include <limpid/core/window.hpp>

#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>

#include <cstdint>

#ifdef LIMPID_BODIES
#include <algorithm>
#endif

namespace limpid::detail {

/// A window of (H, W, C) bytes, which lies within them: a copy, or themselves where it is all.
LIMPID_INLINE at::Tensor cropped(const at::Tensor& pixels, const Window& window);

}  // namespace limpid::detail

#ifdef LIMPID_BODIES

namespace limpid::detail {

LIMPID_INLINE at::Tensor cropped(const at::Tensor& pixels, const Window& window) {
  const auto width = pixels.size(1);
  const auto channels = pixels.size(2);
  if (window == Window::whole(pixels.size(0), width)) return pixels;
  auto part = at::empty({window.height, window.width, channels}, at::kByte);
  auto* out = part.data_ptr<std::uint8_t>();
  const auto* in = pixels.data_ptr<std::uint8_t>();
  for (auto y = window.top; y < window.bottom(); ++y) {
    out = std::copy_n(in + (y * width + window.left) * channels, window.width * channels, out);
  }
  return part;
}

}  // namespace limpid::detail

#endif  // LIMPID_BODIES
