#pragma once

#include <limpid/engine/blocked_maps.hpp>
#include <limpid/onnx/capture.hpp>

#include <ATen/core/Tensor.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace limpid::detail {

/// What a node computes.
enum class NodeKind {
  library,        ///< the captured operator, by LibTorch
  convolution,    ///< weight (out, in / groups, h, w), bias
  transposed,     ///< the same, weight (in, out, h, w)
  affine,         ///< input * weight + bias, for each channel
  instance_norm,  ///< weight and bias may be undefined
  pixel_norm,     ///< over the channels of each pixel
  element,        ///< a function of each number
  multiply,       ///< of two maps
  add,            ///< of two maps; alpha is the sign of the second
  scale,          ///< of a map by one of (1, C, 1, 1)
  means,          ///< of whole channels: (1, C, 1, 1)
  pad,
  channels,        ///< some of them, from `begin` on
  concatenate,     ///< channels of several maps
  shuffle_blocks,  ///< channels as pixels, behind a convolution that has them in that order
};

enum class Element { relu, leaky_relu, tanh, sigmoid, silu, gelu, clamp };

/// An operation on values of the capture. What is fused is done in the order of the members:
/// the operation, `added`, `relu`, `border`.
struct EngineNode {
  NodeKind kind = NodeKind::library;
  std::vector<std::size_t> inputs;
  std::vector<std::size_t> outputs;
  std::size_t recorded = 0;  ///< the captured operator that it began as
  at::Tensor weight{}, bias{};
  std::array<std::int64_t, 2> stride{1, 1}, padding{0, 0}, dilation{1, 1}, output_padding{0, 0};
  std::int64_t groups = 1;
  double epsilon = 0;
  Element element = Element::relu;
  float alpha = 0, beta = 0;
  std::int64_t begin = 0;     ///< of `channels`
  std::int64_t factor = 1;    ///< of `shuffle_blocks`
  bool centred = true;        ///< of `pixel_norm`
  std::size_t whole_map = 0;  ///< of `instance_norm` and `means`: how many of these come before
  std::optional<std::size_t> added{};
  bool relu = false;
  Border border{};
};

/// A network as nodes in the order in which they are computed.
struct EngineGraph {
  std::vector<EngineNode> nodes;
  std::vector<std::size_t> same;  ///< for each value the one that it is another name of
  std::size_t input = 0, output = 0;
  std::size_t whole_maps = 0;  ///< nodes that look at whole maps
};

}  // namespace limpid::detail
