#pragma once

#include <limpid/core/autocast.hpp>
#include <limpid/core/compiled.hpp>
#include <limpid/core/field_of_view.hpp>

#include <ATen/core/Tensor.h>
#include <torch/nn/module.h>

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace limpid::detail {

/// A network compiled for restoring, as it was then. Several threads may run one at once. How it is
/// compiled (engine_network.hpp) is no matter of who restores with it.
class CompiledNetwork {
 public:
  virtual ~CompiledNetwork() = default;

  /// @param image  (1, 3, H, W) in [-1, 1], of any size
  virtual at::Tensor restore(const at::Tensor& image) = 0;

  /// Whether it takes what `WholeMaps::current()` knows as the network itself does.
  virtual bool can_be_told() const = 0;

  virtual std::size_t operators() const = 0;

  /// The operators that are still LibTorch's, by name.
  virtual std::vector<std::string> library_operators() const = 0;
};

/// Only where oneDNN is.
/// @param restore    (1, 3, H, W) in [-1, 1] -> the same; what `module` computes
/// @param precision  `bfloat16` keeps maps, and multiplies, in that; sums are of floats
/// @throws c10::Error, dnnl::error  where it cannot be captured or computes something else than the
///         network itself.
template <class = void>
std::shared_ptr<CompiledNetwork> compile_network(
    torch::nn::Module& module, const std::function<at::Tensor(const at::Tensor&)>& restore,
    const TileNeeds& needs, Precision precision);

#if defined(LIMPID_ONCE) && LIMPID_WITH_ONEDNN
LIMPID_ONCE std::shared_ptr<CompiledNetwork> compile_network<>(
    torch::nn::Module& module, const std::function<at::Tensor(const at::Tensor&)>& restore,
    const TileNeeds& needs, Precision precision);
#endif

}  // namespace limpid::detail
