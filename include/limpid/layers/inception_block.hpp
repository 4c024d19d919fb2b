#pragma once

#include <limpid/core/compiled.hpp>
#include <limpid/core/concepts.hpp>
#include <limpid/core/modules.hpp>
#include <limpid/layers/conv2d.hpp>
#include <limpid/layers/recompute.hpp>

#include <ATen/ops/cat.h>
#include <ATen/ops/max_pool2d.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#ifdef LIMPID_BODIES
#include <ATen/TensorOperators.h>
#endif

namespace limpid {

/// One `InceptionUnit`.
struct InceptionUnitOptions {
  std::int64_t in;
  std::int64_t out;
  std::array<std::int64_t, 2> kernel{1, 1};   ///< rows, columns
  std::array<std::int64_t, 2> padding{0, 0};  ///< zeros above and below, left and right
  std::int64_t stride = 1;
};

/// ReLU(batch norm(conv)): convolution without bias, eps 1e-3, as TensorFlow's Inception has it.
/// Parameters are `conv.weight`, `bn.weight` ...
class InceptionUnitImpl : public torch::nn::Cloneable<InceptionUnitImpl> {
 public:
  explicit InceptionUnitImpl(InceptionUnitOptions options);

  void reset() override;

  at::Tensor forward(const at::Tensor& input);

 private:
  InceptionUnitOptions options_;
  Conv2d conv_{nullptr};
  torch::nn::BatchNorm2d bn_{nullptr};
};

TORCH_MODULE(InceptionUnit);

static_assert(ImageModule<InceptionUnit>);

/// One unit of a branch. With stride 1 it keeps the sides; with stride 2 it has no padding.
struct InceptionStep {
  std::int64_t channels;
  std::array<std::int64_t, 2> kernel{1, 1};
  std::int64_t stride = 1;
};

/// What an `InceptionBlock` consists of.
struct InceptionBlockOptions {
  std::int64_t in;
  std::vector<std::vector<InceptionStep>> branches;
  std::int64_t mean_pooled = 0;  ///< channels of a last branch: 3x3 means, then a 1x1 unit
  bool max_pooled = false;       ///< a last branch: 3x3 maxima at stride 2
  double residual_scale = 0;     ///< 0: the concatenation is the output; otherwise
                                 ///< ReLU(input + scale * conv(concatenation))

  std::int64_t concatenated() const;

  std::int64_t out() const;
};

/// Parallel branches of `InceptionUnit`s, concatenated; with a residual scale, added to the input.
///
/// Source: Szegedy et al., "Inception-v4, Inception-ResNet and the Impact of Residual Connections
/// on Learning", AAAI 2017, sec. 3.2 and 3.3. Parameters are named as in pretrainedmodels: a branch
/// of one unit is `branch0.conv.weight`, of several `branch1.0.conv.weight`; `conv2d.weight`.
class InceptionBlockImpl : public torch::nn::Cloneable<InceptionBlockImpl> {
 public:
  explicit InceptionBlockImpl(InceptionBlockOptions options);

  void reset() override;

  /// @param input  (N, in, H, W).
  /// @return       (N, out, H, W); with stride 2, ((H - 1) / 2, (W - 1) / 2) rounded down.
  at::Tensor forward(const at::Tensor& input);

 private:
  at::Tensor compute(const at::Tensor& input);

  static InceptionUnit unit(std::int64_t in, const InceptionStep& step);

  std::string next_name() const;

  InceptionBlockOptions options_;
  std::vector<InceptionUnit> single_;  // all published blocks have theirs first
  std::vector<torch::nn::Sequential> chains_;
  Conv2d conv2d_{nullptr};
};

TORCH_MODULE(InceptionBlock);

static_assert(ImageModule<InceptionBlock>);

}  // namespace limpid

#ifdef LIMPID_BODIES

namespace limpid {

LIMPID_INLINE InceptionUnitImpl::InceptionUnitImpl(InceptionUnitOptions options)
    : options_(options) {
  reset();
}

LIMPID_INLINE void InceptionUnitImpl::reset() {
  using namespace torch::nn;
  const auto& o = options_;
  conv_ = register_module("conv", Conv2d(Conv2dOptions(o.in, o.out, {o.kernel[0], o.kernel[1]})
                                             .stride(o.stride)
                                             .padding({o.padding[0], o.padding[1]})
                                             .bias(false)));
  bn_ = register_module("bn", BatchNorm2d(BatchNorm2dOptions(o.out).eps(1e-3)));
}

LIMPID_INLINE at::Tensor InceptionUnitImpl::forward(const at::Tensor& input) {
  return bn_->forward(conv_->forward(input)).relu_();
}

LIMPID_INLINE std::int64_t InceptionBlockOptions::concatenated() const {
  std::int64_t channels = mean_pooled + (max_pooled ? in : 0);
  for (const auto& branch : branches) channels += branch.back().channels;
  return channels;
}

LIMPID_INLINE std::int64_t InceptionBlockOptions::out() const {
  return residual_scale == 0 ? concatenated() : in;
}

LIMPID_INLINE InceptionBlockImpl::InceptionBlockImpl(InceptionBlockOptions options)
    : options_(std::move(options)) {
  reset();
}

LIMPID_INLINE void InceptionBlockImpl::reset() {
  using namespace torch::nn;
  single_.clear();
  chains_.clear();
  for (const auto& steps : options_.branches) {
    if (steps.size() == 1) {
      single_.push_back(register_module(next_name(), unit(options_.in, steps.front())));
      continue;
    }
    Sequential chain;
    auto channels = options_.in;
    for (const auto& step : steps) {
      chain->push_back(unit(channels, step));
      channels = step.channels;
    }
    chains_.push_back(register_module(next_name(), chain));
  }
  if (options_.mean_pooled > 0) {
    Sequential chain(AvgPool2d(AvgPool2dOptions(3).stride(1).padding(1).count_include_pad(false)),
                     unit(options_.in, {options_.mean_pooled}));
    chains_.push_back(register_module(next_name(), chain));
  }
  if (options_.residual_scale != 0) {
    conv2d_ =
        register_module("conv2d", Conv2d(Conv2dOptions(options_.concatenated(), options_.in, 1)));
  }
}

LIMPID_INLINE at::Tensor InceptionBlockImpl::forward(const at::Tensor& input) {
  return recomputed(*this, input, [](InceptionBlockImpl& block, const at::Tensor& x) {
    return block.compute(x);
  });
}

LIMPID_INLINE at::Tensor InceptionBlockImpl::compute(const at::Tensor& input) {
  std::vector<at::Tensor> maps;
  for (auto& branch : single_) maps.push_back(branch->forward(input));
  for (auto& branch : chains_) maps.push_back(branch->forward(input));
  if (options_.max_pooled) maps.push_back(at::max_pool2d(input, 3, 2));
  const auto map = at::cat(maps, 1);
  if (options_.residual_scale == 0) return map;
  return input.add(conv2d_->forward(map), options_.residual_scale).relu_();
}

LIMPID_INLINE InceptionUnit InceptionBlockImpl::unit(std::int64_t in, const InceptionStep& step) {
  const bool keeps = step.stride == 1;
  return InceptionUnit{InceptionUnitOptions{
      .in = in,
      .out = step.channels,
      .kernel = step.kernel,
      .padding = {keeps ? step.kernel[0] / 2 : 0, keeps ? step.kernel[1] / 2 : 0},
      .stride = step.stride}};
}

LIMPID_INLINE std::string InceptionBlockImpl::next_name() const {
  return "branch" + std::to_string(single_.size() + chains_.size());
}

}  // namespace limpid

#endif  // LIMPID_BODIES
