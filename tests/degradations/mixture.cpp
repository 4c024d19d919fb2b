#include <limpid/degradations/haze.hpp>
#include <limpid/degradations/mixture.hpp>
#include <limpid/degradations/motion_blur.hpp>
#include <limpid/degradations/named_degradations.hpp>
#include <limpid/degradations/raindrops.hpp>
#include <support/degradations.hpp>
#include <support/errors.hpp>

#include <torch/torch.h>
#include <boost/test/unit_test.hpp>

#include <string>
#include <vector>

using namespace limpid;
using limpid_test::made_up_photo;

namespace {

AnyDegradation read(const std::string& text) {
  return named_degradation(DegradationText::parse(text));
}

/// Leaves what it is named after in the first pixel: old value * 10 + digit.
AnyDegradation writes(int digit) {
  return [digit](const at::Tensor& image, Random&) {
    auto result = image.clone();
    result[0][0][0] = image[0][0][0] * 10 + digit;
    return result;
  };
}

int written(const Mixture& mixture, Random& random) {
  return mixture(torch::zeros({3, 16, 16}), random)[0][0][0].item<int>();
}

}  // namespace

BOOST_AUTO_TEST_SUITE(mixture)

BOOST_AUTO_TEST_CASE(parts_come_in_random_order_or_in_their_own_as_often_as_was_asked) {
  Mixture mixture{.parts = {{writes(1)}, {writes(2)}, {writes(3)}}};
  std::vector<int> seen;
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    Random random{seed};
    seen.push_back(written(mixture, random));
  }
  for (const int order : {123, 132, 213, 231, 312, 321}) {
    BOOST_TEST(std::count(seen.begin(), seen.end(), order) > 2, order);
  }
  Random random{1};
  mixture.shuffle = false;
  BOOST_TEST(written(mixture, random) == 123);
  mixture.rounds = 2;
  BOOST_TEST(written(mixture, random) == 123123);
}

BOOST_AUTO_TEST_CASE(a_part_comes_with_its_probability) {
  const Mixture mixture{.parts = {{writes(1), 0.25}, {writes(2), 1}, {writes(3), 0}},
                        .shuffle = false};
  int both = 0;
  Random random{2};
  for (int i = 0; i < 400; ++i) {
    const auto what = written(mixture, random);
    BOOST_TEST((what == 12 || what == 2));
    if (what == 12) ++both;
  }
  BOOST_TEST(std::abs(both - 100) < 27);  // three deviations
}

BOOST_AUTO_TEST_CASE(words_name_parts_their_probabilities_and_options) {
  const auto photo = made_up_photo(48, 64);
  const std::string parts = "motion-blur@0.5+noise@0.7(sigma=5:25)+haze(beta=1,tint=0)";
  const auto blind = read("mixture,parts=" + parts + ",rounds=2");
  BOOST_TEST(blind.description() == "mixture (parts " + parts + ", shuffle yes, rounds 2)");
  const Mixture same{
      .parts = {{MotionBlur{}, 0.5}, {Noise{.sigma = {5, 25}}, 0.7}, {Haze{.beta = 1, .tint = 0}}},
      .rounds = 2};
  for (std::uint64_t seed = 0; seed < 5; ++seed) {
    Random first{seed}, second{seed};
    BOOST_TEST(blind(photo, first).equal(same(photo, second)));
  }
  Random first{3}, second{3};
  const auto nested = read("mixture,parts=mixture@1(parts=noise(sigma=9)+jpeg,shuffle=no)");
  BOOST_TEST(!nested(photo, first).equal(photo));
}

BOOST_AUTO_TEST_CASE(what_is_usual_is_what_its_words_say) {
  const auto photo = made_up_photo(40, 50);
  MixtureParts parts{};
  read_option(option_text(Mixture{}.parts), parts);
  for (std::uint64_t seed = 0; seed < 5; ++seed) {
    Random first{seed}, second{seed};
    BOOST_TEST((Mixture{.parts = parts}(photo, first).equal(Mixture{}(photo, second))));
  }
}

BOOST_AUTO_TEST_CASE(parts_of_pictures_are_made_where_all_of_its_parts_can) {
  BOOST_TEST(read("mixture").is_partwise());
  BOOST_TEST(!read("mixture,parts=noise+raindrops@0.1").is_partwise());
  limpid_test::check_degradation(read("mixture,parts=noise+raindrops"), "with drops");
  limpid_test::check_parts(read("mixture,parts=haze+jpeg+resampling+rain-streaks,rounds=2"), "two");
  BOOST_TEST(read("mixture,parts=jpeg@0.2+noise,rounds=2").batch_margin() == 2 * 18);
}

BOOST_AUTO_TEST_CASE(what_is_wrong_with_the_words_is_said) {
  const auto error = [](const std::string& text) {
    return limpid_test::value_error_of([&] { return read("mixture,parts=" + text); });
  };
  const std::string start = "mixture: parts: ";
  BOOST_TEST(error("noise+") == start +
                                    "expected NAME[@PROBABILITY][(OPTION=VALUE,...)] with + "
                                    "between them, found ''");
  BOOST_TEST(error("noise(sigma=5") == start +
                                           "expected NAME[@PROBABILITY][(OPTION=VALUE,...)] with "
                                           "+ between them, found 'noise(sigma=5'");
  BOOST_TEST(error("noise@x") == start + "expected a number, found 'x'");
  BOOST_TEST(error("nose").starts_with(start + "expected a degradation, one of "));
  BOOST_TEST(error("noise(sigma=-1)") == start + "Noise: sigma must not be negative, got -1");
  BOOST_TEST(error("noise@1.5") ==
             "Mixture: expected probabilities in [0, 1], got 1.5 for noise (sigma 0:55)");
}

BOOST_AUTO_TEST_SUITE_END()
