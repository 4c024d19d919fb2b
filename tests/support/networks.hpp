#pragma once

#include <limpid/core/adversarial_batch.hpp>
#include <limpid/core/autocast.hpp>
#include <limpid/core/backbone_shape.hpp>
#include <limpid/core/concepts.hpp>
#include <limpid/core/deep_copy.hpp>
#include <limpid/core/padding.hpp>
#include <limpid/model/restore_image.hpp>

#include <torch/torch.h>
#include <boost/test/unit_test.hpp>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

// What every encoder, decoder and critic must do: one function per concept.
namespace limpid_test {

/// True where `f` throws a c10::ValueError with exactly this text, and says so where it does not.
template <class F>
bool throws_value_error(F f, const std::string& text) {
  try {
    f();
  } catch (const c10::ValueError& error) {
    BOOST_TEST(std::string(error.what_without_backtrace()) == text);
    return std::string(error.what_without_backtrace()) == text;
  }
  BOOST_ERROR("no error, expected: " + text);
  return false;
}

/// Moves every parameter off the values it starts with: scales that start at zero hide gradients.
inline void disturb(torch::nn::Module& module, double by = 0.05) {
  torch::NoGradGuard no_grad;
  for (auto& parameter : module.parameters()) parameter.add_(torch::randn_like(parameter), by);
}

/// The tensors of what an encoder returns: itself, or those of its member `tensors()`.
template <class Features>
std::vector<at::Tensor> tensors_of(const Features& features) {
  if constexpr (std::is_same_v<Features, at::Tensor>) {
    return {features};
  } else {
    return features.tensors();
  }
}

/// A number that depends on every value, unequally.
inline at::Tensor mixed_sum(const std::vector<at::Tensor>& tensors) {
  at::Tensor sum = torch::zeros({});
  for (const auto& tensor : tensors) {
    const auto weights = torch::linspace(-1, 1, tensor.numel()).cos().view_as(tensor);
    sum = sum + (tensor.to(torch::kFloat) * weights).mean() +
          tensor.to(torch::kFloat).square().mean();
  }
  return sum;
}

using limpid::detail::padding_of;

/// The whole way of one image, as a model goes it: pad, encode, decode, add, crop.
template <limpid::Encoder E, limpid::DecoderFor<E> D>
at::Tensor restore(E encoder, D decoder, const at::Tensor& degraded) {
  return limpid::detail::restore_image(encoder, decoder, degraded);
}

/// After `loss().backward()` every parameter of `module` has a finite gradient, and every weight
/// (more than one dimension) one that is not zero; a bias before a norm has none to get.
template <class Loss>
void check_gradients_reach(torch::nn::Module& module, Loss loss) {
  module.zero_grad();
  loss().backward();
  for (const auto& item : module.named_parameters()) {
    const auto gradient = item.value().grad();
    BOOST_TEST_CONTEXT(item.key()) {
      BOOST_REQUIRE(gradient.defined());
      BOOST_TEST(gradient.isfinite().all().template item<bool>());
      if (gradient.dim() > 1) BOOST_TEST(gradient.abs().max().template item<float>() > 0);
    }
  }
  module.zero_grad();
}

/// A clone gives equal outputs, and goes on doing so when the original's weights change.
/// `output` maps a handle to one tensor.
template <limpid::ModuleHandle H, class Output>
void check_clone_owns_weights(H handle, Output output) {
  auto copy = limpid::detail::deep_copy(handle);
  const auto before = output(handle).detach().clone();
  BOOST_TEST(torch::equal(output(copy), before));
  disturb(*handle, 0.1);
  BOOST_TEST(!torch::equal(output(handle), before));
  BOOST_TEST(torch::equal(output(copy), before));
  BOOST_TEST(copy->parameters().size() == handle->parameters().size());
}

/// Named tensors of one module, put into another built from the same options, carry its outputs.
template <limpid::ModuleHandle H, class Output>
void check_state_round_trip(H handle, Output output) {
  std::map<std::string, at::Tensor> state;
  for (const auto& item : handle->named_parameters())
    state[item.key()] = item.value().detach().clone();
  for (const auto& item : handle->named_buffers())
    state[item.key()] = item.value().detach().clone();
  H other{handle->options()};
  disturb(*other, 0.1);
  BOOST_TEST(!torch::equal(output(other), output(handle)));
  {
    torch::NoGradGuard no_grad;
    for (auto& item : other->named_parameters()) item.value().copy_(state.at(item.key()));
    for (auto& item : other->named_buffers()) item.value().copy_(state.at(item.key()));
  }
  BOOST_TEST(torch::equal(output(other), output(handle)));
}

/// bfloat16 arithmetic gives a result near that of float, and finite float gradients.
template <limpid::ModuleHandle H, class Output>
void check_bfloat16(H handle, Output output) {
  const auto exact = output(handle).detach();
  at::Tensor rounded;
  handle->zero_grad();
  {
    const limpid::AutocastScope bfloat16{limpid::Precision::bfloat16, at::kCPU};
    rounded = output(handle);
    mixed_sum({rounded}).backward();
  }
  const auto error = (rounded.detach().to(torch::kFloat) - exact).norm() / exact.norm();
  BOOST_TEST(error.template item<float>() < 0.1);
  for (const auto& parameter : handle->parameters()) {
    BOOST_TEST((parameter.scalar_type() == torch::kFloat));
    BOOST_REQUIRE(parameter.grad().defined());
    BOOST_TEST(parameter.grad().isfinite().all().template item<bool>());
  }
  handle->zero_grad();
}

/// Options survive the way through JSON.
template <limpid::ModuleHandle H>
void check_options(const H& handle) {
  using Options = std::remove_cvref_t<decltype(handle->options())>;
  const nlohmann::json json = handle->options();
  BOOST_TEST((nlohmann::json(json.get<Options>()) == json));
  BOOST_TEST(!std::string(limpid::ModuleOf<H>::architecture).empty());
}

/// What holds of every module: `output` maps a handle to one tensor.
template <limpid::ModuleHandle H, class Output>
void check_module(H handle, Output output) {
  check_options(handle);
  check_gradients_reach(*handle, [&] { return mixed_sum({output(handle)}); });
  check_state_round_trip(handle, output);
  check_bfloat16(handle, output);
  check_clone_owns_weights(handle, output);
}

/// Image -> features. `name` is how its errors call it.
template <limpid::Encoder E>
void check_encoder(E encoder, const std::string& name) {
  torch::manual_seed(1);
  encoder->eval();
  disturb(*encoder);
  const auto padding = padding_of(encoder);
  for (const auto& [height, width] : {std::pair{16, 16}, {17, 23}, {40, 24}, {1, 5}}) {
    const auto image = torch::rand({2, 3, height, width}) * 2 - 1;
    for (const auto& map : tensors_of(encoder->forward(limpid::pad_image(image, padding)))) {
      BOOST_TEST(map.dim() == 4);
      BOOST_TEST(map.size(0) == 2);
      BOOST_TEST(map.isfinite().all().template item<bool>());
    }
  }
  const auto image = limpid::pad_image(torch::rand({2, 3, 16, 24}) * 2 - 1, padding);
  const auto output = [&](E& e) {
    e->eval();
    std::vector<at::Tensor> flat;
    for (const auto& map : tensors_of(e->forward(image))) flat.push_back(map.reshape(-1));
    return torch::cat(flat);
  };
  check_module(encoder, output);
  BOOST_TEST(throws_value_error(
      [&] {
        encoder->forward(torch::zeros({3, 16, 16}));
      },
      name + ": expected image (N, 3, H, W), got [3, 16, 16]"));
  if (padding.multiple > 1) {
    const auto m = padding.multiple;
    const auto side = padding.padded(16) + 1;
    const auto text = std::to_string(side);
    BOOST_TEST(throws_value_error(
        [&] {
          encoder->forward(torch::zeros({1, 3, side, side}));
        },
        name + ": expected sides that are multiples of " + std::to_string(m) + ", got [1, 3, " +
            text + ", " + text + "] (pad_image pads)"));
  }
}

/// Image -> five maps. `name` is how its errors call it.
template <limpid::Backbone B>
void check_backbone(B backbone, const std::string& name) {
  torch::manual_seed(4);
  backbone->eval();
  disturb(*backbone);
  const auto shape = backbone->shape();
  const auto least = shape.padding.padded(1);
  for (const auto& [height, width] : {std::pair{least, least}, {least, least + 32}}) {
    const auto maps = backbone->forward(torch::rand({2, 3, height, width}) * 2 - 1);
    for (std::size_t i = 0; i < maps.size(); ++i) {
      const auto [left, right, top, bottom] = shape.reflected[i];
      const auto stride = std::int64_t{2} << i;
      BOOST_TEST(maps[i].size(0) == 2);
      BOOST_TEST(maps[i].size(1) == shape.channels[i]);
      BOOST_TEST(maps[i].size(2) + top + bottom == height / stride);
      BOOST_TEST(maps[i].size(3) + left + right == width / stride);
      BOOST_TEST(std::max(left, right) < maps[i].size(3));
      BOOST_TEST(std::max(top, bottom) < maps[i].size(2));
      BOOST_TEST(maps[i].isfinite().all().template item<bool>());
    }
  }
  const auto image = torch::rand({2, 3, least, least}) * 2 - 1;
  check_module(backbone, [&](B& b) {
    b->eval();
    std::vector<at::Tensor> flat;
    for (const auto& map : b->forward(image)) flat.push_back(map.reshape(-1));
    return torch::cat(flat);
  });
  const auto side = std::to_string(least - 32);
  BOOST_TEST(throws_value_error(
      [&] {
        backbone->forward(torch::zeros({1, 3, least - 32, least - 32}));
      },
      name + ": expected sides of at least " + std::to_string(least) + " pixels, got [1, 3, " +
          side + ", " + side + "]"));
}

/// Features -> image.
template <limpid::Encoder E, limpid::DecoderFor<E> D>
void check_decoder(E encoder, D decoder) {
  torch::manual_seed(2);
  encoder->eval();
  decoder->eval();
  disturb(*encoder);
  disturb(*decoder);
  for (const auto& [height, width] : {std::pair{16, 16}, {17, 23}, {40, 24}, {1, 5}}) {
    const auto degraded = torch::rand({2, 3, height, width}) * 2 - 1;
    const auto restored = restore(encoder, decoder, degraded);
    BOOST_TEST(restored.sizes() == degraded.sizes());
    BOOST_TEST(restored.isfinite().all().template item<bool>());
  }
  const auto image = limpid::pad_image(torch::rand({2, 3, 16, 24}) * 2 - 1, padding_of(encoder));
  const auto output = [&](D& d) {
    d->eval();
    return d->forward(encoder->forward(image));
  };
  check_gradients_reach(*encoder, [&] { return mixed_sum({output(decoder)}); });
  check_module(decoder, output);
}

/// The gradient of the output with respect to the image has gradients itself, as penalties need.
/// `judge(critic, image)` gives one tensor.
template <limpid::ModuleHandle C, class Judge>
void check_double_backward(C critic, const at::Tensor& at, Judge judge) {
  const auto image = at.detach().clone().requires_grad_();
  const auto gradient = torch::autograd::grad({judge(critic, image).sum()}, {image}, {},
                                              /*retain_graph=*/true, /*create_graph=*/true)[0];
  critic->zero_grad();
  gradient.square().sum().backward();
  for (const auto& item : critic->named_parameters()) {
    if (item.value().dim() < 2) continue;
    BOOST_TEST_CONTEXT(item.key()) {
      BOOST_REQUIRE(item.value().grad().defined());
      BOOST_TEST(item.value().grad().abs().max().template item<float>() > 0);
    }
  }
  critic->zero_grad();
}

/// What holds of every critic; `judge(critic, image)` gives one tensor.
template <limpid::ModuleHandle C, class Judge>
void check_judge(C critic, std::int64_t channels, Judge judge) {
  torch::manual_seed(3);
  disturb(*critic);
  for (const auto& [height, width] : {std::pair{16, 16}, {17, 23}, {64, 48}}) {
    const auto output = judge(critic, torch::rand({2, channels, height, width}) * 2 - 1);
    BOOST_TEST(output.size(0) == 2);
    BOOST_TEST(output.isfinite().all().template item<bool>());
  }
  const auto image = torch::rand({2, channels, 32, 40}) * 2 - 1;
  check_module(critic, [&](C& c) { return judge(c, image); });
  check_double_backward(critic, image, judge);
}

/// Image -> scores. Judges in evaluation mode: a critic may change with every training pass.
template <limpid::Critic C>
void check_critic(C critic, std::int64_t channels = 3) {
  check_judge(critic, channels, [](C& c, const at::Tensor& image) {
    c->eval();
    return c->forward(image);
  });
}

/// Image beside the degraded one -> scores.
template <limpid::ConditionalCritic C>
void check_conditional_critic(C critic) {
  check_judge(critic, 3, [](C& c, const at::Tensor& image) {
    return c->forward(image, image.detach().flip({3}) * 0.7);
  });
}

/// Image -> its reconstruction, for images of any size.
template <limpid::AutoencoderCritic C>
void check_autoencoder_critic(C critic) {
  for (const auto& [height, width] : {std::pair{1, 1}, {16, 16}, {17, 23}, {6, 5}}) {
    const auto image = torch::rand({2, 3, height, width});
    BOOST_TEST(critic->forward(image).sizes() == image.sizes());
  }
  check_judge(critic, 3, [](C& c, const at::Tensor& image) { return c->forward(image); });
}

/// Every part judges by itself, and the parts hold all of the weights.
template <limpid::CompositeCritic C>
void check_composite_critic(C critic) {
  const auto judge = [](C& c, const at::Tensor& image) {
    const auto degraded = image.detach().flip({3}) * 0.7;
    const auto scores = [&](auto& part) {
      if constexpr (limpid::ConditionalCritic<std::remove_cvref_t<decltype(part)>>) {
        return part->forward(image, degraded).flatten(1);
      } else {
        return part->forward(image).flatten(1);
      }
    };
    auto parts = c->parts();
    return std::apply([&](auto&... part) { return torch::cat({scores(part)...}, 1); }, parts);
  };
  auto parts = critic->parts();
  const auto weights =
      std::apply([](auto&... part) { return (part->parameters().size() + ...); }, parts);
  BOOST_TEST(weights == critic->parameters().size());
  check_judge(critic, 3, judge);
}

}  // namespace limpid_test
