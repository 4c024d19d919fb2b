#pragma once

#include <limpid/core/whole_maps.hpp>
#include <limpid/engine/blocked_map.hpp>
#include <limpid/engine/in_parallel.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <utility>
#include <vector>

// What networks do with maps between convolutions. Input and output are of one type; they compute
// in float32.

namespace limpid::detail {

/// What surrounds a map.
struct Border {
  enum class Kind { reflect, replicate, zeros };

  std::int64_t left = 0, right = 0, top = 0, bottom = 0;
  Kind kind = Kind::zeros;

  bool empty() const { return left == 0 && right == 0 && top == 0 && bottom == 0; }

  /// The row or column that stands at `place`, of `size`; -1: zeros.
  std::int64_t source(std::int64_t place, std::int64_t size) const {
    if (place >= 0 && place < size) return place;
    if (kind == Kind::zeros) return -1;
    if (kind == Kind::replicate) return place < 0 ? 0 : size - 1;
    return place < 0 ? -place : 2 * (size - 1) - place;
  }
};

/// in * scale + shift, for each channel; then what is added, then relu; then a border around it.
struct BlockedAffine {
  const float *scale = nullptr, *shift = nullptr;  ///< of all blocks; null: 1 and 0
  const void* added = nullptr;                     ///< a map like the input
  bool relu = false;
  Border border{};
};

template <class Row>
void affine_rows(const BlockedMap& in, const BlockedMap& out, const BlockedAffine& how) {
  in_parallel(in.blocks() * out.height, [&](std::int64_t begin, std::int64_t end) LIMPID_WIDE {
    const Lanes none{}, one = none + 1.0F;
    for (auto i = begin; i < end; ++i) {
      const auto block = i / out.height, y = i % out.height;
      const auto to = out.row<Row>(block, y);
      const auto from_y = how.border.source(y - how.border.top, in.height);
      if (from_y < 0) {
        std::memset(to.pixels, 0, static_cast<std::size_t>(out.row_bytes()));
        continue;
      }
      const auto from = in.row<Row>(block, from_y);
      const Row inner{to.pixels + how.border.left};
      const auto scale =
          how.scale != nullptr ? reinterpret_cast<const Lanes*>(how.scale)[block] : one;
      const auto shift =
          how.shift != nullptr ? reinterpret_cast<const Lanes*>(how.shift)[block] : none;
      if (how.added != nullptr) {
        auto beside = in;
        beside.data = const_cast<void*>(how.added);
        const auto added = beside.row<Row>(block, from_y);
        for (std::int64_t x = 0; x < in.width; ++x) {
          const auto value = from[x] * scale + shift + added[x];
          inner.set(x, how.relu ? (value < none ? none : value) : value);
        }
      } else {
        for (std::int64_t x = 0; x < in.width; ++x) {
          const auto value = from[x] * scale + shift;
          inner.set(x, how.relu ? (value < none ? none : value) : value);
        }
      }
      for (std::int64_t x = 0; x < how.border.left; ++x) {
        const auto source = how.border.source(x - how.border.left, in.width);
        to.set(x, source < 0 ? none : inner[source]);
      }
      for (std::int64_t x = in.width; x < in.width + how.border.right; ++x) {
        const auto source = how.border.source(x, in.width);
        inner.set(x, source < 0 ? none : inner[source]);
      }
    }
  });
}

/// @param out  higher and wider than `in` by the border
inline void affine(const BlockedMap& in, const BlockedMap& out, const BlockedAffine& how) {
  with_rows(in, [&]<class Row>(Row) { affine_rows<Row>(in, out, how); });
}

/// Sums of each channel, and of the squares, of values minus the first pixel's: so few digits are
/// lost where a mean is much larger than what differs from it.
struct BlockedSums {
  std::vector<double> sums, squares;
  std::vector<float> first;
};

template <class Row>
BlockedSums sums_of_rows(const BlockedMap& map, const MapPart& part, bool squares) {
  constexpr std::int64_t kRows = 16;  // in one task
  const auto blocks = map.blocks(), parts = (part.rows + kRows - 1) / kRows;
  struct Part {
    std::array<double, kLanes> sums{}, squares{}, first{};
  };
  std::vector<Part> partial(static_cast<std::size_t>(blocks * parts));
  in_parallel(blocks * parts, [&](std::int64_t begin, std::int64_t end) LIMPID_WIDE {
    for (auto i = begin; i < end; ++i) {
      const auto block = i / parts, top = i % parts * kRows;
      const auto first = map.row<Row>(block, part.top)[part.left];
      auto& found = partial[static_cast<std::size_t>(i)];
      for (auto y = top; y < std::min(top + kRows, part.rows); ++y) {
        const Row row{map.row<Row>(block, part.top + y).pixels + part.left};
        Lanes sum[2]{}, square[2]{};
        std::int64_t x = 0;
        for (; x + 2 <= part.columns; x += 2) {
          const auto a = row[x] - first, b = row[x + 1] - first;
          sum[0] += a;
          sum[1] += b;
          if (!squares) continue;
          square[0] += a * a;
          square[1] += b * b;
        }
        if (x < part.columns) {
          const auto a = row[x] - first;
          sum[0] += a;
          square[0] += a * a;
        }
        const auto sums = sum[0] + sum[1], all = square[0] + square[1];
        for (std::int64_t lane = 0; lane < kLanes; ++lane) {
          const auto n = static_cast<std::size_t>(lane);
          found.sums[n] += sums[lane];
          found.squares[n] += all[lane];
          found.first[n] = first[lane];
        }
      }
    }
  });
  const auto channels = static_cast<std::size_t>(blocks * kLanes);
  BlockedSums all{std::vector<double>(channels), std::vector<double>(channels),
                  std::vector<float>(channels)};
  for (std::int64_t i = 0; i < blocks * parts; ++i) {
    const auto& found = partial[static_cast<std::size_t>(i)];
    for (std::size_t lane = 0; lane < kLanes; ++lane) {
      const auto channel = static_cast<std::size_t>(i / parts * kLanes) + lane;
      all.sums[channel] += found.sums[lane];
      all.squares[channel] += found.squares[lane];
      all.first[channel] = static_cast<float>(found.first[lane]);
    }
  }
  return all;
}

inline BlockedSums sums_of(const BlockedMap& map, const MapPart& part, bool squares) {
  return map.is_half ? sums_of_rows<HalfRow>(map, part, squares)
                     : sums_of_rows<FloatRow>(map, part, squares);
}

inline MapPart whole_part(const BlockedMap& map) { return {0, 0, map.height, map.width}; }

/// The mean of each channel.
/// @param out  of all blocks
inline void channel_means(const BlockedMap& map, float* out) {
  const auto sums = sums_of(map, whole_part(map), /*squares=*/false);
  const auto count = static_cast<double>(map.height * map.width);
  for (std::size_t i = 0; i < sums.sums.size(); ++i) {
    out[i] = static_cast<float>(sums.sums[i] / count + sums.first[i]);
  }
}

/// Mean and variance (biased) of each channel, of all blocks.
struct BlockedMoments {
  std::vector<double> mean, variance;
};

inline BlockedMoments blocked_moments(const BlockedMap& map, const MapPart& part) {
  auto sums = sums_of(map, part, /*squares=*/true);
  const auto count = static_cast<double>(part.rows * part.columns);
  for (std::size_t i = 0; i < sums.sums.size(); ++i) {
    const auto mean = sums.sums[i] / count;  // beyond the first pixel
    sums.squares[i] = std::max(0.0, sums.squares[i] / count - mean * mean);
    sums.sums[i] = mean + sums.first[i];
  }
  return {std::move(sums.sums), std::move(sums.squares)};
}

/// Each channel with mean 0 and variance 1 by these moments, times a weight, plus a bias.
/// @param weight, bias  of all blocks, zeros beyond the last channel; or null
inline void normalise_channels(const BlockedMap& in, const BlockedMap& out,
                               const BlockedMoments& moments, double epsilon, const float* weight,
                               const float* bias, BlockedAffine how) {
  const auto channels = moments.mean.size();
  std::vector<float> room(2 * channels + kLanes);
  auto* scale = room.data();
  while (reinterpret_cast<std::uintptr_t>(scale) % sizeof(Lanes) != 0) ++scale;
  auto* shift = scale + channels;
  for (std::size_t i = 0; i < channels; ++i) {
    const auto factor =
        (weight != nullptr ? weight[i] : 1.0) / std::sqrt(moments.variance[i] + epsilon);
    scale[i] = static_cast<float>(factor);
    shift[i] = static_cast<float>((bias != nullptr ? bias[i] : 0.0) - moments.mean[i] * factor);
  }
  how.scale = scale;
  how.shift = shift;
  affine(in, out, how);
}

/// The channels of each pixel with variance 1, times a weight, plus a bias.
struct PixelNorm {
  const float *weight, *bias;  ///< of all blocks, zeros beyond the last channel
  double epsilon;
  bool centred;  ///< mean 0, too
};

template <class Row>
void normalise_pixels_of_rows(const BlockedMap& in, const BlockedMap& out, const PixelNorm& norm) {
  using Quarter = float __attribute__((vector_size(16), may_alias));
  in_parallel(in.height, [&](std::int64_t begin, std::int64_t end) LIMPID_WIDE {
    const auto blocks = in.blocks();
    const auto plane = in.height * in.width;
    const auto channels = static_cast<float>(in.channels);
    const auto beyond = static_cast<float>(blocks * kLanes - in.channels);
    const auto* weight = reinterpret_cast<const Lanes*>(norm.weight);
    const auto* bias = reinterpret_cast<const Lanes*>(norm.bias);
    const auto epsilon = static_cast<float>(norm.epsilon);
    for (auto y = begin; y < end; ++y) {
      auto from = in.row<Row>(0, y), to = out.row<Row>(0, y);
      for (std::int64_t x = 0; x < in.width; ++x, ++from.pixels, ++to.pixels) {
        Lanes sum{}, square{};
        for (std::int64_t block = 0; block < blocks; ++block) sum += from[block * plane];
        const auto* s = reinterpret_cast<const Quarter*>(&sum);
        const auto q = s[0] + s[1] + s[2] + s[3];
        const auto mean = (q[0] + q[1] + q[2] + q[3]) / channels;
        for (std::int64_t block = 0; block < blocks; ++block) {
          const auto centred = from[block * plane] - mean;
          square += centred * centred;
        }
        const auto* t = reinterpret_cast<const Quarter*>(&square);
        const auto r = t[0] + t[1] + t[2] + t[3];
        const auto all = r[0] + r[1] + r[2] + r[3] - beyond * mean * mean;
        const auto scale = 1.0F / std::sqrt(all / channels + epsilon);
        const auto middle = norm.centred ? mean : 0.0F;
        for (std::int64_t block = 0; block < blocks; ++block) {
          const auto value = (from[block * plane] - middle) * scale * weight[block] + bias[block];
          to.set(block * plane, value);
        }
      }
    }
  });
}

inline void normalise_pixels(const BlockedMap& in, const BlockedMap& out, const PixelNorm& norm) {
  with_rows(in, [&]<class Row>(Row) { normalise_pixels_of_rows<Row>(in, out, norm); });
}

/// a * b
template <class Row>
void multiply_rows(const BlockedMap& a, const BlockedMap& b, const BlockedMap& out) {
  in_parallel(a.blocks() * a.height, [&](std::int64_t begin, std::int64_t end) LIMPID_WIDE {
    const auto one = a.row<Row>(0, 0), two = b.row<Row>(0, 0), to = out.row<Row>(0, 0);
    for (auto i = begin * a.width; i < end * a.width; ++i) to.set(i, one[i] * two[i]);
  });
}

inline void multiply(const BlockedMap& a, const BlockedMap& b, const BlockedMap& out) {
  with_rows(a, [&]<class Row>(Row) { multiply_rows<Row>(a, b, out); });
}

/// a + sign b
template <class Row>
void add_rows(const BlockedMap& a, const BlockedMap& b, float sign, const BlockedMap& out) {
  in_parallel(a.blocks() * a.height, [&](std::int64_t begin, std::int64_t end) LIMPID_WIDE {
    const auto one = a.row<Row>(0, 0), two = b.row<Row>(0, 0), to = out.row<Row>(0, 0);
    for (auto i = begin * a.width; i < end * a.width; ++i) to.set(i, one[i] + sign * two[i]);
  });
}

inline void add(const BlockedMap& a, const BlockedMap& b, float sign, const BlockedMap& out) {
  with_rows(a, [&]<class Row>(Row) { add_rows<Row>(a, b, sign, out); });
}

/// Channels as pixels: block (r i + j) B + b of `in`, of B = out.blocks(), becomes the pixels in
/// row i and column j of each r x r of block b.
template <class Row>
void shuffle_rows(const BlockedMap& in, const BlockedMap& out, std::int64_t r) {
  in_parallel(out.blocks() * out.height, [&](std::int64_t begin, std::int64_t end) LIMPID_WIDE {
    for (auto n = begin; n < end; ++n) {
      const auto block = n / out.height, y = n % out.height;
      auto* to = out.row<Row>(block, y).pixels;
      for (std::int64_t j = 0; j < r; ++j) {
        const auto* from = in.row<Row>((y % r * r + j) * out.blocks() + block, y / r).pixels;
        for (std::int64_t x = 0; x < in.width; ++x) to[x * r + j] = from[x];
      }
    }
  });
}

inline void shuffle_blocks(const BlockedMap& in, const BlockedMap& out, std::int64_t r) {
  with_rows(in, [&]<class Row>(Row) { shuffle_rows<Row>(in, out, r); });
}

}  // namespace limpid::detail
