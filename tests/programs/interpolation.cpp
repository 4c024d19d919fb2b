#include <limpid/interpolation/sepconv_file.hpp>
#include <limpid/io/image.hpp>
#include <support/run_program.hpp>
#include <support/temporary_folder.hpp>

#include <torch/torch.h>
#include <boost/test/unit_test.hpp>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

namespace {

namespace fs = std::filesystem;
using limpid_test::run, limpid_test::TemporaryFolder;

/// Frames 8.png ... of a ramp that moves.
void write_frames(const fs::path& folder, int count, std::int64_t height, std::int64_t width) {
  fs::create_directories(folder);
  for (int i = 0; i < count; ++i) {
    const auto column = torch::arange(width).add(3 * i).remainder(32).div(32.0);
    limpid::Image::from_unit(column.expand({3, height, width}))
        .save(folder / (std::to_string(8 + i) + ".png"));
  }
}

/// Weights of a tiny network that begins near the average.
void write_weights(const fs::path& file, std::uint64_t seed = 1) {
  torch::manual_seed(seed);
  limpid::SepConvNetwork network{limpid::SepConvOptions{.widths = {4, 6}, .taps = 5}};
  network->start_from_average();
  limpid::save_sepconv(file, network);
}

std::string bytes_of(const fs::path& file) {
  std::ifstream stream{file, std::ios::binary};
  return {std::istreambuf_iterator<char>{stream}, {}};
}

std::vector<std::string> names_in(const fs::path& folder) {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator{folder}) {
    names.push_back(entry.path().filename().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

/// A command that fails with `code` and an error that holds `text`.
void check_fails(const std::vector<std::string>& words, int code, const std::string& text) {
  const auto ended = run(words);
  BOOST_TEST(ended.code == code, ended.err);
  BOOST_TEST((ended.err.find(text) != std::string::npos), ended.err);
}

BOOST_AUTO_TEST_SUITE(interpolation)

BOOST_AUTO_TEST_CASE(frames_go_between_the_originals_and_a_cut_off_run_goes_on) {
  TemporaryFolder folder;
  const auto frames = folder / "frames", out = folder / "out";
  write_frames(frames, 3, 20, 37);
  write_frames(frames / "scene", 2, 16, 16);
  write_weights(folder / "weights.safetensors");
  const std::vector<std::string> command{"limpid-data",   "interpolate",
                                         frames.string(), out.string(),
                                         "--fps",         "240",
                                         "--to",          "960",
                                         "--weights",     (folder / "weights.safetensors").string(),
                                         "--threads",     "1",
                                         "--tile",        "32",
                                         "--overlap",     "8"};
  const auto first = run(command);
  BOOST_REQUIRE_MESSAGE(first.code == 0, first.err);
  BOOST_TEST((first.err.find("9 frames made, 0 were there") != std::string::npos), first.err);
  const std::vector<std::string> expected{"000000.png", "000001.png", "000002.png", "000003.png",
                                          "000004.png", "000005.png", "000006.png", "000007.png",
                                          "000008.png", "made.json",  "scene"};
  BOOST_TEST(names_in(out) == expected, boost::test_tools::per_element());
  BOOST_TEST(names_in(out / "scene").size() == 5u);
  // 8, 9, 10: numbers as numbers; the originals as they were.
  for (int i = 0; i < 3; ++i) {
    BOOST_TEST((bytes_of(frames / (std::to_string(8 + i) + ".png")) ==
                bytes_of(out / ("00000" + std::to_string(4 * i) + ".png"))));
  }
  // In between in time: the second of three is half of either neighbour.
  const auto unit = [&](const std::string& name) { return limpid::Image::load(out / name).unit(); };
  const auto middle = (unit("000000.png") + unit("000004.png")) / 2;
  BOOST_TEST((unit("000002.png") - middle).abs().mean().item<double>() < 0.1);

  const auto before = bytes_of(out / "000005.png");
  fs::remove(out / "000005.png");
  fs::remove(out / "000008.png");
  check_fails(command, 1, "are there already; name another folder, or see --overwrite");
  auto going_on = command;
  going_on.push_back("--skip-existing");
  const auto second = run(going_on);
  BOOST_TEST(second.code == 0, second.err);
  BOOST_TEST((second.err.find("1 frames made, 8 were there") != std::string::npos), second.err);
  BOOST_TEST((bytes_of(out / "000005.png") == before));
  BOOST_TEST(fs::exists(out / "000008.png"));

  auto other = going_on;
  other[7] = "480";
  check_fails(other, 1, "was made with to 960, not 480; --overwrite removes it");
  write_weights(folder / "weights.safetensors", 2);
  check_fails(going_on, 1, "was made with weights");
}

BOOST_AUTO_TEST_CASE(wrong_usage_of_interpolate) {
  TemporaryFolder folder;
  write_frames(folder / "frames", 2, 16, 16);
  write_weights(folder / "weights.safetensors");
  const auto command = [&](const std::string& to, const fs::path& out,
                           const std::vector<std::string>& more = {}) {
    std::vector<std::string> words{"limpid-data",
                                   "interpolate",
                                   (folder / "frames").string(),
                                   out.string(),
                                   "--to",
                                   to,
                                   "--weights",
                                   (folder / "weights.safetensors").string()};
    words.insert(words.end(), more.begin(), more.end());
    return words;
  };
  check_fails(command("720", folder / "out"), 2,
              "--to: expected 2, 4, 8 or 16 times --fps 240, got 720");
  check_fails(command("960", folder / "frames/out"), 2, "keeps off FRAMES_DIR");
  check_fails(command("960", folder / "out", {"--tile", "34"}), 2,
              "--tile: expected a multiple of 4, got 34");
  fs::create_directories(folder / "full");
  std::ofstream{folder / "full/note.txt"} << "kept";
  check_fails(command("960", folder / "full"), 1, "note.txt' is there already");
  std::ofstream{folder / "weights.safetensors"} << "no weights";
  check_fails(command("960", folder / "out"), 1, "weights.safetensors");
}

BOOST_AUTO_TEST_CASE(training_writes_a_run_that_interpolate_takes) {
  TemporaryFolder folder;
  write_frames(folder / "frames", 7, 32, 32);
  const auto out = folder / "run";
  std::vector<std::string> train{"limpid-data",
                                 "train-interpolation",
                                 (folder / "frames").string(),
                                 "--out",
                                 out.string(),
                                 "--steps",
                                 "2",
                                 "--stop-after",
                                 "1",
                                 "--crop",
                                 "32",
                                 "--batch",
                                 "1",
                                 "--threads",
                                 "1",
                                 "--json",
                                 (folder / "result.json").string()};
  const auto trained = run(train);
  BOOST_REQUIRE_MESSAGE(trained.code == 0, trained.err);
  auto result = nlohmann::json::parse(bytes_of(folder / "result.json"));
  BOOST_TEST(result["result"] == "stopped");
  BOOST_TEST(result["steps"] == 1);
  BOOST_TEST(result["triplets"]["training"] == 2);
  BOOST_TEST(result["triplets"]["held_back"] == 1);
  const std::vector<std::string> expected{"checkpoint.limpid", "metrics.jsonl", "model.limpid",
                                          "run.lock"};
  BOOST_TEST(names_in(out) == expected, boost::test_tools::per_element());

  train[8] = "9";  // to the end
  const auto model = bytes_of(out / "model.limpid");
  check_fails(train, 1, "already holds a run; resume it, or name another folder");
  BOOST_TEST((bytes_of(out / "model.limpid") == model));
  auto resume = train;
  resume.push_back("--resume");
  const auto resumed = run(resume);
  BOOST_TEST(resumed.code == 0, resumed.err);
  BOOST_TEST((resumed.err.find("resumed at step 1") != std::string::npos), resumed.err);
  result = nlohmann::json::parse(bytes_of(folder / "result.json"));
  BOOST_TEST(result["result"] == "finished");
  BOOST_TEST(result["steps"] == 2);
  BOOST_TEST(result["validation"]["interpolate"]["psnr_rgb"].get<double>() > 5);

  const auto ended =
      run({"limpid-data", "interpolate", (folder / "frames").string(), (folder / "out").string(),
           "--to", "480", "--weights", (out / "model.limpid").string(), "--threads", "1"});
  BOOST_TEST(ended.code == 0, ended.err);
  BOOST_TEST(names_in(folder / "out").size() == 14u);

  train.push_back("--overwrite");
  const auto anew = run(train);
  BOOST_TEST(anew.code == 0, anew.err);
  BOOST_TEST((anew.err.find("resumed") == std::string::npos), anew.err);
}

BOOST_AUTO_TEST_CASE(a_signal_ends_a_training_saved) {
  TemporaryFolder folder;
  write_frames(folder / "frames", 7, 32, 32);
  const auto out = folder / "run";
  limpid_test::Running training{{"limpid-data", "train-interpolation", (folder / "frames").string(),
                                 "--out", out.string(), "--minutes", "5", "--crop", "32", "--batch",
                                 "1", "--threads", "1"}};
  BOOST_REQUIRE(training.wait_until(
      [&] { return training.err().find("  interpolate ") != std::string::npos; }));
  training.send(SIGTERM);
  const auto ended = training.wait();
  BOOST_TEST(ended.code == 0, ended.err);
  BOOST_TEST((ended.err.find("interrupted after ") != std::string::npos), ended.err);
  BOOST_TEST(fs::exists(out / "checkpoint.limpid"));
  BOOST_TEST(fs::exists(out / "model.limpid"));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
