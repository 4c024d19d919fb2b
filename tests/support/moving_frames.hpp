#pragma once

#include <limpid/io/image.hpp>

#include <torch/torch.h>

#include <cstdint>
#include <filesystem>
#include <string>

// Frames that follow each other.
namespace limpid_test {

/// "00.png", "01.png" ...
inline std::string numbered(int i) { return (i < 10 ? "0" : "") + std::to_string(i) + ".png"; }

/// `count` grey frames in which frame i has the value i.
inline void write_counted(const std::filesystem::path& folder, int count, std::int64_t side = 8) {
  std::filesystem::create_directories(folder);
  for (int i = 0; i < count; ++i) {
    limpid::Image{torch::full({side, side, 3}, i, torch::kByte)}.save(folder / numbered(i));
  }
}

/// A smooth random texture that moves two pixels to the left and one up from frame to frame.
inline void write_moving(const std::filesystem::path& folder, int count, std::int64_t side) {
  std::filesystem::create_directories(folder);
  const auto texture =
      torch::upsample_bicubic2d(torch::rand({1, 3, side / 4, side / 4}), {2 * side, 2 * side}, true)
          .clamp(0, 1);
  for (int i = 0; i < count; ++i) {
    limpid::Image::from_unit(texture.narrow(2, i, side).narrow(3, 2 * i, side))
        .save(folder / numbered(i));
  }
}

}  // namespace limpid_test
