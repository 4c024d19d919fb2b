#include <limpid/core/cudnn_benchmark.hpp>

#include <boost/test/unit_test.hpp>

namespace {

BOOST_AUTO_TEST_SUITE(cudnn_benchmark)

BOOST_AUTO_TEST_CASE(is_as_asked_inside_and_as_before_outside) {
  auto& context = at::globalContext();
  const bool before = context.benchmarkCuDNN();
  for (const bool on : {true, false}) {
    {
      const limpid::CudnnBenchmarkScope scope{on, at::kCUDA};
      BOOST_TEST(context.benchmarkCuDNN() == on);
      const limpid::CudnnBenchmarkScope elsewhere{!on, at::kCPU};
      BOOST_TEST(context.benchmarkCuDNN() == on);
    }
    BOOST_TEST(context.benchmarkCuDNN() == before);
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
