#include <limpid/core/checksum.hpp>
#include <limpid/core/random.hpp>

#include <boost/test/unit_test.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace {

std::uint32_t crc_of(std::string_view text) { return limpid::crc32(text.data(), text.size()); }

/// The definition, a bit at a time.
std::uint32_t bit_by_bit(std::string_view text) {
  std::uint32_t crc = 0xffffffff;
  for (const unsigned char byte : text) {
    crc ^= byte;
    for (int bit = 0; bit < 8; ++bit) crc = (crc & 1) != 0 ? crc >> 1 ^ 0xedb88320u : crc >> 1;
  }
  return ~crc;
}

std::string random_bytes(std::size_t size) {
  limpid::Random random{size};
  std::string bytes(size, '\0');
  for (auto& byte : bytes) byte = static_cast<char>(random.below(256));
  return bytes;
}

BOOST_AUTO_TEST_SUITE(checksum)

BOOST_AUTO_TEST_CASE(known_values) {
  BOOST_TEST(crc_of("") == 0u);
  BOOST_TEST(crc_of("123456789") == 0xcbf43926u);
  BOOST_TEST(crc_of("a") == 0xe8b7be43u);
  BOOST_TEST(crc_of("The quick brown fox jumps over the lazy dog") == 0x414fa339u);
  BOOST_TEST(limpid::crc32(nullptr, 0) == 0u);
}

BOOST_AUTO_TEST_CASE(every_length_and_alignment_equals_the_definition) {
  const auto bytes = random_bytes(64);
  for (std::size_t begin = 0; begin < 9; ++begin) {
    for (std::size_t size = 0; size <= 40; ++size) {
      const auto part = std::string_view{bytes}.substr(begin, size);
      BOOST_TEST(crc_of(part) == bit_by_bit(part), begin << " + " << size);
    }
  }
}

BOOST_AUTO_TEST_CASE(any_flipped_bit_is_seen) {
  auto bytes = random_bytes(100);
  const auto whole = crc_of(bytes);
  for (std::size_t i = 0; i < 8 * bytes.size(); ++i) {
    bytes[i / 8] = static_cast<char>(bytes[i / 8] ^ 1 << i % 8);
    BOOST_REQUIRE(crc_of(bytes) != whole);
    bytes[i / 8] = static_cast<char>(bytes[i / 8] ^ 1 << i % 8);
  }
  BOOST_TEST(crc_of(bytes) == whole);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
