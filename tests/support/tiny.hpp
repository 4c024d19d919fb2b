#pragma once

#include <limpid/core/concepts.hpp>
#include <limpid/core/fixed_string.hpp>
#include <limpid/datasets/pairs.hpp>
#include <support/temporary_folder.hpp>

#include <torch/torch.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

// The smallest networks and data that train: steps in milliseconds.
namespace limpid_test {

struct TinyEncoderImpl : torch::nn::Cloneable<TinyEncoderImpl> {
  using Features = at::Tensor;
  TinyEncoderImpl() { reset(); }
  void reset() override {
    conv = register_module("conv", torch::nn::Conv2d(torch::nn::Conv2dOptions(3, 6, 3).padding(1)));
    drop = register_module("drop", torch::nn::Dropout(0.1));
  }
  at::Tensor forward(const at::Tensor& image) {
    return drop->forward(torch::relu(conv->forward(image)));
  }
  torch::nn::Conv2d conv{nullptr};
  torch::nn::Dropout drop{nullptr};
};
TORCH_MODULE(TinyEncoder);

template <limpid::FixedString Task>
struct TinyDecoderImpl : torch::nn::Cloneable<TinyDecoderImpl<Task>> {
  static constexpr std::string_view task = Task;
  TinyDecoderImpl() { reset(); }
  void reset() override {
    conv = this->register_module("conv",
                                 torch::nn::Conv2d(torch::nn::Conv2dOptions(6, 3, 3).padding(1)));
  }
  at::Tensor forward(const at::Tensor& features) { return torch::tanh(conv->forward(features)); }
  torch::nn::Conv2d conv{nullptr};
};
template <limpid::FixedString Task>
using TinyDecoder = torch::nn::ModuleHolder<TinyDecoderImpl<Task>>;

struct TinyCriticImpl : torch::nn::Cloneable<TinyCriticImpl> {
  TinyCriticImpl() { reset(); }
  void reset() override {
    conv = register_module("conv", torch::nn::Conv2d(torch::nn::Conv2dOptions(3, 4, 4).stride(2)));
    head = register_module("head", torch::nn::Conv2d(torch::nn::Conv2dOptions(4, 1, 3)));
  }
  at::Tensor forward(const at::Tensor& image) {
    return head->forward(torch::leaky_relu(conv->forward(image), 0.2));
  }
  torch::nn::Conv2d conv{nullptr}, head{nullptr};
};
TORCH_MODULE(TinyCritic);

/// An autoencoder: what score losses must refuse.
struct TinyAutoencoderImpl : torch::nn::Cloneable<TinyAutoencoderImpl> {
  static constexpr bool reconstructs = true;
  TinyAutoencoderImpl() { reset(); }
  void reset() override {
    conv = register_module("conv", torch::nn::Conv2d(torch::nn::Conv2dOptions(3, 3, 3).padding(1)));
  }
  at::Tensor forward(const at::Tensor& image) { return conv->forward(image); }
  torch::nn::Conv2d conv{nullptr};
};
TORCH_MODULE(TinyAutoencoder);

/// Pictures of smooth colour, and the same made darker: a task that a few steps make better.
struct DarkPictures {
  std::int64_t count = 4;
  std::int64_t height = 40;
  std::int64_t width = 48;
  double factor = 0.6;

  std::int64_t size() const { return count; }
  std::string name(std::int64_t i) const { return "dark" + std::to_string(i); }
  limpid::ImagePair load(std::int64_t i, std::int64_t) const {
    const auto y = torch::arange(height).reshape({height, 1, 1});
    const auto x = torch::arange(width).reshape({1, width, 1});
    const auto c = torch::arange(3).reshape({1, 1, 3});
    const auto target = (y * (3 + i) + x * 4 + c * 40 + 20 * i).remainder(200) + 50;
    return {limpid::Image{(target * factor).to(torch::kByte).contiguous()},
            limpid::Image{target.to(torch::kByte).contiguous()}};
  }
};

}  // namespace limpid_test
