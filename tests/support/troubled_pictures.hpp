#pragma once

#include <support/tiny.hpp>

#include <c10/util/Exception.h>

#include <cstdint>
#include <functional>
#include <utility>

namespace limpid_test {

/// `DarkPictures` that do something before they load; it may throw, as a damaged file does.
struct TroubledPictures : DarkPictures {
  /// @param before  called with the pair's index each time one is loaded, from any thread
  explicit TroubledPictures(std::function<void(std::int64_t)> before, std::int64_t count = 4)
      : DarkPictures{count}, before(std::move(before)) {}

  limpid::ImagePair load(std::int64_t i, std::int64_t draw) const {
    before(i);
    return DarkPictures::load(i, draw);
  }

  std::function<void(std::int64_t)> before;
};

/// Pictures of which some cannot be read: "'dark2' is damaged".
inline TroubledPictures damaged(std::function<bool(std::int64_t)> is_damaged,
                                std::int64_t count = 4) {
  return TroubledPictures{[is_damaged = std::move(is_damaged)](std::int64_t i) {
                            TORCH_CHECK(!is_damaged(i), "'dark", i, "' is damaged");
                          },
                          count};
}

}  // namespace limpid_test
