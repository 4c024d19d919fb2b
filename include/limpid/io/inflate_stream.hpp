#pragma once

#include <limpid/core/compiled.hpp>

#include <c10/util/Exception.h>

#if LIMPID_WITH_ISAL
#include <isa-l/igzip_lib.h>
#else
#include <zlib.h>
#endif

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <type_traits>

namespace limpid::detail {

/// Unpacks raw deflate data piece by piece and only as far as asked: by ISA-L where the build has
/// it, which takes half of the time, else by zlib.
class InflateStream {
 public:
#if LIMPID_WITH_ISAL
  InflateStream() : state_(std::make_unique_for_overwrite<inflate_state>()) {
    isal_inflate_init(state_.get());
    state_->avail_in = 0;
  }

  bool has_ended() const { return state_->block_state == ISAL_BLOCK_FINISH; }
#else
  InflateStream() : state_(std::make_unique<z_stream>()) {
    TORCH_CHECK(inflateInit2(state_.get(), -MAX_WBITS) == Z_OK, "out of memory");
  }
  ~InflateStream() { inflateEnd(state_.get()); }

  bool has_ended() const { return has_ended_; }
#endif
  InflateStream(const InflateStream&) = delete;
  InflateStream& operator=(const InflateStream&) = delete;

  /// Whether the last piece is used up.
  bool is_hungry() const { return state_->avail_in == 0; }

  /// The next piece of packed data, once the last is used up. It is not copied.
  void give(std::string_view piece);

  /// @return how many of `count` bytes came out: fewer where more data are needed or they end.
  /// @throws c10::Error for damaged data.
  std::size_t read(std::uint8_t* out, std::uint32_t count);

 private:
#if LIMPID_WITH_ISAL
  std::unique_ptr<inflate_state> state_;
#else
  std::unique_ptr<z_stream> state_;
  bool has_ended_ = false;
#endif
};

}  // namespace limpid::detail

#ifdef LIMPID_BODIES

namespace limpid::detail {

LIMPID_INLINE void InflateStream::give(std::string_view piece) {
  using Byte = std::remove_pointer_t<decltype(state_->next_in)>;
  state_->next_in = reinterpret_cast<Byte*>(const_cast<char*>(piece.data()));
  state_->avail_in = static_cast<std::uint32_t>(piece.size());
}

LIMPID_INLINE std::size_t InflateStream::read(std::uint8_t* out, std::uint32_t count) {
  state_->next_out = out;
  state_->avail_out = count;
#if LIMPID_WITH_ISAL
  const bool worked = isal_inflate(state_.get()) == ISAL_DECOMP_OK;
#else
  const auto status = inflate(state_.get(), Z_NO_FLUSH);
  has_ended_ = status == Z_STREAM_END;
  const bool worked = status == Z_OK || status == Z_STREAM_END || status == Z_BUF_ERROR;
#endif
  TORCH_CHECK(worked, "it is damaged (its packed data)");
  return count - state_->avail_out;
}

}  // namespace limpid::detail

#endif  // LIMPID_BODIES
