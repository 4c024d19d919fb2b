#pragma once

#include <limpid/core/compiled.hpp>

#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>

#include <cstddef>
#include <cstdint>
#include <list>
#include <mutex>
#include <utility>

#ifdef LIMPID_BODIES
#include <algorithm>
#endif

namespace limpid::detail {

/// Blocks of memory that are lent and come back. Fresh memory from the system costs a page fault
/// for every 4 KB, as much as a small convolution takes; a lent block costs nothing.
class WorkspacePool {
 public:
  /// @param most  bytes to keep while they are not lent
  explicit WorkspacePool(std::size_t most) : most_(most) {}

  /// A block of at least `bytes`, and at most twice as many; undefined for none.
  at::Tensor take(std::size_t bytes);

  /// Takes a block back. Those that came back longest ago go when there are too many.
  void give(at::Tensor block);

  std::size_t kept() const;

  /// The pool of this process.
  static WorkspacePool& of_process();

 private:
  std::size_t most_;
  std::size_t kept_ = 0;
  mutable std::mutex mutex_;
  std::list<at::Tensor> blocks_;
};

/// A block of the process's pool while it lives.
class Workspace {
 public:
  explicit Workspace(std::size_t bytes) : block_(WorkspacePool::of_process().take(bytes)) {}
  ~Workspace() {
    if (block_.defined()) WorkspacePool::of_process().give(std::move(block_));
  }
  Workspace(Workspace&& other) noexcept : block_(std::move(other.block_)) {}
  Workspace& operator=(Workspace&&) = delete;

  /// Null for a block of no bytes.
  void* data() const;

 private:
  at::Tensor block_;
};

}  // namespace limpid::detail

#ifdef LIMPID_BODIES

namespace limpid::detail {

LIMPID_INLINE at::Tensor WorkspacePool::take(std::size_t bytes) {
  if (bytes == 0) return {};
  {
    const std::lock_guard lock{mutex_};
    auto best = blocks_.end();
    for (auto block = blocks_.begin(); block != blocks_.end(); ++block) {
      if (block->nbytes() < bytes || block->nbytes() > 2 * bytes) continue;
      if (best == blocks_.end() || block->nbytes() < best->nbytes()) best = block;
    }
    if (best != blocks_.end()) {
      auto block = std::move(*best);
      blocks_.erase(best);
      kept_ -= block.nbytes();
      return block;
    }
  }
  return at::empty({static_cast<std::int64_t>(bytes)}, at::kByte);
}

LIMPID_INLINE void WorkspacePool::give(at::Tensor block) {
  const std::lock_guard lock{mutex_};
  kept_ += block.nbytes();
  blocks_.push_back(std::move(block));
  while (kept_ > most_) {
    kept_ -= blocks_.front().nbytes();
    blocks_.pop_front();
  }
}

LIMPID_INLINE std::size_t WorkspacePool::kept() const {
  const std::lock_guard lock{mutex_};
  return kept_;
}

LIMPID_INLINE WorkspacePool& WorkspacePool::of_process() {
  static WorkspacePool pool{std::size_t{128} << 20};
  return pool;
}

LIMPID_INLINE void* Workspace::data() const {
  return block_.defined() ? block_.data_ptr() : nullptr;
}

}  // namespace limpid::detail

#endif  // LIMPID_BODIES
