#pragma once

#include <limpid/core/check.hpp>
#include <limpid/weights/maps.hpp>
#include <limpid/weights/name_map.hpp>
#include <limpid/weights/named_tensors.hpp>

#include <functional>
#include <string>
#include <vector>

namespace limpid {

/// A naming of published files, as programs call it.
struct PublishedMap {
  std::string name;  ///< such as "deblurgan-v2-fpn-inception"
  std::string what;  ///< one line for help texts
  bool one_task;     ///< whether a file holds one decoder only
  bool is_model;     ///< whether it names a whole model: encoder and decoders
  std::function<NameMap(const std::vector<std::string>& tasks, ResNetNames)> make;
};

/// All namings that programs know by name.
inline const std::vector<PublishedMap>& published_maps() {
  using Tasks = std::vector<std::string>;
  static const std::vector<PublishedMap> all{
      {"thesis-resnet", "the thesis' ResNet generator: encoder, decoder0, decoder1 ...", false,
       true,
       [](const Tasks& tasks, ResNetNames names) { return maps::thesis_resnet(tasks, names); }},
      {"thesis-fpn-inception", "the thesis' FPN-InceptionResNetV2: encoder, decoder0 ...", false,
       true, [](const Tasks& tasks, ResNetNames) { return maps::thesis_fpn_inception(tasks); }},
      {"deblurgan-resnet", "DeblurGAN's ResNet generator (DeblurGAN-v2's too)", true, true,
       [](const Tasks& tasks, ResNetNames names) {
         return maps::deblurgan_resnet(tasks.at(0), names);
       }},
      {"deblurgan-v2-fpn-inception", "DeblurGAN-v2's FPN-InceptionResNetV2", true, true,
       [](const Tasks& tasks, ResNetNames) {
         return maps::deblurgan_v2_fpn_inception(tasks.at(0));
       }},
      {"deblurgan-v2-fpn-mobilenet", "DeblurGAN-v2's FPN-MobileNetV2", true, true,
       [](const Tasks& tasks, ResNetNames) {
         return maps::deblurgan_v2_fpn_mobilenet(tasks.at(0));
       }},
      {"nafnet", "NAFNet as published", true, true,
       [](const Tasks& tasks, ResNetNames) { return maps::nafnet(tasks.at(0)); }},
      {"torchvision-vgg19", "torchvision's vgg19", false, false,
       [](const Tasks&, ResNetNames) { return maps::torchvision_vgg19(); }},
      {"torchvision-mobilenet-v2", "torchvision's mobilenet_v2", false, false,
       [](const Tasks&, ResNetNames) { return maps::torchvision_mobilenet_v2(); }},
      {"pretrainedmodels-inception-resnet-v2", "pretrainedmodels' inceptionresnetv2", false, false,
       [](const Tasks&, ResNetNames) { return maps::pretrainedmodels_inception_resnet_v2(); }},
      {"timm-inception-resnet-v2", "timm's inception_resnet_v2", false, false,
       [](const Tasks&, ResNetNames) { return maps::timm_inception_resnet_v2(); }},
  };
  return all;
}

/// The naming that programs call `name`.
/// @throws c10::ValueError that lists the known ones.
inline const PublishedMap& published_map(const std::string& name) {
  std::string known;
  for (const auto& map : published_maps()) {
    if (map.name == name) return map;
    known += (known.empty() ? "" : ", ") + map.name;
  }
  TORCH_CHECK_VALUE(false, "name_map: no map is called '", name, "', known are ", known);
}

/// The name map that programs call `name`, for the tasks of a model in the order of the file.
/// @throws c10::ValueError if there is no such map, or `tasks` are not as many as the file has.
inline NameMap name_map(const std::string& name, const std::vector<std::string>& tasks = {"deblur"},
                        ResNetNames names = {}) {
  const auto& map = published_map(name);
  TORCH_CHECK_VALUE(!map.one_task || tasks.size() == 1, "name_map: '", name, "' has one task, got ",
                    tasks.size(), tasks.empty() ? "" : " (" + detail::listed(tasks) + ")");
  return map.make(tasks, names);
}

}  // namespace limpid
