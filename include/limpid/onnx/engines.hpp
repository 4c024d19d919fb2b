#pragma once

#include <limpid/core/autocast.hpp>
#include <limpid/core/errors.hpp>
#include <limpid/core/named.hpp>
#include <limpid/core/ranges.hpp>
#include <limpid/kernels/convolution_switch.hpp>
#include <limpid/model/any_model.hpp>
#include <limpid/onnx/export.hpp>
#include <limpid/onnx/model_bytes.hpp>
#include <limpid/onnx/run_graph.hpp>

#include <ATen/core/Tensor.h>
#include <c10/core/GradMode.h>
#include <c10/util/Exception.h>

#include <cstddef>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace limpid {

/// What can compute a model's networks; of your own: what its graphs are called by, and how they
/// are made ready.
struct Engine {
  std::string_view called{};   ///< by those who made it; empty: limpid's own
  std::string_view missing{};  ///< how to build with it, where this build has none

  /// Makes the bytes of an ONNX file ready to compute one of its outputs.
  RunGraph (*ready)(const std::string& onnx, const std::string& output,
                    const EngineOptions& options) = nullptr;

  bool is_own() const { return called.empty(); }
};

namespace detail {

inline constexpr Engine kOpenVINO {
  "OpenVINO",
      "pip install openvino, then cmake "
      "-DOpenVINO_DIR=.../site-packages/openvino/cmake",
#if LIMPID_WITH_OPENVINO
      &openvino_graph
#endif
};

inline constexpr Engine kONNXRuntime {
  "ONNX Runtime",
      "its C++ headers and libraries (Debian 13: libonnxruntime-dev), which cmake looks for",
#if LIMPID_WITH_ONNXRUNTIME
      &onnxruntime_graph
#endif
};

}  // namespace detail

/// Who computes a model's networks. All but limpid's own are there where a program was built with
/// them: `LIMPID_WITH_OPENVINO=1` and linked with `openvino::runtime`, `LIMPID_WITH_ONNXRUNTIME=1`
/// and `onnxruntime::onnxruntime`.
inline constexpr NamedTable kEngines{
    "an engine",
    Named{"limpid", "limpid and LibTorch", Engine{}},
    Named{"openvino", "OpenVINO, on the CPU", detail::kOpenVINO},
    Named{"onnxruntime", "ONNX Runtime, on the CPU", detail::kONNXRuntime},
};

/// @throws c10::Error that says how to get the engine if this was built without it, or without what
///         writes graphs for it.
inline void check_engine(const Engine& engine) {
  if (engine.is_own()) return;
  TORCH_CHECK(engine.ready != nullptr, "this limpid was built without ", engine.called,
              "; to have it: ", engine.missing, ", and build again");
  TORCH_CHECK(kWritesONNX, detail::kNoONNX);
}

namespace detail {

/// A model's tasks as graphs of an engine, each made ready when it is first asked for.
class EngineGraphs {
 public:
  EngineGraphs(const AnyModel& model, Engine engine, const EngineOptions& options)
      : model_(model), engine_(engine), options_(options), graphs_(model.tasks.size()) {}

  /// (N, 3, H, W) in [-1, 1] -> restored.
  at::Tensor restore(std::size_t task, const at::Tensor& degraded) const {
    return to_signed(
        naming(std::string{engine_.called}, [&] { return graph(task)(to_unit(degraded)); }));
  }

 private:
  const RunGraph& graph(std::size_t task) const {
    const std::lock_guard lock{mutex_};
    auto& graph = graphs_.at(task);
    if (graph) return graph;
    // What is written down is the network itself, whatever the caller computes in.
    const c10::NoGradGuard no_grad;
    const AutocastScope float32{Precision::float32, at::kCPU};
    const ConvolutionScope exact{Convolution::exact};
    const auto& name = model_.tasks[task];
    const auto written = onnx_model(model_, {name}, {}, ONNXOutputs::as_they_are);
    return graph = engine_.ready(onnx_bytes(written), name, options_);
  }

  AnyModel model_;
  Engine engine_;
  EngineOptions options_;
  mutable std::mutex mutex_;
  mutable std::vector<RunGraph> graphs_;
};

}  // namespace detail

/// The same model, whose `restore` an engine computes: `AnyRestorer{in_engine(model, "openvino")}`.
/// Each task is exported in memory when it is first restored, and never anew: weights that are
/// trained further need another call. What a router looks at is limpid's own, and so are copies.
/// @param model   on the CPU
/// @param engine  one of the table, or of your own
/// @throws as `check_engine`.
inline AnyModel in_engine(const AnyModel& model, const Engine& engine,
                          const EngineOptions& options = {}) {
  check_engine(engine);
  if (engine.is_own()) return model;
  const auto graphs = std::make_shared<const detail::EngineGraphs>(model, engine, options);
  auto other = model;
  other.own_restore = model.restore;
  other.restore = [graphs](std::size_t task, const at::Tensor& degraded) {
    return graphs->restore(task, degraded);
  };
  return other;
}

/// The same by the engine's name in `kEngines`.
/// @throws c10::ValueError for a name that is none.
inline AnyModel in_engine(const AnyModel& model, std::string_view name,
                          const EngineOptions& options = {}) {
  return in_engine(model, kEngines.at(name), options);
}

}  // namespace limpid
