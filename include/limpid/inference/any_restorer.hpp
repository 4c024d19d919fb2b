#pragma once

#include <limpid/backbones/inception_resnet_v2.hpp>
#include <limpid/backbones/mobilenet_v2.hpp>
#include <limpid/decoders/fpn.hpp>
#include <limpid/decoders/nafnet.hpp>
#include <limpid/decoders/pixel_unet.hpp>
#include <limpid/decoders/resnet.hpp>
#include <limpid/encoders/fpn.hpp>
#include <limpid/encoders/nafnet.hpp>
#include <limpid/encoders/pixel_unet.hpp>
#include <limpid/encoders/resnet.hpp>
#include <limpid/inference/restorer.hpp>

#include <torch/nn.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <filesystem>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace limpid {

namespace detail {

/// A model whose tasks are known at run time only.
struct RuntimeModel {
  std::vector<std::string> tasks;
  std::map<std::string, RestoreFunction> restore;
};

template <Encoder E>
bool encoder_is(const nlohmann::json& manifest) {
  return manifest.at("encoder").value("architecture", std::string{}) == ModuleOf<E>::architecture;
}

/// Builds a model of one family of encoder and decoder. The decoders of a family differ by their
/// task's name only, so one type serves tasks that this program was not compiled for.
template <Encoder E, DecoderFor<E> D>
RuntimeModel build_runtime_model(const ManifestFile& file, c10::Device device) {
  RuntimeModel model;
  auto encoder = construct<E>(file.manifest.at("encoder"), file.source);
  TensorLoader loader;
  loader.expect_module(*encoder, "encoder.");
  encoder->eval();
  encoder->to(device);
  std::vector<D> decoders;
  for (const auto& task : file.manifest.at("tasks")) {
    const auto name = task.at("name").get<std::string>();
    auto decoder = construct<D>(task.value("decoder", nlohmann::json::object()), file.source);
    loader.expect_module(*decoder, decoder_prefix(name));
    decoder->eval();
    decoder->to(device);
    model.tasks.push_back(name);
    model.restore[name] = [encoder, decoder](const at::Tensor& degraded) mutable {
      return restore_image(encoder, decoder, degraded);
    };
  }
  loader.apply(file.tensors, file.source, {""});
  return model;
}

}  // namespace detail

/// Restores pictures with any model file of limpid's own networks: tasks and sizes come from the
/// file. Programs that know their model's type use `Restorer`.
class AnyRestorer {
 public:
  /// @throws c10::Error that names the file if it is missing, damaged, or of networks that limpid
  ///         does not ship.
  explicit AnyRestorer(const std::filesystem::path& path, RestorerOptions options = {})
      : options_(options), source_("model '" + path.string() + "'") {
    const auto file = detail::read_with_manifest(path, "model");
    try {
      manifest_ = file.manifest;
      manifest_.erase("checksums");
      model_ = build(file);
    } catch (const nlohmann::json::exception& error) {
      TORCH_CHECK(false, source_, ": its manifest is malformed (", error.what(), ")");
    }
  }

  /// The model's tasks, in its order.
  const std::vector<std::string>& tasks() const { return model_.tasks; }

  /// What the file says of the model: architectures, options, recipe, step.
  const nlohmann::json& manifest() const { return manifest_; }

  /// @throws c10::ValueError if the model has no such task; the error lists those it has.
  void check_task(const std::string& task) const {
    TORCH_CHECK_VALUE(model_.restore.count(task) != 0, source_, ": expected one of its tasks (",
                      detail::listed(model_.tasks), "), got '", task, "'");
  }

  /// @throws c10::ValueError if the model has no such task.
  Image restore(const std::string& task, const Image& degraded) const {
    check_task(task);
    return detail::restore_picture(model_.restore.at(task), degraded, options_);
  }

 private:
  detail::RuntimeModel build(const detail::ManifestFile& file) const {
    using namespace detail;
    if (encoder_is<ResNetEncoder>(file.manifest)) {
      return build_runtime_model<ResNetEncoder, ResNetDecoder<"any">>(file, options_.device);
    }
    if (encoder_is<NAFNetEncoder>(file.manifest)) {
      return build_runtime_model<NAFNetEncoder, NAFNetDecoder<"any">>(file, options_.device);
    }
    if (encoder_is<PixelUNetEncoder>(file.manifest)) {
      return build_runtime_model<PixelUNetEncoder, PixelUNetDecoder<"any">>(file, options_.device);
    }
    if (encoder_is<FPNEncoder<InceptionResNetV2>>(file.manifest)) {
      return build_runtime_model<FPNEncoder<InceptionResNetV2>, FPNDecoder<"any">>(file,
                                                                                   options_.device);
    }
    if (encoder_is<FPNEncoder<MobileNetV2>>(file.manifest)) {
      return build_runtime_model<FPNEncoder<MobileNetV2>, FPNDecoder<"any">>(file, options_.device);
    }
    TORCH_CHECK(false, source_, ": expected an encoder of limpid's own (resnet, nafnet, ",
                "pixel-unet, fpn-inception-resnet-v2, fpn-mobilenet-v2), found ",
                file.manifest.at("encoder").dump(),
                "; load it by its type with limpid::load and limpid::Restorer");
  }

  RestorerOptions options_;
  std::string source_;
  nlohmann::json manifest_;
  detail::RuntimeModel model_;
};

}  // namespace limpid
