#pragma once

#include <cstddef>
#include <cstdio>
#include <string>
#include <string_view>

namespace limpid {

/// Text of unknown origin, safe to show in a terminal: control characters and what is not ASCII
/// become \xNN, and of a long text the beginning is kept.
inline std::string printable(std::string_view text, std::size_t longest = 200) {
  std::string shown;
  for (const unsigned char byte : text.substr(0, longest)) {
    if (byte >= 0x20 && byte < 0x7f) {
      shown += static_cast<char>(byte);
    } else {
      char escaped[5];
      std::snprintf(escaped, sizeof escaped, "\\x%02x", byte);
      shown += escaped;
    }
  }
  return text.size() > longest ? shown + "..." : shown;
}

}  // namespace limpid
