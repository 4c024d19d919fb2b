#include <limpid/interpolation/separable_convolution.hpp>
#include <limpid/interpolation/separable_kernels.hpp>
#include <support/fixtures.hpp>
#include <support/gradients.hpp>
#include <support/networks.hpp>

#include <torch/torch.h>
#include <boost/test/unit_test.hpp>

namespace {

using limpid::separable_convolution;
using limpid_test::Fixture, limpid_test::relative_difference, limpid_test::throws_value_error;

/// A frame and kernels of `taps` taps for (2, channels, 5, width).
struct Case {
  at::Tensor frame, vertical, horizontal;

  Case(std::int64_t taps, std::int64_t channels, std::int64_t width) {
    torch::manual_seed(4);
    const auto type = torch::kDouble;
    frame = torch::randn({2, channels, 5 + taps - 1, width + taps - 1}, type);
    vertical = torch::randn({2, taps, 5, width}, type);
    horizontal = torch::randn({2, taps, 5, width}, type);
  }
};

/// The definition, by a loop over all pairs of taps.
at::Tensor by_definition(const Case& given) {
  const auto taps = given.vertical.size(1);
  const auto height = given.vertical.size(2), width = given.vertical.size(3);
  auto out = torch::zeros({2, given.frame.size(1), height, width}, torch::kDouble);
  for (std::int64_t i = 0; i < taps; ++i) {
    for (std::int64_t j = 0; j < taps; ++j) {
      out += given.vertical.narrow(1, i, 1) * given.horizontal.narrow(1, j, 1) *
             given.frame.narrow(2, i, height).narrow(3, j, width);
    }
  }
  return out;
}

BOOST_AUTO_TEST_SUITE(separable_convolution_)

BOOST_AUTO_TEST_CASE(is_its_definition_for_any_width_and_channel_count) {
  for (const auto& [taps, channels, width] :
       {std::tuple{1, 3, 3}, {3, 1, 8}, {5, 3, 17}, {7, 4, 11}, {4, 2, 1}}) {
    BOOST_TEST_CONTEXT(taps << " taps, " << channels << " channels, width " << width) {
      const Case given{taps, channels, width};
      const auto expected = by_definition(given);
      BOOST_TEST(
          relative_difference(separable_convolution(given.frame, given.vertical, given.horizontal),
                              expected) < 1e-14);
      const auto single =
          separable_convolution(given.frame.to(torch::kFloat), given.vertical.to(torch::kFloat),
                                given.horizontal.to(torch::kFloat));
      BOOST_TEST((single.scalar_type() == torch::kFloat));
      BOOST_TEST(relative_difference(single, expected) < 1e-5);
    }
  }
}

BOOST_AUTO_TEST_CASE(a_single_centre_tap_gives_the_frame_itself) {
  const auto frame = torch::rand({1, 3, 12, 20});
  auto kernel = torch::zeros({1, 5, 8, 16});
  kernel.select(1, 2).fill_(1);
  BOOST_TEST(torch::equal(separable_convolution(frame, kernel, kernel),
                          frame.narrow(2, 2, 8).narrow(3, 2, 16)));
}

BOOST_AUTO_TEST_CASE(has_the_gradients_of_finite_differences) {
  const Case given{5, 3, 11};
  const auto probe = torch::randn({2, 3, 5, 11}, torch::kDouble);
  const auto scalar = [&](const at::Tensor& f, const at::Tensor& v, const at::Tensor& h) {
    return (separable_convolution(f, v, h) * probe).sum();
  };
  BOOST_TEST(limpid_test::gradient_error(
                 [&](const at::Tensor& x) { return scalar(x, given.vertical, given.horizontal); },
                 given.frame) < 1e-7);
  BOOST_TEST(limpid_test::gradient_error(
                 [&](const at::Tensor& x) { return scalar(given.frame, x, given.horizontal); },
                 given.vertical) < 1e-7);
  BOOST_TEST(limpid_test::gradient_error(
                 [&](const at::Tensor& x) { return scalar(given.frame, given.vertical, x); },
                 given.horizontal) < 1e-7);
}

BOOST_AUTO_TEST_CASE(tensor_operations_for_other_devices_agree_with_the_loops) {
  const Case given{5, 3, 11};
  const auto grad = torch::randn({2, 3, 5, 11}, torch::kDouble);
  BOOST_TEST(relative_difference(limpid::detail::separable_forward_by_tensors(
                                     given.frame, given.vertical, given.horizontal),
                                 by_definition(given)) < 1e-14);
  const auto expected = limpid::detail::separable_backward_by_loops<double>(
      given.frame, given.vertical, given.horizontal, grad, true, true);
  const auto found = limpid::detail::separable_backward_by_tensors(
      given.frame, given.vertical, given.horizontal, grad, true, true);
  BOOST_TEST(relative_difference(found.frame, expected.frame) < 1e-13);
  BOOST_TEST(relative_difference(found.vertical, expected.vertical) < 1e-13);
  BOOST_TEST(relative_difference(found.horizontal, expected.horizontal) < 1e-13);
}

BOOST_AUTO_TEST_CASE(gives_the_published_values_and_gradients) {
  if (!Fixture::available("sepconv")) return;
  const Fixture fixture{"sepconv"};
  const auto out = fixture.at("op.out");
  const auto taps = fixture.at("op.grad.vertical").size(1);
  const at::IntArrayRef kernel = fixture.at("op.grad.vertical").sizes();
  BOOST_TEST(taps == 51);
  const auto frame = fixture.input("frame", fixture.at("op.grad.frame").sizes()).requires_grad_();
  const auto vertical = fixture.input("vertical", kernel).requires_grad_();
  const auto horizontal = fixture.input("horizontal", kernel).requires_grad_();
  const auto found = separable_convolution(frame, vertical, horizontal);
  BOOST_TEST_MESSAGE("sepconv op: " << relative_difference(found, out));
  BOOST_TEST(relative_difference(found, out) < limpid_test::kForwardAgreement);
  (found * fixture.input("probe", out.sizes())).sum().backward();
  for (const auto& [name, tensor] :
       {std::pair{"frame", frame}, {"vertical", vertical}, {"horizontal", horizontal}}) {
    const auto difference =
        relative_difference(tensor.grad(), fixture.at(std::string{"op.grad."} + name));
    BOOST_TEST_MESSAGE("sepconv op.grad." << name << ": " << difference);
    BOOST_TEST(difference < limpid_test::kGradientAgreement);
  }
}

BOOST_AUTO_TEST_CASE(bfloat16_kernels_of_autocast_are_taken) {
  const Case given{3, 3, 8};
  const auto vertical = given.vertical.to(torch::kBFloat16).requires_grad_();
  const auto out = separable_convolution(given.frame.to(torch::kFloat), vertical,
                                         given.horizontal.to(torch::kBFloat16));
  BOOST_TEST((out.scalar_type() == torch::kFloat));
  BOOST_TEST(relative_difference(out, by_definition(given)) < 0.02);
  out.sum().backward();
  BOOST_TEST((vertical.grad().scalar_type() == torch::kBFloat16));
}

BOOST_AUTO_TEST_CASE(a_second_derivative_is_refused) {
  const Case given{3, 1, 8};
  const auto vertical = given.vertical.clone().requires_grad_();
  const auto out = separable_convolution(given.frame, vertical, given.horizontal);
  BOOST_CHECK_EXCEPTION(torch::autograd::grad({out.sum()}, {vertical}, {}, true, true), c10::Error,
                        [](const c10::Error& error) {
                          return std::string{error.what()}.find("no second derivatives") !=
                                 std::string::npos;
                        });
}

BOOST_AUTO_TEST_CASE(names_the_shape_it_wanted) {
  BOOST_TEST(throws_value_error(
      [] {
        separable_convolution(torch::zeros({1, 3, 10, 10}), torch::zeros({1, 5, 8, 8}),
                              torch::zeros({1, 5, 8, 8}));
      },
      "separable_convolution: expected frame (1, C, 12, 12), got [1, 3, 10, 10]"));
  BOOST_TEST(throws_value_error(
      [] {
        separable_convolution(torch::zeros({1, 3, 12, 12}), torch::zeros({1, 5, 8, 8}),
                              torch::zeros({1, 4, 8, 8}));
      },
      "separable_convolution: expected vertical and horizontal (N, taps, H, W), got [1, 5, 8, 8] "
      "and [1, 4, 8, 8]"));
  BOOST_TEST(throws_value_error(
      [] {
        const auto kernel = torch::zeros({1, 5, 8, 8});
        separable_convolution(torch::zeros({1, 3, 12, 12}, torch::kByte), kernel, kernel);
      },
      "separable_convolution: expected floats, got Byte"));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
