#include <limpid/datasets/degraded_photos.hpp>
#include <limpid/datasets/paired_folders.hpp>
#include <limpid/datasets/source_pictures.hpp>
#include <limpid/degradations/noise.hpp>
#include <support/errors.hpp>
#include <support/images.hpp>

#include <torch/torch.h>
#include <boost/test/unit_test.hpp>

#include <filesystem>
#include <string>
#include <vector>

namespace {

namespace fs = std::filesystem;
using namespace limpid_test;
using limpid::PictureLosses;

BOOST_AUTO_TEST_SUITE(source_pictures)

BOOST_AUTO_TEST_CASE(a_picture_is_what_holds_one_and_the_rest_is_counted_by_kind) {
  TemporaryFolder folder;
  PictureLosses::of_process().take_lines();
  for (const std::string part : {"input", "target"}) {
    save(picture(20, 20), folder / part / "a.png");
    save(picture(20, 20), folder / part / "b.png");
    fs::rename(folder / part / "b.png", folder / part / "b");
    write_bytes(folder / part / "page.jpg", "<html><body>Not found</body></html>");
    write_bytes(folder / part / "empty.png", "");
    fs::create_directories(folder / part / "subfolder");
  }
  const limpid::Pairs pairs = limpid::PairedFolders::inside(folder.path());
  BOOST_TEST(pairs.size() == 2);
  BOOST_TEST(pairs.name(1) == "b");
  const auto lines = PictureLosses::of_process().take_lines();
  BOOST_REQUIRE(lines.size() == 2u);
  for (const auto& line : lines) {
    BOOST_TEST(line.rfind("2 pictures: passed over, ", 0) == 0u, line);
  }
  const limpid::DegradedPhotos photos{folder / "input", limpid::Noise{}};
  BOOST_TEST(photos.size() == 2);
  BOOST_TEST(PictureLosses::of_process().take_lines().size() == 2u);
}

BOOST_AUTO_TEST_CASE(a_folder_without_a_picture_says_what_it_has) {
  TemporaryFolder folder;
  write_bytes(folder / "page.jpg", "<html><body>Not found</body></html>");
  const auto error = error_of([&] { return limpid::detail::source_pictures(folder.path()); });
  BOOST_TEST(error.find("page.jpg") != error.npos, error);
  BOOST_TEST(limpid::detail::pictures_or_none(folder.path()).empty());
  PictureLosses::of_process().take_lines();
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
