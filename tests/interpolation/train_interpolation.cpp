#include <limpid/interpolation/adamax.hpp>
#include <limpid/interpolation/frame_sequences.hpp>
#include <limpid/interpolation/frame_triplets.hpp>
#include <limpid/interpolation/train_interpolation.hpp>
#include <support/networks.hpp>
#include <support/temporary_folder.hpp>

#include <torch/torch.h>
#include <boost/test/unit_test.hpp>

#include <filesystem>
#include <set>
#include <string>
#include <vector>

namespace {

namespace fs = std::filesystem;
using limpid::Adamax, limpid::FrameTriplets, limpid::Image, limpid::InterpolationTrainingOptions,
    limpid::Random, limpid::SepConvNetwork, limpid::SepConvOptions;
using limpid_test::TemporaryFolder, limpid_test::throws_value_error;

/// Whether `f` throws a c10::Error whose text holds `part`.
template <class F>
bool fails_with(F f, const std::string& part) {
  try {
    f();
  } catch (const c10::Error& error) {
    const std::string text = error.what_without_backtrace();
    BOOST_TEST((text.find(part) != std::string::npos), text);
    return true;
  }
  return false;
}

std::string numbered(int i) { return (i < 10 ? "0" : "") + std::to_string(i) + ".png"; }

/// `count` grey frames in which frame i has the value i.
void write_counted(const fs::path& folder, int count, std::int64_t side = 8) {
  fs::create_directories(folder);
  for (int i = 0; i < count; ++i) {
    Image{torch::full({side, side, 3}, i, torch::kByte)}.save(folder / numbered(i));
  }
}

/// A smooth random texture that moves two pixels to the left and one up from frame to frame.
void write_moving(const fs::path& folder, int count, std::int64_t side) {
  fs::create_directories(folder);
  const auto texture =
      torch::upsample_bicubic2d(torch::rand({1, 3, side / 4, side / 4}), {2 * side, 2 * side}, true)
          .clamp(0, 1);
  for (int i = 0; i < count; ++i) {
    Image::from_unit(texture.narrow(2, i, side).narrow(3, 2 * i, side)).save(folder / numbered(i));
  }
}

FrameTriplets all_triplets(const fs::path& folder) {
  FrameTriplets triplets;
  for (const auto& sequence : limpid::frame_sequences(folder)) triplets.add(sequence.frames);
  return triplets;
}

BOOST_AUTO_TEST_SUITE(frame_sequences)

BOOST_AUTO_TEST_CASE(sorts_numbers_as_numbers_and_keeps_folders_apart) {
  TemporaryFolder folder;
  const Image frame{torch::zeros({8, 8, 3}, torch::kByte)};
  for (const std::string name : {"f10.png", "f9.png", "f09b.png", "b/2.png", "b/c/1.png"}) {
    fs::create_directories((folder / name).parent_path());
    frame.save(folder / name);
  }
  fs::create_directories(folder / ".hidden");
  frame.save(folder / ".hidden/1.png");
  const auto found = limpid::frame_sequences(folder.path());
  BOOST_REQUIRE(found.size() == 3u);
  BOOST_TEST((found[0].name == "" && found[1].name == "b" && found[2].name == "b/c"));
  BOOST_REQUIRE(found[0].frames.size() == 3u);
  BOOST_TEST((found[0].frames[0] == folder / "f9.png"));
  BOOST_TEST((found[0].frames[1] == folder / "f09b.png"));
  BOOST_TEST((found[0].frames[2] == folder / "f10.png"));
}

BOOST_AUTO_TEST_CASE(follows_links_to_folders_and_reads_no_folder_twice) {
  TemporaryFolder folder, elsewhere;
  write_counted(elsewhere / "scene", 3);
  write_counted(folder / "a", 4);
  fs::create_directory_symlink(elsewhere / "scene", folder / "linked");
  fs::create_directory_symlink(folder.path(), folder / "a/back");
  fs::create_directory_symlink(elsewhere / "scene", folder / "twice");
  fs::create_directory_symlink(elsewhere / "none", folder / "broken");
  const auto found = limpid::frame_sequences(folder.path());
  BOOST_REQUIRE(found.size() == 2u);
  BOOST_TEST((found[0].name == "a" && found[0].frames.size() == 4u));
  BOOST_TEST((found[1].name == "linked" && found[1].frames.size() == 3u));
  BOOST_TEST((found[1].frames[2] == folder / "linked/02.png"));
}

BOOST_AUTO_TEST_CASE(says_what_is_wrong_with_a_folder) {
  TemporaryFolder folder;
  BOOST_TEST(fails_with([&] { limpid::frame_sequences(folder.path()); }, "files, found none"));
  BOOST_TEST(fails_with([&] { limpid::frame_sequences(folder / "none"); },
                        "expected a folder, found nothing"));
  const Image frame{torch::zeros({8, 8, 3}, torch::kByte)};
  frame.save(folder / "1.png");
  frame.save(folder / "1.jpg");
  BOOST_TEST(fails_with([&] { limpid::frame_sequences(folder.path()); },
                        "expected one picture for each frame, found"));
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(frame_triplets)

BOOST_AUTO_TEST_CASE(no_frame_is_in_both_parts) {
  TemporaryFolder folder;
  write_counted(folder / "long", 20);
  write_counted(folder / "middle", 7);
  write_counted(folder / "short", 5);
  const auto split = limpid::split_triplets(limpid::frame_sequences(folder.path()));
  // 16 + 4, 4 + 3, and 5 + 0 frames; two fewer triplets each.
  BOOST_TEST(split.training.size() == 14u + 2u + 3u);
  BOOST_TEST(split.held_back.size() == 2u + 1u);
  std::set<fs::path> trained;
  for (std::size_t i = 0; i < split.training.size(); ++i) {
    for (const auto& file : split.training.files(i)) trained.insert(file);
  }
  for (std::size_t i = 0; i < split.held_back.size(); ++i) {
    for (const auto& file : split.held_back.files(i)) BOOST_TEST(trained.count(file) == 0u);
  }
}

BOOST_AUTO_TEST_CASE(too_few_frames_are_an_error) {
  TemporaryFolder folder;
  write_counted(folder.path(), 5);
  BOOST_TEST(fails_with([&] { limpid::split_triplets(limpid::frame_sequences(folder.path())); },
                        "expected a sequence of at least 6 frames, 3 to train with and 3 to hold "
                        "back, found sequences of at most 5"));
}

BOOST_AUTO_TEST_CASE(a_crop_is_three_successive_frames_forwards_or_backwards) {
  TemporaryFolder folder;
  write_counted(folder.path(), 8);
  auto triplets = all_triplets(folder.path());
  std::set<int> steps;
  for (std::uint64_t i = 0; i < 40; ++i) {
    Random random{i}, again{i};
    const auto crop = triplets.draw(4, random);
    BOOST_REQUIRE(crop.sizes() == torch::IntArrayRef({3, 3, 4, 4}));
    BOOST_TEST(torch::equal(crop, triplets.draw(4, again)));
    const auto values = (255 * crop.amax({1, 2, 3})).round();
    const auto step = (values[1] - values[0]).item<float>();
    BOOST_TEST(step == (values[2] - values[1]).item<float>());
    BOOST_TEST(std::abs(step) == 1);
    steps.insert(static_cast<int>(step));
  }
  BOOST_TEST(steps.size() == 2u);
  Random random{1};
  BOOST_TEST(fails_with([&] { triplets.draw(9, random); },
                        "expected at least 9 pixels a side for a crop, found 8 x 8"));
}

BOOST_AUTO_TEST_CASE(frames_of_two_sizes_are_an_error) {
  TemporaryFolder folder;
  write_counted(folder.path(), 3);
  Image{torch::zeros({8, 9, 3}, torch::kByte)}.save(folder / "01.png");
  auto triplets = all_triplets(folder.path());
  BOOST_TEST(fails_with([&] { triplets.images(0); }, "expected one size, found 8 x 8 and 9 x 8"));
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(adamax)

BOOST_AUTO_TEST_CASE(moves_as_the_algorithm_says) {
  auto weight = torch::tensor({1.0, 2.0}, torch::kDouble).requires_grad_();
  Adamax optimizer{{{"weight", weight}}};
  weight.mutable_grad() = torch::tensor({0.5, -4.0}, torch::kDouble);
  optimizer.step(0.1);
  // The first step is the rate, against the gradient's sign.
  BOOST_TEST(torch::allclose(weight, torch::tensor({0.9, 2.1}, torch::kDouble), 0, 1e-7));
  weight.mutable_grad() = torch::tensor({-1.0, 0.0}, torch::kDouble);
  optimizer.step(0.1);
  // Means (0.9 * 0.05 - 0.1, -0.36), largest (1, 0.999 * 4), corrected by 1 - 0.81.
  const auto expected =
      torch::tensor({0.9 + 0.1 / 0.19 * 0.055, 2.1 + 0.1 / 0.19 * 0.36 / 3.996}, torch::kDouble);
  BOOST_TEST(torch::allclose(weight, expected, 0, 1e-7));
}

BOOST_AUTO_TEST_CASE(goes_on_from_its_state) {
  const auto run = [](int first, int second) {
    auto weight = torch::ones({3}).requires_grad_();
    Adamax optimizer{{{"w", weight}}};
    const auto steps = [&](Adamax& by, int count) {
      for (int i = 0; i < count; ++i) {
        weight.mutable_grad() = torch::sin(weight.detach() * 7 + 1);
        by.step(0.01);
      }
    };
    steps(optimizer, first);
    Adamax other{{{"w", weight}}};
    other.load_state(optimizer.state(), "state");
    steps(other, second);
    return weight.detach().clone();
  };
  BOOST_TEST(torch::equal(run(3, 4), run(7, 0)));
  Adamax other{{{"v", torch::ones({3}).requires_grad_()}}};
  BOOST_TEST(fails_with([&] { other.load_state({}, "state 'x'"); },
                        "state 'x': expected a tensor 'adamax.v.mean', found none"));
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(train_interpolation)

BOOST_AUTO_TEST_CASE(learns_motion_and_beats_the_average_of_the_neighbours) {
  torch::manual_seed(1);
  TemporaryFolder folder;
  for (const std::string name : {"a", "b", "c", "d"}) write_moving(folder / name, 12, 64);
  auto split = limpid::split_triplets(limpid::frame_sequences(folder.path()), 0.3);
  SepConvNetwork network{SepConvOptions{.widths = {12, 16, 24}, .taps = 7}};
  network->start_from_average();
  const auto before = limpid::score_interpolation(network, split.held_back);
  BOOST_TEST(std::abs(before.network - before.average) < 0.5);
  InterpolationTrainingOptions options{.steps = 700, .crop = 32, .batch = 4};
  options.learning_rate = 2e-3;
  const auto threads = at::get_num_threads();
  at::set_num_threads(1);  // pictures as small as these leave nothing to a second one
  const auto progress = limpid::train_interpolation(network, split.training, options);
  at::set_num_threads(threads);
  BOOST_TEST(progress.step == 700);
  const auto after = limpid::score_interpolation(network, split.held_back);
  BOOST_TEST_MESSAGE("moving texture, " << progress.seconds << " s: " << after.network
                                        << " dB, average " << after.average);
  BOOST_TEST(after.average == before.average);
  BOOST_TEST(after.network > after.average + 1.5);  // about 3, with whatever seed
  BOOST_TEST(after.better == after.triplets);
}

BOOST_AUTO_TEST_CASE(a_repeated_frame_is_left_out_of_both_means) {
  torch::manual_seed(1);
  TemporaryFolder folder;
  write_moving(folder / "frames", 6, 64);
  for (int i : {1, 2}) {
    fs::copy_file(folder / "frames" / numbered(0), folder / "frames" / numbered(i),
                  fs::copy_options::overwrite_existing);
  }
  auto triplets = all_triplets(folder / "frames");
  SepConvNetwork network{SepConvOptions{.widths = {4, 8}, .taps = 3}};
  network->start_from_average();
  const auto score = limpid::score_interpolation(network, triplets);
  BOOST_TEST(score.triplets == 4);
  BOOST_TEST(score.left_out == 1);
  BOOST_TEST(std::isfinite(score.network));
  BOOST_TEST(std::isfinite(score.average));
  const auto only_repeated = limpid::score_interpolation(network, triplets, 1);
  BOOST_TEST(only_repeated.left_out == 1);
  BOOST_TEST(std::isnan(only_repeated.average));
}

BOOST_AUTO_TEST_CASE(a_resumed_run_equals_an_uninterrupted_one) {
  TemporaryFolder folder;
  torch::manual_seed(2);
  write_moving(folder / "frames", 6, 32);
  auto triplets = all_triplets(folder / "frames");
  const auto fresh = [] {
    torch::manual_seed(3);
    SepConvNetwork network{SepConvOptions{.widths = {4, 8}, .taps = 3}};
    network->start_from_average();
    return network;
  };
  InterpolationTrainingOptions options{.steps = 6, .crop = 16, .batch = 2};
  auto whole = fresh();
  limpid::train_interpolation(whole, triplets, options);

  options.state = folder / "state";
  limpid::train_interpolation(fresh(), triplets, options,
                              [](const auto& progress) { return progress.step < 3; });
  options.resume = true;
  auto resumed = fresh();
  BOOST_TEST(limpid::train_interpolation(resumed, triplets, options).step == 6);
  const auto expected = whole->named_parameters();
  for (const auto& item : resumed->named_parameters()) {
    BOOST_TEST(torch::equal(item.value(), expected[item.key()]), item.key());
  }

  options.batch = 3;
  BOOST_TEST(fails_with([&] { limpid::train_interpolation(resumed, triplets, options); },
                        "expected batch 3, found 2; resume with the same options, or start anew"));
}

BOOST_AUTO_TEST_CASE(names_the_option_at_fault) {
  TemporaryFolder folder;
  write_counted(folder.path(), 3);
  auto triplets = all_triplets(folder.path());
  SepConvNetwork network{SepConvOptions{.widths = {4, 8}, .taps = 3}};
  const auto with = [&](InterpolationTrainingOptions options) {
    limpid::train_interpolation(network, triplets, options);
  };
  BOOST_TEST(throws_value_error([&] { with({}); },
                                "train_interpolation: expected steps or minutes, got none"));
  BOOST_TEST(throws_value_error([&] { with({.steps = 1, .crop = 10}); },
                                "train_interpolation: crop must be a multiple of 4, got 10"));
  BOOST_TEST(throws_value_error([&] { with({.steps = 1, .batch = 0}); },
                                "train_interpolation: batch must be at least 1, got 0"));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
