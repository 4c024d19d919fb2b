#include <limpid/core/deep_copy.hpp>
#include <limpid/encoders/resnet.hpp>
#include <support/tiny.hpp>

#include <torch/torch.h>
#include <boost/test/unit_test.hpp>

#include <memory>

namespace {

using limpid_test::TinyEncoder, limpid_test::TinyEncoderImpl;

BOOST_AUTO_TEST_SUITE(deep_copies)

BOOST_AUTO_TEST_CASE(a_copy_has_the_same_values_in_weights_of_its_own) {
  TinyEncoder original;
  original->eval();
  auto copy = limpid::detail::deep_copy(original);
  const auto image = torch::rand({1, 3, 6, 6});
  const auto before = original->forward(image);
  BOOST_TEST(torch::equal(copy->forward(image), before));
  {
    torch::NoGradGuard no_grad;
    for (auto& parameter : copy->parameters()) parameter.add_(1);
  }
  BOOST_TEST(torch::equal(original->forward(image), before));
  BOOST_TEST(!torch::equal(copy->forward(image), before));
}

BOOST_AUTO_TEST_CASE(a_shared_pointer_is_copied_as_well) {
  const auto original = std::make_shared<TinyEncoderImpl>();
  const auto copy = limpid::detail::deep_copy(original);
  static_assert(std::is_same_v<decltype(copy), const std::shared_ptr<TinyEncoderImpl>>);
  BOOST_TEST(copy != original);
  BOOST_TEST(torch::equal(copy->conv->weight, original->conv->weight));
  BOOST_TEST(!copy->conv->weight.is_alias_of(original->conv->weight));
}

BOOST_AUTO_TEST_CASE(options_are_copied_with_the_weights) {
  const limpid::ResNetEncoder original{
      limpid::ResNetEncoderOptions{.width = 8, .blocks = 2, .dropout = 0.25}};
  const auto copy = limpid::detail::deep_copy(original);
  BOOST_TEST(copy->options().width == 8);
  BOOST_TEST(copy->options().blocks == 2);
  BOOST_TEST(copy->options().dropout == 0.25);
  BOOST_TEST(copy->parameters().size() == original->parameters().size());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
