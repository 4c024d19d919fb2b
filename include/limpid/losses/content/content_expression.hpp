#pragma once

#include <limpid/core/compiled.hpp>
#include <limpid/core/fail.hpp>
#include <limpid/core/options_by_name.hpp>

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#ifdef LIMPID_BODIES
#include <c10/util/Exception.h>

#include <charconv>
#include <cmath>
#include <system_error>
#endif

namespace limpid {

/// A weight and a name: what an expression of content losses is a sum of.
struct WeightedName {
  double weight = 1.0;
  std::string name;
  std::size_t at = 1;        ///< where the name begins, characters from 1
  OptionTexts options = {};  ///< {{"floor", "3e-4"}} of "psnr:floor=3e-4"
};

namespace detail {

/// Reads sums of weighted names; a weight before parentheses holds for all in them.
///
///   sum    = term {"+" term}
///   term   = [number ["*"]] factor | factor "*" number
///   factor = name [":" option {"," option}] | "(" sum ")"
///   option = name "=" value
class ContentExpression {
 public:
  explicit ContentExpression(std::string_view text) : text_(text) {}

  std::vector<WeightedName> read();

 private:
  void sum(double outer, std::vector<WeightedName>& terms);

  void term(double outer, std::vector<WeightedName>& terms);

  void factor(double weight, bool weighted, std::vector<WeightedName>& terms);

  /// The characters from here on that are of a kind, at least one.
  template <class IsOfKind>
  std::string word(std::string_view expected, IsOfKind is_of_kind) {
    const auto begin = position_;
    while (position_ < text_.size() && is_of_kind(text_[position_])) ++position_;
    if (position_ == begin) refuse(expected);
    return std::string{text_.substr(begin, position_ - begin)};
  }

  /// Whether this very character, not one behind spaces, is `c`; it then is behind.
  bool took(char c);

  /// A positive number.
  double number();

  bool is_number();

  static bool is_of_name(char c);

  /// The next character behind spaces; 0 at the end.
  char next();

  [[noreturn]] void refuse(std::string_view expected);

  static constexpr int kDeepest = 20;

  std::string_view text_;
  std::size_t position_ = 0;
  int depth_ = 0;
};

}  // namespace detail

/// What "perceptual + 0.5 l1" says: names with their weights, all parentheses multiplied out. The
/// names are not looked up.
///
/// "0.5 l1", "0.5 * l1" and "l1 * 0.5" are one; "2 (l1 + l2)" is "2 l1 + 2 l2". Options stand
/// behind a name, without spaces: "0.1 psnr:floor=3e-4 + l1".
/// @throws c10::ValueError that says at which character what was expected.
LIMPID_INLINE std::vector<WeightedName> parse_content_expression(std::string_view text);

}  // namespace limpid

#ifdef LIMPID_BODIES

namespace limpid::detail {

LIMPID_INLINE std::vector<WeightedName> ContentExpression::read() {
  TORCH_CHECK_VALUE(text_.size() <= 1000, "content loss: expected at most 1000 characters, got ",
                    text_.size());
  std::vector<WeightedName> terms;
  sum(1.0, terms);
  next();
  if (position_ < text_.size()) refuse("'+' or the end");
  return terms;
}

LIMPID_INLINE void ContentExpression::sum(double outer, std::vector<WeightedName>& terms) {
  term(outer, terms);
  while (next() == '+') {
    ++position_;
    term(outer, terms);
  }
}

LIMPID_INLINE void ContentExpression::term(double outer, std::vector<WeightedName>& terms) {
  const bool weighted = is_number();
  const auto weight = weighted ? number() : 1.0;
  if (weighted && next() == '*') ++position_;
  const auto first = terms.size();
  factor(outer * weight, weighted, terms);
  if (weighted || next() != '*') return;
  ++position_;
  if (!is_number()) refuse("a weight");
  const auto behind = number();
  for (auto i = first; i < terms.size(); ++i) terms[i].weight *= behind;
}

LIMPID_INLINE void ContentExpression::factor(double weight, bool weighted,
                                             std::vector<WeightedName>& terms) {
  const auto opened = next() == '(';
  const auto begin = position_;
  if (opened && depth_ < kDeepest) {
    ++position_;
    ++depth_;
    sum(weight, terms);
    --depth_;
    if (next() != ')') refuse("'+' or ')'");
    ++position_;
    return;
  }
  const auto name = word(weighted ? "a content loss" : "a weight or a content loss", is_of_name);
  terms.push_back({weight, name, begin + 1});
  while (took(terms.back().options.empty() ? ':' : ',')) {
    const auto option = word("an option, NAME=VALUE", is_of_name);
    if (!took('=')) refuse("'=' and a value");
    const auto is_of_value = [](char c) { return is_of_name(c) || c == '.'; };
    terms.back().options.emplace_back(option, word("a value", is_of_value));
  }
}

LIMPID_INLINE bool ContentExpression::took(char c) {
  if (position_ >= text_.size() || text_[position_] != c) return false;
  ++position_;
  return true;
}

LIMPID_INLINE double ContentExpression::number() {
  const auto begin = position_;
  double value = 0;
  const auto* const end = text_.data() + text_.size();
  const auto [last, error] = std::from_chars(text_.data() + position_, end, value);
  if (error != std::errc{} || !std::isfinite(value) || value <= 0) {
    position_ = begin;
    refuse("a weight above 0");
  }
  position_ = static_cast<std::size_t>(last - text_.data());
  return value;
}

LIMPID_INLINE bool ContentExpression::is_number() {
  return (next() >= '0' && next() <= '9') || next() == '.' || next() == '-';
}

LIMPID_INLINE bool ContentExpression::is_of_name(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '_';
}

LIMPID_INLINE char ContentExpression::next() {
  while (position_ < text_.size() && (text_[position_] == ' ' || text_[position_] == '\t')) {
    ++position_;
  }
  return position_ < text_.size() ? text_[position_] : '\0';
}

LIMPID_INLINE void ContentExpression::refuse(std::string_view expected) {
  const auto found = next() == '\0' && position_ >= text_.size()
                         ? std::string{"the end"}
                         : "'" + std::string{text_.substr(position_, 20)} + "'";
  limpid::refuse("content loss '", text_, "': expected ", expected, " at character ", position_ + 1,
                 ", got ", found);
}

}  // namespace limpid::detail

namespace limpid {

LIMPID_INLINE std::vector<WeightedName> parse_content_expression(std::string_view text) {
  return detail::ContentExpression{text}.read();
}

}  // namespace limpid

#endif  // LIMPID_BODIES
