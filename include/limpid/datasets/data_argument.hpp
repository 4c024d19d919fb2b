#pragma once

#include <algorithm>
#include <array>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>

#include <c10/util/Exception.h>

#include <limpid/core/fixed_string.hpp>
#include <limpid/datasets/degraded_photos.hpp>
#include <limpid/datasets/gopro.hpp>
#include <limpid/datasets/paired_folders.hpp>
#include <limpid/datasets/pairs.hpp>
#include <limpid/datasets/raindrop.hpp>
#include <limpid/degradations/any_degradation.hpp>

namespace limpid {

/// What pairs are wanted for; decides which part of a published set is read.
enum class DataUse { training, evaluation };

/// One command-line argument "TASK=FORMAT:PATH[@PART]", in its pieces.
struct DataArgument {
  std::string task;
  std::string format;
  std::string path;
  std::string part;  ///< empty where none was named

  /// Splits the argument. Where the format has parts, a path whose last name has an '@' is written
  /// with a '/' at its end.
  /// @throws c10::ValueError that says what was expected.
  static DataArgument parse(std::string_view text);
};

/// One data format of the command line: how it is called, what it reads.
struct DataFormat {
  std::string_view name;
  std::string_view path;  ///< what PATH is, for `--help`
  std::string_view
      parts;  ///< the parts that can be named, between spaces; empty where there are none
  /// Opens a part; the part is empty where the format has none.
  Pairs (*open)(const DataArgument& argument, std::string_view part);
  std::string_view training_part;    ///< what training reads where no part is named
  std::string_view evaluation_part;  ///< what evaluation reads where no part is named
};

namespace detail {

inline Pairs open_gopro(const DataArgument& argument, std::string_view part) {
  const GoPro set{argument.path};
  return part == "train" ? set.train() : set.test();
}

inline Pairs open_raindrop(const DataArgument& argument, std::string_view part) {
  const Raindrop set{argument.path};
  return part == "train" ? set.train() : part == "test_a" ? set.test_a() : set.test_b();
}

inline Pairs open_folders(const DataArgument& argument, std::string_view) {
  const auto& path = argument.path;
  const auto comma = path.find(',');
  if (comma == path.npos) return PairedFolders::inside(path);
  return PairedFolders{path.substr(0, comma), path.substr(comma + 1)};
}

inline Pairs open_photos(const DataArgument& argument, std::string_view) {
  return DegradedPhotos{std::filesystem::path{argument.path}, degradation_for(argument.task)};
}

/// Whether `list`, words between spaces, has `word`.
inline bool lists(std::string_view list, std::string_view word) {
  while (!list.empty()) {
    const auto end = std::min(list.find(' '), list.size());
    if (list.substr(0, end) == word) return true;
    list.remove_prefix(std::min(end + 1, list.size()));
  }
  return false;
}

}  // namespace detail

/// The formats that `--data` and `--validate` take. A new format is one more line.
inline constexpr std::array<DataFormat, 4> kDataFormats{{
    {"gopro", "the folder with train/ and test/", "train test", &detail::open_gopro, "train",
     "test"},
    {"raindrop", "the folder with train/, test_a/ and test_b/", "train test_a test_b",
     &detail::open_raindrop, "train", "test_a"},
    {"pairs", "a folder with input/ and target/, or INPUT_DIR,TARGET_DIR", "",
     &detail::open_folders, "", ""},
    {"photos", "a folder of clean photographs, degraded as they are drawn", "",
     &detail::open_photos, "", ""},
}};

namespace detail {

inline std::string format_names() {
  std::string names;
  for (const auto& format : kDataFormats) {
    names += (names.empty() ? "" : ", ") + std::string{format.name};
  }
  return names;
}

inline const DataFormat& data_format(std::string_view argument, std::string_view name) {
  const auto* format = std::find_if(kDataFormats.begin(), kDataFormats.end(),
                                    [&](const auto& known) { return known.name == name; });
  TORCH_CHECK_VALUE(format != kDataFormats.end(), "'", argument, "': unknown format '", name,
                    "', expected one of ", format_names());
  return *format;
}

inline void check_part(std::string_view argument, const DataFormat& format, std::string_view part) {
  if (part.empty()) return;
  TORCH_CHECK_VALUE(!format.parts.empty(), "'", argument, "': ", format.name,
                    " has no parts, got '@", part, "'");
  TORCH_CHECK_VALUE(lists(format.parts, part), "'", argument, "': unknown part '", part, "' of ",
                    format.name, ", expected one of ", format.parts);
}

}  // namespace detail

inline DataArgument DataArgument::parse(std::string_view text) {
  const auto equals = text.find('=');
  const auto colon = equals == text.npos ? text.npos : text.find(':', equals);
  TORCH_CHECK_VALUE(colon != text.npos, "'", text,
                    "': expected TASK=FORMAT:PATH[@PART], for example deblur=gopro:data/GoPro");
  DataArgument argument{std::string{text.substr(0, equals)},
                        std::string{text.substr(equals + 1, colon - equals - 1)},
                        std::string{text.substr(colon + 1)},
                        {}};
  TORCH_CHECK_VALUE(is_task_name(argument.task), "'", text,
                    "': expected a task name of lower-case letters, digits, '-' and '_', got '",
                    argument.task, "'");
  const auto& format = detail::data_format(text, argument.format);
  const auto at = format.parts.empty() ? argument.path.npos : argument.path.rfind('@');
  if (at != argument.path.npos && argument.path.find('/', at) == argument.path.npos) {
    argument.part = argument.path.substr(at + 1);
    argument.path.resize(at);
    TORCH_CHECK_VALUE(!argument.part.empty(), "'", text, "': expected a part behind '@'");
  }
  TORCH_CHECK_VALUE(!argument.path.empty(), "'", text, "': expected a path behind '",
                    argument.format, ":'");
  detail::check_part(text, format, argument.part);
  return argument;
}

/// The pairs that an argument names. Without a part, training reads the training part of a
/// published set and evaluation its test part (Raindrop: test_a).
///
/// @throws c10::ValueError for an unknown format or part, c10::Error if the files are not there.
inline Pairs open_pairs(const DataArgument& argument, DataUse use) {
  const auto text = argument.task + "=" + argument.format + ":" + argument.path +
                    (argument.part.empty() ? "" : "@" + argument.part);
  const auto& format = detail::data_format(text, argument.format);
  detail::check_part(text, format, argument.part);
  const auto usual = use == DataUse::training ? format.training_part : format.evaluation_part;
  return format.open(argument, argument.part.empty() ? usual : argument.part);
}

/// What `--help` says of an argument that names data.
inline std::string data_argument_help() {
  std::string text = "Data of a task, once for each task. FORMAT is";
  for (const auto& format : kDataFormats) {
    text += "\n" + std::string{format.name} + ": PATH is " + std::string{format.path};
    if (!format.parts.empty()) text += "; parts: " + std::string{format.parts};
  }
  return text;
}

}  // namespace limpid
