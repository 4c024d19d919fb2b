#pragma once

#if LIMPID_WITH_ONEDNN

#include <limpid/engine/blocked_maps.hpp>
#include <limpid/kernels/onednn.hpp>

#include <ATen/core/Tensor.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <utility>
#include <vector>

namespace limpid::detail {

/// Numbers for each channel, in whole blocks of sixteen, where a machine can read a block at once.
class LaneNumbers {
 public:
  LaneNumbers(const at::Tensor& values, std::int64_t channels)
      : room_(static_cast<std::size_t>((channels + kLanes - 1) / kLanes * kLanes + kLanes)) {
    data_ = room_.data();
    while (reinterpret_cast<std::uintptr_t>(data_) % sizeof(Lanes) != 0) ++data_;
    const auto floats = values.to(at::kFloat).contiguous();
    std::copy_n(floats.data_ptr<float>(), channels, data_);
  }
  LaneNumbers(const LaneNumbers&) = delete;
  LaneNumbers& operator=(const LaneNumbers&) = delete;

  const float* data() const { return data_; }

 private:
  std::vector<float> room_;
  float* data_;
};

/// Weights in the layouts that primitives ask for, each once.
class PreparedWeights {
 public:
  /// @param node  whose weight it is
  dnnl::memory in_layout(std::size_t node, const at::Tensor& values,
                         const dnnl::memory::desc& layout) {
    auto& known = weights_[node];
    for (const auto& memory : known) {
      if (memory.get_desc() == layout) return memory;
    }
    const auto sizes = values.sizes();
    using Tag = dnnl::memory::format_tag;
    const auto tag = sizes.size() == 1 ? Tag::a : sizes.size() == 4 ? Tag::abcd : Tag::abcde;
    dnnl::memory plain{
        {dnnl::memory::dims(sizes.begin(), sizes.end()), dnnl::memory::data_type::f32, tag},
        onednn_engine(),
        values.data_ptr()};
    dnnl::memory made{layout, onednn_engine()};
    dnnl::reorder{plain, made}.execute(onednn_stream(), plain, made);
    onednn_stream().wait();
    known.push_back(made);
    return made;
  }

  std::shared_ptr<LaneNumbers> lanes(const at::Tensor& values, std::int64_t channels) {
    auto& known = lanes_[values.unsafeGetTensorImpl()];
    if (!known) known = std::make_shared<LaneNumbers>(values, channels);
    return known;
  }

 private:
  std::map<std::size_t, std::vector<dnnl::memory>> weights_;
  std::map<const void*, std::shared_ptr<LaneNumbers>> lanes_;  // by tensors of the graph
};

}  // namespace limpid::detail

#endif
