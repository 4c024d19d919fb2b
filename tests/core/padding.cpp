#include <limpid/core/padding.hpp>

#include <torch/torch.h>
#include <boost/test/unit_test.hpp>

#include <cstdint>
#include <vector>

namespace {

using limpid::apply_skip, limpid::crop_image, limpid::GlobalSkip, limpid::ImagePadding,
    limpid::pad_image, limpid::PaddingMode;

static_assert(ImagePadding{}.padded(1) == 1);
static_assert(ImagePadding{.multiple = 4, .min_side = 8}.padded(1) == 8);
static_assert(ImagePadding{.multiple = 4, .min_side = 8}.padded(8) == 8);
static_assert(ImagePadding{.multiple = 4, .min_side = 8}.padded(9) == 12);
static_assert(ImagePadding{.multiple = 4, .min_side = 10}.padded(3) == 12);

at::Tensor row(const std::vector<float>& values) {
  return torch::tensor(values).view({1, 1, 1, -1});
}

/// Two equal rows, so that the columns are mirrored.
at::Tensor two_rows(const std::vector<float>& values) { return row(values).repeat({1, 1, 2, 1}); }

at::Tensor first_row(const at::Tensor& image) { return image.narrow(2, 0, 1); }

BOOST_AUTO_TEST_SUITE(padding)

BOOST_AUTO_TEST_CASE(an_image_of_any_size_is_padded_as_asked_and_cropped_back) {
  torch::manual_seed(0);
  for (const auto mode : {PaddingMode::reflect, PaddingMode::zeros}) {
    for (const std::int64_t multiple : {1, 4, 16}) {
      for (const std::int64_t min_side : {1, 8, 20}) {
        const ImagePadding padding{multiple, min_side, mode};
        for (std::int64_t height = 1; height <= 9; ++height) {
          for (const std::int64_t width : {1, 2, 3, 7, 16, 23}) {
            const auto image = torch::rand({2, 3, height, width});
            const auto padded = pad_image(image, padding);
            BOOST_REQUIRE(padded.size(2) == padding.padded(height));
            BOOST_REQUIRE(padded.size(3) == padding.padded(width));
            BOOST_REQUIRE(torch::equal(crop_image(padded, height, width), image));
          }
        }
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(padding_mirrors_the_image_without_its_border) {
  const auto padded = pad_image(two_rows({0, 1, 2, 3}), {.multiple = 6});
  BOOST_TEST(padded.size(2) == 6);
  BOOST_TEST(torch::equal(first_row(padded), row({0, 1, 2, 3, 2, 1})));
}

BOOST_AUTO_TEST_CASE(a_small_image_is_mirrored_again_and_again) {
  const auto padded = pad_image(two_rows({0, 1}), {.multiple = 8});
  BOOST_TEST(torch::equal(first_row(padded), row({0, 1, 0, 1, 0, 1, 0, 1})));
  const auto image = torch::arange(6).to(torch::kFloat).view({1, 1, 2, 3});
  const auto both = pad_image(image, {.multiple = 1, .min_side = 7});
  BOOST_TEST(torch::equal(first_row(both), row({0, 1, 2, 1, 0, 1, 2})));
  BOOST_TEST(torch::equal(both.select(3, 0).flatten(),
                          torch::tensor({0., 3., 0., 3., 0., 3., 0.}, torch::kFloat)));
}

BOOST_AUTO_TEST_CASE(a_single_row_or_column_is_replicated) {
  BOOST_TEST(torch::equal(pad_image(row({5}), {.multiple = 4}), torch::full({1, 1, 4, 4}, 5.0f)));
  const auto padded = pad_image(row({0, 1, 2}), {.multiple = 4});
  for (std::int64_t y = 0; y < 4; ++y) {
    BOOST_TEST(torch::equal(padded.narrow(2, y, 1), row({0, 1, 2, 2})));
  }
}

BOOST_AUTO_TEST_CASE(zeros_stand_where_they_are_asked_for) {
  const auto padded = pad_image(row({1, 2, 3}), {.multiple = 4, .mode = PaddingMode::zeros});
  BOOST_TEST(torch::equal(first_row(padded), row({1, 2, 3, 0})));
  BOOST_TEST(padded.narrow(2, 1, 3).abs().max().item<float>() == 0);
}

BOOST_AUTO_TEST_CASE(an_image_that_fits_is_not_copied) {
  const auto image = torch::rand({1, 3, 16, 24});
  BOOST_TEST(pad_image(image, {.multiple = 8, .min_side = 16}).is_same(image));
  BOOST_TEST(crop_image(image, 16, 24).is_same(image));
}

BOOST_AUTO_TEST_CASE(gradients_flow_through_padding_and_crop) {
  const auto image = torch::rand({1, 1, 3, 5}).requires_grad_();
  crop_image(pad_image(image, {.multiple = 8}), 3, 5).sum().backward();
  BOOST_TEST(torch::equal(image.grad(), torch::ones_like(image)));
}

BOOST_AUTO_TEST_CASE(a_skip_adds_the_degraded_image_as_it_says) {
  const auto degraded = row({-0.75, 0, 0.5}), decoded = row({-0.5, 0.25, 1});
  BOOST_TEST(torch::equal(apply_skip(GlobalSkip::clamped, degraded, decoded), row({-1, 0.25, 1})));
  BOOST_TEST(
      torch::equal(apply_skip(GlobalSkip::plain, degraded, decoded), row({-1.25, 0.25, 1.5})));
  BOOST_TEST(apply_skip(GlobalSkip::none, degraded, decoded).is_same(decoded));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
