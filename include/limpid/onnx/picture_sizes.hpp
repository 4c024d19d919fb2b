#pragma once

#include <limpid/core/padding.hpp>
#include <limpid/onnx/graph_builder.hpp>

#include <ATen/ops/ones.h>
#include <ATen/ops/zeros.h>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace limpid {

/// What `pad_image` and `crop_image` do, as nodes: the graph takes pictures of any size.
class ONNXPictureSizes {
 public:
  /// @param image  (N, 3, H, W)
  ONNXPictureSizes(ONNXGraphBuilder& graph, std::string image)
      : graph_(graph), image_(std::move(image)) {
    const auto shape = graph_.node("Shape", {image_}, {}, kLayer);
    for (const std::int64_t i : {0, 1}) {
      sides_[i] = graph_.node("Gather", {shape, graph_.constant(Ints{i + 2})}, {}, kLayer);
    }
  }

  /// The picture, padded to the sizes that a network takes.
  /// @param nothing  what stands for zeros of the network's own range
  std::string padded(const ImagePadding& padding, double nothing) {
    if (padding.multiple == 1 && padding.min_side == 1) return image_;
    const std::string sides[] = {padded_side(padding, 0), padded_side(padding, 1)};
    if (padding.mode == PaddingMode::zeros) {
      const auto none = graph_.constant(Ints{0, 0, 0, 0, 0, 0});
      const auto pads = graph_.node(
          "Concat", {none, node("Sub", sides[0], sides_[0]), node("Sub", sides[1], sides_[1])},
          {{"axis", std::int64_t{0}}}, kLayer);
      return graph_.node("Pad", {image_, pads, graph_.number(nothing)},
                         {{"mode", std::string{"constant"}}}, kLayer);
    }
    auto image = image_;
    for (const std::int64_t i : {0, 1}) {
      image = graph_.node("Gather", {image, mirrored(sides[i], i)}, {{"axis", i + 2}}, kLayer);
    }
    return image;
  }

  /// The part of a restored picture that the given one covers: inputs of a `Slice`.
  std::vector<std::string> cropped(const std::string& restored) {
    const auto ends =
        graph_.node("Concat", {sides_[0], sides_[1]}, {{"axis", std::int64_t{0}}}, kLayer);
    return {restored, graph_.constant(Ints{0, 0}), ends, graph_.constant(Ints{2, 3})};
  }

 private:
  using Ints = std::vector<std::int64_t>;

  static constexpr const char* kLayer = "padding";

  std::string node(const char* op, const std::string& a, const std::string& b) {
    return graph_.node(op, {a, b}, {}, kLayer);
  }
  std::string node(const char* op, const std::string& a, std::int64_t b) {
    return node(op, a, graph_.constant(Ints{b}));
  }

  /// The smallest side that the network takes and that holds the picture's.
  std::string padded_side(const ImagePadding& padding, std::int64_t i) {
    const auto least = node("Max", sides_[i], padding.min_side);
    const auto up = node("Add", least, padding.multiple - 1);
    return node("Mul", node("Div", up, padding.multiple), padding.multiple);
  }

  /// For each row or column of the padded picture the one that it shows: forwards and backwards,
  /// as a picture that is mirrored again and again. Of one with a single row or column the last.
  std::string mirrored(const std::string& side, std::int64_t i) {
    const auto scalar = graph_.node("Squeeze", {side}, {}, kLayer);
    const auto zero = graph_.constant(at::zeros({}, at::kLong));
    const auto one = graph_.constant(at::ones({}, at::kLong));
    const auto places = graph_.node("Range", {zero, scalar, one}, {}, kLayer);
    const auto last = node("Sub", sides_[i], 1);
    const auto twice = node("Mul", last, 2);
    const auto phase = node("Mod", places, node("Max", twice, 1));
    const auto reflected = node("Min", phase, node("Sub", twice, phase));
    const auto repeated = node("Min", places, last);
    const auto is_thin = node("Equal", node("Min", sides_[0], sides_[1]), 1);
    return graph_.node("Where", {is_thin, repeated, reflected}, {}, kLayer);
  }

  ONNXGraphBuilder& graph_;
  std::string image_;
  std::string sides_[2];  // height, width
};

}  // namespace limpid
