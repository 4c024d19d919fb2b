#include <limpid/training/decoded_ahead.hpp>
#include <support/errors.hpp>
#include <support/troubled_pictures.hpp>

#include <boost/test/unit_test.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <string>
#include <thread>

namespace {

using namespace limpid_test;
using limpid::detail::DecodedAhead;

BOOST_AUTO_TEST_SUITE(decoded_ahead)

BOOST_AUTO_TEST_CASE(pairs_come_in_order_and_the_next_one_is_decoded_meanwhile) {
  std::atomic<std::int64_t> begun{0};
  DecodedAhead ahead{TroubledPictures{[&](std::int64_t) { ++begun; }, 3}};
  for (std::int64_t i = 0; i < 3; ++i) {
    BOOST_TEST((ahead.next().target == DarkPictures{}.load(i, 0).target));
    const auto expected = std::min<std::int64_t>(i + 2, 3);
    for (int wait = 0; begun < expected && wait < 500; ++wait) {
      std::this_thread::sleep_for(std::chrono::milliseconds{10});
    }
    BOOST_TEST(begun == expected);
  }
}

BOOST_AUTO_TEST_CASE(one_that_cannot_be_read_does_not_stop_those_behind_it) {
  DecodedAhead ahead{damaged([](std::int64_t i) { return i == 1; }, 3)};
  ahead.next();
  BOOST_TEST(error_of([&] { ahead.next(); }) == "'dark1' is damaged");
  BOOST_TEST((ahead.next().target == DarkPictures{}.load(2, 0).target));
}

BOOST_AUTO_TEST_CASE(it_can_be_left_at_any_picture) {
  for (int taken = 0; taken < 3; ++taken) {
    DecodedAhead ahead{limpid::Pairs{DarkPictures{3}}};
    for (int i = 0; i < taken; ++i) ahead.next();
  }
  const DecodedAhead none{limpid::Pairs{}};
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
