// Two training steps of three tasks against an independent implementation: fixture two_steps.
#include <limpid/critics/patch_gan.hpp>
#include <limpid/decoders/resnet.hpp>
#include <limpid/encoders/resnet.hpp>
#include <limpid/losses/adversarial/wasserstein_gp.hpp>
#include <limpid/losses/content/l1.hpp>
#include <limpid/losses/content/perceptual.hpp>
#include <limpid/training/trainer.hpp>
#include <support/fixtures.hpp>

#include <torch/torch.h>
#include <boost/test/unit_test.hpp>

#include <array>
#include <memory>
#include <string>
#include <vector>

namespace {

using namespace limpid;
using limpid_test::Fixture;
using limpid_test::relative_difference;

/// WGAN-GP whose points between target and restored are given instead of drawn.
struct FixedPointGP {
  const Fixture* fixture;
  std::string task;
  std::shared_ptr<int> step;

  template <ScoreCritic C>
  at::Tensor critic_loss(C& critic, const AdversarialBatch& batch) const {
    const auto name = task + ".alpha." + std::to_string((*step)++);
    const auto alpha =
        ((fixture->noise(name, {batch.target.size(0), 1, 1, 1}) + 1) / 2).to(torch::kFloat);
    const auto point = alpha * batch.target + (1 - alpha) * batch.restored;
    return Wasserstein{}.critic_loss(critic, batch) +
           10.0 * gradient_penalty(critic, point, batch, 1.0, PenaltySlope::sum);
  }
  template <ScoreCritic C>
  at::Tensor generator_loss(C& critic, const AdversarialBatch& batch) const {
    return Wasserstein{}.generator_loss(critic, batch);
  }
};

/// How far losses and weights may be from the fixture's, relative to the loss and to the largest
/// weight of a tensor.
struct TwoStepsAgreement {
  double first_losses, second_losses, weights;
};

void check_two_steps(Convolution convolution, const TwoStepsAgreement& agreement) {
  if (!Fixture::available("two_steps")) return;
  const Fixture fixture{"two_steps"};
  const auto width = fixture.number("width"), blocks = fixture.number("blocks");
  const std::array<std::string, 3> tasks{"deblur", "dehaze", "derain"};
  const std::array<std::int64_t, 3> batch_sizes{2, 1, 1};

  ResNetEncoder encoder{ResNetEncoderOptions{.width = width, .blocks = blocks, .dropout = 0}};
  fixture.fill(*encoder, "encoder");
  ResNetDecoder<"deblur"> deblur{ResNetDecoderOptions{.width = width}};
  ResNetDecoder<"dehaze"> dehaze{ResNetDecoderOptions{.width = width}};
  ResNetDecoder<"derain"> derain{ResNetDecoderOptions{.width = width}};
  fixture.fill(*deblur, "decoder.deblur");
  fixture.fill(*dehaze, "decoder.dehaze");
  fixture.fill(*derain, "decoder.derain");
  auto vgg = VGG19::random_for_benchmark({.deepest = "conv3_3"});
  fixture.fill(*vgg, "vgg");

  MultiTaskTrainer<ResNetEncoder, ResNetDecoder<"deblur">, ResNetDecoder<"dehaze">,
                   ResNetDecoder<"derain">>
      trainer{TrainerOptions{.rate = 1e-4, .critic_rate = 1e-4, .convolution = convolution},
              encoder, deblur, dehaze, derain};
  std::vector<PatchGAN<>> critics;
  const auto branch = [&](const std::string& task) {
    critics.push_back(PatchGAN<>{PatchGANOptions{.width = width}});
    fixture.fill(*critics.back(), "critic." + task);
    return Branch{.content = Perceptual{vgg} + 0.5 * L1{},
                  .critic = critics.back(),
                  .adversarial = FixedPointGP{&fixture, task, std::make_shared<int>(0)},
                  .adversarial_weight = 0.01};
  };
  trainer.branch<"deblur">(branch("deblur"));
  trainer.branch<"dehaze">(branch("dehaze"));
  trainer.branch<"derain">(branch("derain"));

  for (int step = 0; step < 2; ++step) {
    std::vector<Batch> batches;
    for (std::size_t t = 0; t < 3; ++t) {
      const auto image = [&](const std::string& kind) {
        return fixture.input(tasks[t] + "." + kind + "." + std::to_string(step),
                             {batch_sizes[t], 3, 64, 64});
      };
      batches.push_back({image("degraded"), image("target")});
    }
    for (const auto& loss : trainer.step(batches)) {
      const auto key = loss.task + (loss.term == "critic"  ? ".critic_loss."
                                    : loss.term == "total" ? ".generator_loss."
                                                           : ".none.");
      if (!fixture.has(key + std::to_string(step))) continue;
      const auto expected = fixture.at(key + std::to_string(step)).item<double>();
      const auto bound = step == 0 ? agreement.first_losses : agreement.second_losses;
      BOOST_TEST(std::abs(loss.value - expected) <= bound * std::abs(expected),
                 key << step << ": " << loss.value << ", expected " << expected);
    }
  }

  const auto compare = [&](const torch::nn::Module& module, const std::string& prefix) {
    int compared = 0;
    for (const auto& item : module.named_parameters()) {
      const auto key = prefix + "." + item.key();
      if (!fixture.has(key)) continue;
      ++compared;
      BOOST_TEST(relative_difference(item.value(), fixture.at(key)) < agreement.weights,
                 key << " differs");
    }
    BOOST_TEST(compared > 0);
  };
  compare(*encoder, "encoder");
  compare(*deblur, "decoder.deblur");
  compare(*dehaze, "decoder.dehaze");
  compare(*derain, "decoder.derain");
  for (std::size_t t = 0; t < 3; ++t) compare(*critics[t], "critic." + tasks[t]);
}

BOOST_AUTO_TEST_SUITE(two_steps)

BOOST_AUTO_TEST_CASE(losses_and_weights_are_those_of_an_independent_implementation) {
  check_two_steps(Convolution::exact,
                  {limpid_test::kForwardAgreement, limpid_test::kForwardAgreement,
                   limpid_test::kGradientAgreement});
}

// Adam's first steps are of full length, so that a weight whose gradient is about 0 may go either
// way: exact convolutions of inputs that are off by 1e-7 move weights by as much.
BOOST_AUTO_TEST_CASE(with_fast_convolutions_they_are_as_near_as_rounding_and_adam_let_them) {
  check_two_steps(Convolution::fast, {limpid_test::kForwardAgreement, 1e-2, 5e-3});
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
