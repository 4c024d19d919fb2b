// The switch `convolution` of trainer and restorer.
#include <limpid/decoders/resnet.hpp>
#include <limpid/encoders/resnet.hpp>
#include <limpid/inference/restorer.hpp>
#include <limpid/kernels/winograd_rule.hpp>
#include <limpid/losses/content/l1.hpp>
#include <limpid/training/trainer.hpp>
#include <support/errors.hpp>
#include <support/tiny.hpp>

#include <torch/torch.h>
#include <boost/test/unit_test.hpp>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

namespace {

using namespace limpid;
using limpid_test::DarkPictures;

using Trainer = MultiTaskTrainer<ResNetEncoder, ResNetDecoder<"deblur">>;

/// A network whose blocks are wide enough for the fast convolution.
Trainer trainer(TrainerOptions options) {
  torch::manual_seed(0);
  options.crop = 32;
  options.quiet = true;
  Trainer trainer{options, ResNetEncoder{ResNetEncoderOptions{.width = 8, .blocks = 2}},
                  ResNetDecoder<"deblur">{ResNetDecoderOptions{.width = 8}}};
  trainer.branch<"deblur">(Branch{.pairs = DarkPictures{}, .batch_size = 1, .content = L1{}});
  return trainer;
}

/// All weights after some steps on given batches.
std::vector<at::Tensor> after_steps(TrainerOptions options, int steps) {
  auto run = trainer(std::move(options));
  torch::manual_seed(1);
  for (int step = 0; step < steps; ++step) {
    run.step({{torch::rand({1, 3, 96, 96}) * 2 - 1, torch::rand({1, 3, 96, 96}) * 2 - 1}});
  }
  return run.model()->parameters();
}

bool all_equal(const std::vector<at::Tensor>& a, const std::vector<at::Tensor>& b) {
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (!torch::equal(a[i], b[i])) return false;
  }
  return true;
}

BOOST_AUTO_TEST_SUITE(convolution)

BOOST_AUTO_TEST_CASE(two_steps_of_training_agree_and_only_exact_is_libtorchs_to_the_bit) {
  const auto exact = after_steps({.convolution = Convolution::exact}, 2),
             fast = after_steps({.convolution = Convolution::fast}, 2);
  for (std::size_t i = 0; i < exact.size(); ++i) {
    // Of a bias before a norm the gradient is rounding alone, and Adam's first steps are of full
    // length whatever the gradient's.
    if (exact[i].dim() == 1 && i + 1 < exact.size()) continue;
    const auto off = (fast[i] - exact[i]).abs().max() / exact[i].abs().max();
    BOOST_TEST(off.item<double>() < 1e-4, "parameter " << i);
  }
  BOOST_TEST(all_equal(exact, after_steps({.convolution = Convolution::exact}, 2)));
  BOOST_TEST(all_equal(fast, after_steps({.convolution = Convolution::fast}, 2)));
  // The switch arrives where convolutions are computed.
  BOOST_TEST(all_equal(exact, fast) != limpid::detail::machine_has_winograd());
}

BOOST_AUTO_TEST_CASE(blocks_that_are_computed_again_make_the_same_steps_to_the_bit) {
  for (const auto convolution : {Convolution::exact, Convolution::fast}) {
    // The blocks have dropout and instance norm.
    const auto kept = after_steps({.convolution = convolution}, 2);
    const auto again = after_steps({.checkpoint_blocks = true, .convolution = convolution}, 2);
    BOOST_TEST(all_equal(kept, again), name_of(convolution));
  }
}

BOOST_AUTO_TEST_CASE(the_restorers_switch_arrives_too) {
  auto run = trainer({});
  torch::manual_seed(2);
  const auto picture = Image::from_unit(torch::rand({3, 96, 96}));
  const auto restored = [&](Convolution convolution) {
    Restorer restorer{run.model(), RestorerOptions{.convolution = convolution}};
    return restorer.restore<"deblur">(picture).unit();
  };
  const auto exact = restored(Convolution::exact), fast = restored(Convolution::fast);
  BOOST_TEST(torch::allclose(exact, fast, 0, 1.01 / 255));  // pictures have 8 bits
  BOOST_TEST(torch::equal(exact, restored(Convolution::exact)));
  BOOST_TEST(torch::equal(exact, fast) != limpid::detail::machine_has_winograd());
}

/// The bytes of a finished run's model, trained in sittings of so many steps.
std::string trained_in_sittings(std::int64_t steps) {
  limpid_test::TemporaryFolder folder;
  TrainerOptions options{.out = folder.path(),
                         .length = Steps{4},
                         .rate = 1e-3,
                         .convolution = Convolution::fast,
                         .start = Start::resume,
                         .stop_after = steps};
  while (trainer(options).fit() == FitResult::stopped) {
  }
  const auto file = limpid::detail::read_with_manifest(folder / "model.limpid", "model");
  std::string bytes;
  for (const auto& [name, tensor] : file.tensors) {
    bytes.append(static_cast<const char*>(tensor.data_ptr()), tensor.nbytes());
  }
  return bytes;
}

BOOST_AUTO_TEST_CASE(a_resumed_run_equals_one_that_never_stopped_to_the_bit) {
  const auto whole = trained_in_sittings(0);
  BOOST_TEST(!whole.empty());
  BOOST_TEST((trained_in_sittings(1) == whole));
}

BOOST_AUTO_TEST_CASE(the_switch_is_recorded_and_a_resume_with_another_is_refused) {
  limpid_test::TemporaryFolder folder;
  TrainerOptions options{.out = folder.path(),
                         .length = Steps{3},
                         .convolution = Convolution::exact,
                         .start = Start::resume,
                         .stop_after = 1};
  trainer(options).fit();
  const auto model = limpid::detail::read_with_manifest(folder / "model.limpid", "model");
  BOOST_TEST(model.manifest.at("convolution") == "exact");
  options.convolution = Convolution::fast;
  const auto text = limpid_test::error_of([&] { trainer(options).fit(); });
  BOOST_TEST((text.find("started with /convolution = \"exact\", and this one has \"fast\"") !=
              std::string::npos),
             text);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
