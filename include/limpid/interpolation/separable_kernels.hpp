#pragma once

#include <ATen/Parallel.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

// Loops of the adaptive separable convolution over contiguous memory of the CPU. Each is a struct
// whose call works on some rows, so that one piece of code serves every set of instructions.
namespace limpid::detail {

/// Shapes: frame (batch, channels, height + taps - 1, width + taps - 1), kernels (batch, taps,
/// height, width), output (batch, channels, height, width).
struct SeparableSizes {
  std::int64_t batch, channels, height, width, taps;

  std::int64_t plane() const { return height * width; }
  std::int64_t frame_width() const { return width + taps - 1; }
  std::int64_t frame_plane() const { return (height + taps - 1) * frame_width(); }
};

/// 32 bytes of numbers: one register of AVX2, two of SSE2 or NEON. The type stands in a struct
/// because a template argument would lose its attribute.
template <class T>
struct Pack;
template <>
struct Pack<float> {
  static constexpr std::int64_t lanes = 8;
  typedef float Type __attribute__((vector_size(32)));
};
template <>
struct Pack<double> {
  static constexpr std::int64_t lanes = 4;
  typedef double Type __attribute__((vector_size(32)));
};

/// One number, where a pack does not fit.
template <class T>
struct Single {
  static constexpr std::int64_t lanes = 1;
  using Type = T;
};

/// Reads numbers from anywhere: memory is aligned for one number, not for a pack.
template <class V, class T>
[[gnu::always_inline]] inline void load(V& to, const T* from) {
  __builtin_memcpy(&to, from, sizeof to);
}

template <class V, class T>
[[gnu::always_inline]] inline void store(T* to, const V& from) {
  __builtin_memcpy(to, &from, sizeof from);
}

/// Calls `block.template at<Width>(x)` along a row: packs of numbers first, single ones at the end.
template <class T, class Block>
[[gnu::always_inline]] inline void along_row(std::int64_t width, Block& block) {
  std::int64_t x = 0;
  for (; x + Pack<T>::lanes <= width; x += Pack<T>::lanes) block.template at<Pack<T>>(x);
  for (; x < width; ++x) block.template at<Single<T>>(x);
}

/// out(c, y, x) = sum of vertical(i, y, x) * horizontal(j, y, x) * frame(c, y + i, x + j).
template <class T>
struct SeparableForward {
  SeparableSizes sizes;
  const T *frame, *vertical, *horizontal;
  T* out;

  std::int64_t rows() const { return sizes.batch * sizes.height; }

  /// One row of the output.
  struct Row {
    const SeparableSizes& sizes;
    const T *frame, *vertical, *horizontal;
    T* out;
    T* taps;

    template <class Width>
    [[gnu::always_inline]] void at(std::int64_t x) {
      // Side by side: taps a plane apart would share a few lines of the cache.
      for (std::int64_t j = 0; j < sizes.taps; ++j) {
        std::copy_n(horizontal + j * sizes.plane() + x, Width::lanes, taps + j * Width::lanes);
      }
      std::int64_t c = 0;
      for (; c + 3 <= sizes.channels; c += 3) three<Width>(c, x);
      for (; c < sizes.channels; ++c) one<Width>(c, x);
    }

    template <class Width>
    [[gnu::always_inline]] void three(std::int64_t c, std::int64_t x) {
      const auto plane = sizes.frame_plane();
      typename Width::Type red{}, green{}, blue{}, tap, value;
      for (std::int64_t i = 0; i < sizes.taps; ++i) {
        const T* in = frame + c * plane + i * sizes.frame_width() + x;
        typename Width::Type red_row{}, green_row{}, blue_row{};
        for (std::int64_t j = 0; j < sizes.taps; ++j) {
          load(tap, taps + j * Width::lanes);
          load(value, in + j);
          red_row += tap * value;
          load(value, in + plane + j);
          green_row += tap * value;
          load(value, in + 2 * plane + j);
          blue_row += tap * value;
        }
        load(tap, vertical + i * sizes.plane() + x);
        red += tap * red_row;
        green += tap * green_row;
        blue += tap * blue_row;
      }
      T* to = out + c * sizes.plane() + x;
      store(to, red);
      store(to + sizes.plane(), green);
      store(to + 2 * sizes.plane(), blue);
    }

    template <class Width>
    [[gnu::always_inline]] void one(std::int64_t c, std::int64_t x) {
      typename Width::Type sum{}, tap, value;
      for (std::int64_t i = 0; i < sizes.taps; ++i) {
        const T* in = frame + c * sizes.frame_plane() + i * sizes.frame_width() + x;
        typename Width::Type row{};
        for (std::int64_t j = 0; j < sizes.taps; ++j) {
          load(tap, taps + j * Width::lanes);
          load(value, in + j);
          row += tap * value;
        }
        load(tap, vertical + i * sizes.plane() + x);
        sum += tap * row;
      }
      store(out + c * sizes.plane() + x, sum);
    }
  };

  [[gnu::always_inline]] void operator()(std::int64_t begin, std::int64_t end) const {
    std::vector<T> taps(static_cast<std::size_t>(sizes.taps * Pack<T>::lanes));
    for (auto row = begin; row < end; ++row) {
      const auto n = row / sizes.height, y = row % sizes.height;
      const auto kernel = n * sizes.taps * sizes.plane() + y * sizes.width;
      Row block{sizes,
                frame + n * sizes.channels * sizes.frame_plane() + y * sizes.frame_width(),
                vertical + kernel,
                horizontal + kernel,
                out + n * sizes.channels * sizes.plane() + y * sizes.width,
                taps.data()};
      along_row<T>(sizes.width, block);
    }
  }
};

/// Gradients of both kernels, from that of the output.
template <class T>
struct SeparableKernelGradients {
  SeparableSizes sizes;
  const T *frame, *vertical, *horizontal, *grad_out;
  T *grad_vertical, *grad_horizontal;

  std::int64_t rows() const { return sizes.batch * sizes.height; }

  struct Row {
    const SeparableSizes& sizes;
    const T *frame, *vertical, *horizontal, *grad_out;
    T *grad_vertical, *grad_horizontal;
    T *taps, *sums;

    template <class Width>
    [[gnu::always_inline]] void at(std::int64_t x) {
      const auto plane = sizes.plane();
      for (std::int64_t j = 0; j < sizes.taps; ++j) {
        std::copy_n(horizontal + j * plane + x, Width::lanes, taps + j * Width::lanes);
      }
      std::fill_n(sums, sizes.taps * Width::lanes, T{0});
      typename Width::Type down, tap, value, grad, sum;
      for (std::int64_t i = 0; i < sizes.taps; ++i) {
        load(down, vertical + i * plane + x);
        const T* in = frame + i * sizes.frame_width() + x;
        typename Width::Type grad_down{};
        for (std::int64_t j = 0; j < sizes.taps; ++j) {
          typename Width::Type seen{};
          for (std::int64_t c = 0; c < sizes.channels; ++c) {
            load(grad, grad_out + c * plane + x);
            load(value, in + c * sizes.frame_plane() + j);
            seen += grad * value;
          }
          load(tap, taps + j * Width::lanes);
          grad_down += tap * seen;
          load(sum, sums + j * Width::lanes);
          sum += down * seen;
          store(sums + j * Width::lanes, sum);
        }
        store(grad_vertical + i * plane + x, grad_down);
      }
      for (std::int64_t j = 0; j < sizes.taps; ++j) {
        std::copy_n(sums + j * Width::lanes, Width::lanes, grad_horizontal + j * plane + x);
      }
    }
  };

  [[gnu::always_inline]] void operator()(std::int64_t begin, std::int64_t end) const {
    std::vector<T> taps(static_cast<std::size_t>(sizes.taps * Pack<T>::lanes)), sums(taps.size());
    for (auto row = begin; row < end; ++row) {
      const auto n = row / sizes.height, y = row % sizes.height;
      const auto kernel = n * sizes.taps * sizes.plane() + y * sizes.width;
      Row block{sizes,
                frame + n * sizes.channels * sizes.frame_plane() + y * sizes.frame_width(),
                vertical + kernel,
                horizontal + kernel,
                grad_out + n * sizes.channels * sizes.plane() + y * sizes.width,
                grad_vertical + kernel,
                grad_horizontal + kernel,
                taps.data(),
                sums.data()};
      along_row<T>(sizes.width, block);
    }
  }
};

/// Gradient of the frame, from that of the output; `grad_frame` begins as zeros. Its rows are
/// planes: within one, outputs add to shared pixels.
template <class T>
struct SeparableFrameGradient {
  SeparableSizes sizes;
  const T *vertical, *horizontal, *grad_out;
  T* grad_frame;

  std::int64_t rows() const { return sizes.batch * sizes.channels; }

  struct Row {
    const SeparableSizes& sizes;
    const T *vertical, *horizontal, *grad_out;
    T* grad_frame;

    template <class Width>
    [[gnu::always_inline]] void at(std::int64_t x) {
      typename Width::Type weight, tap, sum;
      load(weight, grad_out + x);
      load(tap, vertical + x);
      weight *= tap;
      for (std::int64_t j = 0; j < sizes.taps; ++j) {
        load(tap, horizontal + j * sizes.plane() + x);
        load(sum, grad_frame + x + j);
        sum += weight * tap;
        store(grad_frame + x + j, sum);
      }
    }
  };

  [[gnu::always_inline]] void operator()(std::int64_t begin, std::int64_t end) const {
    for (auto image = begin; image < end; ++image) {
      const auto n = image / sizes.channels;
      for (std::int64_t y = 0; y < sizes.height; ++y) {
        const auto row = y * sizes.width;
        const auto kernel = n * sizes.taps * sizes.plane() + row;
        for (std::int64_t i = 0; i < sizes.taps; ++i) {
          Row block{sizes, vertical + kernel + i * sizes.plane(), horizontal + kernel,
                    grad_out + image * sizes.plane() + row,
                    grad_frame + image * sizes.frame_plane() + (y + i) * sizes.frame_width()};
          along_row<T>(sizes.width, block);
        }
      }
    }
  }
};

#if defined(__x86_64__)
template <class Loop>
[[gnu::target("avx2,fma")]] inline void run_with_avx2(const Loop& loop, std::int64_t begin,
                                                      std::int64_t end) {
  loop(begin, end);
}
#endif

/// Runs a loop over all its rows, on all threads, with AVX2 where the processor has it.
template <class Loop>
void run_loop(const Loop& loop) {
  at::parallel_for(0, loop.rows(), 1, [&](std::int64_t begin, std::int64_t end) {
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
      run_with_avx2(loop, begin, end);
      return;
    }
#endif
    loop(begin, end);
  });
}

}  // namespace limpid::detail
