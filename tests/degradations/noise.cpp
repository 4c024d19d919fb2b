#include <limpid/degradations/noise.hpp>
#include <support/degradations.hpp>
#include <support/errors.hpp>

#include <torch/torch.h>
#include <boost/test/unit_test.hpp>

using namespace limpid;
using limpid_test::error_of;

BOOST_AUTO_TEST_SUITE(noise)

BOOST_AUTO_TEST_CASE(it_is_a_degradation) { limpid_test::check_degradation(Noise{}, "Noise"); }

BOOST_AUTO_TEST_CASE(it_has_the_stated_deviation_and_channels_of_their_own) {
  const auto grey = torch::full({3, 128, 128}, 0.5f);
  for (const double sigma : {5.0, 25.0}) {
    Random random{3};
    const auto added = (Noise{.sigma = sigma}(grey, random) - grey) * 255;
    BOOST_TEST(added.std().item<double>() == sigma, boost::test_tools::tolerance(0.02));
    BOOST_TEST(std::abs(added.mean().item<double>()) < 0.05 * sigma);
    BOOST_TEST(std::abs((added[0] * added[1]).mean().item<double>()) < 0.05 * sigma * sigma);
    const auto beside = added.narrow(2, 0, 127) * added.narrow(2, 1, 127);
    BOOST_TEST(std::abs(beside.mean().item<double>()) < 0.05 * sigma * sigma);
  }
}

BOOST_AUTO_TEST_CASE(no_deviation_changes_nothing_and_less_than_none_is_refused) {
  const auto photo = limpid_test::made_up_photo(20, 33);
  Random random{1};
  BOOST_TEST(Noise{.sigma = 0}(photo, random).equal(photo));
  BOOST_TEST(error_of([&] {
               return Noise{.sigma = {-1, 5}}(photo, random);
             }) == "Noise: sigma must not be negative, got -1:5");
}

BOOST_AUTO_TEST_SUITE_END()
