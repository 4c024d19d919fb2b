#include <limpid/datasets/degraded_photos.hpp>
#include <support/images.hpp>

#include <torch/torch.h>
#include <boost/test/unit_test.hpp>

#include <string>

namespace {

using limpid::DegradedPhotos, limpid::Image, limpid::Pairs, limpid::PairSource, limpid::Random;
using namespace limpid_test;

const auto darken = [](const at::Tensor& image, Random& random) {
  TORCH_CHECK(image.dim() == 3);
  return image * random.uniform(0.1, 0.9);
};

static_assert(PairSource<DegradedPhotos<decltype(darken)>>);

struct Photos {
  TemporaryFolder folder;
  Photos() {
    save(picture(10, 20, 1), folder / "a.png");
    save(picture(30, 15, 2), folder / "b.png");
  }
};

BOOST_FIXTURE_TEST_SUITE(degraded_photos, Photos)

BOOST_AUTO_TEST_CASE(the_target_is_the_photograph_and_the_draw_decides_the_degradation) {
  const Pairs pairs = DegradedPhotos{folder.path(), darken, {.seed = 3, .draws_per_variant = 2}};
  BOOST_TEST(pairs.size() == 2);
  BOOST_TEST(pairs.name(1) == "b");
  const auto drawn = pairs.load(0, 0);
  BOOST_TEST((drawn.target == picture(10, 20, 1)));
  BOOST_TEST(!(drawn.degraded == drawn.target));
  BOOST_TEST((pairs.load(0, 1).degraded == drawn.degraded));
  BOOST_TEST(!(pairs.load(0, 2).degraded == drawn.degraded));
  BOOST_TEST(pairs.variant(1) == pairs.variant(0));
  BOOST_TEST(pairs.variant(2) != pairs.variant(0));
  auto random = Random::stream(3, {0, 1});
  BOOST_TEST((pairs.load(0, 2).degraded ==
              Image::from_unit(darken(picture(10, 20, 1).unit()[0], random))));
  const Pairs others = DegradedPhotos{folder.path(), darken, {.seed = 4}};
  BOOST_TEST(!(others.load(0, 0).degraded == drawn.degraded));
}

BOOST_AUTO_TEST_CASE(large_photographs_are_shrunk) {
  const Pairs pairs = DegradedPhotos{folder.path(), darken, {.long_side = 15}};
  BOOST_TEST(pairs.load(0).target.height() == 8);
  BOOST_TEST(pairs.load(0).target.width() == 15);
  BOOST_TEST(pairs.load(1).degraded.height() == 15);
  BOOST_TEST(pairs.load(1).degraded.width() == 8);
}

BOOST_AUTO_TEST_CASE(misuse_is_named) {
  BOOST_CHECK_EXCEPTION((DegradedPhotos{folder.path(), darken, {.draws_per_variant = 0}}),
                        c10::ValueError, [](const auto& error) {
                          return std::string(error.what_without_backtrace()) ==
                                 "DegradedPhotos: draws_per_variant must be at least 1, got 0";
                        });
  BOOST_CHECK_THROW((DegradedPhotos{folder / "none", darken}), c10::Error);
}

BOOST_AUTO_TEST_SUITE_END()
}  // namespace
