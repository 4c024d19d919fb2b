#pragma once

#include <limpid/core/autocast.hpp>
#include <limpid/core/evaluation_scope.hpp>
#include <limpid/core/memory_format.hpp>
#include <limpid/core/modules.hpp>
#include <limpid/core/ranges.hpp>
#include <limpid/core/tiling.hpp>
#include <limpid/kernels/convolution_switch.hpp>
#include <limpid/metrics/any_metric.hpp>
#include <limpid/metrics/psnr.hpp>
#include <limpid/metrics/score_json.hpp>
#include <limpid/metrics/scores.hpp>
#include <limpid/training/decoded_ahead.hpp>
#include <limpid/training/shared_statistics.hpp>
#include <limpid/training/shared_validation.hpp>
#include <limpid/training/training_state.hpp>

#include <ATen/ops/cat.h>
#include <ATen/ops/isfinite.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace limpid::detail {

/// The pairs that a task is validated on: all, or so many spread over the whole set.
inline Pairs validation_pairs(const TaskState& task, const TrainerOptions& options) {
  const auto& pairs = task.branch.validation;
  return options.validation_images > 0 ? pairs.spread(options.validation_images) : pairs;
}

/// How a picture of this size is cut for validation.
inline Tiling validation_tiling(const at::Tensor& degraded, const TrainerOptions& options) {
  constexpr std::int64_t kWhole = 2'000'000, kTile = 1024, kOverlap = 64;
  if (options.validation_tile > 0) {
    return {options.validation_tile, std::min(kOverlap, options.validation_tile / 4)};
  }
  return {degraded.size(2) * degraded.size(3) > kWhole ? kTile : 0, kOverlap};
}

/// What a network sees of a pair: (1, 3, H, W) in [0, 1], and 3 channels more for each picture
/// beside the degraded one.
inline at::Tensor seen_of(const ImagePair& pair) {
  if (pair.beside.empty()) return pair.degraded.unit();
  std::vector<at::Tensor> pictures{pair.degraded.unit()};
  for (const auto& image : pair.beside) pictures.push_back(image.unit());
  return at::cat(pictures, 1);
}

/// What a picture is without restoring: the degraded one, or the mean of all that a network sees.
inline at::Tensor unrestored(const at::Tensor& seen) {
  if (seen.size(1) == 3) return seen;
  return seen.view({1, seen.size(1) / 3, 3, seen.size(2), seen.size(3)}).mean(1);
}

/// What one task's validation found.
struct TaskValidation {
  TaskEvaluation evaluation;
  std::map<std::string, std::string> failed{};  ///< pictures without a score, and why
  std::int64_t in_tiles = 0;                    ///< pictures that were restored in tiles

  /// Scores one picture; one that cannot be loaded, restored or compared is left out.
  /// @return its degraded, restored and true version, (1, 3, H, W) in [0, 1]; none where it is left
  ///         out
  std::vector<at::Tensor> add(const std::string& name, DecodedAhead& pairs,
                              const std::function<at::Tensor(const at::Tensor&)>& restore) {
    try {
      const auto pair = pairs.next();
      const auto seen = seen_of(pair), target = pair.target.unit();
      const auto restored = restore(seen);
      TORCH_CHECK(at::isfinite(restored).all().item<bool>(), "the restored picture is not finite");
      evaluation.add(name, unrestored(seen), restored, target);
      return {unrestored(seen), restored, target};
    } catch (const c10::Error& error) {
      failed[name] = error.what_without_backtrace();
    } catch (const std::exception& error) {
      failed[name] = error.what();
    }
    return {};
  }

  /// What there is to say of the picture that was added last, for other processes.
  nlohmann::json last(const std::string& name, bool tiled) const {
    const auto fault = failed.find(name);
    auto line = fault != failed.end() ? nlohmann::json{{"name", name}, {"failed", fault->second}}
                                      : json_of_bits(evaluation.images.back());
    line["in_tiles"] = tiled;
    return line;
  }

  /// Becomes what one process would have found with all pictures.
  void become(const std::vector<nlohmann::json>& lines) {
    evaluation.images.clear();
    failed.clear();
    in_tiles = 0;
    for (const auto& line : lines) {
      in_tiles += line.at("in_tiles").get<bool>() ? 1 : 0;
      if (line.contains("failed")) {
        failed[line.at("name").get<std::string>()] = line.at("failed").get<std::string>();
      } else {
        evaluation.images.push_back(image_scores_of_bits(line));
      }
    }
  }

  /// As in the results of limpid-evaluate, without single pictures, and for curves the two means
  /// over the pictures that have a finite score before and after; they are absent where none has.
  nlohmann::json to_json() const {
    auto json = json_task(evaluation);
    json.erase("images");
    json["images"] = evaluation.images.size();
    json["failed"] = failed.size();
    if (!failed.empty()) json["failures"] = failed;
    if (in_tiles > 0) json["in_tiles"] = in_tiles;
    double before = 0, after = 0;
    for (const auto& image : evaluation.images) {
      if (!std::isfinite(image.identity[0]) || !std::isfinite(image.restored[0])) continue;
      before += image.identity[0];
      after += image.restored[0];
    }
    if (const auto count = evaluation.gain(0).count; count > 0) {
      json["psnr_rgb"] = after / static_cast<double>(count);
      json["identity_psnr_rgb"] = before / static_cast<double>(count);
    }
    return json;
  }
};

/// PSNR (RGB, 8 bit, dB) of each task's validation images and of their degraded inputs. Several
/// processes share the pictures out, and all return the same.
/// @param stop  asked before each picture
/// @param say   told of every picture that is left out
/// @param show  given the first picture of each task that is not: degraded, restored and true,
///              (1, 3, H, W) in [0, 1]
/// @return what the tasks have to say, by their names; nothing if it was stopped.
inline std::optional<nlohmann::json> validation_scores(
    TrainingState& state, const TrainerOptions& options, const std::function<bool()>& stop = {},
    const std::function<void(const std::string&)>& say = {},
    const std::function<void(const std::string&, const std::vector<at::Tensor>&)>& show = {}) {
  nlohmann::json scores = nlohmann::json::object();
  const auto& world = options.communicator;
  share_statistics(*state.model.module, world);
  torch::NoGradGuard no_grad;
  const ConvolutionScope convolution{options.convolution};
  const EvaluationScope evaluation{*state.model.module};
  for (std::size_t t = 0; t < state.tasks.size(); ++t) {
    const auto& task = state.tasks[t];
    const auto pairs = validation_pairs(task, options);
    if (pairs.empty()) continue;
    TaskValidation found{{task.name, {AnyMetric{PSNR<>{}}}}};
    const auto restore = [&](const at::Tensor& degraded) {
      const AutocastScope autocast{options.precision, options.device};
      const auto tiling = validation_tiling(degraded, options);
      const auto longest = std::max(degraded.size(2), degraded.size(3));
      if (tiling.tile > 0 && longest > tiling.tile) ++found.in_tiles;
      const auto on_tile = [&](const at::Tensor& tile) {
        return state.model.restore(t, laid_out(tile, options.memory_format)).to(at::kFloat);
      };
      const auto restored = restore_tiled(on_tile, to_signed(degraded).to(options.device), tiling);
      return to_unit(restored).to(at::kCPU);
    };
    DecodedAhead decoded{share_of_pairs(pairs, world)};
    bool shown = !world.is_first();
    auto lines = nlohmann::json::array();
    for (std::int64_t round = 0; round < pairs.size(); round += world.size()) {
      if (world.any(stop && stop())) return std::nullopt;
      const auto i = round + world.rank();
      if (i >= pairs.size()) continue;
      const auto failed = found.failed.size();
      const auto in_tiles = found.in_tiles;
      const auto pictures = found.add(pairs.name(i), decoded, restore);
      if (show && !pictures.empty() && !shown) {
        show(task.name, pictures);
        shown = true;
      }
      if (say && found.failed.size() > failed) {
        say("validation of '" + task.name + "' leaves out '" + pairs.name(i) +
            "': " + found.failed.at(pairs.name(i)));
      }
      if (!world.is_alone()) {
        lines.push_back(found.last(pairs.name(i), found.in_tiles > in_tiles));
      }
    }
    if (!world.is_alone()) found.become(gathered_in_order(lines, world));
    scores[task.name] = found.to_json();
  }
  return scores;
}

/// Decodes the first readable validation picture of each task, so that data which cannot be used
/// are an error before hours of training and not after them.
/// @throws c10::Error that names the task if none of its pictures can be decoded.
inline void check_validation_data(const TrainingState& state, const TrainerOptions& options) {
  for (const auto& task : state.tasks) {
    const auto pairs = validation_pairs(task, options);
    std::string fault;
    bool readable = pairs.empty();
    for (std::int64_t i = 0; i < pairs.size() && !readable; ++i) {
      try {
        pairs.load(i);
        readable = true;
      } catch (const c10::Error& error) {
        if (fault.empty()) fault = error.what_without_backtrace();
      } catch (const std::exception& error) {
        if (fault.empty()) fault = error.what();
      }
    }
    TORCH_CHECK(readable, "validation of '", task.name, "': none of ", pairs.size(),
                " pictures can be read; the first: ", fault);
  }
}

/// "step 200  validation PSNR  deblur 27.31 dB (+0.45)  dehaze 18.20 dB (-3.90, 3 of 4 pictures)"
inline std::string validation_text(std::int64_t step, const nlohmann::json& scores) {
  auto text = "step " + std::to_string(step) + "  validation PSNR";
  for (const auto& [task, score] : scores.items()) {
    const auto all =
        score.at("images").get<std::int64_t>() + score.at("failed").get<std::int64_t>();
    const auto compared = score.at("gain").at("psnr_rgb").at("count").get<std::int64_t>();
    text += "  " + task;
    if (compared == 0) {
      text += " none of " + std::to_string(all) + " pictures";
      continue;
    }
    const auto psnr = score.at("psnr_rgb").get<double>();
    char part[64];
    std::snprintf(part, sizeof part, " %.2f dB (%+.2f", psnr,
                  psnr - score.at("identity_psnr_rgb").get<double>());
    text += part;
    if (compared < all) {
      text += ", " + std::to_string(compared) + " of " + std::to_string(all) + " pictures";
    }
    if (score.contains("in_tiles")) {
      text += ", " + std::to_string(score.at("in_tiles").get<std::int64_t>()) + " in tiles";
    }
    text += ")";
  }
  return text;
}

}  // namespace limpid::detail
