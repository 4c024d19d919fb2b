#pragma once

#include <limpid/core/check.hpp>
#include <limpid/core/random.hpp>
#include <limpid/core/shuffled.hpp>
#include <limpid/core/single_thread.hpp>
#include <limpid/datasets/augment.hpp>
#include <limpid/datasets/batch.hpp>
#include <limpid/datasets/batch_mixing.hpp>
#include <limpid/datasets/image_pair.hpp>
#include <limpid/datasets/late_degradation.hpp>
#include <limpid/datasets/pair_cache.hpp>
#include <limpid/datasets/pairs.hpp>
#include <limpid/datasets/progressive_crop.hpp>

#include <ATen/core/Tensor.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>
#include <c10/core/Device.h>
#include <c10/util/Exception.h>

#include <algorithm>
#include <condition_variable>
#include <cstdint>
#include <exception>
#include <map>
#include <memory>
#include <mutex>
#include <numeric>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

namespace limpid {

/// A whole pair as a batch of one, for evaluation: (1, 3, H, W) in [-1, 1].
inline Batch load_whole(const ImagePair& pair) {
  const auto convert = [](const Image& image) {
    TORCH_CHECK_VALUE(!image.empty(), "load_whole: an empty image");
    const auto count = image.height() * image.width();
    auto values = at::empty({1, 3, image.height(), image.width()}, at::kFloat);
    auto* out = values.data_ptr<float>();
    const auto& value = detail::signed_of_byte();
    for (std::int64_t i = 0; i < count; ++i) {
      for (std::int64_t c = 0; c < 3; ++c) out[c * count + i] = value[image.data()[3 * i + c]];
    }
    return values;
  };
  std::vector<at::Tensor> seen{convert(pair.degraded)};
  for (const auto& image : pair.beside) seen.push_back(convert(image));
  return {seen.size() == 1 ? seen[0] : at::cat(seen, 1), convert(pair.target)};
}

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
  /// Of how many loaders with equal options this is the one of number `rank`: their batches, one
  /// behind the other by rank, are that of a single loader with `world` times the `batch_size`.
  std::int64_t world = 1;
  std::int64_t rank = 0;
  /// Equal parts that a batch is used in, one after the other, where loaders share it: each has its
  /// share of each part.
  std::int64_t parts = 1;

  /// Side of the crops of a batch.
  std::int64_t crop_of(std::int64_t batch) const {
    auto side = crop;
    for (const auto& later : later_crops) {
      if (later.batch <= batch) side = later.side;
    }
    return side;
  }

  /// Where the samples of a batch stand in the batch of all loaders together.
  std::vector<std::int64_t> places() const {
    const auto part = batch_size / parts;
    std::vector<std::int64_t> places;
    for (std::int64_t i = 0; i < batch_size; ++i) {
      places.push_back((i / part * world + rank) * part + i % part);
    }
    return places;
  }

  /// How batch `number` of all loaders together is mixed.
  detail::BatchMixing mixing_of(std::int64_t number) const {
    return {augmentation, batch_size * world,
            Random::stream(seed, {0x6d6978, static_cast<std::uint64_t>(number)})};
  }
};

/// An endless stream of batches of random crops, made ahead by worker threads.
///
/// Sample s belongs to epoch s / size, and each epoch draws every pair once, in an order of its
/// own. All pictures of a pair are cropped, flipped and turned alike. Everything follows from the
/// seed and the sample's position alone: any number of workers gives the same batches, and `seek`
/// goes on exactly where another loader stood. Workers share the samples of a batch, so that each
/// of them helps with the next one. At most `prefetch` batches and `cache_mb` of pictures are kept,
/// beside what each worker has in hand.
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
  Batch next(c10::Device degrade_on = c10::Device{c10::kCPU}) {
    const auto number = position();
    auto made = state_->next();
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

  /// Batches handed out so far.
  std::int64_t position() const { return state_->position(); }

  /// Goes on with batch `position`, as if that many had been handed out.
  /// @throws c10::ValueError if `position` is negative.
  void seek(std::int64_t position) { state_->seek(position); }

  /// Batches that hold all pairs once, the last one perhaps with pairs of the next epoch.
  std::int64_t batches_per_epoch() const {
    return batches_per_epoch(pairs(), options().batch_size * options().world);
  }

  /// The same, before there is a loader. @param samples  of a step
  static std::int64_t batches_per_epoch(const Pairs& pairs, std::int64_t samples) {
    return (pairs.size() + samples - 1) / samples;
  }

  const LoaderOptions& options() const { return state_->options; }
  const Pairs& pairs() const { return state_->pairs; }
  const PairCache& cache() const { return state_->cache; }

 private:
  using Order = std::shared_ptr<const std::vector<std::int64_t>>;

  /// What the workers make: a batch, or the clean crops of one that is degraded later.
  struct Made {
    Made(const Pairs& pairs, const LoaderOptions& options, std::int64_t number)
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

    std::vector<std::int64_t> places;  // of the samples, and of others that they are mixed with
    Batch batch;
    detail::CleanBatch clean;
  };

  /// One that is being made.
  struct Work {
    Work(const Pairs& pairs, const LoaderOptions& options, std::int64_t number)
        : made(pairs, options, number), missing(options.batch_size), failed(options.batch_size) {}

    Made made;
    std::int64_t missing;      // samples that are still to come
    std::int64_t failed;       // the first sample that failed, or their number
    std::exception_ptr error;  // what it failed with
  };

  // What the workers see. It does not move when the loader does.
  struct State {
    State(Pairs given, LoaderOptions given_options)
        : pairs(std::move(given)),
          options(check(pairs, given_options)),
          cache(options.cache_mb << 20) {
      try {
        for (std::int64_t i = 0; i < options.workers; ++i) {
          workers.emplace_back([this] { work(); });
        }
      } catch (...) {  // no more threads to be had
        stop();
        throw;
      }
    }

    ~State() { stop(); }

    void stop() {
      {
        const std::lock_guard lock{mutex};
        stopping = true;
      }
      room.notify_all();
      for (auto& worker : workers) worker.join();
    }

    static LoaderOptions check(const Pairs& pairs, LoaderOptions options) {
      TORCH_CHECK_VALUE(!pairs.empty(), "PairLoader: expected at least one pair, got none");
      detail::check_at_least("PairLoader: batch_size", options.batch_size, 1);
      detail::check_at_least("PairLoader: crop", options.crop, 1);
      for (const auto& later : options.later_crops) {
        detail::check_at_least("PairLoader: later_crops", later.side, 1);
      }
      detail::check_at_least("PairLoader: workers", options.workers, 0);
      detail::check_at_least("PairLoader: cache_mb", options.cache_mb, 0);
      detail::check_at_least("PairLoader: world", options.world, 1);
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
      detail::check_at_least("PairLoader: prefetch", *options.prefetch, 1);
      return options;
    }

    std::int64_t position() const {
      const std::lock_guard lock{mutex};
      return handed_out;
    }

    void seek(std::int64_t position) {
      detail::check_at_least("PairLoader: position", position, 0);
      {
        const std::lock_guard lock{mutex};
        begun.clear();
        handed_out = position;
        claimed = position * options.batch_size;
      }
      {
        const std::lock_guard lock{orders_mutex};
        orders.clear();
      }
      room.notify_all();
    }

    Made next() {
      if (workers.empty()) {
        Made whole{pairs, options, handed_out};
        for (std::int64_t i = 0; i < options.batch_size; ++i) make(handed_out, i, whole);
        ++handed_out;
        return whole;
      }
      std::unique_lock lock{mutex};
      arrived.wait(lock, [&] {
        const auto found = begun.find(handed_out);
        return found != begun.end() && found->second->missing == 0;
      });
      const auto found = begun.find(handed_out);
      if (found->second->error != nullptr) std::rethrow_exception(found->second->error);
      auto made = std::move(found->second->made);
      begun.erase(found);
      ++handed_out;
      lock.unlock();
      room.notify_all();
      return made;
    }

    void work() {
      use_one_thread();
      std::unique_lock lock{mutex};
      while (true) {
        room.wait(lock, [&] {
          return stopping || claimed < (handed_out + *options.prefetch) * options.batch_size;
        });
        if (stopping) return;
        const auto number = claimed / options.batch_size;
        const auto i = claimed % options.batch_size;
        ++claimed;
        auto& place = begun[number];
        if (place == nullptr) place = std::make_shared<Work>(pairs, options, number);
        // A copy of the pointer: after a seek nobody waits for this batch, but it is written to.
        const auto batch = place;
        lock.unlock();
        std::exception_ptr error;
        try {
          make(number, i, batch->made);
        } catch (...) {
          error = std::current_exception();
        }
        lock.lock();
        if (error != nullptr && i < batch->failed) {
          batch->failed = i;
          batch->error = error;
        }
        if (--batch->missing == 0) arrived.notify_all();
      }
    }

    // Makes sample `i` of batch `number`, and its share of those that are mixed with others.
    void make(std::int64_t number, std::int64_t i, Made& made) {
      const auto count = static_cast<std::int64_t>(made.places.size());
      for (; i < count; i += options.batch_size) write(number, i, made);
    }

    // Writes a sample into its place.
    void write(std::int64_t number, std::int64_t i, Made& made) {
      const auto sample =
          number * options.world * options.batch_size + made.places[static_cast<std::size_t>(i)];
      const auto epoch = sample / pairs.size();
      const auto place = sample % pairs.size();
      const auto index = (*order(epoch))[static_cast<std::size_t>(place)];
      const auto crop = options.crop_of(number);
      auto random = Random::stream(
          options.seed, {static_cast<std::uint64_t>(epoch), static_cast<std::uint64_t>(place)});
      if (pairs.late_degradation() != nullptr) {
        const auto photo = this->base(index).target;
        const auto plan =
            detail::plan_crop(photo.height(), photo.width(), crop, options.augmentation, random);
        made.clean.take(static_cast<std::size_t>(i), photo, plan);
        return;
      }
      const auto& batch = made.batch;
      ImagePair pair;
      detail::CropPlan plan;
      if (pairs.makes_parts()) {
        const auto base = this->base(index);
        const auto height = base.target.height();
        const auto width = base.target.width();
        plan = detail::plan_crop(height, width, crop, options.augmentation, random);
        pair = pairs.part(base, index, epoch, detail::crop_window(plan, crop, height, width));
        plan.top = plan.left = 0;
      } else {
        pair = cache.get({index, pairs.variant(epoch)}, [&] { return pairs.load(index, epoch); });
        plan = detail::plan_crop(pair.target.height(), pair.target.width(), crop,
                                 options.augmentation, random);
      }
      const auto size = 3 * crop * crop;
      detail::write_crop(pair.target, plan, crop, batch.target.data_ptr<float>() + i * size);
      auto* seen = batch.degraded.data_ptr<float>() + i * size * pairs.inputs();
      detail::write_crop(pair.degraded, plan, crop, seen);
      for (const auto& image : pair.beside) detail::write_crop(image, plan, crop, seen += size);
    }

    // What all draws of a pair have in common: decoded where a cache may keep it, else not yet.
    LazyPair base(std::int64_t index) {
      if (options.cache_mb == 0) return pairs.base(index);
      return cache.get({index, 0}, [&] { return pairs.base(index).load(); });
    }

    // The order in which an epoch draws the pairs; the last few are kept.
    Order order(std::int64_t epoch) {
      const std::lock_guard lock{orders_mutex};
      if (const auto found = orders.find(epoch); found != orders.end()) return found->second;
      std::vector<std::int64_t> indices(static_cast<std::size_t>(pairs.size()));
      std::iota(indices.begin(), indices.end(), std::int64_t{0});
      auto random = Random::stream(options.seed, {static_cast<std::uint64_t>(epoch)});
      indices = shuffled(std::move(indices), random);
      if (orders.size() >= 4) orders.erase(orders.begin());
      return orders[epoch] = std::make_shared<const std::vector<std::int64_t>>(std::move(indices));
    }

    const Pairs pairs;
    const LoaderOptions options;  // with a prefetch
    PairCache cache;

    mutable std::mutex mutex;
    std::condition_variable room;     // a batch was taken, or the loader ends
    std::condition_variable arrived;  // a batch was made
    std::map<std::int64_t, std::shared_ptr<Work>> begun;
    std::int64_t handed_out = 0;
    std::int64_t claimed = 0;  // samples: the next one that a worker makes
    bool stopping = false;

    std::mutex orders_mutex;
    std::map<std::int64_t, Order> orders;

    std::vector<std::thread> workers;  // last: they see all of the above
  };

  std::unique_ptr<State> state_;
};

}  // namespace limpid
