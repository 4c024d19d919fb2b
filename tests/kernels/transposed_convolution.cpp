#include <limpid/kernels/transposed_convolution.hpp>
#include <limpid/layers/conv_transpose2d.hpp>
#include <support/networks.hpp>

#include <torch/torch.h>
#include <boost/test/unit_test.hpp>

#include <cstddef>
#include <cstdint>
#include <sstream>
#include <string>
#include <vector>

namespace {

using limpid::Convolution, limpid::ConvolutionScope, limpid::transposed_convolution;
using torch::nn::ConvTranspose2dOptions;
using Tensors = std::vector<at::Tensor>;

struct Problem {
  std::int64_t batch, in, out, height, width, kernel, stride, padding, output_padding;
};

Tensors arguments_of(const Problem& p) {
  torch::manual_seed(0);
  Tensors all{torch::randn({p.batch, p.in, p.height, p.width}),
              torch::randn({p.in, p.out, p.kernel, p.kernel}) / 10, torch::randn({p.out})};
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

double difference(const at::Tensor& found, const at::Tensor& expected) {
  BOOST_REQUIRE(found.sizes() == expected.sizes());
  return ((found.to(at::kDouble) - expected).abs().max() / expected.abs().max()).item<double>();
}

at::Tensor of(const Tensors& all, const Problem& p) {
  return transposed_convolution(all[0], all[1], all[2], p.stride, p.padding, p.output_padding);
}

const std::vector<Problem> kProblems{{1, 8, 4, 9, 7, 3, 2, 1, 1}, {2, 4, 8, 6, 11, 3, 2, 1, 0},
                                     {2, 5, 3, 8, 8, 4, 2, 1, 0}, {1, 6, 6, 7, 5, 2, 2, 0, 0},
                                     {1, 4, 4, 6, 6, 5, 3, 2, 1}, {1, 4, 4, 6, 6, 3, 1, 1, 0}};

struct Fast {
  ConvolutionScope scope{Convolution::fast};
};

BOOST_FIXTURE_TEST_SUITE(transposed, Fast)

BOOST_AUTO_TEST_CASE(agrees_with_double_precision_in_result_and_gradients) {
  for (const auto& problem : kProblems) {
    const auto all = arguments_of(problem);
    const auto everything = [&](const Tensors& tensors) {
      const auto result = of(tensors, problem);
      auto found = torch::autograd::grad({result.sin().sum()}, tensors);
      found.push_back(result);
      return found;
    };
    const auto found = everything(all), expected = everything(in_double(all));
    for (std::size_t i = 0; i < found.size(); ++i) {
      BOOST_TEST(difference(found[i], expected[i]) < 1e-4,
                 "kernel " << problem.kernel << ", number " << i);
    }
  }
}

BOOST_AUTO_TEST_CASE(a_second_backward_agrees) {
  const auto& problem = kProblems.front();
  const auto all = arguments_of(problem);
  const auto penalty = [&](const Tensors& tensors) {
    const auto slopes = torch::autograd::grad({of(tensors, problem).pow(3).sum()},
                                              {tensors[0], tensors[1]}, {}, true, true);
    return torch::autograd::grad({slopes[0].square().sum() + slopes[1].square().sum()}, tensors);
  };
  const auto found = penalty(all), expected = penalty(in_double(all));
  for (std::size_t i = 0; i < found.size(); ++i) {
    BOOST_TEST(difference(found[i], expected[i]) < 1e-4, "number " << i);
  }
}

BOOST_AUTO_TEST_CASE(the_layer_is_torchs_in_names_weights_and_text_and_exactly_so_where_asked) {
  for (const auto& options :
       {ConvTranspose2dOptions(8, 4, 3).stride(2).padding(1).output_padding(1),
        ConvTranspose2dOptions(8, 4, 4).stride(2).padding(1).bias(false),
        ConvTranspose2dOptions(8, 4, {3, 2}).stride({2, 1}),
        ConvTranspose2dOptions(8, 4, 3).stride(2).groups(2),
        ConvTranspose2dOptions(8, 4, 3).dilation(2)}) {
    torch::manual_seed(3);
    limpid::ConvTranspose2d ours{options};
    torch::manual_seed(3);
    torch::nn::ConvTranspose2d theirs{options};
    const auto our = ours->named_parameters(), their = theirs->named_parameters();
    BOOST_REQUIRE(our.size() == their.size());
    for (std::size_t i = 0; i < our.size(); ++i) {
      BOOST_TEST(our[i].key() == their[i].key());
      BOOST_TEST(torch::equal(our[i].value(), their[i].value()));
    }
    std::ostringstream our_text, their_text;
    our_text << ours;
    their_text << theirs;
    BOOST_TEST(our_text.str() == their_text.str());
    const auto input = torch::randn({2, 8, 6, 7});
    const auto expected = theirs->forward(input);
    BOOST_TEST(torch::allclose(ours->forward(input), expected, 1e-4, 1e-5));
    const ConvolutionScope exact{Convolution::exact};
    BOOST_TEST(torch::equal(ours->forward(input), expected));
  }
}

BOOST_AUTO_TEST_CASE(a_clone_owns_its_weights_and_bfloat16_works) {
  limpid::ConvTranspose2d layer{ConvTranspose2dOptions(8, 4, 3).stride(2).padding(1)};
  const auto input = torch::randn({1, 8, 6, 6});
  const auto output = [&](limpid::ConvTranspose2d& l) { return l->forward(input); };
  limpid_test::check_bfloat16(layer, output);
  limpid_test::check_clone_owns_weights(layer, output);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
