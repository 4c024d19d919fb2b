#include <limpid/kernels/norm_of_maps.hpp>

#include <limpid/core/autocast.hpp>
#include <limpid/layers/instance_norm.hpp>

#include <torch/torch.h>
#include <boost/test/unit_test.hpp>

namespace {

using limpid::norm_of_maps;

constexpr double kEpsilon = 1e-5;

at::Tensor in_double(const at::Tensor& input) {
  return at::instance_norm(input.to(at::kDouble), {}, {}, {}, {}, true, 0.1, kEpsilon, false);
}

double difference(const at::Tensor& found, const at::Tensor& expected) {
  return ((found - expected).abs().max() / expected.abs().max()).item<double>();
}

BOOST_AUTO_TEST_SUITE(norm_of_maps_)

BOOST_AUTO_TEST_CASE(agrees_with_double_precision_in_value_and_gradient) {
  torch::manual_seed(0);
  for (const auto& sizes : {std::vector<std::int64_t>{1, 1, 2, 3}, {2, 3, 5, 7}, {1, 16, 33, 65}}) {
    for (const double level : {0.0, 5.0}) {
      const auto input = (torch::randn(sizes) + level).requires_grad_();
      const auto output = norm_of_maps(input, kEpsilon), expected = in_double(input);
      BOOST_TEST(difference(output, expected) < 1e-5);
      const auto gradient = torch::randn(sizes);
      const auto found = torch::autograd::grad({output}, {input}, {gradient})[0];
      const auto right = torch::autograd::grad({expected}, {input}, {gradient.to(at::kDouble)})[0];
      BOOST_TEST((found - right).abs().max().item<double>() <
                 3e-5 * gradient.abs().max().item<double>());
    }
  }
}

BOOST_AUTO_TEST_CASE(second_derivatives_agree_with_double_precision) {
  const auto input = torch::randn({2, 3, 6, 7}).requires_grad_();
  const auto second = [&](const at::Tensor& output) {
    const auto slope = torch::autograd::grad({output.pow(3).sum()}, {input}, {}, true, true)[0];
    return torch::autograd::grad({slope.square().sum()}, {input})[0];
  };
  BOOST_TEST(difference(second(norm_of_maps(input, kEpsilon)), second(in_double(input))) < 1e-4);
}

BOOST_AUTO_TEST_CASE(bfloat16_is_computed_in_float_and_rounded_once) {
  torch::manual_seed(0);
  const auto input = (torch::randn({2, 3, 33, 65}) + 3).to(at::kBFloat16).requires_grad_();
  const auto wide = input.detach().to(at::kFloat).requires_grad_();
  const auto gradient = torch::randn(input.sizes()).to(at::kBFloat16);
  const auto output = norm_of_maps(input, kEpsilon), in_float = norm_of_maps(wide, kEpsilon);
  BOOST_TEST(output.equal(in_float.to(at::kBFloat16)));
  const auto found = torch::autograd::grad({output}, {input}, {gradient})[0];
  const auto right = torch::autograd::grad({in_float}, {wide}, {gradient.to(at::kFloat)})[0];
  BOOST_TEST(found.equal(right.to(at::kBFloat16)));
  const auto slope = torch::autograd::grad({norm_of_maps(input, kEpsilon).pow(3).sum()}, {input},
                                           {}, true, true)[0];
  BOOST_TEST((slope.scalar_type() == at::kBFloat16));
  BOOST_TEST(
      torch::autograd::grad({slope.square().sum()}, {input})[0].isfinite().all().item<bool>());
}

BOOST_AUTO_TEST_CASE(a_flat_map_is_zero_and_its_gradient_finite) {
  const auto input = torch::full({1, 2, 8, 8}, 0.7F).requires_grad_();
  const auto output = norm_of_maps(input, kEpsilon);
  BOOST_TEST(output.abs().max().item<float>() < 1e-3F);
  output.pow(2).sum().backward();
  BOOST_TEST(input.grad().isfinite().all().item<bool>());
}

BOOST_AUTO_TEST_CASE(the_layer_takes_it_where_fast_is_asked_for) {
  limpid::InstanceNorm layer{4};
  const auto input = (torch::randn({2, 4, 9, 11}) + 2).requires_grad_();
  const auto exact = layer->forward(input);
  const limpid::ConvolutionScope scope{limpid::Convolution::fast};
  BOOST_TEST(torch::equal(layer->forward(input), norm_of_maps(input, kEpsilon)));
  BOOST_TEST(difference(layer->forward(input), exact) < 1e-5);
  {
    const limpid::AutocastScope autocast{limpid::Precision::bfloat16, at::kCPU};
    const auto half = input.detach().to(at::kBFloat16);
    BOOST_TEST(layer->forward(half).equal(norm_of_maps(half, kEpsilon)));
  }
  const auto last = input.contiguous(at::MemoryFormat::ChannelsLast);
  BOOST_TEST(difference(layer->forward(last), exact) < 1e-5);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
