#include <limpid/core/machine_memory.hpp>
#include <support/temporary_folder.hpp>

#include <boost/test/unit_test.hpp>

#include <cstdint>
#include <fstream>
#include <limits>
#include <string>

namespace {

BOOST_AUTO_TEST_SUITE(machine_memory)

BOOST_AUTO_TEST_CASE(is_some_and_no_more_than_the_machine_has) {
  std::ifstream file{"/proc/meminfo"};
  std::string name;
  std::uint64_t kibibytes = 0;
  if (!(file >> name >> kibibytes)) kibibytes = std::uint64_t{1} << 40;
  BOOST_TEST(limpid::machine_memory() > 0U);
  BOOST_TEST(limpid::machine_memory() / 1024 <= kibibytes);
}

BOOST_AUTO_TEST_CASE(what_is_free_is_less_than_the_machine_has) {
  BOOST_TEST(limpid::free_memory() > 0U);
  BOOST_TEST(limpid::free_memory() <= limpid::machine_memory());
}

BOOST_AUTO_TEST_CASE(what_is_free_is_what_a_limit_leaves) {
  using limpid::detail::left_of, limpid::detail::kNoLimit;
  BOOST_TEST(left_of(1000, 300, 0) == 700U);
  BOOST_TEST(left_of(1000, 300, 100) == 800U, "files that can be read again are free");
  BOOST_TEST(left_of(1000, 1300, 100) == 0U);
  BOOST_TEST(left_of(kNoLimit, 300, 0) == kNoLimit);
  const limpid_test::TemporaryFolder folder;
  const auto path = folder / "meminfo";
  std::ofstream{path} << "MemTotal:       24 kB\nMemAvailable:   17 kB\n";
  BOOST_TEST(limpid::detail::entry_in_file(path.c_str(), "MemAvailable:") == 17U);
  BOOST_TEST(limpid::detail::entry_in_file(path.c_str(), "inactive_file") == 0U);
}

BOOST_AUTO_TEST_CASE(a_containers_limit_is_read_and_none_is_none) {
  const limpid_test::TemporaryFolder folder;
  const auto limit = [&](const std::string& text) {
    const auto path = folder / "memory.max";
    std::ofstream{path} << text;
    return limpid::detail::limit_in_file(path.c_str());
  };
  const auto none = std::numeric_limits<std::uint64_t>::max();
  BOOST_TEST(limit("2147483648\n") == 2147483648U);
  BOOST_TEST(limit("max\n") == none);
  BOOST_TEST(limpid::detail::limit_in_file((folder / "missing").c_str()) == none);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
