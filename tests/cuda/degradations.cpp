// Every degradation that has a batch form, on the CPU and the card.
#include <limpid/degradations/named_degradations.hpp>
#include <limpid/io/formats/webp.hpp>

#include <torch/torch.h>

#include <string>
#include <vector>

#include "findings.hpp"

namespace cuda_check {
namespace {

using namespace limpid;

at::Tensor photographs() {
  torch::manual_seed(6);
  return torch::upsample_bilinear2d(torch::rand({4, 3, 12, 15}), {192, 240}, false);
}

/// Whether it rounds numbers on the way: one that lies between two steps may go to either, and a
/// block of JPEG is another then.
bool rounds(const std::string& name) { return name == "jpeg" || name == "mixture"; }

/// The same pictures from the same source, and no wait for the card on the way. Motion blur sums in
/// another order, and noise takes another logarithm.
void compare(Findings& findings, const Setting& setting, const std::string& name) {
  if (name == "webp" && !kWebp.missing.empty()) {
    findings.say("batch of " + name, true, "not compared: " + std::string{kWebp.missing});
    return;
  }
  findings.guard(name, [&] {
    const auto degradation = named_degradation({name});
    if (!degradation.has_batch()) return;
    const auto photos = photographs();
    const std::vector<CropPlace> places(4, {{30, 40, 192, 240}, 300, 400});
    Random here{7}, there{7}, others{8};
    const auto on_card = photos.to(setting.device);
    const auto agree = [&](const std::string& what, const at::Tensor& expected,
                           const at::Tensor& found) {
      if (rounds(name)) {
        const auto difference = (expected - found.to(at::kCPU)).abs().mean().item<double>();
        findings.at_most(what + name + ", mean difference", difference, 1e-4);
      } else {
        findings.agree(what + name, expected, found, 1e-4);
      }
    };
    agree("batch of ", degradation.batch(photos, here), degradation.batch(on_card, there));
    agree("batch of crops of ", degradation.batch(photos, places, here),
          degradation.batch(on_card, places, there));
    if (!counts_waits()) return;
    const auto waits = waits_of([&] { degradation.batch(on_card, places, others); });
    findings.at_most("waits for the card in a batch of " + name, waits, 0.5);
  });
}

}  // namespace

void check_degradations(Findings& findings, const Setting& setting) {
  for (const auto& name : kDegradations.names()) compare(findings, setting, name);
}

}  // namespace cuda_check
