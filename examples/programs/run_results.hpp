#pragma once

// What a run of a table leaves beside its model: result.json.

#include <limpid/io/json_file.hpp>

#include <nlohmann/json.hpp>

#include <cstdint>
#include <filesystem>

namespace examples {

/// A JSON file, or null where there is none.
/// @throws c10::Error that names a file that is not JSON.
inline nlohmann::json read_result(const std::filesystem::path& path) {
  return std::filesystem::exists(path) ? limpid::read_json(path, "result") : nullptr;
}

inline std::filesystem::path result_file(const std::filesystem::path& folder) {
  return folder / "result.json";
}

/// How many pictures a result has no scores of, since they could not be read or restored.
inline std::int64_t failed_pictures(const nlohmann::json& result) {
  return result.value("failed", std::int64_t{0});
}

}  // namespace examples
