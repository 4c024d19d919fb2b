#pragma once

#include <limpid/core/check.hpp>
#include <limpid/weighting/gram_matrix.hpp>
#include <limpid/weighting/solvers.hpp>
#include <limpid/weighting/weighting.hpp>

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/zeros.h>
#include <ATen/ops/zeros_like.h>
#include <c10/util/Exception.h>

#include <algorithm>
#include <cmath>
#include <cstdint>

// Weightings that remember the tasks' gradients: each keeps a second tensor of T x P floats.
namespace limpid {

namespace detail {

/// What is remembered of the tasks' gradients: zeros at first.
/// @throws c10::Error if it is of another shape than the gradients.
inline void begin_rows(at::Tensor& state, const at::Tensor& rows) {
  if (!state.defined()) state = at::zeros_like(rows);
  TORCH_CHECK(state.sizes() == rows.sizes(), "weighting: it remembers gradients of shape ",
              state.sizes(), ", the step has ", rows.sizes());
  state = state.to(rows.options());
}

/// weights^T of, written into the first of `rows`.
inline at::Tensor weighted_sum_into(at::Tensor& rows, const at::Tensor& of,
                                    const TaskVector& weights) {
  auto sum = rows.select(0, 0);
  sum.copy_(of.select(0, 0)).mul_(weights[0]);
  for (std::int64_t i = 1; i < of.size(0); ++i) sum.add_(of.select(0, i), weights[i]);
  return sum;
}

}  // namespace detail

/// Multi-objective gradient correction: noise is averaged out of the tasks' gradients before they
/// are weighed. y = 0 and w = 1/T at first; in call t = 1, 2, ...: y_i -= beta / t^beta_sigma (y_i
/// - loss_i g_i / (|g_i| + 1e-8)); w = softmax(w - gamma / t^gamma_sigma (y y^T + rho I) w); the
/// encoder follows sum of w_i y_i.
///
/// Source: Fernando et al., "Mitigating Gradient Bias in Multi-objective Learning: A Provably
/// Convergent Stochastic Approach", ICLR 2023.
struct MoCo {
  double beta = 0.5, beta_sigma = 0.5;
  double gamma = 0.1, gamma_sigma = 0.5;
  double rho = 0.0;

  std::int64_t calls = 0;
  TaskVector w{};
  at::Tensor y{};

  static void each_option(auto& self, auto&& visit) {
    visit("beta", self.beta, "how fast the averaged gradients follow");
    visit("beta-sigma", self.beta_sigma, "power of the step by which beta falls");
    visit("gamma", self.gamma, "rate of the weights");
    visit("gamma-sigma", self.gamma_sigma, "power of the step by which gamma falls");
    visit("rho", self.rho, "pull to equal weights");
  }
  static void each_state(auto& self, auto&& visit) {
    visit("calls", self.calls);
    visit("w", self.w);
    visit("y", self.y);
  }
  void check() const {
    TORCH_CHECK_VALUE(beta > 0 && beta <= 1, "beta must be above 0 and at most 1, got ", beta);
    detail::check_not_negative("beta-sigma", beta_sigma);
    detail::check_positive("gamma", gamma);
    detail::check_not_negative("gamma-sigma", gamma_sigma);
    detail::check_not_negative("rho", rho);
  }

  CombinedRow combine(const WeightingStep& step, const TaskMatrix& gram, at::Tensor& rows) {
    const auto losses = detail::positive_losses("moco", step);
    detail::begin_state(w, step, 1 / static_cast<double>(step.count()));
    detail::begin_rows(y, rows);
    const auto t = static_cast<double>(++calls);
    const double follow = beta / std::pow(t, beta_sigma);
    const auto lengths = detail::lengths(gram);
    for (std::int64_t i = 0; i < rows.size(0); ++i) {
      y.select(0, i)
          .mul_(1 - follow)
          .add_(rows.select(0, i), follow * losses[i] / (lengths[i] + 1e-8));
    }
    TaskMatrix products = gram_matrix(y);
    products.diagonal().array() += rho;
    w = detail::softmax(w - gamma / std::pow(t, gamma_sigma) * (products * w));
    return {detail::weighted_sum_into(rows, y, w), w};
  }
};

/// Dual balancing: gradients of the logarithms of the losses, averaged over time, all brought to
/// the length of the longest. h_i = g_i / (loss_i + 1e-8); b = h + beta / t^beta_sigma (b - h) in
/// call t = 1, 2, ... from b = 0; the encoder follows sum of max_j |b_j| / (|b_i| + 1e-8) b_i.
/// Decoders follow the logarithms of their losses.
///
/// Source: Lin et al., "Dual-Balancing for Multi-Task Learning", arXiv 2308.12029, 2023.
struct DBMTL {
  double beta = 0.9, beta_sigma = 0.0;

  std::int64_t calls = 0;
  at::Tensor b{};

  static void each_option(auto& self, auto&& visit) {
    visit("beta", self.beta, "how much of the averaged gradients stays");
    visit("beta-sigma", self.beta_sigma, "power of the step by which beta falls");
  }
  static void each_state(auto& self, auto&& visit) {
    visit("calls", self.calls);
    visit("b", self.b);
  }
  void check() const {
    TORCH_CHECK_VALUE(beta >= 0 && beta < 1, "beta must be at least 0 and below 1, got ", beta);
    detail::check_not_negative("beta-sigma", beta_sigma);
  }

  TaskVector decoders(const WeightingStep& step) const {
    detail::positive_losses("db-mtl", step);
    return (step.losses.array() + 1e-8).inverse();
  }

  CombinedRow combine(const WeightingStep& step, const TaskMatrix&, at::Tensor& rows) {
    const auto inverse = decoders(step);
    detail::begin_rows(b, rows);
    const double stay = beta / std::pow(static_cast<double>(++calls), beta_sigma);
    for (std::int64_t i = 0; i < rows.size(0); ++i) {
      b.select(0, i).mul_(stay).add_(rows.select(0, i), (1 - stay) * inverse[i]);
    }
    const auto lengths = detail::lengths(gram_matrix(b));
    const TaskVector scales = lengths.maxCoeff() / (lengths.array() + 1e-8);
    return {detail::weighted_sum_into(rows, b, scales), scales};
  }
};

/// Excess risks: weight to the tasks that are farthest from the best they can reach, as the
/// curvature tells; labels full of noise attract none. S += g^2 for each value, S = 0 at first; x_i
/// = sum of g_i^2 / sqrt(S_i + 1e-7); the first call remembers x as x0 and has weights of 1; later
/// w_i *= exp(eta x_i / x0_i), then scaled to the sum T.
///
/// Source: He et al., "Robust Multi-Task Learning with Excess Risks", ICML 2024.
struct ExcessMTL {
  double eta = 0.01;

  TaskVector w{}, first{};
  at::Tensor squares{};

  static void each_option(auto& self, auto&& visit) {
    visit("eta", self.eta, "how fast weights follow");
  }
  static void each_state(auto& self, auto&& visit) {
    visit("w", self.w);
    visit("first", self.first);
    visit("squares", self.squares);
  }
  void check() const { detail::check_positive("eta", eta); }

  CombinedRow combine(const WeightingStep& step, const TaskMatrix&, at::Tensor& rows) {
    detail::begin_state(w, step, 1.0);
    detail::begin_rows(squares, rows);
    const auto risks = excess(rows);
    if (first.size() == 0) {
      first = risks;
    } else {
      detail::begin_state(first, step, 0.0);
      for (Eigen::Index i = 0; i < w.size(); ++i) {
        if (first[i] <= 0) first[i] = risks[i];  // had no gradient so far
        if (first[i] > 0) w[i] *= std::exp(std::min(30.0, eta * risks[i] / first[i]));
      }
      w *= static_cast<double>(step.count()) / w.sum();
    }
    return {weighted_sum_in_place(rows, w), w};
  }

 private:
  TaskVector excess(const at::Tensor& rows) {
    constexpr std::int64_t kPiece = 1 << 18;
    TaskVector risks = TaskVector::Zero(rows.size(0));
    for (std::int64_t i = 0; i < rows.size(0); ++i) {
      auto sum = at::zeros({}, rows.options().dtype(at::kDouble));
      for (std::int64_t begin = 0; begin < rows.size(1); begin += kPiece) {
        const auto length = std::min(kPiece, rows.size(1) - begin);
        const auto square = rows[i].narrow(0, begin, length).square();
        auto all = squares[i].narrow(0, begin, length);
        all.add_(square);
        sum.add_(square.div((all + 1e-7).sqrt_()).sum(at::kDouble));
      }
      risks[i] = sum.item<double>();
    }
    return risks;
  }
};

/// Double sampling: as MGDA in the long run, but w takes one step of descent at a time, from two
/// samples of the gradients that share no noise: w = simplex projection of
/// w - gamma (G w + rho w), G_ij = (last step's g_i) . (this step's g_j); the encoder follows
/// sum of w_i g_i.
///
/// Source: Chen, Fernando, Ying, Chen, "Three-Way Trade-Off in Multi-Objective Learning:
/// Optimization, Generalization and Conflict-Avoidance", NeurIPS 2023.
/// Differs: the two samples are the batches of two steps, so that none costs a pass of its own; the
/// first step has its own twice.
struct MoDo {
  double gamma = 1e-3;
  double rho = 0.1;

  TaskVector w{};
  at::Tensor last{};  ///< the last step's gradients

  static void each_option(auto& self, auto&& visit) {
    visit("gamma", self.gamma, "rate of the weights");
    visit("rho", self.rho, "pull to equal weights");
  }
  static void each_state(auto& self, auto&& visit) {
    visit("w", self.w);
    visit("last", self.last);
  }
  void check() const {
    detail::check_positive("gamma", gamma);
    detail::check_not_negative("rho", rho);
  }

  CombinedRow combine(const WeightingStep& step, const TaskMatrix& gram, at::Tensor& rows) {
    detail::begin_state(w, step, 1 / static_cast<double>(step.count()));
    const bool is_first = !last.defined();
    detail::begin_rows(last, rows);
    const TaskMatrix products = is_first ? gram : row_products(last, rows);
    w = detail::projected_on_simplex(w - gamma * (products * w + rho * w));
    last.copy_(rows);
    return {weighted_sum_in_place(rows, w), w};
  }
};

static_assert(RowWeighting<MoCo> && RowWeighting<DBMTL>);
static_assert(RowWeighting<ExcessMTL> && RowWeighting<MoDo>);

}  // namespace limpid
