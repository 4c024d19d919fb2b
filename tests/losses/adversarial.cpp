#include <limpid/core/autocast.hpp>
#include <limpid/losses/adversarial/dragan.hpp>
#include <limpid/losses/adversarial/hinge.hpp>
#include <limpid/losses/adversarial/least_squares.hpp>
#include <limpid/losses/adversarial/minimax.hpp>
#include <limpid/losses/adversarial/non_saturating.hpp>
#include <limpid/losses/adversarial/relativistic.hpp>
#include <limpid/losses/adversarial/relativistic_hinge.hpp>
#include <limpid/losses/adversarial/relativistic_least_squares.hpp>
#include <limpid/losses/adversarial/relativistic_pairs.hpp>
#include <limpid/losses/adversarial/softplus_r1.hpp>
#include <limpid/losses/adversarial/wasserstein.hpp>
#include <limpid/losses/adversarial/wasserstein_gp.hpp>
#include <support/errors.hpp>
#include <support/losses.hpp>

#include <torch/torch.h>
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <memory>
#include <string>

namespace {

using namespace limpid;
using limpid_test::check_score_loss;
using limpid_test::MeanCritic;
using limpid_test::SmoothCritic;
using limpid_test::value_error_of;

struct AutoencoderImpl : torch::nn::Cloneable<AutoencoderImpl> {
  static constexpr bool reconstructs = true;
  void reset() override {}
  at::Tensor forward(const at::Tensor& image) { return image; }
};
TORCH_MODULE(Autoencoder);

/// Knows only how to judge an image beside the degraded one.
struct PairCriticImpl : torch::nn::Cloneable<PairCriticImpl> {
  PairCriticImpl() { reset(); }
  void reset() override { weight = register_parameter("weight", torch::ones({1})); }
  at::Tensor forward(const at::Tensor& image, const at::Tensor& degraded) {
    return weight * (image - degraded).mean(at::IntArrayRef{1, 2, 3});
  }
  at::Tensor weight;
};
TORCH_MODULE(PairCritic);

static_assert(AutoencoderCritic<Autoencoder>);
static_assert(!ScoreCritic<Autoencoder>, "its output is an image");
static_assert(!ScoreCritic<torch::nn::LSTM>, "it maps no image to a tensor");
static_assert(!Critic<PairCritic> && ScoreCritic<PairCritic>);

template <class L>
constexpr bool takes_scores =
    AdversarialLossFor<L, SmoothCritic>&& AdversarialLossFor<L, PairCritic> &&
    !AdversarialLossFor<L, Autoencoder>;
static_assert(takes_scores<Minimax> && takes_scores<NonSaturating> && takes_scores<Wasserstein> &&
              takes_scores<WassersteinGP> && takes_scores<LeastSquares> && takes_scores<Hinge>);
static_assert(takes_scores<DRAGAN<>> && takes_scores<DRAGAN<Minimax>> && takes_scores<SoftplusR1>);
static_assert(takes_scores<Relativistic> && takes_scores<RelativisticLeastSquares> &&
              takes_scores<RelativisticHinge> && takes_scores<RelativisticPairs>);

double softplus(double x) { return std::log1p(std::exp(x)); }

AdversarialBatch constant_batch(double target, double restored) {
  AdversarialBatch batch;
  batch.degraded = torch::full({1, 3, 4, 4}, 0.1);
  batch.target = torch::full({1, 3, 4, 4}, target);
  batch.restored = torch::full({1, 3, 4, 4}, restored);
  return batch;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(adversarial_losses)

// r = 0.5, f = -0.25 throughout.
BOOST_AUTO_TEST_CASE(each_conforms_and_gives_the_value_found_by_hand) {
  check_score_loss(Minimax{}, {softplus(-0.5) + softplus(-0.25), -softplus(-0.25)});
  check_score_loss(NonSaturating{}, {softplus(-0.5) + softplus(-0.25), softplus(0.25)});
  check_score_loss(Wasserstein{}, {-0.75, 0.25});
  check_score_loss(LeastSquares{}, {0.25 + 0.0625, 1.5625});
  check_score_loss(Hinge{}, {0.5 + 0.75, 0.25});
  check_score_loss(Relativistic{}, {softplus(-0.75), softplus(0.75)});
  check_score_loss(RelativisticLeastSquares{}, {0.0625, 1.75 * 1.75});
  check_score_loss(RelativisticHinge{}, {0.25, 1.75});
  check_score_loss(RelativisticPairs{}, {softplus(-0.75), softplus(0.75)});
  // The mean of 48 values: a gradient of length 1 / sqrt(48) at every point.
  const auto off = 1 / std::sqrt(48.0) - 1;
  check_score_loss(WassersteinGP{.penalty = 10.0}, {-0.75 + 10 * off * off, 0.25});
  check_score_loss(DRAGAN<>{}, {softplus(-0.5) + softplus(-0.25) + 10 * off * off, softplus(0.25)});
  check_score_loss(DRAGAN<Minimax>{.penalty = 3.0, .noise = DRAGANNoise::gaussian},
                   {softplus(-0.5) + softplus(-0.25) + 3 * off * off, -softplus(-0.25)});
  check_score_loss(SoftplusR1{}, {softplus(-0.5) + softplus(-0.25) + 5.0 / 48, softplus(0.25)});
  // 3 channels of 1 / 48 at each pixel.
  const auto pixel_off = std::sqrt(3.0) / 48 - 1;
  check_score_loss(WassersteinGP{.penalty = 2.0, .slope = PenaltySlope::per_pixel},
                   {-0.75 + 2 * pixel_off * pixel_off, 0.25});
}

BOOST_AUTO_TEST_CASE(logits_of_any_size_give_finite_losses_and_gradients) {
  MeanCritic critic;
  const auto batch = constant_batch(-500.0, 500.0);  // as wrong as a critic can be
  const auto check = [&](const auto& loss) {
    critic->zero_grad();
    const auto value = loss.critic_loss(critic, batch);
    value.backward();
    BOOST_TEST(value.template item<double>() >= 500.0);
    BOOST_TEST(critic->weight.grad().isfinite().all().template item<bool>());
    BOOST_TEST(loss.generator_loss(critic, batch).isfinite().template item<bool>());
  };
  check(Minimax{});
  check(NonSaturating{});
  check(Relativistic{});
  check(RelativisticPairs{});
}

BOOST_AUTO_TEST_CASE(a_conditional_critic_sees_the_degraded_image) {
  PairCritic critic;
  const auto batch = constant_batch(0.6, 0.3);  // scores 0.5 and 0.2
  BOOST_TEST(std::abs(LeastSquares{}.critic_loss(critic, batch).item<double>() - 0.29) < 1e-6);
  BOOST_TEST(std::abs(LeastSquares{}.generator_loss(critic, batch).item<double>() - 0.64) < 1e-6);
}

BOOST_AUTO_TEST_CASE(wasserstein_clips_every_parameter_after_a_step) {
  SmoothCritic critic;
  Wasserstein{.clip = 0.02}.after_critic_step(critic);
  double largest = 0;
  for (const auto& parameter : critic->parameters()) {
    largest = std::max(largest, parameter.abs().max().item<double>());
    BOOST_TEST(parameter.requires_grad());
  }
  BOOST_TEST(std::abs(largest - 0.02) < 1e-8);
}

BOOST_AUTO_TEST_CASE(values_that_make_no_sense_are_refused) {
  SmoothCritic critic;
  BOOST_TEST(value_error_of([&] { Wasserstein{.clip = 0.0}.after_critic_step(critic); }) ==
             "Wasserstein: clip must be positive, got 0");
  const auto batch = constant_batch(0.5, 0.25);
  BOOST_TEST(value_error_of([&] { WassersteinGP{}.critic_loss(critic, batch); }) ==
             "WassersteinGP: expected a random source in the batch, got none");
  BOOST_TEST(value_error_of([&] { WassersteinGP{.penalty = -1.0}.critic_loss(critic, batch); }) ==
             "WassersteinGP: penalty must not be negative, got -1");
  BOOST_TEST(value_error_of([&] { DRAGAN<>{}.critic_loss(critic, batch); }) ==
             "DRAGAN: expected a random source in the batch, got none");
  BOOST_TEST(value_error_of([&] { DRAGAN<>{.penalty = -1.0}.critic_loss(critic, batch); }) ==
             "DRAGAN: penalty must not be negative, got -1");
  BOOST_TEST(value_error_of([&] { DRAGAN<>{.scale = -1.0}.critic_loss(critic, batch); }) ==
             "DRAGAN: scale must not be negative, got -1");
  BOOST_TEST(value_error_of([&] { SoftplusR1{.gamma = -1.0}.critic_loss(critic, batch); }) ==
             "SoftplusR1: gamma must not be negative, got -1");
  BOOST_TEST(value_error_of([&] {
               dragan_point(batch.target, torch::zeros({1, 3, 4, 5}));
             }) == "dragan_point: target [1, 3, 4, 4] and noise [1, 3, 4, 5] differ in shape");
}

BOOST_AUTO_TEST_CASE(wasserstein_gp_draws_the_same_points_from_the_same_random_source) {
  SmoothCritic critic;
  torch::manual_seed(4);
  AdversarialBatch batch{torch::rand({2, 3, 8, 8}), torch::rand({2, 3, 8, 8}),
                         torch::rand({2, 3, 8, 8})};
  const auto value = [&](std::uint64_t seed) {
    Random random{seed};
    batch.random = &random;
    return WassersteinGP{}.critic_loss(critic, batch).item<float>();
  };
  BOOST_TEST(value(1) == value(1));
  BOOST_TEST(value(1) != value(2));
}

BOOST_AUTO_TEST_CASE(dragan_draws_one_number_for_each_value) {
  torch::manual_seed(7);
  const auto target = torch::randn({2, 3, 8, 8}).requires_grad_();
  Random random{5}, same{5}, other{5};
  const auto point = random_dragan_point(target, random);
  BOOST_TEST(!point.requires_grad());
  const auto image = target.detach().to(torch::kDouble);
  const auto deviation = (image - image.mean()).square().mean().sqrt().item<double>();
  const auto added = (point.to(torch::kDouble) - image).reshape(-1);
  for (int i = 0; i < added.numel(); ++i) {
    BOOST_REQUIRE(std::abs(added[i].item<double>() - 0.5 * deviation * same.uniform()) < 1e-5);
  }
  const auto gaussian = random_dragan_point(target, other, 0.3, DRAGANNoise::gaussian) - target;
  BOOST_TEST(std::abs(gaussian.mean().item<double>()) < 0.06);
  BOOST_TEST(std::abs(gaussian.std().item<double>() - 0.3) < 0.03);
}

BOOST_AUTO_TEST_CASE(softplus_r1_judges_the_target_once) {
  struct CountingImpl : torch::nn::Cloneable<CountingImpl> {
    void reset() override {}
    at::Tensor forward(const at::Tensor& image) {
      ++calls;
      return image.square().mean(at::IntArrayRef{1, 2, 3});
    }
    int calls = 0;
  };
  auto critic = std::make_shared<CountingImpl>();
  SoftplusR1{}.critic_loss(critic, constant_batch(0.5, 0.25));
  BOOST_TEST(critic->calls == 2);
}

BOOST_AUTO_TEST_CASE(relative_scores_of_the_target_leave_autocast_able_to_train) {
  SmoothCritic critic;  // not frozen: its weights go into autocast's cache
  torch::manual_seed(5);
  auto restored = torch::rand({1, 3, 8, 8}).requires_grad_();
  const AdversarialBatch batch{torch::rand({1, 3, 8, 8}), restored, torch::rand({1, 3, 8, 8})};
  at::Tensor loss;
  {
    const AutocastScope autocast{Precision::bfloat16, torch::kCPU};
    loss = Relativistic{}.generator_loss(critic, batch);
  }
  BOOST_TEST((loss.scalar_type() == torch::kFloat));
  loss.backward();
  BOOST_TEST(limpid_test::has_gradient(*critic));
  BOOST_TEST(restored.grad().abs().sum().item<double>() > 0);
}

BOOST_AUTO_TEST_SUITE_END()
