#pragma once

#include <limpid/core/autocast.hpp>
#include <limpid/core/concepts.hpp>
#include <limpid/core/deep_copy.hpp>
#include <limpid/core/finite.hpp>
#include <limpid/core/ranges.hpp>
#include <limpid/core/tiling.hpp>
#include <limpid/io/image.hpp>
#include <limpid/kernels/convolution_switch.hpp>
#include <limpid/model/model_file.hpp>

#include <torch/nn.h>

#include <algorithm>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

namespace limpid {

/// How a `Restorer` runs its model.
struct RestorerOptions {
  Tiling tiling{};  ///< pictures above 32 megapixels in tiles, unless it says otherwise
  at::Device device = at::kCPU;
  Precision precision = Precision::float32;
  Convolution convolution = Convolution::fast;  ///< CPU: how those in float32 are computed
};

namespace detail {

/// degraded (N, 3, H, W) in [-1, 1] -> restored.
using RestoreFunction = std::function<at::Tensor(const at::Tensor&)>;

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

/// The one way from a picture to a restored one.
/// @throws c10::Error if what the model makes is not finite.
inline Image restore_picture(const RestoreFunction& restore, const Image& degraded,
                             const RestorerOptions& options, std::string_view task) {
  TORCH_CHECK_VALUE(!degraded.empty(), "restore: the image is empty");
  torch::NoGradGuard no_grad;
  const AutocastScope autocast{options.precision, options.device};
  const ConvolutionScope convolution{options.convolution};
  const auto run = [&](const at::Tensor& tile) { return restore(tile).to(at::kFloat); };
  const auto restored =
      restore_tiled(run, to_signed(degraded.unit().to(options.device)), options.tiling);
  check_picture_finite("the picture restored by task '" + std::string{task} + "'", restored);
  return Image::from_unit(to_unit(restored).to(at::kCPU)).with_facts(degraded.facts());
}

}  // namespace detail

/// Restores pictures with a trained model: `Restorer restorer{load<ThreeTasks>("model.limpid")};`
///
/// Any size; large ones in tiles. Unit range outside, whatever range the model takes inside.
template <class Model>
class Restorer {
 public:
  /// @param model  a `MultiTaskModel`, put in evaluation mode. It is shared, so that
  ///               `Restorer{trainer.model()}` follows the training; where it is on another device
  ///               than `options.device`, it stays there, and the restorer has a copy of its own.
  explicit Restorer(Model model, RestorerOptions options = {})
      : model_(detail::on_device(std::move(model), options.device)), options_(options) {
    model_->eval();
  }

  /// Restores one picture: `restorer.restore<"deblur">(Image::load("photo.jpg"))`.
  /// @throws c10::ValueError if the image is empty or the tiling impossible; c10::Error if what
  ///         the model makes is not finite.
  template <FixedString Task>
  Image restore(const Image& degraded) {
    const detail::EvaluationScope evaluation{*model_};
    return detail::restore_picture(
        [this](const at::Tensor& image) { return model_->template restore<Task>(image); }, degraded,
        options_, Task.view());
  }

  Model& model() { return model_; }
  const RestorerOptions& options() const { return options_; }

 private:
  Model model_;
  RestorerOptions options_;
};

}  // namespace limpid
