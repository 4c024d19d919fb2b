#include <limpid/everything.hpp>

#include <torch/torch.h>

#include <boost/test/unit_test.hpp>

#include <cstdint>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

// Code of docs/core.md, io.md, datasets.md, degradations.md and interpolation.md.
namespace docs_data {

using namespace limpid;

at::Tensor sixteen() { return torch::linspace(0, 1, 3 * 16 * 16).reshape({3, 16, 16}); }

BOOST_AUTO_TEST_SUITE(docs)

BOOST_AUTO_TEST_CASE(random_numbers_intervals_and_padding_of_core_md) {
  const std::uint64_t seed = 1, epoch = 2, position = 3;
  const auto image = torch::zeros({1, 3, 30, 41});
  auto random = Random::stream(seed, {epoch, position});
  const double strength = random.uniform(0.2, 0.6);
  BOOST_TEST(strength >= 0.2);
  BOOST_TEST(strength < 0.6);
  const MotionBlur blur{.size = {7, 17}, .exposure = 1};  // one number: nothing else is drawn
  const double size = blur.size.draw(random);             // uniform in [7, 17)
  BOOST_TEST(size >= 7);
  BOOST_TEST(size < 17);
  // (1, 3, 30, 41) becomes (1, 3, 32, 48), and is cut back
  const auto padded = pad_image(image, {.multiple = 8, .min_side = 32});
  const auto back = crop_image(padded, 30, 41);
  BOOST_TEST(padded.size(3) == 48);
  BOOST_TEST(back.size(3) == 41);
}

inline constexpr NamedTable kShapes{"a shape", Named{"round", "a circle", 1},
                                    Named{"four-square", "a square", 4}};

BOOST_AUTO_TEST_CASE(a_table_of_names_of_core_md) {
  int corners = 0;
  kShapes.with("four-square", [&](int shape) { corners = shape; });
  BOOST_TEST(corners == 4);
}

void pictures() {
  const auto photo = Image::load("photo.jpg");
  at::Tensor x = photo.unit();                         // (1, 3, H, W), values in [0, 1]
  Image::from_unit(x.flip({3})).save("mirrored.png");  // clamps, rounds to the nearest byte
}

void parts() {
  const auto file = LazyImage::open("photo.jpg");  // its header; the size a person sees
  const Image part = file.part({.top = 40, .left = 60, .height = 256, .width = 256});
}

void parts_again_and_again() {
  const auto cuts = std::make_shared<CutPictures>(256 << 20);  // bytes
  const Image part = LazyImage::open("photo.jpg").cut_by(cuts).part({40, 60, 256, 256});
}

void folders() {
  const auto found = list_pictures("photos", {.is_recursive = true});
  for (const auto& path : found.pictures) std::cout << path << "\n";
  std::cerr << found.summary();  // passed over 3 of 13: a TIFF file ('scan.tif'), an empty file ...
}

void tensors(const at::Tensor& w) {
  write_safetensors("weights.safetensors",
                    {.tensors = {{"weight", w}}, .metadata = {{"epoch", "3"}}});
  const auto file = read_safetensors("weights.safetensors");
}

void any_tensors() {
  const auto file = read_tensor_file("vgg19.pth");  // .tensors, .metadata, .format
  std::cout << name_of(file.format);                // "PyTorch (zip)"
}

void published_pairs() {
  Pairs pairs = GoPro{"data/GoPro"}.train();
  std::cout << pairs.description() << ": " << pairs.size() << " pairs, from " << pairs.name(0);
  Pairs small = pairs.first(100);
}

void named_pairs() {
  Pairs pairs = pairs_by_rule("photos", {"{}_blur.png", "{}_sharp.png"});
  Pairs rain = pairs_by_rule("heavy-rain", {"data/{}_s*_a*", "gt/{}"});  // many inputs, one target
}

void published_tables() {
  Pairs test = published_pairs(kHIDELayout, "HIDE_dataset", "test");
  Pairs low = published_pairs(kLOLLayout, "LOLdataset", "train");
}

void split() {
  DHazy{"D-HAZY", {.seed = 7}}.split_to_file("split.json");
  Pairs train = DHazy{"D-HAZY", {.split_file = "split.json"}}.train();
}

struct Scans {
  std::int64_t size() const { return 12; }
  std::string name(std::int64_t i) const { return "scan " + std::to_string(i); }  // for errors
  ImagePair load(std::int64_t i, std::int64_t) const {  // and how often the pair came before
    const auto stem = "scans/" + std::to_string(i);
    return {.degraded = Image::load(stem + "_raw.png"), .target = Image::load(stem + ".png")};
  }
};
static_assert(PairSource<Scans>);

BOOST_AUTO_TEST_CASE(a_source_of_datasets_md) { BOOST_TEST((Pairs{Scans{}}.name(3)) == "scan 3"); }

void batches(const Pairs& pairs) {
  PairLoader loader{pairs, {.batch_size = 2, .crop = 256, .seed = 1, .workers = 2}};
  const Batch batch = loader.next();  // degraded, target: (2, 3, 256, 256) float in [-1, 1]
}

void late_batches() {
  const Pairs late = DegradedPhotos{"photos", MotionBlur{}, {.on = DegradeOn::device}};
  PairLoader fast{late, {.batch_size = 16, .workers = 8}};
  const Batch on_card = fast.next(torch::kCUDA);
}

BOOST_AUTO_TEST_CASE(blur_haze_drops_and_noise_of_degradations_md) {
  const auto photo = sixteen();
  const auto depth = torch::rand({16, 16});
  {
    Random random{7};
    const auto blurred = MotionBlur{.size = {9, 31}}(photo, random);
    const MotionKernel kernel = MotionBlur{}.kernel(random);  // one kernel for several pictures
    const auto first = motion_blur(photo, kernel);
    BOOST_TEST(blurred.sizes() == photo.sizes());
  }
  Random random{7};
  {
    const auto height = photo.size(1), width = photo.size(2);
    const auto blurred = CameraMotion{.size = {0, 20}}(photo, random);
    const MovingScene scene = CameraMotion{}.scene_for(height, width, random);  // drawn
    BOOST_TEST(blurred.sizes() == photo.sizes());
  }
  {
    const auto soft = Defocus{.radius = {1, 8}}(photo, random);
    const ApertureKernel disc{{.radius = 5}};  // or .blades = 6
    BOOST_TEST(soft.sizes() == photo.sizes());
  }
  {
    const auto hazy = Haze{}(photo, random);               // synthetic depth
    const auto from_depth = Haze{}(photo, depth, random);  // (H, W), at least 0, larger is farther
    const auto exact = haze(photo, depth, 1.2, {0.9f, 0.9f, 0.92f});
    BOOST_TEST(exact.sizes() == photo.sizes());
  }
  {
    const auto rainy = Raindrops{}(photo, random);
    const auto [image, mask] = Raindrops{.cover = {0.07, 0.3}}.seen(photo, random);
    BOOST_TEST(image.sizes() == photo.sizes());
  }
  const auto noisy = Noise{.sigma = 25}(photo, random);  // "sigma = 25" of papers on denoising
  BOOST_TEST(noisy.sizes() == photo.sizes());
}

BOOST_AUTO_TEST_CASE(weather_cameras_and_files_of_degradations_md) {
  const auto photo = sixteen();
  Random random{7};
  const auto noisy = SensorNoise{.shot = 0.01}(photo, random);                   // a high ISO value
  const auto rainy = RainStreaks{.density = {8, 20}, .veil = 0}(photo, random);  // heavy, no mist
  const auto snowy = Snow{.radius = {1, 10}}(photo, random);
  const auto dark = LowLight{.gamma = {2, 3}}(photo, random);
  const auto blocky = JpegCompression{.quality = {10, 40}}(photo, random);
  const auto coarse = Resampling{.factor = 4}(photo, random);
  const Mixture blind{
      .parts = {{CameraMotion{}, 0.5}, {Noise{.sigma = {5, 25}}, 0.7}, {JpegCompression{}}}};
  for (const auto& image : {noisy, rainy, snowy, dark, blocky, coarse, blind(photo, random)}) {
    BOOST_TEST(image.sizes() == photo.sizes());
  }
}

void depth(const at::Tensor& photo, std::int64_t height, std::int64_t width) {
  // distances.unknown: how many pixels had no depth and were filled
  const auto distances = distances_of(read_depth_map("room_disp.npz"), {.disparity = true});
  const auto map = resized_map(distances.values, height, width);
  const auto hazy = haze(photo, map, 1.0, {1, 1, 1});
}

void average(const std::vector<Image>& frames) {
  FrameAverage average{ResponseCurve::gamma(2.2)};  // or none() (the default), or srgb()
  for (const auto& frame : frames) average.add(frame);
  const Image blurred = average.mean();
}

struct Darker {
  at::Tensor operator()(const at::Tensor& image, Random& random) const {
    return image * random.uniform(0.2, 0.6);
  }
};
static_assert(Degradation<Darker>);

struct DarkerBatches : Darker {
  at::Tensor batch(const at::Tensor& images, Random& random) const {
    std::vector<float> by;
    for (std::int64_t i = 0; i < images.size(0); ++i) {
      by.push_back(static_cast<float>(random.uniform(0.2, 0.6)));
    }
    return images * for_each_picture(images, by);
  }
};
static_assert(BatchDegradation<DarkerBatches>);

at::Tensor blur_a_batch(const at::Tensor& photos, Random& random) {
  const auto blurred = MotionBlur{}.batch(photos, random);  // photos: (N, 3, H, W), on any device
  return blurred;
}

void frames(const at::Tensor& before, const at::Tensor& after) {
  auto network = load_sepconv("run/model.limpid");
  const auto middle = interpolate(network, before, after);  // (1, 3, H, W) in [0, 1]
  const auto fifteen = interpolate_between(network, before, after, 16);
}

void train_on_frames() {
  auto options = interpolation_options();  // rate 1e-3, crops of 128 pixels, ten minutes
  options.out = "run";
  SepConvNetwork network{SepConvOptions::small()};
  network->start_from_average();
  auto trainer = interpolation_trainer(options, network, split_triplets(frame_sequences("frames")));
  trainer.fit();
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace docs_data
