#pragma once

#include <limpid/core/fail.hpp>
#include <limpid/onnx/graph.hpp>

#include <ATen/core/Tensor.h>
#include <c10/core/ScalarType.h>
#include <c10/util/Exception.h>

#if LIMPID_WITH_PROTOZERO
#include <protozero/pbf_writer.hpp>
#endif

#include <cstddef>
#include <cstdint>
#include <string>
#include <type_traits>
#include <variant>
#include <vector>

namespace limpid {

/// Whether this build writes ONNX files: it has protozero (Debian: libprotozero-dev).
#if LIMPID_WITH_PROTOZERO
inline constexpr bool kWritesONNX = true;
#else
inline constexpr bool kWritesONNX = false;
#endif

namespace detail {

inline constexpr const char* kNoONNX =
    "this limpid was built without protozero, which writes ONNX files (Debian: libprotozero-dev)";

#if LIMPID_WITH_PROTOZERO

/// Writes the messages of onnx.proto. Each function fills one message; its fields' numbers stand
/// beside their names there.
class ONNXWriter {
 public:
  static std::string bytes(const ONNXModel& model) {
    std::string bytes;
    protozero::pbf_writer message{bytes};
    message.add_int64(/*ir_version*/ 1, model.ir_version);
    message.add_string(/*producer_name*/ 2, model.producer);
    message.add_string(/*producer_version*/ 3, model.producer_version);
    message.add_string(/*doc_string*/ 6, model.description);
    {
      protozero::pbf_writer graph{message, /*graph*/ 7};
      write(graph, model.graph);
    }
    {
      protozero::pbf_writer opset{message, /*opset_import*/ 8};
      opset.add_string(/*domain*/ 1, "");
      opset.add_int64(/*version*/ 2, model.opset);
    }
    for (const auto& [key, value] : model.metadata) {
      protozero::pbf_writer entry{message, /*metadata_props*/ 14};
      entry.add_string(/*key*/ 1, key);
      entry.add_string(/*value*/ 2, value);
    }
    return bytes;
  }

 private:
  using Writer = protozero::pbf_writer;

  static void write(Writer& message, const ONNXGraph& graph) {
    for (const auto& node : graph.nodes) {
      Writer inner{message, /*node*/ 1};
      write(inner, node);
    }
    message.add_string(/*name*/ 2, graph.name);
    for (const auto& constant : graph.constants) {
      Writer inner{message, /*initializer*/ 5};
      write(inner, constant);
    }
    for (const auto& value : graph.inputs) {
      Writer inner{message, /*input*/ 11};
      write(inner, value);
    }
    for (const auto& value : graph.outputs) {
      Writer inner{message, /*output*/ 12};
      write(inner, value);
    }
  }

  static void write(Writer& message, const ONNXNode& node) {
    for (const auto& name : node.inputs) message.add_string(/*input*/ 1, name);
    for (const auto& name : node.outputs) message.add_string(/*output*/ 2, name);
    message.add_string(/*name*/ 3, node.name);
    message.add_string(/*op_type*/ 4, node.op);
    for (const auto& attribute : node.attributes) {
      Writer inner{message, /*attribute*/ 5};
      write(inner, attribute);
    }
  }

  static void write(Writer& message, const ONNXAttribute& attribute) {
    message.add_string(/*name*/ 1, attribute.name);
    const auto type = std::visit(
        [&](const auto& value) {
          using T = std::decay_t<decltype(value)>;
          if constexpr (std::is_same_v<T, float>) {
            message.add_float(/*f*/ 2, value);
            return 1;
          } else if constexpr (std::is_same_v<T, std::int64_t>) {
            message.add_int64(/*i*/ 3, value);
            return 2;
          } else if constexpr (std::is_same_v<T, std::string>) {
            message.add_bytes(/*s*/ 4, value);
            return 3;
          } else if constexpr (std::is_same_v<T, std::vector<float>>) {
            for (const auto number : value) message.add_float(/*floats*/ 7, number);
            return 6;
          } else {
            for (const auto number : value) message.add_int64(/*ints*/ 8, number);
            return 7;
          }
        },
        attribute.value);
    message.add_enum(/*type*/ 20, type);
  }

  static void write(Writer& message, const ONNXTensor& constant) {
    const auto values = constant.values.detach().cpu().contiguous();
    const bool whole = values.scalar_type() == at::kLong;
    TORCH_CHECK(whole || values.scalar_type() == at::kFloat, "ONNX: expected constant '",
                constant.name, "' of float32 or int64, found ", values.scalar_type());
    for (const auto size : values.sizes()) message.add_int64(/*dims*/ 1, size);
    message.add_int32(/*data_type*/ 2, whole ? 7 : kFloat);
    message.add_string(/*name*/ 8, constant.name);
    message.add_bytes(/*raw_data*/ 9, static_cast<const char*>(values.data_ptr()),
                      static_cast<std::size_t>(values.nbytes()));
  }

  static void write(Writer& message, const ONNXValue& value) {
    message.add_string(/*name*/ 1, value.name);
    Writer type{message, /*type*/ 2};
    Writer tensor{type, /*tensor_type*/ 1};
    tensor.add_int32(/*elem_type*/ 1, kFloat);
    Writer shape{tensor, /*shape*/ 2};
    for (const auto& size : value.sizes) {
      Writer dimension{shape, /*dim*/ 1};
      if (const auto* number = std::get_if<std::int64_t>(&size)) {
        dimension.add_int64(/*dim_value*/ 1, *number);
      } else {
        dimension.add_string(/*dim_param*/ 2, std::get<std::string>(size));
      }
    }
  }

  static constexpr std::int32_t kFloat = 1;
};

#endif

}  // namespace detail

/// The bytes of an ONNX file.
/// @throws c10::Error where this build has no protozero, or the file would have 2 GB and more,
/// which
///         the format does not allow.
inline std::string onnx_bytes(const ONNXModel& model) {
  std::size_t weights = 0;
  for (const auto& constant : model.graph.constants) {
    weights += static_cast<std::size_t>(constant.values.nbytes());
  }
  TORCH_CHECK(weights < (std::size_t{1} << 31) - (std::size_t{1} << 20), "ONNX: the weights have ",
              weights, " bytes; one file holds less than 2 GB");
#if LIMPID_WITH_PROTOZERO
  return detail::ONNXWriter::bytes(model);
#else
  limpid::fail(detail::kNoONNX);
#endif
}

}  // namespace limpid
