#pragma once

#include <limpid/core/named.hpp>

#include <string_view>
#include <utility>

namespace limpid {

/// How convolutions in float32 are computed on the CPU.
enum class Convolution {
  fast,   ///< by fewer multiplications where that pays; equal to `exact` to 1e-4 of the largest
          ///< value of a layer
  exact,  ///< as LibTorch does it
};

inline constexpr NamedTable kConvolutions{
    "a convolution",
    Named{"fast", "3x3 by fewer multiplications where the machine can", Convolution::fast},
    Named{"exact", "as LibTorch computes it", Convolution::exact},
};

inline constexpr std::string_view name_of(Convolution convolution) {
  std::string_view name;
  kConvolutions.for_each([&](const auto& entry) {
    if (entry.value == convolution) name = entry.name;
  });
  return name;
}

/// While it lives, this thread's convolutions are of the given kind. Outside of any scope they are
/// exact. What was computed fast has a fast backward, wherever that runs.
class ConvolutionScope {
 public:
  explicit ConvolutionScope(Convolution convolution)
      : before_(std::exchange(current(), convolution)) {}
  ~ConvolutionScope() { current() = before_; }
  ConvolutionScope(const ConvolutionScope&) = delete;
  ConvolutionScope& operator=(const ConvolutionScope&) = delete;

  /// What holds for this thread.
  static Convolution in_force() { return current(); }

 private:
  static Convolution& current() {
    thread_local Convolution kind = Convolution::exact;
    return kind;
  }

  Convolution before_;
};

}  // namespace limpid
