#include <limpid/backbones/mobilenet_v2.hpp>
#include <limpid/decoders/fpn.hpp>
#include <limpid/decoders/resnet.hpp>
#include <limpid/encoders/fpn.hpp>
#include <limpid/encoders/resnet.hpp>
#include <limpid/model/multi_task_model.hpp>
#include <limpid/weights/load_weights.hpp>
#include <limpid/weights/maps.hpp>
#include <limpid/weights/save_weights.hpp>
#include <support/fixtures.hpp>
#include <support/temporary_folder.hpp>

#include <torch/torch.h>
#include <boost/test/unit_test.hpp>

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <string>

// Weights for read_weights.py, which loads them with PyTorch and computes the same values.
namespace {

using namespace limpid;

/// Uniform values in [-1, 1) that follow from the name, as fixtures/README.md describes them.
at::Tensor noise(const std::string& name, at::IntArrayRef shape) {
  const auto seed = limpid_test::crc32(name);
  auto values = torch::empty(shape, torch::kDouble);
  auto* out = values.data_ptr<double>();
  for (std::int64_t i = 0; i < values.numel(); ++i) {
    auto h = static_cast<std::uint32_t>(i) * 2654435761u + seed;
    h = (h ^ (h >> 16)) * 0x45d9f3bu;
    h = (h ^ (h >> 16)) * 0x45d9f3bu;
    h ^= h >> 16;
    out[i] = static_cast<double>(h) / 2147483648.0 - 1.0;
  }
  return values.to(torch::kFloat);
}

/// Gives every floating tensor the values of its published name.
void fill(const NamedTensors& weights, const NameMap& map) {
  torch::NoGradGuard no_grad;
  for (const auto& [own, tensor] : weights) {
    if (!tensor.is_floating_point()) continue;
    auto target = tensor;
    target.copy_(noise(map.published(own).value(), tensor.sizes()));
  }
}

/// A ResNet generator, an image, and what it makes of it.
void write_resnet(const std::filesystem::path& folder) {
  MultiTaskModel<ResNetEncoder, ResNetDecoder<"deblur">> model{
      ResNetEncoder{ResNetEncoderOptions{.width = 4, .blocks = 2}},
      ResNetDecoder<"deblur">{ResNetDecoderOptions{.width = 4}}};
  const auto names = maps::deblurgan_resnet("deblur", {.blocks = 2});
  fill(weights_of(model), names);
  save_weights(model, folder / "resnet.safetensors", names);
  save_weights(model, folder / "resnet_statistics.safetensors", names,
               {.for_published_code = true});
  model->eval();
  const auto degraded = noise("degraded", {1, 3, 24, 32});
  torch::NoGradGuard no_grad;
  write_safetensors(folder / "resnet_restored.safetensors",
                    {{{"restored", model->restore<"deblur">(degraded)}}, {}});
}

/// An FPN with td1-3 over MobileNetV2, as DeblurGAN-v2 publishes it.
void write_fpn(const std::filesystem::path& folder) {
  const FPNEncoder<MobileNetV2> encoder{FPNEncoderOptions<MobileNetV2>{
      .backbone = {.width = 0.25}, .pyramid_width = 8, .head_width = 4, .top_down_convs = true}};
  const FPNDecoder<"deblur"> decoder{FPNDecoderOptions{.width = 4}};
  const auto names = maps::deblurgan_v2_fpn_mobilenet();
  const auto weights = weights_of_pair(encoder, decoder, "deblur");
  fill(weights, names);
  save_weights(weights, folder / "fpn.safetensors", names, {.for_published_code = true});
}

BOOST_AUTO_TEST_SUITE(for_python)

BOOST_AUTO_TEST_CASE(weights_are_written_for_pytorch_and_read_back_here) {
  const limpid_test::TemporaryFolder own;
  const char* named = std::getenv("LIMPID_FOR_PYTHON_DIR");
  const std::filesystem::path folder = named != nullptr ? named : own.path();
  std::filesystem::create_directories(folder);
  write_resnet(folder);
  write_fpn(folder);
  const auto file = read_tensor_file(folder / "fpn.safetensors");
  BOOST_TEST(file.tensors.at("fpn.td1.0.bias").equal(noise("fpn.td1.0.bias", {8})));
  BOOST_TEST(file.tensors.at("fpn.enc1.0.conv.6.weight")
                 .equal(file.tensors.at("fpn.features.2.conv.6.weight")));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
