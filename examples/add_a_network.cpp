// An encoder and a decoder of your own: modules that satisfy a concept, no base class of limpid's.
//
//   add_a_network                              (reads photos/)
#include <limpid/limpid.hpp>

#include <torch/torch.h>

#include <cstdio>

using namespace limpid;

/// Image (N, 3, H, W) -> features (N, 16, H, W).
struct SmallEncoderImpl : torch::nn::Cloneable<SmallEncoderImpl> {
  using Features = at::Tensor;
  SmallEncoderImpl() { reset(); }
  void reset() override {
    const auto options = torch::nn::Conv2dOptions(3, 16, 3).padding(1);
    conv = register_module("conv", torch::nn::Conv2d(options));
  }
  at::Tensor forward(const at::Tensor& image) { return torch::relu(conv->forward(image)); }
  torch::nn::Conv2d conv{nullptr};
};
TORCH_MODULE(SmallEncoder);
static_assert(Encoder<SmallEncoder>);

/// Features -> what is added to the degraded image. The template's argument names the task.
template <FixedString Task>
struct SmallDecoderImpl : torch::nn::Cloneable<SmallDecoderImpl<Task>> {
  static constexpr std::string_view task = Task;
  SmallDecoderImpl() { reset(); }
  void reset() override {
    const auto options = torch::nn::Conv2dOptions(16, 3, 3).padding(1);
    conv = this->register_module("conv", torch::nn::Conv2d(options));
  }
  at::Tensor forward(const at::Tensor& features) { return conv->forward(features); }
  torch::nn::Conv2d conv{nullptr};
};
template <FixedString Task>
using SmallDecoder = torch::nn::ModuleHolder<SmallDecoderImpl<Task>>;
static_assert(DecoderFor<SmallDecoder<"dehaze">, SmallEncoder>);

int main() try {
  MultiTaskTrainer<SmallEncoder, SmallDecoder<"deblur">, SmallDecoder<"dehaze">> trainer{
      TrainerOptions{.length = Steps{20}, .rate = 1e-3, .crop = 64}};
  trainer.branch<"deblur">(Branch{.pairs = DegradedPhotos{"photos", MotionBlur{}}});
  trainer.branch<"dehaze">(Branch{.pairs = DegradedPhotos{"photos", Haze{}}});
  trainer.fit();
} catch (const c10::Error& error) {
  std::fprintf(stderr, "%s\n", error.what_without_backtrace());
  return 1;
}
