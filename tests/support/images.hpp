#pragma once

#include <limpid/core/random.hpp>
#include <limpid/io/image.hpp>
#include <support/fixtures.hpp>
#include <support/temporary_folder.hpp>

#include <torch/torch.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>

// Pictures to test with, whole and hostile.
namespace limpid_test {

inline void write_bytes(const std::filesystem::path& path, std::string_view bytes) {
  std::filesystem::create_directories(path.parent_path());
  std::ofstream{path, std::ios::binary} << bytes;
}

inline std::string read_bytes(const std::filesystem::path& path) {
  std::ifstream stream{path, std::ios::binary};
  return {std::istreambuf_iterator<char>{stream}, {}};
}

/// A smooth picture with a little noise, so that it survives a JPEG and has no symmetry.
inline limpid::Image picture(std::int64_t height, std::int64_t width, std::uint64_t seed = 0) {
  auto pixels = torch::empty({height, width, 3}, torch::kByte);
  auto* out = pixels.data_ptr<std::uint8_t>();
  auto random = limpid::Random::stream(seed, {17});
  const auto phase = random.uniform(0, 40);
  for (std::int64_t y = 0; y < height; ++y) {
    for (std::int64_t x = 0; x < width; ++x) {
      for (std::int64_t c = 0; c < 3; ++c) {
        const auto value =
            phase + 150.0 * static_cast<double>(x) / static_cast<double>(width) +
            50.0 * static_cast<double>(y * (c + 1)) / static_cast<double>(3 * height) +
            random.uniform(0, 4);
        *out++ = static_cast<std::uint8_t>(value);
      }
    }
  }
  return limpid::Image{pixels};
}

/// Saves `image`, and makes the folder where there is none.
inline void save(const limpid::Image& image, const std::filesystem::path& path) {
  std::filesystem::create_directories(path.parent_path());
  image.save(path);
}

inline std::string big_endian(std::uint64_t value, int count) {
  std::string bytes;
  for (int i = count - 1; i >= 0; --i) bytes += static_cast<char>(value >> (8 * i) & 255);
  return bytes;
}

inline std::string png_chunk(const std::string& type, const std::string& content) {
  return big_endian(content.size(), 4) + type + content + big_endian(crc32(type + content), 4);
}

/// A PNG of any bit depth and colour type; `rows` is what its zlib stream holds, each row behind a
/// zero for its filter, below 64 KiB.
inline std::string png_file(std::uint32_t width, std::uint32_t height, int depth, int colour,
                            const std::string& rows, const std::string& chunks_before = {}) {
  std::uint32_t a = 1;
  std::uint32_t b = 0;
  for (const unsigned char byte : rows) {
    a = (a + byte) % 65521;
    b = (b + a) % 65521;
  }
  std::string stored = "\x78\x01\x01";
  for (const auto size : {rows.size(), ~rows.size()}) {
    stored += static_cast<char>(size & 255);
    stored += static_cast<char>(size >> 8 & 255);
  }
  stored += rows + big_endian(b << 16 | a, 4);
  return "\x89PNG\r\n\x1a\n" +
         png_chunk("IHDR",
                   big_endian(width, 4) + big_endian(height, 4) +
                       std::string{static_cast<char>(depth), static_cast<char>(colour), 0, 0, 0}) +
         chunks_before + png_chunk("IDAT", stored) + png_chunk("IEND", "");
}

inline std::string jpeg_segment(int marker, const std::string& content) {
  return std::string{'\xff', static_cast<char>(marker)} + big_endian(content.size() + 2, 2) +
         content;
}

/// `segment` put right behind the start of a JPEG.
inline std::string with_segment(const std::string& jpeg, const std::string& segment) {
  return jpeg.substr(0, 2) + segment + jpeg.substr(2);
}

/// The EXIF segment that names an orientation.
inline std::string exif_segment(int orientation, bool big = true) {
  const auto number = [&](std::uint64_t value, int count) {
    auto bytes = big_endian(value, count);
    return big ? bytes : std::string{bytes.rbegin(), bytes.rend()};
  };
  return jpeg_segment(0xe1, std::string{"Exif\0\0", 6} + (big ? "MM" : "II") + number(42, 2) +
                                number(8, 4) + number(1, 2) + number(0x0112, 2) + number(3, 2) +
                                number(1, 4) + number(static_cast<std::uint64_t>(orientation), 2) +
                                number(0, 2) + number(0, 4));
}

/// A Huffman table of 4080 codes: stb_image before 2.28 writes far out of bounds with it.
inline std::string evil_huffman_segment() {
  return jpeg_segment(0xc4, std::string(1, '\0') + std::string(16, '\xff') + std::string(4080, 0));
}

/// A grey progressive JPEG of 16 x 8 pixels, 226 on the left and 128 on the right, in two scans;
/// `between` stands between them.
inline std::string progressive_jpeg(const std::string& between = {}) {
  const auto table = [](int which, const std::string& lengths, const std::string& values) {
    auto counts = lengths;
    counts.resize(16, '\0');
    return jpeg_segment(0xc4, std::string(1, static_cast<char>(which)) + counts + values);
  };
  return "\xff\xd8" + jpeg_segment(0xdb, std::string(1, '\0') + std::string(64, '\x10')) +
         jpeg_segment(0xc2, std::string{"\x08\0\x08\0\x10\x01\x01\x11\0", 9}) +
         table(0x00, "\x01\x01", std::string{"\x00\x06", 2}) +  // 0: no change, 10: 6 bits follow
         jpeg_segment(0xda, std::string{"\x01\x01\0\0\0\0", 6}) +
         std::string{'\xb1', '\x8e'} +  // 10 110001: 49 more, 10 001110: 49 less
         between + table(0x10, "\x01\x01", std::string{"\x00\x01", 2}) +
         jpeg_segment(0xda, std::string{"\x01\x01\0\x01\x3f\0", 6}) + std::string{'\x3f'} +
         "\xff\xd9";
}

}  // namespace limpid_test
