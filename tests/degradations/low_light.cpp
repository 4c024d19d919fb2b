#include <limpid/degradations/low_light.hpp>
#include <support/errors.hpp>

#include <torch/torch.h>
#include <boost/test/unit_test.hpp>

#include <cmath>

using namespace limpid;
using limpid_test::error_of;

BOOST_AUTO_TEST_SUITE(low_light)

BOOST_AUTO_TEST_CASE(each_value_is_exposed_bent_and_dimmed) {
  Random random{1};
  const LowLight dark{.exposure = 0.8, .gain = 0.5, .gamma = 2, .cast = 1, .shot = 0, .read = 0};
  const auto grey = dark(torch::full({3, 16, 16}, 0.5f), random);
  BOOST_TEST(grey.sub(0.5 * 0.16).abs().max().item<float>() < 1e-6f);
  const auto tinted = LowLight{.cast = {0.7, 1.3}, .shot = 0, .read = 0}.drawn_for(16, 16, random);
  BOOST_TEST(tinted.gain[0] != tinted.gain[1]);
  BOOST_TEST(tinted.gain[1] != tinted.gain[2]);
}

BOOST_AUTO_TEST_CASE(noise_has_the_variance_of_light_and_camera) {
  Random random{2};
  const LowLight dark{.exposure = 1, .gain = 0.5, .gamma = 1, .cast = 1, .shot = 0.004, .read = 2};
  for (const double value : {0.2, 0.8}) {
    const auto noise = dark(torch::full({3, 128, 128}, value), random) - 0.5 * value;
    const auto expected = std::sqrt(0.004 * 0.5 * value + std::pow(2 / 255.0, 2));
    BOOST_TEST(noise.std().item<double>() == expected, boost::test_tools::tolerance(0.02));
    BOOST_TEST(std::abs(noise.mean().item<double>()) < 0.05 * expected);
  }
}

BOOST_AUTO_TEST_CASE(options_out_of_range_are_named) {
  Random random{1};
  BOOST_TEST(error_of([&] {
               return LowLight{.gamma = 0}(torch::rand({3, 20, 20}), random);
             }) == "LowLight: gamma must be positive, got 0");
}

BOOST_AUTO_TEST_SUITE_END()
