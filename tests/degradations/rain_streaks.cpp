#include <limpid/degradations/rain_streaks.hpp>
#include <support/errors.hpp>

#include <torch/torch.h>
#include <boost/test/unit_test.hpp>

#include <cmath>

using namespace limpid;
using limpid_test::error_of;

namespace {

const auto kWindow = Window::whole(65, 65);

/// One streak through the middle of a picture of 65 x 65 pixels.
RainStreaks::Drawn upright() {
  RainStreaks::Drawn drawn;
  drawn.streaks = {{.y = 32.5f, .x = 32.5f, .dy = 20, .dx = 0, .radius = 2, .strength = 0.5f}};
  return drawn;
}

float value(const at::Tensor& image, int y, int x) { return image[0][y][x].item<float>(); }

}  // namespace

BOOST_AUTO_TEST_SUITE(rain_streaks, *boost::unit_test::tolerance(1e-5f))

BOOST_AUTO_TEST_CASE(a_streak_has_half_its_light_at_its_radius_and_fades_along_its_way) {
  const auto rainy = upright()(torch::zeros({3, 65, 65}), kWindow);
  BOOST_TEST(value(rainy, 32, 32) == 0.5f);
  BOOST_TEST(value(rainy, 32, 34) == 0.25f);
  BOOST_TEST(value(rainy, 32, 30) == 0.25f);
  BOOST_TEST(value(rainy, 42, 32) == 0.5f * (1 - 1 / 16.0f));
  BOOST_TEST(value(rainy, 52, 32) == 0.0f);
  BOOST_TEST(value(rainy, 32, 45) == 0.0f);
}

BOOST_AUTO_TEST_CASE(streaks_cover_what_is_behind_them_or_are_added) {
  const auto grey = torch::full({3, 65, 65}, 0.5f);
  auto drawn = upright();
  BOOST_TEST(value(drawn(grey, kWindow), 32, 32) == 0.75f);
  drawn.gamma = 2;
  BOOST_TEST(value(drawn(grey, kWindow), 32, 32) == std::sqrt(0.25f + 0.5f * 0.75f));
  drawn.gamma = 1;
  drawn.screen = false;
  BOOST_TEST(value(drawn(0.6f * grey, kWindow), 32, 32) == 0.8f);
}

BOOST_AUTO_TEST_CASE(the_veil_takes_light_away_and_adds_its_own) {
  auto drawn = upright();
  drawn.veil = {torch::full({65, 65}, 0.5f), 2 * std::log(2.0f)};
  drawn.airlight = 0.8f;
  const auto rainy = drawn(torch::full({3, 65, 65}, 0.2f), kWindow);
  BOOST_TEST(value(rainy, 2, 2) == 0.5f * 0.2f + 0.5f * 0.8f);
  BOOST_TEST(value(rainy, 32, 32) == 0.5f * 0.6f + 0.5f * 0.8f);
}

BOOST_AUTO_TEST_CASE(as_many_streaks_fall_as_was_asked_for_in_the_direction_that_was) {
  Random random{3};
  const RainStreaks rain{.density = 4, .angle = 30, .spread = 0, .length = 40};
  const auto drawn = rain.drawn_for(400, 500, random);
  std::int64_t inside = 0;
  for (const auto& streak : drawn.streaks) {
    BOOST_TEST(streak.dx / streak.dy == std::tan(std::acos(-1.0f) / 6));
    if (streak.y >= 0 && streak.y < 400 && streak.x >= 0 && streak.x < 500) ++inside;
  }
  BOOST_TEST(std::abs(static_cast<double>(inside) - 800) < 90);  // three deviations
  const auto half = drawn.streaks.back().half_way();             // of the nearest, drawn last
  BOOST_TEST(half >= 0.7f * 20);
  BOOST_TEST(half <= 1.3f * 20);
  BOOST_TEST(drawn.streaks.front().half_way() <= 0.35f * 1.3f * 20);
}

BOOST_AUTO_TEST_CASE(options_out_of_range_are_named) {
  Random random{1};
  const auto photo = torch::rand({3, 20, 20});
  BOOST_TEST(error_of([&] {
               return RainStreaks{.angle = {-90, 5}}(photo, random);
             }) == "RainStreaks: angle must lie within -80:80, got -90:5");
  BOOST_TEST(error_of([&] { return RainStreaks{.layers = 0}(photo, random); }) ==
             "RainStreaks: layers must be at least 1, got 0");
}

BOOST_AUTO_TEST_SUITE_END()
