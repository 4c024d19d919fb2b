#pragma once

// limpid-evaluate --metrics and --niqe-model.

#include <limpid/metrics/any_metric.hpp>
#include <limpid/metrics/niqe.hpp>
#include <limpid/metrics/niqe_model.hpp>

#include <CLI/CLI.hpp>

#include <filesystem>
#include <string>
#include <vector>

#include "../options.hpp"
#include "../program.hpp"

namespace examples {

/// What the command line says of metrics.
struct MetricOptions {
  std::vector<std::string> names;
  std::filesystem::path niqe_model;
};

inline void add_metrics(CLI::App& app, MetricOptions& options) {
  auto* metrics = app.add_option("--metrics", options.names,
                                 "Of psnr_rgb psnr_y ssim_gaussian ssim_uniform [these four] "
                                 "ssim_3d cw_ssim ms_ssim niqe, and psnr_y_rounded "
                                 "ssim_gaussian_y ms_ssim_gray niqe_gray");
  metrics->type_name("NAME");
  app.add_option("--niqe-model", options.niqe_model,
                 "The pristine photographs that niqe compares with: niqe_pris_params.npz, or what "
                 "limpid-data niqe-model wrote")
      ->type_name("FILE")
      ->needs(metrics);
}

/// The metrics asked for. @throws UsageError for names that no metric has, or without niqe's model.
inline std::vector<limpid::AnyMetric> metrics_of(const MetricOptions& options) {
  if (options.names.empty()) return limpid::default_metrics();
  std::vector<limpid::AnyMetric> more;
  if (!options.niqe_model.empty()) {
    const auto model = limpid::read_niqe_model(options.niqe_model);
    more = {limpid::NIQE<>{model}, limpid::NIQEGray{model}};
  }
  for (const auto& name : options.names) {
    if ((name != "niqe" && name != "niqe_gray") || !more.empty()) continue;
    throw UsageError("--metrics: " + name +
                     " needs --niqe-model FILE: niqe_pris_params.npz, or what limpid-data "
                     "niqe-model wrote");
  }
  return as_usage("", [&] { return limpid::metrics_by_name(options.names, more); });
}

}  // namespace examples
