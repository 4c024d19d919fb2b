#pragma once

#include <limpid/core/window.hpp>
#include <limpid/datasets/image_pair.hpp>
#include <limpid/datasets/pairs.hpp>
#include <limpid/interpolation/frame_sequences.hpp>
#include <limpid/io/lazy_image.hpp>

#include <c10/util/Exception.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

namespace limpid {

/// Every three successive frames of some sequences, as pairs: the middle one is the target, and the
/// other two are what a network sees.
class FrameTriplets {
 public:
  /// Adds the triplets of a sequence.
  void add(const FrameSequence& sequence) {
    for (std::size_t i = 2; i < sequence.frames.size(); ++i) {
      const auto* frames = &sequence.frames[i - 2];
      triplets_.push_back(
          {(sequence.name / frames[1].filename()).string(), {frames[0], frames[1], frames[2]}});
    }
  }

  /// Adds each triplet once more, from the last frame to the first.
  void add_reversed() {
    const auto count = triplets_.size();
    for (std::size_t i = 0; i < count; ++i) {
      auto reversed = triplets_[i];
      reversed.name += " backwards";
      std::swap(reversed.files[0], reversed.files[2]);
      triplets_.push_back(std::move(reversed));
    }
  }

  std::int64_t size() const { return static_cast<std::int64_t>(triplets_.size()); }
  std::int64_t inputs() const { return 2; }

  /// The middle frame below the folder of all sequences.
  std::string name(std::int64_t i) const { return at(i).name; }

  /// Before, middle and after.
  const std::array<std::filesystem::path, 3>& files(std::int64_t i) const { return at(i).files; }

  ImagePair load(std::int64_t i, std::int64_t = 0) const { return base(i).load(); }

  bool makes_parts() const { return true; }

  LazyPair base(std::int64_t i) const {
    const auto& [before, middle, after] = files(i);
    return {LazyImage::open(before), LazyImage::open(middle), {LazyImage::open(after)}};
  }

  ImagePair part(const LazyPair& base, std::int64_t, std::int64_t, const Window& window) const {
    return base.part(window);
  }

  std::string description() const { return std::to_string(size()) + " triplets of frames"; }

 private:
  struct Triplet {
    std::string name;
    std::array<std::filesystem::path, 3> files;
  };

  const Triplet& at(std::int64_t i) const { return triplets_.at(static_cast<std::size_t>(i)); }

  std::vector<Triplet> triplets_;
};

static_assert(PairSource<FrameTriplets> && PartwiseSource<FrameTriplets>);

/// Triplets to train with, each in both directions of time, and others that training never sees.
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
    split.training.add({name, {frames.begin(), end}});
    split.held_back.add({name, {end, frames.end()}});
  }
  TORCH_CHECK(split.training.size() > 0 && split.held_back.size() > 0,
              "frames: expected a sequence of at least 6 frames, 3 to train with and 3 to hold "
              "back, found sequences of at most ",
              longest);
  split.training.add_reversed();
  return split;
}

}  // namespace limpid
