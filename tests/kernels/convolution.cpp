#include <limpid/core/autocast.hpp>
#include <limpid/kernels/convolution.hpp>

#include <torch/torch.h>
#include <boost/test/unit_test.hpp>

#include <array>
#include <cstdint>
#include <functional>
#include <string>
#include <thread>
#include <vector>

namespace {

using limpid::AutocastScope, limpid::Precision;
using limpid::Convolution, limpid::ConvolutionScope, limpid::convolution3x3;
using Tensors = std::vector<at::Tensor>;

/// The largest difference, in units of the largest expected value.
double difference(const at::Tensor& found, const at::Tensor& expected) {
  BOOST_REQUIRE(found.sizes() == expected.sizes());
  const auto wide = expected.to(at::kDouble);
  return ((found.to(at::kDouble) - wide).abs().max() / wide.abs().max()).item<double>();
}

struct Problem {
  std::int64_t batch, in, out, height, width, padding;
  bool bias;

  std::string text() const {
    std::string words;
    for (const auto number : {batch, in, out, height, width, padding}) {
      words += std::to_string(number) + " ";
    }
    return words + (bias ? "bias" : "no bias");
  }

  /// input, weight and, if there is one, bias; with gradients.
  Tensors arguments() const {
    Tensors all{torch::randn({batch, in, height, width}),
                torch::randn({out, in, 3, 3}) / std::sqrt(9.0 * static_cast<double>(in))};
    if (bias) all.push_back(torch::randn({out}));
    for (auto& tensor : all) tensor.requires_grad_();
    return all;
  }
};

at::Tensor of(const Tensors& arguments, std::int64_t padding) {
  const auto bias = arguments.size() > 2 ? arguments[2] : at::Tensor{};
  return convolution3x3(arguments[0], arguments[1], bias, padding);
}

Tensors in_double(const Tensors& tensors) {
  Tensors all;
  for (const auto& tensor : tensors) {
    all.push_back(tensor.detach().to(at::kDouble).requires_grad_(tensor.requires_grad()));
  }
  return all;
}

/// Result and all gradients, for a gradient of the result that is not the same everywhere.
Tensors everything(const Tensors& arguments, std::int64_t padding) {
  const auto result = of(arguments, padding);
  const auto gradient =
      torch::linspace(0, 40, result.numel(), torch::kDouble).cos().view(result.sizes()).to(result);
  auto all = torch::autograd::grad({result}, arguments, {gradient});
  all.push_back(result);
  return all;
}

void check_agreement(const Tensors& arguments, std::int64_t padding, const std::string& what) {
  const auto found = everything(arguments, padding);
  const auto expected = everything(in_double(arguments), padding);
  for (std::size_t i = 0; i < found.size(); ++i) {
    const auto off = difference(found[i], expected[i]);
    BOOST_TEST(off < 1e-4, what << ", number " << i << " is off by " << off);
    BOOST_TEST((found[i].scalar_type() == at::kFloat));
  }
}

struct FastAndSeeded {
  FastAndSeeded() { torch::manual_seed(0); }
  ConvolutionScope scope{Convolution::fast};
};

BOOST_FIXTURE_TEST_SUITE(convolution, FastAndSeeded)

BOOST_AUTO_TEST_CASE(agrees_with_double_precision_for_all_shapes) {
  for (const auto& problem : {
           Problem{1, 16, 16, 24, 24, 1, true},   // multiples of tiles and blocks
           Problem{2, 16, 32, 23, 37, 1, true},   // odd sides
           Problem{3, 32, 16, 26, 22, 0, true},   // no padding
           Problem{1, 20, 36, 33, 29, 1, true},   // channels that are no multiples of 16
           Problem{2, 31, 47, 21, 30, 0, false},  // all of that, without bias
           Problem{1, 48, 24, 66, 66, 0, true},   // 17 x 17 tiles of the input's gradient
           Problem{1, 64, 64, 41, 19, 1, false}, Problem{1, 256, 128, 27, 25, 0, true},
           Problem{1, 3, 8, 12, 12, 1, true},   // LibTorch's
           Problem{1, 16, 16, 5, 5, 1, false},  // likewise
       }) {
    check_agreement(problem.arguments(), problem.padding, problem.text());
  }
}

BOOST_AUTO_TEST_CASE(agrees_for_inputs_in_any_layout) {
  for (const std::int64_t channels : {32, 20}) {
    auto arguments = Problem{2, channels, 32, 25, 30, 1, true}.arguments();
    const auto plain = arguments[0].detach();
    const auto with = [&](const at::Tensor& input, const char* what) {
      arguments[0] = input.detach().requires_grad_();
      check_agreement(arguments, 1, what);
    };
    with(plain.contiguous(at::MemoryFormat::ChannelsLast), "channels last");
    with(plain.transpose(2, 3), "transposed");
    with(plain.narrow(2, 1, 22), "a part");
    with(plain.narrow(0, 0, 1).expand({3, channels, 25, 30}), "repeated");
    arguments[1] = arguments[1].detach().transpose(2, 3).requires_grad_();
    with(plain, "a transposed weight");
  }
}

BOOST_AUTO_TEST_CASE(the_result_keeps_channels_last) {
  const auto input = torch::randn({1, 32, 24, 24}).contiguous(at::MemoryFormat::ChannelsLast);
  const auto weight = torch::randn({32, 32, 3, 3});
  BOOST_TEST(convolution3x3(input, weight, {}, 1).is_contiguous(at::MemoryFormat::ChannelsLast));
}

BOOST_AUTO_TEST_CASE(exact_is_libtorchs_to_the_bit_and_fast_is_not_asked_for_in_vain) {
  const auto arguments = Problem{1, 32, 32, 32, 32, 1, true}.arguments();
  const auto expected = at::conv2d(arguments[0], arguments[1], arguments[2], 1, 1);
  {
    const ConvolutionScope exact{Convolution::exact};
    BOOST_TEST(torch::equal(of(arguments, 1), expected));
  }
  // Where the machine can, another algorithm computed it.
  BOOST_TEST(torch::equal(of(arguments, 1), expected) != limpid::detail::machine_has_winograd());
}

BOOST_AUTO_TEST_CASE(twice_the_same_is_the_same_to_the_bit) {
  const auto arguments = Problem{2, 32, 48, 31, 33, 1, true}.arguments();
  const auto first = everything(arguments, 1), second = everything(arguments, 1);
  for (std::size_t i = 0; i < first.size(); ++i) BOOST_TEST(torch::equal(first[i], second[i]));
}

BOOST_AUTO_TEST_CASE(gradients_that_nobody_needs_are_not_computed) {
  auto arguments = Problem{1, 32, 32, 24, 24, 1, true}.arguments();
  const auto expected = everything(in_double(arguments), 1);
  for (std::size_t only = 0; only < 3; ++only) {
    for (std::size_t i = 0; i < 3; ++i) arguments[i] = arguments[i].detach();
    arguments[only].requires_grad_();
    const auto result = of(arguments, 1);
    const auto gradient = torch::linspace(0, 40, result.numel()).cos().view(result.sizes());
    result.backward(gradient);
    for (std::size_t i = 0; i < 3; ++i) BOOST_TEST(arguments[i].grad().defined() == (i == only));
    BOOST_TEST(difference(arguments[only].grad(), expected[only]) < 1e-4);
    arguments[only].mutable_grad() = at::Tensor{};
  }
}

BOOST_AUTO_TEST_CASE(of_a_frozen_weight_the_input_is_not_kept) {
  if (!limpid::detail::machine_has_winograd()) return;
  auto arguments = Problem{1, 32, 32, 24, 24, 1, true}.arguments();
  arguments[1] = arguments[1].detach();
  arguments[2] = arguments[2].detach();
  const auto input = (arguments[0] * 2).contiguous();
  const auto uses = input.storage().use_count();
  const auto result = convolution3x3(input, arguments[1], arguments[2], 1);
  BOOST_TEST(input.storage().use_count() == uses);
}

BOOST_AUTO_TEST_CASE(a_second_backward_agrees_with_libtorchs) {
  for (const auto& problem :
       {Problem{2, 32, 16, 24, 26, 1, true}, Problem{1, 16, 20, 26, 26, 0, false}}) {
    // A gradient penalty: its own gradient goes through the backward.
    const auto penalty = [&](const Tensors& arguments) {
      const auto result = of(arguments, problem.padding);
      const auto slope =
          torch::autograd::grad({result.square().sum()}, {arguments[0]}, {}, true, true)[0];
      return torch::autograd::grad({(slope.norm() - 1).square()}, arguments);
    };
    const auto arguments = problem.arguments();
    const auto found = penalty(arguments), expected = penalty(in_double(arguments));
    for (std::size_t i = 0; i < found.size(); ++i) {
      BOOST_TEST(difference(found[i], expected[i]) < 1e-4, problem.text() << ", number " << i);
    }
  }
}

BOOST_AUTO_TEST_CASE(a_second_backward_of_the_weights_gradient_agrees_too) {
  const auto second = [&](const Tensors& arguments) {
    const auto slope =
        torch::autograd::grad({of(arguments, 1).pow(3).sum()}, {arguments[1]}, {}, true, true)[0];
    return torch::autograd::grad({slope.square().sum()}, arguments);
  };
  const auto arguments = Problem{1, 16, 16, 24, 24, 1, true}.arguments();
  const auto found = second(arguments), expected = second(in_double(arguments));
  for (std::size_t i = 0; i < found.size(); ++i) {
    BOOST_TEST(difference(found[i], expected[i]) < 1e-4, "number " << i);
  }
}

BOOST_AUTO_TEST_CASE(a_frozen_weight_or_input_allows_a_second_backward) {
  for (const std::size_t frozen : {0U, 1U}) {
    auto arguments = Problem{1, 16, 16, 24, 24, 1, false}.arguments();
    arguments[frozen] = arguments[frozen].detach();
    const auto second = [&](const Tensors& all) {
      const auto& free = all[1 - frozen];
      const auto slope =
          torch::autograd::grad({of(all, 1).pow(3).sum()}, {free}, {}, true, true)[0];
      return torch::autograd::grad({slope.square().sum()}, {free})[0];
    };
    BOOST_TEST(difference(second(arguments), second(in_double(arguments))) < 1e-4);
  }
}

BOOST_AUTO_TEST_CASE(a_graph_is_used_once_unless_it_is_kept) {
  const auto arguments = Problem{1, 32, 32, 24, 24, 1, true}.arguments();
  const auto loss = of(arguments, 1).sum();
  loss.backward({}, true);
  loss.backward();
  BOOST_CHECK_THROW(loss.backward(), c10::Error);
}

BOOST_AUTO_TEST_CASE(a_weight_that_changed_after_the_forward_is_an_error) {
  const auto arguments = Problem{1, 32, 32, 24, 24, 1, true}.arguments();
  const auto loss = of(arguments, 1).sum();
  {
    torch::NoGradGuard no_grad;
    arguments[1].add_(1);
  }
  BOOST_CHECK_THROW(loss.backward(), c10::Error);
}

BOOST_AUTO_TEST_CASE(doubles_and_empty_batches_are_libtorchs) {
  const auto arguments = Problem{1, 32, 32, 24, 24, 1, true}.arguments();
  BOOST_TEST((of(in_double(arguments), 1).scalar_type() == at::kDouble));
  const auto none = convolution3x3(arguments[0].narrow(0, 0, 0), arguments[1], {}, 1);
  BOOST_TEST((none.sizes() == torch::IntArrayRef({0, 32, 24, 24})));
  const auto one = convolution3x3(arguments[0].detach()[0], arguments[1], {}, 1);
  BOOST_TEST((one.sizes() == torch::IntArrayRef({32, 24, 24})));
}

BOOST_AUTO_TEST_CASE(large_pictures_are_computed_one_at_a_time_to_the_same_bits) {
  const auto both = Problem{2, 64, 64, 256, 256, 1, true}.arguments();
  const auto all = everything(both, 1);
  const auto gradient = torch::linspace(0, 40, all.back().numel(), torch::kDouble)
                            .cos()
                            .view(all.back().sizes())
                            .to(all.back());
  for (std::int64_t i = 0; i < 2; ++i) {
    auto one = both;
    one[0] = both[0].detach().narrow(0, i, 1).requires_grad_();
    const auto result = of(one, 1);
    const auto found = torch::autograd::grad({result}, {one[0]}, {gradient.narrow(0, i, 1)});
    BOOST_TEST(torch::equal(result, all.back().narrow(0, i, 1)));
    BOOST_TEST(torch::equal(found[0], all.front().narrow(0, i, 1)));
  }
}

/// Arguments of which the input has the values, and if asked the type, that autocast gives it.
Tensors for_autocast(at::ScalarType type) {
  auto arguments = Problem{2, 32, 48, 31, 33, 1, true}.arguments();
  arguments[0] = arguments[0].detach().to(at::kBFloat16).to(type).requires_grad_();
  return arguments;
}

BOOST_AUTO_TEST_CASE(under_autocast_what_goes_in_and_out_is_bfloat16) {
  for (const auto type : {at::kFloat, at::kBFloat16}) {
    const auto arguments = for_autocast(type);
    const auto expected = everything(in_double(arguments), 1);
    const AutocastScope autocast{Precision::bfloat16, at::kCPU};
    const auto found = everything(arguments, 1);
    for (std::size_t i = 0; i < found.size(); ++i) {
      const auto off = difference(found[i], expected[i]);
      BOOST_TEST(off < 2e-2, "number " << i << " is off by " << off);
    }
    BOOST_TEST((found.back().scalar_type() == at::kBFloat16));
    BOOST_TEST((found[0].scalar_type() == type));
    BOOST_TEST((found[1].scalar_type() == at::kFloat));
    BOOST_TEST((found[2].scalar_type() == at::kFloat));
    // Numbers are rounded where they go out; LibTorch's weights are, too.
    const auto by_libtorch =
        at::conv2d(arguments[0], arguments[1], arguments[2], 1, 1).detach().to(at::kFloat);
    const auto error = [&](const at::Tensor& result) { return difference(result, expected[3]); };
    BOOST_TEST(error(found[3].detach()) <= error(by_libtorch) * 1.01);
  }
}

BOOST_AUTO_TEST_CASE(under_autocast_a_second_backward_works) {
  const auto arguments = for_autocast(at::kFloat);
  at::Tensor result;
  {
    const AutocastScope autocast{Precision::bfloat16, at::kCPU};
    result = of(arguments, 1);
  }
  const auto first = torch::autograd::grad({result.to(at::kFloat).square().sum()},
                                           {arguments[0], arguments[1]}, {}, true, true);
  const auto second =
      torch::autograd::grad({first[0].square().sum() + first[1].square().sum()}, arguments);
  for (const auto& gradient : second) {
    BOOST_TEST((gradient.scalar_type() == at::kFloat));
    BOOST_TEST(gradient.isfinite().all().item<bool>());
    BOOST_TEST(gradient.abs().max().item<double>() > 0);
  }
}

BOOST_AUTO_TEST_CASE(wrong_arguments_are_refused_as_libtorch_refuses_them) {
  const auto text = [](auto body) -> std::string {
    try {
      body();
    } catch (const c10::Error& error) {
      return error.what_without_backtrace();
    }
    return "no error";
  };
  const auto input = torch::randn({1, 32, 24, 24});
  for (const auto& weight :
       {torch::randn({32, 16, 3, 3}), torch::randn({32, 32, 3, 3}, at::kDouble)}) {
    const auto expected = text([&] { at::conv2d(input, weight, {}, 1, 1); });
    BOOST_TEST(expected != "no error");
    BOOST_TEST(text([&] { convolution3x3(input, weight, {}, 1); }) == expected);
  }
}

BOOST_AUTO_TEST_CASE(threads_may_compute_one_shape_at_once) {
  const auto arguments = Problem{1, 32, 32, 32, 32, 1, true}.arguments();
  const auto expected = everything(arguments, 1);
  std::vector<Tensors> found(4);
  std::vector<std::thread> threads;
  for (auto& tensors : found) {
    threads.emplace_back([&] {
      const ConvolutionScope fast{Convolution::fast};
      for (int i = 0; i < 5; ++i) tensors = everything(arguments, 1);
    });
  }
  for (auto& thread : threads) thread.join();
  for (const auto& tensors : found) {
    for (std::size_t i = 0; i < expected.size(); ++i) {
      BOOST_TEST(difference(tensors[i], expected[i]) < 1e-5);  // teams may differ in size
    }
  }
}

BOOST_AUTO_TEST_CASE(any_number_of_threads_gives_the_same_to_rounding) {
  const auto before = at::get_num_threads();
  const auto arguments = Problem{1, 64, 64, 50, 50, 1, true}.arguments();
  at::set_num_threads(1);
  const auto expected = everything(arguments, 1);
  at::set_num_threads(3);
  const auto found = everything(arguments, 1);
  at::set_num_threads(before);
  for (std::size_t i = 0; i < expected.size(); ++i) {
    BOOST_TEST(difference(found[i], expected[i]) < 1e-5);
  }
}

#if LIMPID_WITH_ONEDNN
BOOST_AUTO_TEST_CASE(many_shapes_leave_a_bounded_number_of_primitives) {
  if (!limpid::detail::machine_has_winograd()) return;
  const auto weight = torch::randn({16, 16, 3, 3});
  for (std::int64_t side = 24; side < 24 + 300; ++side) {
    convolution3x3(torch::randn({1, 16, 24, side}), weight, {}, 1);
  }
  BOOST_TEST(limpid::detail::winograd_cache().size() == 256U);
}
#endif

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
