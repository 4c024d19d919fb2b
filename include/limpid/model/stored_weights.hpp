#pragma once

#include <limpid/core/fail.hpp>
#include <limpid/model/state_dict.hpp>

#include <ATen/core/Tensor.h>

#include <string>

namespace limpid {

/// How many bits a model file keeps of each weight. Networks compute with float32 all the same:
/// loading widens.
enum class StoredWeights {
  float32,  ///< as they are
  float16,  ///< half the bytes; a weight changes by at most 1 / 2048 of itself
};

namespace detail {

/// @throws c10::Error that names a tensor with a weight that float16 cannot hold.
inline void narrow(TensorMap& tensors) {
  for (auto& [name, tensor] : tensors) {
    if (tensor.scalar_type() != at::kFloat) continue;
    const auto narrowed = tensor.to(at::kHalf);
    TORCH_CHECK(narrowed.isfinite().all().item<bool>(), "model file: '", name, "' has a weight of ",
                tensor.abs().max().item<float>(), "; float16 holds at most 65504");
    tensor = narrowed;
  }
}

/// float32 of what was stored with 16 bits.
inline void widen(TensorMap& tensors) {
  for (auto& [name, tensor] : tensors) {
    const auto type = tensor.scalar_type();
    if (type == at::kHalf || type == at::kBFloat16) tensor = tensor.to(at::kFloat);
  }
}

}  // namespace detail
}  // namespace limpid
