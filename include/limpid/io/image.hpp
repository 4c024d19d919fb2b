#pragma once

#include <limpid/io/atomic_file.hpp>
#include <limpid/io/image_gate.hpp>
#include <limpid/io/raw_images.hpp>
#include <limpid/io/stb.hpp>

#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>
#include <c10/util/Exception.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cerrno>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace limpid {

namespace detail {

inline std::string lower_extension(const std::filesystem::path& path) {
  auto extension = path.extension().string();
  for (auto& c : extension) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return extension;
}

/// Whether a file's name says that it is a picture limpid reads; hidden files are none.
inline bool has_image_name(const std::filesystem::path& path) {
  static constexpr std::array<std::string_view, 7> kExtensions{".png", ".jpg", ".jpeg", ".bmp",
                                                               ".pnm", ".ppm", ".pgm"};
  const auto extension = lower_extension(path);
  return path.filename().string().front() != '.' &&
         std::find(kExtensions.begin(), kExtensions.end(), extension) != kExtensions.end();
}

/// The bytes of a picture file.
inline std::string read_image_file(const std::filesystem::path& path, const ImageLimits& limits) {
  std::error_code error;
  TORCH_CHECK(!std::filesystem::is_directory(path, error), "it is a folder");
  errno = 0;
  std::ifstream stream{path, std::ios::binary};
  TORCH_CHECK(stream.is_open(), std::strerror(errno != 0 ? errno : EIO));
  stream.seekg(0, std::ios::end);
  const auto size = static_cast<std::int64_t>(stream.tellg());
  TORCH_CHECK(size >= 0, "it is no regular file");
  TORCH_CHECK(size <= limits.max_file_bytes, "its ", size, " bytes exceed the limit of ",
              limits.max_file_bytes);
  std::string bytes(static_cast<std::size_t>(size), '\0');
  stream.seekg(0);
  TORCH_CHECK(stream.read(bytes.data(), size), "its bytes cannot be read");
  return bytes;
}

/// Turns (H, W, 3) upright by an EXIF orientation: 2 ... 4 mirror or turn by 180 degrees, 5 ... 8
/// exchange the sides.
inline at::Tensor turn_upright(const at::Tensor& pixels, int orientation) {
  if (orientation == 1) return pixels;
  const auto height = pixels.size(0);
  const auto width = pixels.size(1);
  const bool exchanged = orientation >= 5;
  auto upright = at::empty({exchanged ? width : height, exchanged ? height : width, 3}, at::kByte);
  const auto* in = pixels.data_ptr<std::uint8_t>();
  auto* out = upright.data_ptr<std::uint8_t>();
  const bool from_bottom =
      orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7;
  const bool from_right =
      orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8;
  for (std::int64_t y = 0; y < upright.size(0); ++y) {
    for (std::int64_t x = 0; x < upright.size(1); ++x, out += 3) {
      auto row = exchanged ? x : y;
      auto column = exchanged ? y : x;
      if (from_bottom) row = height - 1 - row;
      if (from_right) column = width - 1 - column;
      std::copy_n(in + (row * width + column) * 3, 3, out);
    }
  }
  return upright;
}

/// Bytes that stb may take for a file of `size` bytes with this header.
inline std::size_t stb_budget_for(std::size_t size, const ImageHeader& header) {
  return (std::size_t{64} << 20) + 4 * size +
         32 * static_cast<std::size_t>(header.height * header.width);
}

/// Stops where the decoder failed or disagrees with the gate.
template <class Sample>
void check_decoded(const StbPixels<Sample>& decoded, const ImageHeader& header) {
  TORCH_CHECK(decoded.error.empty(), "it is damaged (", decoded.error, ")");
  TORCH_CHECK(decoded.height == header.height && decoded.width == header.width,
              "it is damaged (two sizes)");
}

/// The bytes of a picture file -> RGB (H, W, 3).
inline at::Tensor decode_image(std::string_view bytes, const ImageLimits& limits) {
  const auto format = recognise(bytes);
  if (format == ImageFormat::pnm) return decode_pnm(bytes, limits);
  if (format == ImageFormat::bmp) return decode_bmp(bytes, limits);
  const auto header =
      format == ImageFormat::png ? check_png(bytes, limits) : JpegGate{bytes, limits}.check();
  const auto decoded = decode_with_stb(bytes, stb_budget_for(bytes.size(), header));
  check_decoded(decoded, header);
  auto pixels = at::empty({header.height, header.width, 3}, at::kByte);
  std::memcpy(pixels.data_ptr<std::uint8_t>(), decoded.rgb.get(), pixels.nbytes());
  return turn_upright(pixels, header.orientation);
}

/// The weights of an antialiased linear resize along one side: output `i` reads `count` inputs from
/// `first` on.
struct ResizeTap {
  std::int64_t first = 0;
  std::vector<float> weights;
};

inline std::vector<ResizeTap> resize_taps(std::int64_t from, std::int64_t to) {
  const auto scale = static_cast<double>(from) / static_cast<double>(to);
  const auto reach = std::max(scale, 1.0);
  std::vector<ResizeTap> taps(static_cast<std::size_t>(to));
  for (std::int64_t i = 0; i < to; ++i) {
    auto& tap = taps[static_cast<std::size_t>(i)];
    const auto centre = (static_cast<double>(i) + 0.5) * scale;
    tap.first = std::max<std::int64_t>(0, static_cast<std::int64_t>(std::floor(centre - reach)));
    const auto last = std::min(from, static_cast<std::int64_t>(std::ceil(centre + reach)));
    double sum = 0;
    std::vector<double> weights;
    for (auto j = tap.first; j < last; ++j) {
      weights.push_back(
          std::max(0.0, 1 - std::abs((static_cast<double>(j) + 0.5 - centre) / reach)));
      sum += weights.back();
    }
    for (const auto weight : weights) tap.weights.push_back(static_cast<float>(weight / sum));
  }
  return taps;
}

/// Pixels of `channels` samples each, (H, W, channels), resized to `height` x `width`: linear,
/// antialiased where a side shrinks.
template <class Sample>
std::vector<float> resized_values(const Sample* values, std::int64_t from_height,
                                  std::int64_t from_width, std::int64_t channels,
                                  std::int64_t height, std::int64_t width) {
  const auto across = resize_taps(from_width, width);
  const auto down = resize_taps(from_height, height);
  std::vector<float> narrow(static_cast<std::size_t>(from_height * width * channels), 0.0f);
  for (std::int64_t y = 0; y < from_height; ++y) {
    for (std::int64_t x = 0; x < width; ++x) {
      const auto& tap = across[static_cast<std::size_t>(x)];
      const auto* in = values + (y * from_width + tap.first) * channels;
      auto* sums = narrow.data() + (y * width + x) * channels;
      for (const auto weight : tap.weights) {
        for (std::int64_t c = 0; c < channels; ++c) sums[c] += weight * static_cast<float>(*in++);
      }
    }
  }
  const auto row_size = width * channels;
  std::vector<float> result(static_cast<std::size_t>(height * row_size), 0.0f);
  for (std::int64_t y = 0; y < height; ++y) {
    const auto& tap = down[static_cast<std::size_t>(y)];
    const auto* in = narrow.data() + tap.first * row_size;
    auto* row = result.data() + y * row_size;
    for (const auto weight : tap.weights) {
      for (std::int64_t i = 0; i < row_size; ++i) row[i] += weight * *in++;
    }
  }
  return result;
}

}  // namespace detail

/// An 8-bit RGB picture.
///
/// A value that is cheap to copy: copies share their pixels, and nothing in limpid writes to the
/// pixels of an image that exists. Safe to use from several threads.
class Image {
 public:
  Image() = default;

  /// @param pixels  (H, W, 3) of bytes, 0 ... 255.
  /// @throws c10::ValueError if `pixels` has another shape or type.
  explicit Image(const at::Tensor& pixels) {
    TORCH_CHECK_VALUE(pixels.defined() && pixels.dim() == 3 && pixels.size(2) == 3 &&
                          pixels.scalar_type() == at::kByte && pixels.numel() > 0,
                      "Image: expected bytes (H, W, 3), got ", describe(pixels));
    pixels_ = pixels.detach().cpu().contiguous();
  }

  /// Reads a PNG, JPEG, BMP or binary PNM file: grey becomes RGB, alpha is dropped, 16 bits become
  /// 8, the EXIF orientation of a JPEG is applied. Safe for files of unknown origin.
  ///
  /// @throws c10::Error that names the file and what is wrong with it.
  static Image load(const std::filesystem::path& path, const ImageLimits& limits = {}) {
    try {
      return Image{detail::decode_image(detail::read_image_file(path, limits), limits)};
    } catch (const c10::Error& error) {
      TORCH_CHECK(false, "cannot read image '", path.string(),
                  "': ", error.what_without_backtrace());
    }
  }

  /// Reads a picture from the bytes of its file; `name` is what errors call it.
  static Image decode(std::string_view bytes, std::string_view name,
                      const ImageLimits& limits = {}) {
    try {
      TORCH_CHECK(static_cast<std::int64_t>(bytes.size()) <= limits.max_file_bytes, "its ",
                  bytes.size(), " bytes exceed the limit of ", limits.max_file_bytes);
      return Image{detail::decode_image(bytes, limits)};
    } catch (const c10::Error& error) {
      TORCH_CHECK(false, "cannot read image '", name, "': ", error.what_without_backtrace());
    }
  }

  /// @param unit  (3, H, W) or (1, 3, H, W); values are clamped to [0, 1] and rounded to bytes.
  /// @throws c10::ValueError if `unit` has another shape.
  static Image from_unit(const at::Tensor& unit) {
    const auto dim = unit.defined() ? unit.dim() : 0;
    TORCH_CHECK_VALUE((dim == 3 && unit.size(0) == 3 && unit.numel() > 0) ||
                          (dim == 4 && unit.size(0) == 1 && unit.size(1) == 3 && unit.numel() > 0),
                      "Image: expected (3, H, W) or (1, 3, H, W), got ", describe(unit));
    const auto values = unit.detach().to(at::kCPU, at::kFloat).contiguous();
    const auto height = values.size(dim - 2);
    const auto width = values.size(dim - 1);
    auto pixels = at::empty({height, width, 3}, at::kByte);
    const auto* in = values.data_ptr<float>();
    auto* out = pixels.data_ptr<std::uint8_t>();
    for (std::int64_t i = 0; i < height * width; ++i) {
      for (std::int64_t c = 0; c < 3; ++c) {
        const auto value = in[c * height * width + i];
        *out++ = value > 0 ? static_cast<std::uint8_t>(std::min(value, 1.0f) * 255.0f + 0.5f) : 0;
      }
    }
    return Image{pixels};
  }

  /// (1, 3, H, W) float in [0, 1].
  at::Tensor unit() const {
    check_not_empty("unit");
    auto values = at::empty({1, 3, height(), width()}, at::kFloat);
    const auto count = height() * width();
    const auto* in = data();
    auto* out = values.data_ptr<float>();
    for (std::int64_t i = 0; i < count; ++i) {
      for (std::int64_t c = 0; c < 3; ++c) {
        out[c * count + i] = static_cast<float>(in[3 * i + c]) / 255.0f;
      }
    }
    return values;
  }

  /// (H, W, 3) bytes, contiguous; undefined where the image is empty. Not to be written to.
  const at::Tensor& pixels() const { return pixels_; }

  /// The first byte of the first pixel.
  const std::uint8_t* data() const { return pixels_.data_ptr<std::uint8_t>(); }

  bool empty() const { return !pixels_.defined(); }
  std::int64_t height() const { return empty() ? 0 : pixels_.size(0); }
  std::int64_t width() const { return empty() ? 0 : pixels_.size(1); }

  /// The part of `height` x `width` pixels whose first pixel is (top, left).
  /// @throws c10::ValueError if it does not lie within the image.
  Image crop(std::int64_t top, std::int64_t left, std::int64_t height, std::int64_t width) const {
    TORCH_CHECK_VALUE(top >= 0 && left >= 0 && height >= 1 && width >= 1 &&
                          height <= this->height() && width <= this->width() &&
                          top <= this->height() - height && left <= this->width() - width,
                      "Image: expected a crop within ", this->height(), " x ", this->width(),
                      ", got ", height, " x ", width, " at (", top, ", ", left, ")");
    auto part = at::empty({height, width, 3}, at::kByte);
    auto* out = part.data_ptr<std::uint8_t>();
    for (std::int64_t y = 0; y < height; ++y) {
      std::copy_n(data() + ((top + y) * this->width() + left) * 3, width * 3, out + y * width * 3);
    }
    return Image{part};
  }

  /// Shrunk so that its longer side has at most `long_side` pixels; itself where it has no more.
  Image shrunk_to(std::int64_t long_side) const {
    check_not_empty("shrunk_to");
    const auto longest = std::max(height(), width());
    if (longest <= long_side) return *this;
    const auto scaled = [&](std::int64_t side) {
      return std::max<std::int64_t>(1, (side * long_side + longest / 2) / longest);
    };
    return resized(scaled(height()), scaled(width()));
  }

  /// Resized to `height` x `width`: linear, antialiased where it shrinks.
  Image resized(std::int64_t height, std::int64_t width) const {
    check_not_empty("resized");
    TORCH_CHECK_VALUE(height >= 1 && width >= 1, "Image: expected a size of at least 1 x 1, got ",
                      height, " x ", width);
    if (height == this->height() && width == this->width()) return *this;
    const auto values =
        detail::resized_values(data(), this->height(), this->width(), 3, height, width);
    auto result = at::empty({height, width, 3}, at::kByte);
    auto* out = result.data_ptr<std::uint8_t>();
    for (const auto value : values) {
      *out++ = static_cast<std::uint8_t>(std::clamp(value + 0.5f, 0.0f, 255.0f));
    }
    return Image{result};
  }

  /// The bytes of a picture file. `format` is png, jpeg, bmp or pnm (PPM).
  std::string encoded(ImageFormat format, int jpeg_quality = 95) const {
    check_not_empty("encoded");
    TORCH_CHECK_VALUE(jpeg_quality >= 1 && jpeg_quality <= 100,
                      "Image: expected a JPEG quality in 1 ... 100, got ", jpeg_quality);
    TORCH_CHECK_VALUE(height() <= 65535 && width() <= 65535 && height() * width() <= 600'000'000,
                      "Image: ", height(), " x ", width(), " pixels are too many for a file");
    const auto h = static_cast<int>(height());
    const auto w = static_cast<int>(width());
    switch (format) {
      case ImageFormat::png:
        return detail::encode_png(data(), h, w);
      case ImageFormat::jpeg:
        return detail::encode_jpeg(data(), h, w, jpeg_quality);
      case ImageFormat::bmp:
        return detail::encode_bmp(data(), h, w);
      case ImageFormat::pnm:
        return detail::encode_ppm(data(), h, w);
    }
    return {};
  }

  /// Writes a file atomically; its extension (png, jpg, jpeg, bmp, ppm) says which kind.
  ///
  /// @throws c10::ValueError for another extension, c10::Error if the file cannot be written.
  void save(const std::filesystem::path& path, int jpeg_quality = 95) const {
    const auto extension = detail::lower_extension(path);
    auto format = ImageFormat::png;
    if (extension == ".jpg" || extension == ".jpeg") {
      format = ImageFormat::jpeg;
    } else if (extension == ".bmp") {
      format = ImageFormat::bmp;
    } else if (extension == ".ppm") {
      format = ImageFormat::pnm;
    } else {
      TORCH_CHECK_VALUE(extension == ".png", "cannot write image '", path.string(),
                        "': expected an extension png, jpg, jpeg, bmp or ppm, got '", extension,
                        "'");
    }
    const auto bytes = encoded(format, jpeg_quality);
    TORCH_CHECK(!bytes.empty(), "cannot write image '", path.string(), "': out of memory");
    write_atomically(path, bytes);
  }

  /// Whether both have the same size and the same pixels.
  friend bool operator==(const Image& a, const Image& b) {
    if (a.height() != b.height() || a.width() != b.width()) return false;
    return a.empty() || std::equal(a.data(), a.data() + a.pixels_.numel(), b.data());
  }

 private:
  static std::string describe(const at::Tensor& tensor) {
    if (!tensor.defined()) return "an undefined tensor";
    std::string text = c10::toString(tensor.scalar_type());
    text += " (";
    for (std::int64_t i = 0; i < tensor.dim(); ++i) {
      text += (i > 0 ? ", " : "") + std::to_string(tensor.size(i));
    }
    return text + ")";
  }

  void check_not_empty(const char* what) const {
    TORCH_CHECK_VALUE(!empty(), "Image: ", what, "() of an empty image");
  }

  at::Tensor pixels_;
};

/// The pictures in a folder by their extensions (png, jpg, jpeg, bmp, pnm, ppm, pgm), sorted by
/// name. Hidden files and subfolders are left out.
///
/// @throws c10::Error if the folder is missing, is no folder, cannot be read or holds no picture.
inline std::vector<std::filesystem::path> list_images(const std::filesystem::path& folder) {
  namespace fs = std::filesystem;
  std::error_code error;
  const auto status = fs::status(folder, error);
  TORCH_CHECK(fs::exists(status), "cannot list images in '", folder.string(),
              "': ", error ? error.message() : "No such file or directory");
  TORCH_CHECK(fs::is_directory(status), "cannot list images in '", folder.string(),
              "': expected a folder, found a file");
  std::vector<fs::path> images;
  fs::directory_iterator entry{folder, error};
  for (; !error && entry != fs::directory_iterator{}; entry.increment(error)) {
    std::error_code ignored;
    if (detail::has_image_name(entry->path()) && !entry->is_directory(ignored)) {
      images.push_back(entry->path());
    }
  }
  TORCH_CHECK(!error, "cannot list images in '", folder.string(), "': ", error.message());
  TORCH_CHECK(!images.empty(), "cannot list images in '", folder.string(),
              "': found no PNG, JPEG, BMP or PNM file");
  std::sort(images.begin(), images.end());
  return images;
}

}  // namespace limpid
