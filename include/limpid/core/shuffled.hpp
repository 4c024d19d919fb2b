#pragma once

#include <limpid/core/random.hpp>

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace limpid {

/// A list in random order (Fisher and Yates).
template <class T>
std::vector<T> shuffled(std::vector<T> values, Random& random) {
  for (auto i = static_cast<std::int64_t>(values.size()) - 1; i > 0; --i) {
    std::swap(values[static_cast<std::size_t>(i)],
              values[static_cast<std::size_t>(random.below(i + 1))]);
  }
  return values;
}

}  // namespace limpid
