#pragma once

#include <array>
#include <cstddef>

namespace limpid::detail {

/// A byte as a signed value: 0 -> -1, 255 -> 1.
inline const std::array<float, 256>& signed_of_byte() {
  static const auto table = [] {
    std::array<float, 256> values{};
    for (std::size_t i = 0; i < values.size(); ++i) {
      values[i] = static_cast<float>(i) / 255.0f * 2.0f - 1.0f;
    }
    return values;
  }();
  return table;
}

}  // namespace limpid::detail
