#pragma once

#include <limpid/inference/router.hpp>
#include <limpid/io/image.hpp>
#include <limpid/io/picture_folder.hpp>

#include <c10/util/Exception.h>
#include <nlohmann/json.hpp>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

namespace examples {

/// The bytes of a file.
inline std::string bytes_of(const std::filesystem::path& path) {
  std::ifstream stream{path, std::ios::binary};
  std::string bytes{std::istreambuf_iterator<char>{stream}, {}};
  TORCH_CHECK(stream.good() || stream.eof(), "cannot read image '", path.string(), "'");
  return bytes;
}

/// The file of a result. What was not changed comes back as the bytes of its input, where the kind
/// of file stays; a JPEG keeps the quality that its input has.
/// @param is_changed  whether anything was done to it
inline limpid::EncodedPicture encoded_as(const limpid::Image& restored, bool is_changed,
                                         const std::filesystem::path& input,
                                         const std::filesystem::path& output) {
  constexpr int kUsual = 95;
  if (!is_changed && limpid::lower_extension(input) == limpid::lower_extension(output)) {
    return {output, bytes_of(input), {}};
  }
  const auto quality = restored.facts().jpeg_quality;
  return restored.encoded_for(output, quality > 0 ? quality : kUsual);
}

/// {"done": [{"task", "probability"}], "seen": the same of the tasks that were left}
inline nlohmann::json to_json(const limpid::Routing& routed) {
  const auto list = [](const std::vector<limpid::RoutingGuess>& guesses) {
    auto all = nlohmann::json::array();
    for (const auto& guess : guesses) {
      all.push_back({{"task", guess.task}, {"probability", guess.probability}});
    }
    return all;
  };
  return {{"done", list(routed.done)}, {"seen", list(routed.last_seen)}};
}

}  // namespace examples
