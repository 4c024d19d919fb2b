#include <limpid/degradations/batch_tensors.hpp>

#include <limpid/degradations/frame_average.hpp>
#include <limpid/degradations/planes.hpp>
#include <support/degradations.hpp>

#include <torch/torch.h>
#include <boost/test/unit_test.hpp>

#include <cmath>
#include <cstdint>
#include <vector>

using namespace limpid;
using limpid::detail::mirrored;
using limpid_test::made_up_photo;

BOOST_AUTO_TEST_SUITE(batch_tensors)

BOOST_AUTO_TEST_CASE(a_margin_is_mirrored_as_often_as_it_takes) {
  const auto image = torch::arange(6, torch::kFloat).reshape({1, 1, 2, 3});
  const auto wide = with_mirrored_margin(image, 5);
  BOOST_TEST(wide.sizes() == torch::IntArrayRef({1, 1, 12, 13}));
  for (std::int64_t y = 0; y < 12; ++y) {
    for (std::int64_t x = 0; x < 13; ++x) {
      BOOST_TEST(wide[0][0][y][x].item<float>() ==
                 image[0][0][mirrored(y - 5, 2)][mirrored(x - 5, 3)].item<float>());
    }
  }
}

BOOST_AUTO_TEST_CASE(each_picture_meets_its_own_kernel) {
  const auto images = torch::stack({made_up_photo(20, 24), made_up_photo(20, 24).flip(2)});
  auto right = torch::zeros({3, 3});
  right[1][2] = 1;  // the pixel to the right
  auto down = torch::zeros({5, 5});
  down[4][2] = 0.5;  // half of the one two rows below
  const auto result = correlated(images, stacked_kernels({right, down}, at::kCPU));
  BOOST_TEST(result[0].narrow(2, 0, 23).equal(images[0].narrow(2, 1, 23)));
  BOOST_TEST(result[0].select(2, 23).equal(images[0].select(2, 22)));
  BOOST_TEST(result[1].narrow(1, 0, 18).allclose(0.5 * images[1].narrow(1, 2, 18)));
}

BOOST_AUTO_TEST_CASE(a_gaussian_has_its_deviation_and_none_leaves_the_picture) {
  auto dots = torch::zeros({2, 1, 41, 41});
  dots.select(2, 20).select(2, 20).fill_(1);
  const auto blurred = gaussian_blurred(dots, {0, 3});
  BOOST_TEST(blurred[0].equal(dots[0]));
  BOOST_TEST(std::abs(blurred[1].sum().item<float>() - 1) < 1e-4f);
  const auto away = (torch::arange(41, torch::kFloat) - 20).square();
  const auto variance = (blurred[1][0].sum(0) * away).sum().item<float>();
  BOOST_TEST(std::abs(variance - 9) < 0.3);  // the ends of the bell are cut at three deviations
  BOOST_TEST(gaussian_blurred(dots, {0, 0}).equal(dots));
}

BOOST_AUTO_TEST_CASE(places_between_pixels_are_bilinear_and_mirrored_beyond_the_border) {
  const auto image = torch::tensor({{0.f, 1.f, 2.f}, {3.f, 4.f, 5.f}}).reshape({1, 1, 2, 3});
  const auto at = [&](float row, float column) {
    return sampled_at(image, torch::full({1, 1, 1}, row), torch::full({1, 1, 1}, column))
        .item<float>();
  };
  BOOST_TEST(std::abs(at(0.5f, 0.25f) - 1.75f) < 1e-5f);
  BOOST_TEST(std::abs(at(1, 2) - 5) < 1e-5f);
  BOOST_TEST(std::abs(at(-1, 0) - 3) < 1e-5f);
  BOOST_TEST(std::abs(at(0, 2.5f) - 1.5f) < 1e-5f);
}

BOOST_AUTO_TEST_CASE(light_is_that_of_the_curve) {
  const auto stored = torch::linspace(0, 1, 33);
  for (const auto& curve :
       {ResponseCurve::none(), ResponseCurve::gamma(2.2), ResponseCurve::srgb()}) {
    const auto light = light_of(stored, curve);
    for (std::int64_t i = 0; i < 33; ++i) {
      BOOST_TEST(std::abs(light[i].item<double>() - curve.light(stored[i].item<double>())) < 1e-6);
    }
    BOOST_TEST(stored_of(light, curve).allclose(stored, 1e-5, 1e-6));
  }
}

BOOST_AUTO_TEST_CASE(values_are_rounded_as_a_file_rounds_them) {
  const auto values = torch::tensor({-0.5f, 0.4f / 255, 0.6f / 255, 100.4f / 255, 1.5f});
  const auto expected = torch::tensor({0.f, 0.f, 1.f, 100.f, 255.f}) / 255;
  BOOST_TEST(eight_bit_values(values).equal(expected));
}

BOOST_AUTO_TEST_SUITE_END()
