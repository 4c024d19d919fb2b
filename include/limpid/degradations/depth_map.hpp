#pragma once

#include <limpid/core/compiled.hpp>
#include <limpid/io/image.hpp>
#include <limpid/io/tensor_index.hpp>

#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#ifdef LIMPID_BODIES
#include <limpid/core/check.hpp>
#include <limpid/io/grey_image.hpp>
#include <limpid/io/npy.hpp>
#include <limpid/io/npz.hpp>

#include <c10/util/Exception.h>

#include <algorithm>
#include <cmath>
#include <limits>
#endif

namespace limpid {

/// What a depth map's value 0 means.
enum class ZeroDepth {
  unknown,  ///< no measurement there, as sensors and stereo sets write it
  near,     ///< the nearest depth of all
};

/// How the values of a depth map become the distances that haze goes by.
struct DepthOptions {
  bool disparity = false;  ///< the values are disparity: distance = unit / value
  /// Distance = unit * value (a 16-bit picture in millimetres and a unit of 0.001 give metres); for
  /// disparity the focal length in pixels times the baseline. 0: relative, so that the farthest
  /// known point of each map has distance 1.
  double unit = 0;
  ZeroDepth zero = ZeroDepth::unknown;  ///< disparity 0 is unknown in any case
};

/// Distances and how much of them was measured.
struct Distances {
  at::Tensor values;         ///< (H, W) float, finite, at least 0
  std::int64_t unknown = 0;  ///< pixels that were filled
  double nearest = 0;        ///< of those that were known
  double farthest = 0;
};

/// The values of a depth map as its file holds them: a grey picture of 8 or 16 bits (whole numbers,
/// see `GreyImage`), or an array (H, W) in a .npy or .npz file.
///
/// @return (H, W) float.
/// @throws c10::Error that names the file and what is wrong with it.
LIMPID_INLINE at::Tensor read_depth_map(const std::filesystem::path& path);

/// Gives each pixel that is not finite the value of the nearest finite one, counted in steps
/// between pixels that share a side; of several the one that was reached first, row by row.
///
/// @param map  (H, W) float with at least one finite value.
LIMPID_INLINE at::Tensor fill_unknown(const at::Tensor& map);

/// Depth map or disparity map -> distances. Values that are infinite, NaN or negative, and zeros
/// unless they mean "near", are unknown: they are counted and filled from the nearest known pixel.
///
/// @param map  (H, W) float.
/// @throws c10::ValueError if nothing is known, or, without a unit, everything is at distance 0.
LIMPID_INLINE Distances distances_of(const at::Tensor& map, const DepthOptions& options = {});

/// A map of the size of a photograph: linear between its values, antialiased where it shrinks.
///
/// @param map  (H, W) float, finite.
/// @throws c10::ValueError if the shapes differ by more than 5 % in their ratio of sides.
LIMPID_INLINE at::Tensor resized_map(const at::Tensor& map, std::int64_t height,
                                     std::int64_t width);

}  // namespace limpid

#ifdef LIMPID_BODIES

namespace limpid {

LIMPID_INLINE at::Tensor read_depth_map(const std::filesystem::path& path) {
  const auto extension = lower_extension(path);
  if (extension != ".npy" && extension != ".npz") return GreyImage::load(path).values;
  at::Tensor map;
  if (extension == ".npy") {
    map = read_npy(path);
  } else {
    const auto arrays = read_npz(path);
    TORCH_CHECK(arrays.size() == 1, "cannot read depth map '", path.string(),
                "': expected one array, found ", arrays.size());
    map = arrays.begin()->second;
  }
  while (map.dim() > 2 && map.size(0) == 1) map = map.squeeze(0);
  TORCH_CHECK(map.dim() == 2 && map.numel() > 0, "cannot read depth map '", path.string(),
              "': expected an array (H, W), found ", map.sizes());
  return map.to(at::kFloat).contiguous();
}

LIMPID_INLINE at::Tensor fill_unknown(const at::Tensor& map) {
  auto filled = map.detach().contiguous().clone();
  const auto height = filled.size(0);
  const auto width = filled.size(1);
  auto* value = filled.data_ptr<float>();
  std::vector<std::int64_t> reached;  // in the order of their distance from what is known
  reached.reserve(static_cast<std::size_t>(filled.numel()));
  for (std::int64_t i = 0; i < filled.numel(); ++i) {
    if (std::isfinite(value[i])) reached.push_back(i);
  }
  TORCH_CHECK_VALUE(!reached.empty(), "fill_unknown: expected a known value, got none");
  for (std::size_t next = 0; next < reached.size(); ++next) {
    const auto from = reached[next];
    const auto y = from / width;
    const auto x = from % width;
    const auto reach = [&](bool inside, std::int64_t to) {
      if (!inside || std::isfinite(value[to])) return;
      value[to] = value[from];
      reached.push_back(to);
    };
    reach(y > 0, from - width);
    reach(x > 0, from - 1);
    reach(x + 1 < width, from + 1);
    reach(y + 1 < height, from + width);
  }
  return filled;
}

LIMPID_INLINE Distances distances_of(const at::Tensor& map, const DepthOptions& options) {
  detail::check_not_negative("distances_of: unit", options.unit);
  TORCH_CHECK_VALUE(map.dim() == 2 && map.numel() > 0 && map.scalar_type() == at::kFloat,
                    "distances_of: expected a map (H, W) of Float, got ", map.sizes(), " of ",
                    toString(map.scalar_type()));
  const auto raw = map.detach().contiguous();
  const auto* in = raw.data_ptr<float>();
  auto distances = at::empty(raw.sizes(), at::kFloat);
  auto* out = distances.data_ptr<float>();
  const bool zero_is_known = options.zero == ZeroDepth::near && !options.disparity;
  const auto unit = options.unit > 0 ? options.unit : 1.0;
  Distances result;
  auto nearest = std::numeric_limits<float>::infinity();
  auto farthest = -1.0f;
  for (std::int64_t i = 0; i < raw.numel(); ++i) {
    const bool known = std::isfinite(in[i]) && (in[i] > 0 || (in[i] == 0 && zero_is_known));
    out[i] = !known              ? std::numeric_limits<float>::quiet_NaN()
             : options.disparity ? static_cast<float>(unit / in[i])
                                 : static_cast<float>(unit * in[i]);
    if (!std::isfinite(out[i])) {
      ++result.unknown;
      continue;
    }
    nearest = std::min(nearest, out[i]);
    farthest = std::max(farthest, out[i]);
  }
  TORCH_CHECK_VALUE(farthest > 0 || (farthest == 0 && options.unit > 0),
                    "expected known depths, found ", farthest < 0 ? "none" : "zeros only");
  const auto scale = options.unit > 0 ? 1.0f : 1.0f / farthest;
  if (options.unit == 0) {
    for (std::int64_t i = 0; i < raw.numel(); ++i) out[i] = std::min(out[i] * scale, 1.0f);
  }
  result.values = fill_unknown(distances);
  result.nearest = scale * nearest;
  result.farthest = scale * farthest;
  return result;
}

LIMPID_INLINE at::Tensor resized_map(const at::Tensor& map, std::int64_t height,
                                     std::int64_t width) {
  const auto from_height = map.size(0);
  const auto from_width = map.size(1);
  const auto stretch =
      static_cast<double>(height * from_width) / static_cast<double>(width * from_height);
  TORCH_CHECK_VALUE(stretch > 0.95 && stretch < 1 / 0.95, "expected a depth map of the shape ",
                    width, " x ", height, ", found ", from_width, " x ", from_height);
  if (height == from_height && width == from_width) return map;
  const auto source = map.contiguous();
  const auto values =
      detail::resized_values(source.data_ptr<float>(), from_height, from_width, 1, height, width);
  auto result = at::empty({height, width}, at::kFloat);
  std::copy(values.begin(), values.end(), result.data_ptr<float>());
  return result;
}

}  // namespace limpid

#endif  // LIMPID_BODIES
