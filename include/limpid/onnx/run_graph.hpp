#pragma once

#include <limpid/core/autocast.hpp>

#include <ATen/core/Tensor.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/from_blob.h>
#include <c10/util/Exception.h>

#if LIMPID_WITH_OPENVINO
#include <openvino/openvino.hpp>
#endif
#if LIMPID_WITH_ONNXRUNTIME
#include <onnxruntime_cxx_api.h>
#endif

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace limpid {

/// How an engine computes.
struct EngineOptions {
  int threads = 0;  ///< of the CPU; 0: as many as the engine takes by itself
  Precision precision = Precision::float32;  ///< `automatic`: what the engine takes by itself
};

/// What a graph that an engine has made ready makes of pictures, on the CPU: (N, 3, H, W) float in
/// [0, 1] -> the same. Several threads may call it at once.
using RunGraph = std::function<at::Tensor(const at::Tensor& unit)>;

namespace detail {

#if LIMPID_WITH_OPENVINO

/// A graph that OpenVINO has compiled. Requests, which hold memory, serve one call after the other.
class OpenVINOGraph {
 public:
  OpenVINOGraph(ov::CompiledModel model, std::string output)
      : model_(std::move(model)), output_(std::move(output)) {}

  at::Tensor run(const at::Tensor& unit) {
    const auto input = unit.contiguous();
    const auto sizes = input.sizes();
    auto request = take();
    request.set_tensor("image", ov::Tensor{ov::element::f32, ov::Shape{sizes.begin(), sizes.end()},
                                           input.data_ptr<float>()});
    request.infer();
    const auto found = request.get_tensor(output_);
    TORCH_CHECK(found.get_size() == static_cast<std::size_t>(input.numel()), "OpenVINO: expected ",
                input.numel(), " values, got ", found.get_size());
    auto restored =
        at::from_blob(const_cast<void*>(std::as_const(found).data()), sizes, at::kFloat).clone();
    const std::lock_guard lock{mutex_};
    idle_.push_back(std::move(request));
    return restored;
  }

 private:
  ov::InferRequest take() {
    const std::lock_guard lock{mutex_};
    if (idle_.empty()) return model_.create_infer_request();
    auto request = std::move(idle_.back());
    idle_.pop_back();
    return request;
  }

  ov::CompiledModel model_;
  std::string output_;
  std::mutex mutex_;
  std::vector<ov::InferRequest> idle_;
};

inline RunGraph openvino_graph(const std::string& onnx, const std::string& output,
                               const EngineOptions& options) {
  static ov::Core core;  // knows its plugins for all graphs
  ov::AnyMap how{ov::hint::performance_mode(ov::hint::PerformanceMode::LATENCY)};
  if (options.threads > 0) how.insert(ov::inference_num_threads(options.threads));
  if (options.precision != Precision::automatic) {
    how.insert(ov::hint::inference_precision(
        options.precision == Precision::bfloat16 ? ov::element::bf16 : ov::element::f32));
  }
  const auto graph =
      std::make_shared<OpenVINOGraph>(core.compile_model(onnx, ov::Tensor{}, "CPU", how), output);
  return [graph](const at::Tensor& unit) { return graph->run(unit); };
}

#endif
#if LIMPID_WITH_ONNXRUNTIME

inline RunGraph onnxruntime_graph(const std::string& onnx, const std::string& output,
                                  const EngineOptions& options) {
  TORCH_CHECK_VALUE(options.precision != Precision::bfloat16,
                    "ONNX Runtime: expected float32, which is all that it computes here in");
  static const Ort::Env environment{ORT_LOGGING_LEVEL_ERROR, "limpid"};
  Ort::SessionOptions how;
  how.SetIntraOpNumThreads(options.threads);
  const auto session = std::make_shared<Ort::Session>(environment, onnx.data(), onnx.size(), how);
  return [session, output](const at::Tensor& unit) {
    const auto input = unit.contiguous();
    auto restored = at::empty_like(input);
    const auto memory = Ort::MemoryInfo::CreateCpu(OrtArenaAllocator, OrtMemTypeDefault);
    const auto as_value = [&](const at::Tensor& values) {
      return Ort::Value::CreateTensor<float>(
          memory, values.data_ptr<float>(), static_cast<std::size_t>(values.numel()),
          values.sizes().data(), static_cast<std::size_t>(values.dim()));
    };
    const auto from = as_value(input);
    auto to = as_value(restored);
    const char *image = "image", *task = output.c_str();
    session->Run(Ort::RunOptions{}, &image, &from, 1, &task, &to, 1);
    return restored;
  };
}

#endif

}  // namespace detail
}  // namespace limpid
