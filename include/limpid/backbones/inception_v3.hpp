#pragma once

#include <limpid/core/check.hpp>
#include <limpid/core/fail.hpp>
#include <limpid/core/modules.hpp>
#include <limpid/layers/inception_block.hpp>
#include <limpid/weights/load_weights.hpp>
#include <limpid/weights/name_map.hpp>

#include <ATen/core/Tensor.h>
#include <ATen/ops/avg_pool2d.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/max_pool2d.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace limpid {

/// Shape of an `InceptionV3`. Published weights fit the default only.
struct InceptionV3Options {
  double width = 1.0;  ///< times the published channels, in (0, 1]; never below 4 channels

  /// The published number of channels, scaled.
  std::int64_t channels(std::int64_t published) const {
    const auto scaled = std::llround(static_cast<double>(published) * width);
    return std::max<std::int64_t>(4, scaled);
  }
};

namespace detail {

/// A convolution of an Inception block under its published name. With stride 1 it keeps the sides;
/// with stride 2 it has no padding.
struct InceptionV3Unit {
  std::string_view name;
  std::int64_t out;
  std::array<std::int64_t, 2> kernel{1, 1};
  std::int64_t stride = 1;
};

/// Units one after another; those of `fork` all see what the last of them makes.
struct InceptionV3Branch {
  std::vector<InceptionV3Unit> chain;
  std::vector<InceptionV3Unit> fork{};
};

/// What a block does beside its branches.
enum class InceptionV3Pool {
  means,    ///< 3 x 3 means without the padding, then a unit
  maxima,   ///< 3 x 3 maxima, then a unit
  reduced,  ///< 3 x 3 maxima at stride 2
};

struct InceptionV3Block {
  std::string_view name;
  std::vector<InceptionV3Branch> branches;
  InceptionV3Pool pool;
  std::int64_t pooled = 0;  ///< channels of the unit behind the pooling
};

inline InceptionV3Block inception_v3_a(std::string_view name, std::int64_t pooled) {
  return {
      name,
      {{{{"branch1x1", 64}}},
       {{{"branch5x5_1", 48}, {"branch5x5_2", 64, {5, 5}}}},
       {{{"branch3x3dbl_1", 64}, {"branch3x3dbl_2", 96, {3, 3}}, {"branch3x3dbl_3", 96, {3, 3}}}}},
      InceptionV3Pool::means,
      pooled};
}

inline InceptionV3Block inception_v3_c(std::string_view name, std::int64_t inner) {
  return {name,
          {{{{"branch1x1", 192}}},
           {{{"branch7x7_1", inner}, {"branch7x7_2", inner, {1, 7}}, {"branch7x7_3", 192, {7, 1}}}},
           {{{"branch7x7dbl_1", inner},
             {"branch7x7dbl_2", inner, {7, 1}},
             {"branch7x7dbl_3", inner, {1, 7}},
             {"branch7x7dbl_4", inner, {7, 1}},
             {"branch7x7dbl_5", 192, {1, 7}}}}},
          InceptionV3Pool::means,
          192};
}

inline InceptionV3Block inception_v3_e(std::string_view name, InceptionV3Pool pool) {
  return {name,
          {{{{"branch1x1", 320}}},
           {{{"branch3x3_1", 384}}, {{"branch3x3_2a", 384, {1, 3}}, {"branch3x3_2b", 384, {3, 1}}}},
           {{{"branch3x3dbl_1", 448}, {"branch3x3dbl_2", 384, {3, 3}}},
            {{"branch3x3dbl_3a", 384, {1, 3}}, {"branch3x3dbl_3b", 384, {3, 1}}}}},
          pool,
          192};
}

/// The blocks, in their order.
inline std::vector<InceptionV3Block> inception_v3_blocks() {
  return {inception_v3_a("Mixed_5b", 32),
          inception_v3_a("Mixed_5c", 64),
          inception_v3_a("Mixed_5d", 64),
          {"Mixed_6a",
           {{{{"branch3x3", 384, {3, 3}, 2}}},
            {{{"branch3x3dbl_1", 64},
              {"branch3x3dbl_2", 96, {3, 3}},
              {"branch3x3dbl_3", 96, {3, 3}, 2}}}},
           InceptionV3Pool::reduced},
          inception_v3_c("Mixed_6b", 128),
          inception_v3_c("Mixed_6c", 160),
          inception_v3_c("Mixed_6d", 160),
          inception_v3_c("Mixed_6e", 192),
          {"Mixed_7a",
           {{{{"branch3x3_1", 192}, {"branch3x3_2", 320, {3, 3}, 2}}},
            {{{"branch7x7x3_1", 192},
              {"branch7x7x3_2", 192, {1, 7}},
              {"branch7x7x3_3", 192, {7, 1}},
              {"branch7x7x3_4", 192, {3, 3}, 2}}}},
           InceptionV3Pool::reduced},
          inception_v3_e("Mixed_7b", InceptionV3Pool::means),
          inception_v3_e("Mixed_7c", InceptionV3Pool::maxima)};
}

/// One block, its units as children under their published names.
class InceptionV3MixedImpl : public torch::nn::Cloneable<InceptionV3MixedImpl> {
 public:
  InceptionV3MixedImpl(InceptionV3Block block, std::int64_t in, InceptionV3Options options)
      : block_(std::move(block)), in_(in), options_(options) {
    reset();
  }

  void reset() override {
    units_.clear();
    out_ = 0;
    for (const auto& branch : block_.branches) {
      auto channels = in_;
      for (const auto& step : branch.chain) channels = add(step, channels);
      for (const auto& step : branch.fork) out_ += add(step, channels);
      if (branch.fork.empty()) out_ += channels;
    }
    const bool is_reduced = block_.pool == InceptionV3Pool::reduced;
    out_ += is_reduced ? in_ : add({"branch_pool", block_.pooled}, in_);
  }

  at::Tensor forward(const at::Tensor& input) {
    std::vector<at::Tensor> maps;
    auto unit = units_.begin();
    for (const auto& branch : block_.branches) {
      auto map = input;
      for (std::size_t i = 0; i < branch.chain.size(); ++i) map = (*unit++)->forward(map);
      for (std::size_t i = 0; i < branch.fork.size(); ++i) maps.push_back((*unit++)->forward(map));
      if (branch.fork.empty()) maps.push_back(map);
    }
    switch (block_.pool) {
      case InceptionV3Pool::means:
        maps.push_back((*unit)->forward(at::avg_pool2d(input, 3, 1, 1, false, false)));
        break;
      case InceptionV3Pool::maxima:
        maps.push_back((*unit)->forward(at::max_pool2d(input, 3, 1, 1)));
        break;
      case InceptionV3Pool::reduced:
        maps.push_back(at::max_pool2d(input, 3, 2));
        break;
    }
    return at::cat(maps, 1);
  }

  std::int64_t out() const { return out_; }

 private:
  std::int64_t add(const InceptionV3Unit& step, std::int64_t in) {
    const bool keeps = step.stride == 1;
    const auto out = options_.channels(step.out);
    units_.push_back(register_module(
        std::string{step.name},
        InceptionUnit(InceptionUnitOptions{
            .in = in,
            .out = out,
            .kernel = step.kernel,
            .padding = {keeps ? step.kernel[0] / 2 : 0, keeps ? step.kernel[1] / 2 : 0},
            .stride = step.stride})));
    return out;
  }

  InceptionV3Block block_;
  std::int64_t in_, out_ = 0;
  InceptionV3Options options_;
  std::vector<InceptionUnit> units_;
};
TORCH_MODULE(InceptionV3Mixed);

/// Lets only limpid's own factories make an InceptionV3: nobody gets random weights by accident.
struct InceptionV3Key {
  explicit InceptionV3Key() = default;
};

}  // namespace detail

/// Inception v3 up to its last pooling, as FID takes it. Never trained: batch norms use their
/// running statistics.
///
/// Source: Szegedy et al., "Rethinking the Inception Architecture for Computer Vision", CVPR 2016;
/// in the form of the network of TensorFlow, December 2015, which pytorch-fid reads: means of 3 x 3
/// pixels do not count the padding, and the last block pools by maxima. Parameters are named as
/// torchvision names them: `Mixed_5b.branch5x5_1.conv.weight`. Made by `load_inception_v3`.
class InceptionV3Impl : public torch::nn::Cloneable<InceptionV3Impl> {
 public:
  InceptionV3Impl(detail::InceptionV3Key, InceptionV3Options options) : options_(options) {
    detail::check_width("InceptionV3: width", options.width);
    reset();
  }

  void reset() override {
    stem_.clear();
    blocks_.clear();
    auto channels = add("Conv2d_1a_3x3", 3, 32, 3, 0, 2);
    channels = add("Conv2d_2a_3x3", channels, 32, 3);
    channels = add("Conv2d_2b_3x3", channels, 64, 3, 1);
    channels = add("Conv2d_3b_1x1", channels, 80, 1);
    channels = add("Conv2d_4a_3x3", channels, 192, 3);
    for (const auto& block : detail::inception_v3_blocks()) {
      blocks_.push_back(register_module(std::string{block.name},
                                        detail::InceptionV3Mixed(block, channels, options_)));
      channels = blocks_.back()->out();
    }
    for (auto& parameter : parameters()) parameter.requires_grad_(false);
    eval();
  }

  /// @param image  (N, 3, H, W), values in [-1, 1], sides of at least 75.
  /// @return       (N, features()): means over the last map.
  /// @throws c10::ValueError if `image` has another shape.
  at::Tensor forward(const at::Tensor& image) {
    detail::check_image("InceptionV3", image, 3, 75);
    auto map = stem_[1]->forward(stem_[0]->forward(image));
    map = at::max_pool2d(stem_[2]->forward(map), 3, 2);
    map = at::max_pool2d(stem_[4]->forward(stem_[3]->forward(map)), 3, 2);
    for (auto& block : blocks_) map = block->forward(map);
    return map.mean(at::IntArrayRef{2, 3});
  }

  /// Values for an image: 2048 as published.
  std::int64_t features() const { return blocks_.back()->out(); }

 private:
  std::int64_t add(const char* name, std::int64_t in, std::int64_t published, std::int64_t kernel,
                   std::int64_t padding = 0, std::int64_t stride = 1) {
    const auto out = options_.channels(published);
    stem_.push_back(
        register_module(name, InceptionUnit(InceptionUnitOptions{.in = in,
                                                                 .out = out,
                                                                 .kernel = {kernel, kernel},
                                                                 .padding = {padding, padding},
                                                                 .stride = stride})));
    return out;
  }

  InceptionV3Options options_;
  std::vector<InceptionUnit> stem_;
  std::vector<detail::InceptionV3Mixed> blocks_;
};

/// Handle to an `InceptionV3Impl`. Copies are shallow.
class InceptionV3 : public torch::nn::ModuleHolder<InceptionV3Impl> {
 public:
  InceptionV3(std::nullptr_t) : ModuleHolder(nullptr) {}
  InceptionV3(std::shared_ptr<InceptionV3Impl> module) : ModuleHolder(std::move(module)) {}

  /// Random weights (He et al. 2015) from LibTorch's own random source: the speed of the real
  /// network, and features that mean nothing.
  static InceptionV3 random_for_benchmark(InceptionV3Options options = {}) {
    InceptionV3 network{std::make_shared<InceptionV3Impl>(detail::InceptionV3Key{}, options)};
    torch::NoGradGuard no_grad;
    for (auto& parameter : network->parameters()) {
      if (parameter.dim() > 1) {
        torch::nn::init::kaiming_normal_(parameter, 0.0, torch::kFanIn, torch::kReLU);
      }
    }
    return network;
  }
};

/// Where a file of Inception v3 comes from, for error texts and help.
inline constexpr std::string_view kInceptionV3Source =
    "expected the weights of pytorch-fid, "
    "https://github.com/mseitzer/pytorch-fid/releases/download/fid_weights/"
    "pt_inception-2015-12-05-6726825d.pth, or as safetensors";

/// Inception v3 with the weights of a file under torchvision's names: .pth or safetensors.
///
/// `fc.*` and `AuxLogits.*` may be there or not; anything else that is missing, unexpected or of
/// another shape is an error that lists it by name.
///
/// @throws c10::Error that names the file, what is wrong and where such a file comes from.
inline InceptionV3 load_inception_v3(const std::filesystem::path& path,
                                     InceptionV3Options options = {}) {
  std::error_code ignored;
  TORCH_CHECK(std::filesystem::exists(path, ignored), "InceptionV3: no weights at '", path.string(),
              "'; ", kInceptionV3Source);
  InceptionV3 network{std::make_shared<InceptionV3Impl>(detail::InceptionV3Key{}, options)};
  NameMap names;
  names.ignore("fc.*").ignore("AuxLogits.*").optional("*.num_batches_tracked");
  try {
    load_weights(network, path, names);
  } catch (const c10::Error& error) {
    limpid::fail("InceptionV3: ", error.what_without_backtrace(), "; ", kInceptionV3Source);
  }
  return network;
}

}  // namespace limpid
