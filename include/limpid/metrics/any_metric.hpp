#pragma once

#include <limpid/core/compiled.hpp>
#include <limpid/core/concepts.hpp>

#include <ATen/core/Tensor.h>

#include <concepts>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#ifdef LIMPID_BODIES
#include <c10/util/Exception.h>
#endif

namespace limpid {

/// Any metric behind one type, for programs that take metrics by name.
///
/// A metric may have, beside what its concept asks, a `label` (for tables; else its name), a `unit`
/// (else none), and a static `pooled` (see there). One that judges a picture alone takes a target
/// too, and does not look at it. One of sets (`of_set`) scores no picture, but all of them at once.
class AnyMetric {
 public:
  template <class M>
  requires(!std::same_as<std::remove_cvref_t<M>, AnyMetric> &&
           (Metric<M> || NoReferenceMetric<M> || SetMetric<M>)) AnyMetric(M metric)
      : name(std::string_view{metric.name}),
        label(name),
        protocol(std::string_view{metric.protocol}),
        higher_is_better(metric.higher_is_better),
        needs_target(!NoReferenceMetric<M>),
        of_set(SetMetric<M>) {
    if constexpr (requires { metric.label; }) label = std::string_view{metric.label};
    if constexpr (requires { metric.unrounded; }) unrounded = metric.unrounded;
    if constexpr (requires { metric.unit; }) unit = std::string_view{metric.unit};
    if constexpr (requires(std::vector<double> scores) { M::pooled(scores); }) pooled_ = M::pooled;
    if constexpr (SetMetric<M>) {
      features_ = [metric](const at::Tensor& image) { return metric.features(image); };
      compute_ = [metric = std::move(metric)](const at::Tensor& restored,
                                              const at::Tensor& target) {
        return metric.set_score(restored, target);
      };
    } else if constexpr (Metric<M>) {
      compute_ = std::move(metric);
    } else {
      undefined_ = [metric](const at::Tensor& image) { return metric.undefined(image); };
      compute_ = [metric = std::move(metric)](const at::Tensor& image, const at::Tensor&) {
        return metric(image);
      };
    }
  }

  /// @param restored  (3, H, W) or (1, 3, H, W), values in [0, 1].
  /// @param target    of the same height and width.
  /// @throws c10::ValueError for a metric of sets, which has no score of one picture.
  double operator()(const at::Tensor& restored, const at::Tensor& target) const;

  /// What a metric of sets looks at in one picture, (D).
  /// @param image  (3, H, W) or (1, 3, H, W), values in [0, 1].
  at::Tensor features(const at::Tensor& image) const;

  /// What a metric of sets says of them, by their `features`.
  /// @param restored, target  (N, D)
  double set_score(const at::Tensor& restored, const at::Tensor& target) const;

  /// Why a picture has no score, such as "3 of 40 blocks are flat"; nothing where it has one, or
  /// where the metric needs a target.
  std::string undefined(const at::Tensor& image) const;

  /// One score for many pictures that counts every picture, also those whose score is infinite: the
  /// PSNR of the mean squared error over all. Means leave infinite scores out, so programs that are
  /// exact on different pictures are compared by this. None where the metric has no such score; no
  /// number where no picture has one.
  ///
  /// @param scores  of each picture; those that are no numbers are left out
  std::optional<double> pooled(const std::vector<double>& scores) const;

  /// The same metric, which looks at a part of each picture.
  /// @param part  image -> part of it
  AnyMetric of_part(std::function<at::Tensor(const at::Tensor&)> part) const;

  bool pools() const { return static_cast<bool>(pooled_); }

  std::string name;              ///< what programs print and JSON files use
  std::string label;             ///< what people read
  std::string unit;              ///< "dB", or nothing
  std::string protocol;          ///< how exactly it is computed
  bool higher_is_better = true;  ///< direction
  bool needs_target = true;      ///< false for one that judges a picture alone
  bool unrounded = false;        ///< true for one that looks at values not rounded to 8 bits
  bool of_set = false;           ///< true for one that scores a whole set of pictures at once

 private:
  std::function<double(const at::Tensor&, const at::Tensor&)> compute_;
  std::function<std::string(const at::Tensor&)> undefined_;
  std::function<at::Tensor(const at::Tensor&)> features_;
  std::function<double(const std::vector<double>&)> pooled_;
};

static_assert(Metric<AnyMetric>);

}  // namespace limpid

#ifdef LIMPID_BODIES

namespace limpid {

LIMPID_INLINE double AnyMetric::operator()(const at::Tensor& restored,
                                           const at::Tensor& target) const {
  TORCH_CHECK_VALUE(!of_set, name, ": scores a whole set of pictures, not one");
  return compute_(restored, target);
}

LIMPID_INLINE at::Tensor AnyMetric::features(const at::Tensor& image) const {
  TORCH_CHECK_VALUE(of_set, name, ": scores pictures, not a whole set");
  return features_(image);
}

LIMPID_INLINE double AnyMetric::set_score(const at::Tensor& restored,
                                          const at::Tensor& target) const {
  TORCH_CHECK_VALUE(of_set, name, ": scores pictures, not a whole set");
  return compute_(restored, target);
}

LIMPID_INLINE std::string AnyMetric::undefined(const at::Tensor& image) const {
  return undefined_ ? undefined_(image) : std::string{};
}

LIMPID_INLINE std::optional<double> AnyMetric::pooled(const std::vector<double>& scores) const {
  if (!pooled_) return std::nullopt;
  return pooled_(scores);
}

LIMPID_INLINE AnyMetric
AnyMetric::of_part(std::function<at::Tensor(const at::Tensor&)> part) const {
  auto metric = *this;
  if (features_) {
    metric.features_ = [part, of = features_](const at::Tensor& image) { return of(part(image)); };
  } else {
    metric.compute_ = [part, of = compute_](const at::Tensor& restored, const at::Tensor& target) {
      return of(part(restored), part(target));
    };
  }
  if (undefined_) {
    metric.undefined_ = [part, of = undefined_](const at::Tensor& image) {
      return of(part(image));
    };
  }
  return metric;
}

}  // namespace limpid

#endif  // LIMPID_BODIES
