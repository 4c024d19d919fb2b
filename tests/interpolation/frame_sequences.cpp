#include <limpid/interpolation/frame_sequences.hpp>
#include <limpid/io/image.hpp>
#include <support/errors.hpp>
#include <support/moving_frames.hpp>
#include <support/temporary_folder.hpp>

#include <torch/torch.h>
#include <boost/test/unit_test.hpp>

#include <filesystem>
#include <string>

namespace {

namespace fs = std::filesystem;
using limpid::Image;
using limpid_test::error_of, limpid_test::TemporaryFolder, limpid_test::write_counted;

BOOST_AUTO_TEST_SUITE(frame_sequences)

BOOST_AUTO_TEST_CASE(sorts_numbers_as_numbers_and_keeps_folders_apart) {
  TemporaryFolder folder;
  const Image frame{torch::zeros({8, 8, 3}, torch::kByte)};
  for (const std::string name : {"f10.png", "f9.png", "f09b.png", "b/2.png", "b/c/1.png"}) {
    fs::create_directories((folder / name).parent_path());
    frame.save(folder / name);
  }
  fs::create_directories(folder / ".hidden");
  frame.save(folder / ".hidden/1.png");
  const auto found = limpid::frame_sequences(folder.path());
  BOOST_REQUIRE(found.size() == 3u);
  BOOST_TEST((found[0].name == "" && found[1].name == "b" && found[2].name == "b/c"));
  BOOST_REQUIRE(found[0].frames.size() == 3u);
  BOOST_TEST((found[0].frames[0] == folder / "f9.png"));
  BOOST_TEST((found[0].frames[1] == folder / "f09b.png"));
  BOOST_TEST((found[0].frames[2] == folder / "f10.png"));
}

BOOST_AUTO_TEST_CASE(follows_links_to_folders_and_reads_no_folder_twice) {
  TemporaryFolder folder, elsewhere;
  write_counted(elsewhere / "scene", 3);
  write_counted(folder / "a", 4);
  fs::create_directory_symlink(elsewhere / "scene", folder / "linked");
  fs::create_directory_symlink(folder.path(), folder / "a/back");
  fs::create_directory_symlink(elsewhere / "scene", folder / "twice");
  fs::create_directory_symlink(elsewhere / "none", folder / "broken");
  const auto found = limpid::frame_sequences(folder.path());
  BOOST_REQUIRE(found.size() == 2u);
  BOOST_TEST((found[0].name == "a" && found[0].frames.size() == 4u));
  BOOST_TEST((found[1].name == "linked" && found[1].frames.size() == 3u));
  BOOST_TEST((found[1].frames[2] == folder / "linked/02.png"));
}

BOOST_AUTO_TEST_CASE(says_what_is_wrong_with_a_folder) {
  TemporaryFolder folder;
  BOOST_TEST((error_of([&] { limpid::frame_sequences(folder.path()); }).find("files, found none") !=
              std::string::npos));
  BOOST_TEST((error_of([&] {
                limpid::frame_sequences(folder / "none");
              }).find("expected a folder, found nothing") != std::string::npos));
  const Image frame{torch::zeros({8, 8, 3}, torch::kByte)};
  frame.save(folder / "1.png");
  frame.save(folder / "1.jpg");
  BOOST_TEST((error_of([&] {
                limpid::frame_sequences(folder.path());
              }).find("expected one picture for each frame, found") != std::string::npos));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
