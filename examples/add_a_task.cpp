// How to extend limpid: a fourth task, its decoder, its loss and its data, none of which limpid
// has.
//
//   add_a_task [FOLDER_OF_PHOTOGRAPHS]
//
// "enlighten" brightens dark, noisy pictures. It trains for seconds together with "dehaze", which
// limpid has, on one encoder; without a folder, on generated pictures. Prints the PSNR of a picture
// it has not seen, dark and enlightened; exits with 1 if that did not gain 1 dB.
#include <cstdio>
#include <string>
#include <thread>
#include <vector>

#include <torch/torch.h>

#include <limpid/limpid.hpp>

using namespace limpid;

// 1. The decoder: a module that names its task and reads the encoder's features. What it returns is
// added to the degraded image. As a template it serves any task.
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

// 2. The loss: anything that can be called with (restored, target). This one also compares the mean
// colours, since light is what is missing.
struct LightLoss {
  at::Tensor operator()(const at::Tensor& restored, const at::Tensor& target) const {
    const auto gap = restored - target;
    return gap.abs().mean() + gap.mean({2, 3}).abs().mean();
  }
};
static_assert(ContentLoss<LightLoss>);

// 3. The data: what a short exposure does to a photograph ...
struct Dusk {
  at::Tensor operator()(const at::Tensor& image, Random& random) const {
    torch::manual_seed(random.bits());
    return (image * random.uniform(0.2, 0.4) + 0.02 * torch::randn_like(image)).clamp(0, 1);
  }
};
static_assert(Degradation<Dusk>);

// ... and pairs made with it. (For photographs in files, limpid has `DegradedPhotos`.)
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
static_assert(PairSource<Degraded<Dusk>>);

std::vector<Image> pictures(const char* folder) {
  std::vector<Image> pictures;
  if (folder != nullptr) {
    for (const auto& file : list_images(folder)) pictures.push_back(Image::load(file));
  } else {
    torch::manual_seed(0);
    for (int i = 0; i < 6; ++i) {  // clouds of colour
      const auto clouds = torch::upsample_bicubic2d(torch::rand({1, 3, 6, 8}), {192, 256}, false);
      pictures.push_back(Image::from_unit(clouds));
    }
  }
  return pictures;
}

int main(int argc, char** argv) try {
  at::set_num_threads(static_cast<int>(std::thread::hardware_concurrency()));
  auto photos = pictures(argc > 1 ? argv[1] : nullptr);
  TORCH_CHECK(photos.size() > 1, "expected at least two pictures, one of them to test with");
  const Degraded<Dusk> test{{photos.back()}, {}};
  photos.pop_back();

  auto options = recipes::Quickstart::options();
  options.length = Steps{50};
  options.crop = 64;
  MultiTaskTrainer<PixelUNetEncoder, PixelUNetDecoder<"dehaze">, LightDecoder<"enlighten">> trainer{
      options};
  trainer.branch<"dehaze">(recipes::Quickstart::branch(Degraded<Haze>{photos, {}}, 1));
  trainer.branch<"enlighten">(
      Branch{.pairs = Degraded<Dusk>{photos, {}}, .batch_size = 2, .content = LightLoss{}});
  trainer.fit();

  Restorer restorer{trainer.model()};
  const auto [dark, photo] = test.load(0, 0);
  const auto light = restorer.restore<"enlighten">(dark);
  const auto before = PSNR<>{}(dark.unit(), photo.unit());
  const auto after = PSNR<>{}(light.unit(), photo.unit());
  std::printf("enlighten: %.2f dB dark, %.2f dB enlightened\n", before, after);
  return after > before + 1 ? 0 : 1;
} catch (const c10::Error& error) {
  std::fprintf(stderr, "add_a_task: %s\n", error.what_without_backtrace());
  return 1;
}
