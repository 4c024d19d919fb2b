#pragma once

#include <limpid/core/compiled.hpp>
#include <limpid/core/concepts.hpp>
#include <limpid/core/modules.hpp>

#include <cstdint>

#ifdef LIMPID_BODIES
#include <limpid/core/memory_format.hpp>
#include <limpid/kernels/transposed_convolution.hpp>
#endif

namespace limpid {

/// `torch::nn::ConvTranspose2d` with limpid's kernels behind it: options, parameter names, initial
/// weights and errors are the same, what it computes follows `ConvolutionScope`.
class ConvTranspose2dImpl : public torch::nn::ConvTransposeNdImpl<2, ConvTranspose2dImpl> {
 public:
  explicit ConvTranspose2dImpl(const torch::nn::ConvTranspose2dOptions& o);

  /// @param input  (N, in_channels, H, W), or one picture without N.
  /// @return       (N, out_channels, H', W').
  at::Tensor forward(const at::Tensor& input);
};

TORCH_MODULE(ConvTranspose2d);

static_assert(ImageModule<ConvTranspose2d>);

}  // namespace limpid

#ifdef LIMPID_BODIES

namespace limpid {

LIMPID_INLINE ConvTranspose2dImpl::ConvTranspose2dImpl(const torch::nn::ConvTranspose2dOptions& o)
    : ConvTransposeNdImpl(
          torch::nn::detail::ConvNdOptions<2>(o.in_channels(), o.out_channels(), o.kernel_size())
              .stride(o.stride())
              .padding(o.padding())
              .output_padding(o.output_padding())
              .dilation(o.dilation())
              .groups(o.groups())
              .bias(o.bias())
              .transposed(true)) {}

LIMPID_INLINE at::Tensor ConvTranspose2dImpl::forward(const at::Tensor& input) {
  const auto equal = [](const auto& pair) { return (*pair)[0] == (*pair)[1]; };
  const bool usual = equal(options.stride()) && equal(padding()) &&
                     equal(options.output_padding()) && equal(options.dilation()) &&
                     (*options.dilation())[0] == 1 && options.groups() == 1;
  if (usual) {
    return detail::laid_like(
        transposed_convolution(input, weight, bias, (*options.stride())[0], (*padding())[0],
                               (*options.output_padding())[0]),
        input);
  }
  return at::conv_transpose2d(input, weight, bias, *options.stride(), *padding(),
                              *options.output_padding(), options.groups(), *options.dilation());
}

}  // namespace limpid

#endif  // LIMPID_BODIES
