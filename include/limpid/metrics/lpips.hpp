#pragma once

#include <limpid/backbones/lpips_network.hpp>
#include <limpid/core/concepts.hpp>
#include <limpid/core/ranges.hpp>
#include <limpid/metrics/eight_bit.hpp>

#include <ATen/core/Tensor.h>
#include <c10/core/GradMode.h>
#include <c10/util/Exception.h>

#include <filesystem>
#include <string>
#include <system_error>
#include <utility>

namespace limpid {

/// How far a restored picture looks from its target, as people see it: LPIPS, version 0.1, after
/// rounding both to 8 bits. "lpips_alex" is what most papers print.
///
/// Source: Zhang et al., CVPR 2018 (`LPIPSNetwork`).
class LPIPS {
 public:
  explicit LPIPS(LPIPSNetwork network)
      : name("lpips_" + std::string{detail::lpips_facts(network->net()).name}),
        label("LPIPS " + std::string{detail::lpips_facts(network->net()).name}),
        protocol("LPIPS 0.1 with " + std::string{detail::lpips_facts(network->net()).backbone} +
                 ": distance of unit-length features weighted by channel, mean over the positions, "
                 "sum over the maps, both pictures rounded to 8 bits, not resized"),
        network_(std::move(network)) {}

  const std::string name, label, protocol;
  static constexpr bool higher_is_better = false;

  /// @param restored  (3, H, W) or (1, 3, H, W), sides of at least `LPIPSNetwork::min_side`, values
  ///                  in [0, 1].
  /// @param target    of the same height and width.
  /// @return 0 for identical pictures, mostly below 1.
  /// @throws c10::ValueError for other shapes.
  double operator()(const at::Tensor& restored, const at::Tensor& target) const {
    const c10::NoGradGuard no_grad;
    const auto input = [](const at::Tensor& image) {
      return to_signed((detail::eight_bit("LPIPS", image) / 255).to(at::kFloat).unsqueeze(0));
    };
    return network_->distances(input(restored), input(target)).item<double>();
  }

 private:
  LPIPSNetwork network_;
};

static_assert(Metric<LPIPS>);

/// LPIPS with published weights.
///
/// @param files  "BACKBONE,HEADS", as `load_lpips` takes them, or one file that has both.
/// @throws c10::Error that names the file, what is wrong and where such a file comes from.
inline LPIPS read_lpips(LPIPSNet net, const std::filesystem::path& files) {
  std::error_code ignored;
  const auto text = files.string();
  const auto comma = text.find(',');
  if (comma == text.npos || std::filesystem::exists(files, ignored)) {
    return LPIPS{load_lpips(net, files, files)};
  }
  return LPIPS{load_lpips(net, text.substr(0, comma), text.substr(comma + 1))};
}

}  // namespace limpid
