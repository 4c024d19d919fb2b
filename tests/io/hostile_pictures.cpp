#include <limpid/io/formats/png_chunks.hpp>
#include <limpid/io/image.hpp>
#include <limpid/io/stb.hpp>
#include <support/errors.hpp>
#include <support/fixtures.hpp>
#include <support/images.hpp>
#include <support/paths.hpp>

#include <torch/torch.h>
#include <boost/test/unit_test.hpp>

#include <chrono>
#include <filesystem>
#include <string>

namespace {

using limpid::Image;
using namespace limpid_test;
using namespace std::string_literals;

std::string error_of(const std::string& bytes) {
  return limpid_test::error_of([&] { return Image::decode(bytes, "x"); });
}

bool has_libjpeg() { return limpid::kJpeg.decoder == "libjpeg"; }

/// A JPEG whose tables know one code only, a zero: each block of zero bits is 128 throughout.
std::string flat_jpeg(int width, int height, int colours, int scans, const std::string& data,
                      const std::string& segments = {}, int frame = 0xc0) {
  const auto table = [](int kind) {
    return jpeg_segment(
        0xc4, std::string(1, static_cast<char>(kind << 4)) + '\1' + std::string(16, '\0'));
  };
  auto shape = "\x08"s + big_endian(static_cast<std::uint64_t>(height), 2) +
               big_endian(static_cast<std::uint64_t>(width), 2) + static_cast<char>(colours);
  auto scan = std::string(1, static_cast<char>(colours));
  for (int c = 1; c <= colours; ++c) {
    shape += std::string{static_cast<char>(c), '\x11', '\0'};
    scan += std::string{static_cast<char>(c), '\0'};
  }
  scan += frame == 0xc0 ? "\0\x3f\0"s : "\0\0\0"s;
  auto file = "\xff\xd8" + segments + jpeg_segment(0xdb, '\0' + std::string(64, '\1')) +
              jpeg_segment(frame, shape) + table(0) + table(1);
  for (int i = 0; i < scans; ++i) file += jpeg_segment(0xda, scan) + data;
  return file + "\xff\xd9";
}

std::string adobe_segment(int transform) {
  return jpeg_segment(0xee, "Adobe\0\x64\0\0\0\0"s + static_cast<char>(transform));
}

/// Ends soon, whatever it says.
std::string quick_error_of(const std::string& bytes) {
  const auto began = std::chrono::steady_clock::now();
  auto error = error_of(bytes);
  BOOST_TEST(std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count() < 2.0);
  return error;
}

BOOST_AUTO_TEST_SUITE(hostile_pictures)

BOOST_AUTO_TEST_CASE(scans_without_end_are_refused_at_once) {
  BOOST_TEST(quick_error_of(flat_jpeg(65500, 1500, 1, 10'000, "")) != "no error");
  BOOST_TEST(quick_error_of(flat_jpeg(65500, 1500, 1, 10'000, "", {}, 0xc2)) != "no error");
  // Each scan with all its data, so that nothing ends early.
  const auto many = flat_jpeg(4000, 4000, 1, 400, std::string(250 * 125, '\0'), {}, 0xc2);
  BOOST_TEST(quick_error_of(many.substr(0, 1'000'000)) != "no error");
}

BOOST_AUTO_TEST_CASE(a_profile_that_unpacks_to_more_than_profiles_have_is_left_out) {
  const auto bomb = "name\0\0"s + limpid::detail::packed(std::string(100'000'000, '\0'));
  auto png = picture(4, 4).encoded("png");
  png.insert(33, limpid_test::png_chunk("iCCP", bomb));
  const auto read = Image::decode(png, "x");
  BOOST_TEST(read.facts().colour_profile.empty());
  BOOST_TEST(read.facts().losses.size() == 1u);
}

BOOST_AUTO_TEST_CASE(hundreds_of_profiles_are_unpacked_once) {
  const auto bomb = limpid_test::png_chunk(
      "iCCP", "name\0\0"s + limpid::detail::packed(std::string(4'000'000, '\0')));
  std::string many;
  while (many.size() < 1'000'000) many += bomb;
  auto png = picture(4, 4).encoded("png");
  png.insert(33, many);
  BOOST_TEST(quick_error_of(png) == "no error");
  BOOST_TEST(Image::decode(png, "x").facts().losses.size() == 1u);
}

BOOST_AUTO_TEST_CASE(more_than_a_hundred_megapixels_pass_and_a_small_file_of_gigabytes_does_not) {
  const auto rows = limpid::detail::packed(std::string(1501 * 9000, '\0'));
  const auto png = [&](std::uint32_t width, std::uint32_t height, int bits, int colour) {
    return "\x89PNG\r\n\x1a\n" +
           limpid_test::png_chunk("IHDR", big_endian(width, 4) + big_endian(height, 4) +
                                              std::string{static_cast<char>(bits),
                                                          static_cast<char>(colour), 0, 0, 0}) +
           limpid_test::png_chunk("IDAT", rows) + limpid_test::png_chunk("IEND", "");
  };
  const auto header = limpid::detail::read_picture_header(png(12000, 9000, 1, 0), {}).second;
  BOOST_TEST(header.width == 12000);
  const auto error = error_of(png(19000, 19000, 16, 6));
  BOOST_TEST(error.find("bytes of memory, expected at most " +
                        std::to_string(limpid::ImageLimits{}.max_bytes_of_small_file) +
                        " for a file below 1 MiB") != std::string::npos,
             error);
  BOOST_TEST(error_of(png(30000, 30000, 8, 2)).find("exceed the limit of 400000000") !=
             std::string::npos);
  const auto allowed = limpid::ImageLimits::up_to(900'000'000);
  BOOST_TEST(limpid::detail::read_picture_header(png(30000, 30000, 8, 2), allowed).second.height ==
             30000);
}

BOOST_AUTO_TEST_CASE(four_inks_are_read_as_libjpegs_own_tools_do_or_refused) {
  const auto samples = [](const std::string& bytes) {
    return static_cast<int>(Image::decode(bytes, "x").data()[0]);
  };
  // 128 of each ink, inverted or not, is a grey of 64.
  BOOST_TEST(samples(flat_jpeg(8, 8, 4, 1, "\0"s, adobe_segment(0))) == 64);
  BOOST_TEST(samples(flat_jpeg(8, 8, 4, 1, "\0"s, adobe_segment(2))) == 64);
  const auto unnamed = flat_jpeg(8, 8, 4, 1, "\0"s);
  if (has_libjpeg()) {
    BOOST_TEST(samples(unnamed) == 64);
  } else {
    BOOST_TEST(error_of(unnamed) ==
               "cannot read image 'x': a JPEG of four inks that does not say which (no Adobe "
               "marker); a build with libjpeg reads it");
  }
}

BOOST_AUTO_TEST_CASE(odd_fillings_and_tails_of_jpegs_are_read_over) {
  const auto original = picture(64, 80);
  const auto plain =
      limpid::detail::encode_jpeg_with_stb(original.data(), 64, 80, 3, 80);  // usual tables
  const auto truth = Image::decode(plain, "x");
  const auto with_tail = [&](const std::string& tail) {
    return plain.substr(0, plain.size() - 2) + tail + "\xff\xd9";
  };
  const auto frame = plain.find("\xff\xc0");
  auto filled = plain;
  filled.insert(frame, "\xff\xff\xff");
  auto junk = plain;
  junk.insert(plain.find("\xff\xc4", frame), std::string(3, '\0'));
  for (const auto& bytes :
       {with_tail("\xff\xd1"), with_tail(std::string(2047, '\x55') + "\xff\xd1"),
        with_tail("\xff\0\xff\0\xff\0"s), plain + "behind the end", filled, junk}) {
    const auto read = Image::decode(bytes, "x");
    const auto apart = (read.pixels().to(torch::kInt) - truth.pixels().to(torch::kInt)).abs();
    BOOST_TEST(apart.max().item<int>() <= 1);
  }
  if (!has_libjpeg()) return;
  const auto endless = Image::decode(plain.substr(0, plain.size() - 2), "x");
  BOOST_TEST((endless == truth));
  BOOST_TEST(endless.facts().losses ==
             std::vector<std::string>{"a JPEG without its end marker; its pixels are all there"});
  auto without_tables = plain;
  for (auto at = without_tables.find("\xff\xc4"); at != std::string::npos;
       at = without_tables.find("\xff\xc4")) {
    const auto length = static_cast<unsigned char>(without_tables[at + 2]) * 256 +
                        static_cast<unsigned char>(without_tables[at + 3]);
    without_tables.erase(at, 2 + static_cast<std::size_t>(length));
  }
  BOOST_TEST((Image::decode(without_tables, "x") == truth));
}

BOOST_AUTO_TEST_CASE(a_jpeg_that_ends_within_its_data_is_an_error) {
  const auto whole = picture(64, 80).encoded("jpg");
  const auto scan = whole.find("\xff\xda");
  for (auto size = scan + 14; size + 40 < whole.size(); size += 37) {
    BOOST_TEST(error_of(whole.substr(0, size)) ==
               "cannot read image 'x': the file is cut short at byte " + std::to_string(size));
    // With an end marker, but without the data.
    if (has_libjpeg()) {
      BOOST_TEST(
          (size > whole.size() / 2 || error_of(whole.substr(0, size) + "\xff\xd9") != "no error"));
    }
  }
}

BOOST_AUTO_TEST_CASE(the_reported_pictures_are_read_as_they_look) {
  const auto cases = limpid_test::source_folder() / "../shared/cases/jpeg";
  if (!available(cases)) return;
  int read = 0;
  for (const auto& entry : std::filesystem::directory_iterator{cases}) {
    if (entry.path().extension() != ".jpg") continue;
    const auto found = Image::load(entry.path()).unit();
    const auto truth =
        Image::load(cases / "truth" / (entry.path().stem().string() + ".png")).unit();
    const auto psnr = -10 * (found - truth).square().mean().log10().item<double>();
    // stb_image's own transform differs by a level here and there.
    BOOST_TEST(psnr > (has_libjpeg() ? 60 : 45), entry.path().string() << ": " << psnr << " dB");
    ++read;
  }
  BOOST_TEST(read > 0);
}

BOOST_AUTO_TEST_SUITE_END()
}  // namespace
