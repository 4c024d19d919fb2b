#pragma once

#include <limpid/datasets/batch.hpp>
#include <limpid/optim/named_parameters.hpp>
#include <limpid/training/step_losses.hpp>

#include <ATen/core/Tensor.h>
#include <c10/core/Device.h>
#include <torch/version.h>

// LIMPID_WITH_CUDA is 1 where LibTorch's CUDA part is linked; CMake says so.
#if !defined(LIMPID_WITH_CUDA)
#define LIMPID_WITH_CUDA 0
#endif
#if LIMPID_WITH_CUDA
#include <ATen/cuda/CUDAEvent.h>
#include <ATen/cuda/CUDAGraph.h>
#include <c10/cuda/CUDAGuard.h>
#include <c10/cuda/CUDAStream.h>
#endif

#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace limpid::detail {

/// Whether this build can record steps.
inline constexpr bool kHasStepGraphs = LIMPID_WITH_CUDA != 0;

#if LIMPID_WITH_CUDA

/// A stream of its own for steps that are recorded: while it lives it is the current one, and what
/// was asked of the card before and after keeps its order.
class GraphStream {
 public:
  explicit GraphStream(const c10::cuda::CUDAStream& stream)
      : outside_(c10::cuda::getCurrentCUDAStream(stream.device_index())), stream_(stream) {
    follow(stream_, outside_);
    guard_.emplace(stream_);
  }
  ~GraphStream() {
    guard_.reset();
    follow(outside_, stream_);
  }
  GraphStream(const GraphStream&) = delete;
  GraphStream& operator=(const GraphStream&) = delete;

 private:
  static void follow(const c10::cuda::CUDAStream& later, const c10::cuda::CUDAStream& earlier) {
    at::cuda::CUDAEvent event;
    event.record(earlier);
    event.block(later);
  }

  c10::cuda::CUDAStream outside_, stream_;
  std::optional<c10::cuda::CUDAStreamGuard> guard_;
};

#endif

/// The kernels of training steps, recorded once and handed to the card together from then on (CUDA
/// graphs): for networks so small that the CPU cannot ask as fast as the card computes.
///
/// A step is cut into pieces of pure computation, forwards and backwards; between them critics are
/// updated, and after them the generator is, as always. The first steps are ordinary ones, the next
/// is recorded, all later ones are replayed, until batches have other sizes or other parameters
/// train. What a recorded piece reads lies where it lay: batches are copied into its own.
class StepGraph {
 public:
  /// Ordinary steps before one is recorded, in which libraries make what they keep.
  static constexpr int kWarmUp = 3;

  /// Steps are to be recorded from now on.
  void enable() { wanted_ = true; }

  /// They are not, because of `why`, which is said.
  void refuse(const std::string& why) {
    forget();
    wanted_ = false;
    why_not_ = why;
  }

  /// Why steps are not recorded although that was asked for; empty where they are.
  const std::string& why_not() const { return why_not_; }

  bool is_wanted() const { return wanted_; }
  bool is_replayed() const { return way_ == Way::replay; }
  bool is_recording() const { return way_ == Way::record; }

  /// Drops what was recorded: something is not where it was, or other things train.
  void forget() {
    way_ = Way::ordinary;
    steps_ = 0;
    pieces_.clear();
    batches_.clear();
    losses_.reset();
  }

#if LIMPID_WITH_CUDA
  /// Begins a step. @return what makes it run on the recorder's stream as long as it lives.
  std::unique_ptr<GraphStream> begin(std::vector<Batch>& batches,
                                     const NamedParameters& parameters) {
    way_ = Way::ordinary;
    if (!wanted_) return nullptr;
    auto signature = signature_of(batches, parameters);
    if (signature != signature_) forget();
    signature_ = std::move(signature);
    if (!stream_) stream_ = c10::cuda::getStreamFromPool(true, batches[0].target.get_device());
    auto scope = std::make_unique<GraphStream>(*stream_);
    if (steps_++ >= kWarmUp) {
      way_ = pieces_.empty() ? Way::record : Way::replay;
      if (way_ == Way::record) {
        for (const auto& batch : batches) {
          batches_.push_back({batch.degraded.clone(), batch.target.clone()});
        }
      } else {
        for (std::size_t i = 0; i < batches.size(); ++i) {
          batches_[i].degraded.copy_(batches[i].degraded);
          batches_[i].target.copy_(batches[i].target);
        }
      }
      batches = batches_;
    }
    next_ = 0;
    return scope;
  }

  /// Computes a piece, or has the card do again what was recorded of it.
  /// @param parameters  whose gradients it leaves
  template <class Piece>
  void piece(const NamedParameters& parameters, const Piece& compute) {
    if (way_ == Way::ordinary) {
      compute();
      return;
    }
    if (way_ == Way::record) record(parameters, compute);
    auto& recorded = *pieces_.at(next_++);
    recorded.graph.replay();
    for (auto& [parameter, gradient] : recorded.gradients) parameter.mutable_grad() = gradient;
  }
#else
  std::unique_ptr<int> begin(std::vector<Batch>&, const NamedParameters&) { return nullptr; }

  template <class Piece>
  void piece(const NamedParameters&, const Piece& compute) {
    compute();
  }
#endif

  /// After the pieces: losses that are recorded are those of each replay.
  void keep(StepLosses& losses) {
    if (way_ == Way::record) losses_ = losses;
    if (way_ == Way::replay) losses.become(*losses_);
  }

 private:
  enum class Way { ordinary, record, replay };

  /// Sizes of the batches, and how many parameters train.
  static std::vector<std::int64_t> signature_of(const std::vector<Batch>& batches,
                                                const NamedParameters& parameters) {
    std::vector<std::int64_t> signature{0};
    for (const auto& [name, parameter] : parameters) signature[0] += parameter.requires_grad();
    for (const auto& batch : batches) {
      for (const auto size : batch.degraded.sizes()) signature.push_back(size);
      for (const auto size : batch.target.sizes()) signature.push_back(size);
    }
    return signature;
  }

#if LIMPID_WITH_CUDA
  /// Gradients stay in the recorded tensors, whose memory no later piece may take.
  struct Recorded {
    at::cuda::CUDAGraph graph;
    std::vector<std::pair<at::Tensor, at::Tensor>> gradients;
  };

  template <class Piece>
  void record(const NamedParameters& parameters, const Piece& compute) {
    auto recorded = std::make_unique<Recorded>();
    const auto pool =
        pieces_.empty() ? at::cuda::graph_pool_handle() : pieces_.front()->graph.pool();
#if TORCH_VERSION_MAJOR > 2 || (TORCH_VERSION_MAJOR == 2 && TORCH_VERSION_MINOR >= 1)
    // Threads that make batches may ask CUDA for memory meanwhile.
    recorded->graph.capture_begin(pool, cudaStreamCaptureModeThreadLocal);
#else
    recorded->graph.capture_begin(pool);
#endif
    try {
      compute();
    } catch (...) {
      try {
        recorded->graph.capture_end();
      } catch (const std::exception&) {  // it says that the recording is void
      }
      throw;
    }
    recorded->graph.capture_end();
    for (const auto& [name, parameter] : parameters) {
      if (parameter.grad().defined()) recorded->gradients.push_back({parameter, parameter.grad()});
    }
    pieces_.push_back(std::move(recorded));
  }

  std::optional<c10::cuda::CUDAStream> stream_;
  std::vector<std::unique_ptr<Recorded>> pieces_;
#else
  std::vector<int> pieces_;
#endif

  bool wanted_ = false;
  Way way_ = Way::ordinary;
  std::string why_not_;
  int steps_ = 0;         // since the last `forget`
  std::size_t next_ = 0;  // piece of the step
  std::vector<std::int64_t> signature_;
  std::vector<Batch> batches_;        // where the pieces read them
  std::optional<StepLosses> losses_;  // as the pieces leave them
};

}  // namespace limpid::detail
