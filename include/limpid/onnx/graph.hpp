#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>
#include <utility>
#include <variant>
#include <vector>

// What an ONNX file says, as plain values: neither where it came from (capture.hpp) nor how it is
// spelled in bytes (model_bytes.hpp).

namespace limpid {

/// A setting of an `ONNXNode`.
struct ONNXAttribute {
  std::string name;
  std::variant<std::int64_t, float, std::string, std::vector<std::int64_t>, std::vector<float>>
      value;
};

/// One operator of ONNX: values by name in, values by name out.
struct ONNXNode {
  std::string op;                   ///< as the standard calls it: "Conv"
  std::string name;                 ///< the layer that it is of, and a number
  std::vector<std::string> inputs;  ///< "": an input that is left out
  std::vector<std::string> outputs;
  std::vector<ONNXAttribute> attributes;
};

/// A constant: a weight, or numbers that an operator takes. float32 or int64.
struct ONNXTensor {
  std::string name;
  at::Tensor values;
};

/// An input or output of the whole graph, of float32.
struct ONNXValue {
  std::string name;
  std::vector<std::variant<std::int64_t, std::string>> sizes;  ///< a name stands for any size
};

/// A network: nodes in the order in which they can be computed.
struct ONNXGraph {
  std::string name;
  std::vector<ONNXNode> nodes;
  std::vector<ONNXTensor> constants;
  std::vector<ONNXValue> inputs, outputs;
};

/// What a file holds.
struct ONNXModel {
  ONNXGraph graph;
  std::int64_t opset = 17;      ///< version of the operators of ONNX
  std::int64_t ir_version = 8;  ///< version of the format, the one that came with opset 17
  std::string producer, producer_version, description;
  std::vector<std::pair<std::string, std::string>> metadata;  ///< key and value
};

}  // namespace limpid
