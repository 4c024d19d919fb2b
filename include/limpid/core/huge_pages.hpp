#pragma once

#include <limpid/core/machine_memory.hpp>
#include <limpid/core/memory_arena.hpp>

#include <c10/core/Allocator.h>
#include <c10/core/CPUAllocator.h>

#include <sys/resource.h>
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string_view>

namespace limpid {

/// What `use_huge_pages` does.
struct HugePages {
  /// Bytes of the least tensor that is kept in huge pages.
  std::size_t least = std::size_t{1} << 20;
  /// Bytes that are kept while no tensor has them; 0: a quarter of the machine's memory.
  std::size_t most = 0;
};

namespace detail {

/// LibTorch's allocator of the CPU, with large blocks from an arena.
class HugePageAllocator final : public c10::Allocator {
 public:
  HugePageAllocator(c10::Allocator& beneath, std::size_t addresses, const HugePages& pages)
      : beneath_(beneath), arena_(addresses, pages.most), least_(pages.least) {}

  // LibTorch's `allocate` is const in some versions and not in others, and `copy_data` is new.
  c10::DataPtr allocate(std::size_t bytes) const { return allocated(bytes); }
  c10::DataPtr allocate(std::size_t bytes) { return allocated(bytes); }
  c10::DeleterFnPtr raw_deleter() const { return &free; }
  void copy_data(void* to, const void* from, std::size_t bytes) const {
    std::memcpy(to, from, bytes);
  }

  const MemoryArena& arena() const { return arena_; }

  /// The one that LibTorch uses; null before there is one.
  static HugePageAllocator*& of_process() {
    static HugePageAllocator* one = nullptr;
    return one;
  }

 private:
  c10::DataPtr allocated(std::size_t bytes) const {
    if (bytes >= least_) {
      if (void* block = arena_.take(bytes)) return {block, block, &free, c10::Device(c10::kCPU)};
    }
    return beneath_.allocate(bytes);
  }

  static void free(void* block) {
    auto& self = *of_process();
    if (self.arena_.owns(block)) {
      self.arena_.give(block);
    } else {
      self.beneath_.raw_deleter()(block);
    }
  }

  c10::Allocator& beneath_;
  mutable MemoryArena arena_;
  std::size_t least_;
};

/// Whether the C library puts large blocks into huge pages itself.
inline bool libc_uses_huge_pages() {
  const char* tunables = std::getenv("GLIBC_TUNABLES");
  return tunables != nullptr &&
         std::string_view{tunables}.find("malloc.hugetlb") != std::string_view::npos;
}

}  // namespace detail

/// From now on, and for the rest of the process, large tensors of the CPU lie in huge pages, and
/// their memory is kept for the next ones. LibTorch asks the system for each large tensor anew, and
/// every 4 KB of it then cost a page fault (docs/kernels.md has what that takes). For the beginning
/// of `main`, before threads are started; a second call changes nothing. Tensors that are there
/// already stay where they are.
///
/// @return  whether it holds: not where the C library does the same (GLIBC_TUNABLES names
///          glibc.malloc.hugetlb), where the shell limits addresses (ulimit -v), and where an
///          AddressSanitizer is to watch each block.
inline bool use_huge_pages(HugePages pages = {}) {
#ifdef __SANITIZE_ADDRESS__
  static_cast<void>(pages);
  return false;
#else
  if (detail::HugePageAllocator::of_process() != nullptr) return true;
  rlimit limit{};
  const bool limited = ::getrlimit(RLIMIT_AS, &limit) != 0 || limit.rlim_cur != RLIM_INFINITY;
  if (limited || detail::libc_uses_huge_pages()) return false;
  // What is larger than that, LibTorch's own allocator refuses in its own words.
  const auto addresses = std::min(machine_memory(), std::uint64_t{1} << 42);
  if (pages.most == 0) pages.most = static_cast<std::size_t>(addresses / 4);
  // Tensors of static lifetime may be the last to go, so it is never destroyed.
  auto allocator = std::make_unique<detail::HugePageAllocator>(
      *c10::GetCPUAllocator(), static_cast<std::size_t>(addresses), pages);
  if (!allocator->arena().is_there()) return false;
  detail::HugePageAllocator::of_process() = allocator.get();
  c10::SetCPUAllocator(allocator.release(), /*priority=*/1);
  return true;
#endif
}

}  // namespace limpid
