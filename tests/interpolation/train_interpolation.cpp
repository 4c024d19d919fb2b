#include <limpid/interpolation/sepconv_file.hpp>
#include <limpid/interpolation/train_interpolation.hpp>
#include <limpid/io/safetensors.hpp>
#include <support/errors.hpp>
#include <support/moving_frames.hpp>
#include <support/temporary_folder.hpp>

#include <torch/torch.h>
#include <boost/test/unit_test.hpp>
#include <nlohmann/json.hpp>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <string>

namespace {

namespace fs = std::filesystem;
using limpid::FitResult, limpid::SepConvNetwork, limpid::SepConvOptions, limpid::Start,
    limpid::Steps, limpid::TrainerOptions;
using limpid_test::error_of, limpid_test::numbered, limpid_test::TemporaryFolder,
    limpid_test::write_moving;
using nlohmann::json;

limpid::TripletSplit split_of(const fs::path& folder, double fraction = 0.3) {
  return limpid::split_triplets(limpid::frame_sequences(folder), fraction);
}

/// A network that begins at the average of both frames, its weights drawn from a seed.
SepConvNetwork fresh(const SepConvOptions& options, std::uint64_t seed = 3) {
  torch::manual_seed(seed);
  SepConvNetwork network{options};
  network->start_from_average();
  return network;
}

TrainerOptions quiet(std::int64_t steps, std::int64_t crop, const fs::path& out = {}) {
  auto options = limpid::interpolation_options();
  options.length = Steps{steps};
  options.crop = crop;
  options.out = out;
  options.quiet = true;
  return options;
}

/// The last line of a log of one kind.
json last_of(const std::string& kind, const fs::path& log) {
  json last;
  std::ifstream lines{log};
  for (std::string line; std::getline(lines, line);) {
    const auto entry = json::parse(line);
    if (entry["kind"] == kind) last = entry;
  }
  return last;
}

BOOST_AUTO_TEST_SUITE(train_interpolation)

BOOST_AUTO_TEST_CASE(learns_motion_and_beats_the_average_of_the_neighbours) {
  torch::manual_seed(1);
  TemporaryFolder folder;
  for (const std::string name : {"a", "b", "c", "d"}) write_moving(folder / "in" / name, 12, 64);
  auto options = quiet(700, 32, folder / "run");
  options.rate = 2e-3;
  options.validation_images = 0;
  const auto threads = at::get_num_threads();
  at::set_num_threads(1);  // pictures as small as these leave nothing to a second one
  auto trainer = limpid::interpolation_trainer(options, fresh({.widths = {12, 16, 24}, .taps = 7}),
                                               split_of(folder / "in"), 4);
  BOOST_TEST((trainer.fit() == FitResult::finished));
  at::set_num_threads(threads);
  const auto validation = last_of("validation", folder / "run/metrics.jsonl");
  const auto& scores = validation["tasks"]["interpolate"];
  BOOST_TEST_MESSAGE("moving texture, " << validation["seconds"] << " s: " << scores["psnr_rgb"]
                                        << " dB, average " << scores["identity_psnr_rgb"]);
  BOOST_TEST(scores["images"] == 8);
  BOOST_TEST(scores["psnr_rgb"].get<double>() >
             scores["identity_psnr_rgb"].get<double>() + 1.5);  // about 3, with whatever seed
}

BOOST_AUTO_TEST_CASE(a_resumed_run_equals_an_uninterrupted_one) {
  TemporaryFolder folder;
  torch::manual_seed(2);
  write_moving(folder / "in", 8, 32);
  const SepConvOptions tiny{.widths = {4, 8}, .taps = 3};
  const auto train = [&](TrainerOptions options, std::int64_t batch_size = 2) {
    auto trainer =
        limpid::interpolation_trainer(options, fresh(tiny), split_of(folder / "in"), batch_size);
    return trainer.fit();
  };
  BOOST_TEST((train(quiet(6, 16, folder / "whole")) == FitResult::finished));
  auto options = quiet(6, 16, folder / "run");
  options.stop_after = 3;
  BOOST_TEST((train(options) == FitResult::stopped));
  options.stop_after = 0;
  BOOST_TEST((error_of([&] { train(options); }).find("already holds a run; resume it") !=
              std::string::npos));
  options.start = Start::resume;
  BOOST_TEST((train(options) == FitResult::finished));
  for (const std::string file : {"model.limpid", "checkpoint.limpid"}) {
    const auto whole = limpid::read_safetensors(folder / "whole" / file).tensors;
    const auto resumed = limpid::read_safetensors(folder / "run" / file).tensors;
    BOOST_REQUIRE(whole.size() == resumed.size());
    for (const auto& [name, tensor] : whole) {
      BOOST_TEST(torch::equal(tensor, resumed.at(name)), file << ": " << name);
    }
  }

  auto refused = error_of([&] { train(options, 3); });
  BOOST_TEST((refused.find("/branches/interpolate/batch_size = 2, and this one has 3") !=
              std::string::npos),
             refused);
  limpid_test::write_moving(folder / "in/more", 6, 32);
  refused = error_of([&] { train(options); });
  BOOST_TEST((refused.find("--data-changed") != std::string::npos), refused);
}

BOOST_AUTO_TEST_CASE(the_model_file_is_what_interpolation_loads) {
  TemporaryFolder folder;
  torch::manual_seed(2);
  write_moving(folder / "in", 6, 32);
  auto network = fresh({.widths = {4, 8}, .taps = 3});
  limpid::interpolation_trainer(quiet(2, 16, folder / "run"), network, split_of(folder / "in"))
      .fit();
  auto loaded = limpid::load_sepconv(folder / "run/model.limpid");
  const auto expected = network->named_parameters();
  for (const auto& item : loaded->named_parameters()) {
    BOOST_TEST(torch::equal(item.value(), expected[item.key()]), item.key());
  }
  const auto manifest =
      json::parse(limpid::read_safetensors(folder / "run/model.limpid").metadata.at("limpid"));
  BOOST_TEST(manifest["recipe"] == "interpolation");
  BOOST_TEST(manifest["encoder"]["architecture"] == "sepconv");
  BOOST_TEST(manifest["step"] == 2);
}

BOOST_AUTO_TEST_CASE(a_repeated_frame_is_left_out_of_both_means) {
  torch::manual_seed(1);
  TemporaryFolder folder;
  write_moving(folder / "in", 9, 32);
  for (int i : {6, 7}) {  // the mean of 5 and 7 is exact nowhere, that of 6 and 8 neither
    fs::copy_file(folder / "in" / numbered(8), folder / "in" / numbered(i),
                  fs::copy_options::overwrite_existing);
  }
  limpid::interpolation_trainer(quiet(1, 16, folder / "run"), fresh({.widths = {4, 8}, .taps = 3}),
                                split_of(folder / "in", 0.5))
      .fit();
  const auto scores = last_of("validation", folder / "run/metrics.jsonl")["tasks"]["interpolate"];
  BOOST_TEST(scores["images"] == 3);
  BOOST_TEST(scores["gain"]["psnr_rgb"]["count"] == 2);
  BOOST_TEST(std::isfinite(scores["psnr_rgb"].get<double>()));
  BOOST_TEST(std::isfinite(scores["identity_psnr_rgb"].get<double>()));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
