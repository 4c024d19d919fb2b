#pragma once

#include <limpid/core/compiled.hpp>
#include <limpid/datasets/batch.hpp>
#include <limpid/datasets/epoch_order.hpp>
#include <limpid/datasets/image_pair.hpp>
#include <limpid/datasets/late_degradation.hpp>
#include <limpid/datasets/loader_options.hpp>
#include <limpid/datasets/pair_cache.hpp>
#include <limpid/datasets/pairs.hpp>
#include <limpid/io/cut_pictures.hpp>

#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#ifdef LIMPID_BODIES
#include <limpid/core/check.hpp>
#include <limpid/core/random.hpp>
#include <limpid/datasets/augment.hpp>
#include <limpid/datasets/batch_mixing.hpp>

#include <c10/util/Exception.h>

#include <algorithm>
#endif

namespace limpid::detail {

/// A batch of crops, or the clean crops of one that is degraded later.
struct MadeBatch {
  MadeBatch(const Pairs& pairs, const LoaderOptions& options, std::int64_t number);

  std::vector<std::int64_t> places;  // of the samples, and of others that they are mixed with
  Batch batch;
  CleanBatch clean;
};

/// Makes the samples of batches, each from the seed and its place alone. Several threads may make
/// samples at once.
class SampleMaker {
 public:
  /// @throws c10::ValueError if `pairs` is empty or an option is out of range.
  SampleMaker(Pairs pairs, const LoaderOptions& options)
      : pairs_(std::move(pairs)),
        options_(checked(pairs_, options)),
        cache_(options_.cache_mb << 20),
        cuts_(std::make_shared<CutPictures>(options_.cut_mb << 20)),
        order_(pairs_.size(), options_.seed) {}

  const Pairs& pairs() const { return pairs_; }
  const LoaderOptions& options() const { return options_; }  ///< with a prefetch
  const PairCache& cache() const { return cache_; }
  const CutPictures& cuts() const { return *cuts_; }

  /// A batch of which no sample is made yet.
  MadeBatch begin(std::int64_t number) const { return {pairs_, options_, number}; }

  /// Makes sample `i` of batch `number`, and its share of those that are mixed with others.
  void make(std::int64_t number, std::int64_t i, MadeBatch& made);

  /// What comes next may be an earlier batch.
  void forget_order();

 private:
  static LoaderOptions checked(const Pairs& pairs, LoaderOptions options);

  // Writes a sample into its place.
  void write(std::int64_t number, std::int64_t i, MadeBatch& made);

  // What all draws of a pair have in common: decoded where a cache may keep it, else not yet.
  LazyPair base(std::int64_t index);

  const Pairs pairs_;
  const LoaderOptions options_;
  PairCache cache_;
  const std::shared_ptr<CutPictures> cuts_;
  EpochOrder order_;
};

}  // namespace limpid::detail

#ifdef LIMPID_BODIES

namespace limpid::detail {

LIMPID_INLINE MadeBatch::MadeBatch(const Pairs& pairs, const LoaderOptions& options,
                                   std::int64_t number)
    : places(options.mixing_of(number).with_partners(options.places())) {
  const auto count = static_cast<std::int64_t>(places.size());
  const auto crop = options.crop_of(number);
  if (const auto* late = pairs.late_degradation()) {
    clean = {count, crop, late->degradation.batch_margin()};
  } else {
    batch = {at::empty({count, 3 * pairs.inputs(), crop, crop}, at::kFloat),
             at::empty({count, 3, crop, crop}, at::kFloat)};
  }
}

LIMPID_INLINE void SampleMaker::make(std::int64_t number, std::int64_t i, MadeBatch& made) {
  const auto count = static_cast<std::int64_t>(made.places.size());
  for (; i < count; i += options_.batch_size) write(number, i, made);
}

LIMPID_INLINE void SampleMaker::forget_order() { order_.forget(); }

LIMPID_INLINE LoaderOptions SampleMaker::checked(const Pairs& pairs, LoaderOptions options) {
  TORCH_CHECK_VALUE(!pairs.empty(), "PairLoader: expected at least one pair, got none");
  check_at_least("PairLoader: batch_size", options.batch_size, 1);
  check_at_least("PairLoader: crop", options.crop, 1);
  for (const auto& later : options.later_crops) {
    check_at_least("PairLoader: later_crops", later.side, 1);
  }
  check_at_least("PairLoader: workers", options.workers, 0);
  check_at_least("PairLoader: cache_mb", options.cache_mb, 0);
  check_at_least("PairLoader: cut_mb", options.cut_mb, 0);
  check_at_least("PairLoader: world", options.world, 1);
  TORCH_CHECK_VALUE(options.parts >= 1 && options.batch_size % options.parts == 0,
                    "PairLoader: parts must divide batch_size = ", options.batch_size, ", got ",
                    options.parts);
  TORCH_CHECK_VALUE(0 <= options.rank && options.rank < options.world,
                    "PairLoader: expected a rank below world = ", options.world, ", got ",
                    options.rank);
  if (!options.prefetch) {
    const auto busy = (2 * options.workers + options.batch_size - 1) / options.batch_size;
    options.prefetch = std::max<std::int64_t>(4, busy);
  }
  check_at_least("PairLoader: prefetch", *options.prefetch, 1);
  return options;
}

LIMPID_INLINE void SampleMaker::write(std::int64_t number, std::int64_t i, MadeBatch& made) {
  const auto sample =
      number * options_.world * options_.batch_size + made.places[static_cast<std::size_t>(i)];
  const auto epoch = sample / pairs_.size();
  const auto place = sample % pairs_.size();
  const auto index = order_.pair(epoch, place);
  const auto crop = options_.crop_of(number);
  auto random = Random::stream(
      options_.seed, {static_cast<std::uint64_t>(epoch), static_cast<std::uint64_t>(place)});
  if (pairs_.late_degradation() != nullptr) {
    const auto photo = base(index).target;
    const auto plan = plan_crop(photo.height(), photo.width(), crop, options_.augmentation, random);
    made.clean.take(static_cast<std::size_t>(i), photo, plan);
    return;
  }
  const auto& batch = made.batch;
  ImagePair pair;
  CropPlan plan;
  if (pairs_.makes_parts()) {
    const auto photograph = base(index);
    const auto height = photograph.target.height();
    const auto width = photograph.target.width();
    plan = plan_crop(height, width, crop, options_.augmentation, random);
    pair = pairs_.part(photograph, index, epoch, crop_window(plan, crop, height, width));
    plan.top = plan.left = 0;
  } else {
    pair = cache_.get({index, pairs_.variant(epoch)}, [&] { return pairs_.load(index, epoch); });
    plan =
        plan_crop(pair.target.height(), pair.target.width(), crop, options_.augmentation, random);
  }
  const auto size = 3 * crop * crop;
  write_crop(pair.target, plan, crop, batch.target.data_ptr<float>() + i * size);
  auto* seen = batch.degraded.data_ptr<float>() + i * size * pairs_.inputs();
  write_crop(pair.degraded, plan, crop, seen);
  for (const auto& image : pair.beside) write_crop(image, plan, crop, seen += size);
}

LIMPID_INLINE LazyPair SampleMaker::base(std::int64_t index) {
  if (options_.cache_mb == 0) return pairs_.base(index).cut_by(cuts_);
  return cache_.get({index, 0}, [&] { return pairs_.base(index).load(); });
}

}  // namespace limpid::detail

#endif  // LIMPID_BODIES
