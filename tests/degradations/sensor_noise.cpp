#include <limpid/degradations/sensor_noise.hpp>
#include <support/errors.hpp>

#include <torch/torch.h>
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

using namespace limpid;
using limpid_test::error_of;

namespace {

/// Smooth colours, none near white, (3, 96, 120).
at::Tensor smooth_photo() {
  const auto y = torch::linspace(0, 1, 96).reshape({96, 1});
  const auto x = torch::linspace(0, 1, 120).reshape({1, 120});
  return torch::stack(
      {0.1 + 0.6 * y + 0 * x, 0.5 + 0.2 * (3 * x).sin() * (2 * y).cos(), 0.2 + 0.4 * x * y});
}

double deviation(const at::Tensor& noise) { return noise.std().item<double>(); }

}  // namespace

BOOST_AUTO_TEST_SUITE(sensor_noise)

BOOST_AUTO_TEST_CASE(without_noise_the_way_to_the_sensor_and_back_is_nearly_the_identity) {
  const auto photo = smooth_photo();
  for (std::uint64_t seed = 0; seed < 4; ++seed) {
    Random random{seed};
    const auto back = SensorNoise{.shot = 0}(photo, random);
    const auto inside = (back - photo).abs().narrow(1, 2, 92).narrow(2, 2, 116);
    BOOST_TEST(inside.max().item<double>() < 0.004);
    BOOST_TEST((back - photo).abs().max().item<double>() < 0.02);
  }
}

BOOST_AUTO_TEST_CASE(demosaicing_keeps_grey_ramps_and_flat_colours) {
  const std::int64_t side = 12;
  for (const std::int64_t top : {0, 1}) {
    std::vector<float> ramp, flat;
    for (std::int64_t i = 0; i < side * side; ++i) {
      const auto y = i / side, x = i % side;
      ramp.push_back(0.1f + 0.03f * static_cast<float>(y) + 0.02f * static_cast<float>(x));
      flat.push_back(0.25f * static_cast<float>(1 + limpid::detail::bayer_colour(top + y, x)));
    }
    const limpid::detail::Demosaic grey{ramp.data(), side, side, top, 0};
    const limpid::detail::Demosaic colour{flat.data(), side, side, top, 0};
    for (std::int64_t y = 0; y < side; ++y) {
      for (std::int64_t x = 0; x < side; ++x) {
        const bool is_inside = std::min({y, x, side - 1 - y, side - 1 - x}) >= 2;
        for (std::size_t c = 0; c < 3; ++c) {
          const auto seen = ramp[static_cast<std::size_t>(y * side + x)];
          if (is_inside) BOOST_TEST(std::abs(grey.at(y, x)[c] - seen) < 1e-6f);
          BOOST_TEST(colour.at(y, x)[c] == 0.25f * static_cast<float>(1 + c));
        }
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(noise_of_the_light_grows_with_it_and_is_spread_by_the_camera) {
  Random random{5};
  const SensorNoise noise{.shot = 0.005, .read_spread = 0};
  const auto noise_at = [&](float grey) {
    const auto photo = torch::full({3, 128, 128}, grey);
    return noise(photo, random) - photo;
  };
  const auto bright = noise_at(0.6f);
  BOOST_TEST(deviation(bright) > 0.01);
  BOOST_TEST(deviation(noise_at(0.02f)) < deviation(bright));
  // White noise has no correlation between neighbours; demosaicing leaves some.
  const auto left = bright.narrow(2, 0, 127), right = bright.narrow(2, 1, 127);
  BOOST_TEST((left * right).mean().item<double>() > 0.1 * std::pow(deviation(bright), 2));
}

BOOST_AUTO_TEST_CASE(noise_on_the_sensor_has_the_stated_variance) {
  Random random{6};
  auto drawn = SensorNoise{.shot = 0.01, .read_spread = 0}.drawn_for(64, 64, random);
  BOOST_TEST(drawn.shot == 0.01f, boost::test_tools::tolerance(1e-5f));
  BOOST_TEST(drawn.read == static_cast<float>(std::exp(2.18 * std::log(0.01) + 1.2)),
             boost::test_tools::tolerance(1e-5f));
  // A camera that changes nothing: green is seen where the sensor saw it.
  drawn.camera = {};
  for (std::size_t i = 0; i < 3; ++i) {
    drawn.camera.camera_of_rgb[i][i] = drawn.camera.rgb_of_camera[i][i] = 1;
  }
  const auto grey = torch::full({3, 64, 64}, 0.5f);
  const auto noisy = drawn(grey, Window::whole(64, 64));
  const auto light = drawn.camera.sensor({0.5f, 0.5f, 0.5f})[1];
  double sum = 0;
  std::int64_t count = 0;
  for (std::int64_t y = 0; y < 64; ++y) {
    for (auto x = 1 - y % 2; x < 64; x += 2) {
      const auto green = noisy[1][y][x].item<float>();
      sum += std::pow(drawn.camera.sensor({green, green, green})[1] - light, 2);
      ++count;
    }
  }
  BOOST_TEST(sum / static_cast<double>(count) == 0.01 * light + drawn.read,
             boost::test_tools::tolerance(0.1));
}

BOOST_AUTO_TEST_CASE(options_out_of_range_are_named) {
  Random random{1};
  BOOST_TEST(error_of([&] {
               return SensorNoise{.shot = {0, 0.01}}(torch::rand({3, 20, 20}), random);
             }) == "SensorNoise: shot must be 0, or positive at both ends, got 0:0.01");
}

BOOST_AUTO_TEST_SUITE_END()
