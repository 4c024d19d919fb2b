#pragma once

#include <limpid/datasets/batch.hpp>

#include <ATen/core/Tensor.h>
#include <c10/core/Device.h>
#include <c10/core/Event.h>
#include <c10/core/Stream.h>
#include <c10/core/StreamGuard.h>
#include <c10/core/impl/VirtualGuardImpl.h>

#include <memory>
#include <optional>
#include <utility>
#include <vector>

namespace limpid::detail {

/// A second stream of a card, on which copies run while the card computes on the first. On the CPU
/// there is none, and nothing is different.
class CopyLane {
 public:
  explicit CopyLane(c10::Device device) {
    if (!device.is_cuda()) return;
    const c10::impl::VirtualGuardImpl card{device.type()};
    device_ = device.has_index() ? device : card.getDevice();
    lane_ = std::make_unique<Lane>(card.getStreamFromGlobalPool(*device_), device.type());
  }

  /// What `copy` asks of the card runs beside all else.
  template <class Copy>
  auto beside(const Copy& copy) {
    if (!lane_) return copy();
    const c10::StreamGuard guard{lane_->stream};
    auto copied = copy();
    lane_->done.record(lane_->stream);
    return copied;
  }

  /// From here on the card's first stream may use `batches`: the card waits, the CPU does not.
  void join(const std::vector<Batch>& batches) {
    if (!lane_) return;
    const auto stream = c10::impl::VirtualGuardImpl{device_->type()}.getStream(*device_);
    lane_->done.block(stream);
    for (const auto& batch : batches) {
      for (auto tensor : {batch.degraded, batch.target}) tensor.record_stream(stream);
    }
  }

 private:
  struct Lane {
    Lane(c10::Stream stream, c10::DeviceType type) : stream(stream), done(type) {}
    c10::Stream stream;
    c10::Event done;
  };

  std::optional<c10::Device> device_;
  std::unique_ptr<Lane> lane_;
};

/// The batches of the next step, on their way to the card while it works at this one.
class BatchesAhead {
 public:
  explicit BatchesAhead(c10::Device device) : lane_(device) {}

  /// @param next  gives a step's batches; @param there  a batch on the device
  template <class Next, class There>
  void begin(const Next& next, const There& there) {
    std::vector<Batch> ready;
    for (const auto& batch : next()) {
      // What the card makes itself is there once its first stream has come so far.
      const bool is_here = batch.degraded.is_cpu() && batch.target.is_cpu();
      ready.push_back(is_here ? lane_.beside([&] { return there(batch); }) : there(batch));
    }
    batches_ = std::move(ready);
  }

  /// What was begun; nothing where nothing was.
  std::optional<std::vector<Batch>> take() {
    if (batches_) lane_.join(*batches_);
    return std::exchange(batches_, std::nullopt);
  }

  void forget() { batches_.reset(); }

 private:
  CopyLane lane_;
  std::optional<std::vector<Batch>> batches_;
};

}  // namespace limpid::detail
