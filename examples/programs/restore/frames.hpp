#pragma once

// Frames of RGB that come and go through descriptors: pipes, files, standard input and output.

#include <c10/util/Exception.h>

#include <unistd.h>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <string>
#include <vector>

namespace examples {

/// A picture as rows of red, green and blue bytes.
struct Frame {
  std::int64_t width = 0, height = 0;
  std::vector<std::uint8_t> rgb;

  /// Makes room for `width` x `height`; no memory moves while the size stays.
  void resize(std::int64_t new_width, std::int64_t new_height) {
    width = new_width, height = new_height;
    rgb.resize(static_cast<std::size_t>(3 * width * height));
  }
};

/// Changes a frame, not its size.
using ChangeFrame = std::function<void(Frame&)>;

/// Reads until `count` bytes are there or the input ends. @return how many there were
inline std::size_t read_bytes(int descriptor, std::uint8_t* bytes, std::size_t count,
                              const std::string& name) {
  std::size_t done = 0;
  while (done < count) {
    const auto part = ::read(descriptor, bytes + done, count - done);
    if (part < 0 && errno == EINTR) continue;
    TORCH_CHECK(part >= 0, "cannot read ", name, ": ", std::strerror(errno));
    if (part == 0) break;
    done += static_cast<std::size_t>(part);
  }
  return done;
}

/// Writes all bytes. @return whether the other side took them; false where it has gone.
inline bool write_bytes(int descriptor, const std::uint8_t* bytes, std::size_t count,
                        const std::string& name) {
  std::size_t done = 0;
  while (done < count) {
    const auto part = ::write(descriptor, bytes + done, count - done);
    if (part < 0 && errno == EINTR) continue;
    if (part < 0 && errno == EPIPE) return false;
    TORCH_CHECK(part >= 0, "cannot write ", name, ": ", std::strerror(errno));
    done += static_cast<std::size_t>(part);
  }
  return true;
}

/// Reads one frame of the size that `frame` has. @return false at the end
/// @throws c10::Error if the input ends within a frame
inline bool read_frame(int descriptor, Frame& frame, const std::string& name) {
  const auto count = read_bytes(descriptor, frame.rgb.data(), frame.rgb.size(), name);
  TORCH_CHECK(count == 0 || count == frame.rgb.size(), name, ": expected frames of ",
              frame.rgb.size(), " bytes (", frame.width, " x ", frame.height,
              ", rgb24), and it ended ", count, " bytes into one");
  return count > 0;
}

/// Reads one frame of a stream of binary PPM pictures, which say their size. @return false at the
/// end
inline bool read_ppm(int descriptor, Frame& frame, const std::string& name) {
  std::string header;
  for (int lines = 0; lines < 3;) {  // "P6\nWIDTH HEIGHT\n255\n", as ffmpeg writes it
    std::uint8_t byte = 0;
    if (read_bytes(descriptor, &byte, 1, name) == 0) {
      TORCH_CHECK(header.empty(), name, ": it ended within the header of a frame");
      return false;
    }
    header += static_cast<char>(byte);
    lines += byte == '\n' ? 1 : 0;
    TORCH_CHECK(header.size() < 64, name, ": expected frames as PPM, got other data");
  }
  char* end = header.data() + 3;
  const auto width = std::strtoll(end, &end, 10), height = std::strtoll(end, &end, 10);
  const auto highest = std::strtoll(end, &end, 10);
  TORCH_CHECK(header.compare(0, 3, "P6\n") == 0 && width > 0 && width < 1 << 20 && height > 0 &&
                  height < 1 << 20 && highest == 255,
              name, ": expected frames as PPM, got other data");
  frame.resize(width, height);
  return read_frame(descriptor, frame, name);
}

}  // namespace examples
