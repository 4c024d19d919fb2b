#pragma once

#include <limpid/io/event_file.hpp>
#include <limpid/io/image.hpp>

#include <ATen/core/Tensor.h>
#include <ATen/ops/cat.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

// What TensorBoard shows of a run: the lines of metrics.jsonl as scalars, and validation pictures.
namespace limpid::detail {

/// Adds the numbers below `json` under tags "PREFIX/KEY/KEY"; what is no number has no tag.
inline void add_scalars(EventSummary& summary, const std::string& prefix,
                        const nlohmann::json& json) {
  if (json.is_number()) summary.scalars.emplace_back(prefix, json.get<double>());
  if (!json.is_object()) return;
  for (const auto& [key, value] : json.items()) add_scalars(summary, prefix + "/" + key, value);
}

/// "PREFIXdeblur, dehaze" for each two tasks.
inline void add_cosines(EventSummary& summary, const std::string& prefix,
                        const nlohmann::json& tasks, const nlohmann::json& agreement) {
  for (std::size_t i = 0; i < tasks.size(); ++i) {
    for (std::size_t j = i + 1; j < tasks.size(); ++j) {
      add_scalars(summary,
                  prefix + tasks[i].get<std::string>() + ", " + tasks[j].get<std::string>(),
                  agreement.at("cosine")[i][j]);
    }
  }
}

/// A line of metrics.jsonl, as the trainer writes it, in scalars.
inline EventSummary event_summary(const nlohmann::json& line) {
  EventSummary summary{line.at("step").get<std::int64_t>()};
  const auto& kind = line.at("kind").get_ref<const std::string&>();
  if (kind == "train") {
    for (const auto* key : {"rate", "images_per_second"}) {
      add_scalars(summary, std::string{"run/"} + key, line.at(key));
    }
    add_scalars(summary, "loss", line.at("losses"));
    if (line.contains("weights")) add_scalars(summary, "weight", line.at("weights"));
  } else if (kind == "validation") {
    for (const auto& [task, scores] : line.at("tasks").items()) {
      for (const auto& [name, value] : scores.items()) {
        if (value.is_number_float()) add_scalars(summary, "validation/" + task + "/" + name, value);
      }
    }
    constexpr auto* kGain = "mean_gain_psnr_rgb";
    if (line.contains(kGain)) {
      add_scalars(summary, std::string{"validation/"} + kGain, line.at(kGain));
    }
  } else if (kind == "interference") {
    const auto& tasks = line.at("tasks");
    add_cosines(summary, "cosine/", tasks, line);
    for (const auto& part : line.at("parts")) {
      add_cosines(summary, "cosine by part/" + part.at("name").get<std::string>() + ": ", tasks,
                  part);
    }
    for (std::size_t i = 0; i < tasks.size(); ++i) {
      add_scalars(summary, "gradient length/" + tasks[i].get<std::string>(), line.at("length")[i]);
    }
  }
  return summary;
}

/// The middle of pictures beside each other, at most 256 pixels a side each.
/// @param pictures  of one size, (1, 3, H, W) in [0, 1]
inline EventSummary::Picture event_picture(const std::string& tag,
                                           const std::vector<at::Tensor>& pictures) {
  constexpr std::int64_t kSide = 256;
  std::vector<at::Tensor> parts;
  for (const auto& picture : pictures) {
    auto part = picture;
    for (const std::int64_t side : {2, 3}) {
      const auto length = std::min(kSide, part.size(side));
      part = part.narrow(side, (part.size(side) - length) / 2, length);
    }
    parts.push_back(part);
  }
  const auto strip = Image::from_unit(at::cat(parts, 3));
  return {tag, strip.encoded("png"), strip.height(), strip.width()};
}

}  // namespace limpid::detail
