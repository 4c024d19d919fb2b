#pragma once

#include <limpid/core/compiled.hpp>
#include <limpid/degradations/raindrop.hpp>

#include <ATen/core/Tensor.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/avg_pool2d.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/replication_pad2d.h>
#include <ATen/ops/where.h>

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#ifdef LIMPID_BODIES
#include <limpid/degradations/batch_tensors.hpp>

#include <ATen/TensorOperators.h>

#include <algorithm>
#endif

namespace limpid::detail {

/// The photographs of a batch and their halves, quarters ..., one list of colours: what
/// `ScenePyramid` is for one.
class ScenePyramids {
 public:
  struct Level {
    std::int64_t start, height, width;  ///< `start`: its first colour, of each photograph
  };

  /// The sizes alone; as those of `ScenePyramid`.
  ScenePyramids(std::int64_t height, std::int64_t width);

  const std::vector<Level>& levels() const { return levels_; }
  std::int64_t size() const { return size_; }  ///< colours of each photograph

  /// (N * size(), 3) for images (N, 3, H, W).
  at::Tensor colours(at::Tensor images) const;

 private:
  std::vector<Level> levels_;
  std::int64_t size_ = 0;
};

/// The pixels behind the drops of a batch, found on the CPU; the device then colours them all at
/// once.
class DropPixels {
 public:
  /// @param count, height, width  of the pictures.
  DropPixels(std::int64_t count, std::int64_t height, std::int64_t width);

  /// @param shorter_side  of the photograph that the picture is or was cut from.
  void next_picture(float shorter_side, const WaterFilm& film);

  /// How many pixels of the picture `drop` would cover that no other does.
  std::int64_t try_drop(const DropOutline& drop);

  /// The drop that was tried last stays.
  void keep_drop(const DropOutline& drop, const DropLook& look);

  /// The pictures (N, 3, H, W) with their drops.
  at::Tensor drawn_on(const at::Tensor& images) const;

 private:
  struct Turn {
    std::vector<std::int64_t> pixels;
    std::vector<std::int64_t> drops;
    std::vector<float> places;
  };

  /// As `Raindrops` lays the film on one picture.
  at::Tensor behind_film(const at::Tensor& images, const at::Tensor& scenes) const;

  /// A level of all scenes, as large as the pictures; as `ScenePyramid::sample` of each pixel.
  at::Tensor enlarged(const at::Tensor& scenes, std::int64_t number) const;

  static at::Tensor smooth_step(const at::Tensor& x);

  /// What pixels show through their drops, (E, 3), and how much of it, (E, 1).
  std::pair<at::Tensor, at::Tensor> seen_through(const at::Tensor& place, const at::Tensor& look,
                                                 const at::Tensor& seen,
                                                 const at::Tensor& scenes) const;

  /// As `ScenePyramid::sample`, of each pixel in the scene of its drop.
  at::Tensor sampled(const at::Tensor& y, const at::Tensor& x, const at::Tensor& seen,
                     const at::Tensor& scenes) const;

  static constexpr std::int64_t kLook = 7;  // numbers of a drop

  std::int64_t height_;
  std::int64_t width_;
  ScenePyramids scenes_;
  std::vector<float> own_, half_, quarter_, glow_;  // of the film of each picture
  float shorter_side_ = 0;
  std::int64_t first_ = 0;                   // pixel of the picture at hand
  std::vector<std::uint16_t> drops_behind_;  // how many drops cover each pixel
  std::vector<std::pair<std::int64_t, DropOutline::Place>> tried_;
  std::int64_t drops_ = 0;
  std::vector<float> looks_;
  std::vector<std::int64_t> seen_;  // in which scene each drop looks
  std::vector<Turn> turns_;
};

}  // namespace limpid::detail

#ifdef LIMPID_BODIES

namespace limpid::detail {

LIMPID_INLINE ScenePyramids::ScenePyramids(std::int64_t height, std::int64_t width) {
  do {
    height = (height + 1) / 2;
    width = (width + 1) / 2;
    levels_.push_back({size_, height, width});
    size_ += height * width;
  } while (std::min(height, width) > 6);
}

LIMPID_INLINE at::Tensor ScenePyramids::colours(at::Tensor images) const {
  std::vector<at::Tensor> all;
  for (std::size_t i = 0; i < levels_.size(); ++i) {
    const auto bottom = images.size(2) % 2;
    const auto right = images.size(3) % 2;
    if (bottom + right > 0) images = at::replication_pad2d(images, {0, right, 0, bottom});
    images = at::avg_pool2d(images, 2);
    all.push_back(images.flatten(2));
  }
  return at::cat(all, 2).transpose(1, 2).reshape({-1, 3});
}

LIMPID_INLINE DropPixels::DropPixels(std::int64_t count, std::int64_t height, std::int64_t width)
    : height_(height), width_(width), scenes_(height, width) {
  drops_behind_.reserve(static_cast<std::size_t>(count * height * width));
}

LIMPID_INLINE void DropPixels::next_picture(float shorter_side, const WaterFilm& film) {
  shorter_side_ = shorter_side;
  const auto shares = film.shares();
  own_.push_back(shares[0]);
  half_.push_back(shares[1]);
  quarter_.push_back(shares[2]);
  glow_.push_back(film.glow);
  first_ = static_cast<std::int64_t>(drops_behind_.size());
  drops_behind_.resize(drops_behind_.size() + static_cast<std::size_t>(height_ * width_), 0);
}

LIMPID_INLINE std::int64_t DropPixels::try_drop(const DropOutline& drop) {
  tried_.clear();
  std::int64_t added = 0;
  each_pixel_behind(drop, height_, width_, [&](std::int64_t at, const DropOutline::Place& place) {
    tried_.emplace_back(first_ + at, place);
    added += drops_behind_[static_cast<std::size_t>(first_ + at)] == 0 ? 1 : 0;
  });
  return added;
}

LIMPID_INLINE void DropPixels::keep_drop(const DropOutline& drop, const DropLook& look) {
  const auto reach = look.view * shorter_side_;
  const auto blur = reach / drop.radius() * std::max(1.0f, 0.5f * look.edge * drop.radius());
  const auto level = scene_level(blur, static_cast<std::int64_t>(scenes_.levels().size()));
  const auto& scene = scenes_.levels()[static_cast<std::size_t>(level)];
  const auto picture = first_ / (height_ * width_);
  looks_.insert(looks_.end(),
                {look.edge, look.veil, look.shading, reach,
                 0.5f * (drop.y() + 0.5f * static_cast<float>(height_)),
                 0.5f * (drop.x() + 0.5f * static_cast<float>(width_)), look.opacity});
  seen_.insert(seen_.end(), {picture * scenes_.size() + scene.start, scene.height, scene.width});
  for (const auto& [at, place] : tried_) {
    // The first drop on a pixel, the second ...: those of one number meet no pixel twice.
    const std::size_t turn = drops_behind_[static_cast<std::size_t>(at)]++;
    if (turn == turns_.size()) turns_.emplace_back();
    turns_[turn].pixels.push_back(at);
    turns_[turn].drops.push_back(drops_);
    turns_[turn].places.insert(turns_[turn].places.end(), {place.depth, place.dy, place.dx});
  }
  ++drops_;
}

LIMPID_INLINE at::Tensor DropPixels::drawn_on(const at::Tensor& images) const {
  const auto scenes = scenes_.colours(images);
  const auto filmed = behind_film(images, scenes);
  if (turns_.empty()) return filmed.clone();
  const auto looks = numbers_on(images.device(), looks_, {drops_, kLook});
  const auto seen = numbers_on(images.device(), seen_, {drops_, 3});
  auto pixels = filmed.permute({0, 2, 3, 1}).reshape({-1, 3}).clone();
  for (const auto& turn : turns_) {
    const auto count = static_cast<std::int64_t>(turn.pixels.size());
    const auto at = numbers_on(images.device(), turn.pixels, {count});
    const auto drop = numbers_on(images.device(), turn.drops, {count});
    const auto place = numbers_on(images.device(), turn.places, {count, 3});
    const auto look = looks.index_select(0, drop);
    const auto [colour, alpha] = seen_through(place, look, seen.index_select(0, drop), scenes);
    const auto behind = pixels.index_select(0, at);
    pixels.index_copy_(0, at, (behind + alpha * (colour - behind)).clamp_(0, 1));
  }
  return pixels.reshape({images.size(0), height_, width_, 3}).permute({0, 3, 1, 2}).contiguous();
}

LIMPID_INLINE at::Tensor DropPixels::behind_film(const at::Tensor& images,
                                                 const at::Tensor& scenes) const {
  const auto none = [](const std::vector<float>& of_each) {
    return std::all_of(of_each.begin(), of_each.end(), [](float share) { return share == 0; });
  };
  if (none(half_) && none(quarter_) && none(glow_)) return images;
  const auto count = static_cast<std::int64_t>(scenes_.levels().size());
  const auto at_level = [&](double blur) { return enlarged(scenes, scene_level(blur, count)); };
  auto soft =
      for_each_picture(images, own_) * images + for_each_picture(images, half_) * at_level(2);
  if (!none(quarter_)) soft = soft + for_each_picture(images, quarter_) * at_level(4);
  const auto wide = at_level(static_cast<double>(std::min(height_, width_)) / 8);
  return (soft + for_each_picture(images, glow_) * (wide - soft)).clamp_(0, 1);
}

LIMPID_INLINE at::Tensor DropPixels::enlarged(const at::Tensor& scenes, std::int64_t number) const {
  const auto& level = scenes_.levels()[static_cast<std::size_t>(number)];
  const auto pictures = static_cast<std::int64_t>(own_.size());
  const auto small = scenes.reshape({pictures, scenes_.size(), 3})
                         .narrow(1, level.start, level.height * level.width)
                         .transpose(1, 2)
                         .reshape({pictures, 3, level.height, level.width});
  const auto places = [&](std::int64_t large, std::int64_t count) {
    return (at::arange(large, scenes.options()) + 0.5) / static_cast<double>(large) *
               static_cast<double>(count) -
           0.5;
  };
  const auto rows = places(height_, level.height), columns = places(width_, level.width);
  return sampled_at(small, rows.reshape({1, -1, 1}).expand({pictures, height_, width_}),
                    columns.reshape({1, 1, -1}).expand({pictures, height_, width_}));
}

LIMPID_INLINE at::Tensor DropPixels::smooth_step(const at::Tensor& x) {
  const auto inside = x.clamp(0, 1);
  return inside * inside * (3 - 2 * inside);
}

LIMPID_INLINE std::pair<at::Tensor, at::Tensor> DropPixels::seen_through(
    const at::Tensor& place, const at::Tensor& look, const at::Tensor& seen,
    const at::Tensor& scenes) const {
  const auto depth = place.narrow(1, 0, 1), dy = place.narrow(1, 1, 1), dx = place.narrow(1, 2, 1);
  const auto edge = look.narrow(1, 0, 1), veil = look.narrow(1, 1, 1);
  const auto shading = look.narrow(1, 2, 1), reach = look.narrow(1, 3, 1);
  const auto square = (dy * dy + dx * dx).clamp_max(2);
  const auto bend = reach * (0.6 + 0.4 * square);
  const auto colour =
      sampled(look.narrow(1, 4, 1) - bend * dy, look.narrow(1, 5, 1) - bend * dx, seen, scenes);
  const auto rim = 1 - smooth_step(depth / 0.5);
  const auto gain = 1 + shading * (dy.clamp(-1, 1) * square.clamp_max(1) + 0.3 * rim);
  return {(1 - veil) * colour * gain + veil, look.narrow(1, 6, 1) * smooth_step(depth / edge)};
}

LIMPID_INLINE at::Tensor DropPixels::sampled(const at::Tensor& y, const at::Tensor& x,
                                             const at::Tensor& seen,
                                             const at::Tensor& scenes) const {
  const auto start = seen.narrow(1, 0, 1), rows = seen.narrow(1, 1, 1);
  const auto columns = seen.narrow(1, 2, 1);
  const auto row = y / static_cast<double>(height_) * rows - 0.5;
  const auto column = x / static_cast<double>(width_) * columns - 0.5;
  const auto y0 = row.floor(), x0 = column.floor();
  const auto fy = row - y0, fx = column - x0;
  const auto mirrored_on = [](const at::Tensor& line, const at::Tensor& count) {
    const auto period = 2 * (count - 1);
    const auto at = line.to(at::kLong).remainder(period);
    return at::where(at < count, at, period - at);
  };
  const auto upper = start + mirrored_on(y0, rows) * columns;
  const auto lower = start + mirrored_on(y0 + 1, rows) * columns;
  const auto left = mirrored_on(x0, columns), right = mirrored_on(x0 + 1, columns);
  const auto colour_at = [&](const at::Tensor& line, const at::Tensor& place) {
    return scenes.index_select(0, (line + place).squeeze(1));
  };
  const auto above_left = colour_at(upper, left), below_left = colour_at(lower, left);
  const auto above = above_left + fx * (colour_at(upper, right) - above_left);
  const auto below = below_left + fx * (colour_at(lower, right) - below_left);
  return above + fy * (below - above);
}

}  // namespace limpid::detail

#endif  // LIMPID_BODIES
