#include <limpid/io/event_file.hpp>
#include <support/errors.hpp>
#include <support/temporary_folder.hpp>

#include <boost/test/unit_test.hpp>

#if LIMPID_WITH_PROTOZERO
#include <protozero/pbf_reader.hpp>
#endif

#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

using limpid::EventFile, limpid::EventSummary;
using limpid_test::TemporaryFolder;

namespace {

/// The messages of a record file, with lengths and checksums verified.
std::vector<std::string> records_of(const std::filesystem::path& path) {
  std::ifstream file{path, std::ios::binary};
  const std::string bytes{std::istreambuf_iterator<char>{file}, {}};
  std::vector<std::string> records;
  for (std::size_t at = 0; at < bytes.size();) {
    BOOST_REQUIRE(at + 12 <= bytes.size());
    std::uint64_t length = 0;
    std::memcpy(&length, bytes.data() + at, 8);
    BOOST_REQUIRE(at + 16 + length <= bytes.size());
    const auto data = bytes.substr(at + 12, length);
    BOOST_REQUIRE(limpid::detail::event_record(data) == bytes.substr(at, 16 + length));
    records.push_back(data);
    at += 16 + length;
  }
  return records;
}

std::vector<std::filesystem::path> files_in(const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator{folder}) {
    files.push_back(entry.path());
  }
  return files;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(event_file)

BOOST_AUTO_TEST_CASE(the_checksum_is_crc_32c) {
  BOOST_TEST(limpid::detail::crc32c("123456789") == 0xe3069283U);
  BOOST_TEST(limpid::detail::crc32c(std::string(32, '\0')) == 0x8a9136aaU);  // RFC 3720, B.4
  BOOST_TEST(limpid::detail::crc32c("") == 0U);
}

#if LIMPID_WITH_PROTOZERO

BOOST_AUTO_TEST_CASE(a_step_comes_back_from_its_messages) {
  TemporaryFolder folder;
  {
    EventFile file{folder.path(), 0};
    file.write({7, {{"loss/deblur/content", 0.25}, {"rate", 1e-4}}, {{"picture", "PNG!", 3, 5}}});
  }
  const auto files = files_in(folder.path());
  BOOST_REQUIRE(files.size() == 1);
  BOOST_TEST(files[0].filename().string().starts_with("events.out.tfevents."));
  const auto records = records_of(files[0]);
  BOOST_REQUIRE(records.size() == 2);
  protozero::pbf_reader version{records[0]};
  BOOST_REQUIRE(version.next(3));
  BOOST_TEST(version.get_string() == "brain.Event:2");

  protozero::pbf_reader event{records[1]};
  BOOST_REQUIRE(event.next(2));
  BOOST_TEST(event.get_int64() == 7);
  BOOST_REQUIRE(event.next(5));
  auto summary = event.get_message();
  std::vector<std::string> tags;
  std::vector<float> numbers;
  while (summary.next(1)) {
    auto value = summary.get_message();
    while (value.next()) {
      if (value.tag() == 1) {
        tags.push_back(value.get_string());
      } else if (value.tag() == 2) {
        numbers.push_back(value.get_float());
      } else {
        BOOST_REQUIRE(value.tag() == 4U);
        auto image = value.get_message();
        BOOST_REQUIRE(image.next(2));
        BOOST_TEST(image.get_int32() == 5);
        BOOST_REQUIRE(image.next(4));
        BOOST_TEST(image.get_bytes() == "PNG!");
      }
    }
  }
  const std::vector<std::string> expected_tags{"loss/deblur/content", "rate", "picture"};
  const std::vector<float> expected{0.25f, 1e-4f};
  BOOST_TEST(tags == expected_tags, boost::test_tools::per_element());
  BOOST_TEST(numbers == expected, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_later_sitting_says_where_it_begins) {
  TemporaryFolder folder;
  { EventFile file{folder.path(), 120}; }
  const auto records = records_of(files_in(folder.path()).at(0));
  BOOST_REQUIRE(records.size() == 2);
  protozero::pbf_reader event{records[1]};
  BOOST_REQUIRE(event.next(2));
  BOOST_TEST(event.get_int64() == 121);
  BOOST_REQUIRE(event.next(7));
  auto session = event.get_message();
  BOOST_REQUIRE(session.next(1));
  BOOST_TEST(session.get_enum() == 1);  // START
}

BOOST_AUTO_TEST_CASE(a_folder_that_is_not_there_is_named) {
  BOOST_TEST(limpid_test::error_of([] {
               EventFile{"/no/such/folder", 0};
             }).find("/no/such/folder") != std::string::npos);
}

#else

BOOST_AUTO_TEST_CASE(a_build_without_protozero_says_so) {
  BOOST_TEST(limpid_test::value_error_of([] {
               EventFile{"/tmp", 0};
             }).find("libprotozero-dev") != std::string::npos);
}

#endif

BOOST_AUTO_TEST_SUITE_END()
