#include <limpid/io/lazy_image.hpp>
#include <support/errors.hpp>
#include <support/images.hpp>
#include <support/jpegs.hpp>
#include <support/temporary_folder.hpp>

#include <torch/torch.h>
#include <boost/test/unit_test.hpp>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace {

using limpid::Image, limpid::LazyImage, limpid::Window;
using namespace limpid_test;
using namespace std::string_literals;

/// A PNG whose rows are random bytes behind random filters, packed and cut into several chunks.
std::string random_png(std::uint32_t width, std::uint32_t height, int depth, int colour,
                       const std::string& chunks_before = {}) {
  auto random = limpid::Random::stream(width, {height, static_cast<std::uint64_t>(depth + colour)});
  const int samples = colour == 2 ? 3 : colour == 4 ? 2 : colour == 6 ? 4 : 1;
  std::string rows;
  for (std::uint32_t y = 0; y < height; ++y) {
    rows += static_cast<char>(random.below(5));
    for (std::size_t i = 0; i < (width * samples * depth + 7) / 8; ++i) {
      rows += static_cast<char>(random.below(random.chance(0.9) ? 8 : 256));
    }
  }
  auto file = "\x89PNG\r\n\x1a\n" +
              png_chunk("IHDR", big_endian(width, 4) + big_endian(height, 4) +
                                    std::string{static_cast<char>(depth), static_cast<char>(colour),
                                                0, 0, 0}) +
              chunks_before;
  auto packed = limpid::detail::packed(rows);
  for (std::size_t size = 1; !packed.empty(); size = 3 * size + 1) {
    const auto length = std::min(size, packed.size());
    file += png_chunk("IDAT", packed.substr(0, length)) + png_chunk("IDAT", "");
    packed.erase(0, length);
  }
  return file + png_chunk("IEND", "");
}

std::string palette() {
  std::string colours;
  for (int i = 0; i < 256; ++i) colours += {static_cast<char>(i * 7), static_cast<char>(i), '\x40'};
  return png_chunk("PLTE", colours);
}

/// Files of all formats, and of what they differ in.
std::vector<std::pair<std::string, std::string>> files_of_all_kinds() {
  const auto photo = picture(61, 83);
  limpid::PictureFacts grey_facts;
  grey_facts.channels = 1;
  grey_facts.is_grey = true;
  const auto grey =
      Image{photo.pixels().narrow(2, 0, 1).expand({-1, -1, 3})}.with_facts(grey_facts);
  std::vector<std::pair<std::string, std::string>> files{
      {"PNG", photo.encoded("png")},
      {"grey PNG", grey.encoded("png")},
      {"JPEG with coarse colours", photo.encoded("jpg", 80)},
      {"JPEG", photo.encoded("jpg", 95)},
      {"grey JPEG", grey.encoded("jpg")},
      {"progressive JPEG", progressive_jpeg()},
      {"BMP", photo.encoded("bmp")},
      {"PPM", photo.encoded("ppm")},
      {"PGM", grey.encoded("pgm")},
      {"PPM of 16 bits", "P6\n7 5\n65535\n" + std::string(photo.encoded("ppm"), 20, 210)},
      {"PPM up to 17", "P6\n7 5\n17\n" + std::string(105, '\x09')}};
  if (limpid::detail::format_written_as(".webp") != nullptr) {
    files.emplace_back("WebP", photo.encoded("webp"));
    files.emplace_back("lossless WebP", photo.encoded("webp", 100));
  }
  for (const auto& [depth, colour] : std::vector<std::pair<int, int>>{{1, 0},
                                                                      {4, 0},
                                                                      {8, 0},
                                                                      {16, 0},
                                                                      {8, 2},
                                                                      {16, 2},
                                                                      {2, 3},
                                                                      {8, 3},
                                                                      {8, 4},
                                                                      {16, 4},
                                                                      {8, 6},
                                                                      {16, 6}}) {
    files.emplace_back(
        "PNG of " + std::to_string(depth) + " bits, colour type " + std::to_string(colour),
        random_png(45, 38, depth, colour, colour == 3 ? palette() : ""));
  }
  files.emplace_back("PNG with a transparent colour",
                     random_png(30, 20, 8, 2, png_chunk("tRNS", "\0\1\0\2\0\3"s)));
  files.emplace_back("PNG wider than what is unpacked at once", random_png(40'000, 3, 8, 2));
  for (auto& kind : jpegs_of_all_kinds()) files.push_back(std::move(kind));
  return files;
}

/// Windows at corners, at edges and anywhere, the whole and single pixels among them.
std::vector<Window> some_windows(std::int64_t height, std::int64_t width) {
  std::vector<Window> windows{Window::whole(height, width),
                              {0, 0, 1, 1},
                              {height - 1, width - 1, 1, 1},
                              {height / 2, 0, height - height / 2, width},
                              {0, width / 2, height, 1}};
  auto random = limpid::Random::stream(5, {static_cast<std::uint64_t>(height * width)});
  for (int i = 0; i < 25; ++i) {
    const auto top = random.below(height), left = random.below(width);
    windows.push_back({top, left, 1 + random.below(height - top), 1 + random.below(width - left)});
  }
  return windows;
}

std::string text(const Window& window) {
  return std::to_string(window.height) + " x " + std::to_string(window.width) + " at " +
         std::to_string(window.top) + ", " + std::to_string(window.left);
}

BOOST_AUTO_TEST_SUITE(picture_parts)

BOOST_AUTO_TEST_CASE(a_part_of_a_file_is_that_part_of_the_picture) {
  TemporaryFolder folder;
  const auto path = folder / "file";
  for (const auto& [kind, bytes] : files_of_all_kinds()) {
    write_bytes(path, bytes);
    const auto whole = Image::load(path);
    for (const auto& window : some_windows(whole.height(), whole.width())) {
      const auto part = Image::load_part(path, window);
      BOOST_TEST((part == whole.crop(window)), kind << ": " << text(window));
      BOOST_TEST(part.facts().channels == whole.facts().channels);
    }
  }
}

BOOST_AUTO_TEST_CASE(a_part_of_a_turned_picture_is_a_part_of_what_a_person_sees) {
  TemporaryFolder folder;
  const auto path = folder / "file";
  const auto photo = picture(40, 52);
  const auto jpeg = photo.encoded("jpg", 80);
  for (int orientation = 1; orientation <= 8; ++orientation) {
    auto png = photo.encoded("png");
    // Behind the pixels, where the specification allows it too.
    png.insert(png.size() - 12, png_chunk("eXIf", exif_segment(orientation).substr(10)));
    for (const auto& bytes : {with_segment(jpeg, exif_segment(orientation)), png}) {
      write_bytes(path, bytes);
      const auto whole = Image::load(path);
      BOOST_TEST(whole.height() == (orientation < 5 ? 40 : 52));
      BOOST_TEST(whole.facts().orientation == orientation);
      const auto lazy = LazyImage::open(path);
      for (const auto& window : some_windows(whole.height(), whole.width())) {
        BOOST_TEST((Image::load_part(path, window) == whole.crop(window)));
        BOOST_TEST((lazy.part(window) == whole.crop(window)));
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(pixels_of_pngs_are_those_that_the_library_decodes) {
  for (const auto colour : {0, 2, 4, 6}) {
    for (const std::uint32_t width : {1, 2, 17, 300}) {
      const auto bytes = random_png(width, 400, 8, colour);
      auto header = limpid::detail::read_png_header(bytes, {});
      auto same_header = header;
      BOOST_REQUIRE(limpid::detail::plain_png_data(bytes, header).has_value());
      const auto ours = limpid::detail::decode_png(bytes, header, {});
      const auto theirs = limpid::detail::decode_png_by_library(bytes, same_header, {});
      BOOST_TEST(ours.equal(theirs), "colour type " << colour << ", width " << width);
      BOOST_TEST(header.facts.losses == same_header.facts.losses, boost::test_tools::per_element());
    }
  }
}

BOOST_AUTO_TEST_CASE(damage_matters_where_it_lies_above_the_end_of_the_part) {
  TemporaryFolder folder;
  const auto path = folder / "file";
  const auto error = [&](const std::string& bytes, const Window& window) {
    write_bytes(path, bytes);
    auto text = error_of([&] { Image::load_part(path, window); });
    const auto prefix = "cannot read image '" + path.string() + "': ";
    return text.starts_with(prefix) ? text.substr(prefix.size()) : text;
  };
  const Window upper{0, 0, 10, 83}, lower{50, 0, 10, 83};
  // A filter that there is not, in a row of its own; chunks with their right checksums.
  const auto rows_with = [](std::size_t bad_row) {
    auto rows = std::string(61 * (1 + 3 * 83), '\0');
    rows[bad_row * (1 + 3 * 83)] = '\x05';
    return png_file(83, 61, 8, 2, rows);
  };
  BOOST_TEST(error(rows_with(30), upper) == "no error");
  BOOST_TEST(error(rows_with(30), lower) == "it is damaged (a filter that there is not)");
  BOOST_TEST(error(rows_with(5), upper) == "it is damaged (a filter that there is not)");
  const auto few_rows = png_file(83, 61, 8, 2, std::string(20 * (1 + 3 * 83), '\0'));
  BOOST_TEST(error(few_rows, upper) == "no error");
  BOOST_TEST(error(few_rows, lower) == "it is damaged (too few pixels)");
  // A checksum counts wherever it stands.
  auto changed = rows_with(60);
  changed[changed.size() - 20] ^= 1;
  BOOST_TEST(error(changed, upper) ==
             "it is damaged (the checksum of its chunk 'IDAT' does not hold)");
  if (limpid::kJpeg.decoder != "libjpeg") return;
  const auto jpeg = picture(400, 83).encoded("jpg");
  const auto cut = jpeg.substr(0, jpeg.size() / 2);
  BOOST_TEST(error(cut, upper) == "no error");
  BOOST_TEST(error(cut, {380, 0, 10, 83}).find("cut short at byte") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(packed_data_of_pngs_that_are_damaged_never_crash) {
  const auto packed = limpid::detail::packed(std::string(61 * (1 + 3 * 83), '\3'));
  const auto file = random_png(83, 61, 8, 2);
  const auto first = file.find("IDAT");
  std::string data;
  for (auto at = first; at != file.npos; at = file.find("IDAT", at + 4)) {
    data += file.substr(at + 4, limpid::detail::ByteReader{file, at - 4}.big(4));
  }
  const auto before = file.substr(0, first - 4);
  std::int64_t refused = 0;
  auto random = limpid::Random::stream(3, {1});
  for (int round = 0; round < 2000; ++round) {
    auto changed = round % 2 == 0 ? data : packed;
    for (auto flips = 1 + random.below(3); flips > 0; --flips) {
      const auto size = static_cast<std::int64_t>(changed.size());
      changed[static_cast<std::size_t>(random.below(size))] = static_cast<char>(random.below(256));
    }
    const auto bytes = before + png_chunk("IDAT", changed) + png_chunk("IEND", "");
    try {
      BOOST_TEST(Image::decode(bytes, "x").height() == 61);
    } catch (const c10::Error& error) {
      ++refused;
    }
  }
  BOOST_TEST(refused > 500);
}

BOOST_AUTO_TEST_CASE(a_part_has_the_errors_and_limits_of_the_whole) {
  TemporaryFolder folder;
  const auto path = folder / "file.png";
  const auto same = [&](const limpid::ImageLimits& limits = {}) {
    const auto whole = error_of([&] { Image::load(path, limits); });
    BOOST_TEST(whole != "no error");
    BOOST_TEST(error_of([&] { Image::load_part(path, {0, 0, 1, 1}, limits); }) == whole);
    BOOST_TEST(error_of([&] { LazyImage::open(path, limits).part({0, 0, 1, 1}); }) == whole);
  };
  same();  // no file
  write_bytes(path, "words");
  same();
  write_bytes(path, picture(20, 30).encoded("png"));
  same({.max_pixels = 599});
  same({.max_file_bytes = 50});
  write_bytes(path, png_file(12000, 19000, 8, 2, "\0"s));
  same();  // bytes that ask for gigabytes
  write_bytes(path, picture(20, 30).encoded("png"));
  const auto outside = "Image: expected a crop within 20 x 30, got 4 x 5 at (17, 1)";
  BOOST_TEST(value_error_of([&] { Image::load_part(path, {17, 1, 4, 5}); }) == outside);
  BOOST_TEST(value_error_of([&] { LazyImage::open(path).part({17, 1, 4, 5}); }) == outside);
  BOOST_TEST(value_error_of([&] {
               LazyImage{Image::load(path)}.within({17, 1, 4, 5});
             }) == outside);
}

BOOST_AUTO_TEST_CASE(a_lazy_image_is_a_file_or_a_picture_and_so_are_its_parts) {
  TemporaryFolder folder;
  const auto photo = picture(24, 31);
  save(photo, folder / "a.png");
  const auto file = LazyImage::open(folder / "a.png");
  std::filesystem::remove(folder / "a.png");  // it is open
  for (const auto& lazy : {file, LazyImage{photo}}) {
    BOOST_TEST(lazy.height() == 24);
    BOOST_TEST(lazy.width() == 31);
    BOOST_TEST((lazy.load() == photo));
    const auto middle = lazy.within({4, 5, 16, 20});
    BOOST_TEST(middle.height() == 16);
    BOOST_TEST((middle.load() == photo.crop(4, 5, 16, 20)));
    BOOST_TEST((middle.within({1, 2, 3, 4}).load() == photo.crop(5, 7, 3, 4)));
    BOOST_TEST(middle.is_same(lazy.within({4, 5, 16, 20})));
    BOOST_TEST(!middle.is_same(lazy));
  }
  BOOST_TEST(!file.is_same(LazyImage{photo}));
  BOOST_TEST(LazyImage{Image{}}.empty());
}

BOOST_AUTO_TEST_SUITE_END()
}  // namespace
