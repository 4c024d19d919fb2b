#pragma once

#include <limpid/core/random.hpp>

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/arange.h>

#include <cstdint>
#include <numbers>

// Numbers of a `Random`, drawn by the device that needs them: none is made one by one, nothing is
// copied, and nobody waits for the device.
namespace limpid {

namespace detail {

/// `bits >> places` of 64 bits without a sign.
inline at::Tensor shifted_right(const at::Tensor& bits, std::int64_t places) {
  return at::bitwise_right_shift(bits, at::Scalar{places})
      .bitwise_and_(at::Scalar{(std::int64_t{1} << (64 - places)) - 1});
}

/// What `count` calls of `random.bits()` give, as 64-bit integers on `device`.
inline at::Tensor random_bits(std::int64_t count, Random& random, c10::Device device) {
  const auto number = [](std::uint64_t bits) {
    return at::Scalar{static_cast<std::int64_t>(bits)};
  };
  // SplitMix64 on all at once: integers of 64 bits wrap around as those of `Random` do.
  auto z = at::arange(1, count + 1, at::TensorOptions().dtype(at::kLong).device(device));
  z.mul_(number(Random::kStep)).add_(number(random.state()));
  z.bitwise_xor_(shifted_right(z, 30)).mul_(number(0xbf58476d1ce4e5b9));
  z.bitwise_xor_(shifted_right(z, 27)).mul_(number(0x94d049bb133111eb));
  random.skip(static_cast<std::int64_t>(count));
  return z.bitwise_xor_(shifted_right(z, 31));
}

inline at::Tensor random_doubles(std::int64_t count, Random& random, c10::Device device) {
  return shifted_right(random_bits(count, random, device), 11).to(at::kDouble).mul_(0x1.0p-53);
}

}  // namespace detail

/// The numbers that `random.uniform()` gives one after another, as a tensor of `options` in the
/// order of its values; the same on every device. A float may round the largest up to one.
inline at::Tensor random_uniform(at::IntArrayRef shape, Random& random,
                                 const at::TensorOptions& options) {
  return detail::random_doubles(c10::multiply_integers(shape), random, options.device())
      .reshape(shape)
      .to(options);
}

/// The same of `random.normal()`, up to rounding.
inline at::Tensor random_normal(at::IntArrayRef shape, Random& random,
                                const at::TensorOptions& options) {
  const auto count = c10::multiply_integers(shape);
  const auto pairs =
      detail::random_doubles(2 * count, random, options.device()).reshape({count, 2});
  const auto radius = (pairs.select(1, 0).neg().log1p() * -2.0).sqrt();
  const auto angle = pairs.select(1, 1) * (2.0 * std::numbers::pi);
  return (radius * angle.cos()).reshape(shape).to(options);
}

}  // namespace limpid
