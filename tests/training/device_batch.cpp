#include <limpid/training/device_batch.hpp>

#include <torch/torch.h>
#include <boost/test/unit_test.hpp>

namespace {

BOOST_AUTO_TEST_SUITE(device_batch)

BOOST_AUTO_TEST_CASE(on_the_cpu_a_batch_is_not_copied) {
  const limpid::Batch batch{torch::rand({2, 3, 4, 4}), torch::rand({2, 3, 4, 4})};
  const auto same = limpid::detail::on_device(batch, at::kCPU);
  BOOST_TEST(same.degraded.is_same(batch.degraded));
  BOOST_TEST(same.target.is_same(batch.target));
}

BOOST_AUTO_TEST_CASE(on_a_card_it_has_the_same_values) {
  if (!torch::cuda::is_available()) return;
  const limpid::Batch batch{torch::rand({2, 3, 4, 4}), torch::rand({2, 3, 4, 4})};
  const auto there = limpid::detail::on_device(batch, at::kCUDA);
  BOOST_TEST(there.degraded.is_cuda());
  BOOST_TEST(torch::equal(there.degraded.cpu(), batch.degraded));
  BOOST_TEST(torch::equal(there.target.cpu(), batch.target));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
