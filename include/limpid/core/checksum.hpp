#pragma once

#include <zlib.h>

#include <cstddef>
#include <cstdint>

namespace limpid {

/// CRC-32 of a block of bytes: zlib's, and so that of zip archives, PNG and Python's `zlib.crc32`.
inline std::uint32_t crc32(const void* data, std::size_t size) {
  if (size == 0) return 0;  // zlib takes a null pointer for a wish to begin anew
  return static_cast<std::uint32_t>(::crc32_z(0, static_cast<const Bytef*>(data), size));
}

}  // namespace limpid
