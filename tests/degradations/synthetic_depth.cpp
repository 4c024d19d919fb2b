#include <limpid/degradations/synthetic_depth.hpp>
#include <support/errors.hpp>

#include <torch/torch.h>
#include <boost/test/unit_test.hpp>

using namespace limpid;

BOOST_AUTO_TEST_SUITE(synthetic_depth)

BOOST_AUTO_TEST_CASE(it_spans_the_unit_range_and_mostly_grows_upwards) {
  for (std::uint64_t seed = 0; seed < 10; ++seed) {
    Random random{seed};
    const SyntheticDepth hilly{.relief = 0.35};
    const auto depth = hilly(60, 90, random);
    BOOST_TEST(depth.min().item<float>() == 0.0f);
    BOOST_TEST(depth.max().item<float>() == 1.0f);
    BOOST_TEST(depth.narrow(0, 0, 15).mean().item<float>() >
               depth.narrow(0, 45, 15).mean().item<float>() + 0.2f);
    Random again{seed};
    BOOST_TEST(hilly(60, 90, again).equal(depth));
  }
}

BOOST_AUTO_TEST_CASE(it_without_relief_is_the_ground_formula) {
  Random random{3};
  const SyntheticDepth level{.horizon = 0.25, .roll = 0, .nearness = 0.5, .relief = 0};
  const auto depth = level(64, 16, random);
  const auto ground = [](double row) {
    const auto u = std::clamp(((row + 0.5) / 64 - 0.25) / 0.75, 0.0, 1.0);
    return 0.5 * (1 - u) / (0.5 + u);
  };
  // Normalised over the rows: 1 above the horizon, 0 in the last row.
  const auto expected = (ground(30) - ground(63)) / (ground(0) - ground(63));
  BOOST_TEST(depth[0][0].item<float>() == 1.0f);
  BOOST_TEST(depth[15][9].item<float>() == 1.0f);
  BOOST_TEST(depth[30][9].item<double>() == expected, boost::test_tools::tolerance(1e-5));
}

BOOST_AUTO_TEST_CASE(an_option_out_of_range_is_named) {
  Random random{1};
  BOOST_TEST(limpid_test::value_error_of([&] {
               SyntheticDepth{.relief = 2}(20, 24, random);
             }).starts_with("SyntheticDepth: relief"));
  BOOST_TEST(limpid_test::value_error_of([&] {
               SyntheticDepth{}(1, 24, random);
             }).starts_with("SyntheticDepth: height"));
}

BOOST_AUTO_TEST_SUITE_END()
