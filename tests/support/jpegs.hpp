#pragma once

#include <limpid/io/image.hpp>
#include <support/images.hpp>

#include <string>
#include <utility>
#include <vector>

#if LIMPID_WITH_JPEG
#include <cstdio>
#include <cstdlib>

#include <jpeglib.h>
#endif

namespace limpid_test {

#if LIMPID_WITH_JPEG

/// What JPEGs differ in.
struct JpegShape {
  J_COLOR_SPACE space = JCS_YCbCr;
  int across = 1, down = 1;  ///< how many times finer than the other colours the first is stored
  int restart_rows = 0;
  bool is_progressive = false;
};

inline std::string jpeg_of_shape(const limpid::Image& image, const JpegShape& shape) {
  jpeg_compress_struct info{};
  jpeg_error_mgr errors{};
  info.err = jpeg_std_error(&errors);
  jpeg_create_compress(&info);
  unsigned char* made = nullptr;
  unsigned long size = 0;
  jpeg_mem_dest(&info, &made, &size);
  info.image_height = static_cast<JDIMENSION>(image.height());
  info.image_width = static_cast<JDIMENSION>(image.width());
  const bool is_ink = shape.space == JCS_CMYK || shape.space == JCS_YCCK;
  info.input_components = is_ink ? 4 : shape.space == JCS_GRAYSCALE ? 1 : 3;
  info.in_color_space = is_ink ? JCS_CMYK : shape.space == JCS_GRAYSCALE ? JCS_GRAYSCALE : JCS_RGB;
  jpeg_set_defaults(&info);
  jpeg_set_colorspace(&info, shape.space);
  info.comp_info[0].h_samp_factor = shape.across;
  info.comp_info[0].v_samp_factor = shape.down;
  info.restart_in_rows = shape.restart_rows;
  if (shape.is_progressive) jpeg_simple_progression(&info);
  jpeg_start_compress(&info, TRUE);
  const auto channels = static_cast<std::size_t>(info.input_components);
  std::vector<JSAMPLE> row(channels * static_cast<std::size_t>(image.width()));
  while (info.next_scanline < info.image_height) {
    const auto* pixel = image.data() + 3 * image.width() * info.next_scanline;
    for (std::size_t i = 0; i < row.size(); ++i) {
      const auto channel = i % channels;
      row[i] = pixel[3 * (i / channels) + channel % 3];
    }
    auto* start = row.data();
    jpeg_write_scanlines(&info, &start, 1);
  }
  jpeg_finish_compress(&info);
  jpeg_destroy_compress(&info);
  std::string bytes{reinterpret_cast<char*>(made), size};
  std::free(made);
  return bytes;
}

/// Every coarseness of colours that cameras and programs write, inks, grey, restart markers, scans.
inline std::vector<std::pair<std::string, std::string>> jpegs_of_all_kinds() {
  const auto photo = picture(131, 157);
  std::vector<std::pair<std::string, std::string>> files;
  const auto add = [&](const std::string& name, const JpegShape& shape) {
    files.emplace_back("JPEG, " + name, jpeg_of_shape(photo, shape));
  };
  for (const auto& [across, down] :
       std::vector<std::pair<int, int>>{{1, 1}, {2, 1}, {1, 2}, {2, 2}, {4, 1}, {4, 2}, {1, 4}}) {
    const auto name = std::to_string(across) + " x " + std::to_string(down);
    add(name, {.across = across, .down = down});
    add(name + " with restarts", {.across = across, .down = down, .restart_rows = 1});
    add(name + ", progressive", {.across = across, .down = down, .is_progressive = true});
  }
  add("grey", {.space = JCS_GRAYSCALE});
  add("grey with a coarseness", {.space = JCS_GRAYSCALE, .across = 2, .down = 2});
  add("inks", {.space = JCS_CMYK});
  add("inks as YCCK, 2 x 2", {.space = JCS_YCCK, .across = 2, .down = 2});
  add("RGB", {.space = JCS_RGB});
  return files;
}

#else

inline std::vector<std::pair<std::string, std::string>> jpegs_of_all_kinds() { return {}; }

#endif

}  // namespace limpid_test
