#pragma once

#include <limpid/backbones/densenet121.hpp>
#include <limpid/backbones/inception_resnet_v2.hpp>
#include <limpid/backbones/mobilenet_v2.hpp>
#include <limpid/backbones/resnet34.hpp>
#include <limpid/backbones/se_resnext50.hpp>
#include <limpid/core/compiled.hpp>
#include <limpid/core/errors.hpp>
#include <limpid/core/fail.hpp>
#include <limpid/core/named.hpp>
#include <limpid/decoders/fpn.hpp>
#include <limpid/decoders/gunet.hpp>
#include <limpid/decoders/nafnet.hpp>
#include <limpid/decoders/pixel_unet.hpp>
#include <limpid/decoders/resnet.hpp>
#include <limpid/decoders/restormer.hpp>
#include <limpid/encoders/fpn.hpp>
#include <limpid/encoders/gunet.hpp>
#include <limpid/encoders/nafnet.hpp>
#include <limpid/encoders/pixel_unet.hpp>
#include <limpid/encoders/resnet.hpp>
#include <limpid/encoders/restormer.hpp>
#include <limpid/model/adapters.hpp>
#include <limpid/model/construction_limit.hpp>
#include <limpid/model/family.hpp>
#include <limpid/model/model_file.hpp>

#include <c10/util/Exception.h>
#include <nlohmann/json.hpp>

#include <exception>
#include <filesystem>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace limpid {

/// The networks that programs know by name: to train, restore, convert and measure. A line makes
/// a pair known to all of them.
inline constexpr NamedTable kFamilies{
    "a network",
    network_family<ResNetEncoder, ResNetDecoder<"any">>(
        "the ResNet generator of DeblurGAN and the thesis"),
    network_family<NAFNetEncoder, NAFNetDecoder<"any">>("NAFNet (Chen et al., ECCV 2022)"),
    network_family<RestormerEncoder, RestormerDecoder<"any">>(
        "Restormer (Zamir et al., CVPR 2022)"),
    network_family<GUNetEncoder, GUNetDecoder<"any">>(
        "gUNet (Song et al., 2022): gated depthwise convolutions"),
    network_family<PixelUNetEncoder, PixelUNetDecoder<"any">>(
        "a small residual U-Net at half resolution, for CPUs"),
    network_family<FPNEncoder<InceptionResNetV2>, FPNDecoder<"any">>(
        "the feature pyramid of the thesis and DeblurGAN-v2 over InceptionResNetV2"),
    network_family<FPNEncoder<MobileNetV2>, FPNDecoder<"any">>(
        "the same over MobileNetV2, which is small"),
    network_family<FPNEncoder<ResNet34>, FPNDecoder<"any">>("the same over ResNet-34"),
    network_family<FPNEncoder<DenseNet121>, FPNDecoder<"any">>(
        "the same over DenseNet-121 (DeblurGAN-v2's third)"),
    network_family<FPNEncoder<SEResNeXt50>, FPNDecoder<"any">>(
        "the same over SE-ResNeXt-50 (32x4d)"),
};

/// Encoder and decoder options of a network, all of them: `{"encoder": {...}, "decoder": {...}}`.
/// @throws c10::ValueError for a family or an option that is not known, and for a wrong value.
inline nlohmann::json all_options(const Network& network) {
  return kFamilies.at(network.family).options(network.options);
}

/// A new model of a family, with random weights drawn from LibTorch's generator.
///
/// ```cpp
/// AnyModel model = make_model({"nafnet", {{"width", 16}}}, {"deblur", "derain"});
/// ```
/// @throws c10::ValueError for a family or an option that is not known, a wrong value, for names
///         that cannot name a task, or come twice, and for a network larger than
///         `ConstructionLimit` lets it be.
inline AnyModel make_model(const Network& network, const std::vector<std::string>& tasks) {
  const auto& family = kFamilies.at(network.family);
  const auto source = "network '" + network.family + "'";
  const auto manifest = detail::manifest_of(family, network, tasks);
  try {
    const detail::ConstructionLimit limit{source};
    return family.build(manifest, source);
  } catch (const c10::ValueError&) {
    throw;
  } catch (const std::exception& error) {  // all that is built here follows from what was written
    if (!is_out_of_memory(error)) limpid::refuse(error_text(error));
    limpid::refuse(source, ": its options describe a network that the memory cannot hold");
  }
}

namespace detail {

/// A model as `manifest` describes it, of any family in the table, with fresh weights; tasks have
/// adapters where it says so.
/// @throws c10::Error that begins with `source` for a family that is not in the table.
inline AnyModel build_described(const nlohmann::json& manifest, const std::string& source) {
  const auto name = manifest.at("encoder").value("architecture", std::string{});
  TORCH_CHECK(kFamilies.contains(name), source, ": expected an encoder of limpid's own (",
              kFamilies.list(), "), found '", name.substr(0, 80),
              "'; load it by its type with limpid::load and limpid::Restorer");
  const auto model = kFamilies.at(name).build(manifest, source);
  std::map<std::string, AdapterOptions> adapters;
  for (const auto& entry : manifest.at("tasks")) {
    if (!entry.contains("adapter")) continue;
    adapters[entry.at("name")] = options_from_json<AdapterOptions>(
        entry.at("adapter"), "of the adapters of " + entry.at("name").get<std::string>());
  }
  return with_adapters(model, adapters);
}

/// Builds the model that a file describes, of any family in the table, and fills it.
/// @throws c10::Error that names the file if its tensors are not those of its networks.
inline AnyModel read_known_model(const ManifestFile& file) {
  return read_model(
      file, [&](const nlohmann::json& manifest) { return build_described(manifest, file.source); });
}

inline LoadedModel known_model(ManifestFile file) {
  auto model = read_known_model(file);
  file.manifest.erase("checksums");
  return {std::move(model), std::move(file.manifest)};
}

}  // namespace detail

/// Reads a model file of any family in the table.
/// @return the model in evaluation mode, on the CPU, and its file's manifest
/// @throws c10::Error that names the file if it is missing, damaged, or of networks that are not in
///         the table.
inline LoadedModel load_any(const std::filesystem::path& path) {
  return detail::known_model(detail::read_with_manifest(path, "model"));
}

/// The same from memory, which may go afterwards.
inline LoadedModel load_any(const ModelBytes& file) {
  return detail::known_model(detail::read_model_file(file));
}

#ifdef LIMPID_ONCE
namespace detail {
LIMPID_ONCE struct FamilyOf<ResNetEncoder, ResNetDecoder<"any">>;
LIMPID_ONCE struct FamilyOf<NAFNetEncoder, NAFNetDecoder<"any">>;
LIMPID_ONCE struct FamilyOf<RestormerEncoder, RestormerDecoder<"any">>;
LIMPID_ONCE struct FamilyOf<GUNetEncoder, GUNetDecoder<"any">>;
LIMPID_ONCE struct FamilyOf<PixelUNetEncoder, PixelUNetDecoder<"any">>;
LIMPID_ONCE struct FamilyOf<FPNEncoder<InceptionResNetV2>, FPNDecoder<"any">>;
LIMPID_ONCE struct FamilyOf<FPNEncoder<MobileNetV2>, FPNDecoder<"any">>;
LIMPID_ONCE struct FamilyOf<FPNEncoder<ResNet34>, FPNDecoder<"any">>;
LIMPID_ONCE struct FamilyOf<FPNEncoder<DenseNet121>, FPNDecoder<"any">>;
LIMPID_ONCE struct FamilyOf<FPNEncoder<SEResNeXt50>, FPNDecoder<"any">>;
}  // namespace detail
#endif

}  // namespace limpid
