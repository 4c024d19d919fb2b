#pragma once

// Videos, frame by frame, with Debian's ffmpeg beside this program: one reads the frames, another
// writes them.

#include <limpid/core/caught_signals.hpp>
#include <limpid/core/fail.hpp>
#include <limpid/core/progress_line.hpp>

#include <c10/util/Exception.h>

#include <fcntl.h>
#include <unistd.h>
#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <optional>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "frames.hpp"
#include "piped_program.hpp"
#include "timed_frames.hpp"
#include "video_commands.hpp"
#include "video_facts.hpp"

namespace examples {

namespace parts_of_video {

/// The times of frames, as the reading program says them.
class FrameTimes {
 public:
  FrameTimes(int descriptor, double frame_seconds)
      : descriptor_(descriptor),
        step_(std::max<std::int64_t>(1, std::llround(1e6 * frame_seconds))) {}

  /// Microseconds, rising. Where none is said, a frame's length after the last.
  std::int64_t next() {
    std::string line;
    while (read_line(line)) {
      const auto at = line.compare(0, 6, "frame:") == 0 ? line.find("pts:") : line.npos;
      if (at == line.npos) continue;
      char* end = nullptr;
      const auto time = std::strtoll(line.c_str() + at + 4, &end, 10);
      const bool is_said = end != line.c_str() + at + 4;
      last_ = !last_    ? (is_said ? time : 0)
              : is_said ? std::max<std::int64_t>(time, *last_ + 1)
                        : *last_ + step_;
      return *last_;
    }
    last_ = last_ ? *last_ + step_ : 0;
    return *last_;
  }

 private:
  bool read_line(std::string& line) {
    line.clear();
    while (true) {
      if (at_ == buffer_.size()) {
        buffer_.resize(4096);
        ssize_t count = 0;
        do {
          count = ::read(descriptor_, buffer_.data(), buffer_.size());
        } while (count < 0 && errno == EINTR);
        buffer_.resize(count > 0 ? static_cast<std::size_t>(count) : 0);
        at_ = 0;
        if (buffer_.empty()) return false;
      }
      const char letter = buffer_[at_++];
      if (letter == '\n') return true;
      line += letter;
    }
  }

  int descriptor_;
  std::int64_t step_;
  std::optional<std::int64_t> last_;
  std::string buffer_;
  std::size_t at_ = 0;
};

/// @throws c10::Error where a program that videos need is not installed
inline std::filesystem::path found_program(const std::string& program, const std::string& video) {
  auto path = find_program(program);
  TORCH_CHECK(!path.empty(), video, ": videos are read and written by ", program,
              ", which is not installed (Debian: apt-get install ffmpeg)");
  return path;
}

/// A hidden file beside the one that it will become; removed unless it is kept.
class PartFile {
 public:
  explicit PartFile(std::filesystem::path whole) : whole_(std::move(whole)) {
    path_ = whole_.parent_path() /
            (".limpid-" + std::to_string(::getpid()) + "-" + whole_.stem().string() + ".part");
  }
  ~PartFile() {
    std::error_code ignored;
    if (!is_kept_) std::filesystem::remove(path_, ignored);
  }
  PartFile(const PartFile&) = delete;
  PartFile& operator=(const PartFile&) = delete;

  const std::filesystem::path& path() const { return path_; }

  void keep() {
    const int file = ::open(path_.c_str(), O_RDONLY | O_CLOEXEC);
    const bool is_on_disk = file >= 0 && ::fsync(file) == 0;
    const int why = errno;
    if (file >= 0) ::close(file);
    TORCH_CHECK(is_on_disk, "cannot write '", whole_.string(), "': ", std::strerror(why));
    std::error_code error;
    std::filesystem::rename(path_, whole_, error);
    TORCH_CHECK(!error, "cannot write '", whole_.string(), "': ", error.message());
    is_kept_ = true;
  }

 private:
  std::filesystem::path whole_, path_;
  bool is_kept_ = false;
};

}  // namespace parts_of_video

/// Up to `count` frames that others are built on, from the beginning of a video.
/// @throws c10::Error where ffmpeg is missing or there is none
inline std::vector<Frame> key_frames(const VideoJob& job, std::size_t count) {
  using namespace parts_of_video;
  const auto name = "'" + job.input.string() + "'";
  auto command = reading_command(found_program("ffmpeg", name), job);
  command.insert(command.begin() + 1, {"-skip_frame", "nokey"});
  PipedProgram reader{std::move(command), {.output = true}};
  std::vector<Frame> frames;
  for (Frame frame; frames.size() < count && read_ppm(reader.output(), frame, name);) {
    frames.push_back(frame);
  }
  TORCH_CHECK(!frames.empty(), "cannot read video ", name, ": ",
              (reader.wait(), reader.errors().empty() ? "it has no frames" : reader.errors()));
  return frames;
}

/// What came of a video.
struct VideoResult {
  std::int64_t frames = 0, width = 0, height = 0;
  double seconds = 0;
  int signal = 0;  ///< what interrupted it; nothing is written then
};

/// Restores a video frame by frame, in the memory of a few frames; sound, subtitles, chapters, the
/// time of each frame and the colours' description stay as they are. The result appears when it is
/// whole.
///
/// @param change  restores a frame
/// @throws c10::Error where ffmpeg is missing, or cannot read or write the video
inline VideoResult restore_video(const VideoJob& job, const ChangeFrame& change,
                                 limpid::ProgressLine& progress) {
  using namespace parts_of_video;
  const auto name = "'" + job.input.string() + "'";
  const auto ffmpeg = found_program("ffmpeg", name), ffprobe = found_program("ffprobe", name);
  const auto facts = video_facts(ffprobe, job.input);
  if (facts.has_more_than_8_bits()) {
    progress.say("note: " + name + ": " + facts.pixels + ", more than 8 bits a colour become 8");
  }
  const limpid::CaughtSignals stop{limpid::CaughtSignals::Second::ends};
  PartFile part{job.output};
  const auto began = std::chrono::steady_clock::now();
  const auto seconds = [&] {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
  };
  PipedProgram reader{reading_command(ffmpeg, job), {.output = true, .notes = true}};
  std::optional<PipedProgram> writer;
  std::optional<TimedFrames> out;
  FrameTimes times{reader.notes(), facts.frame_seconds()};
  VideoResult result;
  Frame frame;
  // A frame is written when the time of the next one is known, and so how long it is shown.
  Frame waiting;
  std::int64_t first = 0, at = 0, last_length = std::llround(1e6 * facts.frame_seconds());
  const auto fail_writing = [&] {
    writer->close_input();
    const auto code = writer->wait();
    limpid::fail("cannot write '", job.output.string(), "': ffmpeg ",
                 !writer->errors().empty() ? "says: " + writer->errors()
                 : code != 0               ? "ended with code " + std::to_string(code)
                                           : "wrote less than it was given; is the disk full?");
  };
  const auto write = [&](std::int64_t length) {
    if (!out->write(waiting, at - first, length)) fail_writing();
  };
  while (read_ppm(reader.output(), frame, name)) {
    const auto time = times.next();
    change(frame);
    if (stop.first() != 0) break;
    if (result.frames == 0) {
      first = time;
      result.width = frame.width, result.height = frame.height;
      writer.emplace(writing_command(ffmpeg, job, facts, frame, first, part.path()),
                     PipedEnds{.input = true});
      out.emplace(writer->input(), "'" + job.output.string() + "'");
    } else {
      last_length = time - at;
      write(last_length);
    }
    std::swap(frame, waiting);
    at = time;
    ++result.frames;
    if (!progress.due()) continue;
    const auto done = static_cast<double>(result.frames);
    char speed[32];
    std::snprintf(speed, sizeof speed, "%.1f frames/s", done / seconds());
    const auto all = static_cast<double>(facts.frames);
    progress.show("frame " + std::to_string(result.frames) +
                  (all >= done ? "/" + std::to_string(facts.frames) : "") + "  " + speed +
                  (all >= done
                       ? "  " + limpid::duration_text(seconds() / done * (all - done)) + " left"
                       : ""));
  }
  result.signal = stop.first();
  if (result.signal != 0) return result;  // reader, writer and part file end with this scope
  const auto code = reader.wait();
  TORCH_CHECK(code == 0 && result.frames > 0, "cannot read video ", name, ": ",
              !reader.errors().empty() ? reader.errors()
              : code == 0              ? "it has no frames"
                                       : "ffmpeg ended with code " + std::to_string(code));
  write(last_length);
  writer->close_input();
  if (writer->wait() != 0) fail_writing();
  if (!reader.errors().empty()) {
    progress.say("note: " + name + ": ffmpeg read around damage: " + reader.errors());
  }
  std::int64_t stored = 0;
  try {
    stored = stored_frames(ffprobe, part.path());
  } catch (const c10::Error&) {
    fail_writing();  // such as a disk that is full
  }
  if (stored != result.frames) fail_writing();
  part.keep();
  result.seconds = seconds();
  return result;
}

}  // namespace examples
