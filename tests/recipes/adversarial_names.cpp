#include <limpid/recipes/adversarial_names.hpp>
#include <support/named.hpp>
#include <support/networks.hpp>

#include <torch/torch.h>
#include <boost/test/unit_test.hpp>

#include <memory>
#include <string>
#include <type_traits>
#include <vector>

namespace {

using namespace limpid;

BOOST_AUTO_TEST_SUITE(names_of_objectives_and_critics)

BOOST_AUTO_TEST_CASE(both_tables_are_spelled_as_tables_are) {
  limpid_test::check_table(kObjectives);
  limpid_test::check_table(kCritics);
}

BOOST_AUTO_TEST_CASE(each_name_leads_to_its_objective) {
  BOOST_TEST(adversarial_names().size() == 14U);
  for (const auto& name : adversarial_names()) {
    int calls = 0;
    with_adversarial(name, [&](const auto& loss) {
      BOOST_TEST(std::string{loss.name} == name);
      ++calls;
    });
    BOOST_TEST(calls == 1, name);
  }
}

BOOST_AUTO_TEST_CASE(each_name_leads_to_a_new_critic_of_the_asked_width) {
  BOOST_TEST(critic_names().size() == 7U);
  for (const auto& name : critic_names()) {
    int calls = 0;
    std::shared_ptr<torch::nn::Module> last;
    for (const auto width : {3, 5}) {
      with_critic(name, {.width = width}, [&](auto critic) {
        BOOST_TEST(critic->options().width == width);
        BOOST_TEST(std::string{limpid::ModuleOf<decltype(critic)>::architecture} == name);
        BOOST_TEST(critic->parameters()[0].size(0) == width);
        BOOST_TEST((critic.ptr() != last));
        last = critic.ptr();
        ++calls;
      });
    }
    BOOST_TEST(calls == 2, name);
  }
}

BOOST_AUTO_TEST_CASE(began_takes_the_autoencoder_and_no_other_critic) {
  for (const auto& asked : adversarial_names()) {
    for (const auto& name : critic_names()) {
      bool fits = false;
      with_adversarial(asked, [&](auto loss) {
        with_critic(name, {.width = 2}, [&](auto critic) {
          const auto objective = objective_for(critic, loss);
          fits = AdversarialLossFor<std::remove_cvref_t<decltype(objective)>, decltype(critic)>;
        });
      });
      BOOST_TEST(fits == ((asked == "began") == (name == "autoencoder")),
                 asked << " with " << name);
      if (name == default_critic(asked)) BOOST_TEST(fits, asked);
    }
  }
}

BOOST_AUTO_TEST_CASE(an_unknown_name_gets_the_list) {
  BOOST_TEST(limpid_test::throws_value_error(
      [] { with_adversarial("wgan", [](const auto&) {}); },
      "expected an adversarial objective, one of minimax, non-saturating, wasserstein, "
      "wasserstein-gp, "
      "least-squares, hinge, dragan, dragan-minimax, began, softplus-r1, relativistic, "
      "relativistic-least-squares, relativistic-hinge, relativistic-pairs; got 'wgan'"));
  BOOST_TEST(limpid_test::throws_value_error(
      [] { with_critic("", {}, [](const auto&) {}); },
      "expected a critic, one of patch, double-scale, conditional-patch, conditional-double-scale, "
      "unet, attention, autoencoder; got ''"));
}

BOOST_AUTO_TEST_CASE(a_width_out_of_range_is_refused_by_the_critic) {
  BOOST_TEST(limpid_test::throws_value_error(
      [] { with_critic("double-scale", {.width = 0}, [](const auto&) {}); },
      "PatchGAN: width must be at least 1, got 0"));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
