#include <limpid/decoders/resnet.hpp>
#include <limpid/encoders/resnet.hpp>
#include <limpid/model/any_model.hpp>
#include <limpid/model/multi_task_model.hpp>
#include <support/errors.hpp>
#include <support/tiny.hpp>

#include <torch/torch.h>
#include <boost/test/unit_test.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace {

using namespace limpid;
using namespace limpid_test;

using TwoTasks = MultiTaskModel<TinyEncoder, TinyDecoder<"deblur">, TinyDecoder<"derain">>;

/// A decoder of constant images whose skip is another one.
template <FixedString Task, GlobalSkip Skip>
struct ConstantDecoderImpl : torch::nn::Cloneable<ConstantDecoderImpl<Task, Skip>> {
  static constexpr std::string_view task = Task;
  static constexpr GlobalSkip skip = Skip;
  void reset() override {}
  at::Tensor forward(const at::Tensor& features) {
    return torch::full({features.size(0), 3, features.size(2), features.size(3)}, 0.75f);
  }
};
template <FixedString Task, GlobalSkip Skip>
using ConstantDecoder = torch::nn::ModuleHolder<ConstantDecoderImpl<Task, Skip>>;

/// An encoder that takes multiples of 8 only, padded with zeros.
struct PaddedEncoderImpl : torch::nn::Cloneable<PaddedEncoderImpl> {
  using Features = at::Tensor;
  void reset() override {}
  at::Tensor forward(const at::Tensor& image) {
    seen = image.sizes().vec();
    ++calls;
    return image;
  }
  ImagePadding padding() const { return {.multiple = 8, .mode = PaddingMode::zeros}; }
  std::vector<std::int64_t> seen;
  int calls = 0;
};
TORCH_MODULE(PaddedEncoder);

at::Tensor random_image(std::int64_t height, std::int64_t width) {
  return torch::rand({2, 3, height, width}) * 2 - 1;
}

BOOST_AUTO_TEST_SUITE(model)

BOOST_AUTO_TEST_CASE(restores_images_of_any_size) {
  torch::NoGradGuard no_grad;
  torch::manual_seed(0);
  MultiTaskModel model{ResNetEncoder{ResNetEncoderOptions{.width = 4, .blocks = 1}},
                       ResNetDecoder<"deblur">{ResNetDecoderOptions{.width = 4}}};
  model->eval();
  for (const auto& [height, width] :
       {std::pair{1, 1}, {17, 23}, {3, 40}, {8, 8}, {1, 9}, {64, 30}}) {
    const auto degraded = random_image(height, width);
    const auto restored = model->restore<"deblur">(degraded);
    BOOST_TEST(restored.sizes() == degraded.sizes());
    BOOST_TEST(restored.isfinite().all().item<bool>());
    BOOST_TEST(restored.abs().max().item<float>() <= 1);
  }
}

BOOST_AUTO_TEST_CASE(a_look_at_a_picture_runs_the_encoder_once_for_all_tasks) {
  const torch::NoGradGuard no_grad;
  MultiTaskModel model{PaddedEncoder{}, ConstantDecoder<"deblur", GlobalSkip::plain>{},
                       ConstantDecoder<"derain", GlobalSkip::none>{}};
  model->eval();
  const AnyModel any{model};
  const auto degraded = random_image(9, 16);
  BOOST_REQUIRE(any.look != nullptr);
  const auto look = any.look(degraded);
  BOOST_TEST(model->encoder()->calls == 1);
  BOOST_REQUIRE(look.maps.size() == 1u);
  BOOST_TEST((look.maps[0].sizes() == at::IntArrayRef{2, 3, 16, 16}));  // padded, as it sees them
  BOOST_REQUIRE(look.restored.size() == 2u);
  for (std::size_t task = 0; task < 2; ++task) {
    BOOST_TEST(look.restored[task].equal(any.restore(task, degraded)));
  }
  BOOST_TEST(model->encoder()->calls == 3);
}

BOOST_AUTO_TEST_CASE(forward_gives_what_restore_gives_for_each_task) {
  torch::manual_seed(1);
  TwoTasks model;
  model->eval();
  static_assert(std::is_same_v<decltype(model->forward(at::Tensor{})), std::array<at::Tensor, 2>>);
  for (const auto& [height, width] : {std::pair{17, 23}, {1, 1}}) {
    const auto degraded = random_image(height, width);
    const auto all = model->forward(degraded);
    BOOST_TEST(torch::equal(all[0], model->restore<"deblur">(degraded)));
    BOOST_TEST(torch::equal(all[1], model->restore<"derain">(degraded)));
    BOOST_TEST(!torch::equal(all[0], all[1]));
  }
}

BOOST_AUTO_TEST_CASE(pads_as_the_encoder_asks_and_crops_back) {
  PaddedEncoder encoder;
  MultiTaskModel model{encoder, ConstantDecoder<"a", GlobalSkip::none>{}};
  const auto restored = model->restore<"a">(random_image(9, 16));
  BOOST_TEST((encoder->seen == std::vector<std::int64_t>{2, 3, 16, 16}));
  BOOST_TEST((restored.sizes() == at::IntArrayRef{2, 3, 9, 16}));
}

BOOST_AUTO_TEST_CASE(each_decoder_has_the_skip_that_it_names) {
  MultiTaskModel model{PaddedEncoder{}, ConstantDecoder<"clamped", GlobalSkip::clamped>{},
                       ConstantDecoder<"plain", GlobalSkip::plain>{},
                       ConstantDecoder<"none", GlobalSkip::none>{}};
  const auto degraded = torch::full({1, 3, 8, 8}, 0.5f);
  const auto all = model->forward(degraded);
  const float expected[] = {1.0f, 1.25f, 0.75f};
  for (std::size_t i = 0; i < 3; ++i) {
    BOOST_TEST(torch::equal(all[i], torch::full({1, 3, 8, 8}, expected[i])));
  }
  BOOST_TEST(torch::equal(model->restore<"plain">(degraded), all[1]));
  BOOST_TEST((limpid::detail::skip_of(TinyDecoder<"a">{}) == GlobalSkip::clamped));
}

BOOST_AUTO_TEST_CASE(a_clone_owns_its_weights) {
  torch::manual_seed(2);
  TwoTasks model;
  model->eval();
  auto clone = limpid::detail::deep_copy(model);
  const auto degraded = random_image(9, 9);
  const auto before = clone->forward(degraded);
  BOOST_TEST(torch::equal(model->forward(degraded)[1], before[1]));
  BOOST_TEST(model->parameters().size() == 6U);
  {
    torch::NoGradGuard no_grad;
    for (auto& parameter : model->parameters()) parameter.add_(0.5);
  }
  const auto after = clone->forward(degraded);
  for (std::size_t i = 0; i < 2; ++i) {
    BOOST_TEST(torch::equal(after[i], before[i]));
    BOOST_TEST(!torch::equal(model->forward(degraded)[i], before[i]));
  }
  {
    torch::NoGradGuard no_grad;
    for (auto& parameter : clone->parameters()) parameter.zero_();
  }
  BOOST_TEST(torch::equal(clone->restore<"deblur">(degraded), degraded));  // its own names too
}

BOOST_AUTO_TEST_CASE(no_parameter_is_registered_twice) {
  TwoTasks model;
  std::set<const void*> tensors;
  for (const auto& item : model->named_parameters()) {
    tensors.insert(item.value().unsafeGetTensorImpl());
  }
  BOOST_TEST(tensors.size() == model->parameters().size());
}

BOOST_AUTO_TEST_CASE(parameters_are_called_as_in_files) {
  TwoTasks model;
  std::set<std::string> names;
  for (const auto& item : model->named_parameters()) names.insert(item.key());
  BOOST_TEST(
      (names == std::set<std::string>{"encoder.conv.weight", "encoder.conv.bias",
                                      "decoder.deblur.conv.weight", "decoder.deblur.conv.bias",
                                      "decoder.derain.conv.weight", "decoder.derain.conv.bias"}));
}

BOOST_AUTO_TEST_CASE(types_follow_from_the_arguments) {
  TinyEncoder encoder;
  TinyDecoder<"deblur"> deblur;
  MultiTaskModel model{encoder, deblur, TinyDecoder<"derain">{}};
  static_assert(std::is_same_v<decltype(model), TwoTasks>);
  static_assert(ModuleOf<TwoTasks>::tasks.size() == 2);
  static_assert(ModuleOf<TwoTasks>::tasks[1] == "derain");
  BOOST_TEST(model->encoder().get() == encoder.get());  // shared, not copied
  BOOST_TEST(model->decoder<0>().get() == deblur.get());
  BOOST_TEST(model->decoder<"deblur">().get() == deblur.get());
}

BOOST_AUTO_TEST_CASE(weights_move_with_the_model) {
  TwoTasks model;
  model->to(torch::kDouble);
  BOOST_TEST((model->encoder()->conv->weight.scalar_type() == torch::kDouble));
  BOOST_TEST((model->decoder<1>()->conv->bias.scalar_type() == torch::kDouble));
}

BOOST_AUTO_TEST_CASE(what_is_no_batch_of_images_is_refused) {
  TwoTasks model;
  BOOST_TEST(limpid_test::value_error_of([&] {
               model->restore<"deblur">(torch::zeros({3, 8, 8}));
             }) == "restore: expected image (N, 3, H, W), got [3, 8, 8]");
  BOOST_TEST(limpid_test::value_error_of([&] {
               model->forward(torch::zeros({1, 1, 8, 8}));
             }) == "MultiTaskModel: expected image (N, 3, H, W), got [1, 1, 8, 8]");
  BOOST_TEST(limpid_test::value_error_of([&] {
               model->restore<"deblur">(torch::zeros({1, 3, 0, 8}));
             }) == "restore: expected sides of at least 1 pixels, got [1, 3, 0, 8]");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
