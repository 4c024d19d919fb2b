#pragma once

#include <limpid/core/compiled.hpp>
#include <limpid/core/modules.hpp>

#include <map>
#include <string>
#include <utility>
#include <vector>

#ifdef LIMPID_BODIES
#include <limpid/core/concepts.hpp>
#include <limpid/io/safetensors.hpp>
#include <limpid/weights/named_tensors.hpp>

#include <string_view>
#endif

namespace limpid {

using TensorMap = std::map<std::string, at::Tensor>;

namespace detail {

/// Adds a module's tensors to `tensors` as PREFIX + their names; they share storage.
LIMPID_INLINE void collect_tensors(const torch::nn::Module& module, const std::string& prefix,
                                   TensorMap& tensors);

/// Tensors to be filled from a file, by name; `apply` fills all of them or none.
class TensorLoader {
 public:
  void expect(const std::string& name, const at::Tensor& tensor);

  void expect_module(const torch::nn::Module& module, const std::string& prefix);

  /// Copies the values in, after a check that every expected tensor is there in its shape and
  /// type, and that nothing else whose name starts with one of `prefixes` is.
  /// @throws c10::Error that begins with `source` and names the tensors at fault.
  void apply(const TensorMap& tensors, const std::string& source,
             const std::vector<std::string>& prefixes) const;

 private:
  std::vector<std::pair<std::string, at::Tensor>> expected_;
};

}  // namespace detail
}  // namespace limpid

#ifdef LIMPID_BODIES

namespace limpid::detail {

LIMPID_INLINE void collect_tensors(const torch::nn::Module& module, const std::string& prefix,
                                   TensorMap& tensors) {
  for (const auto& [name, tensor] : named_tensors(module)) {
    tensors[prefix + name] = tensor.detach();
  }
}

LIMPID_INLINE void TensorLoader::expect(const std::string& name, const at::Tensor& tensor) {
  expected_.emplace_back(name, tensor);
}

LIMPID_INLINE void TensorLoader::expect_module(const torch::nn::Module& module,
                                               const std::string& prefix) {
  for (const auto& [name, tensor] : named_tensors(module)) expect(prefix + name, tensor);
}

LIMPID_INLINE void TensorLoader::apply(const TensorMap& tensors, const std::string& source,
                                       const std::vector<std::string>& prefixes) const {
  std::vector<std::string> missing, mismatched, unexpected;
  std::map<std::string_view, bool> known;
  for (const auto& [name, tensor] : expected_) {
    known[name] = true;
    const auto found = tensors.find(name);
    if (found == tensors.end()) {
      missing.push_back(name);
    } else if (found->second.sizes() != tensor.sizes() ||
               found->second.scalar_type() != tensor.scalar_type()) {
      mismatched.push_back(c10::str(name, " (expected ", tensor.scalar_type(), " ", tensor.sizes(),
                                    ", found ", found->second.scalar_type(), " ",
                                    found->second.sizes(), ")"));
    }
  }
  for (const auto& [name, tensor] : tensors) {
    for (const auto& prefix : prefixes) {
      if (name.rfind(prefix, 0) == 0 && known.count(name) == 0) unexpected.push_back(name);
    }
  }
  std::string faults;
  const auto add = [&](const char* what, const std::vector<std::string>& names) {
    if (!names.empty()) faults += (faults.empty() ? "" : "; ") + (what + listed(names));
  };
  add("missing: ", missing);
  add("mismatched: ", mismatched);
  add("unexpected: ", unexpected);
  TORCH_CHECK(faults.empty(), source, ": its tensors do not fit the model; ", faults);

  torch::NoGradGuard no_grad;
  for (const auto& [name, tensor] : expected_) {
    auto target = tensor;
    target.copy_(tensors.at(name));
  }
}

}  // namespace limpid::detail

#endif  // LIMPID_BODIES
