#pragma once

#include <limpid/core/named.hpp>

#include <sstream>
#include <string>
#include <string_view>
#include <vector>

namespace limpid {

/// How publications measure: the metrics of each, as `metrics_by_name` takes them.
inline constexpr NamedTable kProtocols{
    "a protocol",
    Named{"usual", "what limpid reports: PSNR on RGB and Y, SSIM with either window",
          std::string_view{"psnr_rgb psnr_y ssim_gaussian ssim_uniform"}},
    Named{"aio",
          "AirNet, PromptIR, AdaIR: the middle of multiples of 16 pixels, scikit-image's PSNR and "
          "SSIM, not rounded",
          std::string_view{"psnr_unrounded:multiple_of=16 ssim_uniform_unrounded:multiple_of=16"}},
    Named{"derain-y",
          "MPRNet, Restormer on rain: MATLAB's rounded Y, SSIM with the Gaussian window",
          std::string_view{"psnr_y_rounded ssim_gaussian_y_rounded"}},
    Named{"deblur-3d", "Nah et al., Restormer, NAFNet on blur: RGB, SSIM over three axes",
          std::string_view{"psnr_rgb ssim_3d"}},
    Named{"blocks", "SwinIR, FBCNN on JPEG: PSNR, SSIM, PSNR-B on RGB",
          std::string_view{"psnr_rgb ssim_gaussian psnr_b"}}};

/// The names of a protocol's metrics: `metrics_by_name(protocol_metrics("aio"))`.
/// @throws c10::ValueError with all names, and the nearest, if there is none of this name.
inline std::vector<std::string> protocol_metrics(std::string_view protocol) {
  std::istringstream words{std::string{kProtocols.at(protocol)}};
  std::vector<std::string> names;
  for (std::string name; words >> name;) names.push_back(name);
  return names;
}

}  // namespace limpid
