#pragma once

#include <limpid/core/concepts.hpp>
#include <limpid/core/modules.hpp>
#include <limpid/io/safetensors.hpp>
#include <limpid/weights/name_map.hpp>
#include <limpid/weights/named_tensors.hpp>

#include <filesystem>
#include <map>
#include <string>
#include <utility>

namespace limpid {

/// What is written besides the module's own tensors.
struct SaveOptions {
  bool for_published_code = false;  ///< also the second names of the map's duplicates, and running
                                    ///< statistics (mean 0, variance 1) of instance norms that
                                    ///< published code keeps: its strict loading asks for them
};

namespace detail {

inline void add_for_published_code(TensorFile& file, const NameMap& map) {
  std::map<std::string, at::Tensor> more;
  for (const auto& [name, tensor] : file.tensors) {
    for (const auto& copy : map.duplicates_of(name)) more[copy] = tensor;
    for (const auto& norm : map.norms_of(name)) {
      const auto options = tensor.options().requires_grad(false);
      more[norm + ".running_mean"] = torch::zeros({tensor.size(0)}, options);
      more[norm + ".running_var"] = torch::ones({tensor.size(0)}, options);
      more[norm + ".num_batches_tracked"] = torch::zeros({}, options.dtype(at::kLong));
    }
  }
  file.tensors.merge(more);
}

}  // namespace detail

/// Tensors under the map's published names, as `save_weights` writes them.
/// @throws c10::ValueError if a tensor has no published name, or one that does not lead back.
inline TensorFile publish(const NamedTensors& weights, const NameMap& map,
                          SaveOptions options = {}) {
  TensorFile file;
  for (const auto& [own, tensor] : weights) {
    const auto name = map.published(own);
    TORCH_CHECK_VALUE(name, "save_weights: the map has no published name for '", own, "'");
    TORCH_CHECK_VALUE(map.own(*name) == own, "save_weights: '", own, "' would be saved as '", *name,
                      "', which leads back to '", map.own(*name).value_or("nothing"), "'");
    file.tensors[*name] = tensor.detach();
  }
  if (options.for_published_code) detail::add_for_published_code(file, map);
  file.metadata["format"] = "pt";  // as Python's writer has it, and some readers ask
  return file;
}

/// Writes a module's weights as safetensors under published names, atomically, for Python:
/// `module.load_state_dict(safetensors.torch.load_file(PATH))`.
///
/// @throws c10::ValueError if a tensor has no published name, or one that does not lead back.
/// @throws c10::Error that names the file if it cannot be written.
template <ModuleHandle H>
void save_weights(H module, const std::filesystem::path& path, const NameMap& map = {},
                  SaveOptions options = {}) {
  write_safetensors(path, publish(weights_of(module), map, options));
}

/// The same for tensors collected with `weights_of`.
inline void save_weights(const NamedTensors& weights, const std::filesystem::path& path,
                         const NameMap& map = {}, SaveOptions options = {}) {
  write_safetensors(path, publish(weights, map, options));
}

}  // namespace limpid
