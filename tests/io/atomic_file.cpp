#include <limpid/io/atomic_file.hpp>
#include <support/errors.hpp>
#include <support/images.hpp>

#include <torch/torch.h>
#include <boost/test/unit_test.hpp>

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <iostream>
#include <iterator>
#include <stdexcept>
#include <string>
#include <thread>

namespace {

using limpid_test::error_of, limpid_test::read_bytes, limpid_test::TemporaryFolder,
    limpid_test::write_bytes;
namespace fs = std::filesystem;

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
  TemporaryFolder folder;
  limpid::write_atomically(folder / "a", "old");
  const auto before = ::signal(SIGXFSZ, SIG_IGN);
  rlimit kept{};
  ::getrlimit(RLIMIT_FSIZE, &kept);
  const rlimit small{1000, kept.rlim_max};
  ::setrlimit(RLIMIT_FSIZE, &small);
  const auto error =
      error_of([&] { limpid::write_atomically(folder / "a", std::string(100'000, 'x')); });
  ::setrlimit(RLIMIT_FSIZE, &kept);
  ::signal(SIGXFSZ, before);
  BOOST_TEST(error == "cannot write '" + (folder / "a").string() + "': File too large");
  BOOST_TEST(read_bytes(folder / "a") == "old");
  BOOST_TEST(files_in(folder.path()) == 1);
}

BOOST_AUTO_TEST_CASE(works_in_the_current_folder) {
  TemporaryFolder folder;
  const auto before = fs::current_path();
  fs::current_path(folder.path());
  limpid::write_atomically("plain", "x");
  fs::current_path(before);
  BOOST_TEST(read_bytes(folder / "plain") == "x");
}

BOOST_AUTO_TEST_CASE(names_of_255_bytes_work) {
  TemporaryFolder folder;
  const std::string longest(255, 'n');
  limpid::write_atomically(folder / longest, "x");
  limpid::write_atomically(folder / longest, "y");
  BOOST_TEST(read_bytes(folder / longest) == "y");
  BOOST_TEST(error_of([&] {
               limpid::write_atomically(folder / (longest + "n"), "x");
             }).ends_with("': File name too long"));
}

BOOST_AUTO_TEST_CASE(links_are_followed) {
  TemporaryFolder folder;
  fs::create_directory(folder / "there");
  limpid::write_atomically(folder / "there" / "a", "old");
  fs::create_symlink("there/a", folder / "link");
  fs::create_symlink("link", folder / "link to a link");
  fs::create_symlink("there/new", folder / "dangling");
  limpid::write_atomically(folder / "link to a link", "new");
  limpid::write_atomically(folder / "dangling", "made");
  BOOST_TEST(fs::is_symlink(folder / "link"));
  BOOST_TEST(fs::is_symlink(folder / "link to a link"));
  BOOST_TEST(read_bytes(folder / "there" / "a") == "new");
  BOOST_TEST(read_bytes(folder / "there" / "new") == "made");
  fs::create_symlink("circle", folder / "circle");
  BOOST_TEST(error_of([&] {
               limpid::write_atomically(folder / "circle", "x");
             }).ends_with("circle': Too many levels of symbolic links"));
}

BOOST_AUTO_TEST_CASE(what_is_replaced_keeps_its_mode_and_what_is_new_follows_the_umask) {
  TemporaryFolder folder;
  const auto mode = [&](const std::string& name) {
    struct stat status {};
    ::stat((folder / name).c_str(), &status);
    return status.st_mode & 07777;
  };
  const auto before = ::umask(027);
  limpid::write_atomically(folder / "new", "x");
  for (const mode_t wanted : {0600u, 0664u, 0755u}) {
    ::chmod((folder / "new").c_str(), wanted);
    limpid::write_atomically(folder / "new", "y");
    BOOST_TEST(mode("new") == wanted);
  }
  limpid::write_atomically(folder / "other", "x");
  ::umask(before);
  BOOST_TEST(mode("other") == 0640u);
}

BOOST_AUTO_TEST_CASE(pipes_are_written_to_and_stay) {
  TemporaryFolder folder;
  const auto pipe = folder / "pipe";
  BOOST_REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
  std::string read;
  std::thread reader{[&] { read = read_bytes(pipe); }};
  const std::string large(300'000, 'x');  // more than a pipe holds
  limpid::write_atomically(pipe, large);
  reader.join();
  BOOST_TEST((read == large));
  BOOST_TEST(fs::is_fifo(pipe));
}

BOOST_AUTO_TEST_CASE(devices_are_written_to_and_stay) {
  TemporaryFolder folder;
  fs::create_symlink("/dev/null", folder / "link");
  limpid::write_atomically("/dev/null", "x");
  limpid::write_atomically(folder / "link", "x");
  BOOST_TEST(fs::is_character_file("/dev/null"));
  BOOST_TEST(fs::is_symlink(folder / "link"));
  if (!limpid_test::available("/dev/full")) return;
  BOOST_TEST(error_of([&] { limpid::write_atomically("/dev/full", "x"); }) ==
             "cannot write '/dev/full': No space left on device");
}

/// What `action` writes to standard output, which is a file meanwhile.
std::string written_by(const fs::path& file, const std::function<void()>& action) {
  std::fflush(stdout);
  const int kept = ::dup(STDOUT_FILENO);
  const int other = ::open(file.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
  ::dup2(other, STDOUT_FILENO);
  ::close(other);
  try {
    action();
  } catch (...) {
    ::dup2(kept, STDOUT_FILENO);
    throw;
  }
  std::fflush(stdout);
  ::dup2(kept, STDOUT_FILENO);
  ::close(kept);
  return read_bytes(file);
}

BOOST_AUTO_TEST_CASE(a_dash_and_dev_stdout_are_standard_output) {
  TemporaryFolder folder;
  for (const auto* name : {"-", "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"}) {
    BOOST_TEST(written_by(folder / "out",
                          [&] {
                            std::printf("before ");
                            limpid::check_writable(name);
                            limpid::write_atomically(name, "text");
                            std::printf(" after");
                          }) == "before text after",
               name);
  }
  BOOST_TEST(error_of([&] {
               written_by("/dev/full", [] { limpid::write_atomically("-", "x"); });
             }) == "cannot write standard output: No space left on device");
}

BOOST_AUTO_TEST_CASE(a_file_aside_has_a_name_that_cannot_be_guessed_and_takes_no_other_place) {
  TemporaryFolder folder;
  const auto place = limpid::output_place(folder / "a");
  const auto name_of_one = [&] {
    const limpid::detail::AsideFile aside{place, false};
    BOOST_TEST(files_in(folder.path()) == 1);
    return fs::directory_iterator { folder.path() } -> path().filename().string();
  };
  const auto first = name_of_one(), second = name_of_one();
  BOOST_TEST(first != second);
  BOOST_TEST(first.starts_with(".limpid-"));
  BOOST_TEST(first.size() == std::string{".limpid-.part"}.size() + 32);
  BOOST_TEST(files_in(folder.path()) == 0);
}

/// Ends a child by `signal` while it writes "a". @return how many files are there then
std::int64_t left_by(int signal, bool unnamed, const fs::path& folder) {
  int ready[2];
  BOOST_REQUIRE(::pipe(ready) == 0);
  const pid_t child = ::fork();
  if (child == 0) {
    const auto wait = [&](std::ostream& stream) {
      stream << std::string(100'000, 'x');
      (void)!::write(ready[1], "r", 1);
      ::pause();
    };
    const auto place = limpid::output_place(folder / "a");
    const limpid::detail::AsideFile aside{place, unnamed};
    limpid::detail::fill_descriptor(place, aside.descriptor(), wait);
    ::_exit(0);
  }
  char byte = 0;
  (void)!::read(ready[0], &byte, 1);
  ::kill(child, signal);
  int status = 0;
  ::waitpid(child, &status, 0);
  ::close(ready[0]);
  ::close(ready[1]);
  BOOST_TEST(WIFSIGNALED(status));
  BOOST_TEST(WTERMSIG(status) == signal, "the signal still ends the program");
  return files_in(folder);
}

BOOST_AUTO_TEST_CASE(a_signal_leaves_nothing_beside_the_file) {
  TemporaryFolder folder;
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE}) {
    BOOST_TEST(left_by(signal, true, folder.path()) == 0, signal);
    BOOST_TEST(left_by(signal, false, folder.path()) == 0, signal);
  }
  if (const auto probe = ::open(folder.path().c_str(), O_TMPFILE | O_WRONLY, 0600); probe >= 0) {
    ::close(probe);
    BOOST_TEST(left_by(SIGKILL, true, folder.path()) == 0);
  } else {
    std::cout << "SKIPPED atomic_file/... by SIGKILL: this file system names every file\n";
  }
}

BOOST_AUTO_TEST_CASE(a_handler_of_the_program_stays) {
  TemporaryFolder folder;
  static volatile std::sig_atomic_t seen = 0;
  const auto before = ::signal(SIGTERM, [](int) { seen = 1; });
  limpid::write_atomically(folder / "a", [](std::ostream& stream) {
    stream << "x";
    ::raise(SIGTERM);
  });
  BOOST_TEST(::signal(SIGTERM, before) != before);
  BOOST_TEST(seen == 1);
  BOOST_TEST(read_bytes(folder / "a") == "x");
  BOOST_TEST((::signal(SIGINT, SIG_DFL) == SIG_DFL), "and the default comes back");
}

BOOST_AUTO_TEST_CASE(a_place_is_tried_before_the_work_without_a_trace) {
  TemporaryFolder folder;
  const auto tried = [&](const fs::path& path) {
    return error_of([&] { limpid::check_writable(path); });
  };
  BOOST_TEST(tried(folder / "a") == "no error");
  BOOST_TEST(files_in(folder.path()) == 0);
  limpid::write_atomically(folder / "a", "old");
  BOOST_TEST(tried(folder / "a") == "no error");
  BOOST_TEST(read_bytes(folder / "a") == "old");
  BOOST_TEST(tried(folder / "none" / "a").ends_with("none/a': No such file or directory"));
  BOOST_TEST(tried(folder / "a" / "b").ends_with("a/b': Not a directory"));
  BOOST_TEST(tried(folder.path()).ends_with("': Is a directory"));
  BOOST_TEST(tried("/dev/null") == "no error");
  BOOST_TEST(tried("-") == "no error");
  BOOST_REQUIRE(::mkfifo((folder / "pipe").c_str(), 0600) == 0);
  BOOST_TEST(tried(folder / "pipe") == "no error", "without waiting for who reads it");
}

BOOST_AUTO_TEST_SUITE_END()
}  // namespace
