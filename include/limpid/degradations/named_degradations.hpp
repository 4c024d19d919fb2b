#pragma once

#include <limpid/core/compiled.hpp>
#include <limpid/core/fail.hpp>
#include <limpid/core/named.hpp>
#include <limpid/core/options_by_name.hpp>
#include <limpid/degradations/any_degradation.hpp>
#include <limpid/degradations/camera_motion.hpp>
#include <limpid/degradations/defocus.hpp>
#include <limpid/degradations/degradation_options.hpp>
#include <limpid/degradations/haze.hpp>
#include <limpid/degradations/jpeg_compression.hpp>
#include <limpid/degradations/low_light.hpp>
#include <limpid/degradations/mixture.hpp>
#include <limpid/degradations/motion_blur.hpp>
#include <limpid/degradations/noise.hpp>
#include <limpid/degradations/rain_streaks.hpp>
#include <limpid/degradations/raindrops.hpp>
#include <limpid/degradations/resampling.hpp>
#include <limpid/degradations/sensor_noise.hpp>
#include <limpid/degradations/snow.hpp>
#include <limpid/degradations/webp_compression.hpp>

#include <c10/util/Exception.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace limpid {

/// A degradation of a table.
template <DegradationWithOptions D>
struct DegradationType {
  using type = D;
  std::string_view task;  ///< what a network that undoes it is usually called; of several with one
                          ///< task the first is the usual one
};

/// The degradations that programs know by name. A new one is its header and a line here.
inline constexpr NamedTable kDegradations{
    "a degradation",
    Named{"motion-blur", "a camera that shakes", DegradationType<MotionBlur>{"deblur"}},
    Named{"camera-motion", "a camera and things that move while the shutter is open",
          DegradationType<CameraMotion>{"deblur"}},
    Named{"defocus", "a lens out of focus", DegradationType<Defocus>{"deblur"}},
    Named{"haze", "haze between camera and scene", DegradationType<Haze>{"dehaze"}},
    Named{"raindrops", "drops on the lens", DegradationType<Raindrops>{"derain"}},
    Named{"noise", "white Gaussian noise", DegradationType<Noise>{"denoise"}},
    Named{"sensor-noise", "noise of a camera's sensor", DegradationType<SensorNoise>{"denoise"}},
    Named{"rain-streaks", "falling rain and its veil",
          DegradationType<RainStreaks>{"derain-streaks"}},
    Named{"snow", "falling snow and its veil", DegradationType<Snow>{"desnow"}},
    Named{"low-light", "too little light", DegradationType<LowLight>{"enlighten"}},
    Named{"jpeg", "what JPEG files lose", DegradationType<JpegCompression>{"dejpeg"}},
    Named{"webp", "what WebP files lose", DegradationType<WebPCompression>{"dejpeg"}},
    Named{"resampling", "lost resolution", DegradationType<Resampling>{"super-resolve"}},
    Named{"mixture", "several, in random order", DegradationType<Mixture>{"blind"}}};

/// "motion-blur,size=7:17": a degradation and its options in words.
using DegradationText = TextByName<','>;

/// The names of a degradation's options.
/// @throws c10::ValueError for an unknown degradation.
template <class OnlyIfCalled = void>
std::vector<std::string> option_names(std::string_view degradation) {
  return kDegradations.with(degradation, [](const auto& entry) {
    using D = typename std::remove_cvref_t<decltype(entry)>::type;
    D degradation{};
    std::vector<std::string> names;
    D::each_option(degradation, [&](std::string_view name, const auto&, std::string_view) {
      names.emplace_back(name);
    });
    return names;
  });
}

/// `f(degradation)` with the degradation that the words name, as its own type.
///
/// @throws c10::ValueError for an unknown name or option, and for a value out of range.
template <class F>
auto with_degradation(const DegradationText& text, F&& f) {
  const auto name = kDegradations.spelled(text.name);
  return kDegradations.with(name, [&](const auto& entry) {
    typename std::remove_cvref_t<decltype(entry)>::type degradation{};
    try {
      check_set_once(text.options);
      for (const auto& [option, value] : text.options) set_option(degradation, option, value);
    } catch (const c10::ValueError& error) {
      limpid::refuse(name, ": ", error.what_without_backtrace());
    }
    degradation.check();
    return f(degradation);
  });
}

/// The degradation that the words name.
///
/// @throws c10::ValueError for an unknown name or option, and for a value out of range.
template <class OnlyIfCalled = void>
AnyDegradation named_degradation(const DegradationText& text) {
  return with_degradation(text, [&](const auto& degradation) {
    const auto name = kDegradations.spelled(text.name);
    return AnyDegradation{degradation, name + " (" + options_text(degradation) + ")"};
  });
}

inline void read_option(std::string_view text, MixtureParts& parts) {
  std::vector<MixturePart> read;
  for (auto rest = text;;) {
    const auto piece = detail::until(rest, '+');
    const auto opens = std::min(piece.find('('), piece.size());
    const auto at = std::min(piece.find('@'), opens);
    TORCH_CHECK_VALUE(
        at > 0 && (opens == piece.size() || piece.back() == ')'),
        "expected NAME[@PROBABILITY][(OPTION=VALUE,...)] with + between them, found '", piece, "'");
    auto words = std::string{piece.substr(0, at)};
    if (opens + 2 < piece.size()) {
      words += "," + std::string{piece.substr(opens + 1, piece.size() - opens - 2)};
    }
    auto probability = 1.0;
    if (at < opens) detail::read_option(piece.substr(at + 1, opens - at - 1), probability);
    read.push_back({named_degradation(DegradationText::parse(words)), probability});
    if (piece.size() == rest.size()) break;
    rest.remove_prefix(piece.size() + 1);
  }
  parts = MixtureParts{std::move(read), std::string{text}};
}

/// The tasks that have a usual degradation, in the order of the table.
inline std::vector<std::string> degradation_tasks() {
  std::vector<std::string> tasks;
  kDegradations.for_each([&](const auto& entry) {
    const std::string task{entry.value.task};
    if (std::find(tasks.begin(), tasks.end(), task) == tasks.end()) tasks.push_back(task);
  });
  return tasks;
}

/// The name of the degradation that a task usually undoes; empty where there is none.
inline std::string usual_degradation(std::string_view task) {
  std::string name;
  kDegradations.for_each([&](const auto& entry) {
    if (name.empty() && entry.value.task == task) name = entry.name;
  });
  return name;
}

/// What a restoration task undoes, with default options: deblur motion blur, dehaze haze ...
///
/// @throws c10::ValueError that lists the known tasks, for any other.
inline AnyDegradation degradation_for(std::string_view task) {
  const auto name = usual_degradation(task);
  if (name.empty()) detail::refuse_name("a task that undoes something", degradation_tasks(), task);
  return named_degradation({name});
}

/// One line per degradation for help: name, what it is, options with their defaults.
template <class OnlyIfCalled = void>
std::string degradations_help() {
  std::string text;
  kDegradations.for_each([&](const auto& entry) {
    using D = typename std::remove_cvref_t<decltype(entry.value)>::type;
    text += (text.empty() ? "" : "\n") + std::string{entry.name} + ": " + std::string{entry.what} +
            " (" + std::string{entry.value.task} + "); " + options_text(D{});
  });
  return text;
}

#ifdef LIMPID_ONCE
LIMPID_ONCE std::vector<std::string> option_names<>(std::string_view degradation);
LIMPID_ONCE AnyDegradation named_degradation<>(const DegradationText& text);
LIMPID_ONCE std::string degradations_help<>();
#endif

}  // namespace limpid
