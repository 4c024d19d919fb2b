#pragma once

#include <c10/util/Exception.h>

#include <algorithm>
#include <array>
#include <bitset>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace limpid {

/// The largest picture that limpid reads. A file that asks for more is refused before memory is
/// taken for its pixels.
struct ImageLimits {
  std::int64_t max_file_bytes = std::int64_t{512} << 20;  ///< half a GiB
  std::int64_t max_pixels = 100'000'000;                  ///< height x width
};

/// The picture files that limpid reads; PNM means binary PGM and PPM.
enum class ImageFormat { png, jpeg, bmp, pnm };

namespace detail {

/// Reads numbers from bytes, and says "cut short" behind their end.
class ByteReader {
 public:
  explicit ByteReader(std::string_view bytes, std::size_t at = 0)
      : bytes_(bytes), at_(std::min(at, bytes.size())) {}

  std::size_t at() const { return at_; }
  std::size_t left() const { return bytes_.size() - at_; }

  void need(std::size_t count) const {
    TORCH_CHECK(count <= left(), "the file is cut short at byte ", bytes_.size());
  }
  void skip(std::size_t count) {
    need(count);
    at_ += count;
  }
  std::string_view take(std::size_t count) {
    need(count);
    const auto taken = bytes_.substr(at_, count);
    at_ += count;
    return taken;
  }
  std::uint32_t big(int count) { return number(count, true); }
  std::uint32_t little(int count) { return number(count, false); }
  std::uint32_t byte() { return number(1, true); }

 private:
  std::uint32_t number(int count, bool big_endian) {
    need(static_cast<std::size_t>(count));
    std::uint32_t value = 0;
    for (int i = 0; i < count; ++i) {
      const auto next = static_cast<unsigned char>(bytes_[at_ + static_cast<std::size_t>(i)]);
      value = big_endian ? value << 8 | next : value | std::uint32_t{next} << (8 * i);
    }
    at_ += static_cast<std::size_t>(count);
    return value;
  }

  std::string_view bytes_;
  std::size_t at_;
};

/// What the gate learnt about a file.
struct ImageHeader {
  ImageFormat format = ImageFormat::png;
  std::int64_t height = 0;
  std::int64_t width = 0;
  int orientation = 1;  ///< EXIF's, 1 ... 8; 1 is upright
  int bits = 8;         ///< of a PNG's samples
};

inline void check_size(std::int64_t height, std::int64_t width, const ImageLimits& limits) {
  TORCH_CHECK(height > 0 && width > 0, "it has no pixels (", width, " x ", height, ")");
  TORCH_CHECK(width <= 65535 && height <= 65535 && width * height <= limits.max_pixels, "its ",
              width, " x ", height, " pixels exceed the limit of ", limits.max_pixels);
}

/// "text", "a GIF file" ...: what a file that is no picture of ours seems to be.
inline std::string describe_bytes(std::string_view bytes) {
  if (bytes.empty()) return "an empty file";
  const auto starts = [&](std::string_view start, std::size_t at = 0) {
    return bytes.size() >= at + start.size() && bytes.substr(at, start.size()) == start;
  };
  if (starts("GIF8")) return "a GIF file";
  if (starts("RIFF") && starts("WEBP", 8)) return "a WebP file";
  if (starts(std::string_view{"II*\0", 4}) || starts(std::string_view{"MM\0*", 4})) {
    return "a TIFF file";
  }
  if (starts("ftyp", 4)) return "a HEIF, AVIF or video file";
  if (starts("%PDF")) return "a PDF file";
  if (starts("PK\x03\x04")) return "a zip file";
  if (starts("\x1f\x8b")) return "a gzip file";
  if (bytes.size() > 2 && bytes[0] == 'P' && bytes[1] >= '1' && bytes[1] <= '7') {
    return "a PNM file that is not binary PGM or PPM (P5, P6)";
  }
  const auto head = bytes.substr(0, 512);
  const bool is_text = std::all_of(head.begin(), head.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte >= 32 ? byte != 127 : byte == '\n' || byte == '\r' || byte == '\t';
  });
  return is_text ? "text" : "other data";
}

/// The format that the first bytes name.
inline ImageFormat recognise(std::string_view bytes) {
  using namespace std::string_view_literals;
  if (bytes.substr(0, 8) == "\x89PNG\r\n\x1a\n"sv) return ImageFormat::png;
  if (bytes.substr(0, 3) == "\xff\xd8\xff"sv) return ImageFormat::jpeg;
  if (bytes.substr(0, 2) == "BM"sv && bytes.size() >= 6) return ImageFormat::bmp;
  if (bytes.size() >= 3 && bytes[0] == 'P' && (bytes[1] == '5' || bytes[1] == '6') &&
      (bytes[2] == ' ' || bytes[2] == '\n' || bytes[2] == '\r' || bytes[2] == '\t' ||
       bytes[2] == '#')) {
    return ImageFormat::pnm;
  }
  // A file that ends inside a signature is a picture that was cut, not another kind of file.
  const bool cut = bytes.size() >= 2 && ("\x89PNG\r\n\x1a\n"sv.substr(0, bytes.size()) == bytes ||
                                         bytes == "\xff\xd8"sv || bytes.substr(0, 2) == "BM"sv);
  TORCH_CHECK(!cut, "the file is cut short at byte ", bytes.size());
  TORCH_CHECK(false, "expected a PNG, JPEG, BMP or PNM file, found ", describe_bytes(bytes));
}

/// Walks all chunks of a PNG: lengths within the file, IHDR first, IDAT before IEND.
inline ImageHeader check_png(std::string_view bytes, const ImageLimits& limits) {
  ImageHeader header{.format = ImageFormat::png};
  ByteReader reader{bytes, 8};
  bool has_data = false;
  for (bool first = true;; first = false) {
    const auto length = reader.big(4);
    const auto type = reader.take(4);
    if (first) {
      TORCH_CHECK(type == "IHDR" && length == 13, "its first chunk is not a PNG header");
      ByteReader fields{reader.take(13)};
      header.width = fields.big(4);
      header.height = fields.big(4);
      check_size(header.height, header.width, limits);
      header.bits = static_cast<int>(fields.byte());
    } else {
      TORCH_CHECK(type != "IHDR", "it has two PNG headers");
      reader.skip(length);
    }
    has_data = has_data || (type == "IDAT" && length > 0);
    reader.skip(4);
    if (type == "IEND") break;
  }
  TORCH_CHECK(has_data, "it holds no pixels (no IDAT chunk)");
  return header;
}

/// The orientation in an APP1 segment (EXIF 2.3, sec. 4.6.4), 1 where it names none.
inline int exif_orientation(std::string_view segment) {
  if (segment.substr(0, 6) != std::string_view{"Exif\0\0", 6}) return 1;
  const auto tiff = segment.substr(6);
  const bool big = tiff.substr(0, 2) == "MM";
  if (tiff.size() < 8 || (!big && tiff.substr(0, 2) != "II")) return 1;
  const auto number = [&](std::size_t at, int count) {
    ByteReader reader{tiff, at};
    return big ? reader.big(count) : reader.little(count);
  };
  const std::size_t directory = number(4, 4);
  if (directory > tiff.size() || tiff.size() - directory < 2) return 1;
  const std::size_t entries = number(directory, 2);
  for (std::size_t i = 0; i < entries; ++i) {
    const auto entry = directory + 2 + 12 * i;
    if (tiff.size() < entry + 12) return 1;
    if (number(entry, 2) != 0x0112) continue;
    const auto value = number(entry + 8, 2);
    return value >= 1 && value <= 8 ? static_cast<int>(value) : 1;
  }
  return 1;
}

/// Walks all segments of a JPEG, between scans too, as the decoder will meet them.
///
/// stb_image before 2.28 writes out of bounds on a Huffman table of more than 256 codes and reads
/// tables that no segment defined; neither passes here. A file without its end is cut short.
class JpegGate {
 public:
  JpegGate(std::string_view bytes, const ImageLimits& limits)
      : bytes_(bytes), reader_(bytes, 2), limits_(limits) {}

  ImageHeader check() {
    header_.format = ImageFormat::jpeg;
    while (true) {
      const auto marker = next_marker();
      if (marker == 0xd9) break;
      TORCH_CHECK(
          marker != 0 && marker != 1 && marker != 0xd8 && !(marker >= 0xd0 && marker < 0xd8),
          "a stray JPEG marker ", marker);
      const auto length = reader_.big(2);
      TORCH_CHECK(length >= 2, "a JPEG segment of ", length, " bytes");
      segment(marker, reader_.take(length - 2));
      if (marker == 0xda) skip_entropy_coded_data();
    }
    TORCH_CHECK(components_ > 0 && seen_ == (1u << components_) - 1,
                "it ends before all its colours came");
    return header_;
  }

 private:
  struct Component {
    std::uint32_t id = 0;
    std::uint32_t quantisation = 0;
  };

  std::uint32_t next_marker() {
    if (components_ == 0) {  // the decoder skips padding before the frame header
      while (reader_.byte() != 0xff) {
      }
    } else {
      TORCH_CHECK(reader_.byte() == 0xff, "a JPEG segment does not end where it says");
    }
    std::uint32_t marker = 0xff;
    while (marker == 0xff) marker = reader_.byte();
    return marker;
  }

  void segment(std::uint32_t marker, std::string_view content) {
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
    } else if (marker == 0xe1 && header_.orientation == 1) {
      header_.orientation = exif_orientation(content);
    } else if (marker == 0xdd) {
      TORCH_CHECK(content.size() == 2, "a JPEG restart segment of a wrong size");
    } else {
      TORCH_CHECK((marker >= 0xe0 && marker <= 0xef) || marker == 0xfe || marker == 0xdc,
                  "a kind of JPEG that is not supported (marker ", marker,
                  "; baseline and progressive are)");
    }
  }

  void huffman_tables(ByteReader& fields) {
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

  void quantisation_tables(ByteReader& fields) {
    while (fields.left() > 0) {
      const auto which = fields.byte();
      TORCH_CHECK(which >> 4 <= 1 && (which & 15) <= 3, "a malformed quantisation table");
      fields.skip(which >> 4 == 1 ? 128 : 64);
      quantisation_.set(which & 15);
    }
  }

  void frame(ByteReader& fields) {
    TORCH_CHECK(components_ == 0, "it has two JPEG frames");
    TORCH_CHECK(fields.byte() == 8, "a JPEG that has not 8 bits per colour");
    header_.height = fields.big(2);
    header_.width = fields.big(2);
    check_size(header_.height, header_.width, limits_);
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
  }

  void scan(ByteReader& fields) {
    TORCH_CHECK(components_ > 0, "a JPEG scan before its frame");
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

  /// Up to the next marker that is neither a stuffed zero nor a restart.
  void skip_entropy_coded_data() {
    auto at = reader_.at();
    while (true) {
      at = bytes_.find('\xff', at);
      const auto marker_at = at == bytes_.npos ? at : bytes_.find_first_not_of('\xff', at);
      TORCH_CHECK(marker_at != bytes_.npos, "the file is cut short at byte ", bytes_.size());
      const auto marker = static_cast<unsigned char>(bytes_[marker_at]);
      if (marker != 0 && !(marker >= 0xd0 && marker < 0xd8)) break;
      at = marker_at + 1;
    }
    reader_ = ByteReader{bytes_, at};
  }

  std::string_view bytes_;
  ByteReader reader_;
  ImageLimits limits_;
  ImageHeader header_;
  std::uint32_t components_ = 0;
  std::uint32_t seen_ = 0;
  bool progressive_ = false;
  std::array<Component, 4> component_{};
  std::array<std::bitset<4>, 2> huffman_;
  std::bitset<4> quantisation_;
};

}  // namespace detail
}  // namespace limpid
