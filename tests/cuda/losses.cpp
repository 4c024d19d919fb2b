// Every GAN objective and content loss that has a name, on the CPU and the card.
#include <limpid/core/random.hpp>
#include <limpid/losses/content/content_losses.hpp>
#include <limpid/recipes/adversaries.hpp>

#include <torch/torch.h>

#include <cmath>
#include <string>

#include "findings.hpp"

namespace cuda_check {
namespace {

using namespace limpid;

AdversarialBatch batch_on(at::Device device, Random& random) {
  torch::manual_seed(3);
  const auto image = [&] { return (torch::rand({2, 3, 96, 96}) * 2 - 1).to(device); };
  return {image(), image(), image(), &random};
}

/// Losses of critic and generator. A penalty's points are the same on every device.
void compare_objective(Findings& findings, const Setting& setting, const std::string& name) {
  findings.guard(name, [&] {
    torch::manual_seed(4);
    auto adversary = recipes::make_adversary(name, {}, 16);
    Random here = Random::stream(1, {0}), there = Random::stream(1, {0});
    const auto expected = batch_on(at::kCPU, here);
    const auto critic_loss = adversary.critic_loss(expected).detach();
    const auto generator_loss = adversary.generator_loss(expected).detach();
    adversary.to(setting.device);
    const auto batch = batch_on(setting.device, there);
    const auto found = adversary.critic_loss(batch);
    found.backward();
    findings.agree(name + ", critic", critic_loss, found, 1e-3);
    findings.agree(name + ", generator", generator_loss, adversary.generator_loss(batch), 1e-3);
    double slope = 0;
    for (const auto& parameter : adversary.critic()->parameters()) {
      if (parameter.grad().defined()) slope += parameter.grad().square().sum().item<double>();
    }
    findings.at_most(name + ", critic's gradient is a number", std::isfinite(slope) ? 0 : 1, 0.5);
  });
}

void compare_content(Findings& findings, const Setting& setting, const std::string& name) {
  findings.guard(name, [&] {
    const auto value_on = [&](at::Device device) {
      torch::manual_seed(5);
      auto vgg = VGG19::random_for_benchmark({.deepest = "conv3_3"});
      vgg->to(device);
      ContentNetworks networks;
      networks.set("vgg19", vgg);
      for (const auto net : {LPIPSNet::alex, LPIPSNet::vgg, LPIPSNet::squeeze}) {
        auto network = LPIPSNetwork::random_for_benchmark(net);
        network->to(device);
        networks.set(std::string{lpips_network_names(net)[0]}, network);
      }
      const auto loss = content_by_name(name, networks);
      const auto image = [&] { return (torch::rand({2, 3, 64, 64}) * 2 - 1).to(device); };
      const auto restored = image(), target = image();
      return loss(restored, target);
    };
    findings.agree("content loss " + name, value_on(at::kCPU), value_on(setting.device), 1e-3);
  });
}

}  // namespace

void check_losses(Findings& findings, const Setting& setting) {
  for (const auto& name : adversarial_names()) compare_objective(findings, setting, name);
  for (const auto& name : kContentLosses.names()) compare_content(findings, setting, name);
}

}  // namespace cuda_check
