#include <limpid/losses/content/l1.hpp>
#include <limpid/training/run_events.hpp>
#include <limpid/training/trainer.hpp>
#include <support/temporary_folder.hpp>
#include <support/tiny.hpp>

#include <torch/torch.h>
#include <boost/test/unit_test.hpp>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <filesystem>
#include <string>

using namespace limpid;
using namespace limpid_test;

namespace {

double scalar(const EventSummary& summary, const std::string& tag) {
  const auto found = std::find_if(summary.scalars.begin(), summary.scalars.end(),
                                  [&](const auto& one) { return one.first == tag; });
  BOOST_REQUIRE_MESSAGE(found != summary.scalars.end(), "no " << tag);
  return found->second;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(run_events)

BOOST_AUTO_TEST_CASE(each_kind_of_line_becomes_scalars) {
  const auto train = limpid::detail::event_summary(nlohmann::json::parse(
      R"({"kind": "train", "step": 3, "rate": 0.5, "images_per_second": 8,
          "losses": {"deblur": {"content": 0.25}}, "weights": {"deblur": 2}})"));
  BOOST_TEST(train.step == 3);
  BOOST_TEST(scalar(train, "loss/deblur/content") == 0.25);
  BOOST_TEST(scalar(train, "weight/deblur") == 2);
  BOOST_TEST(scalar(train, "run/rate") == 0.5);
  const auto validation = limpid::detail::event_summary(nlohmann::json::parse(
      R"({"kind": "validation", "step": 4, "tasks": {"deblur": {"psnr_rgb": 30.5, "failed": 0}}})"));
  BOOST_TEST(scalar(validation, "validation/deblur/psnr_rgb") == 30.5);
  BOOST_TEST(validation.scalars.size() == 1U);
  const auto interference = limpid::detail::event_summary(nlohmann::json::parse(
      R"({"kind": "interference", "step": 5, "tasks": ["a", "b"], "length": [1, 2],
          "cosine": [[1, -0.5], [-0.5, 1]],
          "parts": [{"name": "conv", "length": [1, 0], "cosine": [[1, "none"], ["none", "none"]]}]})"));
  BOOST_TEST(scalar(interference, "cosine/a, b") == -0.5);
  BOOST_TEST(scalar(interference, "gradient length/b") == 2);
  BOOST_TEST(interference.scalars.size() == 3U);  // what is no number has no curve
}

BOOST_AUTO_TEST_CASE(a_picture_is_the_middle_of_each_beside_the_others) {
  const auto dark = torch::zeros({1, 3, 40, 300}), bright = torch::ones({1, 3, 40, 300});
  const auto picture = limpid::detail::event_picture("p", {dark, bright});
  BOOST_TEST(picture.height == 40);
  BOOST_TEST(picture.width == 512);
  const auto decoded = Image::decode(picture.bytes, "p.png");
  BOOST_TEST(decoded.pixels()[0][255][0].item<int>() == 0);
  BOOST_TEST(decoded.pixels()[0][256][0].item<int>() == 255);
}

BOOST_AUTO_TEST_CASE(a_run_writes_one_event_file_a_sitting) {
  if (!kWritesEventFiles) return;
  TemporaryFolder run;
  for (int sitting = 1; sitting <= 2; ++sitting) {
    TrainerOptions options;
    options.out = run.path();
    options.length = Steps{4};
    options.epoch = FixedSteps{2};
    options.stop_after = 2;
    options.crop = 16;
    options.start = Start::resume;
    options.tensorboard = options.quiet = true;
    MultiTaskTrainer<TinyEncoder, TinyDecoder<"deblur">> trainer{options};
    trainer.branch<"deblur">(
        Branch{.pairs = DarkPictures{3}, .validation = DarkPictures{2}, .content = L1{}});
    trainer.fit();
    const auto files =
        std::count_if(std::filesystem::directory_iterator{run.path()}, {}, [](const auto& entry) {
          return entry.path().filename().string().starts_with("events.out.tfevents.");
        });
    BOOST_TEST(files == sitting);
  }
}

BOOST_AUTO_TEST_SUITE_END()
