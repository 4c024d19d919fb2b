#pragma once

#if LIMPID_WITH_ONEDNN

#include <limpid/core/autocast.hpp>
#include <limpid/core/fail.hpp>
#include <limpid/core/field_of_view.hpp>
#include <limpid/core/padding.hpp>
#include <limpid/core/whole_maps.hpp>
#include <limpid/engine/compiled_network.hpp>
#include <limpid/engine/fuse.hpp>
#include <limpid/engine/plan.hpp>
#include <limpid/engine/prepared_weights.hpp>
#include <limpid/engine/translate.hpp>
#include <limpid/kernels/bounded_cache.hpp>
#include <limpid/kernels/convolution_switch.hpp>
#include <limpid/onnx/capture.hpp>
#include <limpid/weights/named_tensors.hpp>

#include <ATen/Parallel.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/constant_pad_nd.h>
#include <c10/util/Exception.h>
#include <torch/nn/module.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

namespace limpid::detail {

/// A network for restoring, captured as operators and computed by oneDNN.
class EngineNetwork final : public CompiledNetwork {
 public:
  /// As `compile_network`.
  EngineNetwork(torch::nn::Module& module,
                const std::function<at::Tensor(const at::Tensor&)>& restore, const TileNeeds& needs,
                Precision precision)
      : needs_(needs),
        is_half_(precision == Precision::bfloat16),
        capture_(captured(module, restore, needs.padding)) {
    graph_ = translated(capture_);
    const EngineFusion fusion{graph_};
    const auto& second = capture_.second();
    const auto& image = second.values[second.input].tensor;
    check(image, second.values[second.outputs.front()].tensor);
    can_be_told_ = is_told_as(restore, image);
    capture_.forget_maps();
  }
  EngineNetwork(const EngineNetwork&) = delete;
  EngineNetwork& operator=(const EngineNetwork&) = delete;

  at::Tensor restore(const at::Tensor& image) override {
    const auto restored = run(padded(image).contiguous());
    return crop_image(restored, image.size(2), image.size(3));
  }

  bool can_be_told() const override { return can_be_told_; }

  std::vector<std::string> library_operators() const override {
    std::vector<std::string> names;
    for (const auto node : by_library_) {
      names.push_back(capture_.operators()[graph_.nodes[node].recorded].name);
    }
    return names;
  }
  std::size_t operators() const override { return graph_.nodes.size(); }

  /// By what oneDNN computes its steps for pictures of this size, in its words.
  std::vector<std::string> kernels(std::int64_t height, std::int64_t width) {
    const auto& padding = needs_.padding;
    return plan(padding.padded(height), padding.padded(width))->kernels();
  }

 private:
  /// Height, width, threads.
  using Key = std::tuple<std::int64_t, std::int64_t, int>;

  static Capture captured(torch::nn::Module& module,
                          const std::function<at::Tensor(const at::Tensor&)>& restore,
                          const ImagePadding& padding) {
    const ConvolutionScope convolution{Convolution::exact};  // LibTorch's operators
    const AutocastScope precision{Precision::float32, at::kCPU};
    Recorder recorder{[](std::string_view) { return true; }, named_tensors(module)};
    const auto network = [&](const at::Tensor& image) { return std::vector{restore(image)}; };
    return {recorder, network, padding, /*pictures=*/1};
  }

  /// As `pad_image` does; zeros are those of the network's own range.
  at::Tensor padded(const at::Tensor& image) const {
    const auto& padding = needs_.padding;
    if (padding.mode == PaddingMode::zeros && needs_.range == ValueRange::unit_range) {
      const auto bottom = padding.padded(image.size(2)) - image.size(2),
                 right = padding.padded(image.size(3)) - image.size(3);
      return at::constant_pad_nd(image, {0, right, 0, bottom}, -1);
    }
    return pad_image(image, padding);
  }

  std::shared_ptr<const EnginePlan> make_plan(std::int64_t height, std::int64_t width, bool roomy) {
    const PlanKind kind{.half = is_half_, .roomy = roomy};
    return std::make_shared<const EnginePlan>(capture_, graph_, weights_, height, width, kind);
  }

  /// What Winograd's way needs lies where maps of other steps lie: a plan may take half as much
  /// memory again for it.
  std::shared_ptr<const EnginePlan> plan(std::int64_t height, std::int64_t width) {
    return plans_.get(Key{height, width, at::get_num_threads()}, [&] {
      auto plan = make_plan(height, width, /*roomy=*/false);
      if (!plan->lacks_room()) return plan;
      auto roomy = make_plan(height, width, /*roomy=*/true);
      return 2 * roomy->bytes() <= 3 * plan->bytes() ? roomy : plan;
    });
  }

  at::Tensor run(const at::Tensor& image) {
    const AutocastScope precision{Precision::float32, at::kCPU};  // what is still LibTorch's
    return plan(image.size(2), image.size(3))->run(image, blocks_, WholeMaps::current());
  }

  /// @throws c10::Error if what it makes of `image` is not `expected`.
  void check(const at::Tensor& image, const at::Tensor& expected) {
    const auto error = (run(image) - expected).abs().max().item<double>();
    const auto largest = expected.abs().max().item<double>();
    const auto most = is_half_ ? kMostHalfError : 1e-3;
    TORCH_CHECK(error <= most * largest, "the network computes something else: ", error, " of ",
                largest);
    by_library_ = plan(image.size(2), image.size(3))->by_library();
  }

  /// Whether the graph's layers that look at whole maps are the network's, in the same order: both
  /// are told moments that are none of this picture, and make the same of it.
  bool is_told_as(const std::function<at::Tensor(const at::Tensor&)>& restore,
                  const at::Tensor& image) {
    const auto by_network = [&](WholeMaps& maps) {
      const ConvolutionScope convolution{Convolution::exact};
      const AutocastScope precision{Precision::float32, at::kCPU};
      maps.show({image.size(2), image.size(3), 0, 0, image.size(2), image.size(3)});
      const WholeMaps::Scope scope{maps};
      return restore(image);
    };
    WholeMaps own;
    own.gather(0);
    (void)by_network(own);
    auto moments = own.gathered();
    if (moments.size() != graph_.whole_maps) return false;
    if (moments.empty()) return true;
    for (auto& [mean, variance] : moments) {
      mean = mean * 0.5 + 0.1;
      variance = variance * 2 + 0.1;
    }
    WholeMaps told{moments};
    const auto expected = by_network(told);
    try {
      const WholeMaps::Scope scope{told};
      check(image, expected);
    } catch (const c10::Error&) {
      return false;
    }
    return true;
  }

  /// bfloat16 has eight digits, and a network rounds many times.
  static constexpr double kMostHalfError = 0.1;

  TileNeeds needs_;
  bool is_half_;
  bool can_be_told_ = false;
  Capture capture_;
  EngineGraph graph_;
  std::vector<std::size_t> by_library_;  // nodes
  PreparedWeights weights_;
  BoundedCache<Key, std::shared_ptr<const EnginePlan>> plans_{8};
  HugeBlocks blocks_;
};

template <class>
std::shared_ptr<CompiledNetwork> compile_network(
    torch::nn::Module& module, const std::function<at::Tensor(const at::Tensor&)>& restore,
    const TileNeeds& needs, Precision precision) {
  const WholeMaps::Scope whole_pictures{nullptr};
  return std::make_shared<EngineNetwork>(module, restore, needs, precision);
}

}  // namespace limpid::detail

#endif
