#include <limpid/io/cut_pictures.hpp>
#include <limpid/io/lazy_image.hpp>
#include <limpid/io/picture_formats.hpp>
#include <support/images.hpp>
#include <support/jpegs.hpp>
#include <support/temporary_folder.hpp>

#include <torch/torch.h>
#include <boost/test/unit_test.hpp>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace {

using limpid::CutPictures, limpid::Image, limpid::LazyImage, limpid::Window;
using limpid::detail::OpenPictureFile;
using namespace limpid_test;

constexpr std::int64_t kPlenty = 1 << 24;

bool cuts_jpegs() { return limpid::kJpeg.decoder == "libjpeg"; }

std::vector<std::pair<std::string, std::string>> jpegs_of_many_sizes() {
  auto files = jpegs_of_all_kinds();
  for (const auto& [height, width] : std::vector<std::pair<std::int64_t, std::int64_t>>{
           {1, 1}, {9, 64}, {64, 65}, {16, 128}, {128, 16}, {33, 191}, {200, 256}}) {
    const auto photo = picture(height, width);
    const auto size = std::to_string(width) + " x " + std::to_string(height);
    files.emplace_back(size, photo.encoded("jpg", 80));
    files.emplace_back(size + ", fine colours", photo.encoded("jpg", 95));
  }
  return files;
}

/// Windows at corners, at edges and anywhere.
std::vector<Window> some_windows(std::int64_t height, std::int64_t width) {
  std::vector<Window> windows{Window::whole(height, width),
                              {0, 0, 1, 1},
                              {height - 1, width - 1, 1, 1},
                              {height / 2, 0, height - height / 2, width}};
  auto random = limpid::Random::stream(5, {static_cast<std::uint64_t>(height * width)});
  for (int i = 0; i < 40; ++i) {
    const auto top = random.below(height), left = random.below(width);
    windows.push_back({top, left, 1 + random.below(height - top), 1 + random.below(width - left)});
  }
  return windows;
}

BOOST_AUTO_TEST_SUITE(cut_pictures)

BOOST_AUTO_TEST_CASE(a_part_of_a_cut_file_is_that_part_of_the_picture) {
  if (!cuts_jpegs()) return;
  TemporaryFolder folder;
  const auto path = folder / "file";
  for (const auto& [kind, bytes] : jpegs_of_many_sizes()) {
    write_bytes(path, bytes);
    const OpenPictureFile file{path, {}};
    const auto cut = file.cut();
    const bool is_usual = kind.find("inks") == kind.npos && kind.find("CMYK") == kind.npos;
    if (cut == nullptr) {
      BOOST_TEST_MESSAGE("not cut: " << kind);
      BOOST_TEST((!is_usual || kind.find("grey") != kind.npos), kind);
      continue;
    }
    const auto whole = Image::load(path);
    int had = 0;
    for (const auto& window : some_windows(whole.height(), whole.width())) {
      had += cut->has(window) ? 1 : 0;
      const auto part = file.read(window, cut.get());
      BOOST_TEST((Image{part.pixels} == whole.crop(window)),
                 kind << ": " << window.height << " x " << window.width << " at " << window.top
                      << ", " << window.left);
      BOOST_TEST(part.facts.channels == whole.facts().channels);
    }
    BOOST_TEST((had > 20 || whole.width() < 64), kind);
  }
}

BOOST_AUTO_TEST_CASE(parts_of_turned_pictures_are_upright) {
  if (!cuts_jpegs()) return;
  TemporaryFolder folder;
  const auto path = folder / "file";
  const auto jpeg = picture(150, 210).encoded("jpg", 80);
  for (int orientation = 1; orientation <= 8; ++orientation) {
    write_bytes(path, with_segment(jpeg, exif_segment(orientation)));
    const auto whole = Image::load(path);
    const auto cuts = std::make_shared<CutPictures>(kPlenty);
    for (int visit = 0; visit < 3; ++visit) {
      const Window window{20 + visit, 31, 60, 70};
      const auto part = LazyImage::open(path).cut_by(cuts).part(window);
      BOOST_TEST((part == whole.crop(window)));
      BOOST_TEST(part.facts().orientation == orientation);
      BOOST_TEST(cuts->size() == (visit > 0 ? 1 : 0));
    }
  }
}

BOOST_AUTO_TEST_CASE(a_file_is_cut_when_a_small_part_is_wanted_for_the_second_time) {
  TemporaryFolder folder;
  const auto photo = picture(150, 210);
  const Window small{10, 20, 64, 64}, large{0, 0, 140, 200};
  for (const auto* name : {"a.jpg", "a.png"}) {
    const auto path = folder / name;
    photo.save(path, 80);
    CutPictures cuts{kPlenty};
    const auto is_cut = [&](const Window& window) {
      return cuts.of(OpenPictureFile{path, {}}, window) != nullptr;
    };
    const bool can_be = cuts_jpegs() && path.extension() == ".jpg";
    for (int i = 0; i < 3; ++i) BOOST_TEST(!is_cut(large));
    BOOST_TEST(!is_cut(small));
    BOOST_TEST(is_cut(small) == can_be);
    BOOST_TEST(is_cut(small) == can_be);
    BOOST_TEST(!is_cut(large));
    BOOST_TEST(cuts.size() == (can_be ? 1 : 0));
    BOOST_TEST((cuts.bytes() > 0) == can_be);
  }
}

BOOST_AUTO_TEST_CASE(another_file_under_the_same_name_is_not_mistaken) {
  TemporaryFolder folder;
  const auto path = folder / "a.jpg";
  const auto cuts = std::make_shared<CutPictures>(kPlenty);
  const Window window{40, 50, 64, 64};
  for (std::uint64_t seed = 0; seed < 3; ++seed) {
    picture(150, 210, seed).save(path, 80);
    const auto expected = Image::load(path).crop(window);
    for (int visit = 0; visit < 3; ++visit) {
      BOOST_TEST((LazyImage::open(path).cut_by(cuts).part(window) == expected));
    }
    BOOST_TEST(cuts->size() == (cuts_jpegs() ? 1 : 0));
  }
}

BOOST_AUTO_TEST_CASE(no_more_bytes_are_kept_than_allowed_and_what_is_in_stays) {
  TemporaryFolder folder;
  const Window window{4, 5, 64, 64};
  const auto visit = [&](CutPictures& cuts, int i) {
    const auto path = folder / (std::to_string(i) + ".jpg");
    if (!std::filesystem::exists(path)) {
      picture(150, 210, static_cast<std::uint64_t>(i)).save(path, 80);
    }
    return cuts.of(OpenPictureFile{path, {}}, window) != nullptr;
  };
  CutPictures one{kPlenty};
  for (int i = 0; i < 2; ++i) visit(one, 0);
  CutPictures none{0}, three{one.bytes() * 7 / 2};
  for (int i = 0; i < 3; ++i) BOOST_TEST(!visit(none, 0));
  if (!cuts_jpegs()) return;
  for (int epoch = 0; epoch < 4; ++epoch) {
    for (int i = 0; i < 8; ++i) visit(three, i);
  }
  BOOST_TEST(three.bytes() <= one.bytes() * 7 / 2);
  BOOST_TEST(three.size() >= 2);
  BOOST_TEST(visit(three, 0));
  BOOST_TEST(!visit(three, 7));
}

BOOST_AUTO_TEST_CASE(damaged_files_are_read_as_ever) {
  if (!cuts_jpegs()) return;
  TemporaryFolder folder;
  const auto path = folder / "a.jpg";
  const auto whole = picture(400, 210).encoded("jpg", 80);
  auto changed = whole;
  for (std::size_t i = 0; i < 40; ++i) changed[whole.size() - 200 + i] = '\x55';
  for (const auto& bytes :
       {whole.substr(0, whole.size() / 2), whole.substr(0, whole.size() - 2), changed}) {
    write_bytes(path, bytes);
    const OpenPictureFile file{path, {}};
    const auto cut = file.cut();
    const Window upper{10, 20, 64, 64};
    BOOST_TEST(file.read(upper, cut.get()).pixels.equal(file.read(upper).pixels));
    if (bytes.size() < whole.size()) BOOST_TEST((cut == nullptr));
  }
}

BOOST_AUTO_TEST_CASE(where_memory_would_not_do_files_are_read_as_ever) {
  if (!cuts_jpegs()) return;
  TemporaryFolder folder;
  const auto path = folder / "a.jpg";
  const auto photo = picture(150, 210);
  photo.save(path, 80);
  const auto cut = OpenPictureFile{path, {}}.cut();
  BOOST_REQUIRE((cut != nullptr));
  BOOST_TEST(cut->decode({10, 20, 64, 64}, {.max_bytes_of_small_file = 1}).size(0) == 64);
  const OpenPictureFile file{path, {.max_bytes_of_small_file = 4 * 150 * 210}};
  BOOST_TEST((file.cut() == nullptr));
  const Window window{10, 20, 64, 64};
  BOOST_TEST((Image{file.read(window).pixels} == Image::load(path).crop(window)));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
