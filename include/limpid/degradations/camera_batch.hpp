#pragma once

#include <limpid/core/compiled.hpp>
#include <limpid/degradations/bayer.hpp>
#include <limpid/degradations/camera_pipeline.hpp>

#include <ATen/core/Tensor.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/maximum.h>
#include <ATen/ops/where.h>

#include <cstddef>
#include <cstdint>
#include <vector>

#ifdef LIMPID_BODIES
#include <limpid/degradations/batch_tensors.hpp>

#include <ATen/TensorOperators.h>
#endif

namespace limpid::detail {

/// `CameraPipeline` and `Demosaic` of a batch: one camera for each picture.
class CameraBatch {
 public:
  CameraBatch(const std::vector<CameraPipeline>& cameras, std::int64_t height, std::int64_t width,
              c10::Device device);

  /// (N, 3, H, W) stored -> (N, 1, H, W), what the sensor sees of each pixel.
  at::Tensor sensor(const at::Tensor& stored) const;

  at::Tensor balanced(const at::Tensor& raw) const;

  /// (N, 1, H, W), white-balanced, -> (N, 3, H, W) as a file holds it.
  at::Tensor stored(const at::Tensor& raw) const;

 private:
  static at::Tensor product(const at::Tensor& matrices, const at::Tensor& colours);

  /// As `Demosaic::at` of each pixel.
  at::Tensor colours(const at::Tensor& raw) const;

  at::Tensor camera_of_rgb_, rgb_of_camera_, gains_, is_seen_, even_row_;
};

}  // namespace limpid::detail

#ifdef LIMPID_BODIES

namespace limpid::detail {

LIMPID_INLINE CameraBatch::CameraBatch(const std::vector<CameraPipeline>& cameras,
                                       std::int64_t height, std::int64_t width,
                                       c10::Device device) {
  const auto count = static_cast<std::int64_t>(cameras.size());
  std::vector<float> to_camera, from_camera, gains;
  for (const auto& camera : cameras) {
    for (std::size_t i = 0; i < 3; ++i) {
      const auto& there = camera.camera_of_rgb[i];
      const auto& back = camera.rgb_of_camera[i];
      to_camera.insert(to_camera.end(), there.begin(), there.end());
      from_camera.insert(from_camera.end(), back.begin(), back.end());
      gains.push_back(camera.gains[i]);
    }
  }
  camera_of_rgb_ = numbers_on(device, to_camera, {count, 3, 3, 1, 1});
  rgb_of_camera_ = numbers_on(device, from_camera, {count, 3, 3, 1, 1});
  gains_ = numbers_on(device, gains, {count, 3, 1, 1});
  // As `bayer_colour`: 0 red, 1 green, 2 blue.
  const auto whole = at::TensorOptions().dtype(at::kLong).device(device);
  const auto row = at::arange(height, whole).remainder(2).reshape({1, 1, height, 1});
  const auto column = at::arange(width, whole).remainder(2).reshape({1, 1, 1, width});
  is_seen_ = (row + column == at::arange(3, whole).reshape({1, 3, 1, 1})).to(at::kFloat);
  even_row_ = row == 0;
}

LIMPID_INLINE at::Tensor CameraBatch::sensor(const at::Tensor& stored) const {
  const auto linear = 0.5 - ((1 - 2 * stored.clamp(0, 1)).asin() / 3).sin();
  const auto colour = product(camera_of_rgb_, linear.clamp_min(1e-8).pow(CameraPipeline::kGamma));
  const auto above = (colour.mean(1, true) - 0.9).clamp_min(0) / 0.1;
  const auto keep = above.square().clamp_max(1);
  const auto lowered = 1 / gains_;
  const auto kept = colour * at::maximum(keep + (1 - keep) * lowered, lowered);
  return (kept.clamp(0, 1) * is_seen_).sum(1, true);
}

LIMPID_INLINE at::Tensor CameraBatch::balanced(const at::Tensor& raw) const {
  return (raw * (gains_ * is_seen_).sum(1, true)).clamp(0, 1);
}

LIMPID_INLINE at::Tensor CameraBatch::stored(const at::Tensor& raw) const {
  const auto bent =
      product(rgb_of_camera_, colours(raw)).clamp(1e-8, 1).pow(1 / CameraPipeline::kGamma);
  return (bent * bent * (3 - 2 * bent)).clamp(0, 1);
}

LIMPID_INLINE at::Tensor CameraBatch::product(const at::Tensor& matrices,
                                              const at::Tensor& colours) {
  return (matrices * colours.unsqueeze(1)).sum(2);
}

LIMPID_INLINE at::Tensor CameraBatch::colours(const at::Tensor& raw) const {
  constexpr auto kMargin = Demosaic::kMargin;
  const auto height = raw.size(2);
  const auto width = raw.size(3);
  const auto padded = with_mirrored_margin(raw, kMargin);
  const auto value = [&](std::int64_t dy, std::int64_t dx) {
    return padded.narrow(2, kMargin + dy, height).narrow(3, kMargin + dx, width);
  };
  const auto beside = value(0, -1) + value(0, 1);
  const auto above = value(-1, 0) + value(1, 0);
  const auto far_beside = value(0, -2) + value(0, 2);
  const auto far_above = value(-2, 0) + value(2, 0);
  const auto corners = value(-1, -1) + value(-1, 1) + value(1, -1) + value(1, 1);
  const auto across = (5 * raw + 4 * beside - corners - far_beside + 0.5 * far_above) / 8;
  const auto down = (5 * raw + 4 * above - corners - far_above + 0.5 * far_beside) / 8;
  const auto green = (4 * raw + 2 * (beside + above) - far_beside - far_above) / 8;
  const auto opposite = (6 * raw + 2 * corners - 1.5 * (far_beside + far_above)) / 8;
  const auto seen = [&](std::int64_t colour) { return is_seen_.narrow(1, colour, 1) > 0.5; };
  // A green pixel lies in a row of red ones where its row is even: a red one stands beside it.
  const auto red =
      at::where(seen(0), raw, at::where(seen(2), opposite, at::where(even_row_, across, down)));
  const auto blue =
      at::where(seen(2), raw, at::where(seen(0), opposite, at::where(even_row_, down, across)));
  return at::cat({red, at::where(seen(1), raw, green), blue}, 1);
}

}  // namespace limpid::detail

#endif  // LIMPID_BODIES
