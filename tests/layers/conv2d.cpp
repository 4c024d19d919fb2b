#include <limpid/layers/conv2d.hpp>
#include <support/networks.hpp>

#include <torch/torch.h>
#include <boost/test/unit_test.hpp>

#include <sstream>
#include <string>
#include <vector>

namespace {

using torch::nn::Conv2dOptions;

/// The same layer of both kinds, drawn from the same random numbers.
struct Both {
  explicit Both(const Conv2dOptions& options)
      : ours((torch::manual_seed(3), limpid::Conv2d(options))),
        theirs((torch::manual_seed(3), torch::nn::Conv2d(options))) {}

  limpid::Conv2d ours;
  torch::nn::Conv2d theirs;
};

std::vector<Conv2dOptions> kinds() {
  return {Conv2dOptions(16, 32, 3).padding(1),
          Conv2dOptions(16, 16, 3),
          Conv2dOptions(16, 16, 3).padding(torch::kSame),
          Conv2dOptions(16, 16, 3).padding(torch::kValid).bias(false),
          Conv2dOptions(16, 16, 3).padding({1, 0}),
          Conv2dOptions(16, 16, 3).padding(2),
          Conv2dOptions(16, 16, 3).stride(2).padding(1),
          Conv2dOptions(16, 16, 3).dilation(2).padding(1),
          Conv2dOptions(16, 32, 3).groups(4).padding(1),
          Conv2dOptions(16, 8, 1),
          Conv2dOptions(16, 8, {1, 7}).padding({0, 3})};
}

struct FastConvolutions {
  limpid::ConvolutionScope scope{limpid::Convolution::fast};
};

BOOST_FIXTURE_TEST_SUITE(conv2d, FastConvolutions)

BOOST_AUTO_TEST_CASE(is_torchs_in_names_weights_and_text) {
  for (const auto& options : kinds()) {
    Both both{options};
    const auto ours = both.ours->named_parameters(), theirs = both.theirs->named_parameters();
    BOOST_REQUIRE(ours.size() == theirs.size());
    for (std::size_t i = 0; i < ours.size(); ++i) {
      BOOST_TEST(ours[i].key() == theirs[i].key());
      BOOST_TEST(torch::equal(ours[i].value(), theirs[i].value()));
    }
    std::ostringstream our_text, their_text;
    our_text << both.ours;
    their_text << both.theirs;
    BOOST_TEST(our_text.str() == their_text.str());
  }
}

BOOST_AUTO_TEST_CASE(computes_what_torchs_does_and_exactly_so_where_asked) {
  for (const auto& options : kinds()) {
    Both both{options};
    const auto input = torch::randn({2, 16, 27, 30});
    const auto expected = both.theirs->forward(input);
    BOOST_TEST(torch::allclose(both.ours->forward(input), expected, 1e-4, 1e-4));
    const limpid::ConvolutionScope exact{limpid::Convolution::exact};
    BOOST_TEST(torch::equal(both.ours->forward(input), expected));
  }
}

BOOST_AUTO_TEST_CASE(takes_one_picture_without_a_batch) {
  Both both{Conv2dOptions(16, 16, 3).padding(1)};
  const auto input = torch::randn({16, 24, 24});
  BOOST_TEST(torch::equal(both.ours->forward(input), both.theirs->forward(input)));
}

BOOST_AUTO_TEST_CASE(a_clone_owns_its_weights_and_every_weight_gets_a_gradient) {
  limpid::Conv2d layer{Conv2dOptions(16, 16, 3).padding(1)};
  const auto input = torch::randn({1, 16, 24, 24});
  const auto output = [&](limpid::Conv2d& l) { return l->forward(input); };
  limpid_test::check_gradients_reach(*layer,
                                     [&] { return limpid_test::mixed_sum({output(layer)}); });
  limpid_test::check_bfloat16(layer, output);
  limpid_test::check_clone_owns_weights(layer, output);
}

BOOST_AUTO_TEST_CASE(other_paddings_than_zeros_are_refused) {
  BOOST_TEST(limpid_test::throws_value_error(
      [] { limpid::Conv2d{Conv2dOptions(16, 16, 3).padding(1).padding_mode(torch::kReflect)}; },
      "Conv2d: expected padding_mode zeros; a ReflectionPad2d before it does that"));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
