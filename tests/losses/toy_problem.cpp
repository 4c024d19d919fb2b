// Every objective learns the same small problem, by its adversarial loss alone: points of the plane
// that were scaled and moved have to be put back. A wrong sign on either side makes it fail.
#include <limpid/recipes/adversarial_names.hpp>
#include <limpid/training/frozen_weights.hpp>

#include <torch/torch.h>
#include <boost/test/unit_test.hpp>

#include <cstdint>
#include <string>
#include <type_traits>
#include <utility>

namespace {

using namespace limpid;

/// Two clouds of points, as images (count, 2, 1, 1).
at::Tensor clouds(std::int64_t count) {
  const auto side = torch::randint(0, 2, {count, 1}) * 2 - 1;
  const auto centers = torch::cat({0.6 * side, torch::full({count, 1}, 0.3)}, 1);
  return (centers + 0.15 * torch::randn({count, 2})).reshape({count, 2, 1, 1});
}

/// Points (count, 2, 1, 1) turned by an angle about the origin, then moved.
at::Tensor turn_and_move(const at::Tensor& points, const at::Tensor& angle,
                         const at::Tensor& shift) {
  const auto x = points.select(1, 0), y = points.select(1, 1);
  const auto turned =
      torch::stack({angle.cos() * x - angle.sin() * y, angle.sin() * x + angle.cos() * y}, 1);
  return turned + shift.reshape({1, 2, 1, 1});
}

at::Tensor degrade(const at::Tensor& points) {
  return turn_and_move(points, torch::tensor(0.7f), torch::tensor({-0.5f, 0.4f}));
}

/// Turns and moves points as it learns to; nothing at first.
struct MoverImpl : torch::nn::Cloneable<MoverImpl> {
  MoverImpl() { reset(); }
  void reset() override {
    angle = register_parameter("angle", torch::zeros({}));
    shift = register_parameter("shift", torch::zeros({2}));
  }
  at::Tensor forward(const at::Tensor& points) { return turn_and_move(points, angle, shift); }
  at::Tensor angle, shift;
};
TORCH_MODULE(Mover);

/// E |x - y| over all pairs.
double mean_distance(const at::Tensor& a, const at::Tensor& b) {
  return torch::cdist(a.flatten(1), b.flatten(1)).mean().item<double>();
}

/// Szekely's energy distance of two sets of points: 0 for equal distributions.
double energy_distance(const at::Tensor& a, const at::Tensor& b) {
  return 2 * mean_distance(a, b) - mean_distance(a, a) - mean_distance(b, b);
}

torch::nn::Conv2d layer(std::int64_t in, std::int64_t out) {
  return torch::nn::Conv2d(torch::nn::Conv2dOptions(in, out, 1));
}

/// Scores points.
struct PointCriticImpl : torch::nn::Cloneable<PointCriticImpl> {
  PointCriticImpl() { reset(); }
  void reset() override {
    layers = register_module("layers",
                             torch::nn::Sequential(layer(2, 32), torch::nn::ELU(), layer(32, 32),
                                                   torch::nn::ELU(), layer(32, 1)));
  }
  at::Tensor forward(const at::Tensor& points) { return layers->forward(points); }
  torch::nn::Sequential layers{nullptr};
};
TORCH_MODULE(PointCritic);

/// Reconstructs points from one number each.
struct PointAutoencoderImpl : torch::nn::Cloneable<PointAutoencoderImpl> {
  static constexpr bool reconstructs = true;
  PointAutoencoderImpl() { reset(); }
  void reset() override {
    layers = register_module(
        "layers", torch::nn::Sequential(layer(2, 32), torch::nn::ELU(), layer(32, 1), layer(1, 32),
                                        torch::nn::ELU(), layer(32, 2)));
  }
  at::Tensor forward(const at::Tensor& points) { return layers->forward(points); }
  torch::nn::Sequential layers{nullptr};
};
TORCH_MODULE(PointAutoencoder);

/// The energy distance of restored points from targets after training by the loss alone.
template <class CriticT, class Loss>
double trained_distance(Loss loss) {
  constexpr int steps = 500, updates = 2;
  constexpr double rate = 0.02, critic_rate = 0.01;
  torch::manual_seed(1);
  Random random{1};
  CriticT critic;
  Mover generator;
  const auto adam = [](auto& module, double r) {
    return torch::optim::Adam{module->parameters(), torch::optim::AdamOptions{r}.betas({0.5, 0.9})};
  };
  auto generator_adam = adam(generator, rate);
  auto critic_adam = adam(critic, critic_rate);
  for (int step = 0; step < steps; ++step) {
    const auto share = 1.0 - static_cast<double>(step) / steps;
    static_cast<torch::optim::AdamOptions&>(generator_adam.param_groups()[0].options())
        .lr(rate * share);
    for (int update = 0; update < updates; ++update) {
      const auto target = clouds(64);
      const auto degraded = degrade(clouds(64));
      const AdversarialBatch batch{degraded, generator->forward(degraded).detach(), target,
                                   &random};
      critic_adam.zero_grad();
      loss.critic_loss(critic, batch).backward();
      critic_adam.step();
      if constexpr (requires { loss.after_critic_step(critic); }) loss.after_critic_step(critic);
    }
    const limpid::detail::FrozenWeights frozen{*critic};
    const auto degraded = degrade(clouds(64));
    const AdversarialBatch batch{degraded, generator->forward(degraded), clouds(64), &random};
    generator_adam.zero_grad();
    loss.generator_loss(critic, batch).backward();
    generator_adam.step();
  }
  torch::NoGradGuard no_grad;
  torch::manual_seed(2);
  return energy_distance(generator->forward(degrade(clouds(1024))), clouds(1024));
}

/// A loss with the sign of one side, or both, turned.
template <class Loss>
struct Turned {
  Loss loss;
  double critic_sign = 1;
  double generator_sign = 1;

  template <class C>
  at::Tensor critic_loss(C& critic, const AdversarialBatch& batch) {
    return critic_sign * loss.critic_loss(critic, batch);
  }
  template <class C>
  at::Tensor generator_loss(C& critic, const AdversarialBatch& batch) {
    return generator_sign * loss.generator_loss(critic, batch);
  }
  template <class C>
  void after_critic_step(C& critic) {
    if constexpr (requires { loss.after_critic_step(critic); }) loss.after_critic_step(critic);
  }
};

/// The objective with numbers that suit points: its own are for images.
template <class Loss>
Loss for_points(Loss loss) {
  if constexpr (requires { loss.penalty; }) loss.penalty = 1;
  if constexpr (requires { loss.clip; }) loss.clip = 0.2;
  if constexpr (requires { loss.lambda_k; }) loss.lambda_k = 0.01;
  return loss;
}

/// What training by this objective comes to with either side's sign as it is (1) or turned (-1).
double outcome(const std::string& name, double critic_sign, double generator_sign) {
  double distance = 0;
  with_adversarial(name, [&](const auto& loss) {
    using Loss = std::remove_cvref_t<decltype(loss)>;
    using CriticT =
        std::conditional_t<AdversarialLossFor<Loss, PointCritic>, PointCritic, PointAutoencoder>;
    distance =
        trained_distance<CriticT>(Turned<Loss>{for_points(loss), critic_sign, generator_sign});
  });
  return distance;
}

constexpr double kClose = 0.1;

BOOST_AUTO_TEST_SUITE(toy_problem)

BOOST_AUTO_TEST_CASE(the_measure_tells_untouched_points_from_degraded_ones) {
  torch::manual_seed(2);
  BOOST_TEST(energy_distance(clouds(1024), clouds(1024)) < 0.01);
  BOOST_TEST(energy_distance(degrade(clouds(1024)), clouds(1024)) > 0.6);
}

BOOST_AUTO_TEST_CASE(every_objective_restores_the_points) {
  for (const auto& name : adversarial_names()) {
    const auto distance = outcome(name, 1, 1);
    BOOST_TEST(distance < kClose, name << ": energy distance " << distance);
  }
}

BOOST_AUTO_TEST_CASE(a_turned_sign_on_either_side_fails) {
  for (const std::string name : {"non-saturating", "least-squares", "hinge", "began"}) {
    for (const auto& [critic, generator] : {std::pair{-1, 1}, {1, -1}}) {
      const auto distance = outcome(name, critic, generator);
      BOOST_TEST(!(distance < kClose), name << ": energy distance " << distance);
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
