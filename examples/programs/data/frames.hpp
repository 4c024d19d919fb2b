#pragma once

// Frames of a video, one after the other, from a folder of pictures or through ffmpeg.

#include <limpid/core/errors.hpp>
#include <limpid/core/natural_order.hpp>
#include <limpid/datasets/folder_layout.hpp>
#include <limpid/io/image.hpp>
#include <limpid/io/image_limits.hpp>
#include <limpid/io/picture_folder.hpp>

#include <c10/util/Exception.h>

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>
#include <algorithm>
#include <cctype>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace examples {

namespace fs = std::filesystem;

/// The pictures of a folder in the order of their numbers.
inline std::vector<fs::path> frames_in(const fs::path& folder) {
  auto files = limpid::list_images(folder);
  std::sort(files.begin(), files.end(), [](const fs::path& a, const fs::path& b) {
    return limpid::natural_less(a.stem().string(), b.stem().string());
  });
  return files;
}

/// Hands out one frame after the other.
class FrameStream {
 public:
  virtual ~FrameStream() = default;
  /// Nothing behind the last frame. @throws c10::Error if a frame cannot be read.
  virtual std::optional<limpid::Image> next() = 0;
};

class FrameFiles : public FrameStream {
 public:
  explicit FrameFiles(const fs::path& folder) : files_(frames_in(folder)) {}

  std::optional<limpid::Image> next() override {
    if (next_ == files_.size()) return std::nullopt;
    return limpid::Image::load(files_[next_++]);
  }

 private:
  std::vector<fs::path> files_;
  std::size_t next_ = 0;
};

/// A video that ffmpeg (5.1 or later) decodes into a pipe, frame by frame as the file has them.
class VideoFrames : public FrameStream {
 public:
  explicit VideoFrames(fs::path video) : video_(std::move(video)) {
    // 8 bits, whatever the video has: videos of 10 bits would come as PPM of 16.
    const auto url = "file:" + fs::absolute(video_).string();
    std::vector<std::string> words{"ffmpeg", "-nostdin",   "-v",    "error",     "-i",
                                   url,      "-map",       "0:v:0", "-fps_mode", "passthrough",
                                   "-f",     "image2pipe", "-c:v",  "ppm",       "-pix_fmt",
                                   "rgb24",  "pipe:1"};
    std::vector<char*> arguments;
    for (auto& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    int ends[2];
    TORCH_CHECK(::pipe2(ends, O_CLOEXEC) == 0, where(), std::strerror(errno));
    posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
    const int error =
        ::posix_spawnp(&child_, arguments[0], &actions, nullptr, arguments.data(), environ);
    ::posix_spawn_file_actions_destroy(&actions);
    ::close(ends[1]);
    if (error != 0) {
      child_ = -1;
      ::close(ends[0]);
      TORCH_CHECK(
          error != ENOENT, where(),
          "expected ffmpeg on the PATH, found none (install it, or give a folder of frames)");
      limpid::fail(where(), "cannot run ffmpeg: ", std::strerror(error));
    }
    pipe_ = ::fdopen(ends[0], "rb");
    if (pipe_ == nullptr) stop();
    TORCH_CHECK(pipe_ != nullptr, where(), std::strerror(errno));
  }

  ~VideoFrames() override { stop(); }
  VideoFrames(const VideoFrames&) = delete;
  VideoFrames& operator=(const VideoFrames&) = delete;

  std::optional<limpid::Image> next() override {
    if (pipe_ == nullptr) return std::nullopt;
    std::string bytes;
    std::vector<std::int64_t> numbers;
    if (!read_header(bytes, numbers)) return end();
    const auto header = bytes.size();
    const auto& limits = limpid::ImageLimits::of_process();
    TORCH_CHECK(numbers[2] == 255, where(), "ffmpeg sent something else than PPM frames");
    limpid::naming("cannot read video '" + video_.string() + "'",
                   [&] { limits.check_size(numbers[1], numbers[0]); });
    bytes.resize(header + static_cast<std::size_t>(3 * numbers[0] * numbers[1]));
    const auto count = std::fread(bytes.data() + header, 1, bytes.size() - header, pipe_);
    if (count != bytes.size() - header) return end();
    return limpid::Image::decode(bytes, video_.string(), limits);
  }

 private:
  std::string where() const { return "cannot read video '" + video_.string() + "': "; }

  /// "P6 WIDTH HEIGHT 255" and one white space.
  bool read_header(std::string& bytes, std::vector<std::int64_t>& numbers) {
    for (std::string word; numbers.size() < 3;) {
      const auto c = std::fgetc(pipe_);
      if (c == EOF) {
        TORCH_CHECK(bytes.empty(), where(), "ffmpeg stopped within a frame");
        return false;
      }
      bytes += static_cast<char>(c);
      TORCH_CHECK(bytes.size() < 64, where(), "ffmpeg sent something else than PPM frames");
      if (std::isspace(c) == 0) {
        word += static_cast<char>(c);
        continue;
      }
      if (bytes.size() > 3 && !word.empty()) numbers.push_back(std::atoll(word.c_str()));
      word.clear();
    }
    TORCH_CHECK(bytes.compare(0, 2, "P6") == 0, where(),
                "ffmpeg sent something else than PPM frames");
    return true;
  }

  std::optional<limpid::Image> end() {
    std::fclose(std::exchange(pipe_, nullptr));
    int status = 0;
    ::waitpid(std::exchange(child_, -1), &status, 0);
    TORCH_CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0, where(),
                "ffmpeg could not decode it (its text stands above)");
    return std::nullopt;
  }

  void stop() {
    if (pipe_ != nullptr) std::fclose(pipe_);
    if (child_ <= 0) return;
    ::kill(child_, SIGTERM);
    ::waitpid(child_, nullptr, 0);
  }

  fs::path video_;
  pid_t child_ = -1;
  std::FILE* pipe_ = nullptr;
};

/// One sequence of frames: its name, and the folder or the video that holds them.
struct FrameSequence {
  std::string name;
  fs::path source;

  std::unique_ptr<FrameStream> open() const {
    if (fs::is_directory(source)) return std::make_unique<FrameFiles>(source);
    return std::make_unique<VideoFrames>(source);
  }
};

/// A video, a folder of frames, or a folder with a subfolder of frames for each sequence.
inline std::vector<FrameSequence> sequences_in(const std::string& what, const fs::path& path) {
  TORCH_CHECK(fs::exists(path), what,
              ": expected a folder of frames or a video, found nothing at '", path.string(), "'");
  const auto plain = path.has_filename() ? path : path.parent_path();
  if (!fs::is_directory(path)) {
    TORCH_CHECK(!limpid::has_image_name(path), what,
                ": expected a folder of frames or a video, found the picture '", path.string(),
                "'");
    return {{plain.stem().string(), path}};
  }
  std::vector<FrameSequence> sequences;
  const bool has_frames = !limpid::list_pictures(path).pictures.empty();
  const auto folders = limpid::subfolders(what, path);
  if (has_frames) return {{fs::weakly_canonical(plain).filename().string(), path}};
  for (const auto& folder : folders) sequences.push_back({folder.filename().string(), folder});
  TORCH_CHECK(!sequences.empty(), what,
              ": expected frames (PNG, JPEG, BMP or PNM), or a folder of frames for each sequence, "
              "in '",
              path.string(), "', found ", limpid::describe_folder(path));
  return sequences;
}

}  // namespace examples
