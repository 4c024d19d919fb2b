#include <limpid/kernels/bounded_cache.hpp>

#include <boost/test/unit_test.hpp>

#include <atomic>
#include <stdexcept>
#include <thread>
#include <vector>

namespace {

using limpid::detail::BoundedCache;

/// A cache of squares that counts how many were made.
struct Squares {
  int of(int number) {
    return cache.get(number, [&] {
      ++made;
      return number * number;
    });
  }

  BoundedCache<int, int> cache{3};
  std::atomic<int> made{0};
};

BOOST_FIXTURE_TEST_SUITE(bounded_cache, Squares)

BOOST_AUTO_TEST_CASE(makes_each_value_once) {
  for (int round = 0; round < 3; ++round) {
    for (const int number : {2, 3, 5}) BOOST_TEST(of(number) == number * number);
  }
  BOOST_TEST(made == 3);
}

BOOST_AUTO_TEST_CASE(lets_go_of_what_was_used_longest_ago) {
  for (const int number : {2, 3, 5, 2, 7}) of(number);  // 3 goes
  BOOST_TEST(cache.size() == 3U);
  BOOST_TEST(made == 4);
  of(2);
  of(5);
  BOOST_TEST(made == 4);
  of(3);
  BOOST_TEST(made == 5);
}

BOOST_AUTO_TEST_CASE(keeps_nothing_where_making_fails) {
  const auto fails = []() -> int { throw std::runtime_error{"no"}; };
  BOOST_CHECK_THROW(cache.get(2, fails), std::runtime_error);
  BOOST_TEST(cache.size() == 0U);
  BOOST_TEST(of(2) == 4);
}

BOOST_AUTO_TEST_CASE(stays_within_its_bound_when_many_threads_ask) {
  std::atomic<int> wrong{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 500; ++i) {
        const int number = (i * (t + 1)) % 7;
        if (of(number) != number * number) ++wrong;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  BOOST_TEST(wrong == 0);
  BOOST_TEST(cache.size() == 3U);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
