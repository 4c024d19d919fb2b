#pragma once

#include <torch/torch.h>
#include <boost/test/unit_test.hpp>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace limpid_test {

using Tensors = std::vector<at::Tensor>;

/// Copies of leaves in double precision, with gradients of their own.
inline Tensors in_double(const Tensors& tensors) {
  Tensors all;
  for (const auto& tensor : tensors) {
    all.push_back(tensor.detach().to(at::kDouble).requires_grad_());
  }
  return all;
}

/// Input, weight and bias from a fixed seed, with gradients.
inline Tensors convolution_arguments(at::IntArrayRef input, at::IntArrayRef weight,
                                     std::int64_t outputs) {
  torch::manual_seed(0);
  Tensors all{torch::randn(input), torch::randn(weight) / 10, torch::randn({outputs})};
  for (auto& tensor : all) tensor.requires_grad_();
  return all;
}

/// Each tensor differs from what is expected by at most 1e-4 of the largest value.
inline void check_agreement(const Tensors& found, const Tensors& expected) {
  BOOST_REQUIRE(found.size() == expected.size());
  for (std::size_t i = 0; i < found.size(); ++i) {
    BOOST_REQUIRE(found[i].sizes() == expected[i].sizes());
    const auto off = (found[i].to(at::kDouble) - expected[i]).abs().max() / expected[i].abs().max();
    BOOST_TEST(off.item<double>() < 1e-4, "number " << i);
  }
}

/// `fast(arguments)` and its gradients, once and twice, are those of `exact` in double precision.
template <class Fast, class Exact>
void check_convolution(const Tensors& arguments, const Fast& fast, const Exact& exact) {
  const auto once = [](const Tensors& tensors, const auto& compute) {
    const auto result = compute(tensors);
    auto found = torch::autograd::grad({result.sin().sum()}, tensors);
    found.push_back(result);
    return found;
  };
  const auto twice = [](const Tensors& tensors, const auto& compute) {
    const auto slopes = torch::autograd::grad({compute(tensors).pow(3).sum()},
                                              {tensors[0], tensors[1]}, {}, true, true);
    return torch::autograd::grad({slopes[0].square().sum() + slopes[1].square().sum()}, tensors);
  };
  const auto doubles = in_double(arguments);
  check_agreement(once(arguments, fast), once(doubles, exact));
  check_agreement(twice(arguments, fast), twice(doubles, exact));
}

}  // namespace limpid_test
