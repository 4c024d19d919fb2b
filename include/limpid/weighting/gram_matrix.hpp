#pragma once

#include <limpid/core/compiled.hpp>
#include <limpid/weighting/weighting.hpp>

#include <ATen/core/Tensor.h>
#include <ATen/ops/mm.h>
#include <ATen/ops/zeros.h>

#include <cstdint>
#include <vector>

#ifdef LIMPID_BODIES
#include <c10/util/Exception.h>

#include <algorithm>
#include <cmath>
#endif

namespace limpid {

/// The products of a tensor's rows with those of another: (T, P) and (T, P) -> T x T. In double, by
/// pieces: neither the length of the rows nor TF32 on a graphics card costs digits.
///
/// Only the result comes to the CPU, once.
/// @throws c10::ValueError for other shapes.
LIMPID_INLINE TaskMatrix row_products(const at::Tensor& a, const at::Tensor& b);

/// The Gram matrix of the rows: the products of each two of them.
LIMPID_INLINE TaskMatrix gram_matrix(const at::Tensor& rows);

/// weights^T rows, (P); written into the first row, so that it takes no memory of its own.
LIMPID_INLINE at::Tensor weighted_sum_in_place(at::Tensor& rows, const TaskVector& weights);

namespace detail {

/// Lengths of the tasks' gradients.
LIMPID_INLINE TaskVector lengths(const TaskMatrix& gram);

/// Calls `solve(gram, kept)` with the part of the Gram matrix of tasks that have a gradient, and
/// puts its weights in their places; the others have weight 0. `kept` holds their positions.
template <class Solve>
TaskVector without_zero_gradients(const TaskMatrix& gram, Solve solve) {
  std::vector<Eigen::Index> kept;
  for (Eigen::Index i = 0; i < gram.rows(); ++i) {
    if (gram(i, i) > 0) kept.push_back(i);
  }
  TaskVector all = TaskVector::Zero(gram.rows());
  const auto size = static_cast<Eigen::Index>(kept.size());
  if (size == 0) return all;
  TaskMatrix part{size, size};
  for (Eigen::Index i = 0; i < size; ++i) {
    for (Eigen::Index j = 0; j < size; ++j) {
      part(i, j) = gram(kept[static_cast<std::size_t>(i)], kept[static_cast<std::size_t>(j)]);
    }
  }
  const TaskVector weights = solve(part, kept);
  for (Eigen::Index i = 0; i < size; ++i) all[kept[static_cast<std::size_t>(i)]] = weights[i];
  return all;
}

}  // namespace detail
}  // namespace limpid

#ifdef LIMPID_BODIES

namespace limpid {

LIMPID_INLINE TaskMatrix row_products(const at::Tensor& a, const at::Tensor& b) {
  TORCH_CHECK_VALUE(a.dim() == 2 && a.sizes() == b.sizes(),
                    "row_products: expected two tensors (T, P) of one shape, got ", a.sizes(),
                    " and ", b.sizes());
  constexpr std::int64_t kPiece = 1 << 18;
  auto sum = at::zeros({a.size(0), a.size(0)}, a.options().dtype(at::kDouble));
  for (std::int64_t begin = 0; begin < a.size(1); begin += kPiece) {
    const auto length = std::min(kPiece, a.size(1) - begin);
    const auto left = a.narrow(1, begin, length).to(at::kDouble);
    sum.add_(
        at::mm(left, b.is_same(a) ? left.t() : b.narrow(1, begin, length).to(sum.options()).t()));
  }
  const auto on_cpu = sum.to(at::kCPU).contiguous();
  TaskMatrix result{a.size(0), a.size(0)};
  const auto* number = on_cpu.data_ptr<double>();
  for (Eigen::Index i = 0; i < result.rows(); ++i) {
    for (Eigen::Index j = 0; j < result.cols(); ++j) result(i, j) = *number++;
  }
  return result;
}

LIMPID_INLINE TaskMatrix gram_matrix(const at::Tensor& rows) {
  const auto products = row_products(rows, rows);
  return 0.5 * (products + products.transpose());
}

LIMPID_INLINE at::Tensor weighted_sum_in_place(at::Tensor& rows, const TaskVector& weights) {
  auto sum = rows.select(0, 0);
  sum.mul_(weights[0]);
  for (std::int64_t i = 1; i < rows.size(0); ++i) sum.add_(rows.select(0, i), weights[i]);
  return sum;
}

}  // namespace limpid

namespace limpid::detail {

LIMPID_INLINE TaskVector lengths(const TaskMatrix& gram) {
  return gram.diagonal().cwiseMax(0.0).cwiseSqrt();
}

}  // namespace limpid::detail

#endif  // LIMPID_BODIES
