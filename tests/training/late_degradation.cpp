#include <limpid/datasets/degraded_photos.hpp>
#include <limpid/degradations/motion_blur.hpp>
#include <limpid/training/trainer.hpp>
#include <support/degradations.hpp>
#include <support/errors.hpp>
#include <support/images.hpp>
#include <support/tiny.hpp>

#include <torch/torch.h>
#include <boost/test/unit_test.hpp>

#include <cstdint>
#include <string>
#include <utility>

// Training on photographs that are degraded where the network trains.
namespace {

using namespace limpid;
using limpid_test::TemporaryFolder, limpid_test::TinyDecoder, limpid_test::TinyEncoder;
using TinyTrainer = MultiTaskTrainer<TinyEncoder, TinyDecoder<"deblur">>;

struct Photos {
  TemporaryFolder folder;
  Photos() {
    for (int i = 0; i < 3; ++i) {
      limpid_test::save(Image::from_unit(limpid_test::made_up_photo(48 + 9 * i, 60)),
                        folder / ("photo" + std::to_string(i) + ".png"));
    }
  }

  TinyTrainer trainer(TrainerOptions options, DegradeOn on = DegradeOn::device) const {
    options.crop = 24;
    options.seed = 6;
    options.quiet = true;
    options.rate = 1e-3;
    TinyTrainer trainer{options};
    const Pairs pairs = DegradedPhotos{folder.path(), MotionBlur{.size = {3, 9}}, {.on = on}};
    trainer.branch<"deblur">(Branch{.pairs = pairs, .validation = pairs, .batch_size = 2});
    return trainer;
  }

  /// The weights of a finished run, trained in sittings of so many steps; 0: in one.
  TensorMap trained_in_sittings(std::int64_t steps) const {
    TemporaryFolder out;
    while (true) {
      auto sitting = trainer(
          {.out = out.path(), .length = Steps{5}, .start = Start::resume, .stop_after = steps});
      if (sitting.fit() == FitResult::finished) return AnyModel{sitting.model()}.tensors();
    }
  }
};

BOOST_FIXTURE_TEST_SUITE(training_with_late_degradation, Photos)

BOOST_AUTO_TEST_CASE(a_run_resumed_in_the_middle_equals_one_that_never_stopped_to_the_bit) {
  const auto whole = trained_in_sittings(0);
  const auto resumed = trained_in_sittings(2);
  BOOST_TEST(!whole.empty());
  for (const auto& [name, tensor] : whole) BOOST_TEST(tensor.equal(resumed.at(name)), name);
}

BOOST_AUTO_TEST_CASE(a_resume_that_degrades_elsewhere_is_refused) {
  TemporaryFolder out;
  const TrainerOptions options{
      .out = out.path(), .length = Steps{3}, .start = Start::resume, .stop_after = 1};
  trainer(options).fit();
  const auto text = limpid_test::error_of([&] { trainer(options, DegradeOn::loader).fit(); });
  BOOST_TEST(text.find("started with /branches/deblur/degraded_on = \"device\"") != text.npos,
             text);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
