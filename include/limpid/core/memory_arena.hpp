#pragma once

#include <sys/mman.h>
#include <unistd.h>
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <map>
#include <mutex>
#include <unordered_map>
#include <vector>

namespace limpid::detail {

/// Large blocks of memory from one range of addresses that the system backs by huge pages. What
/// comes back is joined with its neighbours and kept for the next blocks, up to a bound. Safe for
/// several threads at once.
class MemoryArena {
 public:
  static constexpr std::size_t kHugePage = std::size_t{2} << 20;
  static constexpr std::size_t kStep = 4096;  ///< blocks begin and end at multiples of it

  /// @param addresses  bytes of addresses to reserve; they take no memory before they are used
  /// @param most       bytes to keep while no block has them
  MemoryArena(std::size_t addresses, std::size_t most) : most_(most) {
    addresses = rounded(addresses, kHugePage);
    void* start = ::mmap(nullptr, addresses + kHugePage, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (start == MAP_FAILED) return;
    mapped_ = static_cast<std::byte*>(start);
    mapped_bytes_ = addresses + kHugePage;
    const auto address = reinterpret_cast<std::uintptr_t>(start);
    begin_ = mapped_ + (rounded(address, kHugePage) - address);
    used_pages_.resize(addresses / kHugePage);
    free_.emplace(0, addresses);
#ifdef MADV_HUGEPAGE
    ::madvise(begin_, addresses, MADV_HUGEPAGE);  // refused where the kernel has none: small pages
#endif
  }
  ~MemoryArena() {
    if (mapped_ != nullptr) ::munmap(mapped_, mapped_bytes_);
  }
  MemoryArena(const MemoryArena&) = delete;
  MemoryArena& operator=(const MemoryArena&) = delete;

  /// Whether the system let it reserve its addresses.
  bool is_there() const { return begin_ != nullptr; }

  /// A block of at least `bytes`; null where no range of addresses is large enough.
  void* take(std::size_t bytes) {
    const auto size = rounded(std::max<std::size_t>(bytes, 1), kStep);
    const std::lock_guard lock{mutex_};
    // The first that is large enough: the end of the range stays free as long as it can.
    for (auto range = free_.begin(); range != free_.end(); ++range) {
      const auto [at, length] = *range;
      if (length < size) continue;
      free_.erase(range);
      if (length > size) free_.emplace(at + size, length - size);
      taken_.emplace(at, size);
      in_use_ += size;
      for (auto page = at / kHugePage; page <= (at + size - 1) / kHugePage; ++page) {
        if (!used_pages_[page]) ++pages_;
        used_pages_[page] = true;
        highest_ = std::max(highest_, page);
      }
      return begin_ + at;
    }
    return nullptr;
  }

  /// Whether `block` is one of the arena's.
  bool owns(const void* block) const {
    const auto* byte = static_cast<const std::byte*>(block);
    return is_there() && byte >= begin_ && byte < begin_ + used_pages_.size() * kHugePage;
  }

  /// Takes back what `take` gave.
  void give(void* block) {
    const std::lock_guard lock{mutex_};
    const auto found =
        taken_.find(static_cast<std::size_t>(static_cast<std::byte*>(block) - begin_));
    auto at = found->first, size = found->second;
    taken_.erase(found);
    in_use_ -= size;
    const auto after = free_.lower_bound(at);
    if (after != free_.begin()) {
      const auto before = std::prev(after);
      if (before->first + before->second == at) {
        at = before->first;
        size += before->second;
        free_.erase(before);
      }
    }
    if (after != free_.end() && at + size == after->first) {
      size += after->second;
      free_.erase(after);
    }
    free_.emplace(at, size);
    if (unused() > most_) release();
  }

  /// Bytes that the arena keeps and no block has.
  std::size_t kept() const {
    const std::lock_guard lock{mutex_};
    return unused();
  }

  /// Bytes of all blocks.
  std::size_t in_use() const {
    const std::lock_guard lock{mutex_};
    return in_use_;
  }

 private:
  static constexpr std::size_t rounded(std::size_t bytes, std::size_t step) {
    return (bytes + step - 1) / step * step;
  }

  std::size_t unused() const { return pages_ * kHugePage - in_use_; }

  /// Gives free pages to the system, from the end of the range on, until no more than the bound are
  /// kept.
  void release() {
    for (auto range = free_.rbegin(); range != free_.rend() && unused() > most_; ++range) {
      const auto first = rounded(range->first, kHugePage) / kHugePage;
      const auto end = (range->first + range->second) / kHugePage;
      for (auto page = std::min(end, highest_ + 1); page > first && unused() > most_; --page) {
        if (!used_pages_[page - 1]) continue;
        ::madvise(begin_ + (page - 1) * kHugePage, kHugePage, MADV_DONTNEED);
        used_pages_[page - 1] = false;
        --pages_;
      }
    }
  }

  std::byte* mapped_ = nullptr;
  std::size_t mapped_bytes_ = 0;
  std::byte* begin_ = nullptr;  ///< the first huge page
  std::size_t most_;
  std::size_t in_use_ = 0, pages_ = 0;
  std::size_t highest_ = 0;  ///< page that was ever used
  std::vector<bool> used_pages_;
  std::map<std::size_t, std::size_t> free_;             ///< from where, how many bytes
  std::unordered_map<std::size_t, std::size_t> taken_;  ///< likewise
  mutable std::mutex mutex_;
};

}  // namespace limpid::detail
