#include <limpid/layers/reflection_pad2d.hpp>

#include <limpid/core/autocast.hpp>

#include <torch/torch.h>
#include <boost/test/unit_test.hpp>

#include <cstdint>

namespace {

using limpid::ReflectionPad2d;

at::Tensor libtorchs(const at::Tensor& input, std::int64_t border) {
  return at::reflection_pad2d(input, {border, border, border, border});
}

BOOST_AUTO_TEST_SUITE(reflection_pad2d)

BOOST_AUTO_TEST_CASE(agrees_with_libtorch_in_value_and_gradient) {
  for (const auto type : {at::kFloat, at::kDouble}) {
    for (const std::int64_t border : {0, 1, 3}) {
      const auto input = torch::rand({2, 3, 4, 9}, type).requires_grad_();
      const auto output = ReflectionPad2d { border } -> forward(input);
      const auto expected = libtorchs(input, border);
      BOOST_TEST(torch::equal(output, expected));
      const auto gradient = torch::rand_like(expected);
      BOOST_TEST(torch::allclose(torch::autograd::grad({output}, {input}, {gradient})[0],
                                 torch::autograd::grad({expected}, {input}, {gradient})[0]));
    }
  }
}

BOOST_AUTO_TEST_CASE(second_derivatives_agree_too) {
  const auto input = torch::rand({1, 2, 5, 6}, at::kDouble).requires_grad_();
  const auto second = [&](const at::Tensor& padded) {
    const auto slope = torch::autograd::grad({padded.pow(3).sum()}, {input}, {}, true, true)[0];
    return torch::autograd::grad({slope.square().sum()}, {input})[0];
  };
  BOOST_TEST(torch::allclose(second(ReflectionPad2d { 2 } -> forward(input)),
                             second(libtorchs(input, 2))));
}

BOOST_AUTO_TEST_CASE(keeps_neither_its_input_nor_another_map) {
  const auto input = torch::rand({1, 2, 5, 6}).requires_grad_();
  const auto map = input * 1;
  const auto uses = map.storage().use_count();
  const auto output = ReflectionPad2d { 1 } -> forward(map);
  BOOST_TEST(map.storage().use_count() == uses);
  BOOST_TEST(output.storage().use_count() == 1);
}

BOOST_AUTO_TEST_CASE(stays_in_bfloat16_under_autocast) {
  const auto input = torch::rand({1, 2, 5, 6}, at::kBFloat16).requires_grad_();
  const limpid::AutocastScope autocast{limpid::Precision::bfloat16, at::kCPU};
  const auto output = ReflectionPad2d { 1 } -> forward(input);
  BOOST_TEST((output.scalar_type() == at::kBFloat16));
  BOOST_TEST(torch::equal(output.to(at::kFloat), libtorchs(input.to(at::kFloat), 1)));
}

BOOST_AUTO_TEST_CASE(what_libtorch_refuses_is_refused_in_its_words) {
  BOOST_CHECK_THROW(
      ReflectionPad2d { 3 } -> forward(torch::rand({1, 1, 3, 9})), c10::Error);
  const auto last = torch::rand({1, 4, 5, 6}).contiguous(at::MemoryFormat::ChannelsLast);
  BOOST_TEST(torch::equal(
      ReflectionPad2d { 1 } -> forward(last), libtorchs(last, 1)));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
