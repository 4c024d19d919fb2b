#pragma once

#include <limpid/core/compiled.hpp>
#include <limpid/core/window.hpp>
#include <limpid/io/byte_reader.hpp>
#include <limpid/io/formats/picture_format.hpp>
#include <limpid/io/formats/png_chunks.hpp>
#include <limpid/io/formats/png_filters.hpp>
#include <limpid/io/image_limits.hpp>
#include <limpid/io/inflate_stream.hpp>
#include <limpid/io/picture_facts.hpp>

#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>
#include <c10/util/Exception.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string_view>
#include <vector>

// The usual PNG, row by row: 8 bits, grey or RGB, with or without alpha, not interlaced. Its chunks
// have been checked before. All others are left to libpng or stb_image.
namespace limpid::detail {

/// Where the first IDAT chunk stands in a PNG of the usual kind; nothing for others, and where any
/// chunk before it is one that a decoder has to know.
LIMPID_INLINE std::optional<std::size_t> plain_png_data(std::string_view bytes,
                                                        const PictureHeader& header);

/// The rows of a PNG with their filters, unpacked as far as they are asked for.
class PngRows {
 public:
  /// @param at  the first IDAT chunk; those that follow it without another between them count
  PngRows(std::string_view bytes, std::size_t at);

  void read(std::uint8_t* out, std::size_t count);

 private:
  /// The content of the next IDAT chunk that holds something.
  void next_piece();

  int packed_byte();

  ByteReader reader_;
  std::string_view piece_;  ///< what the stream has not been given yet
  InflateStream stream_;
};

/// Pixels of `kBytes` -> RGB; alpha is dropped. @return whether all were opaque
template <int kBytes>
bool png_pixels_to_rgb(const std::uint8_t* in, std::int64_t width, std::uint8_t* out) {
  if constexpr (kBytes == 3) {
    std::memcpy(out, in, static_cast<std::size_t>(3 * width));
    return true;
  }
  std::uint8_t least_alpha = 255;
  for (std::int64_t x = 0; x < width; ++x, in += kBytes, out += 3) {
    for (int c = 0; c < 3; ++c) out[c] = in[kBytes < 3 ? 0 : c];
    if constexpr (kBytes % 2 == 0) least_alpha = std::min(least_alpha, in[kBytes - 1]);
  }
  return least_alpha == 255;
}

/// Some rows at a time are unpacked, into memory that stays in the processor's cache; of each row
/// only what lies left of the window's right edge is looked at, because filters look to the left.
template <int kBytes>
at::Tensor plain_png_part(PngRows& packed, PictureHeader& header, const Window& window) {
  const auto stride = static_cast<std::size_t>(kBytes * header.width) + 1;
  const auto used = static_cast<std::size_t>(kBytes * window.right());
  const auto rows_at_once =
      std::max<std::int64_t>(1, (std::int64_t{1} << 16) / static_cast<std::int64_t>(stride));
  // The last row of the batch before stands above it.
  std::vector<std::uint8_t> room(stride * static_cast<std::size_t>(rows_at_once + 1));
  auto pixels = at::empty({window.height, window.width, 3}, at::kByte);
  auto* out = pixels.data_ptr<std::uint8_t>();
  bool is_opaque = true;
  for (std::int64_t first = 0; first < window.bottom(); first += rows_at_once) {
    const auto rows = std::min(rows_at_once, window.bottom() - first);
    packed.read(room.data() + stride, stride * static_cast<std::size_t>(rows));
    auto* row = room.data();
    for (auto y = first; y < first + rows; ++y) {
      const auto* above = row + 1;
      row += stride;
      TORCH_CHECK(row[0] < kPngFilters, "it is damaged (a filter that there is not)");
      undo_png_filter<kBytes>(row[0], row + 1, above, used);
      if (y < window.top) continue;
      is_opaque &= png_pixels_to_rgb<kBytes>(row + 1 + kBytes * window.left, window.width, out);
      out += 3 * window.width;
    }
    std::memcpy(room.data(), row, stride);
  }
  if (!is_opaque) header.facts.losses.emplace_back(kTransparencyIsLost);
  return pixels;
}

/// @param at  what `plain_png_data` found
LIMPID_INLINE at::Tensor decode_plain_png(std::string_view bytes, std::size_t at,
                                          PictureHeader& header, const ImageLimits& limits,
                                          const Window& window);

}  // namespace limpid::detail

#ifdef LIMPID_BODIES

namespace limpid::detail {

LIMPID_INLINE std::optional<std::size_t> plain_png_data(std::string_view bytes,
                                                        const PictureHeader& header) {
  const auto shape = png_shape(bytes);
  const bool is_usual = shape.bits == 8 && shape.colour_type != 3 &&
                        bytes.substr(26, 3) == std::string_view{"\0\0\0", 3} &&
                        header.has_alpha == (shape.colour_type >= 4);
  if (!is_usual) return std::nullopt;
  for (ByteReader reader{bytes, 33};;) {
    const auto at = reader.at();
    const auto length = reader.big(4);
    const auto type = reader.take(4);
    if (type == "IDAT") return at;
    const bool is_critical = type[0] >= 'A' && type[0] <= 'Z';
    if (is_critical && type != "PLTE") return std::nullopt;
    reader.skip(std::size_t{length} + 4);
  }
}

LIMPID_INLINE PngRows::PngRows(std::string_view bytes, std::size_t at) : reader_(bytes, at) {
  const auto method = packed_byte();
  const auto flags = packed_byte();
  TORCH_CHECK((method & 15) == 8 && method >> 4 <= 7 && (method * 256 + flags) % 31 == 0 &&
                  (flags & 32) == 0,
              "it is damaged (the header of its packed data)");
}

LIMPID_INLINE void PngRows::read(std::uint8_t* out, std::size_t count) {
  while (count > 0) {
    if (stream_.is_hungry() && !piece_.empty()) {
      stream_.give(piece_);
      piece_ = {};
    }
    const auto most = static_cast<std::uint32_t>(std::min(count, std::size_t{1} << 30));
    const auto made = stream_.read(out, most);
    out += made;
    count -= made;
    if (made == most) continue;
    TORCH_CHECK(!stream_.has_ended(), "it is damaged (too few pixels)");
    if (made == 0 && stream_.is_hungry()) next_piece();
  }
}

LIMPID_INLINE void PngRows::next_piece() {
  while (piece_.empty()) {
    const auto length = reader_.big(4);
    TORCH_CHECK(reader_.take(4) == "IDAT", "it is damaged (too few pixels)");
    piece_ = reader_.take(length);
    reader_.skip(4);
  }
}

LIMPID_INLINE int PngRows::packed_byte() {
  next_piece();
  const auto byte = static_cast<unsigned char>(piece_.front());
  piece_.remove_prefix(1);
  return byte;
}

LIMPID_INLINE at::Tensor decode_plain_png(std::string_view bytes, std::size_t at,
                                          PictureHeader& header, const ImageLimits& limits,
                                          const Window& window) {
  const auto shape = png_shape(bytes);
  check_memory(bytes.size(),
               std::max(png_raw_bytes(header, shape), 3 * header.height * header.width), limits);
  PngRows packed{bytes, at};
  switch (shape.samples_a_pixel()) {
    case 1:
      return plain_png_part<1>(packed, header, window);
    case 2:
      return plain_png_part<2>(packed, header, window);
    case 3:
      return plain_png_part<3>(packed, header, window);
    default:
      return plain_png_part<4>(packed, header, window);
  }
}

}  // namespace limpid::detail

#endif  // LIMPID_BODIES
