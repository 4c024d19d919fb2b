#pragma once

#include <limpid/core/check.hpp>
#include <limpid/core/concepts.hpp>
#include <limpid/io/tensor_file.hpp>
#include <limpid/weights/load_weights.hpp>
#include <limpid/weights/maps.hpp>
#include <limpid/weights/named_tensors.hpp>
#include <limpid/weights/weights_report.hpp>

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace limpid {

namespace detail {

/// Where files of ImageNet weights come from, and under which names a backbone may stand in a file.
struct PretrainedNames {
  std::string_view source;
  std::vector<NameMap> maps;
};

inline PretrainedNames pretrained_names(std::string_view architecture) {
  if (architecture == "inception-resnet-v2") {
    return {
        "expected pretrainedmodels' inceptionresnetv2 or timm's inception_resnet_v2 as .pth or "
        "safetensors",
        {maps::pretrainedmodels_inception_resnet_v2(),
         maps::deblurgan_v2_fpn_inception().part("encoder.fpn.inception."),
         maps::thesis_fpn_inception({"any"}).part("encoder.fpn.inception.").ignore("decoder#.*")}};
  }
  if (architecture == "mobilenet-v2") {
    return {"expected torchvision's mobilenet_v2 as .pth or safetensors",
            {maps::torchvision_mobilenet_v2(), maps::deblurgan_v2_mobilenet_v2(),
             maps::deblurgan_v2_fpn_mobilenet().part("encoder.fpn.mobilenet.")}};
  }
  return {"expected the backbone's own names", {NameMap{}}};
}

}  // namespace detail

/// Fills an encoder's backbone from a file of ImageNet weights, whichever of the published namings
/// it has: pretrainedmodels' or timm's InceptionResNetV2, torchvision's or DeblurGAN-v2's
/// MobileNetV2, or one of their whole generators. The classifier and layers behind the last map are
/// ignored; all else must fit.
///
/// @throws c10::Error that names the file and the tensors at fault; then no weight has changed.
template <class E>
requires requires(E encoder) { encoder->backbone(); }
WeightsReport load_pretrained(E encoder, const std::filesystem::path& path) {
  using BackboneT = std::remove_cvref_t<decltype(encoder->backbone())>;
  const auto names = detail::pretrained_names(ModuleOf<BackboneT>::architecture);
  const auto file = index_tensor_file(path);
  const auto weights = weights_of(encoder->backbone());
  const NameMap* best = &names.maps.front();
  std::size_t most = 0;
  for (const auto& map : names.maps) {
    const auto found = detail::find_weights_of(weights, file, map, {}).fitting;
    if (found > most) best = &map;
    if (found > most) most = found;
  }
  try {
    return load_weights(weights, file, "weights '" + path.string() + "'", *best);
  } catch (const c10::Error& error) {
    detail::fail(error.what_without_backtrace(), "; ", names.source);
  }
}

}  // namespace limpid
