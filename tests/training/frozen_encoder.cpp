#include <limpid/core/deep_copy.hpp>
#include <limpid/model/adapters.hpp>
#include <limpid/training/any_trainer.hpp>
#include <limpid/training/frozen_parts.hpp>
#include <limpid/training/trainer.hpp>
#include <support/errors.hpp>
#include <support/temporary_folder.hpp>
#include <support/tiny.hpp>

#include <torch/torch.h>
#include <boost/test/unit_test.hpp>

#include <string>
#include <utility>
#include <vector>

namespace {

using namespace limpid;
using limpid_test::DarkPictures, limpid_test::TemporaryFolder, limpid_test::TinyDecoder;

/// An encoder whose first part came with weights: a convolution and a batch norm.
struct BackboneEncoderImpl : torch::nn::Cloneable<BackboneEncoderImpl> {
  using Features = at::Tensor;
  BackboneEncoderImpl() { reset(); }
  void reset() override {
    backbone = register_module(
        "backbone",
        torch::nn::Sequential(torch::nn::Conv2d(torch::nn::Conv2dOptions(3, 6, 3).padding(1)),
                              torch::nn::BatchNorm2d(6)));
    own = register_module("own", torch::nn::Conv2d(torch::nn::Conv2dOptions(6, 6, 1)));
  }
  at::Tensor forward(const at::Tensor& image) {
    return torch::relu(own->forward(backbone->forward(image)));
  }
  torch::nn::Module& pretrained() { return *backbone; }
  torch::nn::Sequential backbone{nullptr};
  torch::nn::Conv2d own{nullptr};
};
TORCH_MODULE(BackboneEncoder);

using Trainer = MultiTaskTrainer<BackboneEncoder, TinyDecoder<"deblur">>;

/// Four steps an epoch: four pictures, one in a step.
TrainerOptions small_options(std::int64_t frozen_epochs) {
  TrainerOptions options;
  options.length = Epochs{3};
  options.crop = 16;
  options.rate = 1e-2;
  options.schedule = ConstantThenLinear{.constant_share = 1};
  options.freeze_encoder_epochs = frozen_epochs;
  options.quiet = true;
  return options;
}

std::vector<at::Tensor> copies(const torch::nn::Module& module) {
  std::vector<at::Tensor> tensors;
  for (const auto& [name, tensor] : limpid::detail::named_tensors(module)) {
    tensors.push_back(tensor.detach().clone());
  }
  return tensors;
}

bool equal(const std::vector<at::Tensor>& a, const std::vector<at::Tensor>& b) {
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (!torch::equal(a[i], b[i])) return false;
  }
  return a.size() == b.size();
}

BOOST_AUTO_TEST_SUITE(frozen_encoder)

BOOST_AUTO_TEST_CASE(neither_weights_nor_statistics_change_until_the_thaw) {
  auto options = small_options(2);
  options.stop_after = 8;
  Trainer trainer{options};
  trainer.branch<"deblur">(Branch{.pairs = DarkPictures{}});
  auto& encoder = *trainer.model()->encoder();
  const auto backbone = copies(*encoder.backbone), own = copies(*encoder.own);

  BOOST_TEST((trainer.fit() == FitResult::stopped));
  BOOST_TEST(equal(copies(*encoder.backbone), backbone));
  BOOST_TEST(!equal(copies(*encoder.own), own));
  for (const auto& parameter : encoder.backbone->parameters()) {
    BOOST_TEST(!parameter.grad().defined());
    BOOST_TEST(parameter.requires_grad());  // as before the call
  }

  BOOST_TEST((trainer.fit() == FitResult::finished));
  const auto after = copies(*encoder.backbone);
  for (std::size_t i = 0; i < after.size(); ++i) {
    BOOST_TEST(!torch::equal(after[i], backbone[i]), "tensor " << i << " did not change");
  }
}

BOOST_AUTO_TEST_CASE(the_thaw_keeps_moments_and_rates_of_everything_else) {
  // The frozen epoch and the one after it, in one run and resumed at the thaw: the same bits, so
  // nothing was rebuilt there that the checkpoint does not hold.
  const auto run = [](std::vector<std::int64_t> sittings) {
    TemporaryFolder folder;
    std::vector<at::Tensor> weights;
    for (const auto steps : sittings) {
      auto options = small_options(1);
      options.out = folder / "run";
      options.start = Start::resume;
      options.stop_after = steps;
      Trainer trainer{options};
      trainer.branch<"deblur">(Branch{.pairs = DarkPictures{}});
      trainer.fit();
      weights = copies(*trainer.model());
    }
    return weights;
  };
  const auto whole = run({12});
  BOOST_TEST(equal(run({4, 8}), whole));
  BOOST_TEST(equal(run({2, 4, 6}), whole));
}

BOOST_AUTO_TEST_CASE(an_encoder_that_names_no_part_is_frozen_whole) {
  auto options = small_options(1);
  options.stop_after = 4;
  MultiTaskTrainer<limpid_test::TinyEncoder, TinyDecoder<"deblur">> trainer{options};
  trainer.branch<"deblur">(Branch{.pairs = DarkPictures{}});
  const auto encoder = copies(*trainer.model()->encoder());
  const auto decoder = copies(*trainer.model()->decoder<"deblur">());
  trainer.fit();
  BOOST_TEST(equal(copies(*trainer.model()->encoder()), encoder));
  BOOST_TEST(!equal(copies(*trainer.model()->decoder<"deblur">()), decoder));
}

BOOST_AUTO_TEST_CASE(own_loops_freeze_by_hand) {
  Trainer trainer{small_options(0)};
  trainer.branch<"deblur">(Branch{});
  const auto backbone = copies(*trainer.model()->encoder()->backbone);
  const Batch batch{torch::rand({1, 3, 16, 16}), torch::rand({1, 3, 16, 16})};
  trainer.freeze_encoder(true);
  trainer.step({batch});
  BOOST_TEST(equal(copies(*trainer.model()->encoder()->backbone), backbone));
  trainer.freeze_encoder(false);
  trainer.step({batch});
  BOOST_TEST(!equal(copies(*trainer.model()->encoder()->backbone), backbone));
}

using TwoTasks = MultiTaskTrainer<BackboneEncoder, TinyDecoder<"deblur">, TinyDecoder<"dehaze">>;

BOOST_AUTO_TEST_CASE(parts_frozen_for_the_run_stay_the_same_bits_while_another_task_trains) {
  auto options = small_options(0);
  options.frozen = {"encoder", "decoder.deblur"};
  TwoTasks trainer{options};
  trainer.branch<"dehaze">(Branch{.pairs = DarkPictures{}});
  auto model = trainer.model();
  const auto encoder = copies(*model->encoder()), deblur = copies(*model->decoder<"deblur">()),
             dehaze = copies(*model->decoder<"dehaze">());
  const auto restored = [&] {
    torch::NoGradGuard no_grad;
    model->eval();
    return model->restore<"deblur">(torch::full({1, 3, 16, 16}, 0.3));
  };
  const auto before = restored();
  BOOST_TEST((trainer.fit() == FitResult::finished));
  BOOST_TEST(equal(copies(*model->encoder()), encoder));  // weights and running statistics
  BOOST_TEST(equal(copies(*model->decoder<"deblur">()), deblur));
  BOOST_TEST(!equal(copies(*model->decoder<"dehaze">()), dehaze));
  BOOST_TEST(torch::equal(restored(), before));
}

BOOST_AUTO_TEST_CASE(a_frozen_decoder_still_teaches_an_encoder_that_trains) {
  auto options = small_options(0);
  options.frozen = {"decoder.deblur", "encoder.own"};
  TwoTasks trainer{options};
  BOOST_TEST(limpid_test::error_of([&] { trainer.fit(); }).find("no branch was set for deblur") !=
             std::string::npos);
  trainer.branch<"deblur">(Branch{});
  trainer.branch<"dehaze">(Branch{});
  auto& encoder = *trainer.model()->encoder();
  const auto backbone = copies(*encoder.backbone), own = copies(*encoder.own),
             deblur = copies(*trainer.model()->decoder<"deblur">());
  const Batch batch{torch::rand({1, 3, 16, 16}), torch::rand({1, 3, 16, 16})};
  trainer.step({batch, batch});
  BOOST_TEST(!equal(copies(*encoder.backbone), backbone));
  BOOST_TEST(equal(copies(*encoder.own), own));
  BOOST_TEST(equal(copies(*trainer.model()->decoder<"deblur">()), deblur));
}

BOOST_AUTO_TEST_CASE(what_cannot_be_frozen_or_trained_is_said) {
  const auto error = [](std::vector<std::string> frozen) {
    return limpid_test::error_of([&] {
      auto options = small_options(0);
      options.frozen = std::move(frozen);
      TwoTasks trainer{options};
      trainer.branch<"deblur">(Branch{});
    });
  };
  BOOST_TEST(error({"encodr"}) ==
             "expected a part of the model to freeze (encoder, decoder.deblur ...), got 'encodr'");
  BOOST_TEST(error({"encoder", "decoder"}) == "everything is frozen; nothing is left to train");
  BOOST_TEST(error({"encoder", "decoder.deblur"}) ==
             "branch: nothing of task 'deblur' trains: TrainerOptions::frozen has its decoder and "
             "the encoder");
}

BOOST_AUTO_TEST_CASE(adapters_learn_on_a_frozen_encoder_and_resume_to_the_same_bits) {
  using Model = MultiTaskModel<BackboneEncoder, TinyDecoder<"deblur">, TinyDecoder<"dehaze">>;
  torch::manual_seed(4);
  const Model made;
  const auto before = copies(*made);
  const auto run = [&](std::vector<std::int64_t> sittings) {
    TemporaryFolder folder;
    std::vector<at::Tensor> weights;
    torch::manual_seed(5);  // of the adapters
    for (const auto steps : sittings) {
      auto options = small_options(0);
      options.out = folder / "run";
      options.start = Start::resume;
      options.stop_after = steps;
      options.frozen = {"encoder", "decoder.deblur"};
      const Model model{limpid::detail::deep_copy(made)};
      AnyTrainer trainer{options, with_adapters(model, {{"dehaze", {.rank = 2}}})};
      trainer.branch("dehaze", Branch{.pairs = DarkPictures{}});
      trainer.fit();
      BOOST_TEST(equal(copies(*model->encoder()), copies(*made->encoder())));
      weights = copies(*trainer.model().module);
    }
    return weights;
  };
  const auto whole = run({12});
  BOOST_TEST(whole.size() == before.size() + 4);  // up and down of two convolutions
  BOOST_TEST(equal(run({3, 9}), whole));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
