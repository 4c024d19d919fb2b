#pragma once

#include <limpid/core/checksum.hpp>
#include <limpid/datasets/pairs.hpp>

#include <cstdint>
#include <cstdio>
#include <string>

namespace limpid::detail {

/// CRC-32 of the names of all pairs in their order, as hexadecimal digits: what tells other data of
/// the same size from the same data.
inline std::string checksum_of_names(const Pairs& pairs) {
  std::string names;
  for (std::int64_t i = 0; i < pairs.size(); ++i) names += pairs.name(i) + '\n';
  char text[9];
  std::snprintf(text, sizeof text, "%08x", crc32(names.data(), names.size()));
  return text;
}

}  // namespace limpid::detail
