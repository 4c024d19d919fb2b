#include <limpid/datasets/loader.hpp>
#include <limpid/interpolation/frame_triplets.hpp>
#include <support/errors.hpp>
#include <support/moving_frames.hpp>
#include <support/temporary_folder.hpp>

#include <torch/torch.h>
#include <boost/test/unit_test.hpp>

#include <cmath>
#include <filesystem>
#include <set>
#include <string>

namespace {

namespace fs = std::filesystem;
using limpid::FrameTriplets, limpid::Image, limpid::PairLoader, limpid::Pairs;
using limpid_test::error_of, limpid_test::TemporaryFolder, limpid_test::write_counted;

FrameTriplets all_triplets(const fs::path& folder) {
  FrameTriplets triplets;
  for (const auto& sequence : limpid::frame_sequences(folder)) triplets.add(sequence);
  return triplets;
}

BOOST_AUTO_TEST_SUITE(frame_triplets)

BOOST_AUTO_TEST_CASE(no_frame_is_in_both_parts) {
  TemporaryFolder folder;
  write_counted(folder / "long", 20);
  write_counted(folder / "middle", 7);
  write_counted(folder / "short", 5);
  const auto split = limpid::split_triplets(limpid::frame_sequences(folder.path()));
  // 16 + 4, 4 + 3, and 5 + 0 frames; two fewer triplets each, and all for training reversed too.
  BOOST_TEST(split.training.size() == 2 * (14 + 2 + 3));
  BOOST_TEST(split.held_back.size() == 2 + 1);
  std::set<fs::path> trained;
  for (std::int64_t i = 0; i < split.training.size(); ++i) {
    for (const auto& file : split.training.files(i)) trained.insert(file);
  }
  for (std::int64_t i = 0; i < split.held_back.size(); ++i) {
    for (const auto& file : split.held_back.files(i)) BOOST_TEST(trained.count(file) == 0u);
  }
}

BOOST_AUTO_TEST_CASE(too_few_frames_are_an_error) {
  TemporaryFolder folder;
  write_counted(folder.path(), 5);
  BOOST_TEST(
      error_of([&] { limpid::split_triplets(limpid::frame_sequences(folder.path())); }) ==
      "frames: expected a sequence of at least 6 frames, 3 to train with and 3 to hold back, "
      "found sequences of at most 5");
}

BOOST_AUTO_TEST_CASE(a_triplet_is_a_pair_of_two_neighbours_and_the_frame_between) {
  TemporaryFolder folder;
  write_counted(folder / "scene", 4);
  auto triplets = all_triplets(folder.path());
  triplets.add_reversed();
  const Pairs pairs = triplets;
  BOOST_REQUIRE(pairs.size() == 4);
  BOOST_TEST(pairs.inputs() == 2);
  BOOST_TEST(pairs.description() == "4 triplets of frames");
  BOOST_TEST(pairs.name(0) == "scene/01.png");
  BOOST_TEST(pairs.name(3) == "scene/02.png backwards");
  const auto pair = pairs.load(3);
  BOOST_REQUIRE(pair.beside.size() == 1u);
  BOOST_TEST(int{pair.degraded.data()[0]} == 3);
  BOOST_TEST(int{pair.target.data()[0]} == 2);
  BOOST_TEST(int{pair.beside[0].data()[0]} == 1);
  BOOST_TEST(pairs.subset({1}).inputs() == 2);
}

BOOST_AUTO_TEST_CASE(all_three_frames_are_cropped_and_turned_alike) {
  TemporaryFolder folder;
  torch::manual_seed(1);
  // The same picture three times over: whatever is done to one is done to all.
  const Image frame{torch::randint(0, 256, {12, 15, 3}, torch::kByte)};
  for (int i = 0; i < 3; ++i) frame.save(folder / limpid_test::numbered(i));
  PairLoader loader{all_triplets(folder.path()),
                    {.batch_size = 8, .crop = 5, .workers = 2, .cache_mb = 1}};
  const auto batch = loader.next();
  BOOST_REQUIRE(batch.degraded.sizes() == torch::IntArrayRef({8, 6, 5, 5}));
  BOOST_TEST(torch::equal(batch.degraded.narrow(1, 0, 3), batch.target));
  BOOST_TEST(torch::equal(batch.degraded.narrow(1, 3, 3), batch.target));
  BOOST_TEST(!torch::equal(batch.target[0], batch.target[1]));
  BOOST_TEST(loader.cache().bytes() == 3 * 12 * 15 * 3);
  const auto whole = limpid::load_whole(loader.pairs().load(0));
  BOOST_TEST(torch::equal(whole.degraded.narrow(1, 3, 3), whole.target));
}

BOOST_AUTO_TEST_CASE(frames_of_two_sizes_are_an_error) {
  TemporaryFolder folder;
  write_counted(folder.path(), 3);
  Image{torch::zeros({8, 9, 3}, torch::kByte)}.save(folder / "02.png");
  const Pairs pairs = all_triplets(folder.path());
  BOOST_TEST(
      error_of([&] { pairs.load(0); }) ==
      "pair '01.png': the picture beside the degraded one, 9 x 8, and target 8 x 8 differ in "
      "size");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
