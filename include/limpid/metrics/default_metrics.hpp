#pragma once

#include <limpid/metrics/any_metric.hpp>
#include <limpid/metrics/psnr.hpp>
#include <limpid/metrics/ssim.hpp>

#include <vector>

namespace limpid {

/// What is reported where nobody asked for anything else.
inline std::vector<AnyMetric> default_metrics() {
  return {PSNR<>{}, PSNRY{}, SSIMGaussian{}, SSIMUniform{}};
}

}  // namespace limpid
