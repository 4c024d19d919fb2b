#include <limpid/decoders/pixel_unet.hpp>
#include <limpid/encoders/pixel_unet.hpp>
#include <limpid/recipes/quickstart.hpp>
#include <limpid/training/trainer.hpp>
#include <support/tiny.hpp>

#include <torch/torch.h>
#include <boost/test/unit_test.hpp>

#include <variant>

namespace {

using namespace limpid;
using limpid_test::DarkPictures;

BOOST_AUTO_TEST_SUITE(quickstart)

BOOST_AUTO_TEST_CASE(has_the_numbers_that_it_was_measured_with) {
  const auto recipe = recipes::quickstart();
  const auto& options = recipe.options;
  BOOST_TEST(recipe.batch_size("deblur") == 4);
  BOOST_TEST(std::get<Minutes>(options.length).count == 8);
  BOOST_TEST(options.rate == 1e-3);
  BOOST_TEST(options.schedule(1e-3, 20, 1000, 50) == 1e-3);  // the warm-up is over
  BOOST_TEST(options.schedule(1e-3, 0, 1000, 50) < 1e-4);
  BOOST_TEST(options.schedule(1e-3, 999, 1000, 50) == 1e-6);
  BOOST_TEST(options.clip_gradient_norm == 5);
  BOOST_TEST(options.crop == 128);
  BOOST_TEST(options.cache_mb == 256);
  BOOST_TEST((options.precision == Precision::automatic));
  BOOST_TEST(options.recipe == "quickstart");
}

BOOST_AUTO_TEST_CASE(a_branch_trains_on_small_pictures) {
  auto recipe = recipes::quickstart();
  recipe.batch = 2;
  auto options = recipe.options;
  options.length = Steps{2};
  options.crop = 32;
  options.quiet = true;
  BOOST_TEST(recipe.network.family == "pixel-unet");
  MultiTaskTrainer<PixelUNetEncoder, PixelUNetDecoder<"deblur">, PixelUNetDecoder<"derain">>
      trainer{options};
  auto branch = recipe.branch("deblur", DarkPictures{});
  BOOST_TEST(branch.pairs.size() == 4);
  BOOST_TEST(branch.batch_size == 2);
  BOOST_TEST(branch.content.name() == "psnr");
  BOOST_TEST(!branch.adversary);
  trainer.branch<"deblur">(std::move(branch));
  trainer.branch<"derain">(recipe.branch("derain", DarkPictures{}));
  const auto before = trainer.model()->encoder()->parameters()[0].detach().clone();
  BOOST_TEST((trainer.fit() == FitResult::finished));
  BOOST_TEST(trainer.steps_done() == 2);
  BOOST_TEST(!torch::equal(trainer.model()->encoder()->parameters()[0], before));
  for (const auto& parameter : trainer.model()->parameters()) {
    BOOST_TEST(parameter.isfinite().all().item<bool>());
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
