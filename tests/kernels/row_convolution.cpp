#include <limpid/kernels/row_convolution.hpp>
#include <limpid/layers/conv2d.hpp>

#include <torch/torch.h>
#include <boost/test/unit_test.hpp>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace {

using limpid::Convolution, limpid::ConvolutionScope, limpid::detail::may_be_in_rows;
using torch::nn::Conv2dOptions;
using Tensors = std::vector<at::Tensor>;

struct Problem {
  std::int64_t in, out, kernel, padding, height, width;
};

/// Input, weight and bias, with gradients.
Tensors arguments_of(const Problem& p) {
  torch::manual_seed(0);
  Tensors all{torch::randn({2, p.in, p.height, p.width}),
              torch::randn({p.out, p.in, p.kernel, p.kernel}) / 10, torch::randn({p.out})};
  for (auto& tensor : all) tensor.requires_grad_();
  return all;
}

Tensors in_double(const Tensors& tensors) {
  Tensors all;
  for (const auto& tensor : tensors) {
    all.push_back(tensor.detach().to(at::kDouble).requires_grad_());
  }
  return all;
}

void check_agreement(const Tensors& found, const Tensors& expected) {
  BOOST_REQUIRE(found.size() == expected.size());
  for (std::size_t i = 0; i < found.size(); ++i) {
    BOOST_REQUIRE(found[i].sizes() == expected[i].sizes());
    const auto off = (found[i].to(at::kDouble) - expected[i]).abs().max() / expected[i].abs().max();
    BOOST_TEST(off.item<double>() < 1e-4, "number " << i);
  }
}

BOOST_AUTO_TEST_SUITE(row_convolution)

BOOST_AUTO_TEST_CASE(result_and_gradients_agree_with_double_precision) {
  for (const auto& p :
       {Problem{16, 3, 7, 0, 20, 17}, Problem{18, 1, 5, 2, 5, 9}, Problem{16, 2, 9, 4, 9, 9}}) {
    const auto everything = [&](const Tensors& all, auto compute) {
      const auto result = compute(all[0], all[1], all[2]);
      auto found = torch::autograd::grad({result.sin().sum()}, all);
      found.push_back(result);
      return found;
    };
    const auto all = arguments_of(p);
    check_agreement(
        everything(all,
                   [&](const auto& input, const auto& weight, const auto& bias) {
                     return limpid::convolution_in_rows(input, weight, bias, p.padding);
                   }),
        everything(in_double(all), [&](const auto& input, const auto& weight, const auto& bias) {
          return torch::conv2d(input, weight, bias, 1, p.padding);
        }));
  }
}

BOOST_AUTO_TEST_CASE(a_second_backward_agrees) {
  const auto all = arguments_of({16, 3, 7, 3, 9, 9});
  const auto penalty = [](const Tensors& tensors, auto compute) {
    const auto slope =
        torch::autograd::grad({compute(tensors).pow(3).sum()}, {tensors[0]}, {}, true, true)[0];
    return torch::autograd::grad({slope.square().sum()}, tensors);
  };
  check_agreement(
      penalty(all,
              [](const Tensors& t) { return limpid::convolution_in_rows(t[0], t[1], t[2], 3); }),
      penalty(in_double(all),
              [](const Tensors& t) { return torch::conv2d(t[0], t[1], t[2], 1, 3); }));
}

BOOST_AUTO_TEST_CASE(taken_for_few_outputs_of_large_kernels_where_fast_says_so) {
  const auto taken = [](std::int64_t in, std::int64_t out, std::int64_t kernel) {
    return may_be_in_rows(torch::rand({1, in, 8, 8}), torch::rand({out, in, kernel, kernel}), {});
  };
  BOOST_TEST(!taken(64, 3, 7));
  const ConvolutionScope fast{Convolution::fast};
  BOOST_TEST(taken(64, 3, 7));
  BOOST_TEST(!taken(64, 12, 7));  // seven times as many outputs are as much work
  BOOST_TEST(!taken(3, 3, 7));
  BOOST_TEST(!taken(64, 3, 3));
}

BOOST_AUTO_TEST_CASE(a_layer_agrees_with_libtorchs_and_is_the_same_where_exact) {
  for (const auto& options :
       {Conv2dOptions(16, 3, 7), Conv2dOptions(16, 3, 7).padding(3).bias(false),
        Conv2dOptions(16, 3, 7).padding({3, 2}), Conv2dOptions(16, 3, 7).stride(2)}) {
    torch::manual_seed(1);
    limpid::Conv2d ours{options};
    torch::manual_seed(1);
    torch::nn::Conv2d theirs{options};
    const auto input = torch::randn({1, 16, 12, 11});
    BOOST_TEST(torch::equal(ours->forward(input), theirs->forward(input)));
    const ConvolutionScope fast{Convolution::fast};
    BOOST_TEST(torch::allclose(ours->forward(input), theirs->forward(input), 1e-4, 1e-5));
  }
}

BOOST_AUTO_TEST_CASE(an_input_smaller_than_the_kernel_is_refused_as_by_libtorch) {
  const ConvolutionScope fast{Convolution::fast};
  limpid::Conv2d layer{Conv2dOptions(16, 3, 7)};
  BOOST_CHECK_THROW(layer->forward(torch::randn({1, 16, 5, 5})), c10::Error);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
