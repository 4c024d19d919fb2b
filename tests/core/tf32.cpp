#include <limpid/core/tf32.hpp>

#include <boost/test/unit_test.hpp>

namespace {

BOOST_AUTO_TEST_SUITE(tf32)

BOOST_AUTO_TEST_CASE(is_as_asked_inside_and_as_before_outside) {
  auto& context = at::globalContext();
  const bool convolutions = context.allowTF32CuDNN(), products = context.allowTF32CuBLAS();
  for (const bool allowed : {true, false}) {
    {
      const limpid::TF32Scope scope{allowed, at::kCUDA};
      BOOST_TEST(context.allowTF32CuDNN() == allowed);
      BOOST_TEST(context.allowTF32CuBLAS() == allowed);
      {
        const limpid::TF32Scope inner{!allowed, at::kCUDA};
        BOOST_TEST(context.allowTF32CuDNN() == !allowed);
      }
      BOOST_TEST(context.allowTF32CuDNN() == allowed);
      const limpid::TF32Scope elsewhere{!allowed, at::kCPU};
      BOOST_TEST(context.allowTF32CuDNN() == allowed);
    }
    BOOST_TEST(context.allowTF32CuDNN() == convolutions);
    BOOST_TEST(context.allowTF32CuBLAS() == products);
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
