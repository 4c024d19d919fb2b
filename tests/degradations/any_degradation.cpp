#include <limpid/degradations/any_degradation.hpp>
#include <support/degradations.hpp>

#include <torch/torch.h>
#include <boost/test/unit_test.hpp>

#include <thread>
#include <vector>

using namespace limpid;
using limpid_test::made_up_photo;

BOOST_AUTO_TEST_SUITE(any_degradation)

BOOST_AUTO_TEST_CASE(each_known_task_has_a_degradation_of_its_own) {
  const auto photo = made_up_photo(48, 64);
  std::vector<at::Tensor> results;
  for (const auto task : kDegradationTasks) {
    Random random{11};
    results.push_back(degradation_for(task)(photo, random));
    for (std::size_t i = 0; i + 1 < results.size(); ++i) {
      BOOST_TEST(!results[i].equal(results.back()));
    }
  }
}

BOOST_AUTO_TEST_CASE(it_does_what_the_degradation_inside_does) {
  const auto photo = made_up_photo(48, 64);
  Random first{12};
  Random second{12};
  const AnyDegradation any = Haze{.min_beta = 1, .max_beta = 1};
  BOOST_TEST(any(photo, first).equal(Haze{.min_beta = 1, .max_beta = 1}(photo, second)));
  limpid_test::check_degradation(degradation_for("dehaze"), "Haze");
}

BOOST_AUTO_TEST_CASE(a_lambda_is_a_degradation) {
  const AnyDegradation darker = [](const at::Tensor& image, Random&) { return image * 0.5; };
  Random random{1};
  BOOST_TEST(darker(torch::ones({3, 16, 16}), random).mean().item<float>() == 0.5f);
}

BOOST_AUTO_TEST_CASE(threads_do_not_disturb_one_another) {
  const auto photo = made_up_photo(48, 64);
  for (const auto task : kDegradationTasks) {
    const auto degradation = degradation_for(task);
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

BOOST_AUTO_TEST_CASE(another_task_is_refused_with_the_list_of_known_ones) {
  BOOST_CHECK_EXCEPTION(degradation_for("denoise"), c10::ValueError, [](const auto& error) {
    BOOST_TEST(error.what_without_backtrace() ==
               std::string{"degradation_for: expected deblur, dehaze or derain, got 'denoise'"});
    return true;
  });
}

BOOST_AUTO_TEST_SUITE_END()
