#pragma once

#include <limpid/core/compiled.hpp>
#include <limpid/io/byte_reader.hpp>
#include <limpid/io/image_limits.hpp>

#include <array>
#include <bitset>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#ifdef LIMPID_BODIES
#include <limpid/io/formats/jpeg_header.hpp>

#include <c10/util/Exception.h>

#include <algorithm>
#endif

namespace limpid::detail {

/// Walks all segments of a JPEG, between scans too, and writes those that decoding needs anew, so
/// that stb_image meets nothing else: no filling, no junk, no stray markers.
///
/// stb_image before 2.28 writes out of bounds on a Huffman table of more than 256 codes and reads
/// tables that no segment defined; neither passes here. A file without its end is cut short.
class JpegGate {
 public:
  JpegGate(std::string_view bytes, const ImageLimits& limits)
      : bytes_(bytes), reader_(bytes, 2), limits_(limits) {}

  /// @return the file, reduced to what decoding needs.
  std::string cleaned();

 private:
  struct Component {
    std::uint32_t id = 0;
    std::uint32_t quantisation = 0;
  };

  /// The next marker with a segment, or the end's; what stands before it is passed over.
  std::uint32_t next_marker();

  /// Tables, frame, scans, and how the colours are meant (JFIF, Adobe).
  static bool is_needed(std::uint32_t marker);

  void segment(std::uint32_t marker, std::string_view content);

  void huffman_tables(ByteReader& fields);

  void quantisation_tables(ByteReader& fields);

  void frame(ByteReader& fields);

  void scan(ByteReader& fields);

  /// Up to the next marker that is neither a stuffed zero nor a restart. Restarts and stuffed ones
  /// behind the last data are left out: the decoder would take them for the next segment.
  void entropy_coded_data();

  std::string_view bytes_;
  ByteReader reader_;
  ImageLimits limits_;
  std::string cleaned_ = "\xff\xd8";
  std::int64_t height_ = 0;
  std::int64_t width_ = 0;
  std::int64_t blocks_ = 0;
  std::int64_t visits_ = 0;
  bool has_adobe_ = false;
  std::uint32_t components_ = 0;
  std::uint32_t seen_ = 0;
  bool progressive_ = false;
  std::array<Component, 4> component_{};
  std::array<std::bitset<4>, 2> huffman_;
  std::bitset<4> quantisation_;
};

}  // namespace limpid::detail

#ifdef LIMPID_BODIES

namespace limpid::detail {

LIMPID_INLINE std::string JpegGate::cleaned() {
  while (true) {
    const auto marker = next_marker();
    if (marker == 0xd9) break;
    const auto length = reader_.big(2);
    TORCH_CHECK(length >= 2, "a JPEG segment of ", length, " bytes");
    const auto content = reader_.take(length - 2);
    segment(marker, content);
    if (is_needed(marker)) cleaned_ += jpeg_segment(static_cast<int>(marker), content);
    if (marker == 0xda) entropy_coded_data();
  }
  TORCH_CHECK(components_ > 0 && seen_ == (1u << components_) - 1,
              "it ends before all its colours came");
  TORCH_CHECK(components_ < 4 || has_adobe_, "a JPEG of four inks that does not say which ",
              "(no Adobe marker); a build with libjpeg reads it");
  return cleaned_ + "\xff\xd9";
}

LIMPID_INLINE std::uint32_t JpegGate::next_marker() {
  while (true) {
    while (reader_.byte() != 0xff) {
    }
    std::uint32_t marker = 0xff;
    while (marker == 0xff) marker = reader_.byte();
    if (marker > 1 && (marker < 0xd0 || marker > 0xd8)) return marker;
  }
}

LIMPID_INLINE bool JpegGate::is_needed(std::uint32_t marker) {
  return marker == 0xc4 || marker == 0xdb || (marker >= 0xc0 && marker <= 0xc2) || marker == 0xda ||
         marker == 0xdd || marker == 0xe0 || marker == 0xee;
}

LIMPID_INLINE void JpegGate::segment(std::uint32_t marker, std::string_view content) {
  ByteReader fields{content};
  if (marker == 0xc4) {
    huffman_tables(fields);
  } else if (marker == 0xdb) {
    quantisation_tables(fields);
  } else if (marker == 0xc0 || marker == 0xc1 || marker == 0xc2) {
    progressive_ = marker == 0xc2;
    frame(fields);
  } else if (marker == 0xda) {
    scan(fields);
  } else if (marker == 0xee) {
    has_adobe_ = has_adobe_ || content.substr(0, 5) == "Adobe";
  } else if (marker == 0xdd) {
    TORCH_CHECK(content.size() == 2, "a JPEG restart segment of a wrong size");
  } else {
    TORCH_CHECK((marker >= 0xe0 && marker <= 0xef) || marker == 0xfe || marker == 0xdc,
                "a kind of JPEG that is not supported (marker ", marker,
                "; baseline and progressive are)");
  }
}

LIMPID_INLINE void JpegGate::huffman_tables(ByteReader& fields) {
  while (fields.left() > 0) {
    const auto which = fields.byte();
    const auto kind = which >> 4;
    const auto slot = which & 15;
    TORCH_CHECK(kind <= 1 && slot <= 3, "a malformed Huffman table");
    std::uint32_t total = 0;
    std::uint32_t space = 1;  // codes of the present length that are still free
    for (int length = 1; length <= 16; ++length) {
      const auto count = fields.byte();
      space *= 2;
      total += count;
      TORCH_CHECK(total <= 256 && count <= space, "a malformed Huffman table");
      space -= count;
    }
    for (std::uint32_t i = 0; i < total; ++i) {
      TORCH_CHECK(fields.byte() <= 15 || kind == 1, "a malformed Huffman table");
    }
    huffman_[kind].set(slot);
  }
}

LIMPID_INLINE void JpegGate::quantisation_tables(ByteReader& fields) {
  while (fields.left() > 0) {
    const auto which = fields.byte();
    TORCH_CHECK(which >> 4 <= 1 && (which & 15) <= 3, "a malformed quantisation table");
    fields.skip(which >> 4 == 1 ? 128 : 64);
    quantisation_.set(which & 15);
  }
}

LIMPID_INLINE void JpegGate::frame(ByteReader& fields) {
  TORCH_CHECK(components_ == 0, "it has two JPEG frames");
  TORCH_CHECK(fields.byte() == 8, "a JPEG that has not 8 bits per colour");
  height_ = fields.big(2);
  width_ = fields.big(2);
  limits_.check_size(height_, width_);
  const auto count = fields.byte();
  TORCH_CHECK((count == 1 || count == 3 || count == 4) && fields.left() == 3 * count,
              "a malformed JPEG frame");
  std::uint32_t widest = 1;
  std::uint32_t tallest = 1;
  std::array<std::uint32_t, 4> sampling{};
  for (std::uint32_t i = 0; i < count; ++i) {
    component_[i].id = fields.byte();
    sampling[i] = fields.byte();
    component_[i].quantisation = fields.byte();
    const auto h = sampling[i] >> 4;
    const auto v = sampling[i] & 15;
    TORCH_CHECK(h >= 1 && h <= 4 && v >= 1 && v <= 4 && component_[i].quantisation <= 3,
                "a malformed JPEG frame");
    for (std::uint32_t j = 0; j < i; ++j) {
      TORCH_CHECK(component_[j].id != component_[i].id, "a malformed JPEG frame");
    }
    widest = std::max(widest, h);
    tallest = std::max(tallest, v);
  }
  for (std::uint32_t i = 0; i < count; ++i) {
    TORCH_CHECK(widest % (sampling[i] >> 4) == 0 && tallest % (sampling[i] & 15) == 0,
                "a JPEG with fractional subsampling");
  }
  components_ = count;
  blocks_ = std::int64_t{count} * ((height_ + 7) / 8) * ((width_ + 7) / 8);
}

LIMPID_INLINE void JpegGate::scan(ByteReader& fields) {
  TORCH_CHECK(components_ > 0, "a JPEG scan before its frame");
  visits_ += blocks_;
  TORCH_CHECK(visits_ <= most_jpeg_block_visits(bytes_.size()), kTooManyScans);
  const auto count = fields.byte();
  TORCH_CHECK(count >= 1 && count <= components_ && fields.left() == 2 * count + 3,
              "a malformed JPEG scan");
  std::array<std::uint32_t, 4> tables{};
  for (std::uint32_t i = 0; i < count; ++i) {
    const auto id = fields.byte();
    tables[i] = fields.byte();
    std::uint32_t which = 0;
    while (which < components_ && component_[which].id != id) ++which;
    TORCH_CHECK(which < components_ && quantisation_[component_[which].quantisation],
                "a malformed JPEG scan");
    seen_ |= 1u << which;
  }
  const auto start = fields.byte();
  fields.byte();
  const bool first_pass = fields.byte() >> 4 == 0;
  const bool needs_dc = !progressive_ || (start == 0 && first_pass);
  const bool needs_ac = !progressive_ || start > 0;
  for (std::uint32_t i = 0; i < count; ++i) {
    const auto dc = tables[i] >> 4;
    const auto ac = tables[i] & 15;
    TORCH_CHECK(
        dc <= 3 && ac <= 3 && (!needs_dc || huffman_[0][dc]) && (!needs_ac || huffman_[1][ac]),
        "a JPEG scan without its Huffman table");
  }
}

LIMPID_INLINE void JpegGate::entropy_coded_data() {
  const auto start = reader_.at();
  auto at = start;
  while (true) {
    at = bytes_.find('\xff', at);
    const auto marker_at = at == bytes_.npos ? at : bytes_.find_first_not_of('\xff', at);
    TORCH_CHECK(marker_at != bytes_.npos, "the file is cut short at byte ", bytes_.size());
    const auto marker = static_cast<unsigned char>(bytes_[marker_at]);
    if (marker != 0 && !(marker >= 0xd0 && marker < 0xd8)) break;
    at = marker_at + 1;
  }
  reader_ = ByteReader{bytes_, at};
  auto data = bytes_.substr(start, at - start);
  bool ends_in_ones = false;
  while (data.size() >= 2 && data[data.size() - 2] == '\xff') {
    ends_in_ones = ends_in_ones || data.back() == 0;
    data.remove_suffix(2);
  }
  cleaned_ += data;
  if (ends_in_ones) cleaned_ += '\xfe';  // a byte of ones may end in a code
}

}  // namespace limpid::detail

#endif  // LIMPID_BODIES
