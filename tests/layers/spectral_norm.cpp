#include <limpid/layers/spectral_norm.hpp>
#include <support/fixtures.hpp>
#include <support/networks.hpp>

#include <torch/torch.h>
#include <boost/test/unit_test.hpp>

#include <set>
#include <string>

namespace {

using limpid::SpectralConv2d, limpid::SpectralConv2dOptions;
using limpid_test::relative_difference;

const SpectralConv2dOptions kOptions{.in = 3, .out = 5, .kernel = 3, .padding = 1};

/// The largest singular value of the weight as a matrix, by LibTorch.
double largest_singular_value(const at::Tensor& weight) {
  return std::get<1>(at::svd(weight.detach().to(torch::kDouble).flatten(1))).max().item<double>();
}

SpectralConv2d converged(const SpectralConv2dOptions& options) {
  SpectralConv2d conv{options};
  conv->to(torch::kDouble);
  for (int i = 0; i < 200; ++i) conv->weight();
  return conv;
}

BOOST_AUTO_TEST_SUITE(spectral_norm)

BOOST_AUTO_TEST_CASE(has_pytorchs_names) {
  SpectralConv2d conv{kOptions};
  std::set<std::string> names;
  for (const auto& item : conv->named_parameters()) names.insert(item.key());
  for (const auto& item : conv->named_buffers()) names.insert(item.key());
  BOOST_TEST((names == std::set<std::string>{"bias", "weight_orig", "weight_u", "weight_v"}));
  BOOST_TEST(conv->named_buffers()["weight_u"].sizes() == torch::IntArrayRef({5}));
  BOOST_TEST(conv->named_buffers()["weight_v"].sizes() == torch::IntArrayRef({27}));
}

BOOST_AUTO_TEST_CASE(its_weight_has_the_largest_singular_value_one) {
  torch::manual_seed(0);
  for (const std::int64_t stride : {1, 2}) {
    auto options = kOptions;
    options.stride = stride;
    auto conv = converged(options);
    const auto original = conv->named_parameters()["weight_orig"];
    BOOST_TEST(largest_singular_value(conv->weight()) == 1, boost::test_tools::tolerance(1e-9));
    BOOST_TEST(relative_difference(conv->weight() * largest_singular_value(original), original) <
               1e-9);
    const auto image = torch::randn({2, 3, 9, 7}, torch::kDouble);
    const auto expected =
        at::conv2d(image, original / largest_singular_value(original),
                   conv->named_parameters()["bias"], /*stride=*/stride, /*padding=*/1);
    BOOST_TEST(relative_difference(conv->forward(image), expected) < 1e-9);
  }
}

BOOST_AUTO_TEST_CASE(a_new_one_is_near_that_without_training) {
  torch::manual_seed(1);
  SpectralConv2d conv{SpectralConv2dOptions{.in = 8, .out = 16, .kernel = 4}};
  conv->eval();
  BOOST_TEST(largest_singular_value(conv->weight()) == 1, boost::test_tools::tolerance(0.1));
}

// d(W / s) with s = u^T W v has the closed form dW / s - W (u^T dW v) / s^2.
BOOST_AUTO_TEST_CASE(its_gradient_is_that_of_the_closed_form) {
  torch::manual_seed(2);
  auto conv = converged(kOptions);
  conv->eval();
  auto original = conv->named_parameters()["weight_orig"];
  const auto probe = torch::randn_like(original);
  (conv->weight() * probe).sum().backward();
  const auto [left, values, right] = at::svd(original.detach().flatten(1));
  const auto outer = left.select(1, 0).unsqueeze(1) * right.select(1, 0).unsqueeze(0);
  const auto s = values[0];
  const auto along = (probe.flatten(1) * original.detach().flatten(1)).sum();
  const auto expected = probe.flatten(1) / s - outer * along / (s * s);
  BOOST_TEST(relative_difference(original.grad().flatten(1), expected) < 1e-9);
}

BOOST_AUTO_TEST_CASE(its_gradient_has_a_gradient_as_penalties_need) {
  torch::manual_seed(3);
  auto conv = converged(kOptions);
  conv->eval();
  auto original = conv->named_parameters()["weight_orig"];
  const auto image = torch::randn({1, 3, 6, 5}, torch::kDouble);
  const auto start = original.detach().clone();
  // The squared slope of a smooth function of the image, as a function of the weight.
  const auto penalty = [&](const at::Tensor& weight) {
    torch::NoGradGuard no_grad;
    original.copy_(weight);
    torch::AutoGradMode with_graph{true};
    const auto leaf = image.clone().requires_grad_();
    const auto slope = torch::autograd::grad({conv->forward(leaf).sin().sum()}, {leaf}, {},
                                             /*retain_graph=*/true, /*create_graph=*/true)[0];
    return slope.square().sum();
  };
  conv->zero_grad();
  penalty(start).backward();
  const auto gradient = original.grad().clone();
  const auto direction = torch::randn_like(start);
  const double step = 1e-5;
  const auto rise =
      (penalty(start + step * direction) - penalty(start - step * direction)).item<double>();
  BOOST_TEST((gradient * direction).sum().item<double>() == rise / (2 * step),
             boost::test_tools::tolerance(1e-5));
}

BOOST_AUTO_TEST_CASE(a_pass_steps_while_training_and_not_else_and_both_of_a_loss_go_backward) {
  torch::manual_seed(4);
  SpectralConv2d conv{kOptions};
  limpid_test::disturb(*conv, 0.5);
  const auto image = torch::randn({1, 3, 6, 5});
  const auto vector = [&] { return conv->named_buffers()["weight_u"].clone(); };
  const auto first = vector();
  (conv->forward(image) - conv->forward(-image)).square().sum().backward();
  BOOST_TEST(!torch::equal(vector(), first));
  conv->eval();
  const auto kept = vector();
  const auto once = conv->forward(image);
  BOOST_TEST(torch::equal(conv->forward(image), once));
  BOOST_TEST(torch::equal(vector(), kept));
}

BOOST_AUTO_TEST_CASE(names_the_size_that_is_wrong) {
  BOOST_TEST(limpid_test::throws_value_error(
      [] { SpectralConv2d{SpectralConv2dOptions{.in = 0, .out = 1, .kernel = 3}}; },
      "SpectralConv2d: in must be at least 1, got 0"));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
