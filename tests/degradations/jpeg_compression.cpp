#include <limpid/degradations/jpeg_compression.hpp>
#include <limpid/degradations/webp_compression.hpp>
#include <support/degradations.hpp>
#include <support/errors.hpp>

#include <torch/torch.h>
#include <boost/test/unit_test.hpp>

#include <cstdint>
#include <vector>

using namespace limpid;
using limpid_test::error_of;

namespace {

double error(const at::Tensor& a, const at::Tensor& b) {
  return 255 * (a - b).square().mean().sqrt().item<double>();
}

}  // namespace

BOOST_AUTO_TEST_SUITE(jpeg_compression)

BOOST_AUTO_TEST_CASE(less_quality_loses_more_and_flat_pictures_lose_nothing) {
  const auto photo = limpid_test::made_up_photo(64, 96);
  double last = 0;
  for (const double quality : {100, 80, 40, 10}) {
    Random random{1};
    const auto lost = error(JpegCompression{.quality = quality, .coarse = 0}(photo, random), photo);
    BOOST_TEST(lost > last);
    last = lost;
  }
  BOOST_TEST(last > 5);
  Random random{1};
  const auto flat = torch::full({3, 33, 47}, 128 / 255.0f);
  BOOST_TEST(JpegCompression{.quality = 10}(flat, random).equal(flat));
}

BOOST_AUTO_TEST_CASE(coarse_colours_lose_colour_edges_and_fine_ones_keep_them) {
  // Stripes of one pixel, red and green of the same luma.
  const auto red = torch::arange(64).remainder(2).to(torch::kFloat).expand({64, 64});
  const auto photo = torch::stack({0.8 * red, 0.408 * (1 - red), 0 * red});
  Random random{1};
  BOOST_TEST(error(JpegCompression{.quality = 100, .coarse = 0}(photo, random), photo) < 3);
#if LIMPID_WITH_JPEG
  const auto coarse = JpegCompression{.quality = 100, .coarse = 1}(photo, random);
  const auto mean = photo.mean(c10::IntArrayRef{1, 2}, true).expand_as(photo);
  BOOST_TEST(error(coarse, mean) < 20);
  BOOST_TEST(error(coarse, photo) > 50);
#endif
}

BOOST_AUTO_TEST_CASE(tensors_lose_what_files_lose) {
  const auto photo = limpid_test::made_up_photo(80, 112);
  for (const int quality : {10, 30, 60, 90}) {
    for (const bool coarse : {false, true}) {
      if (coarse && !LIMPID_WITH_JPEG) continue;
      Random random{1};
      const JpegCompression jpeg{.quality = static_cast<double>(quality),
                                 .coarse = coarse ? 1.0 : 0.0};
      const auto file = jpeg(photo, random);
      const auto tensors = jpeg.batch(photo.unsqueeze(0), random)[0];
      const auto difference = (tensors - file).abs().mean().item<double>() * 255;
      BOOST_TEST(difference < 1, "quality " << quality << ": " << difference);
      BOOST_TEST(error(tensors, file) < 0.25 * error(file, photo) + 0.5);
    }
  }
}

BOOST_AUTO_TEST_CASE(blocks_of_a_crop_begin_where_they_do_in_its_photograph) {
  const auto photo = limpid_test::made_up_photo(64, 80);
  const Window window{21, 35, 32, 40};
  const auto crop = photo.narrow(1, 21, 32).narrow(2, 35, 40).unsqueeze(0);
  const JpegCompression jpeg{.quality = 20, .coarse = 0};
  Random random{1};
  const auto whole = jpeg.batch(photo.unsqueeze(0), random)[0].narrow(1, 21, 32).narrow(2, 35, 40);
  const std::vector<CropPlace> places{{window, 64, 80}};
  const auto placed = jpeg.batch(crop, places, random)[0];
  const auto inside =
      [](const at::Tensor& image) {  // whole blocks: rows 32 to 48, columns 40 to 72
        return image.narrow(1, 11, 16).narrow(2, 5, 32);
      };
  BOOST_TEST((inside(placed) - inside(whole)).abs().max().item<float>() < 1e-6f);
  BOOST_TEST(!inside(jpeg.batch(crop, random)[0]).equal(inside(whole)));
}

BOOST_AUTO_TEST_CASE(options_out_of_range_are_named) {
  Random random{1};
  BOOST_TEST(error_of([&] {
               return JpegCompression{.quality = {0, 50}}(torch::rand({3, 20, 20}), random);
             }) == "JpegCompression: quality must lie within 1:100, got 0:50");
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(webp_compression)

BOOST_AUTO_TEST_CASE(less_quality_loses_more_or_the_build_says_what_lacks) {
  const auto photo = limpid_test::made_up_photo(64, 96);
  Random random{1};
  if (!kWebp.missing.empty()) {
    BOOST_TEST(error_of([&] { return WebPCompression{}(photo, random); }) ==
               "WebPCompression: this build of limpid has no libwebp");
    return;
  }
  const auto good = error(WebPCompression{.quality = 95}(photo, random), photo);
  const auto poor = error(WebPCompression{.quality = 5}(photo, random), photo);
  BOOST_TEST(good > 0);
  BOOST_TEST(good < poor);
  BOOST_TEST(error_of([&] {
               return WebPCompression{.quality = {50, 100}}(photo, random);
             }) == "WebPCompression: quality must lie within 0:99, got 50:100");
}

BOOST_AUTO_TEST_SUITE_END()
