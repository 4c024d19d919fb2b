// Restores a picture with ONNX Runtime: neither limpid nor LibTorch is there.
//
//   limpid-convert model.limpid deblur.onnx --task deblur
//   with_onnx_runtime deblur.onnx deblur IN.ppm OUT.ppm
#include <onnxruntime_cxx_api.h>

#include <array>
#include <cstdint>
#include <cstdio>
#include <exception>

#include "ppm.hpp"

int main(int argc, char** argv) try {
  if (argc != 5) {
    std::fprintf(stderr, "with_onnx_runtime: expected MODEL.onnx TASK IN.ppm OUT.ppm\n");
    return 2;
  }
  auto picture = ppm::read(argv[3]);
  const Ort::Env env{ORT_LOGGING_LEVEL_WARNING, "limpid"};
  Ort::Session session{env, argv[1], Ort::SessionOptions{}};

  const std::array<std::int64_t, 4> sizes{1, 3, picture.height, picture.width};
  const auto memory = Ort::MemoryInfo::CreateCpu(OrtArenaAllocator, OrtMemTypeDefault);
  const auto input = Ort::Value::CreateTensor<float>(
      memory, picture.values.data(), picture.values.size(), sizes.data(), sizes.size());
  const char* input_name = "image";
  const char* task = argv[2];
  const auto restored = session.Run(Ort::RunOptions{}, &input_name, &input, 1, &task, 1);

  ppm::write(argv[4], restored[0].GetTensorData<float>(), picture.height, picture.width);
} catch (const std::exception& error) {
  std::fprintf(stderr, "with_onnx_runtime: %s\n", error.what());
  return 1;
}
