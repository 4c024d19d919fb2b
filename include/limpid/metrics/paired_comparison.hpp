#pragma once

#include <limpid/metrics/bootstrap.hpp>
#include <limpid/metrics/left_out.hpp>
#include <limpid/metrics/score_json.hpp>
#include <limpid/metrics/score_text.hpp>
#include <limpid/metrics/scores.hpp>
#include <limpid/metrics/sign_flip_test.hpp>
#include <limpid/metrics/statistics.hpp>

#include <nlohmann/json.hpp>

#include <cmath>
#include <cstddef>
#include <cstdio>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace limpid {

/// The outputs of two programs for the same pictures, and whether they differ.
struct PairedComparison {
  Comparison compared;  ///< one program
  Comparison against;   ///< the other: the same metrics, and the same pictures in the same order
  std::map<std::string, std::string> missing{};  ///< pictures of neither comparison, and why

  const std::vector<AnyMetric>& metrics() const { return compared.metrics; }

  /// By how much `compared` scores higher than `against` under metric number `index`, picture by
  /// picture; no number where one of them has no finite score.
  std::vector<double> differences(std::size_t index) const {
    return paired_differences(against.scores(index), compared.scores(index));
  }

  /// Statistics of the differences; of a metric of sets, the difference of the two scores.
  Statistics difference(std::size_t index) const {
    if (!metrics().at(index).of_set) {
      return gain_statistics(against.scores(index), compared.scores(index));
    }
    auto result = compared.compared(index);
    result.mean -= against.compared(index).mean;
    return result;
  }

  /// Whether chance alone explains the differences.
  SignFlipTest test(std::size_t index) const { return sign_flip_test(differences(index)); }
};

namespace detail {

/// The mean of one program over the pictures that both have a finite score for.
inline double mean_of_both(const std::vector<double>& scores, const std::vector<double>& others) {
  std::vector<double> both;
  for (std::size_t i = 0; i < scores.size(); ++i) {
    if (std::isfinite(scores[i]) && std::isfinite(others.at(i))) both.push_back(scores[i]);
  }
  return statistics(both).mean;
}

inline std::string p_text(double p) {
  if (std::isnan(p)) return "none";
  char text[32];
  std::snprintf(text, sizeof text, "%.2g", p);
  return text;
}

}  // namespace detail

/// A table for terminals: one line per metric. The means of both programs run over the pictures
/// that the difference runs over.
inline std::string text_table(const PairedComparison& pairs) {
  std::vector<std::vector<std::string>> rows{
      {"metric", "unit", "images", "compared", "against", "difference", level_text({}), "p"}};
  for (std::size_t i = 0; i < pairs.metrics().size(); ++i) {
    const auto& metric = pairs.metrics()[i];
    const auto a = pairs.compared.scores(i), b = pairs.against.scores(i);
    const auto first = metric.of_set ? pairs.compared.compared(i).mean : detail::mean_of_both(a, b);
    const auto other = metric.of_set ? pairs.against.compared(i).mean : detail::mean_of_both(b, a);
    rows.push_back({metric.name, metric.unit, std::to_string(pairs.compared.images.size()),
                    format_score(metric, first), format_score(metric, other),
                    mean_text(metric, pairs.difference(i), true),
                    interval_text(metric, mean_interval(pairs.differences(i)), true),
                    detail::p_text(pairs.test(i).p)});
  }
  return detail::aligned(rows, 2);
}

/// What stands below the table: how the differences, their intervals and p are found.
inline std::vector<std::string> paired_notes(const PairedComparison& pairs) {
  std::vector<std::string> lines{
      "difference: what --compare scores more than --against, mean over the pictures that both "
      "have "
      "a finite score for",
      interval_note()};
  std::map<std::string, std::string> tests;  // how p is found -> of which metrics
  for (std::size_t i = 0; i < pairs.metrics().size(); ++i) {
    const auto test = pairs.test(i);
    if (test.count == 0) continue;
    auto& names = tests[test.text()];
    names += (names.empty() ? "" : ", ") + pairs.metrics()[i].name;
  }
  for (const auto& [how, names] : tests) {
    lines.push_back("p of " + names + ": two-sided permutation test of no difference (" + how +
                    "), each metric by itself");
  }
  return lines;
}

/// What is left out: pictures that are not in all folders, that could not be compared, and that one
/// program has no finite score for.
inline std::vector<std::string> left_out_lines(const PairedComparison& pairs) {
  auto lines = pairs.compared.notes;
  const auto& images = pairs.compared.images;
  detail::NamedFew missing, failed;
  for (const auto& [name, why] : pairs.missing) missing.add(name, why);
  if (missing.count() > 0) {
    lines.push_back(detail::of_pictures(missing.count(), missing.count() + images.size()) +
                    " left out: " + missing.text());
  }
  for (std::size_t i = 0; i < images.size(); ++i) {
    const auto& error = images[i].error.empty() ? pairs.against.images[i].error : images[i].error;
    if (!error.empty()) failed.add(images[i].name, printable(error, 4096));
  }
  if (failed.count() > 0) {
    lines.push_back(detail::of_pictures(failed.count(), images.size()) +
                    " could not be measured: " + failed.text());
  }
  for (std::size_t i = 0; i < pairs.metrics().size(); ++i) {
    const auto& metric = pairs.metrics()[i];
    if (metric.of_set) continue;
    detail::NamedFew few;
    for (std::size_t k = 0; k < images.size(); ++k) {
      const auto& other = pairs.against.images[k];
      if (!images[k].error.empty() || !other.error.empty()) continue;
      const auto a = images[k].scores.at(i), b = other.scores.at(i);
      if (std::isfinite(a) && std::isfinite(b)) continue;
      const auto state = [&](double score, const PictureScores& scores) {
        if (std::isfinite(score)) return format_score(metric, score);
        if (std::isinf(score)) return std::string{"exact"};
        const auto reason = scores.reasons.find(i);
        return reason == scores.reasons.end() ? std::string{"none"} : printable(reason->second);
      };
      few.add(images[k].name,
              state(a, images[k].scores) + " in one, " + state(b, other.scores) + " in the other");
    }
    if (few.count() == 0) continue;
    lines.push_back(metric.name + ": " + detail::of_pictures(few.count(), images.size()) +
                    " left out of the difference: " + few.text());
  }
  return lines;
}

/// What `to_json` of a comparison has of `compared`, and beside it
/// {"against": {"failed", "compared": {METRIC: ...}, "images": [...]},
///  "difference": {METRIC: {"mean", "std", "count", "left_out", "interval", "p", "test"}},
///  "missing": {NAME: why}}; a metric of sets has no "interval", "p" and "test".
inline nlohmann::json to_json(const PairedComparison& pairs) {
  auto json = to_json(pairs.compared);
  auto against = to_json(pairs.against);
  for (const auto* part : {"failed", "compared", "images"}) json["against"][part] = against[part];
  json["difference"] = nlohmann::json::object();
  for (std::size_t i = 0; i < pairs.metrics().size(); ++i) {
    auto& entry = json["difference"][pairs.metrics()[i].name];
    entry = detail::json_statistics(pairs.difference(i), pairs.differences(i));
    const auto test = pairs.test(i);
    if (pairs.metrics()[i].of_set) continue;
    entry["p"] = detail::json_number(test.p);
    if (test.count > 0) entry["test"] = "two-sided, " + test.text();
  }
  json["missing"] = pairs.missing;
  return json;
}

}  // namespace limpid
