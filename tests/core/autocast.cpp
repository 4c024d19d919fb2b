#include <limpid/core/autocast.hpp>

#include <torch/torch.h>
#include <boost/test/unit_test.hpp>

namespace {

using limpid::AutocastScope, limpid::Precision;

/// The type that a convolution computes in here and now.
at::ScalarType type_of_convolution() {
  torch::NoGradGuard no_grad;
  return torch::conv2d(torch::ones({1, 1, 4, 4}), torch::ones({1, 1, 3, 3})).scalar_type();
}

BOOST_AUTO_TEST_SUITE(autocast_scope)

BOOST_AUTO_TEST_CASE(a_scope_sets_the_type_and_gives_it_back) {
  BOOST_TEST((type_of_convolution() == torch::kFloat));
  {
    const AutocastScope scope{Precision::bfloat16, torch::kCPU};
    BOOST_TEST((type_of_convolution() == torch::kBFloat16));
  }
  BOOST_TEST((type_of_convolution() == torch::kFloat));
  {
    const AutocastScope scope{Precision::float32, torch::kCPU};
    BOOST_TEST((type_of_convolution() == torch::kFloat));
  }
  BOOST_TEST((type_of_convolution() == torch::kFloat));
}

BOOST_AUTO_TEST_CASE(scopes_nest) {
  const AutocastScope outer{Precision::bfloat16, torch::kCPU};
  {
    const AutocastScope inner{Precision::bfloat16, torch::kCPU};
    BOOST_TEST((type_of_convolution() == torch::kBFloat16));
  }
  BOOST_TEST((type_of_convolution() == torch::kBFloat16));
  {
    const AutocastScope inner{Precision::float32, torch::kCPU};
    BOOST_TEST((type_of_convolution() == torch::kFloat));
  }
  BOOST_TEST((type_of_convolution() == torch::kBFloat16));
}

BOOST_AUTO_TEST_CASE(an_exception_ends_a_scope) {
  try {
    const AutocastScope scope{Precision::bfloat16, torch::kCPU};
    TORCH_CHECK(false, "on the way");
  } catch (const c10::Error&) {
  }
  BOOST_TEST((type_of_convolution() == torch::kFloat));
}

BOOST_AUTO_TEST_CASE(weights_cast_without_a_graph_do_not_serve_the_next_scope) {
  torch::nn::Conv2d conv{torch::nn::Conv2dOptions(1, 1, 3)};
  const auto image = torch::ones({1, 1, 4, 4});
  {
    const AutocastScope scope{Precision::bfloat16, torch::kCPU};
    torch::NoGradGuard no_grad;
    conv->forward(image);
  }
  const AutocastScope scope{Precision::bfloat16, torch::kCPU};
  conv->forward(image).sum().backward();
  BOOST_TEST(conv->weight.grad().defined());
  BOOST_TEST((conv->weight.grad().scalar_type() == torch::kFloat));
}

BOOST_AUTO_TEST_CASE(changed_weights_are_cast_anew_by_the_next_scope) {
  const auto weight = torch::ones({1, 1, 3, 3}).requires_grad_();
  const auto sum = [&] {
    const AutocastScope scope{Precision::bfloat16, torch::kCPU};
    return torch::conv2d(torch::ones({1, 1, 3, 3}), weight).item<float>();
  };
  BOOST_TEST(sum() == 9);
  {
    torch::NoGradGuard no_grad;
    weight.mul_(2);
  }
  BOOST_TEST(sum() == 18);
}

BOOST_AUTO_TEST_CASE(automatic_is_resolved_by_the_device) {
  BOOST_TEST((resolve(Precision::float32, torch::kCUDA) == Precision::float32));
  BOOST_TEST((resolve(Precision::bfloat16, torch::kCPU) == Precision::bfloat16));
  BOOST_TEST(((resolve(Precision::automatic, torch::kCUDA) == Precision::bfloat16) ==
              limpid::cuda_has_bfloat16()));
  const auto on_cpu = resolve(Precision::automatic, torch::kCPU);
  BOOST_TEST((on_cpu == Precision::bfloat16) == limpid::cpu_has_bfloat16());
  BOOST_TEST((on_cpu == Precision::float32) != limpid::cpu_has_bfloat16());
}

BOOST_AUTO_TEST_CASE(precisions_have_names) {
  BOOST_TEST(name_of(Precision::float32) == "float32");
  BOOST_TEST(name_of(Precision::bfloat16) == "bfloat16");
  BOOST_TEST(name_of(Precision::automatic) == "automatic");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
