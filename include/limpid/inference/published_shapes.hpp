#pragma once

#include <limpid/backbones/densenet121.hpp>
#include <limpid/backbones/inception_resnet_v2.hpp>
#include <limpid/backbones/mobilenet_v2.hpp>
#include <limpid/core/named.hpp>
#include <limpid/decoders/fpn.hpp>
#include <limpid/decoders/gunet.hpp>
#include <limpid/decoders/restormer.hpp>
#include <limpid/encoders/fpn.hpp>
#include <limpid/encoders/gunet.hpp>
#include <limpid/encoders/nafnet.hpp>
#include <limpid/encoders/resnet.hpp>
#include <limpid/encoders/restormer.hpp>
#include <limpid/io/tensor_index.hpp>
#include <limpid/model/network.hpp>
#include <limpid/weights/find_weights.hpp>
#include <limpid/weights/maps.hpp>
#include <limpid/weights/name_pattern.hpp>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

// The options of limpid's networks, from the shapes of a published file.
namespace limpid::detail {

/// The tensors of one level of a file by the ends of their names.
class PublishedShapes {
 public:
  PublishedShapes(const TensorIndex& file, const FoundWeights& level, std::string source)
      : source_(std::move(source)) {
    for (const auto& [name, in_file] : level.names) {
      shapes_.emplace_back("." + name, file.tensors.at(in_file).shape);
    }
  }

  bool has(const std::string& name) const { return find(name) != nullptr; }

  /// How many names end with `pattern`.
  std::int64_t count(const std::string& pattern) const {
    const NamePattern wanted{"*." + pattern};
    std::int64_t found = 0;
    for (const auto& [name, shape] : shapes_) found += wanted.match("x" + name) ? 1 : 0;
    return found;
  }

  /// The side `dimension` of a tensor.
  /// @throws c10::Error if there is no such tensor.
  std::int64_t side(const std::string& name, std::size_t dimension = 0) const {
    const auto* shape = find(name);
    TORCH_CHECK(shape != nullptr && shape->size() > dimension, source_, ": expected a tensor '",
                name, "', found none; is it of another map?");
    return (*shape)[dimension];
  }

 private:
  const std::vector<std::int64_t>* find(const std::string& name) const {
    const auto end = "." + name;
    for (const auto& [found, shape] : shapes_) {
      if (found.size() >= end.size() &&
          found.compare(found.size() - end.size(), end.size(), end) == 0) {
        return &shape;
      }
    }
    return nullptr;
  }

  std::string source_;
  std::vector<std::pair<std::string, std::vector<std::int64_t>>> shapes_;
};

inline ResNetNames resnet_names(const PublishedShapes& shapes) {
  ResNetNames names;
  names.blocks = std::max<std::int64_t>(1, shapes.count("#.conv_block.1.weight"));
  names.dropout = !shapes.has("conv_block.5.weight") && shapes.count("#.conv_block.5.weight") == 0;
  return names;
}

inline ResNetEncoderOptions resnet_encoder_options(const PublishedShapes& shapes) {
  return {.width = shapes.side("model.1.weight"), .blocks = resnet_names(shapes).blocks};
}

/// Options with the multiple of published channels that gives those of a file.
/// @param channels  pairs of a published number and the one found
template <class Options>
Options scaled_backbone(Options options,
                        const std::vector<std::pair<std::int64_t, std::int64_t>>& channels) {
  for (int percent = 100; percent > 0; --percent) {
    options.width = percent / 100.0;
    if (std::all_of(channels.begin(), channels.end(), [&](const auto& pair) {
          return options.channels(pair.first) == pair.second;
        })) {
      return options;
    }
  }
  options.width = 1.0;
  return options;
}

template <class BackboneT>
FPNEncoderOptions<BackboneT> fpn_encoder_options(const PublishedShapes& shapes) {
  FPNEncoderOptions<BackboneT> options;
  if constexpr (std::is_same_v<BackboneT, InceptionResNetV2>) {
    auto& backbone = options.backbone;
    backbone.repeat = shapes.count("inception.repeat.#.conv2d.weight");
    backbone.repeat_1 = shapes.count("inception.repeat_1.#.conv2d.weight");
    backbone = scaled_backbone(backbone, {{32, shapes.side("inception.conv2d_1a.conv.weight")},
                                          {64, shapes.side("inception.conv2d_2b.conv.weight")},
                                          {192, shapes.side("inception.conv2d_4a.conv.weight")},
                                          {384, shapes.side("mixed_6a.branch0.conv.weight")}});
  } else if constexpr (std::is_same_v<BackboneT, DenseNet121>) {
    auto& backbone = options.backbone;
    for (std::size_t i = 0; i < backbone.layers.size(); ++i) {
      const auto block = "features.denseblock" + std::to_string(i + 1);
      backbone.layers[i] = shapes.count(block + ".denselayer#.conv1.weight");
    }
    backbone = scaled_backbone(
        backbone, {{64, shapes.side("features.conv0.weight")},
                   {32, shapes.side("features.denseblock1.denselayer1.conv2.weight")}});
  } else {
    options.backbone =
        scaled_backbone(options.backbone, {{32, shapes.side("features.0.0.weight")},
                                           {64, shapes.side("features.7.conv.6.weight")},
                                           {160, shapes.side("features.15.conv.6.weight")}});
  }
  options.head_width = shapes.side("fpn.lateral0.weight");
  options.pyramid_width = shapes.side("fpn.lateral1.weight");
  options.top_down_convs = shapes.has("fpn.td1.0.weight");
  if (shapes.has("fpn.td1.1.weight")) options.norm = NormKind::batch;
  return options;
}

inline FPNDecoderOptions fpn_decoder_options(const PublishedShapes& shapes) {
  FPNDecoderOptions options{.width = shapes.side("smooth.0.weight")};
  if (shapes.has("smooth.1.weight")) options.norm = NormKind::batch;
  return options;
}

/// Blocks per level under "NAME.LEVEL.BLOCK.", such as "encoders".
inline std::vector<std::int64_t> nafnet_blocks(const PublishedShapes& shapes,
                                               const std::string& name, std::int64_t levels) {
  std::vector<std::int64_t> blocks;
  for (std::int64_t i = 0; i < levels; ++i) {
    blocks.push_back(shapes.count(name + "." + std::to_string(i) + ".#.norm1.weight"));
  }
  return blocks;
}

/// Side in pixels of the patches that the published networks were trained on. Their evaluation
/// (NAFNetLocal) takes means over windows of 1.5 times that, 384.
inline constexpr std::int64_t kPublishedNAFNetPatch = 256;

/// As the published evaluation runs it: pictures in [0, 1], padded with zeros, local means.
inline NAFNetEncoderOptions nafnet_encoder_options(const PublishedShapes& shapes) {
  return {.width = shapes.side("intro.weight"),
          .blocks = nafnet_blocks(shapes, "encoders", shapes.count("downs.#.weight")),
          .middle_blocks = shapes.count("middle_blks.#.norm1.weight"),
          .padding = PaddingMode::zeros,
          .local_train_size = kPublishedNAFNetPatch,
          .range = ValueRange::unit_range};
}

/// Blocks and heads of a level of Restormer's, "encoder_level1", put at the end of both lists.
inline void add_restormer_level(const PublishedShapes& shapes, const std::string& level,
                                std::vector<std::int64_t>& blocks,
                                std::vector<std::int64_t>& heads) {
  blocks.push_back(shapes.count(level + ".#.attn.temperature"));
  heads.push_back(blocks.back() == 0 ? 1 : shapes.side(level + ".0.attn.temperature"));
}

/// The expansion with two digits that gives the hidden channels of a file; the published one where
/// it does.
inline double restormer_expansion(const PublishedShapes& shapes) {
  const auto fits = [&](double expansion) {
    for (const auto* level : {"encoder_level1", "latent", "refinement"}) {
      const auto name = std::string{level} + ".0.ffn.project_out.weight";
      if (shapes.has(name) &&
          GatedFeedForwardImpl::hidden(shapes.side(name, 0), expansion) != shapes.side(name, 1)) {
        return false;
      }
    }
    return true;
  };
  const RestormerEncoderOptions published;
  if (fits(published.expansion)) return published.expansion;
  for (int percent = 1; percent <= 1000; ++percent) {
    if (fits(percent / 100.0)) return percent / 100.0;
  }
  return published.expansion;
}

inline RestormerEncoderOptions restormer_encoder_options(const PublishedShapes& shapes) {
  RestormerEncoderOptions options{.width = shapes.side("patch_embed.proj.weight"),
                                  .blocks = {},
                                  .heads = {},
                                  .expansion = restormer_expansion(shapes)};
  const auto downs = shapes.count("down#_#.body.0.weight");
  for (std::int64_t i = 1; i <= downs; ++i) {
    add_restormer_level(shapes, "encoder_level" + std::to_string(i), options.blocks, options.heads);
  }
  add_restormer_level(shapes, "latent", options.blocks, options.heads);
  if (shapes.count("#.norm1.body.bias") == 0) options.norm = LayerNormKind::bias_free;
  return options;
}

inline RestormerDecoderOptions restormer_decoder_options(const PublishedShapes& shapes,
                                                         const RestormerEncoderOptions& encoder) {
  auto options = RestormerDecoderOptions::matching(encoder);
  options.blocks.clear();
  options.heads.clear();
  for (std::size_t i = 1; i < encoder.blocks.size(); ++i) {
    add_restormer_level(shapes, "decoder_level" + std::to_string(i), options.blocks, options.heads);
  }
  options.refinement_blocks = shapes.count("refinement.#.attn.temperature");
  return options;
}

inline Network published_restormer(const PublishedShapes& shapes) {
  const auto encoder = restormer_encoder_options(shapes);
  return {"restormer",
          {{"encoder", encoder}, {"decoder", restormer_decoder_options(shapes, encoder)}}};
}

/// Batch norm, as published.
inline GUNetEncoderOptions gunet_encoder_options(const PublishedShapes& shapes) {
  GUNetEncoderOptions options{.width = shapes.side("inconv.proj.weight"),
                              .blocks = {},
                              .kernel = shapes.side("layers.0.blocks.0.conv.Wv.1.weight", 2),
                              .norm = NormKind::batch};
  for (std::int64_t i = 0; i <= shapes.count("downs.#.proj.weight"); ++i) {
    options.blocks.push_back(
        shapes.count("layers." + std::to_string(i) + ".blocks.#.conv.proj.weight"));
  }
  return options;
}

inline Network published_gunet(const PublishedShapes& shapes) {
  const auto encoder = gunet_encoder_options(shapes);
  auto decoder = GUNetDecoderOptions::matching(encoder);
  const auto coarsest = decoder.blocks.size();
  for (std::size_t i = 0; i < coarsest; ++i) {  // stages behind the coarsest, from coarse to fine
    decoder.blocks[i] =
        shapes.count("layers." + std::to_string(2 * coarsest - i) + ".blocks.#.conv.proj.weight");
  }
  return {"gunet", {{"encoder", encoder}, {"decoder", decoder}}};
}

inline Network published_resnet(const PublishedShapes& shapes) {
  return {"resnet", {{"encoder", resnet_encoder_options(shapes)}}};
}

inline Network published_nafnet(const PublishedShapes& shapes) {
  const auto blocks = nafnet_blocks(shapes, "decoders", shapes.count("ups.#.0.weight"));
  return {"nafnet",
          {{"encoder", nafnet_encoder_options(shapes)}, {"decoder", {{"blocks", blocks}}}}};
}

template <class BackboneT>
Network published_fpn(const PublishedShapes& shapes) {
  auto decoder = fpn_decoder_options(shapes);
  if (std::is_same_v<BackboneT, DenseNet121>) decoder.skip = GlobalSkip::none;
  return {std::string{ModuleOf<FPNEncoder<BackboneT>>::architecture},
          {{"encoder", fpn_encoder_options<BackboneT>(shapes)}, {"decoder", decoder}}};
}

/// For each family that has published files, how their networks follow from their shapes.
inline constexpr NamedTable kPublishedNetworks{
    "networks of published files",
    Named{"resnet", "ResNet", &published_resnet},
    Named{"fpn-inception-resnet-v2", "FPN", &published_fpn<InceptionResNetV2>},
    Named{"fpn-mobilenet-v2", "FPN", &published_fpn<MobileNetV2>},
    Named{"fpn-densenet121", "FPN", &published_fpn<DenseNet121>},
    Named{"nafnet", "NAFNet", &published_nafnet},
    Named{"restormer", "Restormer", &published_restormer},
    Named{"gunet", "gUNet", &published_gunet}};

}  // namespace limpid::detail
