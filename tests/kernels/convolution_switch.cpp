#include <limpid/kernels/convolution_switch.hpp>
#include <support/named.hpp>

#include <boost/test/unit_test.hpp>

#include <thread>

namespace {

using limpid::Convolution, limpid::ConvolutionScope;

BOOST_AUTO_TEST_SUITE(convolution_switch)

BOOST_AUTO_TEST_CASE(kinds_have_names) {
  limpid_test::check_table(limpid::kConvolutions);
  BOOST_TEST(limpid::name_of(Convolution::fast) == "fast");
  BOOST_TEST(limpid::name_of(Convolution::exact) == "exact");
}

BOOST_AUTO_TEST_CASE(a_scope_holds_for_its_thread_and_ends_with_it) {
  BOOST_TEST((ConvolutionScope::in_force() == Convolution::exact));
  {
    const ConvolutionScope outer{Convolution::fast};
    BOOST_TEST((ConvolutionScope::in_force() == Convolution::fast));
    {
      const ConvolutionScope inner{Convolution::exact};
      BOOST_TEST((ConvolutionScope::in_force() == Convolution::exact));
    }
    BOOST_TEST((ConvolutionScope::in_force() == Convolution::fast));
    auto elsewhere = Convolution::fast;
    std::thread{[&] { elsewhere = ConvolutionScope::in_force(); }}.join();
    BOOST_TEST((elsewhere == Convolution::exact));
  }
  BOOST_TEST((ConvolutionScope::in_force() == Convolution::exact));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
