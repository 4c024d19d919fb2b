#pragma once

#include <limpid/core/compiled.hpp>
#include <limpid/datasets/batch.hpp>
#include <limpid/datasets/batch_queue.hpp>
#include <limpid/datasets/loader_options.hpp>
#include <limpid/datasets/pair_cache.hpp>
#include <limpid/datasets/pairs.hpp>
#include <limpid/datasets/sample_maker.hpp>

#include <c10/core/Device.h>

#include <cstdint>
#include <memory>
#include <utility>

#ifdef LIMPID_BODIES
#include <limpid/core/random.hpp>
#include <limpid/datasets/late_degradation.hpp>
#include <limpid/datasets/load_whole.hpp>
#endif

namespace limpid {

/// An endless stream of batches of random crops, made ahead by worker threads.
///
/// Sample s belongs to epoch s / size, and each epoch draws every pair once, in an order of its
/// own. All pictures of a pair are cropped, flipped and turned alike. Everything follows from the
/// seed and the sample's position alone: any number of workers gives the same batches, and `seek`
/// goes on exactly where another loader stood. Workers share the samples of a batch, so that each
/// of them helps with the next one. At most `prefetch` batches, `cache_mb` of pictures and `cut_mb`
/// of JPEG files are kept, beside what each worker has in hand.
class PairLoader {
 public:
  /// @throws c10::ValueError if `pairs` is empty or an option is out of range.
  explicit PairLoader(Pairs pairs, LoaderOptions options = {})
      : state_(std::make_unique<State>(std::move(pairs), options)) {}

  /// The next batch.
  ///
  /// @param degrade_on  where a degradation that waits for whole batches is to run
  ///   (`Pairs::late_degradation`): its batches come on that device, all others on the CPU. Its
  ///   random numbers follow from its seed, the loader's and the number of the batch.
  /// @throws what made a sample of it fail, of several the first. The loader stays where it is: it
  /// throws the same again, until `seek`.
  Batch next(c10::Device degrade_on = c10::Device{c10::kCPU});

  /// Batches handed out so far.
  std::int64_t position() const;

  /// Goes on with batch `position`, as if that many had been handed out.
  /// @throws c10::ValueError if `position` is negative.
  void seek(std::int64_t position);

  /// Batches that hold all pairs once, the last one perhaps with pairs of the next epoch.
  std::int64_t batches_per_epoch() const;

  /// The same, before there is a loader. @param samples  of a step
  static std::int64_t batches_per_epoch(const Pairs& pairs, std::int64_t samples);

  const LoaderOptions& options() const;
  const Pairs& pairs() const;
  const PairCache& cache() const;

  /// The JPEG files that are kept packed anew.
  const CutPictures& cuts() const;

 private:
  // Does not move when the loader does.
  struct State {
    State(Pairs pairs, const LoaderOptions& options) : maker(std::move(pairs), options) {}

    detail::SampleMaker maker;
    detail::BatchQueue queue{maker};
  };

  std::unique_ptr<State> state_;
};

}  // namespace limpid

#ifdef LIMPID_BODIES

namespace limpid {

LIMPID_INLINE Batch PairLoader::next(c10::Device degrade_on) {
  const auto number = position();
  auto made = state_->queue.next();
  const auto* late = pairs().late_degradation();
  const auto among_all = static_cast<std::uint64_t>(number * options().world + options().rank);
  try {
    if (late != nullptr) {
      const auto random = Random::stream(late->seed, {options().seed, among_all});
      made.batch = detail::degraded_batch(made.clean, late->degradation, random, degrade_on);
    }
    return options().mixing_of(number).mixed(std::move(made.batch), made.places,
                                             options().batch_size);
  } catch (...) {
    seek(number);
    throw;
  }
}

LIMPID_INLINE std::int64_t PairLoader::position() const { return state_->queue.position(); }

LIMPID_INLINE void PairLoader::seek(std::int64_t position) { state_->queue.seek(position); }

LIMPID_INLINE std::int64_t PairLoader::batches_per_epoch() const {
  return batches_per_epoch(pairs(), options().batch_size * options().world);
}

LIMPID_INLINE std::int64_t PairLoader::batches_per_epoch(const Pairs& pairs, std::int64_t samples) {
  return (pairs.size() + samples - 1) / samples;
}

LIMPID_INLINE const LoaderOptions& PairLoader::options() const { return state_->maker.options(); }

LIMPID_INLINE const Pairs& PairLoader::pairs() const { return state_->maker.pairs(); }

LIMPID_INLINE const PairCache& PairLoader::cache() const { return state_->maker.cache(); }

LIMPID_INLINE const CutPictures& PairLoader::cuts() const { return state_->maker.cuts(); }

}  // namespace limpid

#endif  // LIMPID_BODIES
