// Adversarial losses with a state of their own: an interrupted run equals one that never stopped.
#include <limpid/critics/attention.hpp>
#include <limpid/critics/autoencoder.hpp>
#include <limpid/critics/double_scale.hpp>
#include <limpid/critics/patch_gan.hpp>
#include <limpid/critics/unet.hpp>
#include <limpid/losses/adversarial/began.hpp>
#include <limpid/losses/adversarial/dragan.hpp>
#include <limpid/losses/adversarial/hinge.hpp>
#include <limpid/losses/adversarial/per_critic.hpp>
#include <limpid/losses/adversarial/wasserstein.hpp>
#include <limpid/losses/adversarial/wasserstein_gp.hpp>
#include <limpid/training/checkpoint.hpp>
#include <limpid/training/trainer.hpp>
#include <support/tiny.hpp>

#include <torch/torch.h>
#include <boost/test/unit_test.hpp>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

namespace {

using namespace limpid;
using namespace limpid_test;

using OneTask = MultiTaskTrainer<TinyEncoder, TinyDecoder<"deblur">>;

/// Trains until step 7 in the folder, in sittings of `sitting` steps.
template <class MakeCritic, class Loss>
limpid::detail::ManifestFile trained(MakeCritic make_critic, const Loss& loss,
                                     std::int64_t sitting) {
  const TemporaryFolder run;
  while (true) {
    TrainerOptions options;
    options.out = run.path();
    options.length = Steps{7};
    options.stop_after = sitting;
    options.rate = 1e-2;
    options.critic_rate = 1e-2;
    options.crop = 16;
    options.start = Start::resume;
    options.quiet = true;
    OneTask trainer{options};
    trainer.branch<"deblur">(Branch{.pairs = DarkPictures{},
                                    .content = L1{},
                                    .critic = make_critic(),
                                    .adversarial = loss,
                                    .adversarial_weight = 0.5,
                                    .critic_updates = 2});
    if (trainer.fit() == FitResult::finished) break;
  }
  return limpid::detail::read_with_manifest(run / "checkpoint.limpid", "checkpoint");
}

/// Returns the state of the loss at the end.
template <class MakeCritic, class Loss>
std::vector<double> check_resume(MakeCritic make_critic, const Loss& loss) {
  const auto straight = trained(make_critic, loss, 0);
  const auto resumed = trained(make_critic, loss, 3);
  BOOST_TEST(straight.tensors.size() == resumed.tensors.size());
  for (const auto& [name, tensor] : straight.tensors) {
    BOOST_TEST(torch::equal(tensor, resumed.tensors.at(name)), name);
  }
  const auto branch = straight.manifest.at("branches").at("deblur");
  BOOST_TEST((branch == resumed.manifest.at("branches").at("deblur")));
  return branch.at("loss_state").template get<std::vector<double>>();
}

BOOST_AUTO_TEST_SUITE(loss_state)

BOOST_AUTO_TEST_CASE(spectral_norms_go_on_with_their_singular_vectors) {
  check_resume([] { return UNetCritic{UNetCriticOptions{.width = 2}}; }, Hinge{});
}

BOOST_AUTO_TEST_CASE(a_critic_with_a_loss_of_its_own_goes_on_with_it) {
  check_resume([] { return AttentionCritic{AttentionCriticOptions{.width = 2}}; }, WassersteinGP{});
}

BOOST_AUTO_TEST_CASE(began_goes_on_with_its_balance) {
  const auto critic = [] { return Autoencoder{AutoencoderOptions{.width = 4}}; };
  const auto state = check_resume(critic, BEGAN{.gamma = 0.9, .lambda_k = 0.3});
  BOOST_REQUIRE(state.size() == 2U);
  BOOST_TEST(state[0] > 0.0);  // k has moved, and is not at its end
  BOOST_TEST(state[0] < 1.0);
  BOOST_TEST(state[1] > 0.0);
}

BOOST_AUTO_TEST_CASE(so_do_two_clipped_critics) {
  const auto critic = [] { return DoubleScale<>{DoubleScaleOptions{.width = 2}}; };
  check_resume(critic, PerCritic{Wasserstein{.clip = 0.05}});
}

BOOST_AUTO_TEST_CASE(so_does_the_noise_of_dragan) {
  check_resume([] { return TinyCritic{}; }, DRAGAN<>{});
  check_resume([] { return TinyCritic{}; }, DRAGAN<>{.noise = DRAGANNoise::gaussian});
}

BOOST_AUTO_TEST_CASE(so_do_the_points_of_a_gradient_penalty_under_each_slope) {
  const auto critic = [] { return DoubleScale<>{DoubleScaleOptions{.width = 2}}; };
  kPenaltySlopes.for_each([&](const auto& entry) {
    BOOST_TEST_CONTEXT("slope " << entry.name) {
      check_resume(critic, PerCritic{WassersteinGP{.slope = entry.value}});
    }
  });
}

BOOST_AUTO_TEST_CASE(the_length_of_a_critics_slope_is_in_the_log) {
  const TemporaryFolder run;
  TrainerOptions options;
  options.out = run.path();
  options.length = Steps{2};
  options.log_every = 1;
  options.crop = 16;
  options.quiet = true;
  OneTask trainer{options};
  trainer.branch<"deblur">(Branch{.pairs = DarkPictures{},
                                  .content = L1{},
                                  .critic = PatchGAN<>{PatchGANOptions{.width = 2}},
                                  .adversarial = WassersteinGP{}});
  trainer.fit();
  std::ifstream log{run / "metrics.jsonl"};
  int steps = 0;
  for (std::string line; std::getline(log, line);) {
    const auto entry = nlohmann::json::parse(line);
    if (!entry.contains("losses")) continue;
    ++steps;
    BOOST_TEST(entry.at("losses").at("deblur").at("slope").get<double>() > 0);
  }
  BOOST_TEST(steps > 0);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
