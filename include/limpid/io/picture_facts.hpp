#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace limpid {

/// What a picture's file said beside its pixels, as far as it matters to who writes it again.
struct PictureFacts {
  std::string_view format;  ///< "PNG", "JPEG" ...; empty for a picture that was made in memory
  int channels = 3;         ///< of the file: 1 grey, 3 colours, 4 inks (alpha is not counted)
  bool is_grey = false;     ///< each pixel's three values are equal
  int bits = 8;             ///< of a sample in the file
  int orientation = 1;      ///< EXIF's, 1 ... 8, in the file; `Image` has been turned upright
  int jpeg_quality = 0;     ///< of a JPEG, 1 ... 100, as libjpeg counts; 0: not said
  std::string exif;         ///< EXIF data (a TIFF structure) of the picture upright; empty: none
  bool exif_says_adobe_rgb = false;  ///< as cameras do without a colour profile
  std::string colour_profile;        ///< an ICC profile; empty where there is none
  std::string png_colours;           ///< gAMA, cHRM, sRGB and cICP of a PNG, whole chunks
  bool is_beyond_srgb = false;       ///< `png_colours` say something else than sRGB
  std::vector<std::string> losses;   ///< what reading left out or had to guess, one phrase each
};

/// The beginning of a picture file: its size as stored, and what else it says.
struct PictureHeader {
  std::int64_t height = 0;
  std::int64_t width = 0;
  bool has_alpha = false;
  bool comes_in_passes = false;  ///< interlaced or progressive
  PictureFacts facts;
};

}  // namespace limpid
