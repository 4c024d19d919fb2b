#include <limpid/layers/layer_norm2d.hpp>
#include <support/gradients.hpp>
#include <support/networks.hpp>

#include <torch/torch.h>
#include <boost/test/unit_test.hpp>

namespace {

using limpid::LayerNorm2d;

BOOST_AUTO_TEST_SUITE(layer_norm2d)

BOOST_AUTO_TEST_CASE(equals_layer_norm_over_channels) {
  torch::manual_seed(0);
  LayerNorm2d norm{5};
  limpid_test::disturb(*norm);
  const auto input = torch::randn({2, 5, 3, 4});
  auto parameters = norm->named_parameters();
  const auto expected = torch::layer_norm(input.permute({0, 2, 3, 1}), {5}, parameters["weight"],
                                          parameters["bias"], 1e-6)
                            .permute({0, 3, 1, 2});
  BOOST_TEST(torch::allclose(norm->forward(input), expected, 1e-5, 1e-6));
}

BOOST_AUTO_TEST_CASE(has_the_gradient_that_differences_give) {
  torch::manual_seed(0);
  LayerNorm2d norm{3};
  norm->to(torch::kDouble);
  const auto weights = torch::randn({1, 3, 2, 2}, torch::kDouble);
  const auto f = [&](const at::Tensor& x) { return (norm->forward(x) * weights).sum(); };
  BOOST_TEST(limpid_test::gradient_error(f, torch::randn({1, 3, 2, 2}, torch::kDouble)) < 1e-6);
}

BOOST_AUTO_TEST_CASE(normalises_half_precision_in_float) {
  LayerNorm2d norm{8};
  const auto input = (torch::randn({1, 8, 4, 4}) + 100).to(torch::kBFloat16);
  const auto output = norm->forward(input);
  BOOST_TEST((output.scalar_type() == torch::kFloat));
  BOOST_TEST(torch::equal(output, norm->forward(input.to(torch::kFloat))));
}

BOOST_AUTO_TEST_CASE(names_the_channels_it_wanted) {
  LayerNorm2d norm{4};
  BOOST_TEST(limpid_test::throws_value_error(
      [&] {
        norm->forward(torch::zeros({1, 3, 2, 2}));
      },
      "LayerNorm2d: expected image (N, 4, H, W), got [1, 3, 2, 2]"));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
