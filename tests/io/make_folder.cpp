#include <limpid/io/make_folder.hpp>
#include <support/errors.hpp>
#include <support/temporary_folder.hpp>

#include <boost/test/unit_test.hpp>

#include <filesystem>
#include <fstream>

namespace {

namespace fs = std::filesystem;
using limpid::make_folder;
using limpid_test::error_of;
using limpid_test::TemporaryFolder;

BOOST_AUTO_TEST_SUITE(make_folder_of_a_path)

BOOST_AUTO_TEST_CASE(makes_all_that_is_missing_and_leaves_what_is_there) {
  TemporaryFolder folder;
  make_folder("--out", folder / "a/b/c");
  BOOST_TEST(fs::is_directory(folder / "a/b/c"));
  std::ofstream{folder / "a/b/file"} << "kept";
  make_folder("--out", folder / "a/b");
  BOOST_TEST(fs::exists(folder / "a/b/file"));
  fs::create_directory_symlink(folder / "a", folder / "link");
  make_folder("--out", folder / "link");
  make_folder("--out", folder / "link/b/d/");
  BOOST_TEST(fs::is_directory(folder / "a/b/d"));
  make_folder("--out", "");
}

BOOST_AUTO_TEST_CASE(an_error_says_what_named_the_folder) {
  TemporaryFolder folder;
  std::ofstream{folder / "file"} << "no folder";
  for (const std::string name : {"file", "file/below"}) {
    const auto path = folder / name;
    BOOST_TEST(error_of([&] { make_folder("--out", path); }) ==
               "--out: cannot make the folder '" + path.string() + "': Not a directory");
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
