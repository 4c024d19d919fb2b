// What limpid-train takes beside a recipe, each tried in a few steps.
#include <limpid/io/safetensors.hpp>
#include <support/run_program.hpp>
#include <support/small_run.hpp>
#include <support/temporary_folder.hpp>

#include <ATen/ops/equal.h>
#include <boost/test/unit_test.hpp>

#include <filesystem>
#include <string>
#include <vector>

namespace {

namespace fs = std::filesystem;
using namespace limpid_test;

/// A run of one task, and what else it is told.
Ended train_deblur(const fs::path& out, const std::vector<std::string>& more,
                   const std::string& data = SmallRun::get().data("deblur")) {
  std::vector<std::string> words{"limpid-train", "--recipe", "quickstart", "--threads", "1",
                                 "--data",       data,       "--out",      out.string()};
  words.insert(words.end(), more.begin(), more.end());
  return run(words);
}

BOOST_AUTO_TEST_SUITE(training_choices)

BOOST_AUTO_TEST_CASE(critics_that_see_all_pixels_are_trained) {
  const TemporaryFolder folder;
  for (const std::string critic : {"unet", "attention"}) {
    const auto ended =
        train_deblur(folder / critic, {"--critic", critic, "--adversarial", "hinge", "--steps", "2",
                                       "--crop", "64", "--batch", "deblur=1"});
    BOOST_TEST(ended.code == 0, critic << ": " << ended.err);
    BOOST_TEST(fs::exists(folder / critic / "model.limpid"));
  }
}

BOOST_AUTO_TEST_CASE(photographs_are_degraded_where_the_network_trains) {
  const TemporaryFolder folder;
  const auto photos = "deblur=photos:" + SmallRun::get().path("photos");
  const std::vector<std::string> few{"--steps", "2", "--crop", "32", "--batch", "deblur=2"};
  const auto ended = train_deblur(folder / "device", few, photos + ",on=device");
  BOOST_TEST(ended.code == 0, ended.err);
  // A resume that would degrade elsewhere is another run.
  auto elsewhere = few;
  elsewhere.insert(elsewhere.end(), {"--resume", "--steps", "4"});
  elsewhere.erase(elsewhere.begin(), elsewhere.begin() + 2);
  const auto refused = train_deblur(folder / "device", elsewhere, photos);
  BOOST_TEST(refused.code == 1);
  BOOST_TEST(refused.err.find("degraded_on") != std::string::npos, refused.err);
}

BOOST_AUTO_TEST_CASE(crops_that_grow_and_mixed_batches_are_resumed_bit_by_bit) {
  const TemporaryFolder folder;
  const std::vector<std::string> how{
      "--steps", "4",        "--crop",    "16:0,24:0.5,32:0.75",
      "--batch", "deblur=2", "--augment", "deblur=flip+mixup@0.5+cut-blur@0.5"};
  BOOST_TEST(train_deblur(folder / "whole", how).code == 0);
  for (const std::string stop : {"1", "1", "4"}) {
    auto words = how;
    words.insert(words.end(), {"--resume", "--stop-after", stop});
    const auto ended = train_deblur(folder / "parts", words);
    BOOST_TEST(ended.code == 0, ended.err);
  }
  const auto whole = limpid::read_safetensors(folder / "whole" / "model.limpid").tensors;
  const auto parts = limpid::read_safetensors(folder / "parts" / "model.limpid").tensors;
  for (const auto& [name, tensor] : whole) BOOST_TEST(at::equal(parts.at(name), tensor), name);

  auto other = how;
  other[3] = "16:0,24:0.5,32:0.8";
  other.push_back("--resume");
  const auto refused = train_deblur(folder / "whole", other);
  BOOST_TEST(refused.code == 1);
  BOOST_TEST(
      refused.err.find("/branches/deblur/crop = \"16:0,24:0.5,32:0.75\"") != std::string::npos,
      refused.err);
}

BOOST_AUTO_TEST_CASE(crops_that_cannot_grow_are_refused) {
  const TemporaryFolder folder;
  const auto refused = [&](const std::vector<std::string>& words, int code,
                           const std::string& text) {
    const auto ended = train_deblur(folder / "none", words);
    BOOST_TEST(ended.code == code);
    BOOST_TEST(ended.err.find(text) != std::string::npos, ended.err);
  };
  refused({"--crop", "32:0,64"}, 2, "found '64' in '32:0,64'");
  refused({"--crop", "8:0,64:0.5"}, 2, "expected a whole number from 16 to 4096, got '8'");
  refused({"--crop", "32:0,64:0.5", "--minutes", "1"}, 1, "needs a length in steps or epochs");
  refused({"--augment", "deblur=flip+mixup@0"}, 2, "expected a share of the batches above 0");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
