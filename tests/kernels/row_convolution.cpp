#include <limpid/core/autocast.hpp>
#include <limpid/kernels/row_convolution.hpp>
#include <limpid/layers/conv2d.hpp>
#include <support/convolutions.hpp>

#include <torch/torch.h>
#include <boost/test/unit_test.hpp>

#include <cstddef>
#include <cstdint>

namespace {

using limpid::Convolution, limpid::ConvolutionScope, limpid::detail::may_be_in_rows;
using torch::nn::Conv2dOptions;
BOOST_AUTO_TEST_SUITE(row_convolution)

BOOST_AUTO_TEST_CASE(result_and_both_backwards_agree_with_double_precision) {
  struct Problem {
    std::int64_t in, out, kernel, padding, height, width;
  };
  for (const auto& p :
       {Problem{16, 3, 7, 0, 20, 17}, Problem{18, 1, 5, 2, 5, 9}, Problem{16, 2, 9, 4, 9, 9}}) {
    limpid_test::check_convolution(
        limpid_test::convolution_arguments({2, p.in, p.height, p.width},
                                           {p.out, p.in, p.kernel, p.kernel}, p.out),
        [&](const auto& t) { return limpid::convolution_in_rows(t[0], t[1], t[2], p.padding); },
        [&](const auto& t) { return torch::conv2d(t[0], t[1], t[2], 1, p.padding); });
  }
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

BOOST_AUTO_TEST_CASE(under_autocast_rows_are_convolved_in_bfloat16) {
  const auto arguments = limpid_test::convolution_arguments({2, 16, 20, 17}, {3, 16, 7, 7}, 3);
  const auto doubles = limpid_test::in_double(arguments);
  const auto expected = torch::conv2d(doubles[0], doubles[1], doubles[2], 1, 3);
  const auto slopes = torch::autograd::grad({expected.sin().sum()}, doubles);
  const ConvolutionScope fast{Convolution::fast};
  const limpid::AutocastScope autocast{limpid::Precision::bfloat16, at::kCPU};
  BOOST_TEST(may_be_in_rows(arguments[0], arguments[1], arguments[2]));
  const auto result = limpid::convolution_in_rows(arguments[0], arguments[1], arguments[2], 3);
  BOOST_TEST((result.scalar_type() == at::kBFloat16));
  const auto off = [](const at::Tensor& found, const at::Tensor& right) {
    return ((found.to(at::kDouble) - right).abs().max() / right.abs().max()).item<double>();
  };
  BOOST_TEST(off(result, expected) < 2e-2);
  const auto found = torch::autograd::grad({result.sin().sum()}, arguments);
  for (std::size_t i = 0; i < 3; ++i) BOOST_TEST(off(found[i], slopes[i]) < 3e-2);
}

BOOST_AUTO_TEST_CASE(an_input_smaller_than_the_kernel_is_refused_as_by_libtorch) {
  const ConvolutionScope fast{Convolution::fast};
  limpid::Conv2d layer{Conv2dOptions(16, 3, 7)};
  BOOST_CHECK_THROW(layer->forward(torch::randn({1, 16, 5, 5})), c10::Error);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
