#pragma once

// The one header that sees oneDNN's, and only where the build found it (docs/kernels.md).
#if LIMPID_WITH_ONEDNN

#include <limpid/core/fail.hpp>
#include <limpid/kernels/workspace.hpp>

#include <ATen/core/Tensor.h>
#include <ATen/ops/from_blob.h>
#include <dnnl.hpp>

#include <cstdint>
#include <cstring>
#include <utility>

#if DNNL_VERSION_MAJOR != 2
#error "limpid: expected the header of oneDNN 2, found another's; link the target limpid::limpid"
#endif

namespace limpid::detail {

inline const dnnl::engine& onednn_engine() {
  static const dnnl::engine engine{dnnl::engine::kind::cpu, 0};
  return engine;
}

/// A stream belongs to one thread.
inline dnnl::stream& onednn_stream() {
  thread_local dnnl::stream stream{onednn_engine()};
  return stream;
}

/// Calls `compute()`; what oneDNN throws becomes LibTorch's error.
template <class Compute>
auto with_onednn(Compute compute) {
  try {
    return compute();
  } catch (const dnnl::error& error) {
    limpid::fail("convolution: oneDNN answers '", error.what(), "' (status ",
                 static_cast<int>(error.status), ")");
  }
}

/// `tensor` itself if oneDNN can read it where it lies, else a contiguous copy.
inline at::Tensor readable(const at::Tensor& tensor) {
  return tensor.is_contiguous(at::MemoryFormat::ChannelsLast) ? tensor : tensor.contiguous();
}

/// The layout of a readable tensor: float32 or bfloat16, of one or four dimensions.
inline dnnl::memory::desc layout_of(const at::Tensor& tensor) {
  using Tag = dnnl::memory::format_tag;
  const auto tag = tensor.dim() == 1 ? Tag::a : tensor.is_contiguous() ? Tag::abcd : Tag::acdb;
  const auto sizes = tensor.sizes();
  const auto type = tensor.scalar_type() == at::kBFloat16 ? dnnl::memory::data_type::bf16
                                                          : dnnl::memory::data_type::f32;
  return {dnnl::memory::dims(sizes.begin(), sizes.end()), type, tag};
}

/// A tensor's own memory, as oneDNN sees it.
inline dnnl::memory memory_of(const at::Tensor& tensor) {
  return {layout_of(tensor), onednn_engine(), tensor.data_ptr()};
}

/// Numbers in the layout that a primitive asks for: in a tensor's own memory where that is its
/// layout, in a workspace otherwise. A layout may have more rows and columns than the tensor; those
/// are zeros.
class InLayout {
 public:
  /// The values of `tensor`, to read.
  static InLayout of(const at::Tensor& tensor, const dnnl::memory::desc& layout) {
    auto there = readable(tensor);
    auto memory = memory_of(there);
    if (memory.get_desc() == layout) return {std::move(memory), std::move(there), Workspace{0}};
    auto result = empty(layout);
    result.clear_beyond(tensor.sizes());
    auto target = result.part(tensor.sizes());
    dnnl::reorder{memory, target}.execute(onednn_stream(), memory, target);
    onednn_stream().wait();
    return result;
  }

  /// To be written, then `copy_to` a tensor.
  static InLayout empty(const dnnl::memory::desc& layout) {
    Workspace workspace{layout.get_size()};
    dnnl::memory memory{layout, onednn_engine(), workspace.data()};
    return {std::move(memory), {}, std::move(workspace)};
  }

  /// The first rows and columns, as many as `tensor` has.
  void copy_to(const at::Tensor& tensor) {
    auto from = part(tensor.sizes());
    auto target = memory_of(tensor);
    dnnl::reorder{from, target}.execute(onednn_stream(), from, target);
    onednn_stream().wait();
  }

  const dnnl::memory& memory() const { return memory_; }

 private:
  InLayout(dnnl::memory memory, at::Tensor tensor, Workspace workspace)
      : memory_(std::move(memory)), tensor_(std::move(tensor)), workspace_(std::move(workspace)) {}

  bool is_larger(at::IntArrayRef sizes) const { return memory_.get_desc().dims() != sizes.vec(); }

  /// The part of the memory that holds a tensor of these sizes.
  dnnl::memory part(at::IntArrayRef sizes) const {
    const auto layout = memory_.get_desc();
    if (!is_larger(sizes)) return memory_;
    const dnnl::memory::dims begin(sizes.size(), 0);
    return {layout.submemory_desc(sizes.vec(), begin), onednn_engine(), workspace_.data()};
  }

  /// Zeros where a tensor of these sizes has no numbers.
  void clear_beyond(at::IntArrayRef sizes) const {
    if (!is_larger(sizes)) return;
    const auto layout = memory_.get_desc();
    const auto all = layout.dims();
    constexpr std::int64_t kBlock = 16;
    const bool blocks =
        all[1] % kBlock == 0 && layout == dnnl::memory::desc{all, dnnl::memory::data_type::f32,
                                                             dnnl::memory::format_tag::aBcd16b};
    if (!blocks) {
      std::memset(workspace_.data(), 0, layout.get_size());
      return;
    }
    const auto numbers = at::from_blob(
        workspace_.data(), {all[0], all[1] / kBlock, all[2], all[3], kBlock}, at::kFloat);
    numbers.slice(2, sizes[2]).zero_();
    numbers.slice(3, sizes[3]).zero_();
  }

  dnnl::memory memory_;
  at::Tensor tensor_;  // keeps the memory alive where it is a tensor's
  Workspace workspace_;
};

}  // namespace limpid::detail

#endif
