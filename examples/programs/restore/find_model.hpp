#pragma once

#include <limpid/core/fail.hpp>

#include <cstdlib>
#include <filesystem>
#include <string>
#include <system_error>
#include <vector>

namespace examples {

/// The folder that the running program lies in; empty where the system does not say.
inline std::filesystem::path program_folder() {
  std::error_code ignored;
  return std::filesystem::read_symlink("/proc/self/exe", ignored).parent_path();
}

/// Where the model in the box may lie, seen from the program's folder: beside an installed program,
/// and in the source tree that it was built in.
inline std::vector<std::filesystem::path> places_of_model(const std::filesystem::path& program) {
  std::vector<std::filesystem::path> places;
  if (program.empty()) return places;
  places.push_back(program.parent_path() / "share" / "limpid" / "models" / "everyday.limpid");
  auto folder = program;
  for (int up = 0; up < 4 && folder.has_relative_path(); ++up) {  // build/PRESET/bin, and its root
    places.push_back(folder / "examples" / "models" / "everyday.limpid");
    folder = folder.parent_path();
  }
  return places;
}

/// The model that is taken where none is named: the one that LIMPID_MODEL names, or the one in the
/// box.
/// @throws c10::Error that names all places where there is none.
inline std::filesystem::path find_model(const std::filesystem::path& program = program_folder()) {
  namespace fs = std::filesystem;
  std::error_code ignored;
  if (const char* named = std::getenv("LIMPID_MODEL"); named != nullptr && *named != '\0') {
    TORCH_CHECK(fs::exists(named, ignored), "LIMPID_MODEL: there is no file '", named, "'");
    return named;
  }
  std::string searched;
  for (const auto& place : places_of_model(program)) {
    if (fs::is_regular_file(place, ignored)) return place;
    searched += (searched.empty() ? "'" : ", '") + place.string() + "'";
  }
  limpid::fail(
      "no model: name one with --model FILE or by the environment variable LIMPID_MODEL; "
      "none in the box was found, searched ",
      searched.empty() ? "nowhere" : searched);
}

}  // namespace examples
