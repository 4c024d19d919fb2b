#pragma once

#include <limpid/core/concepts.hpp>
#include <limpid/core/named.hpp>
#include <limpid/core/options_by_name.hpp>
#include <limpid/metrics/any_metric.hpp>
#include <limpid/metrics/channels.hpp>
#include <limpid/metrics/cw_ssim.hpp>
#include <limpid/metrics/default_metrics.hpp>
#include <limpid/metrics/fid.hpp>
#include <limpid/metrics/lpips.hpp>
#include <limpid/metrics/metric_crop.hpp>
#include <limpid/metrics/ms_ssim.hpp>
#include <limpid/metrics/niqe.hpp>
#include <limpid/metrics/niqe_model.hpp>
#include <limpid/metrics/psnr.hpp>
#include <limpid/metrics/psnr_b.hpp>
#include <limpid/metrics/ssim.hpp>
#include <limpid/metrics/ssim_3d.hpp>
#include <limpid/metrics/unrounded.hpp>

#include <c10/util/Exception.h>

#include <algorithm>
#include <concepts>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace limpid {

/// The files that metrics take their weights from: {"niqe": "niqe_pris_params.npz"}.
using MetricFiles = std::map<std::string, std::filesystem::path>;

/// A metric that can be asked for by its name, and how to make it.
struct MetricEntry {
  std::string name;  ///< as JSON files have it: words with underscores
  std::string file;  ///< what its file holds; nothing for a metric that needs none
  std::function<AnyMetric(const std::filesystem::path&)> make;

  /// One that needs no file, or is there already.
  template <class M>
  requires(Metric<M> || NoReferenceMetric<M> || SetMetric<M>) MetricEntry(M metric)
      : name(std::string_view{metric.name}),
        make([metric = AnyMetric{std::move(metric)}](const auto&) { return metric; }) {}

  /// One with a network or a model of its own, which `of_file` reads.
  MetricEntry(std::string name, std::string file,
              std::function<AnyMetric(const std::filesystem::path&)> of_file)
      : name(std::move(name)), file(std::move(file)), make(std::move(of_file)) {}
};

namespace detail {

template <LPIPSNet Net>
MetricEntry lpips_entry() {
  return {"lpips_" + std::string{lpips_facts(Net).name},
          "BACKBONE,HEADS: " + lpips_backbone_source(Net) + ", and " + lpips_heads_source(Net) +
              "; or one file of the package's whole module",
          [](const auto& files) { return read_lpips(Net, files); }};
}

}  // namespace detail

/// All metrics that programs know by name, the first four first. A new one is a line here.
inline std::vector<MetricEntry> metric_table() {
  using enum MetricChannels;
  const std::string pristine =
      "the pristine photographs that niqe compares with: niqe_pris_params.npz, or what limpid-data "
      "niqe-model wrote";
  return {PSNR<>{},
          PSNRY{},
          SSIMGaussian{},
          SSIMUniform{},
          SSIM3D{},
          PyssimCWSSIM{},
          MSSSIM<>{},
          {"niqe", pristine, [](const auto& file) { return NIQE<>{read_niqe_model(file)}; }},
          PSNR<y_rounded>{},
          GaussianSSIM<y>{},
          GaussianSSIM<y_rounded>{},
          UnroundedPSNR{},
          UnroundedSSIM{},
          PSNRB<>{},
          PSNRB<y>{},
          MSSSIM<gray>{},
          {"niqe_gray", pristine, [](const auto& file) { return NIQEGray{read_niqe_model(file)}; }},
          detail::lpips_entry<LPIPSNet::alex>(),
          detail::lpips_entry<LPIPSNet::vgg>(),
          detail::lpips_entry<LPIPSNet::squeeze>(),
          {"fid", std::string{kInceptionV3Source},
           [](const auto& file) { return FID{load_inception_v3(file)}; }}};
}

/// The metrics of the table that need no file.
inline std::vector<AnyMetric> known_metrics() {
  std::vector<AnyMetric> metrics;
  for (const auto& entry : metric_table()) {
    if (entry.file.empty()) metrics.push_back(entry.make({}));
  }
  return metrics;
}

namespace detail {

/// What stands behind a metric's name: "psnr_y:crop_border=4".
/// @throws c10::ValueError that quotes what is wrong.
inline MetricCrop parse_metric_crop(const std::string& written) {
  MetricCrop crop;
  const auto colon = written.find(':');
  if (colon == written.npos) return crop;
  OptionTexts options;
  std::istringstream texts{written.substr(colon + 1)};
  for (std::string text; std::getline(texts, text, ',');) {
    const auto equals = text.find('=');
    TORCH_CHECK_VALUE(equals != text.npos && equals != 0, "metric '", written,
                      "': expected NAME:OPTION=VALUE, found '", text, "'");
    options.emplace_back(text.substr(0, equals), text.substr(equals + 1));
  }
  TORCH_CHECK_VALUE(!options.empty(), "metric '", written, "': expected an option behind ':'");
  check_set_once(options);
  for (const auto& [option, value] : options) set_option(crop, option, value);
  return crop;
}

/// The entry that a user who wrote `written` means, options left out; hyphens stand for
/// underscores, as everywhere on command lines.
/// @throws c10::ValueError with all names and the nearest.
inline const MetricEntry& metric_entry(const std::vector<MetricEntry>& table,
                                       const std::string& written) {
  auto name = written.substr(0, written.find(':'));
  std::replace(name.begin(), name.end(), '-', '_');
  std::vector<std::string> names;
  for (const auto& entry : table) {
    if (entry.name == name) return entry;
    names.push_back(entry.name);
  }
  refuse_name("a metric", names, name);
}

}  // namespace detail

/// The metrics with these names, in this order: `metrics_by_name({"psnr_rgb", "ssim_gaussian"})`.
/// Behind a name may stand which part of the pictures it looks at, the options of `MetricCrop`:
/// "psnr_y:crop_border=4", "ssim_uniform:multiple_of=16,crop_border=2".
///
/// @param more   others that names may mean, before `metric_table()`: `{NIQE<>{model}, Mine{}}`
/// @param files  of metrics that need one: `{{"niqe", "niqe_pris_params.npz"}}`
/// @throws c10::ValueError for a name that no metric has, that comes twice, without any name, for a
///         metric without its file, or a file of a metric that is not asked for; and what a file
///         that cannot be read throws.
inline std::vector<AnyMetric> metrics_by_name(const std::vector<std::string>& names,
                                              const std::vector<MetricEntry>& more = {},
                                              const MetricFiles& files = {}) {
  auto table = more;
  for (auto& entry : metric_table()) table.push_back(std::move(entry));
  TORCH_CHECK_VALUE(!names.empty(), "expected the name of at least one metric");
  MetricFiles unused;
  for (const auto& [name, file] : files) unused[detail::metric_entry(table, name).name] = file;
  const auto given = unused;

  std::map<std::string, std::optional<AnyMetric>> made;  // one network for all its parts
  std::vector<AnyMetric> chosen;
  for (const auto& name : names) {
    const auto& entry = detail::metric_entry(table, name);
    const auto file = given.find(entry.name);
    TORCH_CHECK_VALUE(entry.file.empty() || file != given.end(), "metric '", entry.name,
                      "' needs a file: ", entry.file);
    TORCH_CHECK_VALUE(!entry.file.empty() || file == given.end(), "metric '", entry.name,
                      "' takes no file, got '", file->second.string(), "'");
    auto& whole = made[entry.name];
    if (!whole) whole = entry.make(entry.file.empty() ? std::filesystem::path{} : file->second);
    auto metric = cropped_metric(*whole, detail::parse_metric_crop(name));
    for (const auto& other : chosen) {
      TORCH_CHECK_VALUE(other.name != metric.name, "metric '", metric.name, "' is named twice");
    }
    chosen.push_back(std::move(metric));
    unused.erase(entry.name);
  }
  TORCH_CHECK_VALUE(unused.empty(), "a file is given for metric '", unused.begin()->first,
                    "', which is not asked for");
  return chosen;
}

}  // namespace limpid
