#include <limpid/degradations/any_degradation.hpp>
#include <limpid/degradations/haze.hpp>
#include <limpid/degradations/raindrops.hpp>
#include <support/degradations.hpp>
#include <support/errors.hpp>

#include <torch/torch.h>
#include <boost/test/unit_test.hpp>

using namespace limpid;
using limpid_test::error_of;
using limpid_test::made_up_photo;

BOOST_AUTO_TEST_SUITE(any_degradation)

BOOST_AUTO_TEST_CASE(it_does_what_the_degradation_inside_does) {
  const auto photo = made_up_photo(48, 64);
  Random first{12};
  Random second{12};
  const AnyDegradation any = Haze{.beta = 1};
  BOOST_TEST(any(photo, first).equal(Haze{.beta = 1}(photo, second)));
  BOOST_TEST(any.is_partwise());
  limpid_test::check_degradation(any, "AnyDegradation");
}

BOOST_AUTO_TEST_CASE(a_lambda_is_a_degradation) {
  const auto by = 0.5;
  const AnyDegradation darker = [by](const at::Tensor& image, Random&) { return image * by; };
  Random random{1};
  BOOST_TEST(darker(torch::ones({3, 16, 16}), random).mean().item<float>() == 0.5f);
}

BOOST_AUTO_TEST_CASE(what_takes_whole_pictures_says_so) {
  const AnyDegradation drops{Raindrops{}, "raindrops"};
  BOOST_TEST(!drops.is_partwise());
  BOOST_TEST(drops.description() == "raindrops");
  Random random{1};
  BOOST_TEST(error_of([&] { drops.drawn_for(20, 20, random); }) ==
             "raindrops takes whole pictures");
}

BOOST_AUTO_TEST_SUITE_END()
