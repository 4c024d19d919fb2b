#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <fstream>
#include <stdexcept>
#include <string>
#include <vector>

// The simplest pictures there are, so that the lessons need nothing but their engine: binary PPM of
// 8 bits, as the networks of an ONNX file take and give them.
namespace ppm {

/// (1, 3, height, width) float, red, green and blue one behind the other, values in [0, 1].
struct Picture {
  std::int64_t height = 0, width = 0;
  std::vector<float> values;
};

inline Picture read(const std::string& path) {
  std::ifstream file{path, std::ios::binary};
  std::string kind;
  Picture picture;
  int highest = 0;
  file >> kind >> picture.width >> picture.height >> highest;
  if (!file || kind != "P6" || highest != 255 || picture.width < 1 || picture.height < 1 ||
      picture.height > 100'000'000 / picture.width) {
    throw std::runtime_error("'" + path + "': expected a binary PPM of 8 bits");
  }
  file.get();
  const auto count = static_cast<std::size_t>(picture.width * picture.height);
  std::vector<char> bytes(3 * count);
  file.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  if (!file) throw std::runtime_error("'" + path + "': it is cut short");
  picture.values.resize(3 * count);
  for (std::size_t i = 0; i < count; ++i) {
    for (std::size_t c = 0; c < 3; ++c) {
      picture.values[c * count + i] = static_cast<unsigned char>(bytes[3 * i + c]) / 255.0f;
    }
  }
  return picture;
}

/// @param values  as of `Picture`
inline void write(const std::string& path, const float* values, std::int64_t height,
                  std::int64_t width) {
  const auto count = static_cast<std::size_t>(width * height);
  std::vector<char> bytes(3 * count);
  for (std::size_t i = 0; i < count; ++i) {
    for (std::size_t c = 0; c < 3; ++c) {
      const auto value = std::clamp(values[c * count + i], 0.0f, 1.0f);
      bytes[3 * i + c] = static_cast<char>(static_cast<unsigned char>(value * 255.0f + 0.5f));
    }
  }
  std::ofstream file{path, std::ios::binary};
  file << "P6\n" << width << ' ' << height << "\n255\n";
  file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  if (!file.flush()) throw std::runtime_error("'" + path + "' cannot be written");
}

}  // namespace ppm
