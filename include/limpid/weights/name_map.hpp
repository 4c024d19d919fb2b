#pragma once

#include <limpid/core/compiled.hpp>
#include <limpid/weights/name_pattern.hpp>

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#ifdef LIMPID_BODIES
#include <c10/util/Exception.h>
#endif

namespace limpid {

/// Which numbers the first `#` of a rule stands for, as limpid counts them, and what is added to
/// them in the published name.
struct NumberRule {
  std::int64_t first = 0;
  std::int64_t last = std::numeric_limits<std::int64_t>::max();
  std::int64_t shift = 0;
};

/// Rules that lead from a module's names to those of a published file, and back.
///
/// In a pattern `#` stands for a whole number and `*` for one or more characters; both sides of a
/// rule have the same wildcards in the same order. The first rule that fits decides. A map without
/// rules leaves every name as it is; with rules, a name that none fits has no counterpart.
///
///     NameMap{}.rename("encoder.*", "encoder.*").rename("decoder.deblur.*", "decoder0.*")
///         .ignore("*.num_batches_tracked");
class NameMap {
 public:
  /// limpid's name, the published one, and which numbers take part.
  /// @throws c10::ValueError if the two have other wildcards.
  NameMap& rename(std::string own, std::string published, NumberRule number = {});

  /// Published names that may be in a file without a use here: the classifier, say.
  NameMap& ignore(std::string published);

  /// limpid's names that a file may lack; they keep their values.
  NameMap& optional(std::string own);

  /// A tensor that published files hold twice: under `published`, and again under `copy`, which is
  /// ignored when it is read.
  NameMap& duplicate(std::string published, std::string copy, NumberRule number = {});

  /// An instance norm whose running statistics published files hold and nobody uses. It has as
  /// many channels as the published tensor `bias`, and its own published name is `norm`.
  NameMap& statistics(std::string bias, std::string norm, NumberRule number = {});

  /// This map for the part of a model whose names begin with `prefix`, such as "encoder.", by
  /// itself: its names lose the prefix, and what belongs to other parts is ignored.
  NameMap part(const std::string& prefix) const;

  /// The published name of one of limpid's; nothing where no rule fits.
  std::optional<std::string> published(std::string_view own) const;

  /// limpid's name of a published one; nothing where no rule fits, or it is of another part.
  std::optional<std::string> own(std::string_view published) const;

  /// Whether a published name may stand in a file without a use.
  bool ignores(std::string_view published) const;

  /// Whether a file may lack this name of limpid's.
  bool may_lack(std::string_view own) const;

  /// Under which further names published files hold the tensor `published`.
  std::vector<std::string> duplicates_of(std::string_view published) const;

  /// The published names of the norms that have as many channels as the tensor `published`.
  std::vector<std::string> norms_of(std::string_view published) const;

 private:
  struct Rule {
    detail::NamePattern from, to;
    NumberRule number;
  };

  static Rule rule(std::string from, std::string to, NumberRule number);

  /// Adds `shift` to the first number of `captures`; whether the result is none below 0.
  static bool shift_number(const detail::NamePattern& pattern, std::vector<std::string>& captures,
                           std::int64_t shift, const NumberRule& number, bool forward);

  static std::optional<std::string> forward(const Rule& rule, std::string_view name);

  static std::optional<std::string> backward(const Rule& rule, std::string_view name);

  static std::vector<std::string> all(const std::vector<Rule>& rules, std::string_view name);

  std::optional<std::string> whole_own(std::string_view published) const;

  std::vector<Rule> renames_, duplicates_, statistics_;
  std::vector<detail::NamePattern> ignored_, optional_;
  std::string part_;
};

}  // namespace limpid

#ifdef LIMPID_BODIES

namespace limpid {

LIMPID_INLINE NameMap& NameMap::rename(std::string own, std::string published, NumberRule number) {
  renames_.push_back(rule(std::move(own), std::move(published), number));
  return *this;
}

LIMPID_INLINE NameMap& NameMap::ignore(std::string published) {
  ignored_.emplace_back(std::move(published));
  return *this;
}

LIMPID_INLINE NameMap& NameMap::optional(std::string own) {
  optional_.emplace_back(std::move(own));
  return *this;
}

LIMPID_INLINE NameMap& NameMap::duplicate(std::string published, std::string copy,
                                          NumberRule number) {
  duplicates_.push_back(rule(std::move(published), std::move(copy), number));
  return ignore(duplicates_.back().to.text());
}

LIMPID_INLINE NameMap& NameMap::statistics(std::string bias, std::string norm, NumberRule number) {
  statistics_.push_back(rule(std::move(bias), std::move(norm), number));
  for (const auto* kind : {".running_mean", ".running_var", ".num_batches_tracked"}) {
    ignore(statistics_.back().to.text() + kind);
  }
  return *this;
}

LIMPID_INLINE NameMap NameMap::part(const std::string& prefix) const {
  auto map = *this;
  map.part_ += prefix;
  return map;
}

LIMPID_INLINE std::optional<std::string> NameMap::published(std::string_view own) const {
  const auto whole = part_ + std::string{own};
  if (renames_.empty()) return whole;
  for (const auto& rename : renames_) {
    if (auto name = forward(rename, whole)) return name;
  }
  return std::nullopt;
}

LIMPID_INLINE std::optional<std::string> NameMap::own(std::string_view published) const {
  auto whole = whole_own(published);
  if (!whole || whole->rfind(part_, 0) != 0) return std::nullopt;
  return whole->substr(part_.size());
}

LIMPID_INLINE bool NameMap::ignores(std::string_view published) const {
  for (const auto& pattern : ignored_) {
    if (pattern.match(published)) return true;
  }
  if (part_.empty()) return false;
  const auto whole = whole_own(published);
  return whole && whole->rfind(part_, 0) != 0;
}

LIMPID_INLINE bool NameMap::may_lack(std::string_view own) const {
  for (const auto& pattern : optional_) {
    if (pattern.match(part_ + std::string{own})) return true;
  }
  return false;
}

LIMPID_INLINE std::vector<std::string> NameMap::duplicates_of(std::string_view published) const {
  return all(duplicates_, published);
}

LIMPID_INLINE std::vector<std::string> NameMap::norms_of(std::string_view published) const {
  return all(statistics_, published);
}

LIMPID_INLINE NameMap::Rule NameMap::rule(std::string from, std::string to, NumberRule number) {
  Rule made{detail::NamePattern{std::move(from)}, detail::NamePattern{std::move(to)}, number};
  TORCH_CHECK_VALUE(made.from.wildcards() == made.to.wildcards(),
                    "NameMap: expected the same wildcards in '", made.from.text(), "' and '",
                    made.to.text(), "'");
  return made;
}

LIMPID_INLINE bool NameMap::shift_number(const detail::NamePattern& pattern,
                                         std::vector<std::string>& captures, std::int64_t shift,
                                         const NumberRule& number, bool forward) {
  const auto at = pattern.wildcards().find('#');
  if (at == std::string::npos) return true;
  const auto before = std::stoll(captures[at]);
  const auto after = before + shift;
  const auto own = forward ? before : after;
  captures[at] = std::to_string(after);
  return after >= 0 && own >= number.first && own <= number.last;
}

LIMPID_INLINE std::optional<std::string> NameMap::forward(const Rule& rule, std::string_view name) {
  auto captures = rule.from.match(name);
  if (!captures || !shift_number(rule.from, *captures, rule.number.shift, rule.number, true)) {
    return std::nullopt;
  }
  return rule.to.fill(*captures);
}

LIMPID_INLINE std::optional<std::string> NameMap::backward(const Rule& rule,
                                                           std::string_view name) {
  auto captures = rule.to.match(name);
  if (!captures || !shift_number(rule.to, *captures, -rule.number.shift, rule.number, false)) {
    return std::nullopt;
  }
  return rule.from.fill(*captures);
}

LIMPID_INLINE std::vector<std::string> NameMap::all(const std::vector<Rule>& rules,
                                                    std::string_view name) {
  std::vector<std::string> names;
  for (const auto& rule : rules) {
    if (auto found = forward(rule, name)) names.push_back(*std::move(found));
  }
  return names;
}

LIMPID_INLINE std::optional<std::string> NameMap::whole_own(std::string_view published) const {
  if (renames_.empty()) return std::string{published};
  for (const auto& rename : renames_) {
    if (auto name = backward(rename, published)) return name;
  }
  return std::nullopt;
}

}  // namespace limpid

#endif  // LIMPID_BODIES
