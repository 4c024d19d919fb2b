#include <limpid/everything.hpp>

#include <torch/torch.h>

#include <boost/test/unit_test.hpp>

#include <filesystem>
#include <iostream>
#include <string_view>

// Code of docs/losses.md.
namespace docs_losses {

using namespace limpid;

void sums(const at::Tensor& restored, const at::Tensor& target) {
  const auto vgg = load_vgg19("vgg19.safetensors", {.deepest = "conv3_3"});
  const auto content = Perceptual{vgg} + 0.5 * L1{};

  at::Tensor loss = content(restored, target);
  for (const auto& term : loss_terms(content, restored, target)) {  // each term, once
    std::cout << term.name << " x " << term.weight << " = " << term.value.item<double>() << "\n";
  }
}

BOOST_AUTO_TEST_SUITE(docs)

BOOST_AUTO_TEST_CASE(a_lambda_of_losses_md_is_a_term) {
  const auto brightness = [](const at::Tensor& restored, const at::Tensor& target) {
    return (restored.mean() - target.mean()).abs();
  };
  const auto content = L2{} + 0.1 * loss_of(brightness, "brightness");
  const auto a = torch::zeros({1, 3, 4, 4}), b = torch::ones({1, 3, 4, 4});
  BOOST_TEST(content(a, b).item<double>() == 1.1, boost::test_tools::tolerance(1e-6));
}

void by_name(AnyBranch& branch) {
  ContentNetworks networks;
  networks.set_file("vgg19", "vgg19.safetensors");  // read when a loss asks
  branch.content = content_by_name("perceptual + 0.5 l1", networks);
}

/// A loss that looks through a network of its own.
struct MyLoss {
  static constexpr std::string_view name = "my-loss";
  VGG19 network;
  at::Tensor operator()(const at::Tensor& restored, const at::Tensor& target) const {
    return (network->forward_to(restored, "conv1_1") - network->forward_to(target, "conv1_1"))
        .abs()
        .mean();
  }
};
using MyNetwork = VGG19;
inline constexpr std::string_view kMySource = "give the file my.safetensors";
MyNetwork load_mine(const std::filesystem::path& file) { return load_vgg19(file); }

// clang-format off
inline constexpr NamedTable kMine{
    "a content loss of mine",
    Named{MyLoss::name, "distance of my features",
          ContentEntry{[](ContentNetworks& networks) -> AnyContent {
                         return MyLoss{networks.get<MyNetwork>("my-network", kMySource, load_mine)};
                       },
                       "my-network"}}
};
// clang-format on

BOOST_AUTO_TEST_CASE(a_loss_with_a_network_of_losses_md_asks_for_its_weights) {
  ContentNetworks none;
  BOOST_CHECK_THROW(kMine.at("my-loss").make(none), c10::ValueError);
}

using Trainer = MultiTaskTrainer<PixelUNetEncoder, PixelUNetDecoder<"deblur">>;

void branch(Trainer& trainer, const Pairs& pairs) {
  const auto content = L1{};
  trainer.branch<"deblur">(Branch{.pairs = pairs,
                                  .batch_size = 2,
                                  .content = content,
                                  .critic = PatchGAN<>{},
                                  .adversarial = WassersteinGP{.penalty = 10.0},
                                  .adversarial_weight = 0.01});
}

void penalties(PatchGAN<> critic, const AdversarialBatch& batch) {
  // one random number per sample; (length - 1)^2 there
  const auto point = random_point_between(batch.target, batch.restored, *batch.random);
  const auto wgan_gp = 10 * gradient_penalty(critic, point, batch);
  // length^2 at the target
  const auto r1 = 5 * gradient_penalty(critic, batch.target, batch, 0.0);
  const auto per_pixel = gradient_penalty(critic, point, batch, 1.0, PenaltySlope::per_pixel);
}

void balance(const AdversarialBatch& batch, torch::optim::Adam& critic_optimizer) {
  BEGAN loss{.gamma = 0.5};
  Autoencoder critic{AutoencoderOptions{.width = 64}};
  loss.critic_loss(critic, batch).backward();
  critic_optimizer.step();
  loss.after_critic_step(critic);
  // and M = L(target) + |gamma L(target) - L(restored)|
  std::cout << loss.balance.k() << " " << loss.balance.convergence() << "\n";
}

void both_critics(Trainer& trainer, const Pairs& pairs) {
  trainer.branch<"deblur">(Branch{.pairs = pairs,
                                  .critic = DoubleScale<>{},
                                  .adversarial = PerCritic{RelativisticLeastSquares{}}});
}

struct Softmargin {
  static constexpr std::string_view name = "softmargin";
  template <Critic C>
  at::Tensor critic_loss(C& critic, const AdversarialBatch& batch) const {
    const auto real = critic->forward(batch.target);
    const auto fake = critic->forward(batch.restored.detach());
    return at::softplus(-real).mean() + at::softplus(fake).mean();
  }
  template <Critic C>
  at::Tensor generator_loss(C& critic, const AdversarialBatch& batch) const {
    return at::softplus(-critic->forward(batch.restored)).mean();
  }
};
static_assert(AdversarialLossFor<Softmargin, PatchGAN<>>);

BOOST_AUTO_TEST_SUITE_END()

}  // namespace docs_losses
