#pragma once

#include <limpid/core/compiled.hpp>
#include <limpid/core/concepts.hpp>
#include <limpid/core/modules.hpp>
#include <limpid/kernels/convolution.hpp>

#include <ATen/ops/conv2d.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/randn.h>

#include <cstdint>

#ifdef LIMPID_BODIES
#include <limpid/core/check.hpp>

#include <ATen/TensorOperators.h>

#include <cmath>
#endif

namespace limpid {

/// Shape of a `SpectralConv2d`.
struct SpectralConv2dOptions {
  std::int64_t in;      ///< channels
  std::int64_t out;     ///< channels
  std::int64_t kernel;  ///< side
  std::int64_t stride = 1;
  std::int64_t padding = 0;  ///< zeros on each side
  bool bias = true;
};

namespace detail {

/// What stays of a vector whose length is divided away.
LIMPID_INLINE at::Tensor unit_vector(const at::Tensor& vector);

/// The singular vectors of the largest singular value of a matrix, as far as they are known.
struct SingularVectors {
  at::Tensor left, right;

  /// Nearer by one step of the power iteration.
  SingularVectors stepped(const at::Tensor& matrix) const;

  /// left^T matrix right, which is the singular value; its gradient takes both as constants.
  at::Tensor value(const at::Tensor& matrix) const;
};

}  // namespace detail

/// A convolution whose weight is divided by its largest singular value, as a matrix of one row per
/// output channel: it changes no picture by more than that.
///
/// Source: Miyato et al., "Spectral Normalization for Generative Adversarial Networks", ICLR 2018,
/// sec. 2.1 and algorithm 1. While training, each pass takes one step of the power iteration that
/// finds the singular value. Named as `torch.nn.utils.spectral_norm` names its tensors:
/// `weight_orig` and `bias`, and of the iteration `weight_u` and `weight_v`, which files keep, so
/// that a resumed run goes on as if it had not stopped.
/// Differs: begins with 15 steps, as `torch.nn.utils.parametrizations.spectral_norm` does, so that
/// a new layer evaluates to what it trains; the singular value is computed in float under autocast.
class SpectralConv2dImpl : public torch::nn::Cloneable<SpectralConv2dImpl> {
 public:
  /// @throws c10::ValueError if a size is below 1.
  explicit SpectralConv2dImpl(SpectralConv2dOptions options);

  void reset() override;

  /// @param input  (N, in, H, W).
  /// @return       (N, out, H', W').
  at::Tensor forward(const at::Tensor& input);

  /// The weight over its largest singular value; while training, after a step towards that.
  at::Tensor weight();

  const SpectralConv2dOptions& options() const { return options_; }

 private:
  static constexpr int kFirstSteps = 15;

  SpectralConv2dOptions options_;
  at::Tensor weight_, bias_, u_, v_;
};

TORCH_MODULE(SpectralConv2d);

static_assert(ImageModule<SpectralConv2d>);

}  // namespace limpid

#ifdef LIMPID_BODIES

namespace limpid::detail {

LIMPID_INLINE at::Tensor unit_vector(const at::Tensor& vector) {
  return vector / vector.norm().clamp_min(1e-12);
}

LIMPID_INLINE SingularVectors SingularVectors::stepped(const at::Tensor& matrix) const {
  const auto next = unit_vector((matrix * left.unsqueeze(1)).sum(0));
  return {unit_vector((matrix * next.unsqueeze(0)).sum(1)), next};
}

LIMPID_INLINE at::Tensor SingularVectors::value(const at::Tensor& matrix) const {
  return (left * (matrix * right.unsqueeze(0)).sum(1)).sum();
}

}  // namespace limpid::detail

namespace limpid {

LIMPID_INLINE SpectralConv2dImpl::SpectralConv2dImpl(SpectralConv2dOptions options)
    : options_(options) {
  detail::check_at_least("SpectralConv2d: in", options.in, 1);
  detail::check_at_least("SpectralConv2d: out", options.out, 1);
  detail::check_at_least("SpectralConv2d: kernel", options.kernel, 1);
  detail::check_at_least("SpectralConv2d: stride", options.stride, 1);
  reset();
}

LIMPID_INLINE void SpectralConv2dImpl::reset() {
  const auto& o = options_;
  const auto inputs = o.in * o.kernel * o.kernel;
  // As torch::nn::Conv2d starts.
  weight_ = register_parameter("weight_orig", at::empty({o.out, o.in, o.kernel, o.kernel}));
  torch::nn::init::kaiming_uniform_(weight_, std::sqrt(5.0));
  if (o.bias) {
    bias_ = register_parameter("bias", at::empty({o.out}));
    const auto bound = 1 / std::sqrt(static_cast<double>(inputs));
    torch::nn::init::uniform_(bias_, -bound, bound);
  }
  torch::NoGradGuard no_grad;
  detail::SingularVectors vectors{detail::unit_vector(at::randn({o.out})),
                                  detail::unit_vector(at::randn({inputs}))};
  for (int step = 0; step < kFirstSteps; ++step) vectors = vectors.stepped(weight_.flatten(1));
  u_ = register_buffer("weight_u", vectors.left);
  v_ = register_buffer("weight_v", vectors.right);
}

LIMPID_INLINE at::Tensor SpectralConv2dImpl::forward(const at::Tensor& input) {
  const auto& o = options_;
  const auto divided = weight();
  if (o.kernel == 3 && o.stride == 1 && o.padding <= 1) {
    return convolution3x3(input, divided, bias_, o.padding);
  }
  return at::conv2d(input, divided, bias_, o.stride, o.padding);
}

LIMPID_INLINE at::Tensor SpectralConv2dImpl::weight() {
  // Other vectors than those kept, which the next pass changes before this one goes backward.
  detail::SingularVectors vectors{u_.clone(), v_.clone()};
  const auto matrix = weight_.flatten(1);
  if (is_training()) {
    torch::NoGradGuard no_grad;
    vectors = vectors.stepped(matrix.detach());
    u_.copy_(vectors.left);
    v_.copy_(vectors.right);
  }
  return weight_ / vectors.value(matrix);
}

}  // namespace limpid

#endif  // LIMPID_BODIES
