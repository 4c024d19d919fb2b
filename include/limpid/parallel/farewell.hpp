#pragma once

#include <limpid/core/fail.hpp>
#include <limpid/parallel/has_gloo.hpp>
#include <limpid/parallel/within.hpp>

#if LIMPID_WITH_GLOO

#include <c10/util/intrusive_ptr.h>
#include <torch/csrc/distributed/c10d/Store.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <exception>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace limpid::detail {

inline std::vector<std::uint8_t> bytes_of(const std::string& text) {
  return {text.begin(), text.end()};
}

/// Notes in the store that say, once a call of all processes has failed, whose fault it was: who
/// leaves writes why, who fails because of another reports, and who does neither has died or hangs.
/// The store may hang as well, where the process that serves it does: LibTorch 2 waits for its
/// answers without end, so nothing is asked of it that is not given up in time.
class Farewell {
 public:
  Farewell(c10::intrusive_ptr<c10d::Store> store, std::int64_t rank, std::int64_t size)
      : store_(std::move(store)), rank_(rank), size_(size) {}

  /// Writes why this process leaves; the first reason counts.
  void leave(const std::string& reason) noexcept {
    if (said_) return;
    said_ = true;
    try {
      within(std::chrono::seconds{3}, [store = store_, rank = rank_, reason] {
        store->set(key("left/", rank), bytes_of(reason));
        return true;
      });
    } catch (const std::exception&) {  // nobody is there to read it
    }
  }

  /// @throws c10::Error always: who is at fault, as far as can be known within `patience`
  [[noreturn]] void fail(const std::string& what,
                         std::chrono::milliseconds patience) noexcept(false) {
    if (said_) limpid::fail("this process has left the run already");
    said_ = true;
    std::optional<std::string> why;
    try {
      why = within(patience + kAnswer, [asks = *this, patience] { return asks.blame(patience); });
      if (why) {
        within(patience + kAnswer, [asks = *this, patience] {
          asks.tell(patience);
          return true;
        });
      }
    } catch (const std::exception&) {  // nobody can be asked, or told
    }
    if (!why) {
      why = rank_ == 0 ? "the store where the processes meet fails"
                       : "rank 0, where the processes meet, cannot be reached any more";
    }
    const auto first_line = what.substr(0, what.find('\n'));
    limpid::fail("rank ", rank_, " of ", size_, ": ", *why, " [", first_line, "]");
  }

 private:
  static constexpr std::chrono::seconds kAnswer{2};  // for what is asked last

  static std::string key(const char* kind, std::int64_t rank) {
    return kind + std::to_string(rank);
  }

  std::string blame(std::chrono::milliseconds patience) const {
    store_->set(key("failed/", rank_), bytes_of("1"));
    const auto end = std::chrono::steady_clock::now() + patience;
    while (true) {
      std::string silent;
      if (store_->check({kVerdict})) return text_at(kVerdict);
      for (std::int64_t r = 0; r < size_; ++r) {
        if (store_->check({key("left/", r)})) {
          return "rank " + std::to_string(r) + " failed: " + text_at(key("left/", r));
        }
        if (store_->check({key("failed/", r)})) continue;
        silent += (silent.empty() ? "" : ", ") + std::to_string(r);
      }
      if (silent.empty()) return "the network between the processes fails";
      if (std::chrono::steady_clock::now() >= end) {
        const auto verdict = "rank " + silent + " does not answer: it has ended or hangs";
        store_->set(kVerdict, bytes_of(verdict));
        return verdict;
      }
      std::this_thread::sleep_for(std::chrono::milliseconds{20});
    }
  }

  /// Rank 0 may be where the store is: it stays until the others that failed know why, too, and do
  /// not take it for the one that is lost.
  void tell(std::chrono::milliseconds patience) const {
    store_->set(key("told/", rank_), bytes_of("1"));
    const auto end = std::chrono::steady_clock::now() + patience;
    for (std::int64_t r = 1; rank_ == 0 && r < size_; ++r) {
      while (store_->check({key("failed/", r)}) && !store_->check({key("told/", r)}) &&
             std::chrono::steady_clock::now() < end) {
        std::this_thread::sleep_for(std::chrono::milliseconds{20});
      }
    }
  }

  std::string text_at(const std::string& name) const {
    const auto bytes = store_->get(name);
    return {bytes.begin(), bytes.end()};
  }

  static constexpr const char* kVerdict = "verdict";

  c10::intrusive_ptr<c10d::Store> store_;
  std::int64_t rank_, size_;
  bool said_ = false;
};

}  // namespace limpid::detail

#endif
