#include <limpid/io/input_file.hpp>
#include <limpid/io/picture_folder.hpp>
#include <support/errors.hpp>
#include <support/images.hpp>

#include <c10/util/Exception.h>
#include <boost/test/unit_test.hpp>

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include <algorithm>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <vector>

namespace {

using namespace limpid_test;
using namespace std::string_literals;
namespace fs = std::filesystem;

std::vector<std::string> names(const std::vector<fs::path>& paths, const fs::path& folder) {
  std::vector<std::string> names;
  for (const auto& path : paths) names.push_back(path.lexically_relative(folder).string());
  return names;
}

std::map<std::string, std::string> reasons(const limpid::PictureFolder& found,
                                           const fs::path& folder) {
  std::map<std::string, std::string> reasons;
  for (const auto& one : found.passed_over) {
    reasons[one.path.lexically_relative(folder).string()] = one.reason;
  }
  return reasons;
}

BOOST_AUTO_TEST_SUITE(picture_folder)

BOOST_AUTO_TEST_CASE(what_a_file_holds_counts_and_not_its_name) {
  const TemporaryFolder folder;
  const auto png = picture(4, 4).encoded("png"), jpeg = picture(4, 4).encoded("jpg");
  for (const auto* name : {"old.jfif", "mixed.JpEg", "noext", "print.jpe", "really_jpeg.png"}) {
    write_bytes(folder / name, jpeg);
  }
  write_bytes(folder / "really_png.jpg", png);
  write_bytes(folder / "picture.txt", png);
  write_bytes(folder / ".hidden.png", png);
  write_bytes(folder / "empty.png", "");
  write_bytes(folder / "page.jpg", "\n<!DOCTYPE html><html></html>");
  write_bytes(folder / "scan.tif", "II*\0........"s);
  write_bytes(folder / "phone.jpg",
              "\0\0\0\x18"
              "ftypheic\0\0\0\0"s);
  write_bytes(folder / "new.png",
              "\0\0\0\x18"
              "ftypavif\0\0\0\0"s);
  write_bytes(folder / "moving.jpg", "GIF89a....");
  write_bytes(folder / "pointer.png", "version https://git-lfs.github.com/spec/v1\noid sha256:0\n");
  write_bytes(folder / "BMW.txt", "BMW and other words, longer than a header of a picture.");
  write_bytes(folder / "notes.txt", "words");
  const auto found = limpid::list_pictures(folder.path());
  BOOST_TEST(names(found.pictures, folder.path()) ==
             (std::vector<std::string>{"mixed.JpEg", "noext", "old.jfif", "picture.txt",
                                       "print.jpe", "really_jpeg.png", "really_png.jpg"}));
  const std::map<std::string, std::string> expected{
      {"BMW.txt", "a text file"},   {"empty.png", "an empty file"},
      {"moving.jpg", "a GIF file"}, {"new.png", "an AVIF file"},
      {"notes.txt", "a text file"}, {"page.jpg", "an HTML page"},
      {"phone.jpg", "a HEIC file"}, {"pointer.png", "a git-lfs pointer (run 'git lfs pull')"},
      {"scan.tif", "a TIFF file"}};
  BOOST_TEST((reasons(found, folder.path()) == expected));
  BOOST_TEST(found.summary().find("passed over 9 of 16: 2 text files ('BMW.txt', 'notes.txt'), "
                                  "an empty file ('empty.png'), a GIF file ('moving.jpg')") == 0u,
             found.summary());
}

BOOST_AUTO_TEST_CASE(a_webp_file_is_read_or_passed_over_with_the_reason) {
  const TemporaryFolder folder;
  write_bytes(folder / "a.jpg", "RIFF\x04\0\0\0WEBP"s);
  const auto found = limpid::list_pictures(folder.path());
  if (limpid::picture_kind("RIFF\x04\0\0\0WEBP"s).is_readable()) {
    BOOST_TEST(found.pictures.size() == 1u);
  } else {
    BOOST_TEST(reasons(found, folder.path()).at("a.jpg") ==
               "a WebP file (this build of limpid has no libwebp)");
  }
}

BOOST_AUTO_TEST_CASE(pipes_sockets_folders_and_broken_links_are_passed_over_at_once) {
  const TemporaryFolder folder;
  write_bytes(folder / "real.png", picture(4, 4).encoded("png"));
  fs::create_symlink("real.png", folder / "link.png");
  fs::create_symlink("nothing.png", folder / "broken.png");
  fs::create_directory(folder / "album.png");
  fs::create_symlink("/dev/zero", folder / "zero.png");
  BOOST_REQUIRE(::mkfifo((folder / "pipe.png").c_str(), 0600) == 0);
  const int socket = ::socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const auto name = (folder / "socket.png").string();
  BOOST_REQUIRE(name.size() < sizeof address.sun_path);
  std::strcpy(address.sun_path, name.c_str());
  BOOST_REQUIRE(::bind(socket, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
  const auto found = limpid::list_pictures(folder.path());
  ::close(socket);
  BOOST_TEST(names(found.pictures, folder.path()) ==
             (std::vector<std::string>{"link.png", "real.png"}));
  const std::map<std::string, std::string> expected{{"album.png", "a subfolder"},
                                                    {"broken.png", "a link to nothing"},
                                                    {"pipe.png", "a named pipe"},
                                                    {"socket.png", "a socket"},
                                                    {"zero.png", "a device"}};
  BOOST_TEST((reasons(found, folder.path()) == expected));
  // To load one by name ends at once too.
  for (const auto& [file, what] : expected) {
    const auto reason = what == "a subfolder" ? "a folder"s : what;
    BOOST_TEST(error_of([&] { return limpid::Image::load(folder / file); }) ==
               "cannot read image '" + (folder / file).string() + "': it is " + reason);
    BOOST_TEST(error_of([&] { limpid::InputFile(folder / file, "weights"); }) ==
               "cannot read weights '" + (folder / file).string() + "': it is " + reason);
  }
}

BOOST_AUTO_TEST_CASE(numbers_in_names_are_ordered_as_numbers) {
  const TemporaryFolder folder;
  const auto png = picture(2, 2).encoded("png");
  for (const auto* name : {"10.png", "9.png", "a2.png", "a10.png", "1.png"}) {
    write_bytes(folder / name, png);
  }
  BOOST_TEST(names(limpid::list_images(folder.path()), folder.path()) ==
             (std::vector<std::string>{"1.png", "9.png", "10.png", "a2.png", "a10.png"}));
}

BOOST_AUTO_TEST_CASE(a_recursive_list_keeps_the_tree_and_follows_each_folder_once) {
  const TemporaryFolder folder;
  const auto png = picture(2, 2).encoded("png");
  write_bytes(folder / "b.png", png);
  write_bytes(folder / "one/a.png", png);
  write_bytes(folder / "one/two/c.png", png);
  write_bytes(folder / "one/.hidden/d.png", png);
  fs::create_directory_symlink("..", folder / "one/up");
  const auto found = limpid::list_pictures(folder.path(), {.is_recursive = true});
  BOOST_TEST(names(found.pictures, folder.path()) ==
             (std::vector<std::string>{"b.png", "one/a.png", "one/two/c.png"}));
  BOOST_TEST(found.passed_over.empty());
  BOOST_TEST(found.summary().empty());
}

BOOST_AUTO_TEST_CASE(a_folder_without_pictures_says_what_it_holds) {
  const TemporaryFolder folder;
  write_bytes(folder / "notes.txt", "words");
  fs::create_directory(folder / "sub");
  const auto start = "cannot list images in '" + folder.path().string();
  const auto error = [&](const fs::path& path) {
    return error_of([&] { return limpid::list_images(path); });
  };
  BOOST_TEST(error(folder.path()) == start + "': found no " + limpid::readable_formats() +
                                         " file (passed over 2 of 2: a text file ('notes.txt'), "
                                         "a subfolder ('sub'))");
  BOOST_TEST(error(folder / "sub") ==
             start + "/sub': found no " + limpid::readable_formats() + " file");
  BOOST_TEST(error(folder / "none") == start + "/none': No such file or directory");
  BOOST_TEST(error(folder / "notes.txt") == start + "/notes.txt': expected a folder, found a file");
}

BOOST_AUTO_TEST_CASE(escapes_in_names_do_not_reach_the_terminal) {
  const TemporaryFolder folder;
  write_bytes(folder / "\x1b[31mred.txt", "words");
  BOOST_TEST(limpid::list_pictures(folder.path()).summary().find('\x1b') == std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()
}  // namespace
