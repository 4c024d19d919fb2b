#pragma once

#include <limpid/core/random_tensor.hpp>
#include <limpid/weighting/weighting.hpp>

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <c10/util/Exception.h>

#include <algorithm>
#include <cstdint>

namespace limpid {

/// Gradient sign dropout: each value of the shared gradient takes its sign from one side of the
/// tasks only, drawn by how much they agree. Per value: P = (1 + sum g_i / sum |g_i|) / 2, U
/// uniform; positive g_i are kept where P > U, negative ones where P < U; the sum of what is kept.
///
/// Source: Chen et al., "Just Pick a Sign: Optimizing Deep Multitask Models with Gradient Sign
/// Dropout", NeurIPS 2020.
struct GradDrop {
  double leak = 0.0;  ///< share of the gradient that is kept in any case

  static void each_option(auto& self, auto&& visit) {
    visit("leak", self.leak, "share of a gradient that is kept in any case");
  }
  void check() const {
    TORCH_CHECK_VALUE(leak >= 0 && leak <= 1, "leak must be within 0:1, got ", leak);
  }

  CombinedRow combine(WeightingStep& step, const TaskMatrix&, at::Tensor& rows) {
    // By pieces, and into the first row: nothing as large as the rows is made.
    constexpr std::int64_t kPiece = 1 << 18;
    for (std::int64_t begin = 0; begin < rows.size(1); begin += kPiece) {
      const auto piece = rows.narrow(1, begin, std::min(kPiece, rows.size(1) - begin));
      const auto uniform = random_uniform({piece.size(1)}, step.random, piece.options());
      piece.select(0, 0).copy_(kept(piece, uniform, leak));
    }
    return {rows.select(0, 0)};
  }

  /// @param rows     (T, P) gradients
  /// @param uniform  (P) in [0, 1)
  /// @return         (P)
  static at::Tensor kept(const at::Tensor& rows, const at::Tensor& uniform, double leak) {
    const auto sum = rows.sum(0), length = rows.abs().sum(0);
    const auto positive = 0.5 * (1 + sum / length.clamp_min(1e-30));
    const auto up = (positive > uniform).to(rows.scalar_type());
    const auto down = (positive < uniform).to(rows.scalar_type());
    const auto chosen = (rows.clamp_min(0) * up + rows.clamp_max(0) * down).sum(0);
    return leak > 0 ? leak * sum + (1 - leak) * chosen : chosen;
  }
};

static_assert(RowWeighting<GradDrop>);

}  // namespace limpid
