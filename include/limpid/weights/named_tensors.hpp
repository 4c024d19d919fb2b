#pragma once

#include <limpid/core/compiled.hpp>
#include <limpid/core/concepts.hpp>
#include <limpid/core/modules.hpp>

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#ifdef LIMPID_BODIES
#include <string_view>
#endif

namespace limpid {

/// Tensors by their dotted names, in a module's order. They share storage with the module.
using NamedTensors = std::vector<std::pair<std::string, at::Tensor>>;

namespace detail {

/// Parameters and buffers of a module by their dotted names.
LIMPID_INLINE NamedTensors named_tensors(const torch::nn::Module& module,
                                         const std::string& prefix = "");

/// A list of names for an error: the first few, and how many more.
LIMPID_INLINE std::string listed(const std::vector<std::string>& names);

LIMPID_INLINE void append(NamedTensors& all, const NamedTensors& more);

}  // namespace detail

/// Parameters and buffers of a module, each name after `prefix`. Those of a model of several tasks
/// are called as in its model file: `encoder.NAME` and `decoder.TASK.NAME`.
template <ModuleHandle H>
NamedTensors weights_of(H handle, const std::string& prefix = "") {
  return detail::named_tensors(*handle, prefix);
}

/// Encoder and decoder of one task as one model: `encoder.NAME`, `decoder.TASK.NAME`.
template <ModuleHandle E, ModuleHandle D>
NamedTensors weights_of_pair(E encoder, D decoder, const std::string& task) {
  auto all = weights_of(encoder, "encoder.");
  detail::append(all, weights_of(decoder, "decoder." + task + "."));
  return all;
}

}  // namespace limpid

#ifdef LIMPID_BODIES

namespace limpid::detail {

LIMPID_INLINE NamedTensors named_tensors(const torch::nn::Module& module,
                                         const std::string& prefix) {
  NamedTensors named;
  for (const auto& item : module.named_parameters()) {
    named.emplace_back(prefix + item.key(), item.value());
  }
  for (const auto& item : module.named_buffers()) {
    named.emplace_back(prefix + item.key(), item.value());
  }
  return named;
}

LIMPID_INLINE std::string listed(const std::vector<std::string>& names) {
  constexpr std::size_t kShown = 4;
  std::string text;
  for (std::size_t i = 0; i < names.size() && i < kShown; ++i) {
    text += (i == 0 ? "" : ", ") + names[i];
  }
  if (names.size() > kShown) text += " and " + std::to_string(names.size() - kShown) + " more";
  return text;
}

LIMPID_INLINE void append(NamedTensors& all, const NamedTensors& more) {
  all.insert(all.end(), more.begin(), more.end());
}

}  // namespace limpid::detail

#endif  // LIMPID_BODIES
