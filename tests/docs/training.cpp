#include <limpid/everything.hpp>

#include <torch/torch.h>

#include <boost/test/unit_test.hpp>

#include <cstdint>
#include <cstdio>
#include <iostream>
#include <string>
#include <utility>
#include <vector>

// Code of docs/training.md, optim.md, recipes.md, model.md, inference.md, onnx.md and weighting.md.
namespace docs_training {

using namespace limpid;

void thesis() {
  TrainerOptions options{.out = "run", .length = Epochs{80}, .seed = 1, .start = Start::resume};
  MultiTaskTrainer<ResNetEncoder, ResNetDecoder<"deblur">, ResNetDecoder<"derain">> trainer{
      options};
  trainer.branch<"deblur">(Branch{.pairs = GoPro{"GoPro"}.train(),
                                  .validation = GoPro{"GoPro"}.test().spread(20),
                                  .batch_size = 2,
                                  .content = Charbonnier{} + 0.1 * L2{},
                                  .critic = PatchGAN<>{},
                                  .adversarial = RelativisticLeastSquares{},
                                  .adversarial_weight = 0.01});
  trainer.branch<"derain">(Branch{.pairs = Raindrop{"raindrop"}.train(), .content = L2{}});
  const FitResult result = trainer.fit();  // finished, stopped or interrupted
  std::cout << static_cast<int>(result);
}

BOOST_AUTO_TEST_SUITE(docs)

BOOST_AUTO_TEST_CASE(policies_and_schedules_of_training_md_and_optim_md) {
  TrainerOptions options;
  options.epoch = [](const std::vector<std::int64_t>& batches) { return 2 * batches.front(); };
  options.schedule = [](double rate, std::int64_t step, std::int64_t steps,
                        std::int64_t steps_per_epoch) {
    return step < 3 * steps_per_epoch ? 0.1 * rate : step < steps / 2 ? rate : 0.5 * rate;
  };
  BOOST_TEST(options.schedule(1.0, 5, 100, 1) == 1.0);
}

void optimisers(TrainerOptions& options) {
  options.optimizer = AdamW{.decay = 0.05};
  options.critic_optimizer = Adam{.beta1 = 0.5, .beta2 = 0.9};
  options.schedule = ScheduleSequence{{WarmUp{}, Stretch::steps(500)}, {CosineFall{}}};
  options.average = 0.999;
}

AnyModel adapters() {
  const std::vector<std::string> tasks{"deblur", "derain"};
  AnyModel model = add_adapters(make_model({"nafnet"}, tasks), tasks, {.rank = 8});
  return model;
}

void any_branch(MultiTaskTrainer<PixelUNetEncoder, PixelUNetDecoder<"deblur">>& trainer,
                const Pairs& pairs, const AnyContent& content) {
  AnyBranch branch = Branch{.pairs = pairs, .content = content};
  branch.adversary = recipes::make_adversary("dragan", "patch");
  trainer.branch("deblur", std::move(branch));
}

void recipe() {
  auto recipe = recipes::thesis_resnet();
  recipe.options.out = "run";
  recipe.options.length = Epochs{20};
  recipe.objective.adversarial = "softplus-r1";  // any name of docs/losses.md
  AnyTrainer trainer{recipe.options, make_model(recipe.network, {"deblur", "dehaze"})};
  const auto vgg = load_vgg19("vgg19.pth", {.deepest = "conv3_3"});
  trainer.branch("deblur", recipe.branch("deblur", GoPro{"GoPro"}.train(), vgg));
  trainer.branch("dehaze", recipe.branch("dehaze", PairedFolders::inside("hazy"), vgg));
  trainer.fit();
}

using ThreeTasks = MultiTaskModel<ResNetEncoder, ResNetDecoder<"deblur">, ResNetDecoder<"dehaze">,
                                  ResNetDecoder<"derain">>;

void restore() {
  Restorer restorer{load<ThreeTasks>("run/model.limpid"), {.tiling = {.tile = 512}}};
  Image sharp = restorer.restore<"deblur">(Image::load("photo.jpg"));
  sharp.save("sharp.png");
}

void ask_a_router(const Image& photo) {
  const AnyRestorer any{"examples/models/everyday.limpid"};
  const auto routed = any.restore_routed(photo);  // or any.restore("auto", photo)
  std::puts(routed.text().c_str());               // "dehaze (99 % sure), then denoise (97 % sure)"
}

void onnx() {
  export_onnx("run/model.limpid", "deblur.onnx", {"deblur"});  // no tasks: all
}

void models(const at::Tensor& image) {
  MultiTaskModel<ResNetEncoder, ResNetDecoder<"deblur">, ResNetDecoder<"derain">> typed;
  typed->restore<"deblur">(image);  // another name does not compile

  AnyModel model = make_model(parse_network("nafnet:width=16"), {"deblur", "my-task"});
  model.restore(model.index_of("my-task"), image);  // another name is an error
  save(model, "model.limpid");
}

void trainer_by_name(const TrainerOptions& options) {
  AnyTrainer trainer{options, make_model({"nafnet", {{"width", 16}}}, {"deblur", "my-task"})};
  trainer.branch("my-task", Branch{.pairs = PairedFolders::inside("mine"), .content = L1{}});
  trainer.branch("deblur", Branch{.pairs = GoPro{"GoPro"}.train(), .content = L1{}});
  trainer.fit();
}

using MyEncoder = PixelUNetEncoder;
template <FixedString Task>
using MyDecoder = PixelUNetDecoder<Task>;

// clang-format off
inline constexpr NamedTable kMine{
    "a network of mine",
    network_family<MyEncoder, MyDecoder<"any">>("what it is, for help texts"),
    network_family<ResNetEncoder, ResNetDecoder<"any">>("another")};
// clang-format on

BOOST_AUTO_TEST_CASE(weightings_by_name_and_by_type_of_weighting_md) {
  const auto by_name = named_weighting("cagrad:c=0.4");
  const auto typed = AnyWeighting{UPGrad{.regularisation = 1e-6}, "upgrad"}.averaged(0.9);
  BOOST_TEST((by_name.needs() == typed.needs()));
}

BOOST_AUTO_TEST_CASE(a_pair_of_model_md_has_a_name) { BOOST_TEST(kMine.contains("pixel-unet")); }

BOOST_AUTO_TEST_SUITE_END()

}  // namespace docs_training
