#pragma once

// Frames with the time of each, as a stream that other programs read.

#include <c10/util/Exception.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "frames.hpp"

namespace examples {

/// Writes raw RGB frames as a Matroska stream: a pipe of bare frames could not say when each is
/// shown. Times are microseconds, from 0 on and rising.
///
/// Source: RFC 9559 (Matroska) and RFC 8794 (EBML): a segment of unknown size, one cluster a frame,
/// codec V_UNCOMPRESSED.
class TimedFrames {
 public:
  /// @param descriptor  where the stream goes; @param name  what errors call it
  TimedFrames(int descriptor, std::string name) : descriptor_(descriptor), name_(std::move(name)) {}

  /// @param length  for how long the frame is shown, microseconds; 0: not known
  /// @return whether the reader took it
  bool write(const Frame& frame, std::int64_t time, std::int64_t length) {
    if (!has_begun_ && !send(beginning(frame))) return false;
    has_begun_ = true;
    // Track 1, 0 behind the cluster's time, no flags.
    const std::string block_head{"\x81\0\0\0", 4};
    auto duration = length > 0 ? element("\x9b", number(length)) : std::string{};
    const auto block_size = block_head.size() + frame.rgb.size();
    const auto block = "\xa1" + size_text(block_size) + block_head;
    const auto group = "\xa0" + size_text(block.size() + frame.rgb.size() + duration.size());
    const auto clock = element("\xe7", number(time));
    const auto content =
        clock.size() + group.size() + block.size() + frame.rgb.size() + duration.size();
    return send("\x1f\x43\xb6\x75" + size_text(content) + clock + group + block) &&
           write_bytes(descriptor_, frame.rgb.data(), frame.rgb.size(), name_) && send(duration);
  }

 private:
  bool send(const std::string& bytes) {
    return write_bytes(descriptor_, reinterpret_cast<const std::uint8_t*>(bytes.data()),
                       bytes.size(), name_);
  }

  /// A size, in eight bytes.
  static std::string size_text(std::size_t size) {
    auto text = fixed(static_cast<std::int64_t>(size));
    text[0] = '\x01';
    return text;
  }

  static std::string fixed(std::int64_t value) {
    std::string text;
    for (int shift = 56; shift >= 0; shift -= 8) text += static_cast<char>(value >> shift & 255);
    return text;
  }

  static std::string number(std::int64_t value) { return fixed(value); }

  static std::string element(std::string_view id, const std::string& content) {
    return std::string{id} + size_text(content.size()) + content;
  }

  static std::string beginning(const Frame& frame) {
    const auto header = element("\x42\x86", number(1)) + element("\x42\xf7", number(1)) +
                        element("\x42\xf2", number(4)) + element("\x42\xf3", number(8)) +
                        element("\x42\x82", "matroska") + element("\x42\x87", number(4)) +
                        element("\x42\x85", number(2));
    const auto info = element("\x2a\xd7\xb1", number(1000)) +  // a microsecond, in nanoseconds
                      element("\x4d\x80", "limpid") + element("\x57\x41", "limpid");
    const auto picture = element("\xb0", number(frame.width)) +
                         element("\xba", number(frame.height)) + element("\x2e\xb5\x24", "RGB\x18");
    const auto track = element("\xd7", number(1)) + element("\x73\xc5", number(1)) +
                       element("\x83", number(1)) + element("\x9c", number(0)) +
                       element("\x86", "V_UNCOMPRESSED") + element("\xe0", picture);
    return element("\x1a\x45\xdf\xa3", header) + "\x18\x53\x80\x67" +
           std::string{"\x01\xff\xff\xff\xff\xff\xff\xff"} +  // of unknown size
           element("\x15\x49\xa9\x66", info) + element("\x16\x54\xae\x6b", element("\xae", track));
  }

  int descriptor_;
  std::string name_;
  bool has_begun_ = false;
};

}  // namespace examples
