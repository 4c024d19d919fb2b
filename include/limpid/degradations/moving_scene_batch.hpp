#pragma once

#include <limpid/core/compiled.hpp>
#include <limpid/degradations/batch_degradation.hpp>
#include <limpid/degradations/batch_tensors.hpp>
#include <limpid/degradations/moving_scene.hpp>
#include <limpid/degradations/moving_thing.hpp>
#include <limpid/degradations/pose_path.hpp>

#include <ATen/core/Tensor.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/where.h>
#include <ATen/ops/zeros_like.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#ifdef LIMPID_BODIES
#include <limpid/core/tf32.hpp>
#include <limpid/degradations/light_batch.hpp>

#include <ATen/TensorOperators.h>

#include <algorithm>
#include <tuple>
#endif

namespace limpid {

/// What cameras see of the scenes of a batch, on the device of the pictures: `MovingScene::seen` of
/// each, the frames of all pictures in a few kernels.
class MovingSceneBatch {
 public:
  /// @param places  where each picture lies in its photograph
  MovingSceneBatch(std::span<const MovingScene> scenes, std::span<const CropPlace> places);

  /// @param light  (N, 3, H, W)
  /// @return       same shape; light
  at::Tensor seen(const at::Tensor& light) const;

 private:
  /// Of all frames that are made together: few, so that a CPU's caches hold them, or many, so that
  /// a card is not kept waiting for the next; those take about a gigabyte.
  static std::int64_t pixels_at_once(at::Device device);

  struct Frame {
    std::size_t picture;
    double time;
    float share;  ///< of the picture's exposure
  };

  std::vector<Frame> all_frames() const;

  /// Rows (or columns) of the padded pictures, as numbers of lines of their photographs:
  /// (N, H, 1) or (N, 1, W).
  at::Tensor lines(const at::Tensor& padded, std::int64_t dimension) const;

  /// Rows of numbers, for the device in one copy.
  class NumberColumns {
   public:
    NumberColumns(std::size_t columns, std::size_t rows);

    void add(float value);
    void add(const auto& numbers) { values_.insert(values_.end(), numbers.begin(), numbers.end()); }

    /// The columns, (rows, 1, 1) each.
    std::vector<at::Tensor> on(c10::Device device) const;

   private:
    std::size_t columns_;
    std::vector<float> values_;
  };

  /// Numbers of the i-th thing of each picture, (N, 1, 1) each: of a picture without one, those of
  /// a thing far away that covers nothing.
  struct Outlines {
    std::vector<at::Tensor> numbers;
    at::Tensor deepest;
  };

  Outlines outlines_of(std::size_t i, c10::Device device) const;

  /// `ThingOutline::locate` of all pixels.
  struct Located {
    at::Tensor length, edge, cosine, sine;

    at::Tensor cover(const Outlines& outlines) const;
  };

  static Located located(const Outlines& outlines, const at::Tensor& rows,
                         const at::Tensor& columns);

  /// `MovingThing::clear_from`.
  at::Tensor cleared(const at::Tensor& background, const at::Tensor& scene,
                     const Outlines& outlines, const Located& place) const;

  /// The first row (or column) of each padded picture in its photograph, (N, 1, 1).
  at::Tensor first_lines(std::int64_t dimension, c10::Device device) const;

  /// The shares of some frames of all pictures, (N, 3, H, W).
  at::Tensor summed(std::span<const Frame> frames, const at::Tensor& background,
                    const std::vector<at::Tensor>& layers, const at::Tensor& light) const;

  /// Layers of pictures as they stand in frames; `path_of(scene)` may be null, for a layer at rest.
  template <class PathOf>
  at::Tensor warped(const at::Tensor& layers, const at::Tensor& of_picture,
                    std::span<const Frame> frames, const at::Tensor& light, PathOf path_of) const {
    NumberColumns columns{10, frames.size()};
    for (const auto& frame : frames) {
      const auto& scene = scenes_[frame.picture];
      const auto* path = scene.is_still() ? nullptr : path_of(scene);
      const auto warp = path ? path->warp(frame.time) : PoseWarp{Pose{}, PicturePoint{}};
      columns.add(warp.numbers());
      const auto& window = places_[frame.picture].window;
      columns.add(static_cast<float>(window.left));
      columns.add(static_cast<float>(window.top));
    }
    const auto n = columns.on(light.device());
    const auto x = n[8] + at::arange(light.size(3), light.options()).view({1, 1, -1});
    const auto y = n[9] + at::arange(light.size(2), light.options()).view({1, -1, 1});
    const auto dx = x - n[0];
    const auto dy = y - n[1];
    const auto nearer = (n[6] * dx + n[7] * dy + 1).reciprocal_();
    const auto margin = static_cast<double>(margin_);
    const auto to_x = n[2] + (n[4] * dx - n[5] * dy) * nearer - n[8] + margin;
    const auto to_y = n[3] + (n[5] * dx + n[4] * dy) * nearer - n[9] + margin;
    return sampled_at(layers.index_select(0, of_picture), to_y, to_x);
  }

  std::span<const MovingScene> scenes_;
  std::span<const CropPlace> places_;
  std::int64_t margin_ = 0;
  std::size_t things_ = 0;
};

}  // namespace limpid

#ifdef LIMPID_BODIES

namespace limpid {

LIMPID_INLINE MovingSceneBatch::MovingSceneBatch(std::span<const MovingScene> scenes,
                                                 std::span<const CropPlace> places)
    : scenes_(scenes), places_(places) {
  for (const auto& scene : scenes_) {
    margin_ = std::max(margin_, scene.margin());
    things_ = std::max(things_, scene.things().size());
  }
}

LIMPID_INLINE at::Tensor MovingSceneBatch::seen(const at::Tensor& light) const {
  if (margin_ == 0) return light;
  const auto scene = with_mirrored_margin(light, margin_);
  const auto rows = lines(scene, 2), columns = lines(scene, 3);
  auto background = scene;
  std::vector<at::Tensor> layers;
  for (std::size_t i = 0; i < things_; ++i) {
    const auto outlines = outlines_of(i, scene.device());
    const auto place = located(outlines, rows, columns);
    background = cleared(background, scene, outlines, place);
    layers.push_back(at::cat({scene, place.cover(outlines).unsqueeze(1)}, 1));
  }

  auto sum = at::zeros_like(light);
  const auto frames = all_frames();
  const auto pixels = light.size(2) * light.size(3);
  const auto most = std::max<std::int64_t>(pixels_at_once(light.device()) / pixels, 1);
  const auto count = static_cast<std::int64_t>(frames.size());
  for (std::int64_t from = 0; from < count; from += most) {
    const auto part = std::span{frames}.subspan(
        static_cast<std::size_t>(from), static_cast<std::size_t>(std::min(most, count - from)));
    sum += summed(part, background, layers, light);
  }
  return sum;
}

LIMPID_INLINE std::int64_t MovingSceneBatch::pixels_at_once(at::Device device) {
  return std::int64_t{1} << (device.is_cuda() ? 24 : 22);
}

LIMPID_INLINE std::vector<MovingSceneBatch::Frame> MovingSceneBatch::all_frames() const {
  std::vector<Frame> frames;
  for (std::size_t n = 0; n < scenes_.size(); ++n) {
    for (const auto& frame : scenes_[n].frames()) frames.push_back({n, frame.time, frame.share});
  }
  return frames;
}

LIMPID_INLINE at::Tensor MovingSceneBatch::lines(const at::Tensor& padded,
                                                 std::int64_t dimension) const {
  const auto count = padded.size(dimension);
  const auto steps = at::arange(count, padded.options());
  const auto start = first_lines(dimension, padded.device());
  return dimension == 2 ? start + steps.view({1, count, 1}) : start + steps.view({1, 1, count});
}

LIMPID_INLINE MovingSceneBatch::NumberColumns::NumberColumns(std::size_t columns, std::size_t rows)
    : columns_(columns) {
  values_.reserve(columns * rows);
}

LIMPID_INLINE void MovingSceneBatch::NumberColumns::add(float value) { values_.push_back(value); }

LIMPID_INLINE std::vector<at::Tensor> MovingSceneBatch::NumberColumns::on(
    c10::Device device) const {
  const auto columns = static_cast<std::int64_t>(columns_);
  const auto rows = static_cast<std::int64_t>(values_.size()) / columns;
  return numbers_on(device, values_, {rows, columns, 1, 1}).unbind(1);
}

LIMPID_INLINE MovingSceneBatch::Outlines MovingSceneBatch::outlines_of(std::size_t i,
                                                                       c10::Device device) const {
  using detail::ThingOutline;
  constexpr auto kNumbers = std::tuple_size_v<decltype(ThingOutline::nowhere().numbers())>;
  NumberColumns columns{kNumbers + 1, scenes_.size()};
  for (const auto& scene : scenes_) {
    const auto& things = scene.things();
    const bool is_there = i < things.size();
    columns.add(is_there ? things[i].outline.numbers() : ThingOutline::nowhere().numbers());
    columns.add(is_there ? things[i].uncovered(scene.camera().reach()) : -1.0f);
  }
  Outlines outlines{columns.on(device), {}};
  outlines.deepest = outlines.numbers.back();
  return outlines;
}

LIMPID_INLINE at::Tensor MovingSceneBatch::Located::cover(const Outlines& outlines) const {
  const auto& radius = outlines.numbers[2];
  const auto x = ((length - edge) * radius / outlines.numbers[3]).clamp_(0, 1);
  return 1 - x * x * (3 - 2 * x);
}

LIMPID_INLINE MovingSceneBatch::Located MovingSceneBatch::located(const Outlines& outlines,
                                                                  const at::Tensor& rows,
                                                                  const at::Tensor& columns) {
  const auto& n = outlines.numbers;
  const auto dx = columns - n[0];
  const auto dy = rows - n[1];
  const auto length = (dx * dx + dy * dy).sqrt() + 1e-3;
  const auto c = dx / length;
  const auto s = dy / length;
  const auto cosine2 = c * c - s * s;
  const auto sine2 = 2 * s * c;
  const auto cosine3 = c * cosine2 - s * sine2;
  const auto sine3 = s * cosine2 + c * sine2;
  const auto edge = 1 + n[4] * cosine2 + n[5] * sine2 + n[6] * cosine3 + n[7] * sine3;
  return {length / n[2], edge, c, s};
}

LIMPID_INLINE at::Tensor MovingSceneBatch::cleared(const at::Tensor& background,
                                                   const at::Tensor& scene,
                                                   const Outlines& outlines,
                                                   const Located& place) const {
  const auto& n = outlines.numbers;
  const auto depth = (place.edge - place.length) * n[2];
  const auto away = (2 * place.edge - place.length) * n[2];
  const auto rows = n[1] + away * place.sine;
  const auto columns = n[0] + away * place.cosine;
  const auto behind = sampled_at(scene, rows - first_lines(2, scene.device()),
                                 columns - first_lines(3, scene.device()));
  const auto hidden = depth.gt(0).logical_and_(depth.le(outlines.deepest)).unsqueeze(1);
  return at::where(hidden, behind, background);
}

LIMPID_INLINE at::Tensor MovingSceneBatch::first_lines(std::int64_t dimension,
                                                       c10::Device device) const {
  std::vector<float> first;
  for (const auto& place : places_) {
    const auto begin = dimension == 2 ? place.window.top : place.window.left;
    first.push_back(static_cast<float>(begin - margin_));
  }
  return numbers_on(device, first, {static_cast<std::int64_t>(first.size()), 1, 1});
}

LIMPID_INLINE at::Tensor MovingSceneBatch::summed(std::span<const Frame> frames,
                                                  const at::Tensor& background,
                                                  const std::vector<at::Tensor>& layers,
                                                  const at::Tensor& light) const {
  const auto device = light.device();
  const auto count = static_cast<std::int64_t>(frames.size());
  std::vector<std::int64_t> pictures;
  std::vector<float> shares(frames.size() * scenes_.size());
  for (std::size_t f = 0; f < frames.size(); ++f) {
    pictures.push_back(static_cast<std::int64_t>(frames[f].picture));
    shares[frames[f].picture * frames.size() + f] = frames[f].share;
  }
  const auto of_picture = numbers_on(device, pictures, {count});
  auto seen = warped(background, of_picture, frames, light,
                     [](const MovingScene& scene) { return &scene.camera(); });
  for (std::size_t i = 0; i < layers.size(); ++i) {
    const auto layer = warped(layers[i], of_picture, frames, light, [i](const MovingScene& scene) {
      return i < scene.things().size() ? &scene.things()[i].path : nullptr;
    });
    seen = seen + layer.narrow(1, 3, 1) * (layer.narrow(1, 0, 3) - seen);
  }
  const TF32Scope exact{false, device};
  const auto weights =
      numbers_on(device, shares, {static_cast<std::int64_t>(scenes_.size()), count});
  return weights.mm(seen.flatten(1)).view(light.sizes());
}

}  // namespace limpid

#endif  // LIMPID_BODIES
