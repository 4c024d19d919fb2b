#pragma once

#include <limpid/core/compiled.hpp>
#include <limpid/core/options_by_name.hpp>
#include <limpid/losses/content/any_content.hpp>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

// Options of content losses by name: "psnr:floor=3e-4".

#ifdef LIMPID_BODIES
#include <c10/util/Exception.h>
#endif

namespace limpid {

/// A content loss under the name that it was chosen by, options included.
struct ChosenContent {
  AnyContent loss;
  std::string label;  ///< "psnr:floor=3e-04"

  at::Tensor operator()(const at::Tensor& restored, const at::Tensor& target) const;

  std::string name() const { return label; }

  void expect_features(SharedFeatures& shared) const;

  /// The terms keep the loss' own names.
  void append_terms(const at::Tensor& restored, const at::Tensor& target, double outer,
                    SharedFeatures& shared, std::vector<LossTerm>& evaluated) const;

  void to(c10::Device device);
};

static_assert(NamedContentLoss<ChosenContent>);

/// "psnr:floor=3e-04": the name, and the options that differ from the defaults.
template <NamedContentLoss L>
requires HasOptionsByName<L> std::string name_with_options(const L& loss) {
  using detail::option_text;
  OptionTexts defaults;
  const L unchanged{};
  L::each_option(unchanged, [&](std::string_view name, const auto& value, std::string_view) {
    defaults.emplace_back(name, option_text(value));
  });
  auto text = loss_name(loss);
  char before = ':';
  auto usual = defaults.begin();
  L::each_option(loss, [&](std::string_view name, const auto& value, std::string_view) {
    const auto found = option_text(value);
    if (found != (usual++)->second) {
      text += before + std::string{name} + "=" + found;
      before = ',';
    }
  });
  return text;
}

/// A content loss with the options that a user named.
/// @throws c10::ValueError for an option that it does not have, that is named twice or is out of
///   range; the text lists the options.
template <NamedContentLoss L>
AnyContent with_options(L loss, const OptionTexts& options) {
  if (options.empty()) return loss;
  if constexpr (HasOptionsByName<L>) {
    check_set_once(options);
    for (const auto& [option, text] : options) set_option(loss, option, text);
    loss.check();
    return ChosenContent{loss, name_with_options(loss)};
  } else {
    limpid::refuse(loss_name(loss), " has no options, got '", options.front().first, "'");
  }
}

}  // namespace limpid

#ifdef LIMPID_BODIES

namespace limpid {

LIMPID_INLINE at::Tensor ChosenContent::operator()(const at::Tensor& restored,
                                                   const at::Tensor& target) const {
  return loss(restored, target);
}

LIMPID_INLINE void ChosenContent::expect_features(SharedFeatures& shared) const {
  loss.expect_features(shared);
}

LIMPID_INLINE void ChosenContent::append_terms(const at::Tensor& restored, const at::Tensor& target,
                                               double outer, SharedFeatures& shared,
                                               std::vector<LossTerm>& evaluated) const {
  loss.append_terms(restored, target, outer, shared, evaluated);
}

LIMPID_INLINE void ChosenContent::to(c10::Device device) { loss.to(device); }

}  // namespace limpid

#endif  // LIMPID_BODIES
