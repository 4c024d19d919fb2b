#pragma once

#include <limpid/core/named.hpp>
#include <limpid/recipes/everyday.hpp>
#include <limpid/recipes/quickstart.hpp>
#include <limpid/recipes/recipe.hpp>
#include <limpid/recipes/thesis_fpn_inception.hpp>
#include <limpid/recipes/thesis_resnet.hpp>

#include <string_view>

namespace limpid {

/// The recipes that programs know by name, as functions that make one.
inline constexpr NamedTable kRecipes{
    "a recipe",
    Named{"quickstart", "minutes on a CPU", [] { return recipes::quickstart(); }},
    Named{"everyday", "photographs that nobody degraded on purpose: four tasks, hours on a CPU",
          [] { return recipes::everyday(); }},
    Named{"thesis-resnet", "the paper, with the ResNet generator",
          [] { return recipes::thesis_resnet(); }},
    Named{"thesis-fpn-inception", "the paper, with FPN-InceptionResNetV2",
          [] { return recipes::thesis_fpn_inception(); }},
};

/// Calls `f(recipe)` with the recipe of this name.
/// @return what `f` returns, which is of one type for all recipes
/// @throws c10::ValueError with all names, and the nearest, if there is none of this name.
template <class F>
auto with_recipe(std::string_view name, F f) {
  return kRecipes.with(name, [&](const auto& make) { return f(make()); });
}

}  // namespace limpid
