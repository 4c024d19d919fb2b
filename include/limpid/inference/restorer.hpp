#pragma once

#include <limpid/core/concepts.hpp>
#include <limpid/core/deep_copy.hpp>
#include <limpid/core/evaluation_scope.hpp>
#include <limpid/core/field_of_view.hpp>
#include <limpid/core/memory_format.hpp>
#include <limpid/core/modules.hpp>
#include <limpid/engine/engines.hpp>
#include <limpid/inference/network_cost.hpp>
#include <limpid/inference/restore_picture.hpp>
#include <limpid/inference/restore_watch.hpp>
#include <limpid/inference/restorer_options.hpp>
#include <limpid/inference/routed_restoring.hpp>
#include <limpid/inference/router.hpp>
#include <limpid/inference/tile_plan.hpp>
#include <limpid/io/image.hpp>
#include <limpid/io/picture_view.hpp>
#include <limpid/model/any_model.hpp>
#include <limpid/model/model_file.hpp>

#include <c10/util/Exception.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>

namespace limpid {

namespace detail {

/// Whether all parameters are on `device`; on any of its kind where it has no number.
inline bool is_on(const torch::nn::Module& module, c10::Device device) {
  const auto parameters = module.parameters();
  return std::all_of(parameters.begin(), parameters.end(), [&](const at::Tensor& parameter) {
    const auto found = parameter.device();
    return found.type() == device.type() && (!device.has_index() || found == device);
  });
}

/// The model itself if it is on `device`, else a copy there: a model that someone trains is not
/// moved under their optimiser.
template <ModuleHandle M>
M on_device(M model, c10::Device device) {
  if (is_on(*model, device)) return model;
  auto copy = deep_copy(model);
  copy->to(device);
  return copy;
}

}  // namespace detail

/// Restores pictures with a trained model: `Restorer<ThreeTasks> restorer{"model.limpid"};`, or
/// `Restorer restorer{load<ThreeTasks>("model.limpid")};` without the file's router.
///
/// Any size; large ones in tiles (`TilePlan`). Unit range outside, whatever range the model takes
/// inside. Several threads may restore with one restorer at once, as long as nobody trains, changes
/// or moves its model meanwhile.
template <class Model>
class Restorer {
 public:
  /// @param model  a `MultiTaskModel`, put in evaluation mode. It is shared, so that
  ///               `Restorer{trainer.model()}` follows the training; where it is on another device
  ///               than `options.device`, it stays there, and the restorer has a copy of its own.
  explicit Restorer(Model model, RestorerOptions options = {})
      : model_(detail::on_device(std::move(model), options.device)), options_(options) {
    detail::lay_out(*model_, options.memory_format);
    model_->eval();
  }

  /// Reads the model, and the router where the file has one.
  /// @throws c10::Error that names the file, what was expected and what was found; also where its
  ///         router knows a task that the model lacks.
  explicit Restorer(const std::filesystem::path& file, RestorerOptions options = {})
      : Restorer(detail::read_with_manifest(file, "model"), options) {}

  /// The same from memory, which may go afterwards.
  explicit Restorer(const ModelBytes& file, RestorerOptions options = {})
      : Restorer(detail::read_model_file(file), options) {}

  /// What leads `restore_routed`: the model file's, or one that was given.
  const std::optional<Router>& router() const { return router_; }

  /// @throws c10::ValueError if the router knows a task that the model lacks.
  void use_router(Router router) {
    check(router, "model");
    router_ = std::move(router);
  }

  /// Restores one picture: `restorer.restore<"deblur">(Image::load("photo.jpg"))`.
  /// @throws c10::ValueError if the image is empty or the tiling impossible; c10::Error if what
  ///         the model makes is not finite; `RestoreCancelled` where `watch` says so.
  template <FixedString Task>
  Image restore(const Image& degraded, const RestoreWatch& watch = {}) {
    const detail::EvaluationScope evaluation{*model_};
    return detail::restore_picture(network<Task>(), degraded, options_, watch);
  }

  /// From memory to memory, of any formats; both may be the same. Alpha is kept where both have it,
  /// else opaque; `rgb_float32` is neither rounded before nor behind the network. What is restored
  /// is written when all of it is done: where this throws, nothing is.
  /// @throws as above, and c10::ValueError that says what is wrong with a view.
  template <FixedString Task>
  void restore(const PictureView& degraded, const PictureBuffer& restored,
               const RestoreWatch& watch = {}) {
    const detail::EvaluationScope evaluation{*model_};
    detail::restore_memory(network<Task>(), degraded, restored, options_, watch);
  }

  /// The same, over the picture itself.
  template <FixedString Task>
  void restore_in_place(const PictureBuffer& picture, const RestoreWatch& watch = {}) {
    restore<Task>(picture, picture, watch);
  }

  /// As `restore`, but not rounded to 8 bits: (1, 3, H, W) float in [0, 1] on the CPU.
  template <FixedString Task>
  at::Tensor restore_unit(const Image& degraded, const RestoreWatch& watch = {}) {
    const detail::EvaluationScope evaluation{*model_};
    return detail::restore_unit(network<Task>(), degraded, options_, watch);
  }

  /// What the router is sure of, one task after another, each rounded to 8 bits; the picture itself
  /// where it is sure of none. `strength` blends the end with the beginning. Progress begins anew
  /// with each task.
  /// @throws c10::ValueError without a router; else as `restore`.
  RoutedPicture restore_routed(const Image& degraded, const RestoreWatch& watch = {}) {
    return routed().restore(degraded, watch);
  }

  /// The same from memory to memory, as `restore` does it. Where either is `rgb_float32`, nothing
  /// is rounded between tasks. Where nothing is done, `restored` becomes `degraded` in its own
  /// format.
  /// @return what was done, and why
  Routing restore_routed(const PictureView& degraded, const PictureBuffer& restored,
                         const RestoreWatch& watch = {}) {
    return routed().restore(degraded, restored, watch);
  }

  /// How it restores a picture of this size: at once or in which tiles.
  template <FixedString Task>
  TilePlan plan(std::int64_t height, std::int64_t width) {
    const detail::EvaluationScope evaluation{*model_};
    return detail::plan_of(network<Task>(), height, width, options_);
  }

  /// Whether and how a task's network was compiled (`engine/engines.hpp`).
  EngineState engine(const std::string& task) const { return engines_.state(task); }

  Model& model() { return model_; }
  const RestorerOptions& options() const { return options_; }

 private:
  Restorer(const detail::ManifestFile& file, const RestorerOptions& options)
      : Restorer(detail::model_from<Model>(file), options) {
    router_ = Router::of(file.manifest, file.source);
    if (router_) check(*router_, file.source);
  }

  void check(const Router& router, const std::string& source) const {
    const AnyModel any{model_};
    for (const auto& task : router.tasks()) any.index_of(task, source + ": a task of its router");
  }

  template <FixedString Task>
  detail::TaskNetwork network() {
    using Network = typename Model::ContainedType;
    constexpr auto index = detail::task_index(Network::tasks, Task);
    static_assert(index < Network::tasks.size(),
                  "limpid: no decoder of this model has the task of restore<TASK>");
    if constexpr (index < Network::tasks.size()) {
      return network_of(
          std::string{Task.view()}, model_->tile_needs(index),
          [this](const at::Tensor& image) { return model_->template restore<Task>(image); });
    } else {
      return {};
    }
  }

  detail::RoutedRestoring routed() {
    TORCH_CHECK_VALUE(router_, "Restorer: it has no router; use_router gives it one");
    const AnyModel any{model_};
    const auto network = [this, any](const std::string& task) {
      const auto index = any.index_of(task, "model");
      return network_of(task, any.tile_needs(index), [any, index](const at::Tensor& image) {
        return any.restore(index, image);
      });
    };
    return {*router_, any, network, options_};
  }

  template <class Run>
  detail::TaskNetwork network_of(const std::string& task, const TileNeeds& needs, Run run) {
    return {task,
            [this, task, needs, run](const at::Tensor& image) {
              return engines_.restore(task, *model_, needs, run, image);
            },
            needs, costs_};
  }

  Model model_;
  RestorerOptions options_;
  detail::KnownCosts costs_;
  Engines engines_;
  std::optional<Router> router_;
};

}  // namespace limpid
