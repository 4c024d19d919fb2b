#pragma once

// Sets of pairs that subcommands of limpid-data make from pictures.

#include <limpid/datasets/pairs.hpp>

#include <ATen/Parallel.h>
#include <nlohmann/json.hpp>

#include <cstddef>
#include <filesystem>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "../failures.hpp"
#include "../in_order.hpp"
#include "../program.hpp"
#include "made_set.hpp"

namespace examples {

/// OUTPUT_DIR/{input,target}/NAME.png, a pair for each of the named pictures.
class MadePairs {
 public:
  /// How the work is called on the way.
  struct Words {
    std::string command;   ///< "degrade"
    std::string label;     ///< what progress begins with: "deblur"
    std::string pictures;  ///< what the pairs are made from: "photographs"
    std::string done;      ///< "3 of 20 pictures could not be ...": "degraded"
  };

  /// A picture to make a pair from.
  struct Picture {
    std::size_t number;  ///< in the order of names, from 0
    const std::string& name;
    const fs::path& file;
  };

  /// @param settings  as `MadeSet` takes them; the command's name is added
  MadePairs(fs::path output, Words words, nlohmann::json settings, const Existing& existing)
      : output_(std::move(output)),
        words_(std::move(words)),
        made_(output_, with_command(std::move(settings)), {"input", "target"}, existing) {}

  /// Writes what `make(picture, is_there)` returns, from `threads` threads. A picture that fails is
  /// named, and the others go on. What it returns of a pair that is there and stays is not used.
  template <class Make>
  void make(const std::map<std::string, fs::path>& pictures, int threads, Make make) {
    const std::vector<std::pair<std::string, fs::path>> listed{pictures.begin(), pictures.end()};
    Failures failures{"limpid-data " + words_.command};
    at::set_num_threads(1);  // a picture a thread
    work_in_order(
        listed.size(), threads,
        [&](std::size_t i) {
          const Picture picture{i, listed[i].first, listed[i].second};
          const auto degraded = fs::path{"input"} / (picture.name + ".png");
          const auto target = fs::path{"target"} / (picture.name + ".png");
          const bool is_there = made_.keeps({degraded, target});
          limpid::EncodedPicture made_target, made_degraded;
          const bool went_well = failures.attempt(picture.file, [&] {
            const limpid::ImagePair pair = make(picture, is_there);
            if (is_there) return;
            made_target = pair.target.encoded_for(output_ / target);
            made_degraded = pair.degraded.encoded_for(output_ / degraded);
          });
          if (!went_well || is_there) return;
          // Errors from here on, such as a full disk, are not the picture's and stop everything.
          made_target.write();
          made_degraded.write();
        },
        [&](std::size_t i) {
          failures.say(progress_);
          progress_.show(words_.label + ": " + std::to_string(i + 1) + " of " +
                         std::to_string(listed.size()) + " " + words_.pictures + ", " +
                         listed[i].first);
        });
    progress_.end();
    failures.check(listed.size(), words_.done);
    count_ = listed.size();
  }

  /// Records that the set is whole, and says so; `more` stands behind that.
  void finish(const std::string& more = {}) {
    made_.finish();
    progress_.say(words_.label + ": " + std::to_string(count_) + " pairs in '" + output_.string() +
                  "'" + more);
  }

 private:
  nlohmann::json with_command(nlohmann::json settings) const {
    settings["command"] = words_.command;
    return settings;
  }

  fs::path output_;
  Words words_;
  MadeSet made_;
  Progress progress_;
  std::size_t count_ = 0;
};

}  // namespace examples
