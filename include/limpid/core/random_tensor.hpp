#pragma once

#include <limpid/core/compiled.hpp>
#include <limpid/core/random.hpp>

#include <ATen/core/Tensor.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/empty.h>

#include <cstdint>
#include <span>
#include <utility>
#include <vector>

// Numbers of a `Random`, drawn by the device that needs them: none is made one by one, nothing is
// copied, and nobody waits for the device.

#ifdef LIMPID_BODIES
#include <ATen/TensorOperators.h>

#include <algorithm>
#include <numbers>
#endif

namespace limpid {

namespace detail {

/// `bits >> places` of 64 bits without a sign.
LIMPID_INLINE at::Tensor shifted_right(const at::Tensor& bits, std::int64_t places);

LIMPID_INLINE at::Scalar as_signed(std::uint64_t bits);

/// SplitMix64 on all states at once: integers of 64 bits wrap around as those of `Random` do.
LIMPID_INLINE at::Tensor mixed_bits(at::Tensor z);

/// The states of `count` draws, from the first on, of a source whose state is 0.
LIMPID_INLINE at::Tensor steps_of_state(std::int64_t count, c10::Device device);

/// What `count` calls of `random.bits()` give, as 64-bit integers on `device`.
LIMPID_INLINE at::Tensor random_bits(std::int64_t count, Random& random, c10::Device device);

/// The same of several sources, (sources, count).
LIMPID_INLINE at::Tensor random_bits(std::int64_t count, std::span<Random> sources,
                                     c10::Device device);

/// 64 random bits -> uniform in [0, 1).
LIMPID_INLINE at::Tensor doubles_of_bits(const at::Tensor& bits);

/// Uniform numbers, the last dimension in pairs -> one normal number of each pair.
LIMPID_INLINE at::Tensor normals_of_pairs(const at::Tensor& pairs);

LIMPID_INLINE at::Tensor random_doubles(std::int64_t count, Random& random, c10::Device device);

}  // namespace detail

/// The numbers that `random.uniform()` gives one after another, as a tensor of `options` in the
/// order of its values; the same on every device. A float may round the largest up to one.
LIMPID_INLINE at::Tensor random_uniform(at::IntArrayRef shape, Random& random,
                                        const at::TensorOptions& options);

/// The same of `random.normal()`, up to rounding.
LIMPID_INLINE at::Tensor random_normal(at::IntArrayRef shape, Random& random,
                                       const at::TensorOptions& options);

namespace detail {

LIMPID_INLINE std::vector<std::int64_t> shape_for_each(std::span<Random> sources,
                                                       at::IntArrayRef shape);

}  // namespace detail

/// A tensor (sources, shape...) of which each part is `random_uniform(shape, source, options)`:
/// for the pictures of a batch, each with a source of its own.
LIMPID_INLINE at::Tensor random_uniform(at::IntArrayRef shape, std::span<Random> sources,
                                        const at::TensorOptions& options);

/// The same of `random_normal`.
LIMPID_INLINE at::Tensor random_normal(at::IntArrayRef shape, std::span<Random> sources,
                                       const at::TensorOptions& options);

}  // namespace limpid

#ifdef LIMPID_BODIES

namespace limpid::detail {

LIMPID_INLINE at::Tensor shifted_right(const at::Tensor& bits, std::int64_t places) {
  return at::bitwise_right_shift(bits, at::Scalar{places})
      .bitwise_and_(at::Scalar{(std::int64_t{1} << (64 - places)) - 1});
}

LIMPID_INLINE at::Scalar as_signed(std::uint64_t bits) {
  return at::Scalar{static_cast<std::int64_t>(bits)};
}

LIMPID_INLINE at::Tensor mixed_bits(at::Tensor z) {
  z.bitwise_xor_(shifted_right(z, 30)).mul_(as_signed(0xbf58476d1ce4e5b9));
  z.bitwise_xor_(shifted_right(z, 27)).mul_(as_signed(0x94d049bb133111eb));
  return z.bitwise_xor_(shifted_right(z, 31));
}

LIMPID_INLINE at::Tensor steps_of_state(std::int64_t count, c10::Device device) {
  auto steps = at::arange(1, count + 1, at::TensorOptions().dtype(at::kLong).device(device));
  return steps.mul_(as_signed(Random::kStep));
}

LIMPID_INLINE at::Tensor random_bits(std::int64_t count, Random& random, c10::Device device) {
  auto states = steps_of_state(count, device).add_(as_signed(random.state()));
  random.skip(count);
  return mixed_bits(std::move(states));
}

LIMPID_INLINE at::Tensor random_bits(std::int64_t count, std::span<Random> sources,
                                     c10::Device device) {
  auto first = at::empty({static_cast<std::int64_t>(sources.size()), 1},
                         at::TensorOptions().dtype(at::kLong).pinned_memory(device.is_cuda()));
  std::transform(sources.begin(), sources.end(), first.data_ptr<std::int64_t>(),
                 [](const Random& source) { return static_cast<std::int64_t>(source.state()); });
  for (auto& source : sources) source.skip(count);
  const auto there = first.to(at::TensorOptions().dtype(at::kLong).device(device), true);
  return mixed_bits(steps_of_state(count, device) + there);
}

LIMPID_INLINE at::Tensor doubles_of_bits(const at::Tensor& bits) {
  return shifted_right(bits, 11).to(at::kDouble).mul_(0x1.0p-53);
}

LIMPID_INLINE at::Tensor normals_of_pairs(const at::Tensor& pairs) {
  const auto radius = (pairs.select(-1, 0).neg().log1p() * -2.0).sqrt();
  return radius * (pairs.select(-1, 1) * (2.0 * std::numbers::pi)).cos();
}

LIMPID_INLINE at::Tensor random_doubles(std::int64_t count, Random& random, c10::Device device) {
  return doubles_of_bits(random_bits(count, random, device));
}

}  // namespace limpid::detail

namespace limpid {

LIMPID_INLINE at::Tensor random_uniform(at::IntArrayRef shape, Random& random,
                                        const at::TensorOptions& options) {
  return detail::random_doubles(c10::multiply_integers(shape), random, options.device())
      .reshape(shape)
      .to(options);
}

LIMPID_INLINE at::Tensor random_normal(at::IntArrayRef shape, Random& random,
                                       const at::TensorOptions& options) {
  const auto count = c10::multiply_integers(shape);
  const auto pairs =
      detail::random_doubles(2 * count, random, options.device()).reshape({count, 2});
  return detail::normals_of_pairs(pairs).reshape(shape).to(options);
}

}  // namespace limpid

namespace limpid::detail {

LIMPID_INLINE std::vector<std::int64_t> shape_for_each(std::span<Random> sources,
                                                       at::IntArrayRef shape) {
  std::vector<std::int64_t> all{static_cast<std::int64_t>(sources.size())};
  all.insert(all.end(), shape.begin(), shape.end());
  return all;
}

}  // namespace limpid::detail

namespace limpid {

LIMPID_INLINE at::Tensor random_uniform(at::IntArrayRef shape, std::span<Random> sources,
                                        const at::TensorOptions& options) {
  const auto bits = detail::random_bits(c10::multiply_integers(shape), sources, options.device());
  return detail::doubles_of_bits(bits).reshape(detail::shape_for_each(sources, shape)).to(options);
}

LIMPID_INLINE at::Tensor random_normal(at::IntArrayRef shape, std::span<Random> sources,
                                       const at::TensorOptions& options) {
  const auto count = c10::multiply_integers(shape);
  const auto bits = detail::random_bits(2 * count, sources, options.device());
  const auto pairs = detail::doubles_of_bits(bits).reshape({-1, count, 2});
  return detail::normals_of_pairs(pairs)
      .reshape(detail::shape_for_each(sources, shape))
      .to(options);
}

}  // namespace limpid

#endif  // LIMPID_BODIES
