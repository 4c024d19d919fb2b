#pragma once

#include <limpid/datasets/paired_files.hpp>
#include <limpid/datasets/pairs.hpp>

#include <cstdint>
#include <string>
#include <string_view>

namespace limpid {

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

  /// The argument as it is written.
  std::string text() const {
    return task + "=" + format + ":" + path + (part.empty() ? "" : "@" + part);
  }
};

/// What a format opens.
struct DataRequest {
  const DataArgument& argument;
  std::string_view part;    ///< empty where the format has none
  UnpairedFiles* unpaired;  ///< takes files without a partner, which end in an error where null
  std::uint64_t seed = 0;   ///< of what is drawn, unless the argument names another
};

/// A data format of the command line: what it reads and how.
struct DataFormat {
  std::string_view path;               ///< what PATH is, for `--help`
  std::string_view parts{};            ///< that can be named, between spaces; empty: none
  std::string_view training_part{};    ///< what training reads where no part is named
  std::string_view evaluation_part{};  ///< what evaluation reads where no part is named
  Pairs (*open)(const DataRequest& request) = nullptr;
  /// Looks at an argument before anything is opened, and throws c10::ValueError; null: nothing to
  /// look at.
  void (*check)(const DataArgument& argument) = nullptr;
};

}  // namespace limpid
