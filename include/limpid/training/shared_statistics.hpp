#pragma once

#include <limpid/core/modules.hpp>
#include <limpid/parallel/communicator.hpp>

namespace limpid::detail {

/// Gives all processes what the first's batch norms have seen: what they validate by is what it
/// saves.
inline void share_statistics(torch::nn::Module& module, const Communicator& world) {
  if (world.is_alone()) return;
  const torch::NoGradGuard no_grad;
  for (auto& buffer : module.buffers()) {
    if (!buffer.is_floating_point() || buffer.numel() == 0) continue;
    auto copy = buffer.detach().contiguous();
    world.broadcast(copy);
    if (!copy.is_same(buffer)) buffer.copy_(copy);
  }
}

}  // namespace limpid::detail
