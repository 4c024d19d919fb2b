#pragma once

#include <c10/util/Exception.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace limpid::detail {

/// Reads numbers from bytes, and says "cut short" behind their end.
class ByteReader {
 public:
  explicit ByteReader(std::string_view bytes, std::size_t at = 0)
      : bytes_(bytes), at_(std::min(at, bytes.size())) {}

  std::size_t at() const { return at_; }
  std::size_t left() const { return bytes_.size() - at_; }

  void need(std::size_t count) const {
    TORCH_CHECK(count <= left(), "the file is cut short at byte ", bytes_.size());
  }
  void skip(std::size_t count) {
    need(count);
    at_ += count;
  }
  std::string_view take(std::size_t count) {
    need(count);
    const auto taken = bytes_.substr(at_, count);
    at_ += count;
    return taken;
  }
  std::uint32_t big(int count) { return number(count, true); }
  std::uint32_t little(int count) { return number(count, false); }
  std::uint32_t byte() { return number(1, true); }

 private:
  std::uint32_t number(int count, bool big_endian) {
    need(static_cast<std::size_t>(count));
    std::uint32_t value = 0;
    for (int i = 0; i < count; ++i) {
      const auto next = static_cast<unsigned char>(bytes_[at_ + static_cast<std::size_t>(i)]);
      value = big_endian ? value << 8 | next : value | std::uint32_t{next} << (8 * i);
    }
    at_ += static_cast<std::size_t>(count);
    return value;
  }

  std::string_view bytes_;
  std::size_t at_;
};

}  // namespace limpid::detail
