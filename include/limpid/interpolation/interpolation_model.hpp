#pragma once

#include <limpid/core/check.hpp>
#include <limpid/core/modules.hpp>
#include <limpid/core/padding.hpp>
#include <limpid/core/ranges.hpp>
#include <limpid/interpolation/sepconv_network.hpp>
#include <limpid/model/any_model.hpp>
#include <limpid/model/describe.hpp>

#include <c10/util/Exception.h>
#include <nlohmann/json.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace limpid {

/// A `SepConvNetwork` as training and model files see one: a model of the one task "interpolate",
/// which restores a frame from its two neighbours.
class InterpolationModelImpl : public torch::nn::Module {
 public:
  /// Takes the network behind the handle; it is shared, not copied.
  explicit InterpolationModelImpl(SepConvNetwork network)
      : network_(register_module("encoder", std::move(network))) {}

  /// @param frames  (N, 6, H, W) in [-1, 1], the frame before and the one after, of any size
  /// @return        (N, 3, H, W), the frame between them, not clamped
  /// @throws c10::ValueError for another shape.
  at::Tensor restore(std::size_t, const at::Tensor& frames) {
    TORCH_CHECK_VALUE(frames.dim() == 4 && frames.size(1) == 6,
                      "interpolate: expected two frames (N, 6, H, W), got ", frames.sizes());
    const auto both =
        pad_image(to_unit(frames), {.multiple = network_->options().multiple(), .min_side = 1});
    const auto middle = network_->forward(both.narrow(1, 0, 3), both.narrow(1, 3, 3));
    return to_signed(crop_image(middle, frames.size(2), frames.size(3)));
  }

  SepConvNetwork& encoder() { return network_; }

  std::vector<std::string> task_names() const { return {"interpolate"}; }

  nlohmann::json describe() const {
    return {{"encoder", detail::describe(network_)},
            {"tasks", nlohmann::json::array({{{"name", "interpolate"}}})}};
  }

 private:
  SepConvNetwork network_;
};

/// Handle to an `InterpolationModelImpl`; an `AnyModel` takes it.
TORCH_MODULE(InterpolationModel);

}  // namespace limpid
