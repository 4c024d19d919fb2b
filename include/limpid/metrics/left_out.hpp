#pragma once

#include <limpid/core/printable.hpp>
#include <limpid/metrics/score_text.hpp>
#include <limpid/metrics/scores.hpp>

#include <cmath>
#include <cstddef>
#include <functional>
#include <string>
#include <vector>

namespace limpid {

namespace detail {

/// Counts pictures and names the first few: "2 of 900 pictures: 'a' (why), 'b' (why)".
class NamedFew {
 public:
  void add(const std::string& name, const std::string& why = {}) {
    if (++count_ > kNamed) return;
    text_ += (count_ == 1 ? "'" : ", '") + printable(name) + "'" +
             (why.empty() ? why : " (" + why + ")");
  }

  std::size_t count() const { return count_; }

  std::string text() const {
    return count_ > kNamed ? text_ + " and " + std::to_string(count_ - kNamed) + " more" : text_;
  }

 private:
  static constexpr std::size_t kNamed = 3;

  std::size_t count_ = 0;
  std::string text_;
};

inline std::string of_pictures(std::size_t count, std::size_t all) {
  return std::to_string(count) + " of " + std::to_string(all) + " pictures";
}

/// Adds what the mean of metric number `index` over `images` leaves out: a line for exact pictures
/// and one for those without a score.
/// @param of  image -> its `PictureScores`
template <class Images, class Of>
void add_left_out_lines(std::vector<std::string>& lines, const std::string& what,
                        const Images& images, std::size_t index, Of of) {
  NamedFew exact, none;
  for (const auto& image : images) {
    if (!image.error.empty()) continue;  // it has a line of its own
    const PictureScores& scores = of(image);
    if (std::isinf(scores.at(index))) exact.add(image.name);
    const auto reason = scores.reasons.find(index);
    if (reason != scores.reasons.end()) none.add(image.name, reason->second);
  }
  const auto add = [&](const NamedFew& few, const char* why) {
    if (few.count() == 0) return;
    lines.push_back(what + ": " + of_pictures(few.count(), images.size()) + why + few.text());
  };
  add(exact, " left out of the mean, exact: ");
  add(none, " left out of the mean, without a score: ");
}

/// Adds a line for pictures that could not be read, restored or compared.
template <class Images>
void add_failed_line(std::vector<std::string>& lines, const std::string& what,
                     const Images& images) {
  NamedFew failed;
  for (const auto& image : images) {
    if (!image.error.empty()) failed.add(image.name, printable(image.error, 4096));
  }
  if (failed.count() == 0) return;
  lines.push_back(what + of_pictures(failed.count(), images.size()) +
                  " could not be measured: " + failed.text());
}

inline void add_gain_line(std::vector<std::string>& lines, const TaskEvaluation& evaluation,
                          std::size_t index) {
  const auto& metric = evaluation.metrics[index];
  if (metric.of_set) return;
  const auto state = [&](double score) {
    return std::isinf(score) ? std::string{"exact"} : format_score(metric, score);
  };
  NamedFew few;
  for (const auto& image : evaluation.images) {
    if (!image.error.empty()) continue;
    const auto before = image.identity.at(index), after = image.restored.at(index);
    if (std::isfinite(before) && std::isfinite(after)) continue;
    few.add(image.name, state(before) + " before, " + state(after) + " after");
  }
  if (few.count() == 0) return;
  lines.push_back(metric.name + " of " + evaluation.task + ": " +
                  of_pictures(few.count(), evaluation.images.size()) +
                  " left out of the gain: " + few.text());
}

}  // namespace detail

/// What means and gains leave out, a few lines whatever the number of pictures:
/// "niqe of deblur, restored: 2 of 900 pictures left out of the mean, without a score: 'a' (3 of 40
/// blocks are flat), 'b' (1 of 40 blocks are flat)", "psnr_rgb of deblur: 1 of 2 pictures left out
/// of the gain: 'b' (exact before, 41.80 after)".
inline std::vector<std::string> left_out_lines(const std::vector<TaskEvaluation>& evaluations) {
  std::vector<std::string> lines;
  for (const auto& evaluation : evaluations) {
    detail::add_failed_line(lines, evaluation.task + ": ", evaluation.images);
    for (std::size_t i = 0; i < evaluation.metrics.size(); ++i) {
      const auto add = [&](const char* kind, PictureScores ImageScores::*which) {
        detail::add_left_out_lines(
            lines, evaluation.metrics[i].name + " of " + evaluation.task + ", " + kind,
            evaluation.images, i,
            [&](const ImageScores& image) -> const PictureScores& { return image.*which; });
      };
      add("degraded", &ImageScores::identity);
      add("restored", &ImageScores::restored);
      if (!evaluation.metrics[i].needs_target) add("target", &ImageScores::target);
      detail::add_gain_line(lines, evaluation, i);
    }
  }
  return lines;
}

/// The same for a comparison, after its notes.
inline std::vector<std::string> left_out_lines(const Comparison& comparison) {
  auto lines = comparison.notes;
  detail::add_failed_line(lines, "", comparison.images);
  for (std::size_t i = 0; i < comparison.metrics.size(); ++i) {
    detail::add_left_out_lines(
        lines, comparison.metrics[i].name, comparison.images, i,
        [](const Comparison::Image& image) -> const PictureScores& { return image.scores; });
  }
  return lines;
}

}  // namespace limpid
