#include <limpid/datasets/pairs.hpp>
#include <support/errors.hpp>
#include <support/images.hpp>

#include <torch/torch.h>
#include <boost/test/unit_test.hpp>

#include <string>
#include <vector>

namespace {

using limpid::Image, limpid::ImagePair, limpid::Pairs, limpid::PairSource;
using limpid_test::error_of, limpid_test::picture, limpid_test::value_error_of;

struct Numbered {
  std::int64_t count = 5;
  std::int64_t size() const { return count; }
  std::string name(std::int64_t i) const { return "pair" + std::to_string(i); }
  ImagePair load(std::int64_t i, std::int64_t draw) const {
    const auto seed = static_cast<std::uint64_t>(10 * i + draw);
    return {picture(4, 5, seed), picture(4, 5, seed)};
  }
};

struct Varying : Numbered {
  std::int64_t variant(std::int64_t draw) const { return draw / 2; }
  std::string description() const { return "pairs that vary"; }
};

struct Unequal : Numbered {
  ImagePair load(std::int64_t, std::int64_t) const { return {picture(4, 5), picture(5, 4)}; }
};

struct Nameless {
  std::int64_t size() const { return 0; }
};

static_assert(PairSource<Numbered> && PairSource<Varying> && PairSource<Pairs>);
static_assert(!PairSource<Nameless>);
static_assert(std::convertible_to<Numbered, Pairs> && !std::convertible_to<Nameless, Pairs>);

BOOST_AUTO_TEST_SUITE(pairs)

BOOST_AUTO_TEST_CASE(holds_any_source_by_value) {
  const Pairs none;
  BOOST_TEST(none.empty());
  BOOST_TEST(none.description() == "no pairs");
  Pairs held = Numbered{};
  const auto copy = held;
  held = Varying{};
  BOOST_TEST(copy.size() == 5);
  BOOST_TEST(copy.name(3) == "pair3");
  BOOST_TEST(copy.description() == "5 pairs");
  BOOST_TEST(copy.variant(7) == 0);
  BOOST_TEST(held.variant(7) == 3);
  BOOST_TEST(held.description() == "pairs that vary");
  BOOST_TEST((copy.load(2, 1).target == picture(4, 5, 21)));
  BOOST_TEST((copy.load(2).target == picture(4, 5, 20)));
}

BOOST_AUTO_TEST_CASE(takes_parts) {
  const Pairs all = Varying{};
  const auto some = all.subset({4, 0});
  BOOST_TEST(some.size() == 2);
  BOOST_TEST(some.name(0) == "pair4");
  BOOST_TEST(some.variant(4) == 2);
  BOOST_TEST((some.load(1, 3).target == picture(4, 5, 3)));
  BOOST_TEST(some.description() == "2 of pairs that vary");
  BOOST_TEST(all.first(3).size() == 3);
  BOOST_TEST(all.first(9).size() == 5);
  BOOST_TEST(all.first(0).empty());
}

BOOST_AUTO_TEST_CASE(a_few_pairs_are_spread_over_the_whole_list) {
  const Pairs all = Numbered{};  // 5 pairs
  BOOST_TEST(all.spread(1).name(0) == all.name(2));
  BOOST_TEST(all.spread(2).name(0) == all.name(1));
  BOOST_TEST(all.spread(2).name(1) == all.name(3));
  BOOST_TEST(all.spread(5).size() == 5);
  BOOST_TEST(all.spread(9).size() == 5);
  BOOST_TEST(all.spread(0).empty());
}

BOOST_AUTO_TEST_CASE(misuse_is_named) {
  const Pairs all = Numbered{};
  BOOST_TEST(value_error_of([&] { all.load(5); }) == "Pairs: expected an index below 5, got 5");
  BOOST_TEST(value_error_of([&] { all.subset({-1}); }) ==
             "Pairs: expected an index below 5, got -1");
  BOOST_TEST(error_of([&] { Pairs{Unequal{}}.load(1); }) ==
             "pair 'pair1': degraded 5 x 4 and target 4 x 5 differ in size");
}

BOOST_AUTO_TEST_SUITE_END()
}  // namespace
