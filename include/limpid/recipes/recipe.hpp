#pragma once

#include <limpid/backbones/vgg19.hpp>
#include <limpid/datasets/pairs.hpp>
#include <limpid/model/network.hpp>
#include <limpid/training/branch.hpp>
#include <limpid/training/options.hpp>

#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>

namespace limpid {

/// Networks, losses and options that go together, as a value: its numbers can be changed before it
/// is used.
///
/// `name` is what programs call it, `options` go to a trainer, `network` names the networks it was
/// made for; it trains any others, too. `needs_vgg` says whether its losses take VGG-19; where not,
/// `branch` takes a null one. `batch_size(task)` is that of `branch(task, pairs, vgg)`.
template <class R>
concept Recipe = std::copyable<R> &&
    requires(R recipe, const R& fixed, std::string_view task, Pairs pairs, const VGG19& vgg) {
  { recipe.name } -> std::convertible_to<std::string>;
  { recipe.options } -> std::convertible_to<TrainerOptions>;
  { recipe.network } -> std::convertible_to<Network>;
  { R::needs_vgg } -> std::convertible_to<bool>;
  { fixed.batch_size(task) } -> std::same_as<std::int64_t>;
  { fixed.branch(task, pairs, vgg) } -> std::same_as<AnyBranch>;
};

}  // namespace limpid
