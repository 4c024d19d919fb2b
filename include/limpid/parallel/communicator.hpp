#pragma once

#include <limpid/core/compiled.hpp>

#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/zeros.h>
#include <c10/util/Exception.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#ifdef LIMPID_BODIES
#include <cstring>
#endif

namespace limpid {

/// What several processes talk over; `join` (rendezvous.hpp) makes one.
class CommunicatorGroup {
 public:
  virtual ~CommunicatorGroup() = default;
  virtual std::int64_t rank() const = 0;
  virtual std::int64_t size() const = 0;
  virtual void sum(at::Tensor& buffer) = 0;
  virtual void broadcast(at::Tensor& buffer, std::int64_t root) = 0;
  /// Why buffers of this kind cannot be added up; empty where they can.
  virtual std::string why_no_sum(const at::Tensor& of_this_kind) = 0;
  /// Whether a call with this buffer has ended when it returns; if not, a graphics card ends it,
  /// and whoever reads the buffer waits.
  virtual bool ends_at_once(const at::Tensor&) const { return true; }
  /// Leaves a reason for the others, whose next calls fail with it.
  virtual void leave(const std::string& reason) noexcept = 0;
};

/// What went through a communicator so far.
struct Traffic {
  std::int64_t calls = 0;
  std::int64_t bytes = 0;     ///< of the buffers, as this process gave them
  double seconds = 0;         ///< that this process waited, for others or for the network
  std::int64_t unwaited = 0;  ///< calls that a graphics card ended later: `seconds` lacks them

  friend Traffic operator-(const Traffic& now, const Traffic& then) {
    return {now.calls - then.calls, now.bytes - then.bytes, now.seconds - then.seconds,
            now.unwaited - then.unwaited};
  }
};

/// The processes that train together, as each of them sees them. By default there is one, and all
/// calls return at once.
///
/// Each call is made by all processes, in the same order and with tensors of the same shape and
/// type, and comes back when all have made it. Copies share one connection, which one thread at a
/// time may use.
///
/// @throws c10::Error where another process does not answer in time, has ended, or has left: the
///         error names its rank and, where it is known, the reason.
class Communicator {
 public:
  /// One process.
  Communicator() = default;

  explicit Communicator(std::shared_ptr<CommunicatorGroup> group) : group_(std::move(group)) {}

  std::int64_t rank() const;
  std::int64_t size() const { return group_ == nullptr ? 1 : group_->size(); }

  /// Whether this is the only process.
  bool is_alone() const { return group_ == nullptr; }

  /// Whether this process is the one that writes files and talks to the user.
  bool is_first() const;

  /// Adds up a buffer of all processes, in place; the sum is the same on each, bit by bit.
  /// @param buffer  contiguous
  void sum(at::Tensor buffer) const;

  /// Why numbers of this type on this device cannot be added up; empty where they can. Known after
  /// a trial, so all processes ask.
  std::string why_no_sum(at::ScalarType type, c10::Device device) const;

  /// Whether any process says so.
  bool any(bool here) const;

  /// Gives all processes the buffer of one, in place.
  /// @param buffer  contiguous
  void broadcast(at::Tensor buffer, std::int64_t root = 0) const;

  /// The text of process `root`.
  std::string broadcast_text(std::string text, std::int64_t root = 0) const;

  /// The texts of all processes, by rank.
  std::vector<std::string> gather_text(const std::string& text) const;

  /// Waits until all processes are here.
  void barrier() const;

  /// Says why this process takes part no longer: the next calls of the others fail with that.
  void leave(const std::string& reason) const noexcept;

  const Traffic& traffic() const { return *traffic_; }

 private:
  template <class F>
  void timed(const at::Tensor& buffer, F f) const {
    TORCH_CHECK_VALUE(buffer.is_contiguous(), "Communicator: expected a contiguous buffer, got ",
                      buffer.sizes(), " with strides ", buffer.strides());
    using Clock = std::chrono::steady_clock;
    const auto began = Clock::now();
    f();
    ++traffic_->calls;
    traffic_->bytes += static_cast<std::int64_t>(buffer.nbytes());
    traffic_->seconds += std::chrono::duration<double>(Clock::now() - began).count();
    if (!group_->ends_at_once(buffer)) ++traffic_->unwaited;
  }

  std::shared_ptr<CommunicatorGroup> group_;
  std::shared_ptr<Traffic> traffic_ = std::make_shared<Traffic>();
};

}  // namespace limpid

#ifdef LIMPID_BODIES

namespace limpid {

LIMPID_INLINE std::int64_t Communicator::rank() const {
  return group_ == nullptr ? 0 : group_->rank();
}

LIMPID_INLINE bool Communicator::is_first() const { return rank() == 0; }

LIMPID_INLINE void Communicator::sum(at::Tensor buffer) const {
  if (group_ != nullptr) timed(buffer, [&] { group_->sum(buffer); });
}

LIMPID_INLINE std::string Communicator::why_no_sum(at::ScalarType type, c10::Device device) const {
  if (group_ == nullptr) return "";
  return group_->why_no_sum(at::zeros({1}, at::TensorOptions().dtype(type).device(device)));
}

LIMPID_INLINE bool Communicator::any(bool here) const {
  auto count = at::zeros({1}, at::kInt);
  count.fill_(here ? 1 : 0);
  sum(count);
  return count.item<int>() > 0;
}

LIMPID_INLINE void Communicator::broadcast(at::Tensor buffer, std::int64_t root) const {
  if (group_ != nullptr) timed(buffer, [&] { group_->broadcast(buffer, root); });
}

LIMPID_INLINE std::string Communicator::broadcast_text(std::string text, std::int64_t root) const {
  if (group_ == nullptr) return text;
  auto length = at::zeros({1}, at::kLong);
  length.fill_(static_cast<std::int64_t>(text.size()));
  broadcast(length, root);
  auto bytes = at::empty({length.item<std::int64_t>()}, at::kByte);
  if (bytes.numel() == 0) return "";
  if (rank() == root) std::memcpy(bytes.data_ptr(), text.data(), text.size());
  broadcast(bytes, root);
  return {static_cast<const char*>(bytes.data_ptr()), static_cast<std::size_t>(bytes.numel())};
}

LIMPID_INLINE std::vector<std::string> Communicator::gather_text(const std::string& text) const {
  std::vector<std::string> texts;
  for (std::int64_t r = 0; r < size(); ++r) texts.push_back(broadcast_text(text, r));
  return texts;
}

LIMPID_INLINE void Communicator::barrier() const { any(false); }

LIMPID_INLINE void Communicator::leave(const std::string& reason) const noexcept {
  if (group_ != nullptr) group_->leave(reason);
}

}  // namespace limpid

#endif  // LIMPID_BODIES
