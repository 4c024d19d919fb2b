#include <limpid/kernels/workspace.hpp>

#include <boost/test/unit_test.hpp>

namespace {

using limpid::detail::WorkspacePool;

constexpr std::size_t kKilo = 1024;

BOOST_AUTO_TEST_SUITE(workspace)

BOOST_AUTO_TEST_CASE(a_block_that_came_back_is_lent_again) {
  WorkspacePool pool{100 * kKilo};
  auto block = pool.take(40 * kKilo);
  BOOST_TEST(block.nbytes() >= 40 * kKilo);
  const auto* place = block.data_ptr();
  BOOST_TEST(pool.kept() == 0U);
  pool.give(std::move(block));
  BOOST_TEST(pool.kept() == 40 * kKilo);
  BOOST_TEST((pool.take(30 * kKilo).data_ptr() == place));
  BOOST_TEST(pool.kept() == 0U);
}

BOOST_AUTO_TEST_CASE(a_small_request_does_not_take_a_large_block) {
  WorkspacePool pool{100 * kKilo};
  pool.give(pool.take(80 * kKilo));
  BOOST_TEST(pool.take(8 * kKilo).nbytes() == 8 * kKilo);
  BOOST_TEST(pool.kept() == 80 * kKilo);
}

BOOST_AUTO_TEST_CASE(no_more_is_kept_than_the_pool_may) {
  WorkspacePool pool{100 * kKilo};
  auto first = pool.take(60 * kKilo), second = pool.take(50 * kKilo), huge = pool.take(200 * kKilo);
  pool.give(std::move(first));
  pool.give(std::move(second));  // the first goes
  BOOST_TEST(pool.kept() == 50 * kKilo);
  pool.give(std::move(huge));
  BOOST_TEST(pool.kept() == 0U);
}

BOOST_AUTO_TEST_CASE(nothing_is_lent_for_no_bytes) {
  const limpid::detail::Workspace none{0};
  BOOST_TEST((none.data() == nullptr));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
