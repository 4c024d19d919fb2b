// Restores a picture with OpenVINO: neither limpid nor LibTorch is there.
//
//   limpid-convert model.limpid deblur.onnx --task deblur
//   with_openvino deblur.onnx deblur IN.ppm OUT.ppm
#include <openvino/openvino.hpp>

#include <cstddef>
#include <cstdio>
#include <exception>

#include "ppm.hpp"

int main(int argc, char** argv) try {
  if (argc != 5) {
    std::fprintf(stderr, "with_openvino: expected MODEL.onnx TASK IN.ppm OUT.ppm\n");
    return 2;
  }
  auto picture = ppm::read(argv[3]);
  ov::Core core;
  // Without the hint it computes in bfloat16 where the CPU is fast at it.
  auto model = core.compile_model(argv[1], "CPU", ov::hint::inference_precision(ov::element::f32));

  auto request = model.create_infer_request();
  const ov::Shape shape{1, 3, static_cast<std::size_t>(picture.height),
                        static_cast<std::size_t>(picture.width)};
  request.set_tensor("image", ov::Tensor{ov::element::f32, shape, picture.values.data()});
  request.infer();
  const auto restored = request.get_tensor(argv[2]);

  ppm::write(argv[4], restored.data<const float>(), picture.height, picture.width);
} catch (const std::exception& error) {
  std::fprintf(stderr, "with_openvino: %s\n", error.what());
  return 1;
}
