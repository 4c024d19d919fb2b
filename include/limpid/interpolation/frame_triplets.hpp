#pragma once

#include <limpid/core/random.hpp>
#include <limpid/interpolation/frame_sequences.hpp>
#include <limpid/io/image.hpp>

#include <ATen/core/Tensor.h>
#include <ATen/ops/cat.h>
#include <c10/util/Exception.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <utility>
#include <vector>

namespace limpid {

/// Every three successive frames of some sequences. Decoded frames are kept up to a limit of bytes.
class FrameTriplets {
 public:
  explicit FrameTriplets(std::int64_t cache_bytes = std::int64_t{2} << 30)
      : cache_bytes_(cache_bytes) {}

  /// Adds the triplets of successive `frames`, which belong together.
  void add(const std::vector<std::filesystem::path>& frames) {
    for (std::size_t i = 2; i < frames.size(); ++i) {
      triplets_.push_back({frames[i - 2], frames[i - 1], frames[i]});
    }
  }

  std::size_t size() const { return triplets_.size(); }

  const std::array<std::filesystem::path, 3>& files(std::size_t i) const { return triplets_.at(i); }

  /// The frames of triplet `i`.
  /// @throws c10::Error if one cannot be read, or their sizes differ.
  std::array<Image, 3> images(std::size_t i) {
    const auto& files = triplets_.at(i);
    std::array<Image, 3> images{image(files[0]), image(files[1]), image(files[2])};
    for (std::size_t k = 1; k < 3; ++k) {
      TORCH_CHECK(
          images[k].height() == images[0].height() && images[k].width() == images[0].width(),
          "frames '", files[0].string(), "' and '", files[k].string(),
          "': expected one size, found ", images[0].width(), " x ", images[0].height(), " and ",
          images[k].width(), " x ", images[k].height());
    }
    return images;
  }

  /// A random crop of a random triplet, mirrored, turned by a quarter and reversed in time at
  /// random.
  ///
  /// @param side  pixels
  /// @return      (3, 3, side, side) in [0, 1]: before, middle, after
  /// @throws c10::Error if a frame is smaller.
  at::Tensor draw(std::int64_t side, Random& random) {
    const auto which = static_cast<std::size_t>(random.below(static_cast<std::int64_t>(size())));
    auto frames = images(which);
    const auto height = frames[0].height(), width = frames[0].width();
    TORCH_CHECK(height >= side && width >= side, "frame '", files(which)[0].string(),
                "': expected at least ", side, " pixels a side for a crop, found ", width, " x ",
                height);
    const auto top = random.below(height - side + 1), left = random.below(width - side + 1);
    if (random.chance(0.5)) std::swap(frames[0], frames[2]);
    std::vector<at::Tensor> crops;
    for (const auto& frame : frames) crops.push_back(frame.crop(top, left, side, side).unit());
    auto triplet = at::cat(crops);
    if (random.chance(0.5)) triplet = triplet.flip(3);
    if (random.chance(0.5)) triplet = triplet.flip(2);
    if (random.chance(0.5)) triplet = triplet.transpose(2, 3);
    return triplet;
  }

 private:
  const Image& remembered(const std::filesystem::path& file, Image image) {
    cached_bytes_ += image.pixels().numel();
    return cache_.emplace(file, std::move(image)).first->second;
  }

  Image image(const std::filesystem::path& file) {
    const auto found = cache_.find(file);
    if (found != cache_.end()) return found->second;
    auto loaded = Image::load(file);
    if (cached_bytes_ + loaded.pixels().numel() > cache_bytes_) return loaded;
    return remembered(file, std::move(loaded));
  }

  std::vector<std::array<std::filesystem::path, 3>> triplets_;
  std::map<std::filesystem::path, Image> cache_;
  std::int64_t cache_bytes_;
  std::int64_t cached_bytes_ = 0;
};

/// Triplets to train with, and others that training never sees.
struct TripletSplit {
  FrameTriplets training, held_back;
};

/// Holds back the end of each sequence: its last `fraction` of frames, at least three. No frame is
/// in both parts. A sequence too short to give both parts a triplet serves training alone.
///
/// @throws c10::ValueError if `fraction` is not between 0 and 1, c10::Error if a part stays empty.
inline TripletSplit split_triplets(const std::vector<FrameSequence>& sequences,
                                   double fraction = 0.2) {
  TORCH_CHECK_VALUE(fraction > 0 && fraction < 1,
                    "split_triplets: fraction must be between 0 and 1, got ", fraction);
  TripletSplit split;
  std::size_t longest = 0;
  for (const auto& [name, frames] : sequences) {
    longest = std::max(longest, frames.size());
    const auto held =
        std::max<std::int64_t>(3, std::llround(fraction * static_cast<double>(frames.size())));
    const auto kept = static_cast<std::int64_t>(frames.size()) - held;
    const auto end = kept >= 3 ? frames.begin() + kept : frames.end();
    split.training.add({frames.begin(), end});
    split.held_back.add({end, frames.end()});
  }
  TORCH_CHECK(split.training.size() > 0 && split.held_back.size() > 0,
              "frames: expected a sequence of at least 6 frames, 3 to train with and 3 to hold "
              "back, found sequences of at most ",
              longest);
  return split;
}

}  // namespace limpid
