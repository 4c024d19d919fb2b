#pragma once

#include <limpid/core/compiled.hpp>
#include <limpid/weighting/weighting.hpp>

#include <ATen/core/Tensor.h>
#include <nlohmann/json.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#ifdef LIMPID_BODIES
#include <limpid/weighting/gram_matrix.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>
#include <string_view>
#endif

namespace limpid {

/// A part of the shared encoder: neighbouring parameters whose names begin alike.
struct EncoderPart {
  std::string name;        ///< what their names begin with: "body.3"
  std::int64_t begin = 0;  ///< of their numbers in the row of all the encoder's numbers
  std::int64_t count = 0;
};

/// Parts an encoder's parameters, in their order, where their names begin to differ: by as few
/// pieces of the names as make at least three parts, or by all.
///
/// @param parameters  names, without "encoder.", and how many numbers each has
LIMPID_INLINE std::vector<EncoderPart> encoder_parts(
    const std::vector<std::pair<std::string, std::int64_t>>& parameters);

/// The cosine of each two tasks' gradients; NaN where one of them is zero.
/// @param gram  the products of each two gradients, (T, T)
LIMPID_INLINE TaskMatrix cosines(const TaskMatrix& gram);

/// How many pairs of tasks pull in opposite directions: their gradients' product is negative.
LIMPID_INLINE std::int64_t conflicts(const TaskMatrix& gram);

/// Whether the tasks agree about the shared encoder, in one step: the products of each two of their
/// gradients, each that of the task's whole loss with its branch's weight.
///
/// Source: Yu et al., "Gradient Surgery for Multi-Task Learning" (PCGrad), NeurIPS 2020, sec. 2
/// (conflict: a negative cosine); by layers as in Guangyuan et al., "Recon: Reducing Conflicting
/// Gradients from the Root for Multi-Task Learning", ICLR 2023.
struct Interference {
  std::vector<std::string> tasks;
  TaskMatrix gram{};                                        ///< (T, T), of the whole encoder
  std::vector<std::pair<std::string, TaskMatrix>> parts{};  ///< the same of each part of it
  TaskVector weights{};  ///< that the weighting gave the tasks; empty where it gives none

  /// @param rows   (T, P): the tasks' gradients of the encoder's P numbers
  /// @param parts  of the encoder, together P numbers
  static Interference of(std::vector<std::string> tasks, const at::Tensor& rows,
                         const std::vector<EncoderPart>& parts);

  /// Takes out weights that the gradients have been multiplied by.
  void unweigh(const TaskVector& weights);
};

namespace detail {

LIMPID_INLINE nlohmann::json agreement_json(const TaskMatrix& gram);

}  // namespace detail

/// As a line of metrics.jsonl has it: tasks; their gradients' lengths, cosines ("none" where a
/// gradient is zero) and the number of conflicts; the same of each part of the encoder.
LIMPID_INLINE nlohmann::json interference_json(const Interference& interference);

}  // namespace limpid

#ifdef LIMPID_BODIES

namespace limpid {

LIMPID_INLINE std::vector<EncoderPart> encoder_parts(
    const std::vector<std::pair<std::string, std::int64_t>>& parameters) {
  constexpr std::size_t kEnough = 3, kMostPieces = 8;
  std::vector<EncoderPart> parts;
  for (std::size_t pieces = 1; pieces <= kMostPieces; ++pieces) {
    parts.clear();
    std::int64_t begin = 0;
    for (const auto& [name, count] : parameters) {
      std::size_t end = 0;
      for (std::size_t piece = 0; piece < pieces && end != name.npos; ++piece) {
        end = name.find('.', end == 0 ? 0 : end + 1);
      }
      // The last piece says weight or bias: these belong together.
      const auto part = name.substr(0, std::min(end, name.rfind('.')));
      if (parts.empty() || parts.back().name != part) parts.push_back({part, begin, 0});
      parts.back().count += count;
      begin += count;
    }
    if (parts.size() >= kEnough) break;
  }
  return parts;
}

LIMPID_INLINE TaskMatrix cosines(const TaskMatrix& gram) {
  TaskMatrix result{gram.rows(), gram.cols()};
  for (Eigen::Index i = 0; i < gram.rows(); ++i) {
    for (Eigen::Index j = 0; j < gram.cols(); ++j) {
      const auto lengths = std::sqrt(gram(i, i)) * std::sqrt(gram(j, j));
      const auto cosine = i == j ? 1.0 : std::clamp(gram(i, j) / lengths, -1.0, 1.0);
      result(i, j) = lengths > 0 ? cosine : std::numeric_limits<double>::quiet_NaN();
    }
  }
  return result;
}

LIMPID_INLINE std::int64_t conflicts(const TaskMatrix& gram) {
  std::int64_t count = 0;
  for (Eigen::Index i = 0; i < gram.rows(); ++i) {
    for (Eigen::Index j = 0; j < i; ++j) count += gram(i, j) < 0 ? 1 : 0;
  }
  return count;
}

LIMPID_INLINE Interference Interference::of(std::vector<std::string> tasks, const at::Tensor& rows,
                                            const std::vector<EncoderPart>& parts) {
  Interference result;
  result.tasks = std::move(tasks);
  result.gram = TaskMatrix::Zero(rows.size(0), rows.size(0));
  for (const auto& part : parts) {
    result.parts.emplace_back(part.name, gram_matrix(rows.narrow(1, part.begin, part.count)));
    result.gram += result.parts.back().second;
  }
  return result;
}

LIMPID_INLINE void Interference::unweigh(const TaskVector& weights) {
  const auto unweigh = [&](TaskMatrix& gram) {
    for (Eigen::Index i = 0; i < gram.rows(); ++i) {
      for (Eigen::Index j = 0; j < gram.cols(); ++j) {
        const auto both = weights[i] * weights[j];
        gram(i, j) = both == 0 ? 0 : gram(i, j) / both;
      }
    }
  };
  unweigh(gram);
  for (auto& part : parts) unweigh(part.second);
}

}  // namespace limpid

namespace limpid::detail {

LIMPID_INLINE nlohmann::json agreement_json(const TaskMatrix& gram) {
  const auto number_or_none = [](double value) {
    return std::isfinite(value) ? nlohmann::json(value) : nlohmann::json("none");
  };
  const auto cosine = cosines(gram);
  auto lengths = nlohmann::json::array(), rows = nlohmann::json::array();
  for (Eigen::Index i = 0; i < gram.rows(); ++i) {
    lengths.push_back(std::sqrt(std::max(gram(i, i), 0.0)));
    auto row = nlohmann::json::array();
    for (Eigen::Index j = 0; j < gram.cols(); ++j) row.push_back(number_or_none(cosine(i, j)));
    rows.push_back(std::move(row));
  }
  return {
      {"length", std::move(lengths)}, {"cosine", std::move(rows)}, {"conflicts", conflicts(gram)}};
}

}  // namespace limpid::detail

namespace limpid {

LIMPID_INLINE nlohmann::json interference_json(const Interference& interference) {
  auto json = detail::agreement_json(interference.gram);
  json["tasks"] = interference.tasks;
  if (interference.weights.size() > 0) {
    json["weights"] = std::vector<double>(interference.weights.begin(), interference.weights.end());
  }
  auto parts = nlohmann::json::array();
  for (const auto& [name, gram] : interference.parts) {
    auto part = detail::agreement_json(gram);
    part["name"] = name;
    parts.push_back(std::move(part));
  }
  json["parts"] = std::move(parts);
  return json;
}

}  // namespace limpid

#endif  // LIMPID_BODIES
