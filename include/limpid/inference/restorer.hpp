#pragma once

#include <limpid/core/concepts.hpp>
#include <limpid/core/deep_copy.hpp>
#include <limpid/core/field_of_view.hpp>
#include <limpid/core/memory_format.hpp>
#include <limpid/engine/engines.hpp>
#include <limpid/inference/network_cost.hpp>
#include <limpid/inference/restore_picture.hpp>
#include <limpid/inference/restore_watch.hpp>
#include <limpid/inference/restorer_options.hpp>
#include <limpid/inference/tile_plan.hpp>
#include <limpid/io/image.hpp>
#include <limpid/io/picture_view.hpp>
#include <limpid/model/model_file.hpp>

#include <torch/nn.h>

#include <algorithm>
#include <cstdint>
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

/// Evaluation mode while it lives: no dropout, running statistics. A model that was in training is
/// so again afterwards.
class EvaluationScope {
 public:
  explicit EvaluationScope(torch::nn::Module& module)
      : module_(module), was_training_(module.is_training()) {
    if (was_training_) module_.eval();
  }
  ~EvaluationScope() {
    if (was_training_) module_.train();
  }
  EvaluationScope(const EvaluationScope&) = delete;
  EvaluationScope& operator=(const EvaluationScope&) = delete;

 private:
  torch::nn::Module& module_;
  bool was_training_;
};

}  // namespace detail

/// Restores pictures with a trained model: `Restorer restorer{load<ThreeTasks>("model.limpid")};`
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
  template <FixedString Task>
  detail::TaskNetwork network() {
    const std::string task{Task.view()};
    const auto needs = detail::tile_needs(model_->encoder(), model_->template decoder<Task>());
    const auto run = [this](const at::Tensor& image) {
      return model_->template restore<Task>(image);
    };
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
};

}  // namespace limpid
