#pragma once

#include <limpid/core/compiled.hpp>
#include <limpid/weights/name_map.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

// Which names published files have for limpid's networks. A map for a whole model leads from the
// names of its model file, `encoder.NAME` and `decoder.TASK.NAME`; `.part("encoder.")` is the map
// of the encoder by itself.

#ifdef LIMPID_BODIES
#include <limpid/core/check.hpp>

#include <array>
#endif

namespace limpid {

/// What the names of a published ResNet generator depend on.
struct ResNetNames {
  std::int64_t blocks = 9;  ///< residual blocks
  bool dropout = true;      ///< whether each block has a dropout layer, which counts in the names
};

namespace detail {

/// The second convolution of a residual block under `own` and `published` (each ending in "model.")
/// and the instance norms of the blocks.
LIMPID_INLINE void add_resnet_blocks(NameMap& map, const std::string& own,
                                     const std::string& published, ResNetNames names);

/// What an InceptionResNetV2 under `prefix` has that its feature maps do not need.
LIMPID_INLINE NameMap& ignore_inception_tail(NameMap& map, const std::string& prefix);

/// The names of DeblurGAN-v2's FPN class: its encoders hold the backbone's layers once more.
/// @param fpn  what the published names begin with: "fpn." or "encoder.fpn."
LIMPID_INLINE void add_inception_fpn(NameMap& map, const std::string& fpn);

/// Norms behind td1-3 of DeblurGAN-v2's pyramid.
LIMPID_INLINE void add_td_norms(NameMap& map, const std::string& fpn);

/// Norms of an FPN decoder whose published names begin with `prefix`.
LIMPID_INLINE void add_fpn_decoder_norms(NameMap& map, const std::string& prefix);

/// The names that any FPN's encoder and decoder have as one published module.
LIMPID_INLINE void add_one_module_names(NameMap& map, const std::string& task);

/// The same for one with instance norms.
LIMPID_INLINE void add_one_module_fpn(NameMap& map, const std::string& task);

/// Torchvision's nested names of MobileNetV2's features, under `own`, and DeblurGAN-v2's flat ones.
LIMPID_INLINE void add_flat_mobilenet(NameMap& map, const std::string& own,
                                      const std::string& flat);

/// Features of MobileNetV2 that no feature map may need: the last stride begins at 14.
LIMPID_INLINE NameMap& ignore_mobilenet_tail(NameMap& map, const std::string& prefix);

/// "decoder.TASK." and "decoderN." of every task.
/// @throws c10::ValueError if there is no task.
LIMPID_INLINE void add_numbered_decoders(NameMap& map, const std::vector<std::string>& tasks);

}  // namespace detail

/// Name maps of published files.
namespace maps {

/// torchvision's vgg19, for a `VGG19` of any depth.
LIMPID_INLINE NameMap torchvision_vgg19();

/// pretrainedmodels' inceptionresnetv2, for the backbone up to mixed_7a. Files of before PyTorch
/// 0.4.1 have no num_batches_tracked.
LIMPID_INLINE NameMap pretrainedmodels_inception_resnet_v2();

/// timm's inception_resnet_v2: the same names, with `classif` for the classifier.
LIMPID_INLINE NameMap timm_inception_resnet_v2();

/// torchvision's mobilenet_v2, for the backbone up to any map.
LIMPID_INLINE NameMap torchvision_mobilenet_v2();

/// The same network under the flat names that DeblurGAN-v2 has: `features.2.conv.3.weight`.
LIMPID_INLINE NameMap deblurgan_v2_mobilenet_v2();

/// torchvision's resnet34, for the backbone.
LIMPID_INLINE NameMap torchvision_resnet34();

/// torchvision's densenet121 as a module names it: `denselayer1.norm1.weight`.
LIMPID_INLINE NameMap torchvision_densenet121();

/// The file of ImageNet weights that torchvision downloads for it: `denselayer1.norm.1.weight`.
LIMPID_INLINE NameMap torchvision_densenet121_file();

/// pretrainedmodels' se_resnext50_32x4d, for the backbone.
LIMPID_INLINE NameMap pretrainedmodels_se_resnext50();

/// DeblurGAN's ResNet generator (also DeblurGAN-v2's): encoder and one decoder in one flat sequence
/// `model.N`.
///
/// Source: Kupyn et al., "DeblurGAN", CVPR 2018, and its code.
LIMPID_INLINE NameMap deblurgan_resnet(const std::string& task, ResNetNames names = {});

/// The thesis' ResNet generator: `encoder.*`, `decoder0.*`, `decoder1.*` ...
///
/// Source: Martyniuk, "Multi-task learning for image restoration", UCU 2019, and its code.
/// @param tasks  in the order of the decoders' numbers
LIMPID_INLINE NameMap thesis_resnet(const std::vector<std::string>& tasks, ResNetNames names = {});

/// The thesis' FPN-InceptionResNetV2: `encoder.fpn.*`, `encoder.head1.*`, `decoder0.smooth.*` ...
///
/// Source: Martyniuk, "Multi-task learning for image restoration", UCU 2019, and its code.
/// @param tasks  in the order of the decoders' numbers
LIMPID_INLINE NameMap thesis_fpn_inception(const std::vector<std::string>& tasks);

/// DeblurGAN-v2's FPN-InceptionResNetV2: encoder and one decoder in one module.
///
/// Source: Kupyn et al., "DeblurGAN-v2", ICCV 2019, and its code.
LIMPID_INLINE NameMap deblurgan_v2_fpn_inception(const std::string& task = "deblur");

/// DeblurGAN-v2's FPN-MobileNetV2: encoder and one decoder in one module.
///
/// Source: Kupyn et al., "DeblurGAN-v2", ICCV 2019, and its code.
LIMPID_INLINE NameMap deblurgan_v2_fpn_mobilenet(const std::string& task = "deblur");

/// DeblurGAN-v2's FPN-DenseNet121: encoder and one decoder in one module, with batch norms.
///
/// Source: Kupyn et al., "DeblurGAN-v2", ICCV 2019, and its code.
LIMPID_INLINE NameMap deblurgan_v2_fpn_densenet(const std::string& task = "deblur");

/// NAFNet, published as one module.
///
/// Source: Chen et al., "Simple Baselines for Image Restoration", ECCV 2022, and its code.
LIMPID_INLINE NameMap nafnet(const std::string& task);

/// Restormer, published as one module.
///
/// Source: Zamir et al., "Restormer: Efficient Transformer for High-Resolution Image Restoration",
/// CVPR 2022, and its code.
LIMPID_INLINE NameMap restormer(const std::string& task);

/// gUNet-T, S, B and D, published as one module of seven stages.
///
/// Source: Song et al., "Rethinking Performance Gains in Image Dehazing Networks", 2022
/// (arXiv:2209.11448), and its code.
LIMPID_INLINE NameMap gunet(const std::string& task);

}  // namespace maps
}  // namespace limpid

#ifdef LIMPID_BODIES

namespace limpid::detail {

LIMPID_INLINE void add_resnet_blocks(NameMap& map, const std::string& own,
                                     const std::string& published, ResNetNames names) {
  const auto block = published + "#.conv_block.";
  const std::string second = names.dropout ? "6" : "5", norm = names.dropout ? "7" : "6";
  if (!names.dropout) map.rename(own + "#.conv_block.6.*", block + second + ".*");
  map.statistics(block + "1.bias", block + "2").statistics(block + second + ".bias", block + norm);
}

LIMPID_INLINE NameMap& ignore_inception_tail(NameMap& map, const std::string& prefix) {
  for (const auto* unused :
       {"repeat_2.*", "block8.*", "conv2d_7b.*", "last_linear.*", "classif.*"}) {
    map.ignore(prefix + unused);
  }
  return map;
}

LIMPID_INLINE void add_inception_fpn(NameMap& map, const std::string& fpn) {
  const auto inception = fpn + "inception.";
  const std::array<std::array<const char*, 2>, 10> layers{{{"conv2d_1a", "enc0"},
                                                           {"conv2d_2a", "enc1.0"},
                                                           {"conv2d_2b", "enc1.1"},
                                                           {"conv2d_3b", "enc2.0"},
                                                           {"conv2d_4a", "enc2.1"},
                                                           {"mixed_5b", "enc3.0"},
                                                           {"repeat", "enc3.1"},
                                                           {"mixed_6a", "enc3.2"},
                                                           {"repeat_1", "enc4.0"},
                                                           {"mixed_7a", "enc4.1"}}};
  for (const auto& [layer, copy] : layers) {
    map.duplicate(inception + layer + ".*", fpn + copy + ".*");
  }
  ignore_inception_tail(map, inception);
}

LIMPID_INLINE void add_td_norms(NameMap& map, const std::string& fpn) {
  map.statistics(fpn + "td#.0.bias", fpn + "td#.1");
}

LIMPID_INLINE void add_fpn_decoder_norms(NameMap& map, const std::string& prefix) {
  map.statistics(prefix + "smooth.0.bias", prefix + "smooth.1");
  map.statistics(prefix + "smooth2.0.bias", prefix + "smooth2.1");
}

LIMPID_INLINE void add_one_module_names(NameMap& map, const std::string& task) {
  map.rename("encoder.fpn.*", "fpn.*").rename("encoder.head#.*", "head#.*");
  const auto decoder = "decoder." + task + ".";
  for (const auto* part : {"smooth.*", "smooth2.*", "final.*"}) map.rename(decoder + part, part);
  map.optional("*.num_batches_tracked");
}

LIMPID_INLINE void add_one_module_fpn(NameMap& map, const std::string& task) {
  add_one_module_names(map, task);
  add_td_norms(map, "fpn.");
  add_fpn_decoder_norms(map, "");
}

LIMPID_INLINE void add_flat_mobilenet(NameMap& map, const std::string& own,
                                      const std::string& flat) {
  const auto layer = [&](const std::string& block, const char* nested, const char* index) {
    const NumberRule expanded{.first = 2, .last = 17};
    map.rename(own + "features." + block + ".conv." + nested + ".*",
               flat + "features." + block + ".conv." + index + ".*",
               block == "#" ? expanded : NumberRule{});
  };
  layer("1", "0.0", "0");
  layer("1", "0.1", "1");
  layer("1", "1", "3");
  layer("1", "2", "4");
  layer("#", "0.0", "0");
  layer("#", "0.1", "1");
  layer("#", "1.0", "3");
  layer("#", "1.1", "4");
  layer("#", "2", "6");
  layer("#", "3", "7");
  for (const auto* plain : {"features.0.*", "features.18.*"}) map.rename(own + plain, flat + plain);
}

LIMPID_INLINE NameMap& ignore_mobilenet_tail(NameMap& map, const std::string& prefix) {
  for (const auto index : {15, 16, 17, 18}) {
    map.ignore(prefix + "features." + std::to_string(index) + ".*");
  }
  return map.ignore(prefix + "classifier.*").optional("*.num_batches_tracked");
}

LIMPID_INLINE void add_numbered_decoders(NameMap& map, const std::vector<std::string>& tasks) {
  TORCH_CHECK_VALUE(!tasks.empty(),
                    "NameMap: expected at least one task, in the order of the file");
  for (std::size_t i = 0; i < tasks.size(); ++i) {
    map.rename("decoder." + tasks[i] + ".*", "decoder" + std::to_string(i) + ".*");
  }
}

}  // namespace limpid::detail

namespace limpid::maps {

LIMPID_INLINE NameMap torchvision_vgg19() {
  NameMap map;
  map.rename("features.*", "features.*").ignore("classifier.*");
  for (const auto index : {0, 2, 5, 7, 10, 12, 14, 16, 19, 21, 23, 25, 28, 30, 32, 34}) {
    for (const auto* kind : {".weight", ".bias"}) {
      map.ignore("features." + std::to_string(index) + kind);  // where it is deeper than needed
    }
  }
  return map;
}

LIMPID_INLINE NameMap pretrainedmodels_inception_resnet_v2() {
  NameMap map;
  map.rename("*", "*").optional("*.num_batches_tracked");
  return detail::ignore_inception_tail(map, "");
}

LIMPID_INLINE NameMap timm_inception_resnet_v2() { return pretrainedmodels_inception_resnet_v2(); }

LIMPID_INLINE NameMap torchvision_mobilenet_v2() {
  NameMap map;
  map.rename("*", "*");
  return detail::ignore_mobilenet_tail(map, "");
}

LIMPID_INLINE NameMap deblurgan_v2_mobilenet_v2() {
  NameMap map;
  detail::add_flat_mobilenet(map, "", "");
  return detail::ignore_mobilenet_tail(map, "");
}

LIMPID_INLINE NameMap torchvision_resnet34() {
  NameMap map;
  map.rename("*", "*");
  return map.ignore("fc.*").optional("*.num_batches_tracked");
}

LIMPID_INLINE NameMap torchvision_densenet121() {
  NameMap map;
  map.rename("features.*", "features.*");
  return map.ignore("classifier.*").optional("*.num_batches_tracked");
}

LIMPID_INLINE NameMap torchvision_densenet121_file() {
  NameMap map;
  for (const std::string layer : {"norm", "conv"}) {
    for (const std::string number : {"1", "2"}) {
      const std::string before = "features.denseblock#.denselayer#." + layer;
      map.rename(before + number + ".*", before + "." + number + ".*");
    }
  }
  map.rename("features.*", "features.*");
  return map.ignore("classifier.*").optional("*.num_batches_tracked");
}

LIMPID_INLINE NameMap pretrainedmodels_se_resnext50() {
  NameMap map;
  map.rename("*", "*");
  return map.ignore("last_linear.*").optional("*.num_batches_tracked");
}

LIMPID_INLINE NameMap deblurgan_resnet(const std::string& task, ResNetNames names) {
  detail::check_at_least("deblurgan_resnet: blocks", names.blocks, 1);
  const auto decoder = 10 + names.blocks;  // where the transposed convolutions begin
  NameMap map;
  detail::add_resnet_blocks(map, "encoder.model.", "model.", names);
  map.rename("encoder.model.#.*", "model.#.*", {.last = decoder - 1});
  map.rename("decoder." + task + ".model.#.*", "model.#.*", {.shift = decoder});
  return map.statistics("model.#.bias", "model.#", {.last = decoder + 3, .shift = 1});
}

LIMPID_INLINE NameMap thesis_resnet(const std::vector<std::string>& tasks, ResNetNames names) {
  NameMap map;
  detail::add_resnet_blocks(map, "encoder.model.", "encoder.model.", names);
  map.rename("encoder.*", "encoder.*")
      .statistics("encoder.model.#.bias", "encoder.model.#", {.shift = 1});
  detail::add_numbered_decoders(map, tasks);
  for (std::size_t i = 0; i < tasks.size(); ++i) {
    const auto model = "decoder" + std::to_string(i) + ".model.#";
    map.statistics(model + ".bias", model, {.last = 3, .shift = 1});
  }
  return map;
}

LIMPID_INLINE NameMap thesis_fpn_inception(const std::vector<std::string>& tasks) {
  NameMap map;
  map.rename("encoder.*", "encoder.*").optional("*.num_batches_tracked");
  detail::add_inception_fpn(map, "encoder.fpn.");
  detail::add_td_norms(map, "encoder.fpn.");
  detail::add_numbered_decoders(map, tasks);
  for (std::size_t i = 0; i < tasks.size(); ++i) {
    detail::add_fpn_decoder_norms(map, "decoder" + std::to_string(i) + ".");
  }
  return map;
}

LIMPID_INLINE NameMap deblurgan_v2_fpn_inception(const std::string& task) {
  NameMap map;
  detail::add_one_module_fpn(map, task);
  detail::add_inception_fpn(map, "fpn.");
  return map;
}

LIMPID_INLINE NameMap deblurgan_v2_fpn_mobilenet(const std::string& task) {
  NameMap map;
  detail::add_flat_mobilenet(map, "encoder.fpn.mobilenet.", "fpn.");
  detail::ignore_mobilenet_tail(map, "fpn.");
  constexpr std::array<int, 6> kFirst{0, 2, 4, 7, 11, 16};  // of enc0-4, and behind them
  for (std::size_t i = 0; i + 1 < kFirst.size(); ++i) {
    const NumberRule range{.first = kFirst[i], .last = kFirst[i + 1] - 1, .shift = -kFirst[i]};
    map.duplicate("fpn.features.#.*", "fpn.enc" + std::to_string(i) + ".#.*", range);
  }
  detail::add_one_module_fpn(map, task);
  return map;
}

LIMPID_INLINE NameMap deblurgan_v2_fpn_densenet(const std::string& task) {
  NameMap map;
  map.rename("encoder.fpn.densenet.features.*", "fpn.features.*");
  detail::add_one_module_names(map, task);
  const std::array<std::array<const char*, 2>, 10> layers{{{"conv0", "enc0.0"},
                                                           {"norm0", "enc0.1"},
                                                           {"denseblock1", "enc1"},
                                                           {"denseblock2", "enc2"},
                                                           {"denseblock3", "enc3"},
                                                           {"denseblock4", "enc4"},
                                                           {"norm5", "norm"},
                                                           {"transition1", "tr1"},
                                                           {"transition2", "tr2"},
                                                           {"transition3", "tr3"}}};
  for (const auto& [layer, copy] : layers) {
    map.duplicate(std::string{"fpn.features."} + layer + ".*", std::string{"fpn."} + copy + ".*");
  }
  return map;
}

LIMPID_INLINE NameMap nafnet(const std::string& task) {
  NameMap map;
  for (const auto* part : {"intro.*", "encoders.*", "downs.*", "middle_blks.*"}) {
    map.rename(std::string{"encoder."} + part, part);
  }
  for (const auto* part : {"ups.*", "decoders.*", "ending.*"}) {
    map.rename("decoder." + task + "." + part, part);
  }
  return map;
}

LIMPID_INLINE NameMap restormer(const std::string& task) {
  NameMap map;
  for (const auto* part : {"patch_embed.*", "encoder_level#.*", "down#_#.*", "latent.*"}) {
    map.rename(std::string{"encoder."} + part, part);
  }
  for (const auto* part :
       {"up#_#.*", "reduce_chan_level#.*", "decoder_level#.*", "refinement.*", "output.*"}) {
    map.rename("decoder." + task + "." + part, part);
  }
  return map;
}

LIMPID_INLINE NameMap gunet(const std::string& task) {
  constexpr std::int64_t kCoarsest = 3;
  const NumberRule down{.last = kCoarsest}, up{.shift = kCoarsest + 1};
  const auto decoder = "decoder." + task + ".";
  NameMap map;
  const auto stages = [&](const std::string& own, NumberRule number) {
    map.rename(own + "layers.#.#.norm.*", "layers.#.blocks.#.norm.*", number);
    map.rename(own + "layers.#.#.*", "layers.#.blocks.#.conv.*", number);
  };
  stages("encoder.", down);
  stages(decoder, up);
  map.rename("encoder.inconv.*", "inconv.proj.*")
      .rename("encoder.downs.#.*", "downs.#.proj.*")
      .rename("encoder.skips.#.*", "skips.#.*")
      .rename(decoder + "ups.#.0.*", "ups.#.proj.0.*")
      .rename(decoder + "fusions.#.*", "fusions.#.*")
      .rename(decoder + "outconv.*", "outconv.proj.0.*");
  return map.optional("*.num_batches_tracked");
}

}  // namespace limpid::maps

#endif  // LIMPID_BODIES
