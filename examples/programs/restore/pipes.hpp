#pragma once

// Standard input to standard output: a picture, or frames of raw RGB. Both carry data only;
// messages go to standard error.

#include <limpid/core/progress_line.hpp>
#include <limpid/io/atomic_file.hpp>
#include <limpid/io/image.hpp>
#include <limpid/io/picture_kind.hpp>

#include <c10/util/Exception.h>
#include <CLI/CLI.hpp>

#include <unistd.h>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <string>

#include "../program.hpp"
#include "frames.hpp"

namespace examples {

/// Restores a picture, to one of the same size.
using RestorePicture = std::function<limpid::Image(const limpid::Image&)>;

/// @throws UsageError where a person would get bytes
inline void check_output_is_no_terminal() {
  if (::isatty(STDOUT_FILENO) == 1) {
    throw UsageError("standard output is a terminal: send it to a file or a program, as in > FILE");
  }
}

/// The picture of standard input to standard output.
/// @param format  "png" or "jpg"; empty: that of the input where limpid writes it, else PNG
inline void restore_piped_picture(const std::string& format, const RestorePicture& restore) {
  check_output_is_no_terminal();
  std::string bytes;
  std::array<std::uint8_t, 1 << 16> part;
  for (std::size_t count = 0;
       (count = read_bytes(STDIN_FILENO, part.data(), part.size(), "standard input")) > 0;) {
    bytes.append(reinterpret_cast<const char*>(part.data()), count);
  }
  const auto degraded = limpid::Image::decode(bytes, "standard input");
  const auto* kind = limpid::picture_kind(bytes).format;
  const bool is_written = kind != nullptr && kind->encode != nullptr;
  const auto own =
      std::string{is_written ? kind->extensions.substr(1, kind->extensions.find(' ') - 1) : "png"};
  const auto extension = format.empty() ? own : format;
  const auto restored = restore(degraded);
  if (is_written && extension == own && restored == degraded) {  // comes back as it is
    limpid::write_atomically("-", bytes);
    return;
  }
  const auto quality = restored.facts().jpeg_quality;
  limpid::write_atomically("-", restored.encoded(extension, quality > 0 ? quality : 95));
}

/// "1280x720": the size of raw frames.
struct RawSize {
  std::int64_t width = 0, height = 0;
};

/// Adds --raw WxH.
inline void add_raw(CLI::App& app, RawSize& size) {
  app.add_option_function<std::string>(
         "--raw",
         [&size](const std::string& text) {
           char* end = nullptr;
           const auto width = std::strtoll(text.c_str(), &end, 10);
           const bool is_pair = *end == 'x' && text.find_first_not_of("0123456789x") == text.npos;
           const auto height = is_pair ? std::strtoll(end + 1, &end, 10) : 0;
           const bool is_size = is_pair && *end == '\0' && width > 0 && width <= 65536 &&
                                height > 0 && height <= 65536;
           if (!is_size) {
             throw CLI::ValidationError(
                 "--raw", "expected WIDTHxHEIGHT, such as 1280x720, got '" + text + "'");
           }
           size = {width, height};
         },
         "Frames of raw RGB (rgb24, this size) from standard input to standard output, until it "
         "ends")
      ->type_name("WxH");
}

/// Changes frames one after the other, in the memory of one.
/// @return how many there were
inline std::int64_t restore_raw_frames(const RawSize& size, const ChangeFrame& change,
                                       limpid::ProgressLine& progress) {
  check_output_is_no_terminal();
  Frame frame;
  frame.resize(size.width, size.height);
  std::int64_t count = 0;
  while (read_frame(STDIN_FILENO, frame, "standard input")) {
    change(frame);
    TORCH_CHECK(write_bytes(STDOUT_FILENO, frame.rgb.data(), frame.rgb.size(), "standard output"),
                "cannot write standard output: its reader has gone");
    progress.show("frame " + std::to_string(++count));
  }
  TORCH_CHECK(count > 0, "standard input: expected frames of ", frame.rgb.size(),
              " bytes, found nothing");
  return count;
}

}  // namespace examples
