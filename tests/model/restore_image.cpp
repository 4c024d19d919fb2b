#include <limpid/decoders/nafnet.hpp>
#include <limpid/encoders/nafnet.hpp>
#include <limpid/inference/restorer.hpp>
#include <limpid/model/multi_task_model.hpp>
#include <limpid/model/restore_image.hpp>
#include <support/images.hpp>

#include <torch/torch.h>
#include <boost/test/unit_test.hpp>

#include <string_view>
#include <utility>

namespace {

using namespace limpid;

using Deblurring = MultiTaskModel<NAFNetEncoder, NAFNetDecoder<"deblur">>;

/// A NAFNet that changes pictures, with the options of published ones.
Deblurring nafnet(ValueRange range, PaddingMode padding) {
  torch::manual_seed(5);
  Deblurring model{
      NAFNetEncoder{NAFNetEncoderOptions{
          .width = 4, .blocks = {1, 1}, .middle_blocks = 1, .padding = padding, .range = range}},
      NAFNetDecoder<"deblur">{NAFNetDecoderOptions{.width = 4, .blocks = {1, 1}}}};
  torch::NoGradGuard no_grad;
  for (auto& parameter : model->parameters()) parameter.add_(torch::randn_like(parameter), 0.05);
  model->eval();
  return model;
}

/// Takes and gives images in [0, 1]; remembers what it was given.
struct UnitEncoderImpl : torch::nn::Cloneable<UnitEncoderImpl> {
  using Features = at::Tensor;
  void reset() override {}
  at::Tensor forward(const at::Tensor& image) {
    seen = image;
    return image;
  }
  ImagePadding padding() const { return {.multiple = 8, .mode = PaddingMode::zeros}; }
  ValueRange range() const { return ValueRange::unit_range; }
  at::Tensor seen;
};
TORCH_MODULE(UnitEncoder);

template <FixedString Task>
struct BrighterImpl : torch::nn::Cloneable<BrighterImpl<Task>> {
  static constexpr std::string_view task = Task;
  void reset() override {}
  at::Tensor forward(const at::Tensor& features) { return torch::full_like(features, 0.5); }
};
template <FixedString Task>
using Brighter = torch::nn::ModuleHolder<BrighterImpl<Task>>;

BOOST_AUTO_TEST_SUITE(restore_image)

BOOST_AUTO_TEST_CASE(a_network_of_the_unit_range_sees_what_stands_in_the_file) {
  torch::NoGradGuard no_grad;
  auto model = nafnet(ValueRange::unit_range, PaddingMode::zeros);
  for (const auto& [height, width] : {std::pair{48, 64}, {37, 51}}) {
    const auto degraded = limpid_test::picture(height, width, 3);
    // By hand: the picture in [0, 1], padded with black, through both halves, added, cropped.
    const auto unit = degraded.unit();
    const auto padded = torch::constant_pad_nd(unit, {0, (-width) & 3, 0, (-height) & 3}, 0);
    const auto added = padded + model->decoder<0>()->forward(model->encoder()->forward(padded));
    const auto expected = added.narrow(2, 0, height).narrow(3, 0, width);
    BOOST_TEST(
        (to_unit(model->restore<"deblur">(to_signed(unit))) - expected).abs().max().item<double>() <
        1e-5);
    const auto restored = Restorer{model}.restore<"deblur">(degraded).unit();
    BOOST_TEST((restored - expected.clamp(0, 1)).abs().max().item<double>() < 0.6 / 255);
    const auto as_signed =
        nafnet(ValueRange::signed_range, PaddingMode::zeros)->restore<"deblur">(to_signed(unit));
    BOOST_TEST((to_unit(as_signed) - expected).abs().max().item<double>() > 2.0 / 255);
  }
}

BOOST_AUTO_TEST_CASE(beyond_the_border_is_black_and_the_clamp_is_the_ranges) {
  MultiTaskModel model{UnitEncoder{}, Brighter<"light">{}};
  const auto restored = model->restore<"light">(torch::full({1, 3, 5, 8}, 0.2));
  const auto& seen = model->encoder()->seen;
  BOOST_TEST((seen.sizes() == at::IntArrayRef{1, 3, 8, 8}));
  BOOST_TEST(seen.narrow(2, 0, 5).sub(0.6).abs().max().item<double>() < 1e-6);
  BOOST_TEST(seen.narrow(2, 5, 3).abs().max().item<double>() == 0);
  BOOST_TEST((restored.sizes() == at::IntArrayRef{1, 3, 5, 8}));
  BOOST_TEST(restored.sub(1).abs().max().item<double>() < 1e-6);  // 0.6 + 0.5, clamped to 1
  const auto all = model->forward(torch::full({1, 3, 5, 8}, -1.0));
  BOOST_TEST(all[0].abs().max().item<double>() < 1e-6);  // 0 + 0.5 is the middle
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
