#pragma once

#include <limpid/core/compiled.hpp>
#include <limpid/core/modules.hpp>

#include <nlohmann/json.hpp>

#include <cstdint>

#ifdef LIMPID_BODIES
#include <limpid/core/json_text.hpp>
#include <limpid/layers/instance_norm.hpp>
#include <limpid/layers/layer_norm2d.hpp>

#include <string_view>
#endif

namespace limpid {

/// Which norm follows a convolution, where an option and not the type says so.
enum class NormKind {
  instance,  ///< instance norm without affine parameters or running statistics
  batch,     ///< batch norm with both
  layer,     ///< layer norm over the channels of each pixel (`LayerNorm2d`)
  none,
};

/// Which statistics the batch norms of a pretrained network use while training. Evaluation always
/// uses the running ones.
enum class BatchNormStatistics {
  running,  ///< the running ones, which stay as they were loaded
  batch,    ///< those of the batch, which update the running ones
};

/// What a layer norm over channels learns.
enum class LayerNormKind {
  with_bias,  ///< a weight and a bias per channel
  bias_free,  ///< a weight only; the mean stays (`BiasFreeLayerNorm2d`)
};

/// "instance", "batch", "layer" or "none", as checkpoints keep it.
LIMPID_INLINE void to_json(nlohmann::json& json, NormKind kind);

/// @throws c10::ValueError if `json` names no kind of norm.
LIMPID_INLINE void from_json(const nlohmann::json& json, NormKind& kind);

/// "with-bias" or "bias-free", as checkpoints keep it.
LIMPID_INLINE void to_json(nlohmann::json& json, LayerNormKind kind);

/// @throws c10::ValueError if `json` names no kind of layer norm.
LIMPID_INLINE void from_json(const nlohmann::json& json, LayerNormKind& kind);

/// "running" or "batch", as checkpoints keep it.
LIMPID_INLINE void to_json(nlohmann::json& json, BatchNormStatistics statistics);

/// @throws c10::ValueError if `json` names no statistics.
LIMPID_INLINE void from_json(const nlohmann::json& json, BatchNormStatistics& statistics);

namespace detail {

/// A 3x3 convolution with bias that keeps the sides, a norm, ReLU: named "0", "1", "2".
LIMPID_INLINE torch::nn::Sequential conv_norm_relu(std::int64_t in, std::int64_t out,
                                                   NormKind norm);

}  // namespace detail
}  // namespace limpid

#ifdef LIMPID_BODIES

namespace limpid {

LIMPID_INLINE void to_json(nlohmann::json& json, NormKind kind) {
  json = kind == NormKind::instance ? "instance"
         : kind == NormKind::batch  ? "batch"
         : kind == NormKind::layer  ? "layer"
                                    : "none";
}

LIMPID_INLINE void from_json(const nlohmann::json& json, NormKind& kind) {
  TORCH_CHECK_VALUE(json == "instance" || json == "batch" || json == "layer" || json == "none",
                    "NormKind: expected \"instance\", \"batch\", \"layer\" or \"none\", got ",
                    json_excerpt(json));
  kind = json == "instance" ? NormKind::instance
         : json == "batch"  ? NormKind::batch
         : json == "layer"  ? NormKind::layer
                            : NormKind::none;
}

LIMPID_INLINE void to_json(nlohmann::json& json, LayerNormKind kind) {
  json = kind == LayerNormKind::bias_free ? "bias-free" : "with-bias";
}

LIMPID_INLINE void from_json(const nlohmann::json& json, LayerNormKind& kind) {
  TORCH_CHECK_VALUE(json == "with-bias" || json == "bias-free",
                    "LayerNormKind: expected \"with-bias\" or \"bias-free\", got ",
                    json_excerpt(json));
  kind = json == "bias-free" ? LayerNormKind::bias_free : LayerNormKind::with_bias;
}

LIMPID_INLINE void to_json(nlohmann::json& json, BatchNormStatistics statistics) {
  json = statistics == BatchNormStatistics::batch ? "batch" : "running";
}

LIMPID_INLINE void from_json(const nlohmann::json& json, BatchNormStatistics& statistics) {
  TORCH_CHECK_VALUE(json == "running" || json == "batch",
                    "BatchNormStatistics: expected \"running\" or \"batch\", got ",
                    json_excerpt(json));
  statistics = json == "batch" ? BatchNormStatistics::batch : BatchNormStatistics::running;
}

}  // namespace limpid

namespace limpid::detail {

LIMPID_INLINE torch::nn::Sequential conv_norm_relu(std::int64_t in, std::int64_t out,
                                                   NormKind norm) {
  using namespace torch::nn;
  Sequential layers(Conv2d(Conv2dOptions(in, out, 3).padding(1)));
  if (norm == NormKind::instance) layers->push_back(limpid::InstanceNorm(out));
  if (norm == NormKind::layer) layers->push_back(LayerNorm2d(out));
  if (norm == NormKind::batch) layers->push_back(BatchNorm2d(out));
  layers->push_back(ReLU(ReLUOptions().inplace(true)));
  return layers;
}

}  // namespace limpid::detail

#endif  // LIMPID_BODIES
