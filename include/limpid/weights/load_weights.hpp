#pragma once

#include <limpid/core/concepts.hpp>
#include <limpid/io/tensor_file.hpp>
#include <limpid/weights/name_map.hpp>
#include <limpid/weights/named_tensors.hpp>
#include <limpid/weights/weights_report.hpp>

#include <torch/nn.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace limpid {

/// How weights are loaded.
struct LoadOptions {
  bool strict = true;  ///< anything missing, mis-shaped or unexpected is an error, and nothing is
                       ///< loaded; else what fits is loaded and the report says the rest
};

namespace detail {

/// What training code puts around a network's own names: {'model': ...}, Lightning, BasicSR.
inline constexpr std::array<std::string_view, 6> kWrappers{
    "", "model.", "state_dict.", "params.", "params_ema.", "state_dict.model."};

/// A file's tensors by the names inside a wrapper.
struct Unwrapped {
  std::string wrapper;
  std::map<std::string, at::Tensor> tensors;
  std::vector<std::string> beside;  ///< names outside the wrapper
};

/// `name` without its first component "module", which DataParallel adds.
inline std::string without_module(const std::string& name) {
  constexpr std::string_view kModule = "module.";
  if (name.rfind(kModule, 0) == 0) return name.substr(kModule.size());
  const auto at = name.find("." + std::string{kModule});
  return at == std::string::npos ? name : name.substr(0, at + 1) + name.substr(at + 8);
}

/// The file's tensors inside `wrapper`; nothing where there are none, or where two names become
/// one.
inline std::optional<Unwrapped> unwrap(const TensorFile& file, std::string_view wrapper,
                                       bool data_parallel) {
  Unwrapped inside{std::string{wrapper} + (data_parallel ? "module." : ""), {}, {}};
  bool changed = false;
  for (const auto& [name, tensor] : file.tensors) {
    if (name.rfind(wrapper, 0) != 0) {
      inside.beside.push_back(name);
      continue;
    }
    auto own = name.substr(wrapper.size());
    if (data_parallel) {
      auto plain = without_module(own);
      changed = changed || plain != own;
      own = std::move(plain);
    }
    if (!inside.tensors.emplace(std::move(own), tensor).second) return std::nullopt;
  }
  if (inside.tensors.empty() || (data_parallel && !changed)) return std::nullopt;
  return inside;
}

/// The file under the wrapper that shows most of `wanted`; without a wrapper where that is as good.
inline Unwrapped unwrap_for(const TensorFile& file, const std::set<std::string>& wanted) {
  Unwrapped best{"", file.tensors, {}};
  std::size_t most = 0;
  for (const auto wrapper : kWrappers) {
    for (const bool data_parallel : {false, true}) {
      auto inside = unwrap(file, wrapper, data_parallel);
      if (!inside) continue;
      const auto found = static_cast<std::size_t>(
          std::count_if(inside->tensors.begin(), inside->tensors.end(),
                        [&](const auto& item) { return wanted.count(item.first) != 0; }));
      if (found <= most) continue;
      most = found;
      best = *std::move(inside);
    }
  }
  return best;
}

/// How many tensors of a module a file has, under the map's names.
inline std::size_t count_found(const NamedTensors& weights, const TensorFile& file,
                               const NameMap& map) {
  std::set<std::string> wanted;
  for (const auto& [own, tensor] : weights) wanted.insert(map.published(own).value_or(""));
  const auto unwrapped = unwrap_for(file, wanted);
  return static_cast<std::size_t>(
      std::count_if(unwrapped.tensors.begin(), unwrapped.tensors.end(),
                    [&](const auto& item) { return wanted.count(item.first) != 0; }));
}

/// Whether values of one type become values of the other without a change of kind.
inline bool converts(const at::Tensor& from, const at::Tensor& to) {
  return from.is_floating_point() == to.is_floating_point() && !from.is_complex() &&
         !to.is_complex();
}

inline std::string kind_of(const at::Tensor& tensor) {
  return c10::str(tensor.scalar_type(), " ", tensor.sizes());
}

}  // namespace detail

/// Fills tensors from those of a file, under the map's published names: all that was checked, or
/// none.
///
/// Names may stand in a wrapper ('model.', 'state_dict.', 'params.') and after the 'module.' of
/// DataParallel; what stands beside a wrapper is ignored. Half, bfloat16, float and double convert
/// to the module's type.
///
/// @param source  how errors and the report begin, such as "weights 'PATH'"
/// @throws c10::Error that names the tensors at fault; then no tensor has changed. Where nothing
///         fits at all, also without `strict`.
inline WeightsReport load_weights(const NamedTensors& weights, const TensorFile& file,
                                  const std::string& source, const NameMap& map,
                                  LoadOptions options = {}) {
  WeightsReport report;
  report.source = source;
  std::map<std::string, at::Tensor> wanted;  // by published name
  std::set<std::string> names;
  for (const auto& [own, tensor] : weights) {
    const auto published = map.published(own);
    if (!published) {
      report.missing.push_back(own + " (without a published name)");
      continue;
    }
    TORCH_CHECK(wanted.emplace(*published, tensor).second, source, ": two tensors are called '",
                *published, "'; the map does not fit this network");
    names.insert(*published);
  }
  auto unwrapped = detail::unwrap_for(file, names);
  report.wrapper = unwrapped.wrapper;
  report.ignored = std::move(unwrapped.beside);

  std::vector<std::pair<at::Tensor, at::Tensor>> copies;  // from, to
  for (const auto& [name, to] : wanted) {
    const auto found = unwrapped.tensors.find(name);
    if (found == unwrapped.tensors.end()) {
      if (!map.may_lack(map.own(name).value_or(name))) report.missing.push_back(name);
    } else if (found->second.sizes() != to.sizes() || !detail::converts(found->second, to)) {
      report.mis_shaped.push_back({name, detail::kind_of(to), detail::kind_of(found->second)});
    } else {
      report.loaded.push_back(name);
      copies.emplace_back(found->second, to);
    }
  }
  for (const auto& [name, tensor] : unwrapped.tensors) {
    if (names.count(name) != 0) continue;
    (map.ignores(name) ? report.ignored : report.unexpected).push_back(name);
  }

  const bool refused = options.strict && !report.complete();
  TORCH_CHECK(!refused, source, ": its tensors do not fit; ", report.faults());
  TORCH_CHECK(!copies.empty() || wanted.empty(), source, ": none of its tensors fits; ",
              report.faults());
  torch::NoGradGuard no_grad;
  for (auto& [from, to] : copies) to.copy_(from);
  return report;
}

/// Fills a module from a file that limpid or Python wrote: safetensors or PyTorch's .pth.
///
///     const auto report = load_weights(model, "fpn_inception.h5", maps::deblurgan_v2_inception());
///
/// A model of several tasks is named as in its model file, `encoder.NAME` and `decoder.TASK.NAME`.
/// The file's tensors and how they are matched: see the overload above.
template <ModuleHandle H>
WeightsReport load_weights(H module, const std::filesystem::path& path, const NameMap& map = {},
                           LoadOptions options = {}) {
  return load_weights(weights_of(module), read_tensor_file(path), "weights '" + path.string() + "'",
                      map, options);
}

/// The same for tensors collected with `weights_of`.
inline WeightsReport load_weights(const NamedTensors& weights, const std::filesystem::path& path,
                                  const NameMap& map = {}, LoadOptions options = {}) {
  return load_weights(weights, read_tensor_file(path), "weights '" + path.string() + "'", map,
                      options);
}

}  // namespace limpid
