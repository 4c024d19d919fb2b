#pragma once

#include <limpid/core/compiled.hpp>

#include <zlib.h>

#include <cstdint>
#include <string>

#ifdef LIMPID_BODIES
#include <algorithm>
#endif

namespace limpid::detail {

/// Inflates raw deflate data that must fill `size` bytes exactly. @return whether it does.
LIMPID_INLINE bool inflate_exactly(const std::string& packed, char* destination,
                                   std::uint64_t size);

/// Inflates the start of raw deflate data. @return how many of `size` bytes came out.
LIMPID_INLINE std::uint64_t inflate_start(const std::string& packed, char* destination,
                                          std::uint64_t size);

}  // namespace limpid::detail

#ifdef LIMPID_BODIES

namespace limpid::detail {

LIMPID_INLINE bool inflate_exactly(const std::string& packed, char* destination,
                                   std::uint64_t size) {
  z_stream stream{};
  if (inflateInit2(&stream, -MAX_WBITS) != Z_OK) return false;
  constexpr std::uint64_t kStep = 1u << 30;
  std::uint64_t taken = 0, made = 0;
  char spare = 0;  // zlib wants room for a byte, even where none may come
  int status = Z_OK;
  while (status == Z_OK) {
    const auto in = std::min<std::uint64_t>(kStep, packed.size() - taken);
    const auto out = std::min<std::uint64_t>(kStep, size - made);
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed.data() + taken));
    stream.avail_in = static_cast<uInt>(in);
    stream.next_out = reinterpret_cast<Bytef*>(out > 0 ? destination + made : &spare);
    stream.avail_out = static_cast<uInt>(out > 0 ? out : 1);
    status = inflate(&stream, Z_NO_FLUSH);
    taken += in - stream.avail_in;
    const auto written = (out > 0 ? out : 1) - stream.avail_out;
    if (out == 0 && written > 0) status = Z_DATA_ERROR;
    if (out > 0) made += written;
  }
  inflateEnd(&stream);
  return status == Z_STREAM_END && made == size && taken == packed.size();
}

LIMPID_INLINE std::uint64_t inflate_start(const std::string& packed, char* destination,
                                          std::uint64_t size) {
  z_stream stream{};
  if (inflateInit2(&stream, -MAX_WBITS) != Z_OK) return 0;
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed.data()));
  stream.avail_in = static_cast<uInt>(packed.size());
  stream.next_out = reinterpret_cast<Bytef*>(destination);
  stream.avail_out = static_cast<uInt>(size);
  inflate(&stream, Z_SYNC_FLUSH);
  const auto made = size - stream.avail_out;
  inflateEnd(&stream);
  return made;
}

}  // namespace limpid::detail

#endif  // LIMPID_BODIES
