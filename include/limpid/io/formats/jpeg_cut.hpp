#pragma once

#include <limpid/io/formats/jpeg_header.hpp>
#include <limpid/io/formats/jpeg_libjpeg.hpp>
#include <limpid/io/formats/picture_format.hpp>

#include <memory>

#if LIMPID_WITH_JPEG

#include <limpid/core/window.hpp>
#include <limpid/io/byte_reader.hpp>
#include <limpid/io/image_limits.hpp>

#include <ATen/core/Tensor.h>
#include <c10/util/Exception.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// In a JPEG file each block is packed as its difference from the one before, so a part of a picture
// costs unpacking all that stands before it. Behind a restart marker (ITU-T T.81, F.1.1.5) nothing
// refers back: with one marker for every few blocks, any rectangle of pieces is a JPEG file too.

namespace limpid::detail {

/// How a picture is cut: into rows of blocks, and these into pieces of equal width.
struct JpegPieces {
  std::int64_t height, width;            ///< of the picture, pixels
  std::int64_t unit_height, unit_width;  ///< of what is packed together, pixels
  std::int64_t units;                    ///< in a piece
  std::int64_t rows, columns;            ///< of pieces

  static constexpr std::int64_t kPixels = 64;  ///< about so wide is a piece

  explicit JpegPieces(const jpeg_decompress_struct& info)
      : height(info.image_height), width(info.image_width) {
    const bool is_grey = info.num_components == 1;
    unit_height = DCTSIZE * (is_grey ? 1 : info.max_v_samp_factor);
    unit_width = DCTSIZE * (is_grey ? 1 : info.max_h_samp_factor);
    units = std::max<std::int64_t>(1, kPixels / unit_width);
    rows = (height + unit_height - 1) / unit_height;
    columns = (width + piece_width() - 1) / piece_width();
  }

  std::int64_t piece_width() const { return units * unit_width; }

  /// Whether the last piece of a row ends where the picture does; else it is filled up.
  bool ends_with_picture() const {
    return (width + unit_width - 1) / unit_width == columns * units;
  }
};

/// Copies the coefficients of a file into another with a restart marker behind each piece.
/// @return whether that worked
inline bool cut_jpeg_file(JpegReading& reading, JpegWriting& writing, const JpegPieces& pieces) {
  auto& from = reading.info;
  auto& to = writing.info;
  to.err = jpeg_std_error(&writing.errors);
  writing.errors.error_exit = &on_jpeg_error;
  writing.errors.emit_message = [](j_common_ptr, int) {};
  to.client_data = &writing;
  if (setjmp(reading.back) != 0) return false;
  if (setjmp(writing.back) != 0) return false;
  const auto owner = reinterpret_cast<j_common_ptr>(&from);
  jvirt_barray_ptr filled[MAX_COMPONENTS] = {};
  for (int c = 0; c < from.num_components; ++c) {
    const auto& component = from.comp_info[c];
    filled[c] = from.mem->request_virt_barray(
        owner, JPOOL_IMAGE, TRUE,
        static_cast<JDIMENSION>(pieces.columns * pieces.units * component.h_samp_factor),
        static_cast<JDIMENSION>(pieces.rows * component.v_samp_factor),
        static_cast<JDIMENSION>(component.v_samp_factor));
  }
  auto* const coefficients = jpeg_read_coefficients(&from);
  for (int c = 0; c < from.num_components; ++c) {
    const auto& component = from.comp_info[c];
    for (JDIMENSION y = 0; y < component.height_in_blocks; ++y) {
      auto* const source = from.mem->access_virt_barray(owner, coefficients[c], y, 1, FALSE)[0];
      auto* const target = from.mem->access_virt_barray(owner, filled[c], y, 1, TRUE)[0];
      std::memcpy(target, source, component.width_in_blocks * sizeof(JBLOCK));
    }
  }
  jpeg_create_compress(&to);
  to.client_data = &writing;
  jpeg_mem_dest(&to, &writing.made, &writing.size);
  jpeg_copy_critical_parameters(&from, &to);
  to.image_width = static_cast<JDIMENSION>(pieces.columns * pieces.piece_width());
  to.restart_interval = static_cast<unsigned int>(pieces.units);
  jpeg_write_coefficients(&to, filled);
  jpeg_finish_compress(&to);
  jpeg_finish_decompress(&from);
  return true;
}

/// A JPEG file that was cut into pieces.
class CutJpeg final : public CutPicture {
 public:
  /// @param jpeg  with a restart marker behind each piece; made by `cut_jpeg_file`
  CutJpeg(std::string jpeg, const JpegPieces& pieces, int channels)
      : pieces_(pieces), channels_(channels), jpeg_(std::move(jpeg)) {
    ByteReader reader{jpeg_, 2};
    for (std::uint32_t marker = 0; marker != 0xda;) {
      marker = reader.big(2) & 0xff;
      const auto length = reader.big(2);
      if (is_jpeg_frame(marker)) sizes_at_ = reader.at() + 1;
      reader.take(length - 2);
    }
    begins_.push_back(reader.at());
    const auto* const bytes = jpeg_.data();
    const auto* const end = bytes + jpeg_.size() - 2;  // its end marker
    for (const auto* at = bytes + reader.at(); at < end; ++at) {
      at = static_cast<const char*>(std::memchr(at, 0xff, static_cast<std::size_t>(end - at)));
      if (at == nullptr) break;
      const auto marker = static_cast<unsigned char>(at[1]);
      if (marker >= 0xd0 && marker <= 0xd7) {
        begins_.push_back(static_cast<std::size_t>(at - bytes) + 2);
      }
    }
    begins_.push_back(jpeg_.size());
  }

  bool is_whole() const {
    return static_cast<std::int64_t>(begins_.size()) == pieces_.rows * pieces_.columns + 1;
  }

  std::int64_t bytes() const override {
    return static_cast<std::int64_t>(jpeg_.size() + begins_.size() * sizeof begins_[0]);
  }

  /// Not at a right edge behind which the last pieces go on: colours that are stored coarser are
  /// interpolated with what stands there.
  bool has(const Window& window) const override {
    return pieces_.ends_with_picture() || window.right() < pieces_.width;
  }

  at::Tensor decode(const Window& window, const ImageLimits& limits) const override {
    // With the neighbours that coarser colours are interpolated with.
    const auto& p = pieces_;
    const auto top = std::max<std::int64_t>(0, window.top / p.unit_height - 1);
    const auto bottom = std::min(p.rows, (window.bottom() - 1) / p.unit_height + 2);
    const auto left = std::max<std::int64_t>(0, window.left - 1) / p.piece_width();
    const auto right = std::min(p.columns, window.right() / p.piece_width() + 1);
    PictureHeader header;
    header.height = std::min(bottom * p.unit_height, p.height) - top * p.unit_height;
    header.width = right * p.piece_width() - left * p.piece_width();
    if (right == p.columns && p.ends_with_picture())
      header.width = p.width - left * p.piece_width();
    header.facts.channels = channels_;
    // The whole was within the limits, and a part of a large file is a small one.
    auto of_part = limits;
    of_part.max_bytes_of_small_file =
        std::max(limits.max_bytes_of_small_file, 3 * header.height * header.width);
    return decode_jpeg_part(of_pieces({top, left, bottom - top, right - left}, header), header,
                            of_part,
                            window.seen_from({top * p.unit_height, left * p.piece_width(),
                                              header.height, header.width}));
  }

 private:
  /// A file of some of the pieces. @param some  in pieces
  std::string of_pieces(const Window& some, const PictureHeader& header) const {
    const auto place = [&](std::int64_t row, std::int64_t column) {
      return static_cast<std::size_t>(row * pieces_.columns + column);
    };
    std::size_t size = begins_[0];
    for (auto row = some.top; row < some.bottom(); ++row) {
      size += begins_[place(row, some.right())] - begins_[place(row, some.left)];
    }
    std::string file;
    file.reserve(size + 2);
    file.append(jpeg_, 0, begins_[0]);
    for (const int shift : {8, 0}) {
      file[sizes_at_ + (shift == 0)] = static_cast<char>(header.height >> shift & 0xff);
      file[sizes_at_ + 2 + (shift == 0)] = static_cast<char>(header.width >> shift & 0xff);
    }
    int number = 0;
    for (auto row = some.top; row < some.bottom(); ++row) {
      for (auto column = some.left; column < some.right(); ++column) {
        const auto begin = begins_[place(row, column)], end = begins_[place(row, column) + 1];
        file.append(jpeg_, begin, end - begin);  // with the marker behind it
        file.back() = static_cast<char>(0xd0 + number);
        number = (number + 1) % 8;
      }
    }
    file.back() = static_cast<char>(JPEG_EOI);
    return file;
  }

  JpegPieces pieces_;
  int channels_;
  std::string jpeg_;
  std::size_t sizes_at_ = 0;         // of height and width in it
  std::vector<std::size_t> begins_;  // of its pieces, and its end
};

/// Memory that cutting may take: several threads may cut large photographs at once.
inline constexpr std::int64_t kMostToCut = std::int64_t{256} << 20;

/// Of all coefficients, twice.
inline std::int64_t memory_to_cut(const jpeg_decompress_struct& info) {
  std::int64_t blocks = 0;
  for (int c = 0; c < info.num_components; ++c) {
    const auto& component = info.comp_info[c];
    blocks += std::int64_t{component.width_in_blocks} * component.height_in_blocks;
  }
  return 2 * blocks * static_cast<std::int64_t>(sizeof(JBLOCK));
}

/// Nothing for a file that is damaged, of inks, or very large.
inline std::shared_ptr<const CutPicture> cut_jpeg(std::string_view bytes,
                                                  const PictureHeader& header,
                                                  const ImageLimits& limits) {
  JpegReading reading;
  reading.most_visits = most_jpeg_block_visits(bytes.size());
  if (!start_reading_jpeg(reading, bytes)) return nullptr;
  const auto& info = reading.info;
  const auto& first = info.comp_info[0];
  const bool is_grey = info.num_components == 1;
  if (info.data_precision != 8 || (!is_grey && info.num_components != 3) ||
      (is_grey && (first.h_samp_factor != 1 || first.v_samp_factor != 1)) ||
      static_cast<std::int64_t>(info.image_height) != header.height ||
      static_cast<std::int64_t>(info.image_width) != header.width) {
    return nullptr;
  }
  const JpegPieces pieces{info};
  const auto memory = memory_to_cut(info);
  if (pieces.columns * pieces.piece_width() > JPEG_MAX_DIMENSION || memory > kMostToCut ||
      !may_take_memory(bytes.size(), memory, limits)) {
    return nullptr;
  }
  const bool has_scans = jpeg_has_multiple_scans(&reading.info) != FALSE;
  JpegWriting writing;
  if (!cut_jpeg_file(reading, writing, pieces) || reading.has_ended || reading.warning[0] != '\0' ||
      (has_scans &&
       (lacks_refinement(info) || reading.seen_colours != (1u << info.num_components) - 1))) {
    return nullptr;
  }
  auto made = std::make_shared<const CutJpeg>(
      std::string{reinterpret_cast<const char*>(writing.made), writing.size}, pieces,
      info.num_components);
  return made->is_whole() ? made : nullptr;
}

inline constexpr auto kCutJpeg = &cut_jpeg;

}  // namespace limpid::detail

#else

namespace limpid::detail {
inline constexpr std::shared_ptr<const CutPicture> (*kCutJpeg)(std::string_view,
                                                               const PictureHeader&,
                                                               const ImageLimits&) = nullptr;
}  // namespace limpid::detail

#endif
