#pragma once

#include <limpid/core/check.hpp>
#include <limpid/core/concepts.hpp>
#include <limpid/core/fail.hpp>
#include <limpid/io/tensor_file.hpp>
#include <limpid/io/tensor_index.hpp>
#include <limpid/weights/find_weights.hpp>
#include <limpid/weights/load_weights.hpp>
#include <limpid/weights/maps.hpp>
#include <limpid/weights/named_tensors.hpp>
#include <limpid/weights/weights_report.hpp>

#include <algorithm>
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
  if (architecture == "resnet34") {
    return {"expected torchvision's resnet34 as .pth or safetensors",
            {maps::torchvision_resnet34()}};
  }
  if (architecture == "densenet121") {
    return {"expected torchvision's densenet121 as .pth or safetensors",
            {maps::torchvision_densenet121_file(), maps::torchvision_densenet121(),
             maps::deblurgan_v2_fpn_densenet().part("encoder.fpn.densenet.")}};
  }
  if (architecture == "se-resnext50") {
    return {"expected pretrainedmodels' se_resnext50_32x4d as .pth or safetensors",
            {maps::pretrainedmodels_se_resnext50()}};
  }
  return {"expected the backbone's own names", {NameMap{}}};
}

/// How much of a network a file has under the names of a map, and, negative, how much else that the
/// map does not know.
inline std::pair<std::ptrdiff_t, std::ptrdiff_t> score_of(const NameMap& map,
                                                          const NamedTensors& weights,
                                                          const TensorIndex& file) {
  const auto found = find_weights_of(weights, file, map, {});
  const auto known = std::count_if(found.names.begin(), found.names.end(), [&](const auto& item) {
    return map.own(item.first) || map.ignores(item.first);
  });
  return {static_cast<std::ptrdiff_t>(found.fitting),
          known - static_cast<std::ptrdiff_t>(found.names.size())};
}

}  // namespace detail

/// Fills an encoder's backbone from a file of ImageNet weights, whichever of the published namings
/// it has: pretrainedmodels' or timm's InceptionResNetV2, torchvision's or DeblurGAN-v2's
/// MobileNetV2, torchvision's ResNet-34 or DenseNet-121, pretrainedmodels' SE-ResNeXt-50, or one of
/// their whole generators. The classifier and layers behind the last map are ignored; all else must
/// fit.
///
/// @throws c10::Error that names the file and the tensors at fault; then no weight has changed.
template <class E>
requires requires(E encoder) { encoder->backbone(); }
WeightsReport load_pretrained(E encoder, const std::filesystem::path& path) {
  using BackboneT = std::remove_cvref_t<decltype(encoder->backbone())>;
  const auto names = detail::pretrained_names(ModuleOf<BackboneT>::architecture);
  const auto file = index_tensor_file(path);
  const auto weights = weights_of(encoder->backbone());
  const NameMap* best = nullptr;
  std::pair<std::ptrdiff_t, std::ptrdiff_t> most;
  for (const auto& map : names.maps) {
    const auto score = detail::score_of(map, weights, file);
    if (best != nullptr && score <= most) continue;
    best = &map;
    most = score;
  }
  try {
    return load_weights(weights, file, "weights '" + path.string() + "'", *best);
  } catch (const c10::Error& error) {
    limpid::fail(error.what_without_backtrace(), "; ", names.source);
  }
}

}  // namespace limpid
