#include <limpid/datasets/batch.hpp>
#include <limpid/datasets/batch_mixing.hpp>
#include <limpid/datasets/batch_queue.hpp>
#include <limpid/datasets/loader.hpp>
#include <support/errors.hpp>
#include <support/images.hpp>

#include <torch/torch.h>
#include <boost/test/unit_test.hpp>

#include <atomic>
#include <chrono>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace {

using limpid::Augmentation, limpid::Batch, limpid::Image, limpid::ImagePair, limpid::LoaderOptions,
    limpid::PairCache, limpid::PairLoader, limpid::Pairs;
using limpid_test::error_of, limpid_test::picture, limpid_test::value_error_of;

/// Pairs in memory that count how often they are loaded; pair `broken` cannot be.
struct InMemory {
  std::int64_t count = 7;
  std::int64_t height = 20;
  std::int64_t width = 26;
  std::int64_t broken = -1;
  std::chrono::milliseconds delay{0};
  std::shared_ptr<std::atomic<int>> loads = std::make_shared<std::atomic<int>>(0);

  std::int64_t size() const { return count; }
  std::string name(std::int64_t i) const { return std::to_string(i); }
  ImagePair load(std::int64_t i, std::int64_t) const {
    ++*loads;
    std::this_thread::sleep_for(delay);
    TORCH_CHECK(i != broken, "pair ", i, " is broken");
    const auto image = picture(height, width, static_cast<std::uint64_t>(i));
    return {image, image};
  }
};

/// Pair i has i in every byte, so that a crop tells where it came from.
struct Marked {
  std::int64_t count = 6;
  std::int64_t size() const { return count; }
  std::string name(std::int64_t i) const { return std::to_string(i); }
  ImagePair load(std::int64_t i, std::int64_t draw) const {
    return {Image{torch::full({9, 9, 3}, i, torch::kByte)},
            Image{torch::full({9, 9, 3}, draw, torch::kByte)}};
  }
};

std::vector<Batch> take(PairLoader& loader, int count) {
  std::vector<Batch> batches;
  for (int i = 0; i < count; ++i) batches.push_back(loader.next());
  return batches;
}

bool same(const std::vector<Batch>& a, const std::vector<Batch>& b) {
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (!torch::equal(a[i].degraded, b[i].degraded)) return false;
    if (!torch::equal(a[i].target, b[i].target)) return false;
  }
  return a.size() == b.size();
}

int mark(const at::Tensor& image) {
  return static_cast<int>(std::lround((image.flatten()[0].item<double>() + 1) / 2 * 255));
}

BOOST_AUTO_TEST_SUITE(loader)

BOOST_AUTO_TEST_CASE(batches_are_the_same_for_any_number_of_workers) {
  const LoaderOptions options{.batch_size = 3, .crop = 12, .seed = 5, .workers = 0};
  PairLoader calling{InMemory{}, options};
  const auto expected = take(calling, 12);
  BOOST_TEST(expected[0].degraded.sizes() == torch::IntArrayRef({3, 3, 12, 12}));
  BOOST_TEST(expected[0].target.max().item<double>() <= 1);
  BOOST_TEST(expected[0].target.min().item<double>() >= -1);
  for (const std::int64_t workers : {1, 3}) {
    for (const std::int64_t cache_mb : {0, 1}) {
      auto with = options;
      with.workers = workers;
      with.cache_mb = cache_mb;
      with.prefetch = 1 + cache_mb * 5;
      PairLoader loader{InMemory{}, with};
      BOOST_TEST(same(take(loader, 12), expected), workers << " workers, cache " << cache_mb);
    }
  }
  auto other = options;
  other.seed = 6;
  PairLoader reseeded{InMemory{}, other};
  BOOST_TEST(!same(take(reseeded, 12), expected));
}

BOOST_AUTO_TEST_CASE(seek_goes_on_exactly) {
  for (const std::int64_t workers : {0, 2}) {
    const LoaderOptions options{.batch_size = 2, .crop = 8, .workers = workers};
    PairLoader loader{InMemory{}, options};
    const auto expected = take(loader, 15);
    BOOST_TEST(loader.position() == 15);
    PairLoader resumed{InMemory{}, options};
    resumed.seek(9);
    BOOST_TEST(resumed.position() == 9);
    BOOST_TEST(same(take(resumed, 6), {expected.begin() + 9, expected.end()}));
    resumed.seek(0);
    BOOST_TEST(same(take(resumed, 15), expected));
  }
}

BOOST_AUTO_TEST_CASE(an_epoch_draws_every_pair_once_in_an_order_of_its_own) {
  PairLoader loader{Marked{}, {.batch_size = 4, .crop = 4, .workers = 2}};
  BOOST_TEST(loader.batches_per_epoch() == 2);
  std::vector<int> drawn;
  for (const auto& batch : take(loader, 9)) {
    for (std::int64_t i = 0; i < 4; ++i) {
      BOOST_TEST(mark(batch.target[i]) == static_cast<int>(drawn.size()) / 6);  // the draw
      drawn.push_back(mark(batch.degraded[i]));
    }
  }
  std::set<std::vector<int>> orders;
  for (std::size_t epoch = 0; epoch < 6; ++epoch) {
    const auto begin = drawn.begin() + static_cast<std::ptrdiff_t>(6 * epoch);
    BOOST_TEST((std::set<int>(begin, begin + 6) == std::set<int>{0, 1, 2, 3, 4, 5}));
    orders.insert({begin, begin + 6});
  }
  BOOST_TEST(orders.size() > 3);
}

BOOST_AUTO_TEST_CASE(both_images_are_cropped_and_turned_alike) {
  PairLoader loader{InMemory{}, {.crop = 10, .workers = 1}};
  for (const auto& batch : take(loader, 30)) {
    BOOST_TEST(torch::equal(batch.degraded, batch.target));
  }
}

BOOST_AUTO_TEST_CASE(a_crop_is_a_turned_part_of_its_picture) {
  const auto whole = limpid::load_whole(InMemory{}.load(0, 0)).target;
  const auto plain = whole.slice(2, 4, 14).slice(3, 5, 15);
  for (const bool flip : {false, true}) {
    for (std::int64_t turns = 0; turns < 4; ++turns) {
      auto made = torch::empty({1, 3, 10, 10});
      limpid::detail::write_crop(InMemory{}.load(0, 0).target, {4, 5, flip, turns}, 10,
                                 made.data_ptr<float>());
      const auto expected = torch::rot90(flip ? plain.flip({3}) : plain, turns, {2, 3});
      BOOST_TEST(torch::equal(made, expected), flip << " " << turns);
    }
  }
}

BOOST_AUTO_TEST_CASE(all_eight_views_come_and_options_forbid_them) {
  const auto views = [](bool flip, bool turns) {
    InMemory square;
    square.count = 1;
    square.height = square.width = 6;
    PairLoader loader{square, {.crop = 6, .workers = 0, .augmentation = {flip, turns}}};
    std::vector<at::Tensor> seen;
    for (const auto& batch : take(loader, 60)) {
      bool known = false;
      for (const auto& view : seen) known = known || torch::equal(view, batch.target);
      if (!known) seen.push_back(batch.target);
    }
    return seen.size();
  };
  BOOST_TEST(views(true, true) == 8u);
  BOOST_TEST(views(false, true) == 4u);
  BOOST_TEST(views(true, false) == 2u);
  BOOST_TEST(views(false, false) == 1u);
}

BOOST_AUTO_TEST_CASE(small_pictures_are_mirrored_to_the_crop) {
  InMemory small;
  small.count = 1;
  small.height = 5;
  small.width = 12;
  PairLoader loader{small, {.crop = 9, .workers = 0, .augmentation = {false, false}}};
  const auto batch = loader.next();
  BOOST_TEST(torch::equal(batch.degraded, batch.target));
  const auto whole = limpid::load_whole(small.load(0, 0)).target;
  const auto padded = torch::reflection_pad2d(whole, {0, 0, 2, 2});
  bool found = false;
  for (std::int64_t left = 0; left <= 3; ++left) {
    found = found || torch::equal(padded.slice(3, left, left + 9), batch.target);
  }
  BOOST_TEST(found);
  small.height = small.width = 1;
  PairLoader dot{small, {.crop = 4, .workers = 0}};
  BOOST_TEST(dot.next().target.std().item<double>() < 1);
}

BOOST_AUTO_TEST_CASE(an_error_in_a_worker_comes_out_of_next) {
  for (const std::int64_t workers : {0, 1, 3}) {
    InMemory source;
    source.broken = 4;
    PairLoader loader{source, {.crop = 4, .workers = workers}};
    std::string text;
    std::int64_t handed_out = 0;
    for (int i = 0; i < 14 && text.empty(); ++i) {
      try {
        loader.next();
        ++handed_out;
      } catch (const c10::Error& error) {
        text = error.what_without_backtrace();
      }
    }
    BOOST_TEST(text == "pair 4 is broken");
    BOOST_TEST(loader.position() == handed_out);
    BOOST_CHECK_THROW(loader.next(), c10::Error);
    loader.seek(handed_out + 1);
    BOOST_CHECK_NO_THROW(loader.next());
  }
}

BOOST_AUTO_TEST_CASE(no_more_is_made_ahead_than_asked) {
  InMemory source;
  PairLoader loader{source, {.batch_size = 2, .crop = 4, .workers = 2, .prefetch = 3}};
  loader.next();
  std::this_thread::sleep_for(std::chrono::milliseconds{100});
  BOOST_TEST(source.loads->load() == 8);  // one batch handed out and three ahead, of two pairs
}

BOOST_AUTO_TEST_CASE(every_worker_helps) {
  // Loading sleeps, so the time says how many samples are made at once, on any number of cores.
  const auto seconds = [](std::int64_t workers, std::int64_t batch_size) {
    InMemory slow;
    slow.delay = std::chrono::milliseconds{5};
    PairLoader loader{slow, {.batch_size = batch_size, .crop = 4, .workers = workers}};
    const auto begun = std::chrono::steady_clock::now();
    take(loader, static_cast<int>(96 / batch_size));
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
  };
  for (const std::int64_t batch_size : {1, 2, 32}) {  // many batches, few large ones
    const auto one = seconds(1, batch_size);
    BOOST_TEST(one >= 96 * 0.005);
    BOOST_TEST(seconds(12, batch_size) < one / 5, "batches of " << batch_size);
  }
}

BOOST_AUTO_TEST_CASE(the_batches_of_several_loaders_are_those_of_one) {
  constexpr std::int64_t kWorld = 3;
  for (const std::string mixing :
       {"none", "mixup", "cut-mix", "cut-blur", "flip+mixup@0.6+cut-mix@0.6+cut-blur@0.6"}) {
    for (const std::int64_t parts : {1, 2}) {
      LoaderOptions options{.batch_size = 4, .crop = 8, .later_crops = {{2, 12}}, .seed = 4};
      options.augmentation = Augmentation::parse(mixing);
      auto whole = options;
      whole.batch_size *= kWorld;
      PairLoader single{InMemory{}, whole};
      const auto expected = take(single, 4);
      options.world = kWorld;
      options.parts = parts;
      for (options.rank = 0; options.rank < kWorld; ++options.rank) {
        options.workers = options.rank;
        PairLoader loader{InMemory{}, options};
        BOOST_TEST(loader.batches_per_epoch() == 1);
        for (const auto& batch : expected) {
          // Each loader has its third of each part.
          const auto share = [&](const at::Tensor& images) {
            std::vector<at::Tensor> shares;
            for (const auto& part : images.chunk(parts)) {
              shares.push_back(part.chunk(kWorld)[static_cast<std::size_t>(options.rank)]);
            }
            return torch::cat(shares);
          };
          const Batch wanted{share(batch.degraded), share(batch.target)};
          BOOST_TEST(same({loader.next()}, {wanted}), mixing << ", rank " << options.rank);
        }
      }
    }
  }
  BOOST_TEST(error_of([] {
               PairLoader{InMemory{}, {.batch_size = 3, .parts = 2}};
             }) == "PairLoader: parts must divide batch_size = 3, got 2");
}

BOOST_AUTO_TEST_CASE(augmentation_is_read_and_written_by_name) {
  for (const bool flip : {false, true}) {
    for (const bool turns : {false, true}) {
      const Augmentation augmentation{flip, turns};
      BOOST_TEST((Augmentation::parse(augmentation.text()) == augmentation));
    }
  }
  BOOST_TEST(Augmentation{}.text() == "flip+turns");
}

/// What is degraded is one below what is true, and what is true has the pair's number
/// in it.
struct OffByOne {
  std::int64_t size() const { return 8; }
  std::string name(std::int64_t i) const { return std::to_string(i); }
  ImagePair load(std::int64_t i, std::int64_t) const {
    const auto of = [](std::int64_t value) {
      return Image{torch::full({12, 12, 3}, value, torch::kByte)};
    };
    return {of(20 * i), of(20 * i + 100)};
  }
};

BOOST_AUTO_TEST_CASE(crops_grow_with_the_number_of_the_batch_and_seek_goes_on_exactly) {
  for (const std::int64_t workers : {0, 2}) {
    const LoaderOptions options{
        .batch_size = 2, .crop = 6, .later_crops = {{0, 6}, {3, 9}, {5, 12}}, .workers = workers};
    PairLoader loader{InMemory{}, options};
    const auto batches = take(loader, 7);
    const std::vector<std::int64_t> sides{6, 6, 6, 9, 9, 12, 12};
    for (std::size_t i = 0; i < sides.size(); ++i) {
      BOOST_TEST(batches[i].target.size(2) == sides[i]);
      BOOST_TEST(batches[i].degraded.size(3) == sides[i]);
    }
    for (const std::int64_t from : {2, 3, 6}) {
      PairLoader resumed{InMemory{}, options};
      resumed.seek(from);
      BOOST_TEST(
          same(take(resumed, static_cast<int>(7 - from)), {batches.begin() + from, batches.end()}));
    }
  }
}

BOOST_AUTO_TEST_CASE(mixed_batches_keep_degraded_and_target_together) {
  const auto batches_with = [](const std::string& how, std::int64_t from, int count,
                               std::int64_t batch_size = 4) {
    PairLoader loader{OffByOne{},
                      {.batch_size = batch_size,
                       .crop = 8,
                       .seed = 3,
                       .workers = 1,
                       .augmentation = Augmentation::parse(how)}};
    loader.seek(from);
    return take(loader, count);
  };
  const auto distance = 2 * 100 / 255.0;
  const auto plain = batches_with("none", 0, 6);
  for (const std::string how : {"mixup", "cut-mix", "mixup@0.5+cut-mix@0.5"}) {
    const auto mixed = batches_with(how, 0, 6);
    BOOST_TEST(!same(mixed, plain), how);
    for (const auto& batch : mixed) {
      const auto apart = batch.target - batch.degraded;
      BOOST_TEST(torch::allclose(apart, torch::full_like(apart, distance), 1e-4, 1e-4), how);
    }
    BOOST_TEST(same(batches_with(how, 4, 2), {mixed.begin() + 4, mixed.end()}), how);
    // One pair has nobody to mix with.
    BOOST_TEST(same(batches_with(how, 0, 3, 1), batches_with("none", 0, 3, 1)), how);
  }
  // Blended pictures are of one colour still, those with another's part are of two.
  const auto colours = [](const Batch& batch) {
    std::int64_t most = 0;
    for (const auto& image : batch.target.unbind(0)) {
      most = std::max<std::int64_t>(most, std::get<0>(at::_unique2(image)).numel());
    }
    return most;
  };
  BOOST_TEST(colours(batches_with("mixup", 0, 1)[0]) == 1);
  BOOST_TEST(colours(batches_with("cut-mix", 0, 1)[0]) == 2);
}

BOOST_AUTO_TEST_CASE(cut_blur_leaves_targets_alone_and_degrades_a_part) {
  const auto batches_with = [](const std::string& how) {
    PairLoader loader{OffByOne{},
                      {.batch_size = 4,
                       .crop = 8,
                       .seed = 3,
                       .workers = 1,
                       .augmentation = Augmentation::parse(how)}};
    return take(loader, 5);
  };
  const auto plain = batches_with("none"), cut = batches_with("cut-blur");
  int degraded = 0, clean = 0;
  for (std::size_t i = 0; i < cut.size(); ++i) {
    BOOST_TEST(cut[i].target.equal(plain[i].target));
    const auto as_before = cut[i].degraded == plain[i].degraded;
    const auto as_target = cut[i].degraded == plain[i].target;
    BOOST_TEST((as_before | as_target).all().item<bool>());
    degraded += as_before.any().item<bool>() ? 1 : 0;
    clean += as_target.any().item<bool>() ? 1 : 0;
  }
  BOOST_TEST(degraded == 5);
  BOOST_TEST(clean == 5);
}

BOOST_AUTO_TEST_CASE(ends_at_once_and_moves) {
  InMemory slow;
  slow.delay = std::chrono::milliseconds{30};
  const auto begun = std::chrono::steady_clock::now();
  {
    PairLoader loader{slow, {.batch_size = 50, .crop = 4, .workers = 2}};
    PairLoader moved = std::move(loader);
    std::this_thread::sleep_for(std::chrono::milliseconds{10});
  }
  BOOST_TEST((std::chrono::steady_clock::now() - begun < std::chrono::milliseconds{1000}));
}

BOOST_AUTO_TEST_CASE(the_cache_saves_loads_and_keeps_its_limit) {
  InMemory source;
  source.height = source.width = 256;  // 192 KiB a pair of one picture
  PairLoader enough{source, {.crop = 8, .workers = 1, .cache_mb = 8}};
  take(enough, 21);
  BOOST_TEST(source.loads->load() == 7);
  BOOST_TEST(enough.cache().size() == 7);

  source.loads = std::make_shared<std::atomic<int>>(0);
  PairLoader tight{source, {.crop = 8, .workers = 3, .cache_mb = 1}};
  for (int i = 0; i < 21; ++i) {
    tight.next();
    BOOST_TEST(tight.cache().bytes() <= 1 << 20);
  }
  BOOST_TEST(tight.cache().size() == 5);
  BOOST_TEST(source.loads->load() > 7);
}

BOOST_AUTO_TEST_CASE(misuse_is_named) {
  BOOST_TEST(value_error_of([&] { PairLoader{Pairs{}}; }) ==
             "PairLoader: expected at least one pair, got none");
  BOOST_TEST(value_error_of([&] {
               PairLoader{InMemory{}, {.crop = 0}};
             }) == "PairLoader: crop must be at least 1, got 0");
  BOOST_TEST(value_error_of([&] {
               PairLoader{InMemory{}, {.prefetch = 0}};
             }) == "PairLoader: prefetch must be at least 1, got 0");
  BOOST_TEST(value_error_of([&] {
               PairLoader{InMemory{}, {.world = 2, .rank = 2}};
             }) == "PairLoader: expected a rank below world = 2, got 2");
}

BOOST_AUTO_TEST_SUITE_END()
}  // namespace
