#include <limpid/layers/upsample_nearest.hpp>

#include <limpid/core/autocast.hpp>

#include <torch/torch.h>
#include <boost/test/unit_test.hpp>

#include <cstdint>

namespace {

using limpid::upsample_nearest;

at::Tensor repeated(const at::Tensor& map, std::int64_t factor) {
  return map.repeat_interleave(factor, 2).repeat_interleave(factor, 3);
}

BOOST_AUTO_TEST_SUITE(upsample_nearest_of_any_type)

BOOST_AUTO_TEST_CASE(every_pixel_is_repeated_and_keeps_its_type) {
  torch::manual_seed(1);
  for (const auto type : {at::kFloat, at::kDouble, at::kBFloat16, at::kHalf}) {
    for (const std::int64_t factor : {2, 3, 8}) {
      const auto map = torch::randn({2, 3, 5, 4}).to(type);
      const auto sharp = upsample_nearest(map, factor);
      BOOST_TEST((sharp.scalar_type() == type));
      BOOST_TEST(torch::equal(sharp, repeated(map, factor)));
      const auto strided = map.transpose(2, 3).narrow(2, 1, 2);
      BOOST_TEST(torch::equal(upsample_nearest(strided, factor), repeated(strided, factor)));
    }
  }
}

BOOST_AUTO_TEST_CASE(a_pixels_gradient_is_the_sum_over_its_copies) {
  torch::manual_seed(2);
  const auto weights = torch::randint(-4, 5, {1, 2, 6, 6}).to(torch::kFloat);
  const auto gradient = [&](at::ScalarType type) {
    auto map = torch::randn({1, 2, 3, 3}).to(type).requires_grad_();
    (upsample_nearest(map, 2) * weights.to(type)).sum().backward();
    return map.grad().to(torch::kFloat);
  };
  const auto expected = weights.view({1, 2, 3, 2, 3, 2}).sum({3, 5});
  for (const auto type : {at::kFloat, at::kDouble, at::kBFloat16}) {
    BOOST_TEST(torch::equal(gradient(type), expected));  // sums of small integers are exact
  }
}

BOOST_AUTO_TEST_CASE(autocast_leaves_it_in_bfloat16) {
  const limpid::AutocastScope scope{limpid::Precision::bfloat16, at::kCPU};
  const auto map = torch::ones({1, 2, 3, 3}, torch::kBFloat16);
  BOOST_TEST((upsample_nearest(map, 2).scalar_type() == torch::kBFloat16));
}

BOOST_AUTO_TEST_CASE(the_layer_does_the_same_and_has_no_weights) {
  limpid::UpsampleNearest layer{3};
  const auto map = torch::randn({1, 2, 3, 3});
  BOOST_TEST(torch::equal(layer->forward(map), upsample_nearest(map, 3)));
  BOOST_TEST(layer->parameters().empty());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
