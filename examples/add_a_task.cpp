// How to extend limpid: a task that it does not have, with a decoder, a loss and data of its own.
//
//   add_a_task [FOLDER_OF_PHOTOGRAPHS]      (without one, generated pictures)
//
// "enlighten" brightens dark, noisy pictures. It trains for seconds beside limpid's own "dehaze".
// Prints the PSNR of a picture that was not trained on, dark and enlightened; a gain exits with 0.
#include <limpid/limpid.hpp>

#include <ATen/CPUGeneratorImpl.h>
#include <torch/torch.h>

#include <cstdio>
#include <thread>
#include <vector>

using namespace limpid;

// 1. The decoder: a module that names its task and reads features; its output adds to the image.
template <FixedString Task>
struct LightDecoderImpl : torch::nn::Cloneable<LightDecoderImpl<Task>> {
  static constexpr std::string_view task = Task;
  LightDecoderImpl() { reset(); }
  void reset() override {
    const auto options = torch::nn::Conv2dOptions(32, 12, 3).padding(1);
    conv = this->register_module("conv", torch::nn::Conv2d(options));
  }
  at::Tensor forward(const PixelUNetFeatures& features) {
    return torch::pixel_shuffle(conv->forward(features.fine), 2);  // (N, 12, H/2, W/2) -> image
  }
  torch::nn::Conv2d conv{nullptr};
};
template <FixedString Task>
using LightDecoder = torch::nn::ModuleHolder<LightDecoderImpl<Task>>;
static_assert(DecoderFor<LightDecoder<"enlighten">, PixelUNetEncoder>);

// 2. The loss: anything that can be called with (restored, target), here Charbonnier's.
struct LightLoss {
  at::Tensor operator()(const at::Tensor& restored, const at::Tensor& target) const {
    return ((restored - target).square() + 1e-6).sqrt().mean();
  }
};
static_assert(ContentLoss<LightLoss>);

// 3. The data: what a short exposure does to a photograph, and pairs made with it. It draws from
// `random` alone, so that runs repeat. (For photographs in files limpid has `DegradedPhotos`.)
struct Dusk {
  at::Tensor operator()(const at::Tensor& image, Random& random) const {
    const auto generator = at::make_generator<at::CPUGeneratorImpl>(random.bits());
    const auto noise = torch::randn(image.sizes(), generator);
    return (random.uniform(0.2, 0.4) * image + 0.02 * noise).clamp(0, 1);
  }
};

template <Degradation D>
struct Degraded {
  std::vector<Image> photos;
  D degrade;
  std::int64_t size() const { return static_cast<std::int64_t>(photos.size()); }
  std::string name(std::int64_t i) const { return "photo " + std::to_string(i); }
  ImagePair load(std::int64_t i, std::int64_t) const {
    const auto& photo = photos[static_cast<std::size_t>(i)];
    auto random = Random::stream(1, {static_cast<std::uint64_t>(i)});
    return {Image::from_unit(degrade(photo.unit()[0], random)), photo};
  }
};
static_assert(Degradation<Dusk> && PairSource<Degraded<Dusk>>);

int main(int argc, char** argv) try {
  at::set_num_threads(static_cast<int>(std::thread::hardware_concurrency()));
  std::vector<Image> photos;
  while (argc == 1 && photos.size() < 6) {  // clouds of colour
    photos.push_back(Image::from_unit(torch::rand({3, 6, 8})).resized(192, 256));
  }
  for (int i = 1; i < argc; ++i) {
    for (const auto& file : list_images(argv[i])) photos.push_back(Image::load(file));
  }
  const auto [dark, photo] = Degraded<Dusk>{{photos.back()}, {}}.load(0, 0);  // to test with
  photos.pop_back();

  auto recipe = recipes::quickstart();
  recipe.batch = 1;
  recipe.options.length = Steps{50};
  recipe.options.crop = 64;
  MultiTaskTrainer<PixelUNetEncoder, PixelUNetDecoder<"dehaze">, LightDecoder<"enlighten">> trainer{
      recipe.options};
  trainer.branch<"dehaze">(recipe.branch("dehaze", Degraded<Haze>{photos, {}}));
  trainer.branch<"enlighten">(
      Branch{.pairs = Degraded<Dusk>{photos, {}}, .batch_size = 2, .content = LightLoss{}});
  trainer.fit();

  const auto light = Restorer{trainer.model()}.restore<"enlighten">(dark);
  const PSNR<> psnr{};
  const auto before = psnr(dark.unit(), photo.unit()), after = psnr(light.unit(), photo.unit());
  std::printf("enlighten: %.2f dB dark, %.2f dB enlightened\n", before, after);
  return after > before + 1 ? 0 : 1;
} catch (const c10::Error& error) {
  std::fprintf(stderr, "add_a_task: %s\n", error.what_without_backtrace());
  return 1;
}
