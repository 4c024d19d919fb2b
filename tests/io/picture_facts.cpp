#include <limpid/io/formats/png_chunks.hpp>
#include <limpid/io/formats/webp_container.hpp>
#include <limpid/io/image.hpp>
#include <limpid/io/picture_facts.hpp>
#include <support/images.hpp>

#include <torch/torch.h>
#include <boost/test/unit_test.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace {

using limpid::Image, limpid::PictureFacts, limpid::PictureLosses;
using namespace limpid_test;
using namespace std::string_literals;

/// A profile as far as limpid looks at it: its size, colour space and signature.
std::string profile(const std::string& space, std::size_t size) {
  auto bytes = big_endian(size, 4) + std::string(size - 4, 'p');
  bytes.replace(16, 4, space);
  bytes.replace(36, 4, "acsp");
  return bytes;
}

Image with_profile(const Image& image, const std::string& bytes) {
  PictureFacts facts;
  facts.colour_profile = bytes;
  return image.with_facts(facts);
}

std::string with_png_chunk(std::string png, const std::string& type, const std::string& content) {
  return png.insert(33, limpid_test::png_chunk(type, content));
}

bool writes_webp() { return limpid::detail::format_written_as(".webp") != nullptr; }

std::vector<std::string> formats_with_profiles() {
  std::vector<std::string> extensions{"png", "jpg"};
  if (writes_webp()) extensions.push_back("webp");
  return extensions;
}

/// The channels that a file has.
int channels_of(const std::string& bytes) { return Image::decode(bytes, "x").facts().channels; }

using Losses = std::vector<std::string>;

Losses losses_of(const std::string& bytes) { return Image::decode(bytes, "x").facts().losses; }

std::string little(std::uint64_t value, int count) {
  const auto bytes = big_endian(value, count);
  return {bytes.rbegin(), bytes.rend()};
}

/// What a BMP's header of version 5 says of colours.
struct BmpColours {
  std::string kind = "\0\0\0\0"s;   ///< of the colour space, as it stands in the file
  std::vector<double> primaries{};  ///< x and y of red, green and blue
  double gamma = 0;
  std::uint32_t profile_at = 0, profile_size = 0;
};

using Masks = std::array<std::uint32_t, 4>;  // red, green, blue, alpha

/// A BMP of one pixel.
std::string bmp(int bits, const Masks& masks, std::uint32_t pixel, const BmpColours& colours = {}) {
  auto header = little(124, 4) + little(1, 4) + little(1, 4) + little(1, 2) +
                little(static_cast<std::uint64_t>(bits), 2) + little(3, 4) + std::string(20, '\0');
  for (const auto mask : masks) header += little(mask, 4);
  header += colours.kind;
  for (std::size_t i = 0; i < 6; i += 2) {
    const bool is_said = !colours.primaries.empty();
    const auto x = is_said ? colours.primaries[i] : 0, y = is_said ? colours.primaries[i + 1] : 0;
    for (const auto value : {x, y, is_said ? 1 - x - y : 0}) {
      header += little(static_cast<std::uint64_t>(value * (1 << 30)), 4);
    }
  }
  for (int i = 0; i < 3; ++i) {
    header += little(static_cast<std::uint64_t>(colours.gamma * 65536), 4);
  }
  header +=
      little(4, 4) + little(colours.profile_at, 4) + little(colours.profile_size, 4) + little(0, 4);
  return "BM" + little(14 + 124 + 4, 4) + little(0, 4) + little(14 + 124, 4) + header +
         little(pixel, 4);
}

/// EXIF data with a camera's directory, which names a colour space and an interoperability index.
std::string camera_exif(int colour_space, const std::string& index, bool big) {
  const auto number = [&](std::uint64_t value, int count) {
    return big ? big_endian(value, count) : little(value, count);
  };
  const auto pointer = [&](int tag, int to) {
    return number(static_cast<std::uint64_t>(tag), 2) + number(4, 2) + number(1, 4) +
           number(static_cast<std::uint64_t>(to), 4);
  };
  return (big ? "MM" : "II") + number(42, 2) + number(8, 4) +  //
         number(1, 2) + pointer(0x8769, 26) + number(0, 4) +   // from 8
         number(2, 2) + number(0xa001, 2) + number(3, 2) + number(1, 4) +
         number(static_cast<std::uint64_t>(colour_space), 2) + number(0, 2) + pointer(0xa005, 56) +
         number(0, 4) +  // from 26
         number(1, 2) + number(1, 2) + number(2, 2) + number(4, 4) + index + "\0"s + number(0, 4);
}

BOOST_AUTO_TEST_SUITE(picture_facts)

BOOST_AUTO_TEST_CASE(a_colour_profile_survives_reading_and_writing_in_each_format_that_has_one) {
  for (const auto& extension : formats_with_profiles()) {
    for (const std::size_t size : {128, 3144, 65519, 200'001}) {
      const auto written = profile("RGB ", size);
      const auto bytes = with_profile(picture(12, 20), written).encoded(extension);
      const auto read = Image::decode(bytes, "x");
      BOOST_TEST((read.facts().colour_profile == written), extension << " " << size);
      BOOST_TEST(read.facts().losses.empty());
      for (const auto& other : formats_with_profiles()) {
        const auto again = Image::decode(read.encoded(other), "x");
        BOOST_TEST((again.facts().colour_profile == written), extension << " to " << other);
      }
      BOOST_TEST((read.crop(0, 0, 5, 5).facts().colour_profile == written));
      BOOST_TEST((read.shrunk_to(10).facts().colour_profile == written));
      const auto restored = Image::from_unit(read.unit()).with_facts(read.facts());
      BOOST_TEST(
          (Image::decode(restored.encoded(extension), "x").facts().colour_profile == written));
    }
  }
}

BOOST_AUTO_TEST_CASE(a_profile_that_is_damaged_or_of_other_colours_is_left_out_and_said) {
  auto wrong_size = profile("RGB ", 200);
  wrong_size[0] = '\x7f';
  for (const auto& bytes : {profile("GRAY", 200), "no profile"s, wrong_size}) {
    const auto content = "name\0\0"s + limpid::detail::packed(bytes);
    const auto read =
        Image::decode(with_png_chunk(picture(4, 4).encoded("png"), "iCCP", content), "x");
    BOOST_TEST(read.facts().colour_profile.empty());
    BOOST_REQUIRE(read.facts().losses.size() == 1u);
    BOOST_TEST(read.facts().losses[0] ==
               "a colour profile that is damaged or of other colours is left out");
  }
}

BOOST_AUTO_TEST_CASE(what_a_format_cannot_keep_is_said_once_with_a_count) {
  const TemporaryFolder folder;
  auto& losses = PictureLosses::of_process();
  losses.take_lines();
  const auto wide = with_profile(picture(4, 4), profile("RGB ", 200));
  wide.save(folder / "a.png");
  BOOST_TEST(losses.take_lines().empty());
  wide.save(folder / "a.bmp");
  wide.save(folder / "b.bmp");
  wide.save(folder / "a.ppm");
  const auto lines = losses.take_lines();
  BOOST_TEST(lines ==
             (std::vector<std::string>{"2 pictures: a colour profile is not kept in BMP files ('" +
                                           (folder / "a.bmp").string() + "' and others)",
                                       "'" + (folder / "a.ppm").string() +
                                           "': a colour profile is not kept in PNM files"}));
  BOOST_TEST(losses.take_lines().empty());
}

BOOST_AUTO_TEST_CASE(gamma_and_primaries_of_a_png_are_kept_in_a_png_and_missed_elsewhere) {
  const auto linear = with_png_chunk(picture(4, 4).encoded("png"), "gAMA", big_endian(100000, 4));
  const auto read = Image::decode(linear, "x");
  BOOST_TEST(read.facts().is_beyond_srgb);
  const auto again = Image::decode(read.encoded("png"), "x");
  BOOST_TEST(again.facts().is_beyond_srgb);
  BOOST_TEST((again.facts().png_colours == read.facts().png_colours));
  BOOST_TEST(limpid::detail::losses_of_writing(read.facts(), limpid::kPng).empty());
  BOOST_TEST(limpid::detail::losses_of_writing(read.facts(), limpid::kJpeg).size() == 1u);
  // sRGB's own gamma, or the word sRGB beside any, is nothing to miss.
  const auto usual = with_png_chunk(picture(4, 4).encoded("png"), "gAMA", big_endian(45455, 4));
  BOOST_TEST(!Image::decode(usual, "x").facts().is_beyond_srgb);
  BOOST_TEST(!Image::decode(with_png_chunk(linear, "sRGB", "\0"s), "x").facts().is_beyond_srgb);
}

BOOST_AUTO_TEST_CASE(a_grey_picture_is_written_grey_whatever_colours_it_was_given) {
  const auto grey = Image::decode(png_file(2, 2, 8, 0, "\0\x10\x80\0\xff\x40"s), "x");
  BOOST_TEST(grey.facts().is_grey);
  BOOST_TEST(grey.facts().channels == 1);
  const auto tinted = picture(8, 8).with_facts(grey.facts());
  BOOST_TEST(channels_of(tinted.encoded("png")) == 1);
  if (limpid::kJpeg.writes_grey) BOOST_TEST(channels_of(tinted.encoded("jpg")) == 1);
  BOOST_TEST(tinted.encoded("pgm").substr(0, 2) == "P5");
  for (const auto* extension : {"png", "jpg", "bmp", "ppm", "pgm"}) {
    BOOST_TEST(Image::decode(tinted.encoded(extension), "x").facts().is_grey, extension);
  }
  BOOST_TEST((Image::decode(grey.encoded("png"), "x") == grey));
  // Grey in a file of colours comes back grey in a file of colours.
  const auto equal = Image::decode(png_file(1, 1, 8, 2, "\0\x20\x20\x20"s), "x");
  BOOST_TEST(equal.facts().is_grey);
  BOOST_TEST(channels_of(picture(8, 8).with_facts(equal.facts()).encoded("png")) == 3);
  BOOST_TEST(!Image::decode(picture(8, 8).encoded("png"), "x").facts().is_grey);
  // What is made of a grey picture and has colours is written with them.
  BOOST_TEST(!picture(8, 8).with_colours_of(grey).facts().is_grey);
}

BOOST_AUTO_TEST_CASE(a_grey_profile_stays_with_a_grey_picture) {
  const auto written = profile("GRAY", 300);
  const auto png = with_png_chunk(png_file(1, 1, 8, 0, "\0\x80"s), "iCCP",
                                  "name\0\0"s + limpid::detail::packed(written));
  const auto read = Image::decode(png, "x");
  BOOST_TEST((read.facts().colour_profile == written));
  BOOST_TEST((Image::decode(read.encoded("png"), "x").facts().colour_profile == written));
  BOOST_TEST(limpid::detail::losses_of_writing(read.facts(), limpid::kPng).empty());
  const auto coloured = picture(8, 8).with_colours_of(read);
  BOOST_TEST(Image::decode(coloured.encoded("png"), "x").facts().colour_profile.empty());
  BOOST_TEST(limpid::detail::losses_of_writing(coloured.facts(), limpid::kPng).size() == 1u);
}

BOOST_AUTO_TEST_CASE(transparency_and_depth_are_said_where_they_are_lost) {
  const auto losses = losses_of;
  BOOST_TEST(losses(png_file(1, 1, 8, 6, "\0\x01\x02\x03\x80"s)) ==
             Losses{"transparency is left out"});
  BOOST_TEST(losses(png_file(1, 1, 8, 6, "\0\x01\x02\x03\xff"s)) == Losses{});
  BOOST_TEST(losses(png_file(1, 1, 8, 4, "\0\x01\0"s)) == Losses{"transparency is left out"});
  const auto key = limpid_test::png_chunk("tRNS", "\0\x07"s);
  BOOST_TEST(losses(png_file(1, 1, 8, 0, "\0\x07"s, key)) == Losses{"transparency is left out"});
  BOOST_TEST(losses(png_file(1, 1, 8, 0, "\0\x08"s, key)) == Losses{});
  BOOST_TEST(losses(png_file(1, 1, 16, 0, "\0\x07\x07"s)) == Losses{"16 bits a colour become 8"});
  BOOST_TEST(losses("P6\n1 1\n65535\n\0\0\x80\x80\xff\xff"s) ==
             Losses{"16 bits a colour become 8"});
}

BOOST_AUTO_TEST_CASE(the_orientation_of_png_and_webp_is_applied_once) {
  const auto tiff = exif_segment(6).substr(10);  // behind marker, length and "Exif"
  const auto stored = picture(16, 32);
  const auto turned = torch::rot90(stored.pixels(), -1, {0, 1});
  const auto png = Image::decode(with_png_chunk(stored.encoded("png"), "eXIf", tiff), "x");
  BOOST_TEST(torch::equal(png.pixels(), turned));
  const auto again = Image::decode(png.encoded("png"), "x");
  BOOST_TEST((again == png));
  BOOST_TEST(again.facts().orientation == 1);
  if (!writes_webp()) return;
  const auto plain = stored.encoded("webp", 100);
  BOOST_TEST((Image::decode(plain, "x") == stored));
  const auto body = "WEBP" + limpid::detail::riff_chunk("VP8X", "\x08\0\0\0\x1f\0\0\x0f\0\0"s) +
                    plain.substr(12) + limpid::detail::riff_chunk("EXIF", tiff);
  BOOST_TEST(
      torch::equal(Image::decode(limpid::detail::riff_chunk("RIFF", body), "x").pixels(), turned));
}

BOOST_AUTO_TEST_CASE(transparency_of_a_bmp_is_seen_wherever_its_bits_are) {
  const Losses lost{"transparency is left out"};
  const Masks rgba{0xff000000, 0xff0000, 0xff00, 0xff}, argb{0xff0000, 0xff00, 0xff, 0xff000000};
  BOOST_TEST(losses_of(bmp(32, rgba, 0x10203080)) == lost);
  BOOST_TEST(losses_of(bmp(32, rgba, 0x102030ff)) == Losses{});
  BOOST_TEST(losses_of(bmp(32, argb, 0x80102030)) == lost);
  BOOST_TEST(losses_of(bmp(32, argb, 0xff102030)) == Losses{});
  BOOST_TEST(losses_of(bmp(32, {0xff0000, 0xff00, 0xff, 0}, 0x80102030)) == Losses{});
  const Masks of_16{0x7c00, 0x3e0, 0x1f, 0x8000};
  BOOST_TEST(losses_of(bmp(16, of_16, 0x1234)) == lost);
  BOOST_TEST(losses_of(bmp(16, of_16, 0x9234)) == Losses{});
  BOOST_TEST(losses_of(bmp(16, {0xf800, 0x7e0, 0x1f, 0xff000000}, 0x1234)) == Losses{});
}

BOOST_AUTO_TEST_CASE(colours_that_a_bmp_says_without_a_profile_are_missed) {
  const Masks masks{0xff0000, 0xff00, 0xff, 0};
  const auto losses = [&](const BmpColours& colours) {
    return losses_of(bmp(32, masks, 0x102030, colours));
  };
  const Losses calibrated{"primaries and gamma of a BMP are left out; read as sRGB"};
  const std::vector<double> srgb{0.64, 0.33, 0.3, 0.6, 0.15, 0.06};
  const std::vector<double> adobe{0.64, 0.33, 0.21, 0.71, 0.15, 0.06};
  BOOST_TEST(losses({.primaries = srgb, .gamma = 2.2}) == Losses{});
  BOOST_TEST(losses({.primaries = srgb, .gamma = 1 / 2.2}) == Losses{});
  BOOST_TEST(losses({}) == Losses{}, "nothing is said");
  BOOST_TEST(losses({.primaries = srgb, .gamma = 1}) == calibrated);
  BOOST_TEST(losses({.primaries = adobe, .gamma = 2.2}) == calibrated);
  BOOST_TEST(losses({.kind = "BGRs", .primaries = adobe, .gamma = 1}) == Losses{}, "it is sRGB");
  BOOST_TEST(losses({.kind = "KNIL"}) == Losses{"a colour profile in another file is left out"});
  BOOST_TEST(losses({.kind = "DEBM", .profile_at = 4000, .profile_size = 300}) ==
             Losses{"a colour profile that is damaged or of other colours is left out"});
}

BOOST_AUTO_TEST_CASE(exif_data_are_kept_and_say_that_the_picture_is_upright) {
  for (const bool big : {true, false}) {
    // A directory of one entry, the orientation, and a link to a thumbnail.
    auto tiff = exif_segment(6, big).substr(10);
    const auto upright = exif_segment(1, big).substr(10);
    tiff.replace(tiff.size() - 4, 4, "\0\0\0\x08"s);
    const auto jpeg =
        with_segment(picture(16, 32).encoded("jpg"), jpeg_segment(0xe1, "Exif\0\0"s + tiff));
    const auto read = Image::decode(jpeg, "x");
    BOOST_TEST((read.facts().exif == upright));
    for (const auto& extension : formats_with_profiles()) {
      const auto again =
          Image::decode(with_profile(read, profile("RGB ", 3144)).encoded(extension), "x");
      BOOST_TEST(again.facts().colour_profile.empty() == false);
      BOOST_TEST((Image::decode(read.encoded(extension), "x").facts().exif == upright), extension);
      BOOST_TEST(again.height() == 32, extension);
    }
    BOOST_TEST(read.with_colours_of(read).facts().exif.empty());
  }
  for (std::size_t size = 0; size < 40; ++size) {  // damaged EXIF data cost nothing
    const auto cut = camera_exif(1, "R98", true).substr(0, size);
    BOOST_CHECK_NO_THROW(Image::decode(
        with_segment(picture(16, 16).encoded("jpg"), jpeg_segment(0xe1, "Exif\0\0"s + cut)), "x"));
  }
}

BOOST_AUTO_TEST_CASE(the_quality_of_a_jpeg_is_what_it_was_written_with) {
  for (const int quality : {1, 10, 35, 50, 75, 90, 95, 99, 100}) {
    BOOST_TEST(Image::decode(picture(16, 16).encoded("jpg", quality), "x").facts().jpeg_quality ==
               quality);
  }
  BOOST_TEST(Image::decode(picture(16, 16).encoded("png"), "x").facts().jpeg_quality == 0);
}

BOOST_AUTO_TEST_CASE(adobe_rgb_that_only_exif_names_is_missed) {
  const Losses missed{"EXIF says Adobe RGB and there is no colour profile; read as sRGB"};
  const auto jpeg = [](const std::string& exif) {
    return with_segment(picture(16, 16).encoded("jpg"), jpeg_segment(0xe1, "Exif\0\0"s + exif));
  };
  for (const bool big : {true, false}) {
    BOOST_TEST(losses_of(jpeg(camera_exif(0xffff, "R03", big))) == missed);
    BOOST_TEST(losses_of(jpeg(camera_exif(2, "R98", big))) == missed);
    BOOST_TEST(losses_of(jpeg(camera_exif(0xffff, "R98", big))) == Losses{});
    BOOST_TEST(losses_of(jpeg(camera_exif(1, "R98", big))) == Losses{});
  }
  const auto exif = camera_exif(0xffff, "R03", true);
  for (std::size_t size = 0; size < exif.size(); ++size) {  // damaged EXIF data cost nothing
    BOOST_TEST(losses_of(jpeg(exif.substr(0, size))).size() <= 1u);
  }
  const auto png = with_png_chunk(picture(16, 16).encoded("png"), "eXIf", exif);
  BOOST_TEST(losses_of(png) == missed);
  BOOST_TEST(losses_of(with_png_chunk(png, "sRGB", "\0"s)) == Losses{}, "PNG's own word counts");
  const auto profiled = with_profile(picture(16, 16), profile("RGB ", 300)).encoded("jpg");
  BOOST_TEST(losses_of(with_segment(profiled, jpeg_segment(0xe1, "Exif\0\0"s + exif))) == Losses{});
}

BOOST_AUTO_TEST_CASE(of_several_profiles_the_first_counts) {
  const auto chunk = [](const std::string& bytes) {
    return "name\0\0"s + limpid::detail::packed(bytes);
  };
  const auto first = profile("RGB ", 300);
  auto png = with_png_chunk(picture(4, 4).encoded("png"), "iCCP", chunk(profile("RGB ", 400)));
  png = with_png_chunk(png, "iCCP", chunk(first));  // before the other one
  BOOST_TEST((Image::decode(png, "x").facts().colour_profile == first));
}

BOOST_AUTO_TEST_CASE(any_changed_byte_of_a_png_is_seen) {
  const auto whole = with_png_chunk(picture(6, 7).encoded("png"), "tEXt", "a\0words"s);
  BOOST_REQUIRE_NO_THROW(Image::decode(whole, "x"));
  for (std::size_t i = 0; i < whole.size(); ++i) {
    auto changed = whole;
    changed[i] = static_cast<char>(changed[i] ^ 0x20);
    BOOST_CHECK_THROW(Image::decode(changed, "x"), c10::Error);
  }
}

BOOST_AUTO_TEST_SUITE_END()
}  // namespace
