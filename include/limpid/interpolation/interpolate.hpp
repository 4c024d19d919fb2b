#pragma once

#include <limpid/core/check.hpp>
#include <limpid/core/finite.hpp>
#include <limpid/core/padding.hpp>
#include <limpid/core/tiling.hpp>
#include <limpid/interpolation/sepconv_network.hpp>

#include <ATen/core/Tensor.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/replication_pad2d.h>
#include <c10/core/GradMode.h>
#include <c10/util/Exception.h>

#include <cstdint>
#include <vector>

namespace limpid {

/// How frames are padded to the sides that a network takes; always by replication, cropped after.
enum class SepConvPadding {
  improved,  ///< right and bottom, as the published code does by default
  paper,     ///< taps / 2 left and top, the rest right and bottom, but at least as much there
};

/// How a frame is computed.
struct InterpolationOptions {
  Tiling tiling{.tile = 512, .overlap = 64};  ///< a tile's side is a multiple of the network's
  SepConvPadding padding = SepConvPadding::improved;
};

namespace detail {

struct FramePadding {
  std::int64_t left, right, top, bottom;
};

/// Sides become multiples of four times the network's: 128 for the published one.
inline FramePadding frame_padding(const SepConvOptions& network, SepConvPadding padding,
                                  std::int64_t height, std::int64_t width) {
  const ImagePadding sides{.multiple = 4 * network.multiple()};
  const auto least = padding == SepConvPadding::paper ? network.taps / 2 : 0;
  const auto after = [&](std::int64_t side) {
    return sides.padded(side + 2 * least) - side - least;
  };
  return {least, after(width), least, after(height)};
}

}  // namespace detail

/// The frame halfway between two. Nothing is recorded for gradients; runs where the network is.
///
/// @param first, second  (1, 3, H, W) RGB in [0, 1], of any equal size
/// @return               (1, 3, H, W) in [0, 1], on the frames' device
/// @throws c10::ValueError for other shapes, or a tile that is no multiple of the network's sides.
inline at::Tensor interpolate(SepConvNetwork network, const at::Tensor& first,
                              const at::Tensor& second, const InterpolationOptions& options = {}) {
  detail::check_image("interpolate", first);
  TORCH_CHECK_VALUE(first.size(0) == 1 && second.sizes() == first.sizes(),
                    "interpolate: expected two frames (1, 3, H, W) of one size, got ",
                    first.sizes(), " and ", second.sizes());
  const auto multiple = network->options().multiple();
  TORCH_CHECK_VALUE(options.tiling.tile == Tiling::automatic || options.tiling.tile % multiple == 0,
                    "interpolate: tile must be a multiple of ", multiple, ", got ",
                    options.tiling.tile);
  const c10::NoGradGuard no_grad;
  const auto height = first.size(2), width = first.size(3);
  const auto pad = detail::frame_padding(network->options(), options.padding, height, width);
  const auto device = network->parameters().front().device();
  const auto both = at::replication_pad2d(at::cat({first, second}, 1).to(device),
                                          {pad.left, pad.right, pad.top, pad.bottom});
  const auto middle = restore_tiled(
      [&](const at::Tensor& tile) {
        return network->forward(tile.narrow(1, 0, 3), tile.narrow(1, 3, 3));
      },
      both, options.tiling);
  check_picture_finite("the frame made between two", middle);
  return middle.narrow(2, pad.top, height)
      .narrow(3, pad.left, width)
      .clamp(0, 1)
      .to(first.device());
}

/// The `factor` - 1 frames between two, evenly spaced in time: the middle first, then the middles
/// of both halves, and so on.
///
/// @param factor  a power of two from 2
/// @return        frames (1, 3, H, W) in the order of time
/// @throws c10::ValueError for another factor, and as `interpolate`.
inline std::vector<at::Tensor> interpolate_between(SepConvNetwork network, const at::Tensor& first,
                                                   const at::Tensor& second, std::int64_t factor,
                                                   const InterpolationOptions& options = {}) {
  TORCH_CHECK_VALUE(factor >= 2 && (factor & (factor - 1)) == 0,
                    "interpolate_between: factor must be a power of two from 2, got ", factor);
  std::vector<at::Tensor> frames{first, second};
  while (static_cast<std::int64_t>(frames.size()) <= factor) {
    std::vector<at::Tensor> doubled{frames.front()};
    for (std::size_t i = 1; i < frames.size(); ++i) {
      doubled.push_back(interpolate(network, frames[i - 1], frames[i], options));
      doubled.push_back(frames[i]);
    }
    frames = std::move(doubled);
  }
  return {frames.begin() + 1, frames.end() - 1};
}

}  // namespace limpid
