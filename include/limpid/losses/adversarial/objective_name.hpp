#pragma once

#include <concepts>
#include <string_view>

namespace limpid::detail {

/// The name of an objective, where it has one; of an objective made of another, that one's.
template <class Loss>
struct NameOf {};

template <class Loss>
requires requires {
  { Loss::name } -> std::convertible_to<std::string_view>;
}
struct NameOf<Loss> {
  static constexpr std::string_view name = Loss::name;
};

}  // namespace limpid::detail
