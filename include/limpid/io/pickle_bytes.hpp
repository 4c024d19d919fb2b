#pragma once

#include <limpid/core/compiled.hpp>

#include <cstddef>
#include <cstdint>
#include <string_view>

#ifdef LIMPID_BODIES
#include <c10/util/Exception.h>
#endif

namespace limpid::detail {

/// The bytes of a pickle from front to back, never beyond their end.
class PickleBytes {
 public:
  PickleBytes(std::string_view bytes, std::size_t start) : bytes_(bytes), at_(start) {}

  std::size_t at() const { return at_; }
  std::size_t left() const { return bytes_.size() - at_; }

  std::string_view take(std::uint64_t count);

  unsigned char byte();

  /// A little-endian number of `count` bytes.
  std::uint64_t number(int count);

  /// Up to the end of the line, which is taken too.
  std::string_view line();

 private:
  std::string_view bytes_;
  std::size_t at_;
};

}  // namespace limpid::detail

#ifdef LIMPID_BODIES

namespace limpid::detail {

LIMPID_INLINE std::string_view PickleBytes::take(std::uint64_t count) {
  TORCH_CHECK(count <= left(), "an end that comes too early");
  const auto taken = bytes_.substr(at_, count);
  at_ += count;
  return taken;
}

LIMPID_INLINE unsigned char PickleBytes::byte() { return static_cast<unsigned char>(take(1)[0]); }

LIMPID_INLINE std::uint64_t PickleBytes::number(int count) {
  const auto taken = take(static_cast<std::uint64_t>(count));
  std::uint64_t value = 0;
  for (auto i = taken.size(); i-- > 0;) value = value << 8 | static_cast<unsigned char>(taken[i]);
  return value;
}

LIMPID_INLINE std::string_view PickleBytes::line() {
  const auto end = bytes_.find('\n', at_);
  TORCH_CHECK(end != bytes_.npos, "an end that comes too early");
  const auto taken = take(end - at_);
  at_ = end + 1;
  return taken;
}

}  // namespace limpid::detail

#endif  // LIMPID_BODIES
