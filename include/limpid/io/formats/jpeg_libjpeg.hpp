#pragma once

#include <limpid/core/fail.hpp>
#include <limpid/core/window.hpp>
#include <limpid/io/cropped.hpp>
#include <limpid/io/formats/jpeg_header.hpp>
#include <limpid/io/formats/picture_format.hpp>

#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>
#include <c10/util/Exception.h>

#include <algorithm>
#include <csetjmp>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#if LIMPID_WITH_JPEG

#include <jpeglib.h>
// Behind jpeglib.h, which it needs.
#include <jerror.h>

// JPEG by libjpeg (libjpeg-turbo in Debian).
//
// An error of libjpeg's is a jump back out of it, so nothing between jump and return may own
// memory: `JpegReading` and `JpegWriting` hold all that has to be released.
namespace limpid::detail {

inline constexpr std::string_view kJpegDecoder = "libjpeg";
inline constexpr std::int64_t kMostJpegPixels = std::numeric_limits<std::int64_t>::max();

/// What libjpeg is told, and what it says.
struct JpegSession {
  jpeg_error_mgr errors{};
  std::jmp_buf back;
  char problem[JMSG_LENGTH_MAX] = {};
  char warning[JMSG_LENGTH_MAX] = {};  ///< the first

  [[noreturn]] void fail(const char* text) {
    std::snprintf(problem, sizeof problem, "%s", text);
    std::longjmp(back, 1);
  }
  static JpegSession& of(j_common_ptr info) {
    return *static_cast<JpegSession*>(info->client_data);
  }
};

inline void on_jpeg_error(j_common_ptr info) {
  char text[JMSG_LENGTH_MAX];
  info->err->format_message(info, text);
  JpegSession::of(info).fail(text);
}

struct JpegReading : JpegSession {
  jpeg_decompress_struct info{};
  jpeg_source_mgr source{};
  jpeg_progress_mgr progress{};
  bool has_ended = false;  ///< libjpeg asked for bytes behind the file's end
  std::int64_t visits = 0, most_visits = 0;
  int last_scan = 0;
  std::uint32_t seen_colours = 0;
  JDIMENSION left = 0, width = 0;  ///< columns that libjpeg makes

  static JpegReading& of(j_common_ptr info) {
    return static_cast<JpegReading&>(JpegSession::of(info));
  }
  ~JpegReading() { jpeg_destroy_decompress(&info); }
};

/// libjpeg goes on after data that end early, and fills the rest with grey. A part of a picture is
/// no picture: what ends before its last rows is an error. Restart markers that come too early are
/// damage inside, which other decoders let pass too.
inline void on_jpeg_message(j_common_ptr info, int level) {
  if (level >= 0) return;
  auto& reading = JpegReading::of(info);
  auto& decoder = reading.info;
  ++info->err->num_warnings;
  if (info->err->msg_code == JWRN_HIT_MARKER) {
    const int marker = decoder.unread_marker;
    const bool is_restart = marker >= 0xd0 && marker <= 0xd7;
    const bool in_last_row = decoder.input_iMCU_row + 1 >= decoder.total_iMCU_rows;
    if (reading.has_ended) reading.fail("its data are cut short");
    if (!is_restart && !in_last_row) reading.fail("its data end early");
  }
  if (reading.warning[0] == '\0') info->err->format_message(info, reading.warning);
}

/// Called for each row of blocks of a file with several scans.
inline void on_jpeg_progress(j_common_ptr info) {
  auto& reading = JpegReading::of(info);
  const auto& decoder = reading.info;
  if (decoder.input_scan_number == reading.last_scan) return;
  reading.last_scan = decoder.input_scan_number;
  reading.visits += std::int64_t{decoder.MCUs_per_row} * decoder.MCU_rows_in_scan *
                    std::max(decoder.blocks_in_MCU, 1);
  if (reading.visits > reading.most_visits) reading.fail(kTooManyScans);
  for (int i = 0; i < decoder.comps_in_scan; ++i) {
    reading.seen_colours |= 1u << decoder.cur_comp_info[i]->component_index;
  }
}

/// The file's end, for ever.
inline boolean on_jpeg_end(j_decompress_ptr info) {
  static constexpr JOCTET kEnd[] = {0xff, JPEG_EOI};
  JpegReading::of(reinterpret_cast<j_common_ptr>(info)).has_ended = true;
  info->src->next_input_byte = kEnd;
  info->src->bytes_in_buffer = sizeof kEnd;
  return TRUE;
}

inline void skip_jpeg_bytes(j_decompress_ptr info, long count) {
  if (count <= 0) return;
  auto& source = *info->src;
  if (static_cast<std::size_t>(count) > source.bytes_in_buffer) {
    on_jpeg_end(info);
  } else {
    source.next_input_byte += count;
    source.bytes_in_buffer -= static_cast<std::size_t>(count);
  }
}

/// Reads the header and begins to decode. @return whether that worked; `problem` says why not.
inline bool start_reading_jpeg(JpegReading& reading, std::string_view bytes) {
  auto& info = reading.info;
  info.err = jpeg_std_error(&reading.errors);
  reading.errors.error_exit = &on_jpeg_error;
  reading.errors.emit_message = &on_jpeg_message;
  info.client_data = &reading;
  if (setjmp(reading.back) != 0) return false;
  jpeg_create_decompress(&info);
  info.client_data = &reading;
  reading.source.next_input_byte = reinterpret_cast<const JOCTET*>(bytes.data());
  reading.source.bytes_in_buffer = bytes.size();
  reading.source.init_source = [](j_decompress_ptr) {};
  reading.source.term_source = [](j_decompress_ptr) {};
  reading.source.fill_input_buffer = &on_jpeg_end;
  reading.source.skip_input_data = &skip_jpeg_bytes;
  reading.source.resync_to_restart = &jpeg_resync_to_restart;
  info.src = &reading.source;
  reading.progress.progress_monitor = &on_jpeg_progress;
  info.progress = &reading.progress;
  jpeg_read_header(&info, TRUE);
  info.out_color_space = info.num_components == 1   ? JCS_GRAYSCALE
                         : info.num_components == 4 ? JCS_CMYK
                                                    : JCS_RGB;
  return true;
}

/// A row of inks or greys -> RGB. Inks are stored inverted, as Adobe does; libjpeg-turbo's own
/// tools read every JPEG of four inks so, whether it has Adobe's marker or not.
inline void jpeg_row_to_rgb(const JSAMPLE* row, int channels, std::int64_t width,
                            std::uint8_t* out) {
  for (std::int64_t x = 0; x < width; ++x, row += channels, out += 3) {
    for (int c = 0; c < 3; ++c) {
      out[c] = channels == 1 ? row[0] : static_cast<std::uint8_t>((row[c] * row[3] + 127) / 255);
    }
  }
}

/// Has libjpeg make less than the whole picture, where it can: its blocks from one row and one
/// column of blocks before the window to one column behind it, since colours that are stored
/// coarser are interpolated between neighbours. What is passed over is read, but not transformed.
inline void narrow_jpeg([[maybe_unused]] JpegReading& reading,
                        [[maybe_unused]] const Window& window) {
#ifdef LIBJPEG_TURBO_VERSION_NUMBER
  auto& info = reading.info;
  const JDIMENSION block_width = DCTSIZE * static_cast<JDIMENSION>(info.max_h_samp_factor);
  const JDIMENSION block_height = DCTSIZE * static_cast<JDIMENSION>(info.max_v_samp_factor);
  const auto from = static_cast<JDIMENSION>(window.left);
  const auto to = static_cast<JDIMENSION>(window.right());
  reading.left = from - std::min(from, block_width);
  reading.width = std::min(info.output_width, to + block_width) - reading.left;
  if (reading.width < info.output_width) {
    jpeg_crop_scanline(&info, &reading.left, &reading.width);
  }
  const auto rows = static_cast<JDIMENSION>(window.top) / block_height;
  if (rows > 1) jpeg_skip_scanlines(&info, (rows - 1) * block_height);
#endif
}

/// Decodes a window into `out`. @param row  room for a whole row of four samples a pixel
inline bool read_jpeg_rows(JpegReading& reading, const Window& window, std::uint8_t* out,
                           JSAMPLE* row) {
  auto& info = reading.info;
  if (setjmp(reading.back) != 0) return false;
  jpeg_start_decompress(&info);
  reading.width = info.output_width;
  if (!jpeg_has_multiple_scans(&info)) narrow_jpeg(reading, window);
  const auto stride = static_cast<std::size_t>(window.width) * 3;
  const bool is_direct = info.output_components == 3 && window.width == reading.width;
  while (info.output_scanline < window.bottom()) {
    const bool is_wanted = info.output_scanline >= window.top;
    auto* target = out + (is_wanted ? stride * (info.output_scanline - window.top) : 0);
    JSAMPROW into = is_wanted && is_direct ? target : row;
    if (jpeg_read_scanlines(&info, &into, 1) != 1) reading.fail("its data end early");
    if (!is_wanted || is_direct) continue;
    const auto* from = row + (window.left - reading.left) * info.output_components;
    if (info.output_components == 3) {
      std::memcpy(target, from, stride);
    } else {
      jpeg_row_to_rgb(from, info.output_components, window.width, target);
    }
  }
  return true;
}

/// Looks for what stands behind the pixels; whatever it is, they have been read.
inline void finish_reading_jpeg(JpegReading& reading) {
  if (setjmp(reading.back) != 0) return;
  jpeg_finish_decompress(&reading.info);
}

/// Whether a progressive file has ended before its colours had all their bits.
inline bool lacks_refinement(const jpeg_decompress_struct& info) {
  if (info.coef_bits == nullptr) return false;
  for (int c = 0; c < info.num_components; ++c) {
    for (int k = 0; k < DCTSIZE2; ++k) {
      if (info.coef_bits[c][k] != 0) return true;
    }
  }
  return false;
}

/// Of a file with several scans all is decoded.
inline at::Tensor decode_jpeg_part(std::string_view bytes, PictureHeader& header,
                                   const ImageLimits& limits, const Window& window) {
  JpegReading reading;
  reading.most_visits = most_jpeg_block_visits(bytes.size());
  const auto check = [&](bool worked) {
    if (worked) return;
    TORCH_CHECK(!reading.has_ended, "the file is cut short at byte ", bytes.size());
    limpid::fail("it is damaged (", reading.problem, ")");
  };
  check(start_reading_jpeg(reading, bytes));
  auto& info = reading.info;
  TORCH_CHECK(static_cast<std::int64_t>(info.image_height) == header.height &&
                  static_cast<std::int64_t>(info.image_width) == header.width,
              "it is damaged (two sizes)");
  const auto count = header.height * header.width;
  const bool has_scans = jpeg_has_multiple_scans(&info) != FALSE;
  // All coefficients, two bytes each, are kept until the last scan.
  check_memory(bytes.size(), count * (3 + (has_scans ? 2 * header.facts.channels : 0)), limits);
  const auto made = has_scans ? Window::whole(header.height, header.width) : window;
  auto pixels = at::empty({made.height, made.width, 3}, at::kByte);
  // Into an aligned row libjpeg-turbo writes past the processor's caches, from which it is copied.
  std::vector<JSAMPLE> row(4 * static_cast<std::size_t>(header.width) + 1);
  check(read_jpeg_rows(reading, made, pixels.data_ptr<std::uint8_t>(), row.data() + 1));
  if (has_scans) {
    TORCH_CHECK(!reading.has_ended || !lacks_refinement(info), "the file is cut short at byte ",
                bytes.size());
    TORCH_CHECK(reading.seen_colours == (1u << info.num_components) - 1,
                "it ends before all its colours came");
  }
  if (made.bottom() == header.height) finish_reading_jpeg(reading);
  if (reading.has_ended) {
    header.facts.losses.emplace_back("a JPEG without its end marker; its pixels are all there");
  } else if (reading.warning[0] != '\0') {
    header.facts.losses.emplace_back("a JPEG with damage that libjpeg reads over");
  }
  return cropped(pixels, window.seen_from(made));
}

inline at::Tensor decode_jpeg(std::string_view bytes, PictureHeader& header,
                              const ImageLimits& limits) {
  return decode_jpeg_part(bytes, header, limits, Window::whole(header.height, header.width));
}

inline constexpr auto kDecodeJpegPart = &decode_jpeg_part;
inline constexpr bool kJpegWritesGrey = true;

struct JpegWriting : JpegSession {
  jpeg_compress_struct info{};
  unsigned char* made = nullptr;
  unsigned long size = 0;

  ~JpegWriting() {
    jpeg_destroy_compress(&info);
    std::free(made);
  }
};

/// Whether colours are as fine as the luma.
inline bool has_fine_colours(const PictureToWrite& picture) {
  if (picture.channels != 3) return false;
  return picture.sampling == ColourSampling::by_quality ? picture.quality > 90
                                                        : picture.sampling == ColourSampling::full;
}

inline bool write_jpeg(JpegWriting& writing, const PictureToWrite& picture) {
  auto& info = writing.info;
  info.err = jpeg_std_error(&writing.errors);
  writing.errors.error_exit = &on_jpeg_error;
  writing.errors.emit_message = [](j_common_ptr, int) {};
  info.client_data = &writing;
  if (setjmp(writing.back) != 0) return false;
  jpeg_create_compress(&info);
  info.client_data = &writing;
  jpeg_mem_dest(&info, &writing.made, &writing.size);
  info.image_height = static_cast<JDIMENSION>(picture.height);
  info.image_width = static_cast<JDIMENSION>(picture.width);
  info.input_components = picture.channels;
  info.in_color_space = picture.channels == 1 ? JCS_GRAYSCALE : JCS_RGB;
  jpeg_set_defaults(&info);
  jpeg_set_quality(&info, picture.quality, TRUE);
  info.optimize_coding = TRUE;
  if (has_fine_colours(picture)) {
    info.comp_info[0].h_samp_factor = 1;
    info.comp_info[0].v_samp_factor = 1;
  }
  jpeg_start_compress(&info, TRUE);
  const auto stride = static_cast<std::size_t>(picture.width) * picture.channels;
  while (info.next_scanline < info.image_height) {
    auto* row = const_cast<JSAMPLE*>(picture.samples + stride * info.next_scanline);
    jpeg_write_scanlines(&info, &row, 1);
  }
  jpeg_finish_compress(&info);
  return true;
}

inline std::string encode_jpeg(const PictureToWrite& picture) {
  JpegWriting writing;
  TORCH_CHECK(write_jpeg(writing, picture), writing.problem);
  return {reinterpret_cast<const char*>(writing.made), writing.size};
}

}  // namespace limpid::detail

#endif
