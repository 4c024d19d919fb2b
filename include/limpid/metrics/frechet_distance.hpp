#pragma once

#include <limpid/io/tensor_file.hpp>

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/matmul.h>
#include <c10/util/Exception.h>
#include <Eigen/Core>
#include <Eigen/Eigenvalues>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <string>
#include <utility>

namespace limpid {

/// How the features of a set of pictures are distributed.
struct FeatureStatistics {
  at::Tensor mean;        ///< (D), double
  at::Tensor covariance;  ///< (D, D), double: of a sample, divided by N - 1
};

namespace detail {

inline at::Tensor checked_features(const at::Tensor& features) {
  TORCH_CHECK_VALUE(features.dim() == 2 && features.size(0) >= 2,
                    "Frechet distance: expected the features (N, D) of at least two pictures, got ",
                    features.sizes());
  return features.to(at::kCPU, at::kDouble);
}

/// (N, D) -> features less their mean, over the root of N - 1: what is a root of the covariance.
inline at::Tensor centred(const at::Tensor& features) {
  return (features - features.mean(0)) / std::sqrt(static_cast<double>(features.size(0) - 1));
}

/// Eigenvalues (and vectors) of a symmetric matrix (D, D), double.
inline Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> symmetric_eigen(const at::Tensor& matrix,
                                                                      bool vectors) {
  const auto dense = ((matrix + matrix.t()) / 2).contiguous();
  const auto n = static_cast<Eigen::Index>(dense.size(0));
  const Eigen::Map<const Eigen::MatrixXd> mapped{dense.data_ptr<double>(), n, n};
  return Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd>{
      mapped, vectors ? Eigen::ComputeEigenvectors : Eigen::EigenvaluesOnly};
}

/// The sum of the roots of a symmetric matrix' eigenvalues; rounding noise below 0 counts as 0.
inline double sum_of_roots(const at::Tensor& matrix) {
  return symmetric_eigen(matrix, false).eigenvalues().cwiseMax(0).cwiseSqrt().sum();
}

/// The symmetric root of a covariance.
inline at::Tensor symmetric_root(const at::Tensor& matrix) {
  const auto solver = symmetric_eigen(matrix, true);
  const Eigen::VectorXd roots = solver.eigenvalues().cwiseMax(0).cwiseSqrt();
  const Eigen::MatrixXd scaled = solver.eigenvectors() * roots.asDiagonal();
  auto root = at::empty_like(matrix, at::MemoryFormat::Contiguous);
  const auto n = static_cast<Eigen::Index>(matrix.size(0));
  Eigen::Map<Eigen::MatrixXd>{root.data_ptr<double>(), n, n} =
      scaled * solver.eigenvectors().transpose();
  return root;
}

}  // namespace detail

/// Mean and covariance of features (N, D), N >= 2.
inline FeatureStatistics feature_statistics(const at::Tensor& features) {
  const auto checked = detail::checked_features(features);
  const auto apart = detail::centred(checked);
  return {checked.mean(0), at::matmul(apart.t(), apart)};
}

/// The Fréchet distance of two normal distributions:
/// |m1 - m2|^2 + trace(C1 + C2 - 2 (C1 C2)^(1/2)), by eigenvalues of C1^(1/2) C2 C1^(1/2), which is
/// symmetric. 0 where both are equal.
///
/// Source: Dowson and Landau, "The Fréchet distance between multivariate normal distributions",
/// 1982.
/// @throws c10::ValueError if they have another number of features.
inline double frechet_distance(const FeatureStatistics& a, const FeatureStatistics& b) {
  TORCH_CHECK_VALUE(a.mean.sizes() == b.mean.sizes(),
                    "Frechet distance: expected as many "
                    "features of both, got ",
                    a.mean.sizes(), " and ", b.mean.sizes());
  const auto root = detail::symmetric_root(a.covariance);
  const auto shared = detail::sum_of_roots(at::matmul(at::matmul(root, b.covariance), root));
  return (a.mean - b.mean).square().sum().item<double>() +
         (a.covariance.trace() + b.covariance.trace()).item<double>() - 2 * shared;
}

/// That of the features of two sets, (N, D) and (M, D). Where there are fewer pictures than
/// features, by a smaller matrix with the same eigenvalues other than 0.
/// @throws c10::ValueError for other shapes, or fewer than two pictures.
inline double frechet_distance(const at::Tensor& features, const at::Tensor& others) {
  auto a = detail::checked_features(features), b = detail::checked_features(others);
  TORCH_CHECK_VALUE(a.size(1) == b.size(1),
                    "Frechet distance: expected as many features of both, "
                    "got ",
                    a.sizes(), " and ", b.sizes());
  if (std::min(a.size(0), b.size(0)) >= a.size(1)) {
    return frechet_distance(feature_statistics(a), feature_statistics(b));
  }
  const auto difference = a.mean(0) - b.mean(0);
  a = detail::centred(a), b = detail::centred(b);
  if (a.size(0) > b.size(0)) std::swap(a, b);
  const auto both = at::matmul(a, b.t());
  const auto shared = detail::sum_of_roots(at::matmul(both, both.t()));
  return (difference.square().sum() + a.square().sum() + b.square().sum()).item<double>() -
         2 * shared;
}

/// Reads how features are distributed: from a .npz that pytorch-fid saved (`mu` (D), `sigma`
/// (D, D)), or from the features themselves, the one array (N, D) of a .npy, .npz or safetensors.
///
/// @throws c10::Error that names the file, what was expected and what was found.
inline FeatureStatistics read_feature_statistics(const std::filesystem::path& path) {
  const auto file = read_tensor_file(path);
  const auto mean = file.tensors.find("mu"), covariance = file.tensors.find("sigma");
  if (mean != file.tensors.end() && covariance != file.tensors.end()) {
    const auto& m = mean->second;
    const auto& c = covariance->second;
    TORCH_CHECK(m.dim() == 1 && c.dim() == 2 && c.size(0) == m.size(0) && c.size(1) == m.size(0),
                "features '", path.string(), "': expected mu (D) and sigma (D, D), found ",
                m.sizes(), " and ", c.sizes());
    return {m.to(at::kDouble).contiguous(), c.to(at::kDouble).contiguous()};
  }
  TORCH_CHECK(file.tensors.size() == 1 && file.tensors.begin()->second.dim() == 2 &&
                  file.tensors.begin()->second.size(0) >= 2,
              "features '", path.string(),
              "': expected mu and sigma, or one array (N, D) of at least two pictures, found ",
              file.tensors.size(), " arrays",
              file.tensors.empty()
                  ? std::string{}
                  : c10::str(", the first ", file.tensors.begin()->second.sizes()));
  return feature_statistics(file.tensors.begin()->second);
}

}  // namespace limpid
