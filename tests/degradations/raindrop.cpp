#include <limpid/degradations/raindrop.hpp>

#include <torch/torch.h>
#include <boost/test/unit_test.hpp>

#include <cmath>
#include <cstddef>
#include <cstdint>

using limpid::Random;
using limpid::detail::DropOutline, limpid::detail::ScenePyramid;
namespace tt = boost::test_tools;

BOOST_AUTO_TEST_SUITE(raindrop)

BOOST_AUTO_TEST_CASE(a_regular_drop_is_round_and_fades_to_its_edge) {
  Random random{1};
  const DropOutline drop{20, 30, 10, 0, random};
  BOOST_TEST(drop.at(20, 30).depth == 1, tt::tolerance(1e-5f));
  for (int i = 0; i < 8; ++i) {
    const auto y = static_cast<float>(std::sin(i * 0.785)),
               x = static_cast<float>(std::cos(i * 0.785));
    BOOST_TEST(drop.at(20 + 5 * y, 30 + 5 * x).depth == 0.5f, tt::tolerance(1e-4f));
    BOOST_TEST(drop.at(20 + 10.1f * y, 30 + 10.1f * x).depth == 0);
  }
}

BOOST_AUTO_TEST_CASE(no_point_of_a_drop_lies_beyond_its_reach) {
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    Random random{seed};
    const DropOutline drop{0, 0, 8, 1, random};
    const auto reach_y = drop.reach_y(), reach_x = drop.reach_x();
    for (int i = -32; i <= 32; ++i) {
      const auto part = static_cast<float>(i) / 32;
      for (const auto side : {-1.0f, 1.0f}) {
        BOOST_TEST(drop.at(side * reach_y, part * reach_x).depth == 0);
        BOOST_TEST(drop.at(part * reach_y, side * reach_x).depth == 0);
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(a_scene_is_seen_at_the_sharpness_of_the_drop) {
  // A ramp stays a ramp in each level; noise becomes its mean.
  const auto ramp = (torch::arange(64).to(torch::kFloat) / 64).expand({3, 64, 64}).contiguous();
  const ScenePyramid scene{ramp.data_ptr<float>(), 64, 64};
  BOOST_TEST(scene.level(1) == 0U);
  BOOST_TEST(scene.level(4) == 1U);
  BOOST_TEST(scene.level(1e9) == scene.level(64));
  for (const double blur : {2.0, 4.0, 8.0}) {
    const auto colour = scene.sample(scene.level(blur), 32, 24);
    for (std::size_t c = 0; c < 3; ++c) BOOST_TEST(std::abs(colour[c] - 23.5f / 64) < 1e-4f);
  }
}

BOOST_AUTO_TEST_SUITE_END()
