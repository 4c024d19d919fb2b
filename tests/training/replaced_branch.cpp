// A branch that is replaced after training began trains what it says.
#include <limpid/losses/adversarial/wasserstein.hpp>
#include <limpid/training/trainer.hpp>
#include <support/temporary_folder.hpp>
#include <support/tiny.hpp>

#include <torch/torch.h>
#include <boost/test/unit_test.hpp>

#include <utility>
#include <vector>

namespace {

using namespace limpid;
using namespace limpid_test;

using OneTask = MultiTaskTrainer<TinyEncoder, TinyDecoder<"deblur">>;

TrainerOptions quick() {
  TrainerOptions options;
  options.length = Steps{6};
  options.stop_after = 2;
  options.critic_rate = 1e-2;
  options.crop = 16;
  options.quiet = true;
  return options;
}

auto with_critic(TinyCritic critic) {
  return Branch{.pairs = DarkPictures{},
                .critic = std::move(critic),
                .adversarial = Wasserstein{.clip = 10},
                .adversarial_weight = 1.0};
}

std::vector<Batch> batch() {
  return {{torch::rand({1, 3, 16, 16}) - 0.5, torch::rand({1, 3, 16, 16}) - 0.5}};
}

BOOST_AUTO_TEST_SUITE(replaced_branch)

BOOST_AUTO_TEST_CASE(a_new_critic_is_trained_after_fit_and_after_a_step_of_ones_own) {
  for (const bool own_step : {false, true}) {
    for (const bool had_critic : {false, true}) {
      OneTask trainer{quick()};
      TinyCritic first, second;
      if (had_critic) {
        trainer.branch<"deblur">(with_critic(first));
      } else {
        trainer.branch<"deblur">(Branch{.pairs = DarkPictures{}});
      }
      own_step ? static_cast<void>(trainer.step(batch())) : static_cast<void>(trainer.fit());
      const auto of_first = first->head->weight.detach().clone();
      const auto of_second = second->head->weight.detach().clone();
      trainer.branch<"deblur">(with_critic(second));
      own_step ? static_cast<void>(trainer.step(batch())) : static_cast<void>(trainer.fit());
      BOOST_TEST(!torch::equal(second->head->weight, of_second));
      BOOST_TEST(torch::equal(first->head->weight, of_first));
    }
  }
}

BOOST_AUTO_TEST_CASE(a_critic_can_be_taken_away) {
  TemporaryFolder folder;
  auto options = quick();
  options.out = folder / "run";
  OneTask trainer{options};
  trainer.branch<"deblur">(with_critic(TinyCritic{}));
  trainer.fit();
  trainer.branch<"deblur">(Branch{.pairs = DarkPictures{}});
  BOOST_TEST((trainer.fit() == FitResult::stopped));
  BOOST_TEST(trainer.steps_done() == 4);
}

BOOST_AUTO_TEST_CASE(a_critic_that_stays_keeps_its_optimiser) {
  const auto weights_of = [](bool replaced) {
    torch::manual_seed(3);
    OneTask trainer{quick()};
    TinyCritic critic;
    torch::manual_seed(4);
    trainer.branch<"deblur">(with_critic(critic));
    trainer.fit();
    if (replaced) trainer.branch<"deblur">(with_critic(critic));
    trainer.fit();
    return critic->conv->weight.detach().clone();
  };
  BOOST_TEST(torch::equal(weights_of(true), weights_of(false)));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
