#include <limpid/layers/basic_block.hpp>
#include <limpid/layers/gated_conv_block.hpp>
#include <limpid/layers/naf_block.hpp>
#include <limpid/layers/recompute.hpp>
#include <limpid/layers/residual_block.hpp>
#include <limpid/layers/resnet_block.hpp>

#include <torch/torch.h>
#include <boost/test/unit_test.hpp>

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

namespace {

using namespace limpid;
using Tensors = std::vector<at::Tensor>;

/// Everything that a forward and a backward of three blocks in a row leave behind.
template <class Make>
Tensors traces(Make make, bool recompute, Precision precision) {
  torch::manual_seed(0);
  torch::nn::Sequential blocks(make(), make(), make());
  for (auto& parameter : blocks->parameters()) {
    if (parameter.dim() == 4 && parameter.size(2) == 1 && parameter.size(3) == 1) {
      torch::NoGradGuard no_grad;
      parameter.add_(torch::randn_like(parameter) / 10);  // NAFNet's begin with zero
    }
  }
  auto input = torch::randn({2, 16, 12, 12}).requires_grad_();
  Tensors all;
  {
    const AutocastScope autocast{precision, at::kCPU};
    const RecomputeScope scope{recompute};
    all.push_back(blocks->forward(input * 1));
  }
  all[0].to(at::kFloat).sin().sum().backward();
  all.push_back(input.grad());
  for (const auto& parameter : blocks->parameters()) all.push_back(parameter.grad());
  for (const auto& buffer : blocks->buffers()) all.push_back(buffer);
  all.push_back(torch::rand({4}));  // the generator stands where it stood
  return all;
}

template <class Make>
void check_equal(const std::string& name, Make make) {
  for (const auto precision : {Precision::float32, Precision::bfloat16}) {
    const auto kept = traces(make, false, precision), again = traces(make, true, precision);
    BOOST_REQUIRE(kept.size() == again.size());
    for (std::size_t i = 0; i < kept.size(); ++i) {
      BOOST_TEST(kept[i].defined() == again[i].defined(), name << ", number " << i);
      if (kept[i].defined() && again[i].defined()) {
        BOOST_TEST(torch::equal(kept[i], again[i]), name << ", number " << i);
      }
    }
  }
}

/// Tells how often it is computed, and whether the map inside is alive.
struct WatchedImpl : torch::nn::Module {
  at::Tensor weight = register_parameter("weight", torch::ones({1, 1, 1, 1}));
  int runs = 0;
  c10::weak_intrusive_ptr<at::TensorImpl, at::UndefinedTensorImpl> inside{
      at::Tensor{}.getIntrusivePtr()};

  at::Tensor forward(const at::Tensor& input) {
    return recomputed(*this, input, [](WatchedImpl& block, const at::Tensor& x) {
      ++block.runs;
      const auto map = (x * block.weight).exp();
      block.inside =
          c10::weak_intrusive_ptr<at::TensorImpl, at::UndefinedTensorImpl>{map.getIntrusivePtr()};
      return map * map;
    });
  }
};
TORCH_MODULE(Watched);

BOOST_AUTO_TEST_SUITE(recompute)

BOOST_AUTO_TEST_CASE(results_gradients_buffers_and_the_generator_are_the_same_to_the_bit) {
  check_equal("dropout and instance norm", [] { return ResNetBlock(16, 0.5); });
  check_equal("no norm", [] { return ResidualBlock(16); });
  check_equal("means over the map", [] { return NAFBlock(16, 1, 0); });
  check_equal("batch norm",
              [] { return GatedConvBlock(16, GatedConvOptions{.norm = NormKind::batch}); });
  check_equal("batch norm, relu in place", [] { return BasicBlock(16, 16, 1); });
}

BOOST_AUTO_TEST_CASE(maps_inside_a_block_are_gone_until_the_backward) {
  Watched block;
  const auto input = torch::rand({1, 1, 4, 4}).requires_grad_();
  const auto kept = block->forward(input);
  BOOST_TEST(!block->inside.expired());
  BOOST_TEST(block->runs == 1);
  const RecomputeScope scope;
  const auto output = block->forward(input);
  BOOST_TEST(block->inside.expired());
  BOOST_TEST(block->runs == 2);
  output.sum().backward();
  BOOST_TEST(block->runs == 3);
  {
    torch::NoGradGuard no_grad;
    block->forward(input);
    BOOST_TEST(block->runs == 4);
  }
}

BOOST_AUTO_TEST_CASE(only_what_is_asked_for_gets_a_gradient_and_a_frozen_block_passes_it_on) {
  const RecomputeScope scope;
  Watched block;
  const auto input = torch::rand({1, 1, 4, 4});
  const auto of_weight = torch::autograd::grad({block->forward(input).sum()}, {block->weight});
  BOOST_TEST(of_weight[0].defined());
  block->weight.set_requires_grad(false);
  const auto leaf = input.clone().requires_grad_();
  block->forward(leaf).sum().backward();
  BOOST_TEST(torch::allclose(leaf.grad(), 2 * (2 * input).exp()));
  BOOST_TEST(!block->weight.grad().defined());
}

BOOST_AUTO_TEST_CASE(a_second_backward_leads_through_the_input) {
  const auto penalty = [](bool recompute) {
    torch::manual_seed(0);
    ResidualBlock block{4};
    const auto start = torch::rand({1, 4, 6, 6}).requires_grad_();
    at::Tensor output;
    const auto input = start * start;
    {
      const RecomputeScope scope{recompute};
      output = block->forward(input).pow(3).sum();
    }
    const auto slope = torch::autograd::grad({output}, {input}, {}, true, true)[0];
    auto wanted = block->parameters();
    wanted.push_back(start);
    return torch::autograd::grad({slope.square().sum()}, wanted, {}, {}, false, true);
  };
  const auto kept = penalty(false), again = penalty(true);
  for (std::size_t i = 0; i < kept.size(); ++i) {
    BOOST_REQUIRE(kept[i].defined() == again[i].defined());
    if (kept[i].defined()) BOOST_TEST(torch::allclose(kept[i], again[i], 1e-5, 1e-6));
  }
}

BOOST_AUTO_TEST_CASE(a_graph_may_outlive_its_network) {
  const auto input = torch::rand({1, 4, 6, 6}).requires_grad_();
  at::Tensor output;
  {
    const RecomputeScope scope;
    output = ResidualBlock { 4 } -> forward(input);
  }
  output.sum().backward();
  BOOST_TEST(input.grad().defined());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
