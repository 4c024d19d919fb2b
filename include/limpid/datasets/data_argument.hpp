#pragma once

#include <limpid/core/fixed_string.hpp>
#include <limpid/datasets/degraded_photos.hpp>
#include <limpid/datasets/dhazy.hpp>
#include <limpid/datasets/gopro.hpp>
#include <limpid/datasets/paired_files.hpp>
#include <limpid/datasets/paired_folders.hpp>
#include <limpid/datasets/pairs.hpp>
#include <limpid/datasets/raindrop.hpp>
#include <limpid/datasets/reds.hpp>
#include <limpid/datasets/reside.hpp>
#include <limpid/degradations/any_degradation.hpp>

#include <c10/util/Exception.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>

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
  /// Opens a part; the part is empty where the format has none. Files without a partner go to
  /// `unpaired` where it is given, and else end in an error.
  Pairs (*open)(const DataArgument& argument, std::string_view part, UnpairedFiles* unpaired);
  std::string_view training_part;    ///< what training reads where no part is named
  std::string_view evaluation_part;  ///< what evaluation reads where no part is named
};

namespace detail {

template <GoProBlur Blur>
Pairs open_gopro(const DataArgument& argument, std::string_view part, UnpairedFiles* unpaired) {
  const GoPro set{argument.path, Blur, unpaired};
  return part == "train" ? set.train() : set.test();
}

inline Pairs open_raindrop(const DataArgument& argument, std::string_view part,
                           UnpairedFiles* unpaired) {
  const Raindrop set{argument.path, unpaired};
  return part == "train" ? set.train() : part == "test_a" ? set.test_a() : set.test_b();
}

/// FOLDER, or FOLDER,SPLIT_FILE.
inline DHazy dhazy_of(const std::string& path, UnpairedFiles* unpaired = nullptr) {
  const auto comma = path.find(',');
  if (comma == path.npos) return DHazy{path, {.unpaired = unpaired}};
  return DHazy{path.substr(0, comma), {.split_file = path.substr(comma + 1), .unpaired = unpaired}};
}

inline Pairs open_dhazy(const DataArgument& argument, std::string_view part,
                        UnpairedFiles* unpaired) {
  const auto set = dhazy_of(argument.path, unpaired);
  return part == "train"  ? set.train()
         : part == "test" ? set.test()
         : part == "all"  ? set.all()
                          : set.middlebury();
}

inline Pairs open_reside(const DataArgument& argument, std::string_view part,
                         UnpairedFiles* unpaired) {
  const RESIDE set{argument.path, unpaired};
  return part == "train"         ? set.train()
         : part == "test"        ? set.test()
         : part == "its"         ? set.its()
         : part == "its_val"     ? set.its_val()
         : part == "ots"         ? set.ots()
         : part == "sots_indoor" ? set.sots_indoor()
         : part == "all"         ? set.all()
                                 : set.sots_outdoor();
}

template <REDSBlur Blur>
Pairs open_reds(const DataArgument& argument, std::string_view part, UnpairedFiles* unpaired) {
  const REDS set{argument.path, Blur, unpaired};
  return part == "train" ? set.train() : part == "val" ? set.val() : set.val300();
}

inline Pairs open_folders(const DataArgument& argument, std::string_view, UnpairedFiles* unpaired) {
  const auto& path = argument.path;
  const auto comma = path.find(',');
  if (comma == path.npos) return PairedFolders::inside(path, unpaired);
  return PairedFolders{path.substr(0, comma), path.substr(comma + 1), unpaired};
}

inline Pairs open_photos(const DataArgument& argument, std::string_view, UnpairedFiles*) {
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
inline constexpr std::array<DataFormat, 10> kDataFormats{{
    {"gopro", "the folder with train/ and test/; the frames in blur/", "train test",
     &detail::open_gopro<GoProBlur::linear>, "train", "test"},
    {"gopro-gamma", "the same; the frames in blur_gamma/", "train test",
     &detail::open_gopro<GoProBlur::gamma>, "train", "test"},
    {"raindrop", "the folder with train/, test_a/ and test_b/", "train test_a test_b",
     &detail::open_raindrop, "train", "test_a"},
    {"dhazy",
     "the folder with NYU_Hazy/ and NYU_GT/, split at random with seed 0, or FOLDER,SPLIT_FILE "
     "with a file of limpid-data dhazy-split",
     "train test all middlebury", &detail::open_dhazy, "train", "test"},
    {"reside",
     "the folder with ITS/, OTS/ and SOTS/, or with train/ and test/, each with hazy/ and clear/ "
     "(or gt/); train is ITS and test SOTS indoor where there are no folders of these names; all: "
     "PATH itself has hazy/ and clear/",
     "train test its its_val ots sots_indoor sots_outdoor all", &detail::open_reside, "train",
     "test"},
    {"reds", "the folder with train/train_blur/, train/train_sharp/ and val/", "train val val300",
     &detail::open_reds<REDSBlur::motion>, "train", "val"},
    {"reds-comp", "the same; the frames in blur_comp", "train val val300",
     &detail::open_reds<REDSBlur::compressed>, "train", "val"},
    {"reds-jpeg", "the same; the frames in blur_jpeg", "train val val300",
     &detail::open_reds<REDSBlur::jpeg>, "train", "val"},
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
/// @param unpaired  where given, takes files without a partner, which else end in an error.
/// @throws c10::ValueError for an unknown format or part, c10::Error if the files are not there.
inline Pairs open_pairs(const DataArgument& argument, DataUse use,
                        UnpairedFiles* unpaired = nullptr) {
  const auto text = argument.task + "=" + argument.format + ":" + argument.path +
                    (argument.part.empty() ? "" : "@" + argument.part);
  const auto& format = detail::data_format(text, argument.format);
  detail::check_part(text, format, argument.part);
  const auto usual = use == DataUse::training ? format.training_part : format.evaluation_part;
  return format.open(argument, argument.part.empty() ? usual : argument.part, unpaired);
}

/// What `--help` says of an argument that names data.
inline std::string data_argument_help(
    std::string text = "Data of a task, once for each task. FORMAT is") {
  for (const auto& format : kDataFormats) {
    text += "\n" + std::string{format.name} + ": PATH is " + std::string{format.path};
    if (!format.parts.empty()) text += "; parts: " + std::string{format.parts};
  }
  return text;
}

}  // namespace limpid
