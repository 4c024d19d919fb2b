#pragma once

#include <limpid/core/json_text.hpp>
#include <limpid/datasets/pairs.hpp>
#include <limpid/metrics/scores.hpp>
#include <limpid/parallel/communicator.hpp>

#include <nlohmann/json.hpp>

#include <bit>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

// Pictures shared out among processes: number n goes to rank n modulo the number of processes.

namespace limpid::detail {

/// The pairs of this process.
inline Pairs share_of_pairs(const Pairs& pairs, const Communicator& world) {
  if (world.is_alone()) return pairs;
  std::vector<std::int64_t> indices;
  for (auto i = world.rank(); i < pairs.size(); i += world.size()) indices.push_back(i);
  return pairs.subset(std::move(indices));
}

/// Scores by their bits: JSON has no infinity, and no digit may be lost.
inline nlohmann::json json_of_bits(const PictureScores& scores) {
  auto bits = nlohmann::json::array();
  for (const auto score : scores) bits.push_back(std::bit_cast<std::uint64_t>(score));
  return {bits, scores.reasons};
}

inline PictureScores scores_of_bits(const nlohmann::json& json) {
  PictureScores scores;
  for (const auto& bits : json.at(0)) {
    scores.push_back(std::bit_cast<double>(bits.get<std::uint64_t>()));
  }
  scores.reasons = json.at(1).get<decltype(scores.reasons)>();
  return scores;
}

inline nlohmann::json json_of_bits(const ImageScores& image) {
  return {{"name", image.name},
          {"identity", json_of_bits(image.identity)},
          {"restored", json_of_bits(image.restored)},
          {"target", json_of_bits(image.target)}};
}

inline ImageScores image_scores_of_bits(const nlohmann::json& json) {
  return {json.at("name").get<std::string>(), scores_of_bits(json.at("identity")),
          scores_of_bits(json.at("restored")), scores_of_bits(json.at("target"))};
}

/// What each process has to say of its pictures, in the order of all pictures.
inline std::vector<nlohmann::json> gathered_in_order(const nlohmann::json& lines,
                                                     const Communicator& world) {
  std::vector<nlohmann::json> by_rank, all;
  for (const auto& text : world.gather_text(json_line(lines))) {
    by_rank.push_back(nlohmann::json::parse(text));
  }
  for (std::size_t round = 0;; ++round) {
    for (auto& of_rank : by_rank) {
      if (round >= of_rank.size()) return all;
      all.push_back(std::move(of_rank.at(round)));
    }
  }
}

}  // namespace limpid::detail
