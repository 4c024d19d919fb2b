#pragma once

#include <limpid/core/fail.hpp>
#include <limpid/core/named.hpp>
#include <limpid/core/options_by_name.hpp>
#include <limpid/optim/adam.hpp>
#include <limpid/optim/any_optimizer.hpp>
#include <limpid/optim/lion.hpp>
#include <limpid/optim/muon.hpp>
#include <limpid/optim/sgd.hpp>

#include <c10/util/Exception.h>

#include <string>
#include <string_view>

namespace limpid {

/// Every optimiser that a command line can name.
inline constexpr NamedTable kOptimizers{
    "an optimiser",
    Named{"adam", "by averages of gradients and their squares", Adam{}},
    Named{"adamw", "adam with weight decay by itself", AdamW{}},
    Named{"sgd", "gradient descent with momentum", SGD{}},
    Named{"lion", "by the sign of averaged gradients", Lion{}},
    Named{"muon", "orthogonal steps of matrices, adamw for the rest", Muon{}}};

/// "adamw:decay=0.05": an optimiser and its options in words.
using OptimizerText = TextByName<':'>;

/// The optimiser that the words name.
///
/// @throws c10::ValueError for an unknown name or option, and for a value out of range.
inline AnyOptimizer named_optimizer(const OptimizerText& text) {
  const auto name = kOptimizers.spelled(text.name);
  return kOptimizers.with(name, [&](auto optimizer) {
    try {
      check_set_once(text.options);
      for (const auto& [option, value] : text.options) set_option(optimizer, option, value);
    } catch (const c10::ValueError& error) {
      limpid::refuse(name, ": ", error.what_without_backtrace());
    }
    return AnyOptimizer{optimizer};
  });
}

inline AnyOptimizer named_optimizer(std::string_view text) {
  return named_optimizer(OptimizerText::parse(text));
}

}  // namespace limpid
