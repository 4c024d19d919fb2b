#pragma once

#include <limpid/core/fail.hpp>
#include <limpid/core/fixed_string.hpp>
#include <limpid/core/named.hpp>
#include <limpid/datasets/all_in_one.hpp>
#include <limpid/datasets/all_weather.hpp>
#include <limpid/datasets/cdd11.hpp>
#include <limpid/datasets/data_format.hpp>
#include <limpid/datasets/dhazy.hpp>
#include <limpid/datasets/dpdd.hpp>
#include <limpid/datasets/gopro.hpp>
#include <limpid/datasets/hide.hpp>
#include <limpid/datasets/lol.hpp>
#include <limpid/datasets/outdoor_rain.hpp>
#include <limpid/datasets/paired_files.hpp>
#include <limpid/datasets/paired_folders.hpp>
#include <limpid/datasets/pairs.hpp>
#include <limpid/datasets/photos_argument.hpp>
#include <limpid/datasets/rain100.hpp>
#include <limpid/datasets/rain13k.hpp>
#include <limpid/datasets/raindrop.hpp>
#include <limpid/datasets/realblur.hpp>
#include <limpid/datasets/reds.hpp>
#include <limpid/datasets/reside.hpp>
#include <limpid/datasets/sidd.hpp>
#include <limpid/datasets/snow100k.hpp>

#include <c10/util/Exception.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>

namespace limpid {

namespace detail {

constexpr Named<DataFormat> named_format(std::string_view name, const DataFormat& format) {
  return {name, format.path, format};
}

}  // namespace detail

/// The formats that `--data` and `--validate` take. A new format is its header and a line here.
inline constexpr NamedTable kDataFormats{
    "a data format",
    detail::named_format("gopro", kGoProFormat),
    detail::named_format("gopro-gamma", kGoProGammaFormat),
    detail::named_format("raindrop", kRaindropFormat),
    detail::named_format("dhazy", kDHazyFormat),
    detail::named_format("reside", kRESIDEFormat),
    detail::named_format("reds", kREDSFormat),
    detail::named_format("reds-comp", kREDSCompressedFormat),
    detail::named_format("reds-jpeg", kREDSJpegFormat),
    detail::named_format("realblur-j", kRealBlurJFormat),
    detail::named_format("realblur-r", kRealBlurRFormat),
    detail::named_format("hide", kHIDEFormat),
    detail::named_format("dpdd", kDPDDFormat),
    detail::named_format("lol", kLOLFormat),
    detail::named_format("lol-v2-real", kLOLv2RealFormat),
    detail::named_format("lol-v2-synthetic", kLOLv2SyntheticFormat),
    detail::named_format("sidd", kSIDDFormat),
    detail::named_format("rain100", kRain100Format),
    detail::named_format("rain13k", kRain13KFormat),
    detail::named_format("outdoor-rain", kOutdoorRainFormat),
    detail::named_format("snow100k", kSnow100KFormat),
    detail::named_format("all-weather", kAllWeatherFormat),
    detail::named_format("cdd11", kCDD11Format),
    detail::named_format("aio", kAllInOneFormat),
    detail::named_format("pairs", kPairsFormat),
    detail::named_format("photos", kPhotosFormat)};

/// What pairs are wanted for; decides which part of a published set is read.
enum class DataUse { training, evaluation };

namespace detail {

/// `f()`; a c10::ValueError of it begins with the argument.
template <class F>
auto of_argument(std::string_view text, F f) {
  try {
    return f();
  } catch (const c10::ValueError& error) {
    limpid::refuse("'", text, "': ", error.what_without_backtrace());
  }
}

/// Whether `list`, words between spaces, has `word`.
inline bool lists(std::string_view list, std::string_view word) {
  return (" " + std::string{list} + " ").find(" " + std::string{word} + " ") != std::string::npos;
}

inline void check_part(const DataArgument& argument, const DataFormat& format) {
  if (argument.part.empty()) return;
  TORCH_CHECK_VALUE(!format.parts.empty(), argument.format, " has no parts, got '@", argument.part,
                    "'");
  TORCH_CHECK_VALUE(lists(format.parts, argument.part), "unknown part '", argument.part, "' of ",
                    argument.format, ", expected one of ", format.parts);
}

inline DataArgument parse_data_argument(std::string_view text) {
  const auto equals = text.find('=');
  const auto colon = equals == text.npos ? text.npos : text.find(':', equals);
  TORCH_CHECK_VALUE(colon != text.npos,
                    "expected TASK=FORMAT:PATH[@PART], for example deblur=gopro:data/GoPro");
  DataArgument argument{std::string{text.substr(0, equals)},
                        std::string{text.substr(equals + 1, colon - equals - 1)},
                        std::string{text.substr(colon + 1)},
                        {}};
  TORCH_CHECK_VALUE(is_task_name(argument.task),
                    "expected a task name of lower-case letters, digits, '-' and '_', got '",
                    argument.task, "'");
  argument.format = kDataFormats.spelled(argument.format);
  const auto& format = kDataFormats.at(argument.format);
  const auto at = format.parts.empty() ? argument.path.npos : argument.path.rfind('@');
  if (at != argument.path.npos && argument.path.find('/', at) == argument.path.npos) {
    argument.part = argument.path.substr(at + 1);
    argument.path.resize(at);
    TORCH_CHECK_VALUE(!argument.part.empty(), "expected a part behind '@'");
  }
  TORCH_CHECK_VALUE(!argument.path.empty(), "expected a path behind '", argument.format, ":'");
  check_part(argument, format);
  if (format.check != nullptr) format.check(argument);
  return argument;
}

}  // namespace detail

inline DataArgument DataArgument::parse(std::string_view text) {
  return detail::of_argument(text, [&] { return detail::parse_data_argument(text); });
}

/// The pairs that an argument names. Without a part, training reads the training part of a
/// published set and evaluation its test part (Raindrop: test_a).
///
/// @param unpaired  where given, takes files without a partner, which else end in an error.
/// @param seed      of degradations that are drawn, where the argument names none.
/// @throws c10::ValueError for an unknown format or part, c10::Error if the files are not there.
inline Pairs open_pairs(const DataArgument& argument, DataUse use,
                        UnpairedFiles* unpaired = nullptr, std::uint64_t seed = 0) {
  return detail::of_argument(argument.text(), [&] {
    const auto& format = kDataFormats.at(argument.format);
    detail::check_part(argument, format);
    const auto usual = use == DataUse::training ? format.training_part : format.evaluation_part;
    const auto part = argument.part.empty() ? usual : std::string_view{argument.part};
    return format.open({argument, part, unpaired, seed});
  });
}

/// What `--help` says of an argument that names data.
inline std::string data_argument_help(
    std::string text = "Data of a task, once for each task. FORMAT is") {
  kDataFormats.for_each([&](const auto& entry) {
    const DataFormat& format = entry.value;
    text += "\n" + std::string{entry.name} + ": PATH is " + std::string{format.path};
    if (!format.parts.empty()) text += "; parts: " + std::string{format.parts};
  });
  return text;
}

}  // namespace limpid
