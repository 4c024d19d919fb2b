#pragma once

// What ffmpeg is told: how to read a video's frames, and how to write them.

#include <algorithm>
#include <cctype>
#include <cstdint>
#include <filesystem>
#include <sstream>
#include <string>
#include <vector>

#include "frames.hpp"
#include "video_facts.hpp"

namespace examples {

/// A video to restore.
struct VideoJob {
  std::filesystem::path input, output;
  int quality = 17;  ///< of H.264 and VP9, as their constant rate factor: less is better
};

/// The extension that a restored video gets: its own where that holds H.264 or VP9 and the time of
/// each frame, else Matroska's.
inline std::string video_extension(const std::filesystem::path& input) {
  auto extension = input.extension().string();
  std::transform(extension.begin(), extension.end(), extension.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  for (const auto* kept : {".mp4", ".m4v", ".mov", ".mkv", ".webm"}) {
    if (extension == kept) return extension;
  }
  return ".mkv";
}

/// A command line, word by word.
class Command {
 public:
  explicit Command(const std::filesystem::path& program) : words_{program.string()} {}

  /// Adds words without blanks in them.
  Command& add(const std::string& text) {
    std::istringstream stream{text};
    for (std::string word; stream >> word;) words_.push_back(word);
    return *this;
  }

  /// Adds a word that may hold anything.
  Command& add_word(const std::string& word) {
    words_.push_back(word);
    return *this;
  }

  /// Adds an option and its value, which may hold anything.
  Command& add(const std::string& option, const std::string& value) {
    words_.push_back(option);
    words_.push_back(value);
    return *this;
  }

  std::vector<std::string> words() const { return words_; }

 private:
  std::vector<std::string> words_;
};

/// To ffmpeg a name that has "file:" before it is a file's, whatever it looks like.
inline std::string as_file(const std::filesystem::path& path) { return "file:" + path.string(); }

inline constexpr const char* kScale = "scale=flags=bicubic+accurate_rnd+full_chroma_int";

/// Reads frames upright, in RGB, as PPM pictures, and says on descriptor 3 when each is shown.
inline std::vector<std::string> reading_command(const std::filesystem::path& ffmpeg,
                                                const VideoJob& job) {
  // A mark on each frame has its time printed: in microseconds, exact enough for any clock.
  const auto filter =
      "settb=1/1000000,metadata=mode=add:key=limpid:value=frame,"
      "metadata=mode=print:direct=1:file=pipe\\\\:3," +
      std::string{kScale} + ",format=rgb24";
  return Command{ffmpeg}
      .add("-nostdin -hide_banner -v error -copyts")
      .add("-i", as_file(job.input))
      .add("-map 0:V:0 -fps_mode passthrough")
      .add("-vf", filter)
      .add("-c:v ppm -f image2pipe pipe:1")
      .words();
}

/// What the frames become: as near to what they were as 8 bits and the codecs allow.
struct VideoColours {
  std::string pixels;  ///< a layout that ffmpeg knows
  std::string matrix;  ///< of the conversion
  std::string range;   ///< "tv" or "pc"
  std::string tags;    ///< options that say the same to a player

  VideoColours(const VideoFacts& facts, const Frame& frame) {
    const auto has = [&](const char* part) { return facts.pixels.find(part) != std::string::npos; };
    const bool is_rgb = facts.matrix == "gbr";
    const bool is_odd = frame.width % 2 != 0 || frame.height % 2 != 0;
    pixels = is_odd || is_rgb || has("444") ? "yuv444p" : has("422") ? "yuv422p" : "yuv420p";
    range = !is_rgb && (facts.range == "pc" || has("yuvj")) ? "pc" : "tv";
    matrix = "smpte170m";  // what the scaler reads where none is said
    for (const auto* known : {"bt709", "fcc", "bt470bg", "smpte170m", "smpte240m"}) {
      if (facts.matrix == known) matrix = known;
    }
    if (facts.matrix.compare(0, 6, "bt2020") == 0) matrix = "bt2020";
    if (is_rgb) matrix = "bt709";
    tags = "-color_range " + range;
    if (!facts.matrix.empty()) tags += " -colorspace " + (is_rgb ? matrix : facts.matrix);
    if (!facts.primaries.empty()) tags += " -color_primaries " + facts.primaries;
    if (!facts.transfer.empty()) tags += " -color_trc " + facts.transfer;
  }
};

/// Writes frames of a `TimedFrames` stream from standard input, with sound, subtitles, chapters and
/// what the file says of itself from the input.
///
/// @param first_time  when the first frame is shown, microseconds
inline std::vector<std::string> writing_command(const std::filesystem::path& ffmpeg,
                                                const VideoJob& job, const VideoFacts& facts,
                                                const Frame& frame, std::int64_t first_time,
                                                const std::filesystem::path& part) {
  const VideoColours colours{facts, frame};
  auto filter = std::string{kScale} + ":out_color_matrix=" + colours.matrix +
                ":out_range=" + colours.range + ",format=" + colours.pixels;
  if (!facts.aspect.empty()) {
    auto ratio = facts.aspect;
    ratio.replace(ratio.find(':'), 1, "/");
    filter += ",setsar=" + ratio;
  }
  Command command{ffmpeg};
  command.add("-nostdin -hide_banner -v error -y -copyts -f matroska")
      .add("-itsoffset", std::to_string(first_time) + "us")
      .add("-i", "pipe:0")
      .add("-i", as_file(job.input))
      .add("-map 0:v:0 -map 1:a? -map 1:s? -map_metadata 1 -map_chapters 1 -c:a copy -c:s copy")
      .add("-vf", filter)
      .add("-fps_mode passthrough -enc_time_base " + facts.time_base)
      .add(colours.tags + " -crf " + std::to_string(job.quality))
      .add("-output_ts_offset",
           (facts.start[0] == '-' ? "" : "-") + facts.start.substr(facts.start[0] == '-' ? 1 : 0));
  const auto extension = video_extension(job.output);
  if (extension == ".webm") {
    command.add("-c:v libvpx-vp9 -b:v 0 -row-mt 1 -f webm");
  } else if (extension == ".mkv") {
    command.add("-map 1:t? -c:t copy -c:v libx264 -preset medium -f matroska");
  } else {
    const auto clock = facts.time_base.substr(facts.time_base.find('/') + 1);
    command.add("-c:v libx264 -preset medium -movflags +faststart -video_track_timescale " + clock +
                " -f " + (extension == ".mov" ? "mov" : "mp4"));
  }
  return command.add_word(as_file(part)).words();
}

}  // namespace examples
