#include <limpid/datasets/degraded_photos.hpp>
#include <limpid/datasets/loader.hpp>
#include <limpid/degradations/named_degradations.hpp>
#include <support/degradations.hpp>
#include <support/errors.hpp>
#include <support/images.hpp>

#include <torch/torch.h>
#include <boost/test/unit_test.hpp>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace {

using limpid::DegradedPhotos, limpid::Image, limpid::ImagePair, limpid::Pairs, limpid::PairSource,
    limpid::Random;
using limpid_test::error_of;
using namespace limpid_test;

const auto darken = [](const at::Tensor& image, Random& random) {
  TORCH_CHECK(image.dim() == 3);
  return image * random.uniform(0.1, 0.9);
};

static_assert(PairSource<DegradedPhotos>);

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

BOOST_AUTO_TEST_CASE(a_degradation_that_makes_what_is_no_number_names_the_photograph) {
  const auto divide = [](const at::Tensor& image, Random&) { return image / 0.0; };
  const Pairs pairs = DegradedPhotos{folder.path(), divide};
  BOOST_TEST(error_of([&] { pairs.load(1, 0); }) ==
             "'" + (folder / "b.png").string() +
                 "': Image: expected finite values, got NaN or infinity");
}

BOOST_AUTO_TEST_CASE(large_photographs_are_shrunk) {
  const Pairs pairs = DegradedPhotos{folder.path(), darken, {.long_side = 15}};
  BOOST_TEST(pairs.load(0).target.height() == 8);
  BOOST_TEST(pairs.load(0).target.width() == 15);
  BOOST_TEST(pairs.load(1).degraded.height() == 15);
  BOOST_TEST(pairs.load(1).degraded.width() == 8);
}

BOOST_AUTO_TEST_CASE(misuse_is_named) {
  BOOST_TEST(limpid_test::value_error_of([&] {
               return DegradedPhotos{folder.path(), darken, {.draws_per_variant = 0}};
             }) == "DegradedPhotos: draws_per_variant must be at least 1, got 0");
  BOOST_CHECK_THROW((DegradedPhotos{folder / "none", darken}), c10::Error);
  const Pairs blurred = DegradedPhotos{folder.path(), limpid::degradation_for("deblur")};
  BOOST_TEST(error_of([&] { return blurred.load(0); }) ==
             "'" + (folder / "a.png").string() +
                 "': motion_blur: expected sides of at least 16 pixels, got [3, 10, 20]");
  const Pairs whole = DegradedPhotos{folder.path(), darken};
  BOOST_TEST(!whole.makes_parts());
  BOOST_TEST(error_of([&] { return whole.base(9); }) == "Pairs: expected an index below 2, got 9");
}

/// The same pairs without their parts.
struct Whole {
  DegradedPhotos photos;
  std::int64_t size() const { return photos.size(); }
  std::string name(std::int64_t i) const { return photos.name(i); }
  ImagePair load(std::int64_t i, std::int64_t draw) const { return photos.load(i, draw); }
  std::int64_t variant(std::int64_t draw) const { return photos.variant(draw); }
};

BOOST_AUTO_TEST_CASE(a_crop_made_alone_is_the_crop_of_the_whole) {
  TemporaryFolder larger;
  const std::vector<std::pair<int, int>> sizes{{40, 70}, {90, 33}, {16, 24}};
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    const auto [height, width] = sizes[i];
    const auto photo = made_up_photo(height, width);
    save(Image::from_unit(photo), larger / (std::to_string(i) + ".png"));
  }
  for (const auto& name : limpid::kDegradations.names()) {
    const DegradedPhotos photos{
        larger.path(), limpid::named_degradation({name}), {.seed = 9, .draws_per_variant = 1}};
    for (const std::int64_t crop : {8, 24, 64}) {
      for (const std::int64_t cache_mb : {0, 1}) {
        const limpid::LoaderOptions options{.batch_size = 3, .crop = crop, .cache_mb = cache_mb};
        limpid::PairLoader parts{photos, options}, whole{Whole{photos}, options};
        BOOST_TEST(!whole.pairs().makes_parts());
        for (int step = 0; step < 6; ++step) {
          const auto a = parts.next(), b = whole.next();
          BOOST_TEST(a.degraded.equal(b.degraded), name << ", crop " << crop);
          BOOST_TEST(a.target.equal(b.target), name << ", crop " << crop);
        }
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(what_is_kept_of_a_photograph_serves_all_its_draws) {
  TemporaryFolder one;
  save(picture(40, 24, 1), one / "a.png");
  const Pairs pairs = DegradedPhotos{one.path(), limpid::Noise{}, {.draws_per_variant = 1}};
  BOOST_REQUIRE(pairs.makes_parts());
  limpid::PairCache cache{1 << 20};
  const auto base = cache.get({0, 0}, [&] { return pairs.base(0).load(); });
  BOOST_TEST(cache.bytes() == 3 * 40 * 24);  // one picture, not two
  const auto first = pairs.part(base, 0, 0, {2, 3, 10, 12});
  BOOST_TEST((first.target == base.target.crop(2, 3, 10, 12)));
  BOOST_TEST(!(pairs.part(base, 0, 1, {2, 3, 10, 12}).degraded == first.degraded));
}

BOOST_AUTO_TEST_SUITE_END()
}  // namespace
