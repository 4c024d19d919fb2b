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
