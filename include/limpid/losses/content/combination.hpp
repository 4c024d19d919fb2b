#pragma once

#include <limpid/core/compiled.hpp>
#include <limpid/core/concepts.hpp>
#include <limpid/losses/content/shared_features.hpp>

#include <ATen/core/Tensor.h>
#include <c10/core/Device.h>

#include <concepts>
#include <map>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#ifdef LIMPID_BODIES
#include <ATen/TensorOperators.h>

#include <sstream>
#endif

namespace limpid {

namespace detail {

template <class L>
concept HasNameMember = requires {
  { L::name } -> std::convertible_to<std::string_view>;
};

template <class L>
concept SaysItsName = HasNameMember<L> || requires(const L& loss) {
  { loss.name() } -> std::convertible_to<std::string>;
};

}  // namespace detail

/// A content loss that says its name, as a static member or a function: what sums are made of.
/// A plain lambda joins them through `loss_of`.
template <class L>
concept NamedContentLoss = ContentLoss<L> && std::copyable<L> && detail::SaysItsName<L>;

/// What logs and error texts call `loss`.
template <NamedContentLoss L>
std::string loss_name(const L& loss) {
  if constexpr (detail::HasNameMember<L>) {
    return std::string{std::string_view{L::name}};
  } else {
    return loss.name();
  }
}

/// One term of a sum, evaluated: it adds `weight * value` to the whole.
struct LossTerm {
  std::string name;
  double weight;
  at::Tensor value;  ///< scalar, before the weight
};

namespace detail {

template <ContentLoss L>
void move_loss(L& loss, c10::Device device) {
  if constexpr (requires { loss.to(device); }) loss.to(device);
}

/// What a loss or its terms will look at.
template <ContentLoss L>
void expect_features(const L& loss, SharedFeatures& shared) {
  if constexpr (requires { loss.expect_features(shared); }) {
    loss.expect_features(shared);
  } else if constexpr (FeatureLoss<L> || LayeredFeatureLoss<L>) {
    shared.expect(loss.features());
  }
}

template <ContentLoss L>
at::Tensor evaluated(const L& loss, const at::Tensor& restored, const at::Tensor& target,
                     SharedFeatures& shared) {
  if constexpr (FeatureLoss<L> || LayeredFeatureLoss<L>) {
    return loss.compare(shared.maps(loss.features(), restored, target));
  } else {
    return loss(restored, target);
  }
}

/// Evaluates a loss, or each of its terms.
template <ContentLoss L>
void append_terms(const L& loss, const at::Tensor& restored, const at::Tensor& target,
                  double weight, SharedFeatures& shared, std::vector<LossTerm>& terms) {
  if constexpr (requires { loss.append_terms(restored, target, weight, shared, terms); }) {
    loss.append_terms(restored, target, weight, shared, terms);
  } else if constexpr (NamedContentLoss<L>) {
    terms.push_back({loss_name(loss), weight, evaluated(loss, restored, target, shared)});
  } else {
    terms.push_back({"content", weight, evaluated(loss, restored, target, shared)});
  }
}

/// "0.5 * l1"; a weight of one is not said.
LIMPID_INLINE std::string weighted_name(double weight, const std::string& name);

}  // namespace detail

/// The terms of a loss, each evaluated once, those that look through one network by the same two
/// passes; a loss that is no sum is its only term. Terms of one name are numbered: "l1", "l1_2".
template <ContentLoss L>
std::vector<LossTerm> loss_terms(const L& loss, const at::Tensor& restored,
                                 const at::Tensor& target) {
  SharedFeatures shared;
  detail::expect_features(loss, shared);
  std::vector<LossTerm> terms;
  detail::append_terms(loss, restored, target, 1.0, shared, terms);
  std::map<std::string, int> seen;
  for (auto& term : terms) {
    const auto count = ++seen[term.name];
    if (count > 1) term.name += "_" + std::to_string(count);
  }
  return terms;
}

/// The whole that `terms` are parts of.
LIMPID_INLINE at::Tensor sum_of(const std::vector<LossTerm>& terms);

/// A content loss times a number: `0.5 * L1{}`.
template <NamedContentLoss L>
struct WeightedLoss {
  double weight;
  L loss;

  at::Tensor operator()(const at::Tensor& restored, const at::Tensor& target) const {
    return weight * loss(restored, target);
  }

  /// Moves what the loss owns, a VGG for one.
  void to(c10::Device device) { detail::move_loss(loss, device); }

  std::string name() const { return detail::weighted_name(weight, loss_name(loss)); }

  void expect_features(SharedFeatures& shared) const { detail::expect_features(loss, shared); }

  void append_terms(const at::Tensor& restored, const at::Tensor& target, double outer,
                    SharedFeatures& shared, std::vector<LossTerm>& terms) const {
    detail::append_terms(loss, restored, target, outer * weight, shared, terms);
  }
};

/// A sum of content losses, taken from left to right: `Perceptual{vgg} + 0.5 * L1{}`.
template <NamedContentLoss... Terms>
requires(sizeof...(Terms) > 1) struct SumLoss {
  std::tuple<Terms...> terms;

  at::Tensor operator()(const at::Tensor& restored, const at::Tensor& target) const {
    return sum_of(loss_terms(*this, restored, target));
  }

  void to(c10::Device device) {
    std::apply([&](auto&... term) { (detail::move_loss(term, device), ...); }, terms);
  }

  /// In parentheses, so that a weighted sum reads right.
  std::string name() const {
    std::string text;
    std::apply(
        [&](const auto&... term) {
          ((text += (text.empty() ? "(" : " + ") + loss_name(term)), ...);
        },
        terms);
    return text + ")";
  }

  void expect_features(SharedFeatures& shared) const {
    std::apply([&](const auto&... term) { (detail::expect_features(term, shared), ...); }, terms);
  }

  void append_terms(const at::Tensor& restored, const at::Tensor& target, double outer,
                    SharedFeatures& shared, std::vector<LossTerm>& evaluated) const {
    std::apply(
        [&](const auto&... term) {
          (detail::append_terms(term, restored, target, outer, shared, evaluated), ...);
        },
        terms);
  }
};

/// Any content loss, a lambda for one, with a name: `loss_of([](const auto& restored, const auto&
/// target) { ... }, "mine") + L1{}`.
template <ContentLoss F>
struct FunctionLoss {
  F function;
  std::string label;

  at::Tensor operator()(const at::Tensor& restored, const at::Tensor& target) const {
    return function(restored, target);
  }

  std::string name() const { return label; }
};

/// Gives a lambda a name, so that it can be weighted and added.
template <ContentLoss F>
FunctionLoss<F> loss_of(F function, std::string name = "custom") {
  return {std::move(function), std::move(name)};
}

namespace detail {

template <NamedContentLoss L>
std::tuple<L> terms_of(const L& loss) {
  return {loss};
}

template <class... Terms>
std::tuple<Terms...> terms_of(const SumLoss<Terms...>& sum) {
  return sum.terms;
}

template <class... Terms>
SumLoss<Terms...> make_sum(std::tuple<Terms...> terms) {
  return {std::move(terms)};
}

}  // namespace detail

template <NamedContentLoss L>
WeightedLoss<L> operator*(double weight, L loss) {
  return {weight, std::move(loss)};
}

template <NamedContentLoss L>
WeightedLoss<L> operator*(L loss, double weight) {
  return {weight, std::move(loss)};
}

template <NamedContentLoss A, NamedContentLoss B>
auto operator+(const A& a, const B& b) {
  return detail::make_sum(std::tuple_cat(detail::terms_of(a), detail::terms_of(b)));
}

}  // namespace limpid

#ifdef LIMPID_BODIES

namespace limpid::detail {

LIMPID_INLINE std::string weighted_name(double weight, const std::string& name) {
  if (weight == 1.0) return name;
  std::ostringstream text;
  text << weight << " * " << name;
  return text.str();
}

}  // namespace limpid::detail

namespace limpid {

LIMPID_INLINE at::Tensor sum_of(const std::vector<LossTerm>& terms) {
  at::Tensor sum;
  for (const auto& term : terms) {
    const auto part = term.weight == 1.0 ? term.value : term.weight * term.value;
    sum = sum.defined() ? sum + part : part;
  }
  return sum;
}

}  // namespace limpid

#endif  // LIMPID_BODIES
