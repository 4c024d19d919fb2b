#pragma once

#include <limpid/core/compiled.hpp>
#include <limpid/datasets/augment.hpp>
#include <limpid/datasets/batch_mixing.hpp>
#include <limpid/datasets/progressive_crop.hpp>

#include <cstdint>
#include <optional>
#include <vector>

#ifdef LIMPID_BODIES
#include <limpid/core/random.hpp>
#endif

namespace limpid {

/// How a `PairLoader` makes batches.
struct LoaderOptions {
  std::int64_t batch_size = 1;
  std::int64_t crop = 256;  ///< side of the square crops, pixels; smaller pictures are mirrored
  /// Batches from which on crops have another side, in order: `ProgressiveCrop::by_batch`.
  std::vector<CropFrom> later_crops{};
  std::uint64_t seed = 0;
  std::int64_t workers = 1;  ///< threads that decode ahead; 0: the calling thread decodes
  /// Batches that are made ahead. None given: 4, or as many as hold two samples for each worker.
  std::optional<std::int64_t> prefetch{};
  Augmentation augmentation{};
  std::int64_t cache_mb = 0;  ///< decoded pictures that are kept, in MiB
  /// JPEG files that are kept packed anew, so that a crop costs what it is large, in MiB. From the
  /// second epoch on, without a `cache_mb`.
  std::int64_t cut_mb = 256;
  /// Of how many loaders with equal options this is the one of number `rank`: their batches, one
  /// behind the other by rank, are that of a single loader with `world` times the `batch_size`.
  std::int64_t world = 1;
  std::int64_t rank = 0;
  /// Equal parts that a batch is used in, one after the other, where loaders share it: each has its
  /// share of each part.
  std::int64_t parts = 1;

  /// Side of the crops of a batch.
  std::int64_t crop_of(std::int64_t batch) const;

  /// Where the samples of a batch stand in the batch of all loaders together.
  std::vector<std::int64_t> places() const;

  /// How batch `number` of all loaders together is mixed.
  detail::BatchMixing mixing_of(std::int64_t number) const;
};

}  // namespace limpid

#ifdef LIMPID_BODIES

namespace limpid {

LIMPID_INLINE std::int64_t LoaderOptions::crop_of(std::int64_t batch) const {
  auto side = crop;
  for (const auto& later : later_crops) {
    if (later.batch <= batch) side = later.side;
  }
  return side;
}

LIMPID_INLINE std::vector<std::int64_t> LoaderOptions::places() const {
  const auto part = batch_size / parts;
  std::vector<std::int64_t> places;
  for (std::int64_t i = 0; i < batch_size; ++i) {
    places.push_back((i / part * world + rank) * part + i % part);
  }
  return places;
}

LIMPID_INLINE detail::BatchMixing LoaderOptions::mixing_of(std::int64_t number) const {
  return {augmentation, batch_size * world,
          Random::stream(seed, {0x6d6978, static_cast<std::uint64_t>(number)})};
}

}  // namespace limpid

#endif  // LIMPID_BODIES
