#pragma once

#include <limpid/core/compiled.hpp>
#include <limpid/io/image.hpp>

#include <ATen/core/Tensor.h>
#include <nlohmann/json.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#ifdef LIMPID_BODIES
#include <limpid/core/check.hpp>
#include <limpid/core/fail.hpp>
#include <limpid/core/printable.hpp>

#include <c10/util/Exception.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <numeric>
#endif

namespace limpid {

/// How sure a router is that a task brings a picture closer to what it was.
struct RoutingGuess {
  std::string task;
  double probability = 0;
  double gain = 0;  ///< dB that it is expected to gain; 0 where the router does not say
  double sure = 0;  ///< the probability from which it is done

  bool is_sure() const { return probability >= sure; }
};

/// What a router had done to a picture, and why.
struct Routing {
  std::vector<RoutingGuess> done;       ///< tasks in their order, each as sure as it was by then
  std::vector<RoutingGuess> last_seen;  ///< of the tasks that were left, the likeliest first

  /// "dehaze (99 % sure), then denoise (97 % sure)", or why nothing was done.
  std::string text() const;
};

/// The same with what came of the picture.
struct RoutedPicture : Routing {
  Image image;  ///< the input itself, bit by bit, where nothing was done
};

/// Says which of a model's tasks a picture needs, by what the model makes of it
/// (`routing_features`).
///
/// Each task has a line through the features: probability = 1 / (1 + exp(-(bias + weights . z))),
/// z = (features - mean) / scale, cut off beyond `kFarthest` so that a picture unlike all that it
/// was fitted on moves it no further. `fit_router` fits one; a model file keeps it in its manifest,
/// where readers that know no routers pass over it.
///
/// Source: ours. One model for all damages that is told which by a classifier of the encoder's
/// features is that of Li et al., "All-In-One Image Restoration for Unknown Corruption", CVPR 2022;
/// there it is trained with the network, here it is fitted to a network that stands.
class Router {
 public:
  static constexpr double kFarthest = 4;

  /// What a router knows of one task.
  struct Line {
    std::string task;
    double bias = 0;
    std::vector<double> weights;         ///< one for each feature
    double sure = 0;                     ///< from which it is done; 0: as the router says
    double gain_bias = 0;                ///< of the gain that is expected, in dB
    std::vector<double> gain_weights{};  ///< the same; empty: it does not say
  };

  /// @param mean, scale  of each feature over what it was fitted on; scales are above 0
  /// @param lines  one for each task that it knows
  /// @param sure  the probability from which a task is done
  /// @throws c10::ValueError where numbers are missing, not finite or out of range.
  Router(std::vector<double> mean, std::vector<double> scale, std::vector<Line> lines,
         double sure = kUsuallySure);

  static constexpr double kUsuallySure = 0.9;

  std::size_t features() const { return mean_.size(); }
  double sure() const { return sure_; }
  const std::vector<Line>& lines() const { return lines_; }

  std::vector<std::string> tasks() const;

  /// How sure it is of each task, the likeliest first.
  /// @param features  (F) double on the CPU, as `routing_features` gives them
  /// @throws c10::ValueError for another number of features, or one that is not finite.
  std::vector<RoutingGuess> guess(const at::Tensor& features) const;

  /// Leads a picture, wherever it is: while it is sure of a task that was not done, that task is
  /// done, and the result looked at anew: first what is expected to gain most, where the router
  /// says, else the likeliest.
  /// @param look     the picture's features, as it is by then
  /// @param restore  changes the picture by a task
  template <class Look, class Restore>
  Routing lead(Look look, Restore restore) const {
    Routing routing;
    std::set<std::string> done;
    while (true) {
      routing.last_seen = guess(look());
      std::erase_if(routing.last_seen,
                    [&](const auto& seen) { return done.count(seen.task) != 0; });
      const RoutingGuess* next = nullptr;
      for (const auto& seen : routing.last_seen) {
        if (!seen.is_sure() || (next != nullptr && seen.gain <= next->gain)) continue;
        next = &seen;
      }
      if (next == nullptr) return routing;
      restore(next->task);
      routing.done.push_back(*next);
      done.insert(next->task);
    }
  }

  /// The same from image to image.
  /// @param look     Image -> features
  /// @param restore  (task, Image) -> Image
  template <class Look, class Restore>
  RoutedPicture lead(const Image& picture, Look look, Restore restore) const {
    auto image = picture;
    auto routing = lead([&] { return look(image); },
                        [&](const std::string& task) { image = restore(task, image); });
    return {std::move(routing), std::move(image)};
  }

  /// The same with some of its tasks only.
  /// @throws c10::ValueError if none is left.
  Router with_tasks(const std::vector<std::string>& tasks) const;

  /// What a manifest says under "router"; nothing where it has none.
  /// @throws c10::Error that begins with `source` where it is malformed.
  static std::optional<Router> of(const nlohmann::json& manifest, const std::string& source);

  /// As a manifest keeps it; numbers are rounded to seven digits.
  nlohmann::json to_json() const;

  /// @throws c10::Error that begins with `source` where it is malformed.
  static Router from_json(const nlohmann::json& json, const std::string& source);

 private:
  static double rounded(double number);

  static std::vector<double> rounded(std::vector<double> numbers);

  std::vector<double> mean_, scale_;
  std::vector<Line> lines_;
  double sure_;
};

namespace detail {

/// The name that stands for "ask the router".
inline constexpr std::string_view kAutoTask = "auto";

/// "dehaze (99 % sure)"; a hundred only where it is that.
LIMPID_INLINE std::string text_of(const RoutingGuess& guess);

}  // namespace detail

inline std::string Routing::text() const {
  std::string text;
  for (const auto& guess : done) text += (text.empty() ? "" : ", then ") + detail::text_of(guess);
  if (!done.empty()) return text;
  text = "left as it is: no task is sure to help";
  return last_seen.empty() ? text : text + ", the likeliest " + detail::text_of(last_seen.front());
}

}  // namespace limpid

#ifdef LIMPID_BODIES

namespace limpid {

LIMPID_INLINE Router::Router(std::vector<double> mean, std::vector<double> scale,
                             std::vector<Line> lines, double sure)
    : mean_(std::move(mean)), scale_(std::move(scale)), lines_(std::move(lines)), sure_(sure) {
  TORCH_CHECK_VALUE(!mean_.empty() && !lines_.empty(), "Router: expected features and tasks");
  TORCH_CHECK_VALUE(scale_.size() == mean_.size(), "Router: expected ", mean_.size(),
                    " scales, got ", scale_.size());
  TORCH_CHECK_VALUE(sure_ > 0.5 && sure_ <= 1, "Router: expected 'sure' in (0.5, 1], got ", sure_);
  const auto check = [](const std::vector<double>& numbers, double least) {
    for (const auto number : numbers) {
      TORCH_CHECK_VALUE(std::isfinite(number) && number >= least,
                        "Router: expected finite numbers, and scales above 0, got ", number);
    }
  };
  constexpr double kAny = -1e30;
  check(mean_, kAny);
  check(scale_, 1e-30);
  for (const auto& line : lines_) {
    TORCH_CHECK_VALUE(line.weights.size() == mean_.size(), "Router: expected ", mean_.size(),
                      " weights of task '", line.task, "', got ", line.weights.size());
    check(line.weights, kAny);
    check({line.bias, line.gain_bias}, kAny);
    TORCH_CHECK_VALUE(line.gain_weights.empty() || line.gain_weights.size() == mean_.size(),
                      "Router: expected no or ", mean_.size(), " weights of the gain of task '",
                      line.task, "', got ", line.gain_weights.size());
    check(line.gain_weights, kAny);
    TORCH_CHECK_VALUE(line.sure == 0 || (line.sure >= 0.5 && line.sure <= 1),
                      "Router: expected task '", line.task, "' to be done from 0.5 ... 1 on, got ",
                      line.sure);
  }
}

LIMPID_INLINE std::vector<std::string> Router::tasks() const {
  std::vector<std::string> names;
  for (const auto& line : lines_) names.push_back(line.task);
  return names;
}

LIMPID_INLINE std::vector<RoutingGuess> Router::guess(const at::Tensor& features) const {
  TORCH_CHECK_VALUE(features.dim() == 1 && features.scalar_type() == at::kDouble &&
                        features.size(0) == static_cast<std::int64_t>(mean_.size()),
                    "Router: expected ", mean_.size(), " features (double), got ",
                    features.sizes());
  const auto plain = features.cpu().contiguous();
  std::vector<double> z{plain.data_ptr<double>(), plain.data_ptr<double>() + mean_.size()};
  for (std::size_t i = 0; i < z.size(); ++i) {
    TORCH_CHECK_VALUE(std::isfinite(z[i]), "Router: expected finite features");
    z[i] = std::clamp((z[i] - mean_[i]) / scale_[i], -kFarthest, kFarthest);
  }
  const auto along = [&](double bias, const std::vector<double>& weights) {
    return std::inner_product(weights.begin(), weights.end(), z.begin(), bias);
  };
  std::vector<RoutingGuess> guesses;
  for (const auto& line : lines_) {
    guesses.push_back({line.task, 1 / (1 + std::exp(-along(line.bias, line.weights))),
                       along(line.gain_bias, line.gain_weights),
                       line.sure > 0 ? line.sure : sure_});
  }
  std::stable_sort(guesses.begin(), guesses.end(),
                   [](const auto& a, const auto& b) { return a.probability > b.probability; });
  return guesses;
}

LIMPID_INLINE Router Router::with_tasks(const std::vector<std::string>& tasks) const {
  auto kept = lines_;
  std::erase_if(kept, [&](const Line& line) {
    return std::find(tasks.begin(), tasks.end(), line.task) == tasks.end();
  });
  return {mean_, scale_, std::move(kept), sure_};
}

LIMPID_INLINE std::optional<Router> Router::of(const nlohmann::json& manifest,
                                               const std::string& source) {
  const auto found = manifest.find("router");
  if (found == manifest.end()) return std::nullopt;
  return from_json(*found, source);
}

LIMPID_INLINE nlohmann::json Router::to_json() const {
  auto lines = nlohmann::json::array();
  for (const auto& line : lines_) {
    lines.push_back(
        {{"task", line.task}, {"bias", rounded(line.bias)}, {"weights", rounded(line.weights)}});
    if (line.sure > 0) lines.back()["sure"] = rounded(line.sure);
    if (line.gain_weights.empty()) continue;
    lines.back()["gain"] = {{"bias", rounded(line.gain_bias)},
                            {"weights", rounded(line.gain_weights)}};
  }
  return {{"sure", sure_},
          {"mean", rounded(mean_)},
          {"scale", rounded(scale_)},
          {"tasks", std::move(lines)}};
}

LIMPID_INLINE Router Router::from_json(const nlohmann::json& json, const std::string& source) {
  try {
    std::vector<Line> lines;
    for (const auto& line : json.at("tasks")) {
      lines.push_back(
          {line.at("task"), line.at("bias"), line.at("weights"), line.value("sure", 0.0)});
      if (!line.contains("gain")) continue;  // fitted before limpid knew gains
      lines.back().gain_bias = line.at("gain").at("bias");
      lines.back().gain_weights = line.at("gain").at("weights").get<std::vector<double>>();
    }
    return {json.at("mean"), json.at("scale"), std::move(lines), json.at("sure")};
  } catch (const nlohmann::json::exception& error) {
    limpid::fail(source, ": its router is malformed (", error.what(), ")");
  } catch (const c10::Error& error) {
    limpid::fail(source, ": its router is malformed (", error.what_without_backtrace(), ")");
  }
}

LIMPID_INLINE double Router::rounded(double number) {
  char text[32];
  std::snprintf(text, sizeof text, "%.6e", number);
  return std::stod(text);
}

LIMPID_INLINE std::vector<double> Router::rounded(std::vector<double> numbers) {
  for (auto& number : numbers) number = rounded(number);
  return numbers;
}

}  // namespace limpid

namespace limpid::detail {

LIMPID_INLINE std::string text_of(const RoutingGuess& guess) {
  const auto percent = static_cast<int>(guess.probability * 100);
  const auto from = static_cast<int>(std::lround(guess.sure * 100));
  return guess.task + " (" + std::to_string(percent) + " % sure" +
         (guess.is_sure() ? "" : ", done from " + std::to_string(from) + " %") + ")";
}

}  // namespace limpid::detail

#endif  // LIMPID_BODIES
