#include <limpid/kernels/transposed_convolution.hpp>

#include <limpid/core/autocast.hpp>
#include <limpid/layers/conv_transpose2d.hpp>
#include <support/convolutions.hpp>
#include <support/networks.hpp>

#include <torch/torch.h>
#include <boost/test/unit_test.hpp>

#include <cstddef>
#include <cstdint>
#include <sstream>

namespace {

using limpid::Convolution, limpid::ConvolutionScope, limpid::transposed_convolution;
using torch::nn::ConvTranspose2dOptions;
struct Fast {
  ConvolutionScope scope{Convolution::fast};
};

BOOST_FIXTURE_TEST_SUITE(transposed, Fast)

BOOST_AUTO_TEST_CASE(result_and_both_backwards_agree_with_double_precision) {
  struct Problem {
    std::int64_t batch, in, out, height, width, kernel, stride, padding, output_padding;
  };
  for (const auto& p : {Problem{1, 8, 4, 9, 7, 3, 2, 1, 1}, Problem{2, 4, 8, 6, 11, 3, 2, 1, 0},
                        Problem{2, 5, 3, 8, 8, 4, 2, 1, 0}, Problem{1, 6, 6, 7, 5, 2, 2, 0, 0},
                        Problem{1, 4, 4, 6, 6, 5, 3, 2, 1}, Problem{1, 4, 4, 6, 6, 3, 1, 1, 0}}) {
    limpid_test::check_convolution(
        limpid_test::convolution_arguments({p.batch, p.in, p.height, p.width},
                                           {p.in, p.out, p.kernel, p.kernel}, p.out),
        [&](const auto& t) {
          return transposed_convolution(t[0], t[1], t[2], p.stride, p.padding, p.output_padding);
        },
        [&](const auto& t) {
          return torch::conv_transpose2d(t[0], t[1], t[2], p.stride, p.padding, p.output_padding);
        });
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

BOOST_AUTO_TEST_CASE(under_autocast_it_computes_in_bfloat16_where_the_cpu_does) {
  for (const auto type : {at::kFloat, at::kBFloat16}) {
    auto arguments = limpid_test::convolution_arguments({2, 16, 9, 7}, {16, 24, 3, 3}, 24);
    arguments[0] = arguments[0].detach().to(at::kBFloat16).to(type).requires_grad_();
    const auto everything = [](const auto& t, const auto& result) {
      auto all = torch::autograd::grad({result.sin().sum()}, t);
      all.push_back(result);
      return all;
    };
    const auto doubles = limpid_test::in_double(arguments);
    const auto expected =
        everything(doubles, torch::conv_transpose2d(doubles[0], doubles[1], doubles[2], 2, 1, 1));
    const limpid::AutocastScope autocast{limpid::Precision::bfloat16, at::kCPU};
    const auto found = everything(
        arguments, transposed_convolution(arguments[0], arguments[1], arguments[2], 2, 1, 1));
    for (std::size_t i = 0; i < found.size(); ++i) {
      const auto off =
          (found[i].to(at::kDouble) - expected[i]).abs().max() / expected[i].abs().max();
      BOOST_TEST(off.item<double>() < 2e-2, "number " << i);
    }
    BOOST_TEST((found[3].scalar_type() == at::kBFloat16) == limpid::cpu_has_bfloat16());
    BOOST_TEST((found[0].scalar_type() == type));
    BOOST_TEST((found[1].scalar_type() == at::kFloat));
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
