#include <limpid/everything.hpp>

#include <torch/torch.h>

#include <boost/test/unit_test.hpp>

#include <iostream>

// Code of docs/backbones.md, critics.md, encoders.md, decoders.md, kernels.md, layers.md and
// weights.md.
namespace docs_networks {

using namespace limpid;

void vgg(const at::Tensor& image) {
  const auto vgg = load_vgg19("vgg19.safetensors", {.deepest = "conv3_3"});
  at::Tensor map = vgg->forward_to(to_imagenet(image), "conv3_3");  // image in [-1, 1]
}

void lpips(const at::Tensor& restored, const at::Tensor& target) {
  const auto network = load_lpips(LPIPSNet::alex, "alexnet-owt-7be5be79.pth", "alex.pth");
  at::Tensor apart = network->distances(restored, target);  // (N), images in [-1, 1]
}

void convolutions() {
  const ConvolutionScope scope{Convolution::fast};  // for this thread, while it lives
}

BOOST_AUTO_TEST_SUITE(docs)

BOOST_AUTO_TEST_CASE(critics_of_critics_md) {
  const auto image = torch::rand({1, 3, 64, 64});
  {
    PatchGAN<> critic;                                            // width 64, three layers
    PatchGAN<> small{PatchGANOptions{.width = 32, .layers = 2}};  // 34 x 34 pixels per score
    PatchGAN<NoNorm> plain;
    const auto scores = small->forward(image);
    BOOST_TEST(scores.size(1) == 1);
    BOOST_TEST((PatchGANOptions{.layers = 2}.receptive_field() == 34));
  }
  Conditional<PatchGAN<>> critic{PatchGANOptions{.width = 64}};
}

void unet() {
  UNetCritic critic{UNetCriticOptions{.width = 32}};  // 64 by default
}

void attention(const at::Tensor& image) {
  AttentionCritic critic{AttentionCriticOptions{.width = 32, .mask_threshold = 20.0 / 255}};
  const auto map = critic->attention(image);  // (N, 1, H / 4, W / 4), in (0, 1)
}

void double_scale(const at::Tensor& image) {
  DoubleScale<> critic;  // width 64
  DoubleScale<Conditional<PatchGAN<>>> beside_the_degraded_image;
  const auto [patch, full] = critic->forward(image);  // for a look at the scores
}

void nafnet(const at::Tensor& image) {
  NAFNetEncoder encoder{
      NAFNetEncoderOptions{.width = 32, .blocks = {1, 1, 1, 28}, .middle_blocks = 1}};
  const auto padded = pad_image(image, encoder->padding());
  const NAFNetFeatures features = encoder->forward(padded);
}

void fpn() {
  FPNEncoder<InceptionResNetV2> encoder;  // the thesis'
  using Options = FPNEncoderOptions<MobileNetV2>;
  FPNEncoder<MobileNetV2> light{
      // DeblurGAN-v2's
      Options{.pyramid_width = 128, .head_width = 64, .top_down_convs = true}};
}

void prompts() {
  using Deblur = Prompted<NAFNetDecoder<"deblur">>;
  MultiTaskModel<NAFNetEncoder, Deblur> model{NAFNetEncoder{},
                                              Deblur{NAFNetDecoder<"deblur">{}, /*prompts=*/5}};
}

BOOST_AUTO_TEST_CASE(one_encoder_and_two_decoders_of_decoders_md) {
  const auto image = torch::rand({1, 3, 32, 32});
  ResNetEncoder encoder{ResNetEncoderOptions{.width = 32}};
  ResNetDecoder<"deblur"> deblur{ResNetDecoderOptions{.width = 32}};
  ResNetDecoder<"dehaze"> dehaze{ResNetDecoderOptions{.width = 32}};

  const auto features = encoder->forward(image);  // once for all tasks
  const auto sharp = apply_skip(GlobalSkip::clamped, image, deblur->forward(features));
  BOOST_TEST(sharp.sizes() == image.sizes());
}

BOOST_AUTO_TEST_CASE(a_block_of_layers_md) {
  ResidualBlock block{32};
  at::Tensor out = block->forward(torch::randn({1, 32, 64, 64}));  // (1, 32, 64, 64)
  BOOST_TEST(out.size(2) == 64);
}

void load() {
  MultiTaskModel<FPNEncoder<InceptionResNetV2>, FPNDecoder<"deblur">> model{
      FPNEncoder<InceptionResNetV2>{FPNEncoderOptions<InceptionResNetV2>{.top_down_convs = true}},
      FPNDecoder<"deblur">{}};
  const auto names = maps::deblurgan_v2_fpn_inception("deblur");
  std::cout << load_weights(model, "fpn_inception.h5", names).table();

  // ImageNet's, whichever naming the file has
  FPNEncoder<InceptionResNetV2> encoder;
  load_pretrained(encoder, "inceptionresnetv2-520b38e4.pth");

  // a part of a model by itself
  FPNDecoder<"deblur"> decoder;
  load_weights(decoder, "fpn_inception.h5", names.part("decoder.deblur."));
}

BOOST_AUTO_TEST_CASE(a_map_of_weights_md) {
  NameMap names;
  names
      .rename("encoder.model.#.*", "net.down.#.*", {.last = 18})        // # is a number
      .rename("decoder.deblur.model.#.*", "net.up.#.*", {.shift = 19})  // 0 becomes 19
      .ignore("*.num_batches_tracked");                                 // may be there
  BOOST_TEST(names.published("decoder.deblur.model.0.weight").value_or("") == "net.up.19.weight");
}

void save(MultiTaskModel<ResNetEncoder, ResNetDecoder<"deblur">> model) {
  save_weights(model, "for_python.safetensors", maps::deblurgan_resnet("deblur"));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace docs_networks
