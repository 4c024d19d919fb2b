#include <limpid/decoders/prompted.hpp>

#include <limpid/decoders/nafnet.hpp>
#include <limpid/decoders/resnet.hpp>
#include <limpid/model/families.hpp>
#include <limpid/model/multi_task_model.hpp>
#include <support/networks.hpp>
#include <support/temporary_folder.hpp>

#include <torch/torch.h>
#include <boost/test/unit_test.hpp>
#include <nlohmann/json.hpp>

#include <string>

namespace {

using namespace limpid;
using limpid_test::throws_value_error;

using Plain = NAFNetDecoder<"deblur">;
using Deblur = Prompted<Plain>;

static_assert(DecoderFor<Deblur, NAFNetEncoder>);
static_assert(!DecoderFor<Deblur, ResNetEncoder>);
static_assert(DecoderFor<Prompted<ResNetDecoder<"deblur">>, ResNetEncoder>);

const NAFNetEncoderOptions kSmall{.width = 4, .blocks = {1, 1}, .middle_blocks = 1};

/// A decoder of a user's: features are a tensor, there are no options, and it has a parameter, a
/// buffer and a mode of its own.
template <FixedString Task>
struct OwnDecoderImpl : torch::nn::Cloneable<OwnDecoderImpl<Task>> {
  static constexpr std::string_view task = Task;
  OwnDecoderImpl() { reset(); }
  void reset() override {
    conv = this->register_module("conv", torch::nn::Conv2d(16, 3, 1));
    scale = this->register_parameter("scale", torch::ones({1}));
    shift = this->register_buffer("shift", torch::zeros({1}));
  }
  std::int64_t coarsest_channels() const { return 16; }
  at::Tensor forward(const at::Tensor& features) {
    return conv->forward(features) * scale + shift + (this->is_training() ? 1 : 0);
  }
  torch::nn::Conv2d conv{nullptr};
  at::Tensor scale, shift;
};
template <FixedString Task>
using OwnDecoder = torch::nn::ModuleHolder<OwnDecoderImpl<Task>>;

BOOST_AUTO_TEST_SUITE(prompted_decoder)

BOOST_AUTO_TEST_CASE(does_what_every_decoder_does) {
  limpid_test::check_decoder(
      NAFNetEncoder{kSmall},
      Deblur{PromptedOptions<NAFNetDecoderOptions>{NAFNetDecoderOptions::matching(kSmall), 3}});
}

BOOST_AUTO_TEST_CASE(starts_as_the_decoder_itself_to_the_bit) {
  torch::manual_seed(1);
  NAFNetEncoder encoder{kSmall};
  Plain plain{NAFNetDecoderOptions::matching(kSmall)};
  limpid_test::disturb(*plain);
  Deblur prompted{plain};
  const auto features = encoder->forward(torch::rand({2, 3, 8, 12}) * 2 - 1);
  BOOST_TEST(torch::equal(prompted->forward(features), plain->forward(features)));
  BOOST_TEST(prompted->parameters().size() == plain->parameters().size() + 3);
  for (const auto& item : plain->named_parameters()) {
    BOOST_TEST(prompted->named_parameters().contains(item.key()), item.key());
  }
  // And then it is another for each picture.
  limpid_test::disturb(*prompted->gate(), 1);
  BOOST_TEST(!torch::equal(prompted->forward(features), plain->forward(features)));
  const auto weights = prompted->gate()->weights(features.bottom);
  BOOST_TEST(!torch::equal(weights[0], weights[1]));
  BOOST_TEST((weights.sum(1) - 1).abs().max().item<float>() < 1e-6);
}

BOOST_AUTO_TEST_CASE(leaves_the_features_that_other_tasks_read_alone) {
  NAFNetEncoder encoder{kSmall};
  Deblur prompted{Plain{NAFNetDecoderOptions::matching(kSmall)}};
  limpid_test::disturb(*prompted, 1);
  const auto features = encoder->forward(torch::rand({1, 3, 8, 8}));
  const auto before = features.bottom.clone();
  prompted->forward(features);
  BOOST_TEST(torch::equal(features.bottom, before));
}

BOOST_AUTO_TEST_CASE(takes_a_decoder_of_ones_own_with_all_that_it_holds) {
  Prompted<OwnDecoder<"own">> prompted;
  prompted->decoder()->shift.fill_(3);
  BOOST_TEST(prompted->named_parameters().contains("scale"));
  BOOST_TEST(prompted->named_buffers().contains("shift"));
  const auto features = torch::rand({1, 16, 4, 4});
  const auto training = prompted->forward(features);
  prompted->eval();
  BOOST_TEST(torch::allclose(prompted->forward(features) + 1, training));
  limpid_test::check_clone_owns_weights(prompted,
                                        [&](auto& handle) { return handle->forward(features); });
  prompted->to(torch::kDouble);
  BOOST_TEST((prompted->forward(features.to(torch::kDouble)).scalar_type() == torch::kDouble));
}

BOOST_AUTO_TEST_CASE(is_saved_and_loaded_by_type_and_by_name) {
  const limpid_test::TemporaryFolder folder;
  const auto path = folder / "model.limpid";
  torch::manual_seed(3);
  using Model = MultiTaskModel<NAFNetEncoder, Deblur, NAFNetDecoder<"dehaze">>;
  Model model{NAFNetEncoder{kSmall}, Deblur{Plain{NAFNetDecoderOptions::matching(kSmall)}, 2},
              NAFNetDecoder<"dehaze">{NAFNetDecoderOptions::matching(kSmall)}};
  limpid_test::disturb(*model, 0.2);
  model->eval();
  save(model, path);
  const torch::NoGradGuard no_grad;
  const auto image = torch::rand({1, 3, 13, 18}) * 2 - 1;
  const auto restored = model->restore<"deblur">(image);
  auto typed = load<Model>(path);
  typed->eval();
  BOOST_TEST(torch::equal(typed->restore<"deblur">(image), restored));
  const auto any = load_any(path).model;
  BOOST_TEST(torch::equal(any.restore(any.index_of("deblur"), image), restored));
  BOOST_TEST(
      torch::equal(any.restore(any.index_of("dehaze"), image), model->restore<"dehaze">(image)));
}

BOOST_AUTO_TEST_CASE(refuses_less_than_no_prompt) {
  BOOST_TEST(throws_value_error([] { Deblur(Plain{}, -1); },
                                "Prompted: prompt must be at least 0, got -1"));
  BOOST_TEST(
      throws_value_error([] { PromptGate{0}; }, "PromptGate: channels must be at least 1, got 0"));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
