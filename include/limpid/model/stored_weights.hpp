#pragma once

#include <limpid/core/compiled.hpp>
#include <limpid/model/state_dict.hpp>

#include <ATen/core/Tensor.h>

#include <string>

#ifdef LIMPID_BODIES
#include <limpid/core/fail.hpp>
#endif

namespace limpid {

/// How many bits a model file keeps of each weight. Networks compute with float32 all the same:
/// loading widens.
enum class StoredWeights {
  float32,  ///< as they are
  float16,  ///< half the bytes; a weight changes by at most 1 / 2048 of itself
};

namespace detail {

/// @throws c10::Error that names a tensor with a weight that float16 cannot hold.
LIMPID_INLINE void narrow(TensorMap& tensors);

/// float32 of what was stored with 16 bits.
LIMPID_INLINE void widen(TensorMap& tensors);

}  // namespace detail
}  // namespace limpid

#ifdef LIMPID_BODIES

namespace limpid::detail {

LIMPID_INLINE void narrow(TensorMap& tensors) {
  for (auto& [name, tensor] : tensors) {
    if (tensor.scalar_type() != at::kFloat) continue;
    const auto narrowed = tensor.to(at::kHalf);
    TORCH_CHECK(narrowed.isfinite().all().item<bool>(), "model file: '", name, "' has a weight of ",
                tensor.abs().max().item<float>(), "; float16 holds at most 65504");
    tensor = narrowed;
  }
}

LIMPID_INLINE void widen(TensorMap& tensors) {
  for (auto& [name, tensor] : tensors) {
    const auto type = tensor.scalar_type();
    if (type == at::kHalf || type == at::kBFloat16) tensor = tensor.to(at::kFloat);
  }
}

}  // namespace limpid::detail

#endif  // LIMPID_BODIES
