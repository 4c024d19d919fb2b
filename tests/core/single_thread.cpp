#include <limpid/core/single_thread.hpp>

#include <torch/torch.h>
#include <boost/test/unit_test.hpp>

#include <thread>

namespace {

/// The number of threads that a new thread's operators use, once it has called `prepare`.
int threads_of_a_worker(void (*prepare)()) {
  int threads = 0;
  std::thread worker{[&] {
    prepare();
    threads = at::get_num_threads();
  }};
  worker.join();
  return threads;
}

BOOST_AUTO_TEST_SUITE(single_thread)

BOOST_AUTO_TEST_CASE(a_worker_uses_one_thread_and_the_others_what_they_did) {
  const auto before = at::get_num_threads();
  at::set_num_threads(3);
  const auto usual = threads_of_a_worker([] {});
  BOOST_TEST(threads_of_a_worker(limpid::use_one_thread) == 1);
  BOOST_TEST(at::get_num_threads() == 3);
  BOOST_TEST(threads_of_a_worker([] {}) == usual);
  at::set_num_threads(before);
}

BOOST_AUTO_TEST_CASE(a_worker_computes_what_the_others_do) {
  const auto a = torch::arange(40'000).to(torch::kDouble).view({200, 200});
  const auto expected = a.mm(a).sum();
  at::Tensor found;
  std::thread worker{[&] {
    limpid::use_one_thread();
    found = a.mm(a).sum();
  }};
  worker.join();
  BOOST_TEST(torch::allclose(found, expected));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
