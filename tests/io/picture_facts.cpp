#include <limpid/io/formats/png_chunks.hpp>
#include <limpid/io/formats/webp_container.hpp>
#include <limpid/io/image.hpp>
#include <limpid/io/picture_facts.hpp>
#include <support/images.hpp>

#include <torch/torch.h>
#include <boost/test/unit_test.hpp>

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
  using Losses = std::vector<std::string>;
  const auto losses = [](const std::string& bytes) {
    return Image::decode(bytes, "x").facts().losses;
  };
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
