#pragma once

#include <limpid/core/check.hpp>
#include <limpid/core/named.hpp>
#include <limpid/weights/maps.hpp>
#include <limpid/weights/name_map.hpp>
#include <limpid/weights/named_tensors.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace limpid {

/// A naming of published files.
struct PublishedMap {
  bool one_task;            ///< whether a file holds one decoder only
  std::string_view family;  ///< of `kFamilies`, whose encoder and decoders it names; empty: it
                            ///< names a network that limpid reads as it is
  NameMap (*make)(const std::vector<std::string>& tasks, ResNetNames);

  /// Whether it names a whole model: encoder and decoders.
  constexpr bool is_model() const { return !family.empty(); }
};

/// All namings that programs know by name.
inline constexpr NamedTable kPublishedMaps{
    "a map",
    Named{"thesis-resnet", "the thesis' ResNet generator: encoder, decoder0, decoder1 ...",
          PublishedMap{false, "resnet",
                       [](const std::vector<std::string>& tasks, ResNetNames names) {
                         return maps::thesis_resnet(tasks, names);
                       }}},
    Named{"thesis-fpn-inception", "the thesis' FPN-InceptionResNetV2: encoder, decoder0 ...",
          PublishedMap{false, "fpn-inception-resnet-v2",
                       [](const std::vector<std::string>& tasks, ResNetNames) {
                         return maps::thesis_fpn_inception(tasks);
                       }}},
    Named{"deblurgan-resnet", "DeblurGAN's ResNet generator (DeblurGAN-v2's too)",
          PublishedMap{true, "resnet",
                       [](const std::vector<std::string>& tasks, ResNetNames names) {
                         return maps::deblurgan_resnet(tasks.at(0), names);
                       }}},
    Named{"deblurgan-v2-fpn-inception", "DeblurGAN-v2's FPN-InceptionResNetV2",
          PublishedMap{true, "fpn-inception-resnet-v2",
                       [](const std::vector<std::string>& tasks, ResNetNames) {
                         return maps::deblurgan_v2_fpn_inception(tasks.at(0));
                       }}},
    Named{"deblurgan-v2-fpn-mobilenet", "DeblurGAN-v2's FPN-MobileNetV2",
          PublishedMap{true, "fpn-mobilenet-v2",
                       [](const std::vector<std::string>& tasks, ResNetNames) {
                         return maps::deblurgan_v2_fpn_mobilenet(tasks.at(0));
                       }}},
    Named{"deblurgan-v2-fpn-densenet", "DeblurGAN-v2's FPN-DenseNet121",
          PublishedMap{true, "fpn-densenet121",
                       [](const std::vector<std::string>& tasks, ResNetNames) {
                         return maps::deblurgan_v2_fpn_densenet(tasks.at(0));
                       }}},
    Named{"nafnet", "NAFNet as published",
          PublishedMap{true, "nafnet",
                       [](const std::vector<std::string>& tasks, ResNetNames) {
                         return maps::nafnet(tasks.at(0));
                       }}},
    Named{"restormer", "Restormer as published",
          PublishedMap{true, "restormer",
                       [](const std::vector<std::string>& tasks, ResNetNames) {
                         return maps::restormer(tasks.at(0));
                       }}},
    Named{"gunet", "gUNet-T, S, B and D as published",
          PublishedMap{true, "gunet",
                       [](const std::vector<std::string>& tasks, ResNetNames) {
                         return maps::gunet(tasks.at(0));
                       }}},
    Named{"torchvision-vgg19", "torchvision's vgg19",
          PublishedMap{false, "",
                       [](const std::vector<std::string>&, ResNetNames) {
                         return maps::torchvision_vgg19();
                       }}},
    Named{"torchvision-mobilenet-v2", "torchvision's mobilenet_v2",
          PublishedMap{false, "",
                       [](const std::vector<std::string>&, ResNetNames) {
                         return maps::torchvision_mobilenet_v2();
                       }}},
    Named{"torchvision-resnet34", "torchvision's resnet34",
          PublishedMap{false, "",
                       [](const std::vector<std::string>&, ResNetNames) {
                         return maps::torchvision_resnet34();
                       }}},
    Named{"torchvision-densenet121", "torchvision's densenet121",
          PublishedMap{false, "",
                       [](const std::vector<std::string>&, ResNetNames) {
                         return maps::torchvision_densenet121_file();
                       }}},
    Named{"pretrainedmodels-se-resnext50", "pretrainedmodels' se_resnext50_32x4d",
          PublishedMap{false, "",
                       [](const std::vector<std::string>&, ResNetNames) {
                         return maps::pretrainedmodels_se_resnext50();
                       }}},
    Named{"pretrainedmodels-inception-resnet-v2", "pretrainedmodels' inceptionresnetv2",
          PublishedMap{false, "",
                       [](const std::vector<std::string>&, ResNetNames) {
                         return maps::pretrainedmodels_inception_resnet_v2();
                       }}},
    Named{"timm-inception-resnet-v2", "timm's inception_resnet_v2",
          PublishedMap{false, "", [](const std::vector<std::string>&, ResNetNames) {
                         return maps::timm_inception_resnet_v2();
                       }}}};

/// The name map that programs call `name`, for the tasks of a model in the order of the file.
/// @throws c10::ValueError if there is no such map, or `tasks` are not as many as the file has.
inline NameMap name_map(std::string_view name, const std::vector<std::string>& tasks = {"deblur"},
                        ResNetNames names = {}) {
  const auto& map = kPublishedMaps.at(name);
  TORCH_CHECK_VALUE(!map.one_task || tasks.size() == 1, "name_map: '", name, "' has one task, got ",
                    tasks.size(), tasks.empty() ? "" : " (" + detail::listed(tasks) + ")");
  return map.make(tasks, names);
}

}  // namespace limpid
