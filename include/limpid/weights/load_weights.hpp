#pragma once

#include <limpid/core/compiled.hpp>
#include <limpid/core/concepts.hpp>
#include <limpid/core/modules.hpp>
#include <limpid/io/tensor_file.hpp>
#include <limpid/io/tensor_index.hpp>
#include <limpid/weights/find_weights.hpp>
#include <limpid/weights/name_map.hpp>
#include <limpid/weights/named_tensors.hpp>
#include <limpid/weights/weights_report.hpp>

#include <cstddef>
#include <filesystem>
#include <map>
#include <string>
#include <utility>
#include <vector>

#ifdef LIMPID_BODIES
#include <limpid/core/finite.hpp>

#endif

namespace limpid {

/// How weights are loaded.
struct LoadOptions {
  bool strict = true;    ///< anything missing, mis-shaped or unexpected is an error, and nothing is
                         ///< loaded; else what fits is loaded and the report says the rest
  std::string key = {};  ///< of a file with several sets of weights the one to take: "params";
                         ///< empty: what fits best, averaged weights before raw ones
};

namespace detail {

/// Tensors of a network by their published names.
struct WantedWeights {
  std::map<std::string, at::Tensor> tensors;
  std::vector<std::string> unpublished;  ///< limpid's names without a published one

  /// @throws c10::Error that begins with `source` where two tensors have one published name.
  WantedWeights(const NamedTensors& weights, const NameMap& map, const std::string& source);
};

/// Where in a file the tensors of a network stand under the map's names.
LIMPID_INLINE FoundWeights find_weights_of(const NamedTensors& weights, const TensorIndex& file,
                                           const NameMap& map, const FindOptions& options);

template <class Shape>
std::string kind_of(at::ScalarType type, const Shape& shape) {
  return c10::str(type, " ", at::IntArrayRef{shape});
}

}  // namespace detail

/// Fills tensors from those of a file, under the map's published names: all that was checked, or
/// none.
///
/// Names may stand at any level of the file and after any prefix (`find_weights`); what stands
/// beside that level is not read. Floating types convert to the module's type.
///
/// @param source  how errors and the report begin, such as "weights 'PATH'"
/// @throws c10::Error that names the tensors at fault: of another shape or type, not finite.
///         Then no tensor has changed. Where nothing fits at all, also without `strict`. Where two
///         levels of the file fit equally well.
LIMPID_INLINE WeightsReport load_weights(const NamedTensors& weights, const TensorIndex& file,
                                         const std::string& source, const NameMap& map,
                                         LoadOptions options = {});

/// The same for tensors in memory.
LIMPID_INLINE WeightsReport load_weights(const NamedTensors& weights, const TensorFile& file,
                                         const std::string& source, const NameMap& map,
                                         LoadOptions options = {});

/// Fills a module from a file that limpid or Python wrote: safetensors or PyTorch's .pth.
///
///     load_weights(model, "fpn_inception.h5", maps::deblurgan_v2_fpn_inception("deblur"));
///
/// A model of several tasks is named as in its model file, `encoder.NAME` and `decoder.TASK.NAME`.
/// The file's tensors and how they are matched: see the overload above.
template <ModuleHandle H>
WeightsReport load_weights(H module, const std::filesystem::path& path, const NameMap& map = {},
                           LoadOptions options = {}) {
  return load_weights(weights_of(module), index_tensor_file(path),
                      "weights '" + path.string() + "'", map, std::move(options));
}

/// The same for tensors collected with `weights_of`.
LIMPID_INLINE WeightsReport load_weights(const NamedTensors& weights,
                                         const std::filesystem::path& path, const NameMap& map = {},
                                         LoadOptions options = {});

}  // namespace limpid

#ifdef LIMPID_BODIES

namespace limpid::detail {

LIMPID_INLINE WantedWeights::WantedWeights(const NamedTensors& weights, const NameMap& map,
                                           const std::string& source) {
  for (const auto& [own, tensor] : weights) {
    const auto published = map.published(own);
    if (!published) {
      unpublished.push_back(own);
      continue;
    }
    TORCH_CHECK(tensors.emplace(*published, tensor).second, source, ": two tensors are called '",
                *published, "'; the map does not fit this network");
  }
}

LIMPID_INLINE FoundWeights find_weights_of(const NamedTensors& weights, const TensorIndex& file,
                                           const NameMap& map, const FindOptions& options) {
  const WantedWeights wanted{weights, map, options.source};
  const auto may_lack = [&](const auto& name) {
    return map.may_lack(map.own(name).value_or(name));
  };
  return find_weights(file, wanted.tensors, may_lack, options);
}

}  // namespace limpid::detail

namespace limpid {

LIMPID_INLINE WeightsReport load_weights(const NamedTensors& weights, const TensorIndex& file,
                                         const std::string& source, const NameMap& map,
                                         LoadOptions options) {
  const detail::WantedWeights wanted{weights, map, source};
  const auto found = detail::find_weights_of(weights, file, map, {options.key, source});
  WeightsReport report;
  report.source = source;
  report.wrapper = found.prefix;
  report.averaged = found.averaged;
  report.others = found.others;
  report.ignored = found.beside;
  report.passed_over = file.passed_over;
  for (const auto& own : wanted.unpublished) {
    report.missing.push_back(own + " (without a published name)");
    report.untouched.push_back(own);
  }

  std::vector<std::pair<std::string, at::Tensor>> copies;  // name in the file, target
  for (const auto& [name, to] : wanted.tensors) {
    const auto known = found.names.find(name);
    if (known == found.names.end()) {
      if (map.may_lack(map.own(name).value_or(name))) continue;
      report.missing.push_back(name);
      report.untouched.push_back(name);
      continue;
    }
    const auto& from = file.tensors.at(known->second);
    if (to.sizes() != from.shape || !detail::converts(from.type, to.scalar_type())) {
      report.mis_shaped.push_back({name, detail::kind_of(to.scalar_type(), to.sizes()),
                                   detail::kind_of(from.type, from.shape)});
      report.untouched.push_back(name);
    } else {
      report.loaded.push_back(name);
      copies.emplace_back(known->second, to);
    }
  }
  for (const auto& [name, in_file] : found.names) {
    if (wanted.tensors.count(name) != 0) continue;
    const auto& stored = file.tensors.at(in_file).stored;
    if (map.ignores(name)) {
      report.ignored.push_back(name);
    } else if (stored.rfind("float8", 0) == 0) {  // scales and copies of quantised weights
      report.passed_over[name] = "a tensor of type " + stored + " that is not needed";
    } else {
      report.unexpected.push_back(name);
    }
  }

  const bool refused = options.strict && !report.complete();
  TORCH_CHECK(!refused, source, ": its tensors do not fit; ", report.faults());
  TORCH_CHECK(!copies.empty() || wanted.tensors.empty(), source, ": none of its tensors fits; ",
              report.faults());
  check_one_level(found, source);
  NamedTensors read;
  for (const auto& [name, to] : copies) read.emplace_back(name, file.tensors.at(name).read());
  check_finite(read, source);
  torch::NoGradGuard no_grad;
  for (std::size_t i = 0; i < copies.size(); ++i) copies[i].second.copy_(read[i].second);
  return report;
}

LIMPID_INLINE WeightsReport load_weights(const NamedTensors& weights, const TensorFile& file,
                                         const std::string& source, const NameMap& map,
                                         LoadOptions options) {
  return load_weights(weights, index_of(file), source, map, std::move(options));
}

LIMPID_INLINE WeightsReport load_weights(const NamedTensors& weights,
                                         const std::filesystem::path& path, const NameMap& map,
                                         LoadOptions options) {
  return load_weights(weights, index_tensor_file(path), "weights '" + path.string() + "'", map,
                      std::move(options));
}

}  // namespace limpid

#endif  // LIMPID_BODIES
