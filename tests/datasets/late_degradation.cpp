#include <limpid/datasets/late_degradation.hpp>

#include <limpid/datasets/degraded_photos.hpp>
#include <limpid/datasets/loader.hpp>
#include <limpid/degradations/named_degradations.hpp>
#include <support/degradations.hpp>
#include <support/errors.hpp>
#include <support/images.hpp>

#include <torch/torch.h>
#include <boost/test/unit_test.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

// Photographs degraded as whole batches where the network trains, beside those that the loader
// degrades.
namespace {

using namespace limpid;
using namespace limpid_test;

struct Photos {
  TemporaryFolder folder;
  Photos() {
    save(Image::from_unit(made_up_photo(96, 120)), folder / "a.png");
    save(Image::from_unit(made_up_photo(20, 75).flip(2)), folder / "b.png");
  }

  Pairs pairs(const AnyDegradation& degradation, DegradeOn on) const {
    return DegradedPhotos{
        folder.path(), degradation, {.seed = 3, .draws_per_variant = 1, .on = on}};
  }
};

const LoaderOptions kSmall{.batch_size = 4, .crop = 32, .seed = 5, .workers = 0};

BOOST_FIXTURE_TEST_SUITE(late_degradation, Photos)

BOOST_AUTO_TEST_CASE(crops_flips_and_turns_are_those_of_the_loader) {
  for (const std::int64_t crop : {8, 32, 100}) {  // one is larger than both photographs are high
    auto options = kSmall;
    options.crop = crop;
    for (const auto& nothing :
         {AnyDegradation{Noise{.sigma = 0}}, AnyDegradation{MotionBlur{.size = 1e-6}}}) {
      PairLoader whole{pairs(nothing, DegradeOn::loader), options};
      PairLoader late{pairs(nothing, DegradeOn::device), options};
      for (int step = 0; step < 8; ++step) {
        const auto expected = whole.next();
        const auto made = late.next();
        BOOST_TEST(torch::allclose(made.target, expected.target, 0, 1e-6));
        BOOST_TEST(torch::allclose(made.degraded, expected.target, 0, 1e-6));
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(the_pairs_have_the_distribution_of_the_loaders) {
  // One that needs a margin, one that needs to know the place, one that needs neither.
  for (const std::string name : {"motion-blur", "haze", "noise"}) {
    BOOST_TEST_CONTEXT(name) {
      const auto degradation = named_degradation({name});
      const auto figures = [&](DegradeOn on, std::uint64_t seed) {
        auto options = kSmall;
        options.batch_size = 32;
        options.seed = seed;
        PairLoader loader{pairs(degradation, on), options};
        std::vector<at::Tensor> all;
        for (int step = 0; step < 4; ++step) {
          const auto batch = loader.next();
          all.push_back(figures_of_change(batch.target / 2 + 0.5, batch.degraded / 2 + 0.5));
        }
        return torch::cat(all);
      };
      check_same_distribution(figures(DegradeOn::device, 1), figures(DegradeOn::loader, 2));
    }
  }
}

BOOST_AUTO_TEST_CASE(blur_and_haze_of_a_crop_are_those_of_the_whole_photograph) {
  // One photograph, so that both know what is drawn: the batch's stream, one picture each.
  const auto photo = Image::from_unit(made_up_photo(96, 120));
  for (const auto& degradation : {AnyDegradation{MotionBlur{}}, AnyDegradation{Haze{}}}) {
    limpid::detail::CleanBatch clean{3, 32, degradation.batch_margin()};
    const std::vector<limpid::detail::CropPlan> plans{{0, 0}, {64, 88}, {30, 41}};
    for (std::size_t i = 0; i < plans.size(); ++i) clean.take(i, photo, plans[i]);
    const auto made = limpid::detail::degraded_batch(clean, degradation, Random{9}, at::kCPU);
    Random random{9};
    for (std::size_t i = 0; i < plans.size(); ++i) {
      const auto whole = degradation(photo.unit()[0], random);
      const auto expected = whole.narrow(1, plans[i].top, 32).narrow(2, plans[i].left, 32);
      const auto found = made.degraded[static_cast<std::int64_t>(i)] / 2 + 0.5;
      BOOST_TEST((found - expected).abs().max().item<float>() < 0.01f);
    }
  }
}

BOOST_AUTO_TEST_CASE(everything_follows_from_the_seeds_and_the_number_of_the_batch) {
  const auto blurred = pairs(MotionBlur{}, DegradeOn::device);
  PairLoader loader{blurred, kSmall};
  std::vector<Batch> batches;
  for (int i = 0; i < 4; ++i) batches.push_back(loader.next());
  BOOST_TEST(!batches[0].degraded.equal(batches[2].degraded));
  auto options = kSmall;
  options.workers = 2;
  PairLoader others{blurred, options};
  for (const int i : {2, 3, 0, 1}) {
    others.seek(i);
    BOOST_TEST(others.next().degraded.equal(batches[static_cast<std::size_t>(i)].degraded));
  }
  const Pairs reseeded =
      DegradedPhotos{folder.path(), MotionBlur{}, {.seed = 4, .on = DegradeOn::device}};
  const auto batch = PairLoader{reseeded, kSmall}.next();
  BOOST_TEST(batch.target.equal(batches[0].target));
  BOOST_TEST(!batch.degraded.equal(batches[0].degraded));
}

BOOST_AUTO_TEST_CASE(a_degradation_without_batches_takes_one_picture_after_another) {
  const AnyDegradation darker{
      [](const at::Tensor& image, Random& random) { return image * random.uniform(0.2, 0.6); },
      "darker"};
  const auto dark = pairs(darker, DegradeOn::device);
  BOOST_TEST(dark.description() == "photographs of '" + folder.path().string() +
                                       "' with darker picture by picture on the device that "
                                       "trains, seed 3");
  const auto batch = PairLoader{dark, kSmall}.next();
  const auto share = ((batch.degraded + 1) / (batch.target + 1).clamp_min(0.2)).amax({1, 2, 3});
  BOOST_TEST(share.min().item<float>() < share.max().item<float>());
  BOOST_TEST(share.max().item<float>() < 0.62f);
}

BOOST_AUTO_TEST_CASE(whole_pairs_and_parts_of_the_list_stay_as_they_are) {
  const auto late = pairs(Haze{}, DegradeOn::device);
  const auto usual = pairs(Haze{}, DegradeOn::loader);
  BOOST_TEST((late.load(1).degraded == usual.load(1).degraded));
  BOOST_TEST((late.first(1).late_degradation() == late.late_degradation()));
  BOOST_TEST((usual.late_degradation() == nullptr));
}

BOOST_AUTO_TEST_CASE(after_an_error_the_loader_stays_where_it_is) {
  int calls = 0;
  const AnyDegradation fails{[&calls](const at::Tensor& image, Random&) {
    TORCH_CHECK(calls++ > 0, "not yet");
    return image * 0.5;
  }};
  PairLoader loader{pairs(fails, DegradeOn::device), kSmall};
  BOOST_TEST(error_of([&] { loader.next(); }) == "not yet");
  BOOST_TEST(loader.position() == 0);
  loader.next();
  BOOST_TEST(loader.position() == 1);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
