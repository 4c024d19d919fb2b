#pragma once

#include <limpid/core/autocast.hpp>
#include <limpid/core/ranges.hpp>
#include <limpid/core/tiling.hpp>
#include <limpid/io/image.hpp>
#include <limpid/model/model_file.hpp>

#include <torch/nn.h>

#include <filesystem>
#include <functional>
#include <string_view>
#include <utility>

namespace limpid {

/// How a `Restorer` runs its model.
struct RestorerOptions {
  Tiling tiling{};
  at::Device device = at::kCPU;
  Precision precision = Precision::float32;
};

namespace detail {

/// degraded (N, 3, H, W) in [-1, 1] -> restored.
using RestoreFunction = std::function<at::Tensor(const at::Tensor&)>;

inline Image restore_picture(const RestoreFunction& restore, const Image& degraded,
                             const RestorerOptions& options) {
  TORCH_CHECK_VALUE(!degraded.empty(), "restore: the image is empty");
  torch::NoGradGuard no_grad;
  const AutocastScope autocast{options.precision, options.device};
  const auto run = [&](const at::Tensor& tile) { return restore(tile).to(at::kFloat); };
  const auto restored =
      restore_tiled(run, to_signed(degraded.unit().to(options.device)), options.tiling);
  return Image::from_unit(to_unit(restored).to(at::kCPU));
}

}  // namespace detail

/// Restores pictures with a trained model: `Restorer restorer{load<ThreeTasks>("model.limpid")};`
///
/// Any size; large ones in tiles. Unit range outside, signed range inside.
template <class Model>
class Restorer {
 public:
  /// @param model  a `MultiTaskModel`; it is put in evaluation mode on `options.device`.
  explicit Restorer(Model model, RestorerOptions options = {})
      : model_(std::move(model)), options_(options) {
    model_->eval();
    model_->to(options_.device);
  }

  /// Restores one picture: `restorer.restore<"deblur">(Image::load("photo.jpg"))`.
  /// @throws c10::ValueError if the image is empty or the tiling impossible.
  template <FixedString Task>
  Image restore(const Image& degraded) {
    return detail::restore_picture(
        [this](const at::Tensor& image) { return model_->template restore<Task>(image); }, degraded,
        options_);
  }

  Model& model() { return model_; }
  const RestorerOptions& options() const { return options_; }

 private:
  Model model_;
  RestorerOptions options_;
};

}  // namespace limpid
