#include <limpid/kernels/max_pool.hpp>

#include <torch/torch.h>
#include <boost/test/unit_test.hpp>

#include <cstdint>
#include <limits>
#include <vector>

namespace {

using limpid::max_pool2x2;

/// Of few values, so that several of four are equal.
at::Tensor coarse(at::IntArrayRef sizes, at::ScalarType type) {
  return torch::randint(-2, 3, sizes).to(type);
}

BOOST_AUTO_TEST_SUITE(max_pool)

BOOST_AUTO_TEST_CASE(is_libtorchs_to_the_bit_and_so_are_its_gradients) {
  torch::manual_seed(0);
  for (const auto type : {at::kFloat, at::kBFloat16}) {
    for (const auto& sizes : std::vector<std::vector<std::int64_t>>{
             {1, 1, 2, 2}, {2, 3, 8, 6}, {1, 2, 5, 7}, {2, 1, 3, 64}, {1, 4, 64, 33}}) {
      auto input = coarse(sizes, type);
      input.view(-1)[1] = std::numeric_limits<float>::quiet_NaN();
      const auto with_gradient = [&](const auto& pool) {
        const auto leaf = input.clone().requires_grad_();
        const auto output = pool(leaf);
        const auto slopes = torch::arange(1, output.numel() + 1).view(output.sizes()).to(type);
        return std::vector{output, torch::autograd::grad({output}, {leaf}, {slopes})[0]};
      };
      const auto found = with_gradient(max_pool2x2);
      const auto expected =
          with_gradient([](const at::Tensor& t) { return at::max_pool2d(t, 2, 2); });
      for (std::size_t i = 0; i < 2; ++i) {
        BOOST_TEST((found[i].scalar_type() == type));
        BOOST_TEST(at::nan_to_num(found[i], 99).equal(at::nan_to_num(expected[i], 99)),
                   input.sizes() << ", number " << i);
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(has_second_derivatives) {
  const auto input = torch::randn({1, 2, 6, 5}, at::kFloat).requires_grad_();
  const auto second = [&](const at::Tensor& output) {
    const auto slope = torch::autograd::grad({output.pow(3).sum()}, {input}, {}, true, true)[0];
    return torch::autograd::grad({slope.square().sum()}, {input})[0];
  };
  BOOST_TEST(torch::allclose(second(max_pool2x2(input)), second(at::max_pool2d(input, 2, 2))));
}

BOOST_AUTO_TEST_CASE(takes_what_libtorch_takes) {
  const auto map = torch::rand({1, 2, 6, 8});
  for (const auto& input : {map.contiguous(at::MemoryFormat::ChannelsLast), map.to(at::kDouble),
                            map[0], map.transpose(2, 3)}) {
    BOOST_TEST(max_pool2x2(input).equal(at::max_pool2d(input, 2, 2)));
  }
  BOOST_CHECK_THROW(max_pool2x2(torch::rand({1, 2, 1, 8})), c10::Error);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
