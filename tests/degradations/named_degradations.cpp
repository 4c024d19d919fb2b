#include <limpid/degradations/named_degradations.hpp>
#include <support/degradations.hpp>
#include <support/errors.hpp>
#include <support/named.hpp>

#include <torch/torch.h>
#include <boost/test/unit_test.hpp>

#include <set>
#include <string>
#include <thread>
#include <type_traits>
#include <vector>

using namespace limpid;
using limpid_test::error_of;
using limpid_test::made_up_photo;

namespace {

AnyDegradation read(const std::string& text) {
  return named_degradation(DegradationText::parse(text));
}

}  // namespace

BOOST_AUTO_TEST_SUITE(named_degradations)

BOOST_AUTO_TEST_CASE(the_table_is_in_order) { limpid_test::check_table(kDegradations); }

BOOST_AUTO_TEST_CASE(each_one_keeps_what_degradations_promise) {
  kDegradations.for_each([](const auto& entry) {
    using D = typename std::remove_cvref_t<decltype(entry.value)>::type;
    BOOST_TEST(!entry.value.task.empty());
    if (entry.name == "webp" && !kWebp.missing.empty()) return;
    limpid_test::check_degradation(D{}, std::string{entry.name});
  });
}

BOOST_AUTO_TEST_CASE(each_one_has_options_that_text_can_set) {
  kDegradations.for_each([](const auto& entry) {
    using D = typename std::remove_cvref_t<decltype(entry.value)>::type;
    std::set<std::string> names;
    D changed{};
    D::each_option(changed, [&](std::string_view name, auto& value, std::string_view what) {
      BOOST_TEST(is_table_name(name), name);
      BOOST_TEST(names.insert(std::string{name}).second, name);
      BOOST_TEST(!what.empty(), name);
      using limpid::detail::option_text;
      auto text = option_text(value);
      if constexpr (std::is_same_v<std::remove_cvref_t<decltype(value)>, Interval>) {
        text = text.substr(0, text.find(':'));
      }
      set_option(changed, name, text);
      BOOST_TEST(option_text(value) == text, name);
    });
    BOOST_TEST(!names.empty());
  });
}

BOOST_AUTO_TEST_CASE(a_text_names_a_degradation_and_its_options) {
  const auto photo = made_up_photo(48, 64);
  Random first{4};
  Random second{4};
  const auto blur = read("motion-blur,size=9:31,gamma=2.2");
  BOOST_TEST(blur(photo, first).equal(MotionBlur{.size = {9, 31}, .gamma = 2.2}(photo, second)));
  BOOST_TEST(blur.description() ==
             "motion-blur (size 9:31, anxiety 0.001:0.01, exposure 0.7:1, gamma 2.2)");
  BOOST_TEST(read("noise").description() == "noise (sigma 0:55)");
  BOOST_TEST(read("haze,cells=5").is_partwise());
}

BOOST_AUTO_TEST_CASE(what_is_wrong_with_a_text_is_said) {
  const auto error = [](const std::string& text) {
    return limpid_test::value_error_of([&] { return read(text); });
  };
  BOOST_TEST(error("motionblur") == "expected a degradation, one of " + kDegradations.list() +
                                        "; got 'motionblur', did you mean 'motion-blur'?");
  BOOST_TEST(error("noise,sigma") ==
             "'noise,sigma': expected NAME,OPTION=VALUE,..., found 'sigma'");
  BOOST_TEST(error("noise,sigma=5:") ==
             "noise: sigma: expected a number N or an interval LOW:HIGH, found '5:'");
  BOOST_TEST(error("haze,tint=nan") == "haze: tint: expected a number, found 'nan'");
  BOOST_TEST(error("haze,cells=1.5") == "haze: cells: expected a whole number, found '1.5'");
  BOOST_TEST(error("noise,sigms=5") ==
             "noise: expected an option, one of sigma; got 'sigms', did you mean 'sigma'?");
  BOOST_TEST(error("noise,sigma=-5:3") == "Noise: sigma must not be negative, got -5:3");
}

BOOST_AUTO_TEST_CASE(tasks_have_usual_degradations_that_differ) {
  const auto photo = made_up_photo(48, 64);
  std::vector<at::Tensor> results;
  for (const auto& task : degradation_tasks()) {
    Random random{11};
    results.push_back(degradation_for(task)(photo, random));
    for (std::size_t i = 0; i + 1 < results.size(); ++i) {
      BOOST_TEST(!results[i].equal(results.back()));
    }
  }
  BOOST_TEST(usual_degradation("deblur") == "motion-blur");
  BOOST_TEST(usual_degradation("colourise") == "");
  BOOST_TEST(usual_degradation("denoise") == "noise");  // the first of two
  BOOST_TEST(error_of([] { return degradation_for("colourise"); }) ==
             "expected a task that undoes something, one of " +
                 limpid::detail::joined_names(degradation_tasks()) + "; got 'colourise'");
}

BOOST_AUTO_TEST_CASE(threads_do_not_disturb_one_another) {
  const auto photo = made_up_photo(48, 64);
  for (const auto& name : kDegradations.names()) {
    if (name == "webp" && !kWebp.missing.empty()) continue;
    const auto degradation = named_degradation({name});
    std::vector<at::Tensor> results(4);
    std::vector<std::thread> threads;
    for (auto& result : results) {
      threads.emplace_back([&] {
        Random random{13};
        result = degradation(photo, random);
      });
    }
    for (auto& thread : threads) thread.join();
    for (const auto& result : results) BOOST_TEST(result.equal(results.front()));
  }
}

BOOST_AUTO_TEST_SUITE_END()
