#include <limpid/core/random.hpp>

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <set>

namespace {

using limpid::Random;

BOOST_AUTO_TEST_SUITE(random_numbers)

BOOST_AUTO_TEST_CASE(bits_are_those_of_splitmix64) {
  Random zero{0};
  for (const std::uint64_t expected :
       {0xe220a8397b1dcdafu, 0x6e789e6aa1b965f4u, 0x06c45d188009454fu}) {
    BOOST_TEST(zero.bits() == expected);
  }
  Random other{1234567};
  for (const std::uint64_t expected :
       {6457827717110365317u, 3203168211198807973u, 9817491932198370423u, 4593380528125082431u}) {
    BOOST_TEST(other.bits() == expected);
  }
}

// From an implementation of the same definitions in Python.
BOOST_AUTO_TEST_CASE(streams_and_distributions_stay_what_they_are) {
  auto stream = Random::stream(7, {1, 2, 3});
  BOOST_TEST(stream.bits() == 0x5ffb921b3ea6caa3u);
  BOOST_TEST(stream.bits() == 0x179ab3dae8edea74u);
  BOOST_TEST(Random::stream(7, {}).bits() == Random{7}.bits());
  BOOST_TEST(Random::stream(7, {0}).bits() == 0xf33dc6bd55ffa86bu);

  Random uniform{42};
  BOOST_TEST(uniform.uniform() == 0x1.7bae644c5fd6dp-1);
  BOOST_TEST(uniform.uniform() == 0x1.477f199d93378p-3);
  Random below{42};
  for (const int expected : {7, 1, 2, 3, 0, 8, 2, 8, 3, 6}) BOOST_TEST(below.below(10) == expected);
  Random normal{42};
  for (const double expected : {0.8822489062222688, -0.4508498757188601, 0.1883526341159315}) {
    BOOST_TEST(std::abs(normal.normal() - expected) < 1e-14);
  }
}

BOOST_AUTO_TEST_CASE(skipping_is_drawing_and_throwing_away) {
  Random drawn{42}, skipped{42};
  for (int i = 0; i < 1000; ++i) drawn.uniform();
  for (int i = 0; i < 7; ++i) drawn.normal();
  skipped.skip(1000 + 2 * 7);
  BOOST_TEST(skipped.state() == drawn.state());
  BOOST_TEST(skipped.bits() == drawn.bits());
}

BOOST_AUTO_TEST_CASE(streams_do_not_meet) {
  std::set<std::uint64_t> seen;
  std::size_t drawn = 0;
  for (std::uint64_t seed = 0; seed < 4; ++seed) {
    for (std::uint64_t a = 0; a < 8; ++a) {
      for (std::uint64_t b = 0; b < 8; ++b) {
        auto stream = Random::stream(seed, {a, b});
        for (int i = 0; i < 16; ++i, ++drawn) seen.insert(stream.bits());
      }
    }
  }
  BOOST_TEST(seen.size() == drawn);
  BOOST_TEST(Random::stream(1, {2, 3}).bits() != Random::stream(1, {3, 2}).bits());
  BOOST_TEST(Random::stream(1, {2}).bits() != Random::stream(1, {2, 0}).bits());
  BOOST_TEST(Random::stream(1, {2}).bits() != Random::stream(2, {1}).bits());
}

BOOST_AUTO_TEST_CASE(neighbouring_streams_are_not_correlated) {
  constexpr int kCount = 20'000;
  double product = 0;
  for (std::uint64_t i = 0; i < kCount; ++i) {
    auto a = Random::stream(5, {i}), b = Random::stream(5, {i + 1});
    product += (a.uniform() - 0.5) * (b.uniform() - 0.5) * 12;
  }
  BOOST_TEST(std::abs(product / kCount) < 4 / std::sqrt(kCount));
}

BOOST_AUTO_TEST_CASE(uniform_values_fill_their_range_and_stay_in_it) {
  Random random{3};
  std::array<int, 10> bins{};
  constexpr int kCount = 50'000;
  for (int i = 0; i < kCount; ++i) {
    const auto value = random.uniform(-2, 3);
    BOOST_REQUIRE(value >= -2);
    BOOST_REQUIRE(value < 3);
    ++bins[static_cast<std::size_t>((value + 2) * 2)];
  }
  for (const auto bin : bins) BOOST_TEST(std::abs(bin - kCount / 10) < 350);
}

BOOST_AUTO_TEST_CASE(below_gives_every_number_and_no_other) {
  Random random{4};
  std::array<int, 7> counts{};
  for (int i = 0; i < 7000; ++i) {
    const auto value = random.below(7);
    BOOST_REQUIRE(value >= 0);
    BOOST_REQUIRE(value < 7);
    ++counts[static_cast<std::size_t>(value)];
  }
  BOOST_TEST(*std::min_element(counts.begin(), counts.end()) > 850);
  for (int i = 0; i < 20; ++i) BOOST_TEST(random.below(1) == 0);
}

BOOST_AUTO_TEST_CASE(normal_values_have_the_moments_of_the_normal_distribution) {
  Random random{11};
  constexpr int kCount = 100'000;
  double sum = 0, squares = 0, fourths = 0;
  int within = 0;
  for (int i = 0; i < kCount; ++i) {
    const auto value = random.normal();
    BOOST_REQUIRE(std::isfinite(value));
    sum += value;
    squares += value * value;
    fourths += value * value * value * value;
    within += std::abs(value) < 1;
  }
  BOOST_TEST(std::abs(sum / kCount) < 0.015);
  BOOST_TEST(std::abs(squares / kCount - 1) < 0.02);
  BOOST_TEST(std::abs(fourths / kCount - 3) < 0.2);
  BOOST_TEST(std::abs(static_cast<double>(within) / kCount - 0.6827) < 0.006);
}

BOOST_AUTO_TEST_CASE(chance_is_as_likely_as_it_says) {
  Random random{12};
  int hits = 0;
  for (int i = 0; i < 10'000; ++i) {
    hits += random.chance(0.3);
    BOOST_REQUIRE(!random.chance(0));
    BOOST_REQUIRE(random.chance(1));
  }
  BOOST_TEST(std::abs(hits - 3000) < 200);
}

BOOST_AUTO_TEST_CASE(a_state_goes_on_where_it_was_taken) {
  Random random{13};
  random.normal();
  random.below(5);
  Random resumed{random.state()};
  for (int i = 0; i < 5; ++i) BOOST_TEST(resumed.bits() == random.bits());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
