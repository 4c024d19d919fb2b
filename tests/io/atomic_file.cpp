#include <limpid/io/atomic_file.hpp>
#include <support/images.hpp>

#include <torch/torch.h>
#include <boost/test/unit_test.hpp>

#include <unistd.h>
#include <filesystem>
#include <iostream>
#include <stdexcept>
#include <string>

namespace {

using limpid_test::read_bytes, limpid_test::TemporaryFolder, limpid_test::write_bytes;
namespace fs = std::filesystem;

std::string error_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const c10::Error& error) {
    return error.what_without_backtrace();
  }
  return "no error";
}

std::int64_t files_in(const fs::path& folder) {
  return std::distance(fs::directory_iterator{folder}, fs::directory_iterator{});
}

BOOST_AUTO_TEST_SUITE(atomic_file)

BOOST_AUTO_TEST_CASE(writes_a_new_file_and_replaces_an_old_one) {
  TemporaryFolder folder;
  limpid::write_atomically(folder / "a", "first");
  BOOST_TEST(read_bytes(folder / "a") == "first");
  limpid::write_atomically(folder / "a", std::string("se\0ond", 6));
  BOOST_TEST(read_bytes(folder / "a") == std::string("se\0ond", 6));
  BOOST_TEST(files_in(folder.path()) == 1);
}

BOOST_AUTO_TEST_CASE(what_fails_half_way_leaves_the_old_file) {
  TemporaryFolder folder;
  limpid::write_atomically(folder / "a", "old");
  BOOST_CHECK_THROW(limpid::write_atomically(folder / "a",
                                             [](std::ostream& stream) {
                                               stream << "new";
                                               throw std::runtime_error("half way");
                                             }),
                    std::runtime_error);
  BOOST_TEST(read_bytes(folder / "a") == "old");
  BOOST_CHECK_THROW(
      limpid::write_atomically(folder / "a",
                               [](std::ostream& stream) { stream.setstate(std::ios::badbit); }),
      c10::Error);
  BOOST_TEST(read_bytes(folder / "a") == "old");
  BOOST_TEST(files_in(folder.path()) == 1);
}

BOOST_AUTO_TEST_CASE(errors_name_the_file_and_the_cause) {
  TemporaryFolder folder;
  const auto missing = (folder / "none" / "a").string();
  BOOST_TEST(error_of([&] { limpid::write_atomically(missing, "x"); }) ==
             "cannot write '" + missing + "': No such file or directory");
  fs::create_directory(folder / "sub");
  BOOST_TEST(error_of([&] { limpid::write_atomically(folder / "sub", "x"); }) ==
             "cannot write '" + (folder / "sub").string() + "': Is a directory");
  BOOST_TEST(files_in(folder.path()) == 1);
}

BOOST_AUTO_TEST_CASE(a_folder_that_is_read_only_is_named) {
  TemporaryFolder folder;
  if (::geteuid() == 0) {
    std::cout << "SKIPPED atomic_file/a_folder_that_is_read_only_is_named: root writes anywhere\n";
    return;
  }
  fs::permissions(folder.path(), fs::perms::owner_read | fs::perms::owner_exec);
  BOOST_TEST(error_of([&] { limpid::write_atomically(folder / "a", "x"); }) ==
             "cannot write '" + (folder / "a").string() + "': Permission denied");
  fs::permissions(folder.path(), fs::perms::owner_all);
}

BOOST_AUTO_TEST_CASE(a_full_disk_is_named) {
  if (!limpid_test::available("/dev/full")) return;
  TemporaryFolder folder;
  // The file that is written aside is a link to a device without room.
  fs::create_symlink("/dev/full", folder / ("a.part" + std::to_string(::getpid())));
  BOOST_TEST(error_of([&] { limpid::write_atomically(folder / "a", std::string(100'000, 'x')); }) ==
             "cannot write '" + (folder / "a").string() + "': No space left on device");
  BOOST_TEST(!fs::exists(folder / "a"));
}

BOOST_AUTO_TEST_CASE(works_in_the_current_folder) {
  TemporaryFolder folder;
  const auto before = fs::current_path();
  fs::current_path(folder.path());
  limpid::write_atomically("plain", "x");
  fs::current_path(before);
  BOOST_TEST(read_bytes(folder / "plain") == "x");
}

BOOST_AUTO_TEST_SUITE_END()
}  // namespace
