#pragma once

#include <limpid/losses/content/psnr_loss.hpp>
#include <limpid/model/network.hpp>
#include <limpid/recipes/recipe.hpp>
#include <limpid/training/branch.hpp>
#include <limpid/training/options.hpp>

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>

namespace limpid::recipes {

/// A PSNR loss and no critic, for training without any file of weights. L1 is no choice here: most
/// pixels of a picture with raindrops need no change, so its best answer at first is none.
struct PSNRRecipe {
  std::string name;
  TrainerOptions options{};
  Network network{"pixel-unet"};
  std::int64_t batch = 4;                                      ///< crops of each task in a step
  std::map<std::string, std::int64_t, std::less<>> batches{};  ///< of tasks that get others
  PSNRLoss content{};                                          ///< for every task

  /// Whether a branch needs the weights of VGG-19.
  static constexpr bool needs_vgg = false;

  std::int64_t batch_size(std::string_view task) const {
    const auto own = batches.find(task);
    return own == batches.end() ? batch : own->second;
  }

  /// A task's branch; it takes no VGG-19.
  AnyBranch branch(std::string_view task, Pairs pairs, const VGG19& = VGG19{nullptr}) const {
    return Branch{.pairs = std::move(pairs), .batch_size = batch_size(task), .content = content};
  }
};

static_assert(Recipe<PSNRRecipe>);

}  // namespace limpid::recipes
