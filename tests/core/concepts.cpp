#include <limpid/core/adversarial_batch.hpp>
#include <limpid/core/concepts.hpp>
#include <support/tiny.hpp>

#include <torch/torch.h>
#include <boost/test/unit_test.hpp>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace {

using namespace limpid;
using namespace limpid_test;

// Handles.
static_assert(ModuleHandle<torch::nn::Conv2d>);
static_assert(ModuleHandle<std::shared_ptr<torch::nn::Conv2dImpl>>);
static_assert(!ModuleHandle<torch::nn::Conv2dImpl>);
static_assert(!ModuleHandle<std::unique_ptr<torch::nn::Conv2dImpl>>);
static_assert(!ModuleHandle<std::shared_ptr<int>>);
static_assert(!ModuleHandle<int>);
static_assert(std::same_as<ModuleOf<TinyEncoder>, TinyEncoderImpl>);
static_assert(std::same_as<ModuleOf<const TinyEncoder>, TinyEncoderImpl>);

static_assert(ImageModule<torch::nn::Conv2d>);
static_assert(!ImageModule<torch::nn::LSTM>);
static_assert(ChannelNorm<torch::nn::InstanceNorm2d>);
static_assert(ChannelNorm<torch::nn::BatchNorm2d>);
static_assert(!ChannelNorm<torch::nn::Linear>);

// Encoders and decoders.
struct TwoMaps {
  at::Tensor fine, coarse;
};

struct TwoMapEncoderImpl : torch::nn::Cloneable<TwoMapEncoderImpl> {
  using Features = TwoMaps;
  void reset() override {}
  TwoMaps forward(const at::Tensor& image) { return {image, image}; }
};
TORCH_MODULE(TwoMapEncoder);

struct TwoMapDecoderImpl : torch::nn::Cloneable<TwoMapDecoderImpl> {
  static constexpr std::string_view task = "sharpen";
  void reset() override {}
  at::Tensor forward(const TwoMaps& features) { return features.fine; }
};
TORCH_MODULE(TwoMapDecoder);

struct UnnamedFeaturesImpl : torch::nn::Cloneable<UnnamedFeaturesImpl> {
  void reset() override {}
  at::Tensor forward(const at::Tensor& image) { return image; }
};
TORCH_MODULE(UnnamedFeatures);

struct OtherFeaturesImpl : torch::nn::Cloneable<OtherFeaturesImpl> {
  using Features = TwoMaps;
  void reset() override {}
  at::Tensor forward(const at::Tensor& image) { return image; }
};
TORCH_MODULE(OtherFeatures);

struct VoidDecoderImpl : torch::nn::Cloneable<VoidDecoderImpl> {
  static constexpr std::string_view task = "nothing";
  void reset() override {}
  void forward(const at::Tensor&) {}
};
TORCH_MODULE(VoidDecoder);

static_assert(Encoder<TinyEncoder>);
static_assert(Encoder<std::shared_ptr<TinyEncoderImpl>>);
static_assert(Encoder<TwoMapEncoder>);
static_assert(!Encoder<UnnamedFeatures>);
static_assert(!Encoder<OtherFeatures>);
static_assert(!Encoder<TinyDecoder<"deblur">>);
static_assert(std::same_as<FeaturesOf<TwoMapEncoder>, TwoMaps>);

static_assert(Decoder<TinyDecoder<"deblur">>);
static_assert(!Decoder<torch::nn::Conv2d>);
static_assert(DecoderFor<TinyDecoder<"deblur">, TinyEncoder>);
static_assert(DecoderFor<TwoMapDecoder, TwoMapEncoder>);
static_assert(!DecoderFor<TwoMapDecoder, TinyEncoder>);
static_assert(!DecoderFor<TinyDecoder<"deblur">, TwoMapEncoder>);
static_assert(!DecoderFor<VoidDecoder, TinyEncoder>);
static_assert(!DecoderFor<TinyDecoder<"deblur">, UnnamedFeatures>);

// Critics.
static_assert(Critic<TinyCritic> && !AutoencoderCritic<TinyCritic>);
static_assert(!Critic<TinyAutoencoder> && AutoencoderCritic<TinyAutoencoder>);
static_assert(!Critic<VoidDecoder>);

// Losses.
struct GoodAdversarial {
  at::Tensor critic_loss(TinyCritic&, const AdversarialBatch&) const { return {}; }
  at::Tensor generator_loss(TinyCritic&, const AdversarialBatch&) const { return {}; }
};
struct HalfAdversarial {
  at::Tensor critic_loss(TinyCritic&, const AdversarialBatch&) const { return {}; }
};
static_assert(AdversarialLossFor<GoodAdversarial, TinyCritic>);
static_assert(!AdversarialLossFor<GoodAdversarial, TinyAutoencoder>);
static_assert(!AdversarialLossFor<HalfAdversarial, TinyCritic>);
static_assert(!AdversarialLossFor<GoodAdversarial, int>);

constexpr auto squared = [](const at::Tensor& a, const at::Tensor& b) -> at::Tensor {
  return (a - b).square().mean();
};
constexpr auto number = [](const at::Tensor&, const at::Tensor&) { return 0.0; };
constexpr auto unary = [](const at::Tensor& a) { return a; };
static_assert(ContentLoss<decltype(squared)>);
static_assert(!ContentLoss<decltype(number)>);
static_assert(!ContentLoss<decltype(unary)>);
static_assert(!ContentLoss<int>);

// Metrics and degradations.
struct GoodMetric {
  std::string name = "good", protocol = "as it says";
  bool higher_is_better = true;
  double operator()(const at::Tensor&, const at::Tensor&) const { return 0; }
};
struct SilentMetric {
  std::string name = "silent";
  bool higher_is_better = true;
  double operator()(const at::Tensor&, const at::Tensor&) const { return 0; }
};
static_assert(Metric<GoodMetric>);
static_assert(!Metric<SilentMetric>);
static_assert(!Metric<decltype(number)>);

constexpr auto noise = [](const at::Tensor& image, Random&) -> at::Tensor { return image; };
constexpr auto unseeded = [](const at::Tensor& image) -> at::Tensor { return image; };
static_assert(Degradation<decltype(noise)>);
static_assert(!Degradation<decltype(unseeded)>);

BOOST_AUTO_TEST_SUITE(concepts)

BOOST_AUTO_TEST_CASE(are_checked_at_compile_time) {
  BOOST_TEST(ModuleOf<TwoMapDecoder>::task == "sharpen");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
