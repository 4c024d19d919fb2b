#include <limpid/degradations/snow.hpp>
#include <support/errors.hpp>

#include <torch/torch.h>
#include <boost/test/unit_test.hpp>

#include <cmath>
#include <cstdint>

using namespace limpid;
using limpid_test::error_of;

namespace {

const auto kWindow = Window::whole(41, 41);

/// A round flake of radius 4 in the middle of a picture of 41 x 41 pixels.
Snow::Flake disc(float strength) {
  Snow::Flake flake;
  flake.y = flake.x = 20.5f;
  flake.radius = 4;
  flake.strength = strength;
  flake.edge = 1;
  return flake;
}

float value(const at::Tensor& image, int y, int x) { return image[0][y][x].item<float>(); }

}  // namespace

BOOST_AUTO_TEST_SUITE(snow, *boost::unit_test::tolerance(1e-5f))

BOOST_AUTO_TEST_CASE(a_flake_hides_half_at_its_outline_and_nothing_beyond_its_soft_edge) {
  Snow::Drawn drawn;
  drawn.flakes = {disc(0.8f)};
  const auto snowy = drawn(torch::full({3, 41, 41}, 0.25f), kWindow);
  BOOST_TEST(value(snowy, 20, 20) == 0.2f * 0.25f + 0.8f);
  BOOST_TEST(value(snowy, 20, 24) == 0.6f * 0.25f + 0.4f);
  BOOST_TEST(value(snowy, 16, 20) == 0.6f * 0.25f + 0.4f);
  BOOST_TEST(value(snowy, 20, 26) == 0.25f);
}

BOOST_AUTO_TEST_CASE(what_one_flake_lets_through_the_next_one_may_hide) {
  Snow::Drawn drawn;
  drawn.flakes = {disc(0.8f), disc(0.5f)};
  drawn.white = 0.9f;
  const auto snowy = drawn(torch::zeros({3, 41, 41}), kWindow);
  BOOST_TEST(value(snowy, 20, 20) == 0.9f * (1 - 0.2f * 0.5f));
}

BOOST_AUTO_TEST_CASE(flakes_lie_before_the_veil) {
  Snow::Drawn drawn;
  drawn.flakes = {disc(1)};
  drawn.veil = {torch::ones({41, 41}), std::log(4.0f)};
  drawn.airlight = 0.8f;
  const auto snowy = drawn(torch::full({3, 41, 41}, 0.4f), kWindow);
  BOOST_TEST(value(snowy, 2, 2) == 0.25f * 0.4f + 0.75f * 0.8f);
  BOOST_TEST(value(snowy, 20, 20) == 1.0f);
}

BOOST_AUTO_TEST_CASE(a_flake_that_moves_is_drawn_along_its_way) {
  auto flake = disc(1);
  flake.dy = 6;
  BOOST_TEST(flake.at(0, 0) == 1.0f);
  BOOST_TEST(flake.at(6, 0) == 1.0f);
  BOOST_TEST(flake.at(10, 0) == 0.5f);
  BOOST_TEST(flake.at(-10, 0) == 0.5f);
  BOOST_TEST(flake.at(3, 4) == 0.5f);
  BOOST_TEST(flake.at(0, -6) == 0.0f);
}

BOOST_AUTO_TEST_CASE(small_flakes_are_more_frequent_and_those_that_move_hide_less) {
  Random random{4};
  const Snow snow{.density = 5, .radius = {1, 4}, .way = 8, .opacity = 1};
  const auto drawn = snow.drawn_for(300, 400, random);
  std::int64_t small = 0;
  for (const auto& flake : drawn.flakes) {
    if (flake.radius < 1.6f) ++small;  // half of all by r^-2: 1 / (1 - u + u / 4) < 1.6
    const auto still = 2 * flake.radius / (2 * flake.radius + 2 * flake.half_way());
    BOOST_TEST(flake.strength <= still * 1.0001f);
    BOOST_TEST(flake.strength >= 0.4999f * still);
  }
  const auto count = static_cast<double>(drawn.flakes.size());
  BOOST_TEST(std::abs(count - 0.005 * (300 + 16) * (400 + 16)) <= 1.0);
  BOOST_TEST(std::abs(static_cast<double>(small) - count / 2) < 3 * 0.5 * std::sqrt(count));
}

BOOST_AUTO_TEST_CASE(options_out_of_range_are_named) {
  Random random{1};
  BOOST_TEST(error_of([&] {
               return Snow{.radius = {0, 5}}(torch::rand({3, 20, 20}), random);
             }) == "Snow: radius must be positive, got 0:5");
}

BOOST_AUTO_TEST_SUITE_END()
