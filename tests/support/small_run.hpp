#pragma once

#include <support/images.hpp>
#include <support/run_program.hpp>

#include <boost/test/unit_test.hpp>

#include <filesystem>
#include <string>
#include <vector>

namespace limpid_test {

/// What one small pass through the programs leaves: three photographs, their degraded pairs for
/// three tasks, and a model of three training steps. Made once, at the first use.
class SmallRun {
 public:
  static const SmallRun& get() {
    static const SmallRun run;
    return run;
  }

  std::string path(const std::string& name) const { return (folder_ / name).string(); }
  std::string model() const { return path("run/model.limpid"); }

  /// limpid-train on the pairs, into `out`, and further arguments.
  std::vector<std::string> train(const std::string& out,
                                 const std::vector<std::string>& more = {}) const {
    std::vector<std::string> words{
        "limpid-train", "--recipe", "quickstart", "--steps", "3",     "--crop", "32",
        "--seed",       "5",        "--threads",  "1",       "--out", out};
    for (const std::string task : {"deblur", "dehaze", "derain"}) {
      words.insert(words.end(), {"--data", data(task), "--batch", task + "=1"});
    }
    words.insert(words.end(), more.begin(), more.end());
    return words;
  }

  std::string data(const std::string& task) const { return task + "=pairs:" + path(task); }

  /// What the training of `model()` ended with.
  const Ended& trained() const { return trained_; }

 private:
  SmallRun() {
    for (int i = 0; i < 3; ++i) {
      save(picture(40, 48, static_cast<std::uint64_t>(i)),
           folder_ / "photos" / ("photo" + std::to_string(i) + ".png"));
    }
    for (const std::string task : {"deblur", "dehaze", "derain"}) {
      const auto made = run({"limpid-data", "degrade", "--task", task, path("photos"), path(task)});
      BOOST_REQUIRE_MESSAGE(made.code == 0, made.err);
    }
    trained_ = run(train(path("run"), {"--validate", data("deblur"), "--json", path("run.json")}));
    BOOST_REQUIRE_MESSAGE(trained_.code == 0, trained_.err);
  }

  TemporaryFolder folder_;
  Ended trained_;
};

}  // namespace limpid_test
