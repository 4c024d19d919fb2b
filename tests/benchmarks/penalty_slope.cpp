// How large the adversarial part of the generator's gradient is beside the content's, in training
// by the thesis' recipe with each form of the penalty's slope:
//
//   penalty_slope DATA [CROP [STEPS [WIDTH [CONTENT_WEIGHT]]]]
//
// DATA holds gopro/ and rain/ as ../shared/data does. Two tasks, one encoder, PatchGAN of width 64,
// WGAN-GP times 0.01 beside 0.5 L1 (no VGG-19: its weights are a download), Adam at 1e-4 on both
// sides. Lengths are of gradients at the restored images, where both parts begin; every tenth step
// also at the generator's weights.
#include <limpid/core/ranges.hpp>
#include <limpid/critics/patch_gan.hpp>
#include <limpid/decoders/resnet.hpp>
#include <limpid/encoders/resnet.hpp>
#include <limpid/io/image.hpp>
#include <limpid/losses/adversarial/wasserstein_gp.hpp>
#include <limpid/losses/content/l1.hpp>
#include <limpid/training/frozen_weights.hpp>

#include <torch/torch.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <iomanip>
#include <iostream>
#include <string>
#include <utility>
#include <vector>

namespace {

using namespace limpid;
using Pictures = std::vector<std::pair<at::Tensor, at::Tensor>>;  // degraded, target, in [-1, 1]

at::Tensor picture(const std::filesystem::path& path) {
  return to_signed(Image::load(path).unit());
}

Pictures gopro(const std::filesystem::path& data) {
  Pictures pictures;
  for (const std::string scene : {"GOPR_dh0", "GOPR_dh1"}) {
    const auto folder = data / "gopro/train" / scene;
    pictures.emplace_back(picture(folder / "blur/000001.png"),
                          picture(folder / "sharp/000001.png"));
  }
  return pictures;
}

Pictures rain(const std::filesystem::path& data) {
  Pictures pictures;
  for (const std::string name : {"1", "6", "11", "16", "21", "26"}) {
    pictures.emplace_back(picture(data / "rain/rain" / (name + ".png")),
                          picture(data / "rain/clean" / (name + ".png")));
  }
  return pictures;
}

/// `count` random crops of random pictures.
std::pair<at::Tensor, at::Tensor> crops(const Pictures& pictures, std::int64_t count,
                                        std::int64_t side, Random& random) {
  std::vector<at::Tensor> degraded, target;
  for (std::int64_t i = 0; i < count; ++i) {
    const auto& [x, y] = pictures[random.below(static_cast<std::int64_t>(pictures.size()))];
    const auto top = random.below(x.size(2) - side + 1);
    const auto left = random.below(x.size(3) - side + 1);
    degraded.push_back(x.narrow(2, top, side).narrow(3, left, side));
    target.push_back(y.narrow(2, top, side).narrow(3, left, side));
  }
  return {torch::cat(degraded), torch::cat(target)};
}

double length(const std::vector<at::Tensor>& gradients) {
  double squares = 0;
  for (const auto& g : gradients) {
    if (g.defined()) squares += g.square().sum().item<double>();
  }
  return std::sqrt(squares);
}

template <class Decoder>
struct Task {
  const char* name;
  Pictures pictures;
  std::int64_t batch;
  Decoder decoder;
  PatchGAN<> critic{};
  WassersteinGP objective{};
  std::unique_ptr<torch::optim::Adam> adam{};
};

struct Plan {
  std::filesystem::path data;
  std::int64_t crop = 128, steps = 100, width = 32;
  double content_weight = 0.5;
};

torch::optim::AdamOptions adam_options() {
  return torch::optim::AdamOptions(1e-4).betas({0.5, 0.999});
}

void train(const Plan& plan, PenaltySlope slope, const std::string& form) {
  torch::manual_seed(1);
  Random random{1};
  ResNetEncoder encoder{ResNetEncoderOptions{.width = plan.width, .blocks = 9, .dropout = 0.5}};
  const ResNetDecoderOptions shape{.width = plan.width};
  Task<ResNetDecoder<"deblur">> deblur{"deblur", gopro(plan.data), 2,
                                       ResNetDecoder<"deblur">{shape}};
  Task<ResNetDecoder<"derain">> derain{"derain", rain(plan.data), 1,
                                       ResNetDecoder<"derain">{shape}};
  auto generator = encoder->parameters();
  const auto add = [&](auto& task) {
    const auto own = task.decoder->parameters();
    generator.insert(generator.end(), own.begin(), own.end());
    task.objective.slope = slope;
    task.adam = std::make_unique<torch::optim::Adam>(task.critic->parameters(), adam_options());
  };
  add(deblur);
  add(derain);
  torch::optim::Adam adam{generator, adam_options()};

  for (std::int64_t step = 1; step <= plan.steps; ++step) {
    adam.zero_grad();
    const bool look = step % 10 == 0 || step == 1;
    const auto update = [&](auto& task) {
      const auto [degraded, target] = crops(task.pictures, task.batch, plan.crop, random);
      const auto restored =
          torch::clamp(degraded + task.decoder->forward(encoder->forward(degraded)), -1, 1);
      task.critic->zero_grad();
      const AdversarialBatch apart{degraded, restored.detach(), target, &random};
      (0.01 * task.objective.critic_loss(task.critic, apart)).backward();
      task.adam->step();

      const limpid::detail::FrozenWeights frozen{*task.critic};
      const auto image = restored.detach().requires_grad_();
      const AdversarialBatch batch{degraded, image, target, &random};
      const auto gradient_of = [&](const at::Tensor& loss) {
        return torch::autograd::grad({loss}, {image})[0];
      };
      const auto adversarial =
          gradient_of(0.01 * task.objective.generator_loss(task.critic, batch));
      const auto content = gradient_of(plan.content_weight * L1{}(image, target));
      if (look) {
        const auto at_weights = [&](const at::Tensor& gradient) {
          return length(torch::autograd::grad({restored}, generator, {gradient},
                                              /*retain_graph=*/true, /*create_graph=*/false,
                                              /*allow_unused=*/true));
        };
        std::cout << form << '\t' << task.name << '\t' << step << '\t'
                  << task.objective.length.template item<double>() << '\t'
                  << length({adversarial}) / length({content}) << '\t'
                  << at_weights(adversarial) / at_weights(content) << '\t'
                  << L1{}(image, target).template item<double>() << std::endl;
      }
      restored.backward(adversarial + content);
    };
    update(deblur);
    update(derain);
    adam.step();
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::cerr << "penalty_slope DATA [CROP [STEPS [WIDTH [CONTENT_WEIGHT]]]]\n";
    return 2;
  }
  torch::set_num_threads(1);
  Plan plan{.data = argv[1]};
  if (argc > 2) plan.crop = std::stoll(argv[2]);
  if (argc > 3) plan.steps = std::stoll(argv[3]);
  if (argc > 4) plan.width = std::stoll(argv[4]);
  if (argc > 5) plan.content_weight = std::stod(argv[5]);
  std::cout << "form\ttask\tstep\tslope\tadversarial/content at the image\tat the weights\tL1\n";
  kPenaltySlopes.for_each([&](const auto& entry) {
    if (argc > 6 && entry.name != argv[6]) return;
    train(plan, entry.value, std::string{entry.name});
  });
}
