#pragma once

#include <limpid/core/fail.hpp>
#include <limpid/core/named.hpp>
#include <limpid/datasets/data_format.hpp>
#include <limpid/datasets/degraded_photos.hpp>
#include <limpid/degradations/degradation_options.hpp>
#include <limpid/degradations/named_degradations.hpp>

#include <c10/util/Exception.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>

namespace limpid {

/// What the PATH of `TASK=photos:PATH` says: "DIR[,NAME=VALUE]...", where NAME is
///  - `degradation`: of `kDegradations`; without it the usual one of TASK (deblur, dehaze ...),
///  - `seed`, `draws`, `long-side`, `on` (loader, device): of `DegradedPhotosOptions`,
///  - an option of the degradation: `size=7:17`.
struct PhotosArgument {
  std::filesystem::path folder;
  DegradationText degradation;
  DegradedPhotosOptions options;

  /// @param seed  where the argument names none
  /// @throws c10::ValueError for what is not known or out of range.
  static PhotosArgument parse(const DataArgument& argument, std::uint64_t seed = 0) {
    PhotosArgument result;
    result.options.seed = seed;
    std::string_view path = argument.path;
    OptionTexts texts;
    for (auto last = last_option(path); !last.name.empty(); last = last_option(path)) {
      texts.emplace(texts.begin(), last.name, last.value);
      path = last.rest;
    }
    check_set_once(texts);
    result.folder = std::filesystem::path{std::string{path}};
    for (const auto& [name, value] : texts) {
      if (name == "degradation") {
        result.degradation.name = value;
      } else if (!result.sets_drawing(name, value)) {
        result.degradation.options.emplace_back(name, value);
      }
    }
    if (result.degradation.name.empty()) result.degradation.name = usual_degradation(argument.task);
    TORCH_CHECK_VALUE(!result.degradation.name.empty(), "task '", argument.task,
                      "' has no usual degradation: expected degradation=NAME, one of ",
                      kDegradations.list());
    result.check_option_names();
    static_cast<void>(named_degradation(result.degradation));
    return result;
  }

  DegradedPhotos open() const { return {folder, named_degradation(degradation), options}; }

 private:
  struct Piece {
    std::string_view rest, name, value;
  };

  /// The last comma outside of parentheses.
  static std::size_t last_comma(std::string_view path) {
    std::int64_t depth = 0;
    for (auto i = path.size(); i-- > 0;) {
      depth += path[i] == ')' ? 1 : path[i] == '(' ? -1 : 0;
      if (depth <= 0 && path[i] == ',') return i;
    }
    return path.npos;
  }

  /// ",NAME=VALUE" at the end of `path`; without a name where there is none, as in "/a,b=c/d".
  static Piece last_option(std::string_view path) {
    const auto comma = last_comma(path);
    if (comma == path.npos) return {path, {}, {}};
    const auto piece = path.substr(comma + 1);
    const auto equals = piece.find('=');
    const bool is_option = equals != piece.npos && is_table_name(piece.substr(0, equals)) &&
                           piece.find('/') == piece.npos;
    if (!is_option) return {path, {}, {}};
    return {path.substr(0, comma), piece.substr(0, equals), piece.substr(equals + 1)};
  }

  void check_option_names() const {
    auto known = option_names(degradation.name);
    known.insert(known.end(), {"degradation", "seed", "draws", "long-side", "on"});
    for (const auto& [name, value] : degradation.options) {
      if (std::find(known.begin(), known.end(), name) != known.end()) continue;
      detail::refuse_name("an option of photographs with " + degradation.name, known, name);
    }
  }

  bool named_on(const std::string& value) {
    try {
      options.on = kDegradeOn.at(value);
    } catch (const c10::ValueError& error) {
      limpid::refuse("on: ", error.what_without_backtrace());
    }
    return true;
  }

  /// Whether `name` is one of `DegradedPhotosOptions`, which is then set.
  bool sets_drawing(const std::string& name, const std::string& value) {
    const auto read = [&](auto& number, auto least) {
      try {
        detail::read_option(value, number);
      } catch (const c10::ValueError& error) {
        limpid::refuse(name, ": ", error.what_without_backtrace());
      }
      TORCH_CHECK_VALUE(number >= least, name, " must be at least ", least, ", got ", number);
      return true;
    };
    if (name == "on") return named_on(value);
    if (name == "seed") return read(options.seed, std::uint64_t{0});
    if (name == "draws") return read(options.draws_per_variant, std::int64_t{1});
    if (name == "long-side") return read(options.long_side, std::int64_t{0});
    return false;
  }
};

/// `photos:PATH`
inline constexpr DataFormat kPhotosFormat{
    .path =
        "a folder of clean photographs, degraded as they are drawn: DIR[,NAME=VALUE]..., where "
        "NAME is degradation (see limpid-data degrade --help; not needed where the task has a "
        "usual one), an option of the degradation (a number or LOW:HIGH), seed, draws (that "
        "share one degradation), long-side (pixels to shrink to) or on (loader, or device: batches "
        "are degraded where the network trains): deblur=photos:DIR,size=9:31,seed=3",
    .open = [](const DataRequest& request) -> Pairs {
      return PhotosArgument::parse(request.argument, request.seed).open();
    },
    .check = [](const DataArgument& argument) { PhotosArgument::parse(argument); }};

}  // namespace limpid
