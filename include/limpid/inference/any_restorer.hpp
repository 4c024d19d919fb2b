#pragma once

#include <limpid/core/evaluation_scope.hpp>
#include <limpid/engine/engines.hpp>
#include <limpid/inference/restore_picture.hpp>
#include <limpid/inference/restore_watch.hpp>
#include <limpid/inference/restorer.hpp>
#include <limpid/inference/routed_restoring.hpp>
#include <limpid/inference/router.hpp>
#include <limpid/inference/routing_features.hpp>
#include <limpid/io/picture_view.hpp>
#include <limpid/model/families.hpp>
#include <limpid/model/merged_tasks.hpp>

#include <nlohmann/json.hpp>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace limpid {

namespace detail {

/// The model itself if it is on `device`, else a copy there.
inline AnyModel on_device(AnyModel model, c10::Device device) {
  if (is_on(*model.module, device)) return model;
  auto copy = model.copy();
  copy.module->to(device);
  return copy;
}

}  // namespace detail

/// Restores pictures with any model file of the families that limpid knows by name
/// (`model/families.hpp`): tasks and sizes come from the file. Programs that know their model's
/// type use `Restorer`. Several threads may restore with one restorer at once, as long as nobody
/// trains, changes or moves its model meanwhile. A file with adapters is restored merged
/// (`merged_tasks`); tasks of a given model with adapters take turns.
class AnyRestorer {
 public:
  /// @throws c10::Error that names the file if it is missing, damaged, or of networks that limpid
  ///         does not ship.
  explicit AnyRestorer(const std::filesystem::path& path, RestorerOptions options = {})
      : AnyRestorer(load_any(path), options, "model '" + path.string() + "'") {}

  /// Reads the model from memory, which may go afterwards.
  /// @throws c10::Error that names `file.name`, as above.
  explicit AnyRestorer(const ModelBytes& file, RestorerOptions options = {})
      : AnyRestorer(load_any(file), options, "model '" + file.name + "'") {}

  /// A model that was read already, with what its file says, such as its router.
  /// @param source  how errors call it
  /// @throws c10::Error if the router is malformed or knows a task that the model lacks.
  explicit AnyRestorer(LoadedModel loaded, RestorerOptions options = {},
                       std::string source = "model")
      : options_(options), source_(std::move(source)), loaded_(std::move(loaded)) {
    loaded_.model = merged_tasks(loaded_.model);
    loaded_.model.module->to(options_.device);
    detail::lay_out(*loaded_.model.module, options_.memory_format);
    router_ = Router::of(loaded_.manifest, source_);
    if (router_) check_router(*router_);
  }

  /// @param model  shared, so that `AnyRestorer{trainer.model()}` follows the training; where it is
  ///               on another device than `options.device`, it stays there, and the restorer has a
  ///               copy of its own.
  explicit AnyRestorer(AnyModel model, RestorerOptions options = {})
      : options_(options),
        source_("model"),
        loaded_{detail::on_device(std::move(model), options.device), {}} {
    detail::lay_out(*loaded_.model.module, options_.memory_format);
    loaded_.manifest = loaded_.model.describe();
  }

  /// The model's tasks, in its order.
  const std::vector<std::string>& tasks() const { return loaded_.model.tasks; }

  /// What the file says of the model: architectures, options, recipe, step.
  const nlohmann::json& manifest() const { return loaded_.manifest; }

  /// What leads `restore("auto", picture)`: the model file's, or one that was given.
  const std::optional<Router>& router() const { return router_; }

  /// @throws c10::ValueError if the router knows a task that the model lacks.
  void use_router(Router router) {
    check_router(router);
    router_ = std::move(router);
  }

  /// @throws c10::ValueError if the model has no such task; the error lists those it has. "auto"
  ///         takes a router.
  void check_task(const std::string& task) const {
    if (!is_auto(task)) loaded_.model.index_of(task, source_);
  }

  /// Restores in evaluation mode; a model in training is so again afterwards.
  /// @throws c10::ValueError if the model has no such task; c10::Error if what it makes is not
  ///         finite; `RestoreCancelled` where `watch` says so.
  Image restore(const std::string& task, const Image& degraded,
                const RestoreWatch& watch = {}) const {
    if (is_auto(task)) return restore_routed(degraded, watch).image;
    const detail::EvaluationScope evaluation{*loaded_.model.module};
    return detail::restore_picture(network(task), degraded, options_, watch);
  }

  /// From memory to memory, of any formats; both may be the same. Alpha is kept where both have it,
  /// else opaque; `rgb_float32` is neither rounded before nor behind the network. What is restored
  /// is written when all of it is done: where this throws, nothing is. "auto" is `restore_routed`.
  /// @throws as above, and c10::ValueError that says what is wrong with a view.
  void restore(const std::string& task, const PictureView& degraded, const PictureBuffer& restored,
               const RestoreWatch& watch = {}) const {
    if (is_auto(task)) {
      restore_routed(degraded, restored, watch);
      return;
    }
    const detail::EvaluationScope evaluation{*loaded_.model.module};
    detail::restore_memory(network(task), degraded, restored, options_, watch);
  }

  /// The same, over the picture itself.
  void restore_in_place(const std::string& task, const PictureBuffer& picture,
                        const RestoreWatch& watch = {}) const {
    restore(task, picture, picture, watch);
  }

  /// What the router is sure of, one task after another, each rounded to 8 bits; the picture itself
  /// where it is sure of none. `strength` blends the end with the beginning. Progress begins anew
  /// with each task.
  /// @throws c10::ValueError without a router.
  RoutedPicture restore_routed(const Image& degraded, const RestoreWatch& watch = {}) const {
    return routed().restore(degraded, watch);
  }

  /// Several tasks one after another, whatever the picture is like: what the frames of a video get
  /// alike. As `restore_routed` otherwise.
  /// @throws c10::ValueError if the model lacks one of them.
  Image restore_in_turn(const std::vector<std::string>& tasks, const Image& degraded,
                        const RestoreWatch& watch = {}) const {
    const detail::EvaluationScope evaluation{*loaded_.model.module};
    auto image = degraded;
    for (const auto& task : tasks) {
      image =
          detail::restore_picture(network(task), image, detail::at_full_strength(options_), watch);
    }
    return tasks.empty() ? image : detail::blended(degraded, image, options_.strength);
  }

  /// `restore_routed` from memory to memory, as `restore` does it. Where either is `rgb_float32`,
  /// nothing is rounded between tasks. Where nothing is done, `restored` becomes `degraded` in its
  /// own format.
  /// @return what was done, and why
  Routing restore_routed(const PictureView& degraded, const PictureBuffer& restored,
                         const RestoreWatch& watch = {}) const {
    return routed().restore(degraded, restored, watch);
  }

  /// As `restore`, but not rounded to 8 bits: (1, 3, H, W) float in [0, 1] on the CPU.
  at::Tensor restore_unit(const std::string& task, const Image& degraded,
                          const RestoreWatch& watch = {}) const {
    if (is_auto(task)) {
      auto unit = degraded.unit();
      routed().restore_unit(unit, watch);
      return unit;
    }
    const detail::EvaluationScope evaluation{*loaded_.model.module};
    return detail::restore_unit(network(task), degraded, options_, watch);
  }

  /// What a router sees of a picture.
  at::Tensor routing_features(const Image& picture) const {
    return limpid::routing_features(loaded_.model, picture);
  }

  /// How it restores a picture of this size: at once or in which tiles.
  /// @throws c10::ValueError if the model has no such task.
  TilePlan plan(const std::string& task, std::int64_t height, std::int64_t width) const {
    const detail::EvaluationScope evaluation{*loaded_.model.module};
    return detail::plan_of(network(named(task)), height, width, options_);
  }

  /// Whether and how a task's network was compiled (`engine/engines.hpp`).
  EngineState engine(const std::string& task) const { return engines_.state(task); }

  /// What restoring a pixel costs, found by restoring a small picture.
  /// @throws c10::ValueError if the model has no such task.
  NetworkCost cost(const std::string& task) const {
    const detail::EvaluationScope evaluation{*loaded_.model.module};
    return detail::cost_of(network(named(task)), options_);
  }

 private:
  /// Whether the router is asked; a task of that name goes before it.
  bool is_auto(const std::string& task) const {
    if (task != detail::kAutoTask || loaded_.model.has(task)) return false;
    TORCH_CHECK_VALUE(router_, no_router());
    return true;
  }

  detail::RoutedRestoring routed() const {
    TORCH_CHECK_VALUE(router_, no_router());
    return {*router_, loaded_.model, [this](const std::string& task) { return network(task); },
            options_};
  }

  std::string no_router() const {
    return source_ + ": it has no router for task 'auto'; expected one of its tasks (" +
           detail::listed(tasks()) + ")";
  }

  /// The task whose network stands for all that "auto" may run: they are of one family.
  const std::string& named(const std::string& task) const {
    return is_auto(task) ? tasks().front() : task;
  }

  void check_router(const Router& router) const {
    for (const auto& task : router.tasks()) {
      loaded_.model.index_of(task, source_ + ": a task of its router");
    }
  }

  detail::TaskNetwork network(const std::string& task) const {
    const auto& model = loaded_.model;
    const auto index = model.index_of(task, source_);
    const auto needs = model.tile_needs(index);
    if (model.own_restore) {  // an engine of others computes it
      return {task,
              [&model, index](const at::Tensor& image) { return model.restore(index, image); },
              needs, costs_,
              [&model, index](const at::Tensor& image) { return model.own_restore(index, image); }};
    }
    const auto run = [&model, index](const at::Tensor& image) {
      return model.restore(index, image);
    };
    return {task,
            [this, task, needs, run](const at::Tensor& image) {
              return engines_.restore(task, *loaded_.model.module, needs, run, image);
            },
            needs, costs_};
  }

  RestorerOptions options_;
  std::string source_;
  LoadedModel loaded_;
  detail::KnownCosts costs_;
  Engines engines_;
  std::optional<Router> router_;
};

}  // namespace limpid
