#include <limpid/losses/adversarial/dragan.hpp>
#include <limpid/losses/adversarial/gradient_penalty.hpp>
#include <limpid/losses/adversarial/softplus_r1.hpp>
#include <limpid/losses/adversarial/wasserstein.hpp>
#include <limpid/losses/adversarial/wasserstein_gp.hpp>
#include <support/losses.hpp>
#include <support/named.hpp>

#include <torch/torch.h>
#include <boost/test/unit_test.hpp>

#include <cmath>
#include <string>

namespace {

using namespace limpid;
using limpid_test::SmoothCritic;

AdversarialBatch random_batch(at::ScalarType type = torch::kFloat) {
  torch::manual_seed(6);
  const auto image = [&] { return (torch::rand({3, 3, 7, 8}) * 2 - 1).to(type); };
  return {image(), image(), image()};
}

}  // namespace

BOOST_AUTO_TEST_SUITE(gradient_penalties)

BOOST_AUTO_TEST_CASE(each_sample_gets_its_own_point_on_the_line) {
  const auto target = torch::ones({4, 3, 5, 6});
  const auto restored = torch::zeros({4, 3, 5, 6}).requires_grad_();
  Random random{1};
  Random same{1};
  const auto point = random_point_between(target, restored, random);
  BOOST_TEST(!point.requires_grad());
  for (int i = 0; i < 4; ++i) {
    const auto alpha = same.uniform();
    BOOST_TEST((point[i] - alpha).abs().max().item<double>() < 1e-6);
  }
}

BOOST_AUTO_TEST_CASE(images_of_unequal_shape_have_no_line_between_them) {
  Random random{1};
  try {
    random_point_between(torch::zeros({1, 3, 4, 4}), torch::zeros({1, 3, 4, 5}), random);
    BOOST_ERROR("accepted");
  } catch (const c10::ValueError& error) {
    BOOST_TEST(std::string{error.what_without_backtrace()} ==
               "random_point_between: restored [1, 3, 4, 5] and target [1, 3, 4, 4] differ in "
               "shape");
  }
}

BOOST_AUTO_TEST_CASE(a_linear_critic_has_the_length_found_by_hand) {
  limpid_test::MeanCritic critic;  // gradient 1 / (3 * 56) everywhere
  const auto batch = random_batch();
  const auto close = [](const at::Tensor& found, double expected) {
    return std::abs(found.item<double>() - expected) < 1e-6;
  };
  const double each = 1.0 / 168;
  const double sample = each * std::sqrt(168.0);
  const double pixel = each * std::sqrt(3.0);
  BOOST_TEST(close(gradient_penalty(critic, batch.target, batch), (sample - 1) * (sample - 1)));
  BOOST_TEST(close(gradient_penalty(critic, batch.target, batch, 0.0), sample * sample));
  const auto per_pixel = [&](double center) {
    return gradient_penalty(critic, batch.target, batch, center, PenaltySlope::per_pixel);
  };
  BOOST_TEST(close(per_pixel(1.0), (pixel - 1) * (pixel - 1)));
  BOOST_TEST(close(per_pixel(0.0), pixel * pixel));
  for (const auto form : {PenaltySlope::mean, PenaltySlope::sum}) {  // one score: one and the same
    const auto slope = slope_of(critic, batch.target, batch, form);
    BOOST_TEST(close(slope.penalty(1.0), (sample - 1) * (sample - 1)));
    BOOST_TEST(close(slope.length(), sample));
  }
}

BOOST_AUTO_TEST_CASE(its_gradient_reaches_the_critic_for_every_center_and_form) {
  SmoothCritic critic;
  critic->to(torch::kDouble);
  const auto batch = random_batch(torch::kDouble);
  for (const auto form : {PenaltySlope::mean, PenaltySlope::sum, PenaltySlope::per_pixel}) {
    for (const double center : {0.0, 1.0}) {
      const auto error = limpid_test::parameter_gradient_error(*critic, [&] {
        torch::AutoGradMode with_graph{true};
        return gradient_penalty(critic, batch.target, batch, center, form);
      });
      BOOST_TEST(error < 1e-6);
      BOOST_TEST(limpid_test::has_gradient(*critic));
    }
  }
  BOOST_TEST(!batch.target.requires_grad());
}

BOOST_AUTO_TEST_CASE(the_slope_of_the_mean_is_that_of_the_function_in_the_loss) {
  SmoothCritic critic;
  critic->to(torch::kDouble);
  const auto batch = random_batch(torch::kDouble);
  auto image = batch.target.clone().requires_grad_();
  // What the loss of WGAN takes of each image, by differentiating the loss itself.
  const auto in_the_loss = -Wasserstein{}.generator_loss(critic, {image, image, image});
  const auto slopes = torch::autograd::grad({in_the_loss}, {image})[0] * image.size(0);
  const auto mean = slope_of(critic, batch.target, batch, PenaltySlope::mean);
  BOOST_TEST((mean.gradient - slopes).abs().max().item<double>() < 1e-12);
  BOOST_TEST(std::abs(mean.length().item<double>() -
                      slopes.flatten(1).norm(2, {1}).mean().item<double>()) < 1e-12);
  BOOST_TEST(!mean.length().requires_grad());
}

BOOST_AUTO_TEST_CASE(the_slope_of_the_mean_does_not_grow_with_the_number_of_patches) {
  // The same critic, judging the same pixel pattern on an area of 9 times the patches.
  SmoothCritic critic;
  critic->to(torch::kDouble);
  torch::NoGradGuard no_grad;
  const auto small = torch::rand({1, 3, 7, 7}, torch::kDouble);
  const auto patches = critic->forward(small).numel();
  const auto mean = slope_of(critic, small, {}, PenaltySlope::mean);
  const auto sum = slope_of(critic, small, {}, PenaltySlope::sum);
  BOOST_TEST(patches > 1);
  BOOST_TEST(std::abs(sum.length().item<double>() -
                      static_cast<double>(patches) * mean.length().item<double>()) < 1e-12);
  // Held at length one, the sum leaves the loss a slope of one over the number of patches.
  BOOST_TEST(mean.penalty(1.0).item<double>() != sum.penalty(1.0).item<double>());
}

BOOST_AUTO_TEST_CASE(the_forms_of_the_slope_go_by_names) {
  limpid_test::check_table(kPenaltySlopes);
  BOOST_TEST((kPenaltySlopes.at("per-pixel") == PenaltySlope::per_pixel));
}

BOOST_AUTO_TEST_CASE(each_objective_with_a_penalty_logs_the_length_of_its_slope) {
  SmoothCritic critic;
  auto batch = random_batch();
  Random random{9};
  batch.random = &random;
  const auto logged = [&](auto loss, PenaltySlope form) {
    loss.slope = form;
    BOOST_TEST(loss.figures().empty());
    loss.critic_loss(critic, batch);
    BOOST_REQUIRE(loss.figures().size() == 1U);
    BOOST_TEST(loss.figures()[0].first == "slope");
    BOOST_TEST(!loss.figures()[0].second.requires_grad());
    return loss.figures()[0].second.template item<double>();
  };
  const auto check = [&](const auto& loss) {
    const auto mean = logged(loss, PenaltySlope::mean);
    BOOST_TEST(mean > 0);
    BOOST_TEST(logged(loss, PenaltySlope::sum) > mean);
    BOOST_TEST(logged(loss, PenaltySlope::per_pixel) > 0);
  };
  check(WassersteinGP{});
  check(DRAGAN<>{});
  check(DRAGAN<Minimax>{});
  check(SoftplusR1{});
}

BOOST_AUTO_TEST_CASE(a_flat_critic_gives_a_finite_penalty_and_gradient) {
  limpid_test::MeanCritic critic;
  {
    torch::NoGradGuard no_grad;
    critic->weight.zero_();
  }
  const auto batch = random_batch();
  const auto penalty = gradient_penalty(critic, batch.target, batch);
  BOOST_TEST(std::abs(penalty.item<double>() - 1) < 1e-6);
  penalty.backward();
  BOOST_TEST(critic->weight.grad().isfinite().all().item<bool>());
}

BOOST_AUTO_TEST_CASE(it_can_be_measured_without_a_graph_around_it) {
  SmoothCritic critic;
  const auto batch = random_batch();
  torch::NoGradGuard no_grad;
  BOOST_TEST(gradient_penalty(critic, batch.target, batch).item<double>() > 0);
}

BOOST_AUTO_TEST_SUITE_END()
