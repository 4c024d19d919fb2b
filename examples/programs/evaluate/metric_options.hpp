#pragma once

// limpid-evaluate --protocol, --metrics, --metric-file and --niqe-model.

#include <limpid/metrics/any_metric.hpp>
#include <limpid/metrics/default_metrics.hpp>
#include <limpid/metrics/metric_table.hpp>
#include <limpid/metrics/protocols.hpp>

#include <CLI/CLI.hpp>

#include <filesystem>
#include <string>
#include <vector>

#include "../options.hpp"
#include "../program.hpp"

namespace examples {

/// What the command line says of metrics.
struct MetricOptions {
  std::string protocol;
  std::vector<std::string> names, files;
  std::filesystem::path niqe_model;
};

inline void add_metrics(CLI::App& app, MetricOptions& options) {
  std::string names, with_file;
  for (const auto& entry : limpid::metric_table()) {
    names += " " + entry.name;
    if (!entry.file.empty()) with_file += " " + entry.name;
  }
  std::string usual;
  for (const auto& metric : limpid::default_metrics()) usual += " " + metric.name;
  app.add_option(
         "--protocol", options.protocol,
         "The metrics of a publication; further --metrics join them\n" + limpid::kProtocols.help())
      ->type_name("NAME")
      ->group("Metrics");
  auto* metrics =
      app.add_option("--metrics", options.names,
                     "Of" + names + " [" + usual.substr(1) +
                         "]; of a part of the pictures: NAME:crop_border=N, NAME:multiple_of=N");
  metrics->type_name("NAME")->group("Metrics");
  app.add_option("--metric-file", options.files,
                 "The weights of a metric that needs some (" + with_file.substr(1) +
                     "), of lpips BACKBONE,HEADS; may come again")
      ->type_name("NAME=FILE")
      ->needs(metrics)
      ->group("Metrics");
  app.add_option("--niqe-model", options.niqe_model,
                 "The pristine photographs that niqe compares with: niqe_pris_params.npz, or what "
                 "limpid-data niqe-model wrote")
      ->type_name("FILE")
      ->needs(metrics)
      ->group("Metrics");
}

/// The metrics asked for. @throws UsageError for names that no metric has, or without their files.
inline std::vector<limpid::AnyMetric> metrics_of(const MetricOptions& options) {
  std::vector<std::string> names;
  if (!options.protocol.empty()) {
    names = as_usage("--protocol: ", [&] { return limpid::protocol_metrics(options.protocol); });
  }
  names.insert(names.end(), options.names.begin(), options.names.end());
  if (names.empty()) return limpid::default_metrics();
  limpid::MetricFiles files;
  for (const auto& text : options.files) {
    const auto equals = text.find('=');
    if (equals == text.npos || equals == 0 || equals + 1 == text.size()) {
      throw UsageError("--metric-file: '" + text + "': expected NAME=FILE");
    }
    files[text.substr(0, equals)] = text.substr(equals + 1);
  }
  for (const auto& written : options.names) {  // one model serves both
    const auto name = written.substr(0, written.find(':'));
    const bool is_niqe = name == "niqe" || name == "niqe_gray" || name == "niqe-gray";
    if (!is_niqe) continue;
    if (!options.niqe_model.empty()) files[name] = options.niqe_model;
    if (files.count(name) == 0) {
      throw UsageError("--metrics: " + name +
                       " needs --niqe-model FILE: niqe_pris_params.npz, or what limpid-data "
                       "niqe-model wrote");
    }
  }
  return as_usage("--metrics: ", [&] { return limpid::metrics_by_name(names, {}, files); });
}

}  // namespace examples
