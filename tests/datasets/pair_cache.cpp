#include <limpid/datasets/pair_cache.hpp>
#include <support/images.hpp>

#include <torch/torch.h>
#include <boost/test/unit_test.hpp>

#include <cstdint>

namespace {

using limpid::Image, limpid::ImagePair, limpid::PairCache;
using limpid_test::picture;

constexpr std::int64_t kPairBytes = 2 * 4 * 4 * 3;

/// A source of pairs of 4 x 4 pixels that counts how often it was asked.
struct Counted {
  PairCache cache;
  int loads = 0;

  ImagePair get(std::int64_t index, std::int64_t variant = 0) {
    return cache.get({index, variant}, [&] {
      ++loads;
      const auto seed = static_cast<std::uint64_t>(10 * index + variant);
      return ImagePair{picture(4, 4, seed), picture(4, 4, seed + 1)};
    });
  }
};

BOOST_AUTO_TEST_SUITE(pair_cache)

BOOST_AUTO_TEST_CASE(a_pair_is_loaded_once_and_comes_back_the_same) {
  Counted counted{PairCache{10 * kPairBytes}};
  const auto first = counted.get(3);
  const auto second = counted.get(3);
  BOOST_TEST(counted.loads == 1);
  BOOST_TEST((first.degraded == second.degraded && first.target == second.target));
  BOOST_TEST(counted.cache.bytes() == kPairBytes);
  BOOST_TEST(counted.cache.size() == 1);
}

BOOST_AUTO_TEST_CASE(what_is_in_stays_so_a_part_of_a_set_is_hit_at_its_share) {
  Counted counted{PairCache{2 * kPairBytes}};
  for (int epoch = 0; epoch < 3; ++epoch) {
    for (std::int64_t i = 0; i < 8; ++i) counted.get(i);
  }
  BOOST_TEST(counted.loads == 8 + 6 + 6);
  BOOST_TEST(counted.cache.size() == 2);
  BOOST_TEST(counted.cache.bytes() <= 2 * kPairBytes);
}

BOOST_AUTO_TEST_CASE(another_variant_takes_the_place_of_the_one_before) {
  Counted counted{PairCache{kPairBytes}};
  const auto first = counted.get(0, 0);
  const auto other = counted.get(0, 1);
  BOOST_TEST((first.degraded != other.degraded));
  counted.get(0, 1);
  BOOST_TEST(counted.loads == 2);
  BOOST_TEST(counted.cache.size() == 1);
  BOOST_TEST(counted.cache.bytes() == kPairBytes);
}

BOOST_AUTO_TEST_CASE(a_picture_that_is_both_counts_once_and_what_stands_beside_counts_too) {
  PairCache cache{1000};
  const auto both = picture(4, 4);
  cache.get({0, 0}, [&] { return ImagePair{both, both}; });
  BOOST_TEST(cache.bytes() == kPairBytes / 2);
  cache.get({1, 0}, [&] { return ImagePair{both, both, {picture(4, 4, 1)}}; });
  BOOST_TEST(cache.bytes() == kPairBytes / 2 + kPairBytes);
}

BOOST_AUTO_TEST_CASE(a_cache_of_no_bytes_keeps_nothing) {
  Counted counted{PairCache{0}};
  counted.get(0);
  counted.get(0);
  BOOST_TEST(counted.loads == 2);
  BOOST_TEST(counted.cache.size() == 0);
}

BOOST_AUTO_TEST_SUITE_END()
}  // namespace
