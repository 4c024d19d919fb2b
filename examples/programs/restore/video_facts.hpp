#pragma once

// What a video file says of its picture.

#include <c10/util/Exception.h>
#include <nlohmann/json.hpp>

#include <array>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "frames.hpp"
#include "piped_program.hpp"

namespace examples {

/// Whether a file that begins so is a video: its name plays no part.
/// @param start      its first 64 bytes, or all
inline bool is_video(std::string_view start) {
  const auto has = [&](std::size_t at, std::string_view bytes) {
    return start.size() >= at + bytes.size() && start.substr(at, bytes.size()) == bytes;
  };
  if (has(4, "ftyp")) {
    for (const auto* still : {"avif", "avis", "heic", "heix", "mif1", "msf1", "heim", "crx "}) {
      if (has(8, still)) return false;
    }
    return true;
  }
  return has(0, "\x1a\x45\xdf\xa3") ||                              // Matroska, WebM
         (has(0, "RIFF") && has(8, "AVI ")) ||                      //
         has(4, "moov") || has(4, "mdat") || has(4, "wide") ||      // QuickTime of old
         has(0, {"\0\0\1\xba", 4}) || has(0, {"\0\0\1\xb3", 4}) ||  // MPEG
         has(0, {"FLV\1", 4}) || has(0, "OggS") || has(0, "\x30\x26\xb2\x75\x8e\x66\xcf\x11");
}

/// The same for a file. A transport stream shows by a mark every 188 bytes.
inline bool is_video_file(const std::filesystem::path& path) {
  std::error_code ignored;
  if (!std::filesystem::is_regular_file(path, ignored)) return false;
  std::array<char, 189> bytes{};
  std::ifstream stream{path, std::ios::binary};
  stream.read(bytes.data(), bytes.size());
  const std::string_view start{bytes.data(), static_cast<std::size_t>(stream.gcount())};
  if (start.size() == bytes.size() && start[0] == 0x47 && start[188] == 0x47) return true;
  return is_video(start);
}

/// What ffprobe says of a video's picture.
struct VideoFacts {
  std::string time_base = "1/1000000";  ///< seconds; what times are counted in
  std::string rate;                     ///< frames a second, on average: "30000/1001"
  std::int64_t frames = 0;              ///< about; 0: not known
  std::string pixels;                   ///< "yuv420p", "yuv420p10le" ...
  std::string aspect;                   ///< of a pixel, as it is shown: "4:3"; empty: square
  std::string matrix, primaries, transfer, range;  ///< of colours; empty: not said

  std::string start = "0";  ///< seconds; when the file begins

  bool has_more_than_8_bits() const {
    for (const auto* mark : {"p9", "p010", "p10", "p12", "p14", "p16", "48", "64"}) {
      if (pixels.find(mark) != pixels.npos) return true;
    }
    return false;
  }

  /// Seconds that a frame lasts, on average; 0: not known.
  double frame_seconds() const {
    const auto ratio = ratio_of(rate);
    return ratio > 0 ? 1 / ratio : 0;
  }

  /// "30000/1001" or "4:3" as a number; 0 where it is none.
  static double ratio_of(const std::string& text) {
    char* end = nullptr;
    const double above = std::strtod(text.c_str(), &end);
    if (*end != '/' && *end != ':') return above;
    const double below = std::strtod(end + 1, nullptr);
    return below > 0 ? above / below : 0;
  }
};

/// @param text  JSON that ffprobe wrote of one stream, with its side data, and of the file
/// @throws c10::Error if there is no picture in it
inline VideoFacts parse_video_facts(const std::string& text, const std::string& name) {
  const auto said = nlohmann::json::parse(text, nullptr, false);
  TORCH_CHECK(said.is_object() && said.contains("streams") && !said.at("streams").empty(), "'",
              name, "': expected a video, found no moving picture in it");
  const auto& stream = said.at("streams").front();
  const auto word = [&](const char* key) {
    const auto value = stream.value(key, std::string{});
    return value == "unknown" || value == "N/A" || value == "reserved" ? std::string{} : value;
  };
  VideoFacts facts;
  if (VideoFacts::ratio_of(word("time_base")) > 0) facts.time_base = word("time_base");
  facts.rate = word("avg_frame_rate");
  if (VideoFacts::ratio_of(facts.rate) <= 0) facts.rate = word("r_frame_rate");
  facts.frames = std::atoll(word("nb_frames").c_str());
  const auto format = said.value("format", nlohmann::json::object());
  facts.start = format.value("start_time", facts.start);
  if (facts.start == "N/A") facts.start = "0";
  if (facts.frames <= 0) {
    auto seconds = std::atof(word("duration").c_str());
    if (seconds <= 0) seconds = std::atof(format.value("duration", std::string{}).c_str());
    facts.frames = static_cast<std::int64_t>(seconds * VideoFacts::ratio_of(facts.rate));
  }
  facts.pixels = word("pix_fmt");
  facts.matrix = word("color_space");
  facts.primaries = word("color_primaries");
  facts.transfer = word("color_transfer");
  facts.range = word("color_range");
  double turn = 0;
  for (const auto& data : stream.value("side_data_list", nlohmann::json::array())) {
    if (data.contains("rotation") && data.at("rotation").is_number()) turn = data.at("rotation");
  }
  facts.aspect = word("sample_aspect_ratio");
  const auto colon = facts.aspect.find(':');
  const bool is_turned = static_cast<std::int64_t>(turn) % 180 != 0;
  if (VideoFacts::ratio_of(facts.aspect) <= 0 || VideoFacts::ratio_of(facts.aspect) == 1) {
    facts.aspect.clear();
  } else if (is_turned) {
    facts.aspect = facts.aspect.substr(colon + 1) + ":" + facts.aspect.substr(0, colon);
  }
  return facts;
}

/// What ffprobe prints. @throws c10::Error that names the file
inline std::string probed(const std::filesystem::path& ffprobe, const std::filesystem::path& video,
                          std::vector<std::string> options) {
  options.insert(options.begin(), {ffprobe.string(), "-v", "error", "-select_streams", "V:0"});
  options.insert(options.end(), {"-of", "json", "file:" + video.string()});
  PipedProgram program{std::move(options), {.output = true}};
  std::string text(1 << 16, '\0');
  text.resize(read_bytes(program.output(), reinterpret_cast<std::uint8_t*>(text.data()),
                         text.size(), "what ffprobe says"));
  TORCH_CHECK(program.wait() == 0, "cannot read video '", video.string(),
              "': ", program.errors().empty() ? "ffprobe failed" : program.errors());
  return text;
}

/// Asks ffprobe. @throws c10::Error that names the file if it is no video that ffmpeg reads
inline VideoFacts video_facts(const std::filesystem::path& ffprobe,
                              const std::filesystem::path& video) {
  return parse_video_facts(
      probed(ffprobe, video,
             {"-show_entries",
              "stream=time_base,avg_frame_rate,r_frame_rate,nb_frames,duration,pix_fmt,"
              "color_space,color_primaries,color_transfer,color_range,sample_aspect_ratio:"
              "stream_side_data=rotation:format=duration,start_time"}),
      video.string());
}

/// How many frames a file really holds; ffmpeg's exit code says nothing of a disk that is full.
inline std::int64_t stored_frames(const std::filesystem::path& ffprobe,
                                  const std::filesystem::path& video) {
  const auto said = nlohmann::json::parse(
      probed(ffprobe, video, {"-count_packets", "-show_entries", "stream=nb_read_packets"}),
      nullptr, false);
  if (!said.is_object() || !said.contains("streams") || said.at("streams").empty()) return 0;
  return std::atoll(said.at("streams").front().value("nb_read_packets", std::string{}).c_str());
}

}  // namespace examples
