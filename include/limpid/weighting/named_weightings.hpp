#pragma once

#include <limpid/core/compiled.hpp>
#include <limpid/core/fail.hpp>
#include <limpid/core/named.hpp>
#include <limpid/core/options_by_name.hpp>
#include <limpid/weighting/active_reweighting.hpp>
#include <limpid/weighting/alignment.hpp>
#include <limpid/weighting/any_weighting.hpp>
#include <limpid/weighting/cagrad.hpp>
#include <limpid/weighting/dual_cone.hpp>
#include <limpid/weighting/dynamic_average.hpp>
#include <limpid/weighting/equal.hpp>
#include <limpid/weighting/fairness.hpp>
#include <limpid/weighting/famo.hpp>
#include <limpid/weighting/gradnorm.hpp>
#include <limpid/weighting/impartial.hpp>
#include <limpid/weighting/min_norm.hpp>
#include <limpid/weighting/random_weights.hpp>
#include <limpid/weighting/scalarizations.hpp>
#include <limpid/weighting/sign_dropout.hpp>
#include <limpid/weighting/surgery.hpp>
#include <limpid/weighting/tracked_gradients.hpp>
#include <limpid/weighting/uncertainty.hpp>
#include <limpid/weighting/weighting.hpp>
#include <limpid/weighting/weighting_rows.hpp>

#include <c10/util/Exception.h>

#include <concepts>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace limpid {

/// A weighting of a table.
template <Weighting W>
struct WeightingType {
  using type = W;
};

/// The weightings that programs know by name. A new one is its header and a line here.
inline constexpr NamedTable kWeightings{
    "a weighting",
    Named{"equal", "the plain sum of the losses", WeightingType<Equal>{}},
    Named{"fixed", "numbers of your own, TASK=W", WeightingType<Fixed>{}},
    Named{"uncertainty", "by each task's noise, learned", WeightingType<Uncertainty>{}},
    Named{"uw-so", "by each task's noise, in closed form", WeightingType<SoftOptimalUncertainty>{}},
    Named{"tur", "by each task's unit, learned", WeightingType<TaskUncertainty>{}},
    Named{"dwa", "to losses that fall slowly", WeightingType<DynamicAverage>{}},
    Named{"art", "to losses far from their lowest", WeightingType<ActiveReweighting>{}},
    Named{"gls", "the geometric mean of the losses", WeightingType<GeometricMean>{}},
    Named{"stch", "a smooth maximum of the losses", WeightingType<SmoothTchebycheff>{}},
    Named{"famo", "all losses fall at one rate", WeightingType<FAMO>{}},
    Named{"rlw", "random in each step", WeightingType<RandomWeights>{}},
    Named{"imtl-l", "all losses scaled to 1, learned", WeightingType<ImpartialLosses>{}},
    Named{"imtl-g", "equal projections on all gradients", WeightingType<ImpartialGradients>{}},
    Named{"imtl", "imtl-l, then imtl-g", WeightingType<Impartial>{}},
    Named{"gradnorm", "longer gradients to slow tasks, learned", WeightingType<GradNorm>{}},
    Named{"mgda", "the shortest convex combination of gradients", WeightingType<MGDA>{}},
    Named{"sdmgrad", "as mgda, pulled to the mean", WeightingType<SDMGrad>{}},
    Named{"modo", "as mgda, by small steps of the weights", WeightingType<MoDo>{}},
    Named{"moco", "as mgda, of gradients averaged over time", WeightingType<MoCo>{}},
    Named{"pcgrad", "conflicts between two tasks projected away", WeightingType<PCGrad>{}},
    Named{"gradvac", "pairs of gradients at their usual angle", WeightingType<GradVac>{}},
    Named{"cagrad", "near the mean, best for the worst-off task", WeightingType<CAGrad>{}},
    Named{"nash-mtl", "the Nash bargaining solution", WeightingType<NashMTL>{}},
    Named{"fairgrad", "alpha-fair gains of all tasks", WeightingType<FairGrad>{}},
    Named{"aligned-mtl", "gradients made orthogonal", WeightingType<AlignedMTL>{}},
    Named{"config", "the same cosine to all gradients", WeightingType<ConFIG>{}},
    Named{"upgrad", "each gradient projected to hurt no task", WeightingType<UPGrad>{}},
    Named{"dualproj", "the mean projected to hurt no task", WeightingType<DualProj>{}},
    Named{"graddrop", "one sign a value, drawn", WeightingType<GradDrop>{}},
    Named{"db-mtl", "gradients of log losses, of one length", WeightingType<DBMTL>{}},
    Named{"excess-mtl", "to tasks far from their best", WeightingType<ExcessMTL>{}}};

/// "cagrad:c=0.4": a weighting and its options in words.
using WeightingText = TextByName<':'>;

namespace detail {

/// Options that any weighting has.
struct CommonWeightingOptions {
  double average = 0, offset = 0;
  WeightingRows rows = WeightingRows::per_task;

  static void each_option(auto& self, auto&& visit) {
    visit("average", self.average, "share of the earlier steps' weights in each step's");
    visit("offset", self.offset, "added to each loss that the weighting sees");
    visit("rows", self.rows, "per-task or per-term: content and adversarial loss apart");
  }
};

template <class W>
void set_weighting_option(W& weighting, CommonWeightingOptions& common, const std::string& option,
                          const std::string& value) {
  if (means_name(option, "average") || means_name(option, "offset") || means_name(option, "rows")) {
    set_option(common, option, value);
  } else if constexpr (std::same_as<W, Fixed>) {
    double number = 0;
    try {
      read_option(value, number);
    } catch (const c10::ValueError& error) {
      limpid::refuse(option, ": ", error.what_without_backtrace());
    }
    weighting.numbers[option] = number;
  } else if constexpr (HasOptionsByName<W>) {
    set_option(weighting, option, value);
  } else {
    set_option(common, option, value);  // says which there are
  }
}

template <class W>
std::string weighting_options_text(const W& weighting) {
  if constexpr (std::same_as<W, Fixed>) {
    std::string text;
    for (const auto& [task, number] : weighting.numbers) {
      text += (text.empty() ? "" : ", ") + task + " " + option_text(number);
    }
    return text;
  } else if constexpr (HasOptionsByName<W>) {
    return options_text(weighting);
  } else {
    return {};
  }
}

}  // namespace detail

/// `f(weighting)` with the weighting that the words name, as its own type.
///
/// @throws c10::ValueError for an unknown name or option, and for a value out of range.
template <class F>
auto with_weighting(const WeightingText& text, F&& f) {
  const auto name = kWeightings.spelled(text.name);
  return kWeightings.with(name, [&](const auto& entry) {
    typename std::remove_cvref_t<decltype(entry)>::type weighting{};
    detail::CommonWeightingOptions common;
    try {
      check_set_once(text.options);
      for (const auto& [option, value] : text.options) {
        detail::set_weighting_option(weighting, common, option, value);
      }
      if constexpr (requires { weighting.check(); }) weighting.check();
    } catch (const c10::ValueError& error) {
      limpid::refuse(name, ": ", error.what_without_backtrace());
    }
    return f(weighting, common);
  });
}

/// The weighting that the words name. Beside its own options each takes `average`, `offset` and
/// `rows` (`AnyWeighting::averaged`, `with_offset`, `with_rows`).
///
/// @throws c10::ValueError for an unknown name or option, and for a value out of range.
template <class OnlyIfCalled = void>
AnyWeighting named_weighting(const WeightingText& text) {
  return with_weighting(text, [&](auto& weighting, const auto& common) {
    auto description = kWeightings.spelled(text.name);
    const auto options = detail::weighting_options_text(weighting);
    if (!options.empty()) description += ", " + options;
    return AnyWeighting{std::move(weighting), std::move(description)}
        .with_offset(common.offset)
        .with_rows(common.rows)
        .averaged(common.average);
  });
}

template <class OnlyIfCalled = void>
AnyWeighting named_weighting(std::string_view text) {
  return named_weighting<OnlyIfCalled>(WeightingText::parse(text));
}

/// One line per weighting for help: name, what it is, options with their defaults.
template <class OnlyIfCalled = void>
std::string weightings_help() {
  std::string text;
  kWeightings.for_each([&](const auto& entry) {
    using W = typename std::remove_cvref_t<decltype(entry.value)>::type;
    const auto options = detail::weighting_options_text(W{});
    text += (text.empty() ? "" : "\n") + std::string{entry.name} + ": " + std::string{entry.what} +
            (options.empty() ? "" : "; " + options);
  });
  return text;
}

#ifdef LIMPID_ONCE
LIMPID_ONCE AnyWeighting named_weighting<>(const WeightingText& text);
LIMPID_ONCE AnyWeighting named_weighting<>(std::string_view text);
LIMPID_ONCE std::string weightings_help<>();
#endif

}  // namespace limpid
