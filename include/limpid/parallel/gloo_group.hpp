#pragma once

#include <limpid/parallel/has_gloo.hpp>

#if LIMPID_WITH_GLOO

#include <limpid/parallel/communicator.hpp>
#include <limpid/parallel/farewell.hpp>
#include <limpid/parallel/within.hpp>

#include <torch/csrc/distributed/c10d/PrefixStore.hpp>
#include <torch/csrc/distributed/c10d/ProcessGroupGloo.hpp>
#if defined(USE_C10D_NCCL) && __has_include(<nccl.h>) && __has_include(<cuda_runtime.h>)
#define LIMPID_WITH_NCCL 1
#include <torch/csrc/distributed/c10d/ProcessGroupNCCL.hpp>
#endif

#include <ATen/ops/zeros.h>
#include <ATen/ops/zeros_like.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <exception>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace limpid::detail {

/// Processes that talk over Gloo, and over NCCL about tensors on a graphics card where LibTorch has
/// it; without it those go by way of the CPU.
class GlooGroup final : public CommunicatorGroup {
 public:
  GlooGroup(c10::intrusive_ptr<c10d::Store> store, std::int64_t rank, std::int64_t size,
            std::shared_ptr<::gloo::transport::Device> device, std::chrono::milliseconds timeout)
      : store_(std::move(store)),
        rank_(rank),
        size_(size),
        timeout_(timeout),
        farewell_(c10::make_intrusive<c10d::PrefixStore>("farewell/", store_), rank, size) {
    auto options = c10d::ProcessGroupGloo::Options::create(timeout);
    options->devices.push_back(std::move(device));
    options->threads = 1;
    try {
      const auto connected = within(timeout + std::chrono::seconds{1}, [=, store = store_] {
        return c10::make_intrusive<c10d::ProcessGroupGloo>(
            c10::make_intrusive<c10d::PrefixStore>("gloo/", store), static_cast<int>(rank),
            static_cast<int>(size), options);
      });
      TORCH_CHECK(connected, "the processes could not be connected in time");
      gloo_ = *connected;
    } catch (const std::exception& error) {
      fail(error);
    }
  }

  std::int64_t rank() const override { return rank_; }
  std::int64_t size() const override { return size_; }

  void sum(at::Tensor& buffer) override {
    together(buffer, [](auto& group, auto& tensors) { group.allreduce(tensors)->wait(); });
  }

  std::string why_no_sum(const at::Tensor& of_this_kind) override {
#if defined(LIMPID_WITH_NCCL)
    if (of_this_kind.is_cuda()) return "";  // NCCL adds up all floating types
#endif
    TORCH_CHECK(gloo_, "rank ", rank_, " of ", size_, " has left the run already");
    // Gloo looks at the type before it sends, so a refusal is the same on all and breaks nothing.
    try {
      std::vector<at::Tensor> tensors{at::zeros_like(of_this_kind, at::kCPU)};
      gloo_->allreduce(tensors)->wait();
    } catch (const std::exception& error) {
      return error.what();
    }
    return "";
  }

  void broadcast(at::Tensor& buffer, std::int64_t root) override {
    c10d::BroadcastOptions options;
    options.rootRank = root;
    together(buffer,
             [&](auto& group, auto& tensors) { group.broadcast(tensors, options)->wait(); });
  }

  bool ends_at_once([[maybe_unused]] const at::Tensor& buffer) const override {
#if defined(LIMPID_WITH_NCCL)
    return buffer.is_cpu();  // NCCL's calls wait in the card's stream only
#else
    return true;
#endif
  }

  void leave(const std::string& reason) noexcept override {
    farewell_.leave(reason);
    hang_up();
  }

 private:
  /// Closes the connections: nobody waits for this process until the timeout.
  void hang_up() noexcept {
    gloo_.reset();
#if defined(LIMPID_WITH_NCCL)
    nccl_.reset();
#endif
  }

  template <class F>
  void together(at::Tensor& buffer, F f) {
    TORCH_CHECK(gloo_, "rank ", rank_, " of ", size_, " has left the run already");
    try {
      std::vector<at::Tensor> tensors{buffer};
      if (buffer.is_cpu()) {
        f(*gloo_, tensors);
        return;
      }
#if defined(LIMPID_WITH_NCCL)
      if (!nccl_) {
        auto options = c10d::ProcessGroupNCCL::Options::create();
        options->timeout = timeout_;
        nccl_ = c10::make_intrusive<c10d::ProcessGroupNCCL>(
            c10::make_intrusive<c10d::PrefixStore>("nccl/", store_), static_cast<int>(rank_),
            static_cast<int>(size_), options);
      }
      meet();
      f(*nccl_, tensors);
#else
      tensors[0] = buffer.to(at::kCPU);
      f(*gloo_, tensors);
      buffer.copy_(tensors[0]);
#endif
    } catch (const std::exception& error) {
      fail(error);
    }
  }

#if defined(LIMPID_WITH_NCCL)
  /// Waits over Gloo until all are here: NCCL itself would wait for a lost process in the card's
  /// stream, where nobody learns whose fault it was.
  void meet() {
    std::vector<at::Tensor> here{at::zeros({1}, at::kInt)};
    gloo_->allreduce(here)->wait();
  }
#endif

  [[noreturn]] void fail(const std::exception& error) {
    const std::string what = error.what();
    hang_up();
    farewell_.fail(what, std::min<std::chrono::milliseconds>(timeout_, std::chrono::seconds{3}));
  }

  c10::intrusive_ptr<c10d::Store> store_;
  std::int64_t rank_, size_;
  std::chrono::milliseconds timeout_;
  Farewell farewell_;
  c10::intrusive_ptr<c10d::ProcessGroupGloo> gloo_;
#if defined(LIMPID_WITH_NCCL)
  c10::intrusive_ptr<c10d::ProcessGroupNCCL> nccl_;
#endif
};

}  // namespace limpid::detail

#endif
