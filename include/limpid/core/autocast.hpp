#pragma once

#include <limpid/core/compiled.hpp>

#include <ATen/autocast_mode.h>
#include <ATen/detail/CUDAHooksInterface.h>
#include <c10/core/Device.h>
#include <c10/core/ScalarType.h>
#include <torch/version.h>

#include <string_view>

#ifdef LIMPID_BODIES
#include <c10/util/Exception.h>
#endif

namespace limpid {

/// The type that convolutions compute in. Weights, gradients and losses are float in any case.
enum class Precision {
  float32,
  bfloat16,   ///< by autocast; on the CPU 1.6 times faster where it has AVX512-BF16 (docs/training)
  automatic,  ///< bfloat16 on CUDA cards and CPUs with instructions for it, else float32
};

/// Whether this CPU computes in bfloat16.
LIMPID_INLINE bool cpu_has_bfloat16();

/// Whether the current CUDA card convolves in bfloat16: Ampere and later.
LIMPID_INLINE bool cuda_has_bfloat16();

/// `float32` or `bfloat16` for a device.
LIMPID_INLINE Precision resolve(Precision precision, c10::Device device);

LIMPID_INLINE std::string_view name_of(Precision precision);

namespace detail {

/// Whether this thread's operators on `device` cast their arguments.
LIMPID_INLINE bool autocast_is_on(c10::Device device);

/// The type that they are cast to where it is on.
LIMPID_INLINE at::ScalarType autocast_type(c10::Device device);

}  // namespace detail

/// While it lives, this thread's convolutions on `device` compute in `precision`, whatever scope is
/// around it.
///
/// One scope for each phase of a step: the cache of cast weights ends with it, so weights cast
/// without a graph never serve a phase that needs one.
class AutocastScope {
 public:
  AutocastScope(Precision precision, c10::Device device);

  ~AutocastScope() {
    if (!acts_) return;
    if (at::autocast::decrement_nesting() == 0) at::autocast::clear_cache();
    set_type(previous_type_);
    enable(was_enabled_);
  }

  AutocastScope(const AutocastScope&) = delete;
  AutocastScope& operator=(const AutocastScope&) = delete;

 private:
  bool enabled() const;

#if TORCH_VERSION_MAJOR > 2 || (TORCH_VERSION_MAJOR == 2 && TORCH_VERSION_MINOR >= 4)
  void enable(bool on) const { at::autocast::set_autocast_enabled(device_.type(), on); }
  void set_type(at::ScalarType type) const {
    at::autocast::set_autocast_dtype(device_.type(), type);
  }
#else
  void enable(bool on) const {
    device_.is_cpu() ? at::autocast::set_cpu_enabled(on) : at::autocast::set_enabled(on);
  }
  void set_type(at::ScalarType type) const {
    device_.is_cpu() ? at::autocast::set_autocast_cpu_dtype(type)
                     : at::autocast::set_autocast_gpu_dtype(type);
  }
#endif

  bool bfloat16_;
  bool acts_;
  bool was_enabled_ = false;
  at::ScalarType previous_type_ = at::kFloat;
  c10::Device device_;
};

}  // namespace limpid

#ifdef LIMPID_BODIES

namespace limpid {

LIMPID_INLINE bool cpu_has_bfloat16() {
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
  return __builtin_cpu_supports("avx512bf16") != 0;
#else
  return false;
#endif
}

LIMPID_INLINE bool cuda_has_bfloat16() {
  return at::detail::getCUDAHooks().supportsBFloat16ConvolutionWithCuDNNv8();
}

LIMPID_INLINE Precision resolve(Precision precision, c10::Device device) {
  if (precision != Precision::automatic) return precision;
  const bool fast = device.is_cuda() ? cuda_has_bfloat16() : device.is_cpu() && cpu_has_bfloat16();
  return fast ? Precision::bfloat16 : Precision::float32;
}

LIMPID_INLINE std::string_view name_of(Precision precision) {
  switch (precision) {
    case Precision::float32:
      return "float32";
    case Precision::bfloat16:
      return "bfloat16";
    case Precision::automatic:
      return "automatic";
  }
  return "";
}

}  // namespace limpid

namespace limpid::detail {

LIMPID_INLINE bool autocast_is_on(c10::Device device) {
#if TORCH_VERSION_MAJOR > 2 || (TORCH_VERSION_MAJOR == 2 && TORCH_VERSION_MINOR >= 4)
  return at::autocast::is_autocast_enabled(device.type());
#else
  return device.is_cpu() ? at::autocast::is_cpu_enabled() : at::autocast::is_enabled();
#endif
}

LIMPID_INLINE at::ScalarType autocast_type(c10::Device device) {
#if TORCH_VERSION_MAJOR > 2 || (TORCH_VERSION_MAJOR == 2 && TORCH_VERSION_MINOR >= 4)
  return at::autocast::get_autocast_dtype(device.type());
#else
  return device.is_cpu() ? at::autocast::get_autocast_cpu_dtype()
                         : at::autocast::get_autocast_gpu_dtype();
#endif
}

}  // namespace limpid::detail

namespace limpid {

LIMPID_INLINE AutocastScope::AutocastScope(Precision precision, c10::Device device)
    : bfloat16_(resolve(precision, device) == Precision::bfloat16),
      acts_(bfloat16_ || device.is_cpu() || device.is_cuda()),
      device_(device) {
  if (!acts_) return;
  was_enabled_ = enabled();
  previous_type_ = detail::autocast_type(device_);
  enable(bfloat16_);
  if (bfloat16_) set_type(at::kBFloat16);
  at::autocast::increment_nesting();
}

LIMPID_INLINE bool AutocastScope::enabled() const { return detail::autocast_is_on(device_); }

}  // namespace limpid

#endif  // LIMPID_BODIES
