#include <limpid/losses/adversarial/began.hpp>
#include <limpid/losses/adversarial/hinge.hpp>
#include <limpid/losses/adversarial/per_critic.hpp>
#include <limpid/losses/adversarial/relativistic_least_squares.hpp>
#include <limpid/losses/adversarial/softplus_r1.hpp>
#include <limpid/losses/adversarial/wasserstein.hpp>
#include <limpid/losses/adversarial/wasserstein_gp.hpp>
#include <support/losses.hpp>
#include <support/networks.hpp>

#include <torch/torch.h>
#include <boost/test/unit_test.hpp>

#include <cmath>
#include <memory>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

namespace {

using namespace limpid;
using limpid_test::SmoothCritic, limpid_test::throws_value_error;

/// Reconstructs an image as a multiple of itself: losses follow by hand.
struct ScalingImpl : torch::nn::Cloneable<ScalingImpl> {
  static constexpr bool reconstructs = true;
  explicit ScalingImpl(double factor = 0.75) {
    reset();
    torch::NoGradGuard no_grad;
    weight.fill_(factor);
  }
  void reset() override { weight = register_parameter("weight", torch::ones({1})); }
  at::Tensor forward(const at::Tensor& image) { return weight.to(image.scalar_type()) * image; }
  at::Tensor weight;
};
TORCH_MODULE(Scaling);

/// A smooth autoencoder.
struct SmoothAutoencoderImpl : torch::nn::Cloneable<SmoothAutoencoderImpl> {
  static constexpr bool reconstructs = true;
  SmoothAutoencoderImpl() { reset(); }
  void reset() override {
    const auto conv = [](int in, int out) {
      return torch::nn::Conv2d(torch::nn::Conv2dOptions(in, out, 3).padding(1));
    };
    first = register_module("first", conv(3, 4));
    last = register_module("last", conv(4, 3));
  }
  at::Tensor forward(const at::Tensor& image) {
    return last->forward(torch::tanh(first->forward(image)));
  }
  torch::nn::Conv2d first{nullptr}, last{nullptr};
};
TORCH_MODULE(SmoothAutoencoder);

/// Gives back half of the image.
struct HalfImpl : torch::nn::Cloneable<HalfImpl> {
  static constexpr bool reconstructs = true;
  void reset() override {}
  at::Tensor forward(const at::Tensor& image) { return image.narrow(3, 0, 2); }
};

template <class First, class Second = First>
struct PairImpl : torch::nn::Cloneable<PairImpl<First, Second>> {
  PairImpl() { reset(); }
  void reset() override {
    first = this->register_module("first", First{});
    second = this->register_module("second", Second{});
  }
  std::tuple<First, Second> parts() { return {first, second}; }
  First first{nullptr};
  Second second{nullptr};
};
template <class First, class Second = First>
using PairOf = torch::nn::ModuleHolder<PairImpl<First, Second>>;

static_assert(AdversarialLossFor<BEGAN, Scaling> && !AdversarialLossFor<BEGAN, SmoothCritic>);
static_assert(AdversarialLossFor<PerCritic<Hinge>, PairOf<SmoothCritic>>);
static_assert(!AdversarialLossFor<Hinge, PairOf<SmoothCritic>>);
static_assert(!AdversarialLossFor<PerCritic<Hinge>, SmoothCritic>);
static_assert(!AdversarialLossFor<PerCritic<Hinge>, PairOf<SmoothCritic, Scaling>>,
              "every part must fit");

AdversarialBatch random_batch() {
  torch::manual_seed(6);
  const auto image = [] { return torch::rand({2, 3, 7, 8}, torch::kDouble) * 2 - 1; };
  return {image(), image(), image()};
}

AdversarialBatch constant_batch(at::ScalarType type = torch::kFloat) {
  return {torch::zeros({2, 3, 4, 4}).to(type), torch::full({2, 3, 4, 4}, -0.25).to(type),
          torch::full({2, 3, 4, 4}, 0.5).to(type)};
}

bool close(double found, double expected) { return std::abs(found - expected) < 1e-6; }

}  // namespace

BOOST_AUTO_TEST_SUITE(stateful_adversarial_losses)

BOOST_AUTO_TEST_CASE(began_gives_the_values_found_by_hand) {
  Scaling critic{0.75};  // L(target) 0.125, L(restored) 0.0625
  for (const auto type : {torch::kFloat, torch::kBFloat16}) {
    BEGAN loss{.balance = BEGANBalance{0.4}};
    const auto batch = constant_batch(type);
    const auto critic_value = loss.critic_loss(critic, batch);
    const auto generator_value = loss.generator_loss(critic, batch);
    BOOST_TEST((critic_value.scalar_type() == torch::kFloat));
    BOOST_TEST((generator_value.scalar_type() == torch::kFloat));
    BOOST_TEST(close(critic_value.item<double>(), 0.125 - 0.4 * 0.0625));
    BOOST_TEST(close(generator_value.item<double>(), 0.0625));
    BOOST_TEST(close(loss.balance.convergence(), 0.125));
  }
}

BOOST_AUTO_TEST_CASE(began_has_the_gradients_of_its_values) {
  SmoothAutoencoder critic;
  critic->to(torch::kDouble);
  BEGAN loss{.balance = BEGANBalance{0.4}};
  auto batch = random_batch();
  auto behind = batch.restored.clone().requires_grad_();
  batch.restored = behind * 1.0;
  loss.critic_loss(critic, batch).backward();
  BOOST_TEST(!behind.grad().defined());
  batch.restored = batch.restored.detach();
  BOOST_TEST(limpid_test::parameter_gradient_error(*critic, [&] {
               torch::AutoGradMode with_graph{true};
               return loss.critic_loss(critic, batch);
             }) < 1e-5);
  BOOST_TEST(limpid_test::gradient_error(
                 [&](const at::Tensor& restored) {
                   auto moved = batch;
                   moved.restored = restored;
                   return loss.generator_loss(critic, moved);
                 },
                 batch.restored) < 1e-5);
}

BOOST_AUTO_TEST_CASE(k_moves_once_for_each_step_of_the_critic) {
  Scaling critic{0.75};
  BEGAN loss{.gamma = 0.75, .lambda_k = 0.5};
  const auto batch = constant_batch();
  const auto one = 0.5 * (0.75 * 0.125 - 0.0625);
  loss.critic_loss(critic, batch);
  loss.critic_loss(critic, batch);  // looked at twice, stepped once
  BOOST_TEST(loss.balance.k() == 0.0);
  loss.after_critic_step(critic);
  BOOST_TEST(close(loss.balance.k(), one));
  loss.generator_loss(critic, batch);
  loss.after_critic_step(critic);
  BOOST_TEST(close(loss.balance.k(), one));
}

BOOST_AUTO_TEST_CASE(k_stays_between_zero_and_one) {
  Scaling critic{0.75};
  const auto batch = constant_batch();
  BEGAN falling{.gamma = 0.0, .lambda_k = 10.0, .balance = BEGANBalance{0.1}};
  falling.critic_loss(critic, batch);
  falling.after_critic_step(critic);
  BOOST_TEST(falling.balance.k() == 0.0);
  BEGAN rising{.gamma = 1.0, .lambda_k = 100.0, .balance = BEGANBalance{0.1}};
  rising.critic_loss(critic, batch);
  rising.after_critic_step(critic);
  BOOST_TEST(rising.balance.k() == 1.0);
}

BOOST_AUTO_TEST_CASE(the_state_of_began_survives_and_a_wrong_one_is_refused) {
  Scaling critic{0.75};
  BEGAN loss{.gamma = 0.9, .lambda_k = 0.37};
  loss.critic_loss(critic, constant_batch());
  loss.after_critic_step(critic);
  BEGAN other{.gamma = 0.9, .lambda_k = 0.37};
  other.load_state(loss.state());
  BOOST_TEST(other.balance.k() == loss.balance.k());
  BOOST_TEST(other.balance.convergence() == loss.balance.convergence());
  BOOST_TEST(loss.balance.k() > 0);
  const std::string expected =
      "BEGAN: expected a state of k in [0, 1] and a measure of convergence, got ";
  BOOST_TEST(throws_value_error([&] { other.load_state({}); }, expected + "[]"));
  BOOST_TEST(throws_value_error([&] { other.load_state({1.5, 0}); }, expected + "[1.5, 0]"));
}

BOOST_AUTO_TEST_CASE(a_copy_of_began_goes_its_own_way) {
  Scaling critic{0.75};
  BEGAN loss{.gamma = 0.75, .lambda_k = 0.5};
  const auto copy = loss;
  loss.critic_loss(critic, constant_batch());
  loss.after_critic_step(critic);
  BOOST_TEST(copy.balance.k() == 0.0);
}

BOOST_AUTO_TEST_CASE(began_refuses_what_makes_no_sense) {
  Scaling critic;
  const auto batch = constant_batch();
  BOOST_TEST(throws_value_error([&] { BEGAN{.gamma = 1.5}.critic_loss(critic, batch); },
                                "BEGAN: gamma must be in [0, 1], got 1.5"));
  BOOST_TEST(throws_value_error([&] { BEGAN{.lambda_k = -1}.critic_loss(critic, batch); },
                                "BEGAN: lambda_k must not be negative, got -1"));
  auto half = std::make_shared<HalfImpl>();
  BOOST_TEST(throws_value_error(
      [&] { BEGAN{}.generator_loss(half, batch); },
      "BEGAN: expected a reconstruction of the image's shape [2, 3, 4, 4], got [2, 3, 4, 2]"));
}

BOOST_AUTO_TEST_CASE(per_critic_averages_the_losses_of_the_parts) {
  torch::manual_seed(8);
  PairOf<SmoothCritic> critic;
  critic->to(torch::kDouble);
  auto batch = random_batch();
  const auto check = [&](auto loss) {
    auto each = PerCritic{loss};
    Random random{4};
    batch.random = &random;
    const auto critic_value = each.critic_loss(critic, batch).template item<double>();
    const auto generator_value = each.generator_loss(critic, batch).template item<double>();
    random = Random{4};
    const auto first = loss.critic_loss(critic->first, batch).template item<double>();
    const auto second = loss.critic_loss(critic->second, batch).template item<double>();
    BOOST_TEST(std::abs(critic_value - (first + second) / 2) < 1e-12);
    BOOST_TEST(std::abs(generator_value -
                        (loss.generator_loss(critic->first, batch).template item<double>() +
                         loss.generator_loss(critic->second, batch).template item<double>()) /
                            2) < 1e-12);
  };
  check(Hinge{});
  check(RelativisticLeastSquares{});
  check(WassersteinGP{});
}

/// An objective that says no name: it is optional.
struct Nameless {
  template <ScoreCritic C>
  at::Tensor critic_loss(C& critic, const AdversarialBatch& batch) const {
    return Hinge{}.critic_loss(critic, batch);
  }
  template <ScoreCritic C>
  at::Tensor generator_loss(C& critic, const AdversarialBatch& batch) const {
    return Hinge{}.generator_loss(critic, batch);
  }
};
static_assert(AdversarialLossFor<PerCritic<Nameless>, PairOf<SmoothCritic>>);

BOOST_AUTO_TEST_CASE(per_critic_takes_an_objective_without_a_name) {
  PairOf<SmoothCritic> critic;
  critic->to(torch::kDouble);
  PerCritic each{Nameless{}};
  PerCritic named{Hinge{}};
  BOOST_TEST(each.critic_loss(critic, random_batch()).item<double>() ==
             named.critic_loss(critic, random_batch()).item<double>());
  BOOST_TEST(std::string{named.name} == "hinge");
}

BOOST_AUTO_TEST_CASE(per_critic_gives_the_figures_of_each_part) {
  PairOf<SmoothCritic> critic;
  critic->to(torch::kDouble);
  PerCritic each{SoftplusR1{}};
  BOOST_TEST(each.figures().empty());
  each.critic_loss(critic, random_batch());
  const auto figures = each.figures();
  BOOST_REQUIRE(figures.size() == 2U);
  BOOST_TEST(figures[0].first == "slope_1");
  BOOST_TEST(figures[1].first == "slope_2");
  BOOST_TEST(figures[0].second.item<double>() != figures[1].second.item<double>());
}

BOOST_AUTO_TEST_CASE(per_critic_clips_every_part) {
  PairOf<SmoothCritic> critic;
  PerCritic each{Wasserstein{.clip = 0.02}};
  each.after_critic_step(critic);
  for (const auto& parameter : critic->parameters()) {
    BOOST_TEST(parameter.abs().max().item<double>() <= 0.0200001);
  }
}

BOOST_AUTO_TEST_CASE(per_critic_keeps_a_state_for_each_part) {
  PairOf<Scaling> critic;
  {
    torch::NoGradGuard no_grad;
    critic->first->weight.fill_(0.75);
    critic->second->weight.fill_(0.5);
  }
  PerCritic each{BEGAN{.gamma = 0.75, .lambda_k = 0.5}};
  BOOST_TEST(each.state().empty());
  each.critic_loss(critic, constant_batch());
  each.after_critic_step(critic);
  const auto one = 0.5 * (0.75 * 0.125 - 0.0625);
  BOOST_REQUIRE(each.losses().size() == 2U);
  BOOST_TEST(close(each.losses()[0].balance.k(), one));
  BOOST_TEST(close(each.losses()[1].balance.k(), 2 * one));

  PerCritic other{BEGAN{.gamma = 0.75, .lambda_k = 0.5}};
  other.load_state(each.state());
  BOOST_TEST(other.state() == each.state(), boost::test_tools::per_element());
  BOOST_TEST(other.losses()[1].lambda_k == 0.5);
  BOOST_TEST(throws_value_error([&] { other.load_state({0.5}); },
                                "PerCritic: expected a state of 2 numbers for each critic, got 1"));
  other.load_state(std::vector<double>(6, 0.5));
  BOOST_TEST(throws_value_error([&] { other.critic_loss(critic, constant_batch()); },
                                "PerCritic: expected a critic of 3 parts, as before, got 2"));
}

BOOST_AUTO_TEST_SUITE_END()
