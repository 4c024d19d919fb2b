#pragma once

#include <limpid/core/progress_line.hpp>
#include <limpid/core/tiling.hpp>
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

/// Which pictures are restored in tiles: the first that is so only because it is large is said, and
/// all are counted. A network that looks at the whole picture makes something else of tiles.
/// Safe to use from several threads.
class TileNote {
 public:
  TileNote(const limpid::Tiling& tiling, limpid::ProgressLine& line)
      : tiling_(tiling), line_(line) {}

  /// @param name  what the line calls the picture
  void look_at(const std::string& name, const limpid::Image& picture) {
    const auto tile = tiling_.tile_for(picture.height(), picture.width());
    if (tile <= 0) return;
    const std::lock_guard lock{mutex_};
    tile_ = tile;
    if (pictures_++ > 0 || tiling_.tile != limpid::Tiling::automatic) return;
    line_.say(name + ": restored in tiles of " + std::to_string(tile) +
              " pixels, as it is large; --tile 0 takes it at once");
  }

  std::int64_t pictures() const { return pictures_; }

  /// {"pictures": n, "tile": pixels, "overlap": pixels}
  nlohmann::json json() const {
    return {{"pictures", pictures_}, {"tile", tile_}, {"overlap", tiling_.overlap}};
  }

 private:
  limpid::Tiling tiling_;
  limpid::ProgressLine& line_;
  std::mutex mutex_;
  std::int64_t pictures_ = 0, tile_ = 0;
};

}  // namespace examples
