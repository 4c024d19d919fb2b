#include <limpid/core/random.hpp>
#include <limpid/io/formats/jpeg_gate.hpp>
#include <limpid/io/image.hpp>
#include <support/errors.hpp>
#include <support/fixtures.hpp>
#include <support/images.hpp>

#include <torch/torch.h>
#include <boost/test/unit_test.hpp>

#include <unistd.h>
#include <filesystem>
#include <iostream>
#include <string>
#include <vector>

namespace {

using limpid::Image, limpid::ImageLimits;
using namespace limpid_test;
namespace fs = std::filesystem;

const auto readable = limpid::readable_formats();

std::string decoding_error(const std::string& bytes, const ImageLimits& limits = {}) {
  return error_of([&] { Image::decode(bytes, "x", limits); });
}

std::vector<int> pixel(const Image& image, std::int64_t y, std::int64_t x) {
  const auto* at = image.data() + (y * image.width() + x) * 3;
  return {at[0], at[1], at[2]};
}

double largest_difference(const Image& a, const Image& b) {
  return (a.pixels().to(torch::kFloat) - b.pixels().to(torch::kFloat)).abs().max().item<double>();
}

BOOST_AUTO_TEST_SUITE(image)

BOOST_AUTO_TEST_CASE(lossless_files_give_back_every_pixel) {
  TemporaryFolder folder;
  const auto written = picture(13, 22);
  for (const auto* name : {"a.png", "a.bmp", "a.ppm", "A.PNG"}) {
    written.save(folder / name);
    BOOST_TEST((Image::load(folder / name) == written), name);
  }
  BOOST_TEST(!(picture(13, 22, 1) == written));
  BOOST_TEST(!(written.crop(0, 0, 13, 21) == written));
}

BOOST_AUTO_TEST_CASE(jpeg_files_come_close_and_quality_matters) {
  TemporaryFolder folder;
  const auto written = picture(40, 56);
  written.save(folder / "a.jpg");
  written.save(folder / "b.jpeg", 20);
  BOOST_TEST(largest_difference(Image::load(folder / "a.jpg"), written) < 8);
  BOOST_TEST(fs::file_size(folder / "b.jpeg") < fs::file_size(folder / "a.jpg"));
}

BOOST_AUTO_TEST_CASE(grey_becomes_rgb_alpha_is_dropped_and_16_bits_become_8) {
  using namespace std::string_literals;
  const auto grey16 = Image::decode(png_file(2, 1, 16, 0, "\0\x12\x34\xff\xee"s), "x");
  BOOST_TEST(pixel(grey16, 0, 0) == std::vector<int>({0x12, 0x12, 0x12}));
  BOOST_TEST(pixel(grey16, 0, 1) == std::vector<int>({0xff, 0xff, 0xff}));
  const auto rgba = Image::decode(png_file(1, 1, 8, 6, "\0\x01\x02\x03\0"s), "x");
  BOOST_TEST(pixel(rgba, 0, 0) == std::vector<int>({1, 2, 3}));
  const auto palette = Image::decode(
      png_file(3, 1, 1, 3, "\0\xa0"s, png_chunk("PLTE", "\x0a\x0b\x0c\x14\x15\x16"s)), "x");
  BOOST_TEST(pixel(palette, 0, 0) == std::vector<int>({20, 21, 22}));
  BOOST_TEST(pixel(palette, 0, 1) == std::vector<int>({10, 11, 12}));
  const auto pgm = Image::decode("P5 # a comment\n2 1\n15\n\x01\x0f"s, "x");
  BOOST_TEST(pixel(pgm, 0, 0) == std::vector<int>({17, 17, 17}));
  BOOST_TEST(pixel(pgm, 0, 1) == std::vector<int>({255, 255, 255}));
  const auto ppm16 = Image::decode("P6\n1 1\n65535\n\0\0\x80\x80\xff\xff"s, "x");
  BOOST_TEST(pixel(ppm16, 0, 0) == std::vector<int>({0, 128, 255}));
  const auto progressive = Image::decode(progressive_jpeg(), "x");
  BOOST_TEST(pixel(progressive, 3, 3) == std::vector<int>({226, 226, 226}));
  BOOST_TEST(pixel(progressive, 3, 12) == std::vector<int>({128, 128, 128}));
}

BOOST_AUTO_TEST_CASE(reads_palettes_and_masks_of_bmp) {
  using namespace std::string_literals;
  const auto header = [](int height, int bits, int compression, int offset) {
    const auto number = [](int value, int count) {
      const auto bytes = big_endian(static_cast<std::uint32_t>(value), count);
      return std::string{bytes.rbegin(), bytes.rend()};
    };
    return "BM" + number(0, 8) + number(offset, 4) + number(40, 4) + number(2, 4) +
           number(height, 4) + number(1, 2) + number(bits, 2) + number(compression, 4) +
           std::string(20, '\0');
  };
  const auto two = "\x01\x02\x03\0\x04\x05\x06\0"s;
  const auto palette = Image::decode(header(1, 1, 0, 62) + two + "\x40\0\0\0"s, "x");
  BOOST_TEST(pixel(palette, 0, 0) == std::vector<int>({3, 2, 1}));
  BOOST_TEST(pixel(palette, 0, 1) == std::vector<int>({6, 5, 4}));
  const auto masks = "\0\xf8\0\0\xe0\x07\0\0\x1f\0\0\0"s;  // 5, 6, 5 bits
  const auto rgb565 = Image::decode(header(1, 16, 3, 66) + masks + "\0\xf8\xff\x07"s, "x");
  BOOST_TEST(pixel(rgb565, 0, 0) == std::vector<int>({255, 0, 0}));
  BOOST_TEST(pixel(rgb565, 0, 1) == std::vector<int>({0, 255, 255}));
  const auto top_down =
      Image::decode(header(-2, 32, 0, 54) + "\1\2\3\0\1\2\3\0"s + "\4\5\6\0\4\5\6\0"s, "x");
  BOOST_TEST(pixel(top_down, 0, 0) == std::vector<int>({3, 2, 1}));
  BOOST_TEST(pixel(top_down, 1, 1) == std::vector<int>({6, 5, 4}));
  BOOST_TEST(decoding_error(header(1, 8, 1, 54) + "\0\0\0\0"s) ==
             "cannot read image 'x': a kind of BMP that is not supported (8 bits, compression 1)");
}

BOOST_AUTO_TEST_CASE(the_orientation_of_a_jpeg_is_applied) {
  const auto stored = picture(16, 32);
  const auto jpeg = stored.encoded("jpg");
  const auto plain = Image::decode(jpeg, "x").pixels();
  const auto turned = [&](int orientation, bool big) {
    return Image::decode(with_segment(jpeg, exif_segment(orientation, big)), "x").pixels();
  };
  const std::vector<at::Tensor> expected{plain,
                                         plain.flip({1}),
                                         plain.flip({0, 1}),
                                         plain.flip({0}),
                                         plain.transpose(0, 1),
                                         torch::rot90(plain, -1, {0, 1}),
                                         plain.transpose(0, 1).flip({0, 1}),
                                         torch::rot90(plain, 1, {0, 1})};
  for (int orientation = 1; orientation <= 8; ++orientation) {
    for (const bool big : {true, false}) {
      BOOST_TEST(torch::equal(turned(orientation, big),
                              expected[static_cast<std::size_t>(orientation - 1)]),
                 "orientation " << orientation);
    }
  }
  BOOST_TEST(torch::equal(turned(9, true), plain));
}

BOOST_AUTO_TEST_CASE(unit_values_round_to_the_nearest_byte) {
  const auto values = torch::tensor({-1.0, 0.0, 0.4999 / 255, 0.5001 / 255, 1.0, 3.0});
  const auto made = Image::from_unit(values.view({1, 1, 1, 6}).expand({1, 3, 1, 6}));
  const std::vector<int> expected{0, 0, 0, 1, 255, 255};
  for (std::int64_t x = 0; x < 6; ++x) {
    BOOST_TEST(pixel(made, 0, x)[2] == expected[static_cast<std::size_t>(x)]);
  }
  const auto original = picture(5, 9);
  BOOST_TEST(original.unit().sizes() == torch::IntArrayRef({1, 3, 5, 9}));
  BOOST_TEST((Image::from_unit(original.unit()) == original));
  BOOST_TEST((Image::from_unit(original.unit()[0]) == original));
}

BOOST_AUTO_TEST_CASE(values_that_are_not_finite_are_no_picture) {
  for (const auto value :
       {std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity(),
        -std::numeric_limits<double>::infinity()}) {
    auto values = torch::full({3, 2, 2}, 0.5);
    values[1][1][0] = value;
    BOOST_TEST(value_error_of([&] { Image::from_unit(values); }) ==
               "Image: expected finite values, got NaN or infinity");
  }
}

// A picture that can be read can be kept: no decoded width is too much for a PNG.
BOOST_AUTO_TEST_CASE(a_picture_as_wide_as_any_that_is_read_can_be_written) {
  const Image wide{torch::full({1, limpid::detail::kMaxImageSide, 3}, 7, torch::kByte)};
  for (const std::string kind : {"png", "ppm", "bmp"}) {
    if (kind == "png" && limpid::kPng.decoder == "stb_image") continue;  // it reads 65535 a side
    BOOST_TEST((Image::decode(wide.encoded(kind), kind) == wide), kind);
  }
}

BOOST_AUTO_TEST_CASE(what_a_format_cannot_hold_is_known_before_any_work) {
  const std::string text =
      "cannot write image 'x.jpg': 65501 x 1 pixels are too many for a JPEG file, which takes "
      "65500 a side";
  BOOST_TEST(value_error_of([] { Image::check_can_be_saved("x.jpg", 1, 65501); }) == text);
  const Image wide{torch::full({1, 65501, 3}, 7, torch::kByte)};
  BOOST_TEST(value_error_of([&] { wide.encoded_for("x.jpg"); }) == text);
  Image::check_can_be_saved("x.jpg", 65500, 1);
  Image::check_can_be_saved("x.png", 1, 65501);
  BOOST_TEST(value_error_of([] { Image::check_can_be_saved("x.bmp", 30'000, 30'000); }) ==
             "cannot write image 'x.bmp': 30000 x 30000 pixels are too many for a BMP file, which "
             "takes 600000000");
}

BOOST_AUTO_TEST_CASE(what_is_encoded_is_written_later) {
  TemporaryFolder folder;
  const auto file = picture(4, 6).encoded_for(folder / "a.png");
  BOOST_TEST(!std::filesystem::exists(folder / "a.png"));
  file.write();
  BOOST_TEST((Image::load(folder / "a.png") == picture(4, 6)));
}

BOOST_AUTO_TEST_CASE(crops_and_resizes) {
  const auto original = picture(12, 20);
  const auto part = original.crop(3, 4, 5, 6);
  BOOST_TEST(torch::equal(part.pixels(), original.pixels().narrow(0, 3, 5).narrow(1, 4, 6)));
  BOOST_TEST((original.resized(12, 20) == original));
  for (const auto& size : {std::pair{7, 31}, std::pair{5, 6}, std::pair{24, 40}}) {
    const auto ours = original.resized(size.first, size.second);
    const auto theirs =
        at::_upsample_bilinear2d_aa(original.unit(), {size.first, size.second}, false);
    BOOST_TEST(largest_difference(ours, Image::from_unit(theirs)) <= 1);
  }
}

BOOST_AUTO_TEST_CASE(shrinks_until_it_fits_and_keeps_its_proportions) {
  const auto size = [](const Image& image) { return std::pair{image.height(), image.width()}; };
  const auto original = picture(30, 80);
  BOOST_TEST((size(original.shrunk_into(15, 80)) == std::pair<std::int64_t, std::int64_t>{15, 40}));
  BOOST_TEST((size(original.shrunk_into(90, 40)) == std::pair<std::int64_t, std::int64_t>{15, 40}));
  BOOST_TEST((size(original.shrunk_into(1, 1)) == std::pair<std::int64_t, std::int64_t>{1, 1}));
  BOOST_TEST((original.shrunk_into(30, 80) == original));
  BOOST_TEST((original.shrunk_into(31, 200) == original));
  BOOST_TEST((original.shrunk_to(40) == original.shrunk_into(40, 40)));
  BOOST_TEST((original.shrunk_to(80) == original));
  for (std::int64_t side = 1; side < 80; ++side) {
    const auto small = original.shrunk_into(side, 2 * side);
    BOOST_TEST(small.height() <= side);
    BOOST_TEST(small.width() <= 2 * side);
    BOOST_TEST((side >= 30 || small.height() == side || small.width() == 2 * side));
  }
}

BOOST_AUTO_TEST_CASE(misuse_is_named) {
  BOOST_TEST(error_of([] {
               Image{torch::zeros({2, 2, 3})};
             }) == "Image: expected bytes (H, W, 3), got Float (2, 2, 3)");
  BOOST_TEST(error_of([] {
               Image::from_unit(torch::zeros({2, 3, 4, 4}));
             }) == "Image: expected (3, H, W) or (1, 3, H, W), got Float (2, 3, 4, 4)");
  BOOST_TEST(error_of([] { picture(4, 6).crop(2, 0, 3, 3); }) ==
             "Image: expected a crop within 4 x 6, got 3 x 3 at (2, 0)");
  BOOST_TEST(error_of([] { Image{}.unit(); }) == "Image: unit() of an empty image");
  BOOST_TEST(error_of([] { picture(4, 6).save("x.gif"); }) ==
             "cannot write image 'x.gif': expected an extension " +
                 limpid::detail::writable_extensions() + ", got '.gif'");
  BOOST_TEST(error_of([] { picture(4, 6).save("/nonexistent/x.png"); }) ==
             "cannot write '/nonexistent/x.png': No such file or directory");
}

BOOST_AUTO_TEST_CASE(files_that_are_no_pictures_are_named) {
  TemporaryFolder folder;
  const auto load = [&](const std::string& name) {
    return error_of([&] { Image::load(folder / name); });
  };
  const auto start = "cannot read image '" + (folder / "").string();
  write_bytes(folder / "notes.jpg", "These are words.\n");
  BOOST_TEST(load("notes.jpg") ==
             start + "notes.jpg': expected a " + readable + " file, found a text file");
  write_bytes(folder / "empty.png", "");
  BOOST_TEST(load("empty.png") ==
             start + "empty.png': expected a " + readable + " file, found an empty file");
  write_bytes(folder / "a.png", "GIF89a........");
  BOOST_TEST(load("a.png") == start + "a.png': expected a " + readable + " file, found a GIF file");
  write_bytes(folder / "text.ppm", "P3\n1 1\n255\n1 2 3\n");
  BOOST_TEST(load("text.ppm") ==
             start + "text.ppm': expected a " + readable +
                 " file, found a PNM file that is not binary PGM or PPM (P5, P6)");
  BOOST_TEST(load("none.png") == start + "none.png': No such file or directory");
  fs::create_directory(folder / "sub.png");
  BOOST_TEST(load("sub.png") == start + "sub.png': it is a folder");
}

BOOST_AUTO_TEST_CASE(a_file_without_read_permission_is_named) {
  TemporaryFolder folder;
  picture(4, 4).save(folder / "a.png");
  fs::permissions(folder / "a.png", fs::perms::none);
  if (::geteuid() == 0) {
    std::cout << "SKIPPED image/a_file_without_read_permission_is_named: root reads every file\n";
    return;
  }
  BOOST_TEST(error_of([&] { Image::load(folder / "a.png"); }) ==
             "cannot read image '" + (folder / "a.png").string() + "': Permission denied");
}

BOOST_AUTO_TEST_CASE(every_truncation_is_an_error) {
  using namespace std::string_literals;
  const auto original = picture(9, 11);
  const std::vector<std::string> files{
      original.encoded("png"), original.encoded("jpg"),
      original.encoded("bmp"), original.encoded("ppm"),
      progressive_jpeg(),      with_segment(original.encoded("jpg"), exif_segment(6))};
  for (const auto& file : files) {
    BOOST_TEST(decoding_error(file) == "no error");
    // libjpeg reads a JPEG that lacks nothing but its end marker, and says so.
    const bool may_lack_its_end = limpid::kJpeg.decoder == "libjpeg" && file[1] == '\xd8';
    for (std::size_t size = 0; size < file.size() - (may_lack_its_end ? 2 : 0); ++size) {
      const auto error = decoding_error(file.substr(0, size));
      const bool cut =
          error == "cannot read image 'x': the file is cut short at byte " + std::to_string(size);
      BOOST_TEST((cut || size < 3), "cut at " << size << ": " << error);
      BOOST_TEST(error != "no error");
    }
  }
}

BOOST_AUTO_TEST_CASE(pictures_that_are_too_large_are_refused_before_they_are_decoded) {
  using namespace std::string_literals;
  const auto too_large = [](const std::string& size) {
    return "cannot read image 'x': its " + size + " pixels exceed the limit of 400000000";
  };
  BOOST_TEST(decoding_error(png_file(60000, 60000, 8, 2, "\0"s)) == too_large("60000 x 60000"));
  BOOST_TEST(decoding_error(png_file(0xffffffff, 1, 8, 2, "\0"s)) == too_large("4294967295 x 1"));
  BOOST_TEST(decoding_error("P6\n60000 60000\n255\n"s) == too_large("60000 x 60000"));
  auto jpeg = picture(8, 8).encoded("jpg");
  const auto frame = jpeg.find("\xff\xc0");
  jpeg.replace(frame + 5, 4, "\xff\xff\xff\xff");
  BOOST_TEST(decoding_error(jpeg) == too_large("65535 x 65535"));
  auto bmp = picture(8, 8).encoded("bmp");
  bmp.replace(18, 8, "\xff\xff\0\0\xff\xff\0\0"s);
  BOOST_TEST(decoding_error(bmp) == too_large("65535 x 65535"));
  bmp.replace(22, 4, "\0\0\0\x80"s);  // a height whose negative is no int
  BOOST_TEST(decoding_error(bmp).find("exceed the limit") != std::string::npos);

  const auto png = picture(10, 10).encoded("png");
  BOOST_TEST(decoding_error(png, {.max_pixels = 99}) ==
             "cannot read image 'x': its 10 x 10 pixels exceed the limit of 99");
  BOOST_TEST(decoding_error(png, {.max_file_bytes = 50}).find("bytes exceed the limit of 50") !=
             std::string::npos);
  // A large picture whose few bytes of data are not enough: an error, and no wait.
  const auto empty = decoding_error(png_file(9000, 9000, 1, 0, "\0"s));
  BOOST_TEST(empty.find("cannot read image 'x': it is damaged (") == 0u, empty);
  // A few bytes that ask for gigabytes.
  const auto bomb = decoding_error(png_file(19000, 19000, 16, 6, "\0"s));
  BOOST_TEST(bomb.find("its 69 bytes ask for ") != std::string::npos, bomb);
  BOOST_TEST(bomb.find("for a file below 1 MiB") != std::string::npos, bomb);
}

BOOST_AUTO_TEST_CASE(hostile_huffman_tables_are_refused_wherever_they_stand) {
  // The gate stands before stb_image; libjpeg minds its tables itself.
  const auto gate = [](const std::string& bytes) {
    return error_of([&] { limpid::detail::JpegGate(bytes, {}).cleaned(); });
  };
  const auto refused = "a malformed Huffman table";
  const auto jpeg = picture(16, 16).encoded("jpg");
  const auto evil = evil_huffman_segment();
  BOOST_TEST(gate(with_segment(jpeg, evil)) == refused);
  BOOST_TEST(gate(jpeg.substr(0, jpeg.size() - 2) + evil + jpeg.substr(jpeg.size() - 2)) ==
             refused);
  BOOST_TEST(gate(progressive_jpeg(evil)) == refused);
  BOOST_TEST(gate(progressive_jpeg(std::string(3, '\xff') + evil)) == refused);  // fill bytes
  // Three codes of one bit; a table that is longer than its segment.
  auto counts = std::string(16, '\0');
  counts[0] = 3;
  BOOST_TEST(gate(with_segment(jpeg, jpeg_segment(0xc4, '\0' + counts + "abc"))) == refused);
  counts[0] = 1;
  BOOST_TEST(gate(with_segment(jpeg, jpeg_segment(0xc4, '\0' + counts))).find("cut short") !=
             std::string::npos);
  // A table that a scan names and no segment defines.
  auto undefined = jpeg;
  const auto scan = undefined.find("\xff\xda");
  undefined[scan + 6] = '\x33';
  BOOST_TEST(gate(undefined) == "a JPEG scan without its Huffman table");
  BOOST_TEST(decoding_error(undefined) != "no error");
  // The same bytes inside a comment are no table.
  BOOST_TEST(gate(with_segment(jpeg, jpeg_segment(0xfe, evil))) == "no error");
}

BOOST_AUTO_TEST_CASE(damaged_files_never_crash) {
  const auto original = picture(17, 23);
  const std::vector<std::string> files{
      original.encoded("png"),
      original.encoded("jpg"),
      original.encoded("jpg", 30),
      original.encoded("bmp"),
      original.encoded("ppm"),
      progressive_jpeg(),
      with_segment(original.encoded("jpg"), exif_segment(6)),
      png_file(5, 5, 1, 3, std::string(10, '\0'), png_chunk("PLTE", "abcdef"))};
  std::int64_t read = 0;
  std::int64_t refused = 0;
  for (std::size_t f = 0; f < files.size(); ++f) {
    auto random = limpid::Random::stream(7, {f});
    for (int round = 0; round < 3000; ++round) {
      auto bytes = files[f];
      for (auto flips = 1 + random.below(4); flips > 0; --flips) {
        // Half of the flips hit the headers.
        const auto span =
            random.chance(0.5) ? std::min<std::size_t>(bytes.size(), 200) : bytes.size();
        const auto at = static_cast<std::size_t>(random.below(static_cast<std::int64_t>(span)));
        bytes[at] = static_cast<char>(random.below(256));
      }
      try {
        const auto image = Image::decode(bytes, "x", {.max_pixels = 1 << 20});
        BOOST_REQUIRE(image.height() * image.width() <= 1 << 20);
        ++read;
      } catch (const c10::Error&) {
        ++refused;
      }
    }
  }
  BOOST_TEST(read > 1000);
  BOOST_TEST(refused > 1000);
}

BOOST_AUTO_TEST_CASE(reads_real_photographs) {
  if (!available(data_folder() / "kodak")) return;
  const auto kodak = Image::load(data_folder() / "kodak" / "kodim01.png");
  BOOST_TEST(kodak.height() == 512);
  BOOST_TEST(kodak.width() == 768);
  const auto frame = Image::load(data_folder() / "frames" / "00000.jpg");
  BOOST_TEST(frame.height() == 240);
  BOOST_TEST(frame.width() == 432);
}

BOOST_AUTO_TEST_SUITE_END()
}  // namespace
