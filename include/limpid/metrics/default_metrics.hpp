#pragma once

#include <limpid/core/compiled.hpp>
#include <limpid/metrics/any_metric.hpp>

#include <vector>

#ifdef LIMPID_BODIES
#include <limpid/metrics/psnr.hpp>
#include <limpid/metrics/ssim.hpp>
#endif

namespace limpid {

/// What is reported where nobody asked for anything else.
LIMPID_INLINE std::vector<AnyMetric> default_metrics();

}  // namespace limpid

#ifdef LIMPID_BODIES

namespace limpid {

LIMPID_INLINE std::vector<AnyMetric> default_metrics() {
  return {PSNR<>{}, PSNRY{}, SSIMGaussian{}, SSIMUniform{}};
}

}  // namespace limpid

#endif  // LIMPID_BODIES
