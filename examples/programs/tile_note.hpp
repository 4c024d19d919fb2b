#pragma once

#include <limpid/core/progress_line.hpp>
#include <limpid/inference/tile_plan.hpp>
#include <limpid/io/image.hpp>

#include <nlohmann/json.hpp>

#include <cstdint>
#include <mutex>
#include <string>

namespace examples {

/// How a picture without a name is called: "a picture of 8000 x 6000 pixels".
inline std::string size_text(const limpid::Image& picture) {
  return "a picture of " + std::to_string(picture.width()) + " x " +
         std::to_string(picture.height()) + " pixels";
}

/// Which pictures are restored in tiles: the first that is so though nobody asked for it is said,
/// and all are counted. Safe to use from several threads.
class TileNote {
 public:
  explicit TileNote(limpid::ProgressLine& line) : line_(line) {}

  /// @param name  what the line calls the picture
  /// @param plan  how it is restored
  void look_at(const std::string& name, const limpid::TilePlan& plan) {
    if (plan.tile <= 0) return;
    const std::lock_guard lock{mutex_};
    last_ = plan;
    are_exact_ = are_exact_ && plan.is_exact;
    ++pictures_;
    if (plan.is_automatic && !said_) line_.say(name + ": " + plan.text());
    said_ = said_ || plan.is_automatic;
  }

  std::int64_t pictures() const { return pictures_; }

  /// Whether all are what the network makes of the whole picture.
  bool are_exact() const { return are_exact_; }

  /// {"pictures": n, "tile": pixels, "overlap": pixels, "exact": whether they equal the whole}
  nlohmann::json json() const {
    return {{"pictures", pictures_},
            {"tile", last_.tile},
            {"overlap", last_.halo},
            {"exact", are_exact_}};
  }

 private:
  limpid::ProgressLine& line_;
  std::mutex mutex_;
  std::int64_t pictures_ = 0;
  limpid::TilePlan last_;
  bool said_ = false, are_exact_ = true;
};

}  // namespace examples
