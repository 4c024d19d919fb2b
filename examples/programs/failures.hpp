#pragma once

#include <limpid/core/errors.hpp>
#include <limpid/core/progress_line.hpp>

#include <c10/util/Exception.h>
#include <nlohmann/json.hpp>

#include <cstddef>
#include <exception>
#include <filesystem>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace examples {

/// What an error says, with the picture's name before it where it does not hold that.
inline std::string text_naming(const std::string& picture, const std::string& text) {
  const auto name = "'" + picture + "'";
  return text.find(name) == text.npos ? name + ": " + text : text;
}

inline std::string text_naming(const std::string& picture, const std::exception& error) {
  return text_naming(picture, limpid::error_text(error));
}

/// Pictures of a batch that failed: each is named, and the others go on.
class Failures {
 public:
  struct Failure {
    std::filesystem::path picture;
    std::string error;
  };

  /// @param program  how lines begin
  /// @param hint     what to do where memory ran out
  explicit Failures(std::string program, std::string hint = {})
      : program_(std::move(program)), hint_(std::move(hint)) {}

  /// Runs `work` on a picture, from any thread, and notes a failure. @return whether it went well.
  template <class Work>
  bool attempt(const std::filesystem::path& picture, Work work) {
    auto error = error_of(picture, work);
    if (error.empty()) return true;
    note(picture, std::move(error));
    return false;
  }

  /// Runs `work` on a picture. @return what went wrong; nothing where it went well.
  template <class Work>
  std::string error_of(const std::filesystem::path& picture, Work work) const {
    try {
      work();
      return {};
    } catch (const std::exception& error) {
      auto text = text_naming(picture.string(), error);
      if (limpid::is_out_of_memory(error) && !hint_.empty()) text += "; " + hint_;
      return text;
    }
  }

  /// Adds one that failed elsewhere.
  void add(const std::string& picture, const std::string& error) {
    const std::lock_guard lock{mutex_};
    all_.push_back({picture, text_naming(picture, error)});
  }

  void note(const std::filesystem::path& picture, std::string error) {
    const std::lock_guard lock{mutex_};
    all_.push_back({picture, std::move(error)});
  }

  /// Says those that it has not said yet.
  void say(limpid::ProgressLine& line) {
    const std::lock_guard lock{mutex_};
    for (; said_ < all_.size(); ++said_) line.say(program_ + ": " + all_[said_].error);
  }

  /// [{"input": picture, "error": text}]
  nlohmann::json json() const {
    auto list = nlohmann::json::array();
    for (const auto& [picture, error] : all_) {
      list.push_back({{"input", picture.string()}, {"error", error}});
    }
    return list;
  }

  /// @throws c10::Error "3 of 20 pictures could not be restored; see above: 'a.png', 'b.png', ..."
  void check(std::size_t count, const std::string& what) const {
    constexpr std::size_t kNamed = 10;
    std::string names;
    for (std::size_t i = 0; i < all_.size() && i < kNamed; ++i) {
      names += (i == 0 ? "'" : ", '") + all_[i].picture.string() + "'";
    }
    if (all_.size() > kNamed) names += " and " + std::to_string(all_.size() - kNamed) + " more";
    TORCH_CHECK(all_.empty(), all_.size(), " of ", count, " pictures could not be ", what,
                "; see above: ", names);
  }

 private:
  std::string program_, hint_;
  std::mutex mutex_;
  std::vector<Failure> all_;
  std::size_t said_ = 0;
};

}  // namespace examples
