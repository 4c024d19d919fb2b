#pragma once

#include <limpid/core/check.hpp>
#include <limpid/core/errors.hpp>
#include <limpid/core/json_text.hpp>
#include <limpid/core/padding.hpp>
#include <limpid/core/ranges.hpp>
#include <limpid/io/atomic_file.hpp>
#include <limpid/model/any_model.hpp>
#include <limpid/model/families.hpp>
#include <limpid/onnx/capture.hpp>
#include <limpid/onnx/graph.hpp>
#include <limpid/onnx/graph_builder.hpp>
#include <limpid/onnx/model_bytes.hpp>
#include <limpid/onnx/operator_writer.hpp>
#include <limpid/onnx/operators.hpp>
#include <limpid/onnx/picture_sizes.hpp>
#include <limpid/onnx/recording.hpp>
#include <limpid/version.hpp>
#include <limpid/weights/named_tensors.hpp>

#include <c10/util/Exception.h>
#include <nlohmann/json.hpp>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

namespace limpid {

namespace detail {

/// The model itself if it only restores, on the CPU; else a copy that does.
inline AnyModel for_capture(const AnyModel& model) {
  bool is_ready = !model.module->is_training();
  for (const auto& parameter : model.module->parameters()) {
    is_ready = is_ready && parameter.is_cpu();
  }
  if (is_ready) return model;
  auto copy = model.copy();
  copy.module->to(at::kCPU);
  copy.module->eval();
  return copy;
}

inline std::vector<std::pair<std::string, std::string>> onnx_metadata(
    const std::vector<std::string>& tasks, const nlohmann::json& manifest) {
  return {{"tasks", joined_names(tasks)},
          {"input", "image: RGB, (batch, 3, height, width), float32, any size"},
          {"input_range", "[0, 1]"},
          {"output", "one restored picture of the input's size for each task, under its name"},
          {"output_range", "[0, 1], clipped"},
          {"limpid_version", kVersion},
          {"limpid_manifest", json_line(manifest)}};
}

}  // namespace detail

/// What a graph's outputs are.
enum class ONNXOutputs {
  clipped,      ///< pictures: in [0, 1]
  as_they_are,  ///< what the networks make, which means are taken of before they become pictures
};

/// A model as an ONNX graph: input "image", RGB in [0, 1] of any size and number; an output of the
/// input's size for each task, in [0, 1] where `outputs` are clipped, under the task's name. The
/// encoder is computed once.
///
/// Networks are not described twice: they run on two pictures of noise, and what LibTorch computes
/// is written down (`Recorder`, `Capture`), so that a network of one's own is exported, too.
///
/// @param tasks     those to be written; empty: all of them
/// @param manifest  what the metadata say of the model
/// @throws c10::ValueError if the model has no such task.
/// @throws c10::Error that names operator and layer for what cannot be said in ONNX.
inline ONNXModel onnx_model(const AnyModel& model, std::vector<std::string> tasks = {},
                            const nlohmann::json& manifest = nlohmann::json::object(),
                            ONNXOutputs outputs = ONNXOutputs::clipped) {
  if (tasks.empty()) tasks = model.tasks;
  const auto network = detail::for_capture(model);
  const auto needs = network.tile_needs(network.index_of(tasks.front()));  // the encoder's

  ONNXGraphBuilder graph{"limpid"};
  for (const auto& task : tasks) graph.reserve(task);
  const std::vector<std::variant<std::int64_t, std::string>> sizes{
      std::string{"batch"}, std::int64_t{3}, std::string{"height"}, std::string{"width"}};
  const auto image = graph.input({"image", sizes});
  ONNXPictureSizes picture{graph, image};
  const bool is_signed = needs.range == ValueRange::signed_range;
  const auto padded = picture.padded(needs.padding, is_signed ? 0.5 : 0);

  Recorder recorder{[](std::string_view name) { return find_onnx_rule(name) != nullptr; },
                    detail::named_tensors(*network.module)};
  for (const auto& task : tasks) {
    const auto index = network.index_of(task);
    const auto restore = [&](const at::Tensor& unit) {
      return std::vector{to_unit(network.restore(index, to_signed(unit)))};
    };
    const auto capture = naming("task '" + task + "'", [&] {
      return Capture{recorder, restore, needs.padding};
    });
    std::unordered_map<std::size_t, std::string> names{{capture.first().input, padded}};
    for (std::size_t i = 0; i < capture.operators().size(); ++i) {
      OperatorWriter op{capture, graph, names, i};
      find_onnx_rule(op.operator_name())->write(op);
    }
    const auto restored = names.at(capture.first().outputs.front());
    const auto cropped = graph.node("Slice", picture.cropped(restored), {}, "padding");
    if (outputs == ONNXOutputs::clipped) {
      graph.output({task, sizes}, "Clip", {cropped, graph.number(0), graph.number(1)});
    } else {
      graph.output({task, sizes}, "Identity", {cropped});
    }
  }
  ONNXModel written;
  written.graph = graph.graph();
  written.producer = "limpid";
  written.producer_version = kVersion;
  written.description = "Image restoration: " + detail::joined_names(tasks);
  written.metadata = detail::onnx_metadata(tasks, manifest);
  return written;
}

/// Writes a model file of any family in the table as an ONNX file, atomically.
/// @param tasks  those to be written; empty: all of them
/// @return       what was written
/// @throws c10::ValueError if the model has no such task.
/// @throws c10::Error that names the file if it is no model, or operator and layer for what cannot
///         be said in ONNX; or if this build has no protozero. Nothing is written then.
inline ONNXModel export_onnx(const std::filesystem::path& model, const std::filesystem::path& path,
                             const std::vector<std::string>& tasks = {}) {
  TORCH_CHECK(kWritesONNX, detail::kNoONNX);
  const auto loaded = load_any(model);
  const auto source = "model '" + model.string() + "'";
  for (const auto& task : tasks) loaded.model.index_of(task, source);
  const auto written =
      naming(source, [&] { return onnx_model(loaded.model, tasks, loaded.manifest); });
  write_atomically(path, onnx_bytes(written));
  return written;
}

}  // namespace limpid
