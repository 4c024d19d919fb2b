#pragma once

#include <cmath>
#include <cstdint>
#include <initializer_list>
#include <numbers>

namespace limpid {

/// A seeded source of random numbers that gives the same values on every platform.
///
/// Source: SplitMix64, Steele, Lea and Flood, "Fast Splittable Pseudorandom Number Generators",
/// OOPSLA 2014. The distributions are ours, because those of the standard library differ from one
/// implementation to the next.
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}

  /// The stream that belongs to `seed` and `keys` (a task, an epoch, a position ...), independent
  /// of how many numbers any other stream has given.
  static Random stream(std::uint64_t seed, std::initializer_list<std::uint64_t> keys) {
    Random random{seed};
    // Unlike in seed and key: the stream of seed 1 and key 2 is not that of seed 2 and key 1.
    for (const auto key : keys) random = Random{mix(random.bits() + key)};
    return random;
  }

  /// 64 random bits.
  std::uint64_t bits() { return mix(state_ += kStep); }

  /// Goes on as if `count` numbers had been drawn; in no time. `normal` draws two, others one.
  void skip(std::int64_t count) { state_ += kStep * static_cast<std::uint64_t>(count); }

  /// Uniform in [0, 1).
  double uniform() { return static_cast<double>(bits() >> 11) * 0x1.0p-53; }

  /// Uniform in [low, high).
  double uniform(double low, double high) { return low + (high - low) * uniform(); }

  /// Uniform in 0, 1, ..., count - 1; `count` is at least 1.
  std::int64_t below(std::int64_t count) {
    return static_cast<std::int64_t>(uniform() * static_cast<double>(count));
  }

  /// True with the given probability.
  bool chance(double probability) { return uniform() < probability; }

  /// Standard normal (Box and Muller 1958).
  double normal() {
    const auto radius = std::sqrt(-2.0 * std::log(1.0 - uniform()));
    return radius * std::cos(2.0 * std::numbers::pi * uniform());
  }

  /// The whole state: `Random{random.state()}` goes on where `random` stands.
  std::uint64_t state() const { return state_; }

  static constexpr std::uint64_t kStep = 0x9e3779b97f4a7c15;  ///< from one state to the next

 private:
  static constexpr std::uint64_t mix(std::uint64_t z) {
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
  }

  std::uint64_t state_;
};

}  // namespace limpid
