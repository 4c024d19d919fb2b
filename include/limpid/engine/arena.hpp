#pragma once

#include <c10/util/Exception.h>

#include <sys/mman.h>

#include <algorithm>
#include <cstddef>
#include <mutex>
#include <new>
#include <utility>
#include <vector>

// Memory of a network's maps: one piece, in which maps that are not needed at the same time lie on
// the same place.

namespace limpid::detail {

/// Memory in huge pages where the system has them, so that its first use costs one fault for 2 MB
/// and not one for 4 KB. Begins at a multiple of 64 bytes.
class HugeBlock {
 public:
  HugeBlock() = default;
  explicit HugeBlock(std::size_t bytes) : bytes_(bytes) {
    if (bytes_ == 0) return;
    constexpr std::size_t kHuge = std::size_t{2} << 20;
    bytes_ = (bytes + kHuge - 1) / kHuge * kHuge;
    data_ = ::mmap(nullptr, bytes_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (data_ == MAP_FAILED) {
      data_ = nullptr;
      throw std::bad_alloc{};
    }
#ifdef MADV_HUGEPAGE
    ::madvise(data_, bytes_, MADV_HUGEPAGE);  // only advice
#endif
  }
  ~HugeBlock() {
    if (data_ != nullptr) ::munmap(data_, bytes_);
  }
  HugeBlock(HugeBlock&& other) noexcept
      : data_(std::exchange(other.data_, nullptr)), bytes_(std::exchange(other.bytes_, 0)) {}
  HugeBlock& operator=(HugeBlock&& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(bytes_, other.bytes_);
    return *this;
  }

  std::byte* data() const { return static_cast<std::byte*>(data_); }
  std::size_t bytes() const { return bytes_; }

 private:
  void* data_ = nullptr;
  std::size_t bytes_ = 0;
};

/// A block that is kept between runs; those that run at the same time have others.
class HugeBlocks {
 public:
  HugeBlock take(std::size_t bytes) {
    {
      const std::lock_guard lock{mutex_};
      if (kept_.bytes() >= bytes && kept_.bytes() / 2 <= bytes) return std::move(kept_);
      kept_ = HugeBlock{};
    }
    return HugeBlock{bytes};
  }

  void give(HugeBlock block) {
    const std::lock_guard lock{mutex_};
    if (block.bytes() > kept_.bytes()) std::swap(kept_, block);
  }

 private:
  std::mutex mutex_;
  HugeBlock kept_;
};

/// Numbers that live from one step to another.
struct ArenaPiece {
  std::size_t bytes = 0;
  std::size_t first = 0, last = 0;  ///< steps, both included
  std::size_t offset = 0;           ///< where it lies: `plan_arena` says
};

/// Gives each piece a place: the lowest one that is free while it lives, large pieces first.
/// @return the bytes of the whole
inline std::size_t plan_arena(std::vector<ArenaPiece>& pieces) {
  constexpr std::size_t kLine = 64;
  std::vector<std::size_t> order(pieces.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return pieces[a].bytes > pieces[b].bytes; });
  std::vector<std::size_t> placed;  // by offset
  std::size_t whole = 0;
  for (const auto next : order) {
    auto& piece = pieces[next];
    piece.bytes = (piece.bytes + kLine - 1) / kLine * kLine;
    std::size_t offset = 0;
    for (const auto other : placed) {
      const auto& there = pieces[other];
      const bool meets = there.first <= piece.last && piece.first <= there.last;
      if (!meets || there.offset + there.bytes <= offset) continue;
      if (there.offset >= offset + piece.bytes) break;
      offset = there.offset + there.bytes;
    }
    piece.offset = offset;
    whole = std::max(whole, offset + piece.bytes);
    const auto place = std::upper_bound(
        placed.begin(), placed.end(), offset,
        [&](std::size_t value, std::size_t other) { return value < pieces[other].offset; });
    placed.insert(place, next);
  }
  return whole;
}

}  // namespace limpid::detail
