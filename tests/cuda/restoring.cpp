// Restoring a picture whole and in tiles, on the CPU and the card.
#include <limpid/inference/any_restorer.hpp>
#include <limpid/model/families.hpp>

#include <torch/torch.h>

#include "findings.hpp"

namespace cuda_check {

using namespace limpid;

void check_restoring(Findings& findings, const Setting& setting) {
  findings.guard("restore", [&] {
    torch::manual_seed(6);
    const auto path = setting.folder + "/restoring.limpid";
    save(make_model({"pixel-unet"}, {"dehaze"}), path);
    const auto picture = Image::from_unit(torch::rand({3, 8, 10})).resized(301, 397);
    const auto restored = [&](at::Device device, std::int64_t tile, Precision precision) {
      RestorerOptions options;
      options.device = device;
      options.precision = precision;
      options.tiling.tile = tile;
      return AnyRestorer{path, options}.restore("dehaze", picture).unit() * 255;
    };
    const auto levels = [](const at::Tensor& a, const at::Tensor& b) {
      return (a - b).abs().max().item<double>();
    };
    const auto expected = restored(at::kCPU, 0, Precision::float32);
    const auto whole = restored(setting.device, 0, Precision::float32);
    const auto tiles = restored(setting.device, 128, Precision::float32);
    const auto tiles_here = restored(at::kCPU, 128, Precision::float32);
    findings.at_most("restore, whole, levels from the CPU's", levels(expected, whole), 1.01);
    findings.at_most("restore, tiles, levels from the CPU's", levels(tiles_here, tiles), 1.01);
    findings.at_most("restore, bfloat16, levels from the CPU's",
                     levels(expected, restored(setting.device, 0, Precision::bfloat16)), 12);
  });
}

}  // namespace cuda_check
