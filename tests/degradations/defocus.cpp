#include <limpid/degradations/defocus.hpp>
#include <support/degradations.hpp>
#include <support/errors.hpp>

#include <torch/torch.h>
#include <boost/test/unit_test.hpp>

#include <cmath>
#include <numbers>

using namespace limpid;
using limpid_test::error_of;
using limpid_test::made_up_photo;

namespace {

double total(const ApertureKernel& kernel) {
  double sum = 0;
  for (const auto& tap : kernel.taps()) sum += static_cast<double>(tap.weight);
  return sum;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(defocus)

BOOST_AUTO_TEST_CASE(a_disc_is_even_inside_and_nothing_outside) {
  const ApertureKernel kernel{{.radius = 5}};
  BOOST_TEST(total(kernel) == 1, boost::test_tools::tolerance(1e-5));
  const auto weight = 1 / (25 * std::numbers::pi);
  for (const auto& tap : kernel.taps()) {
    const auto length = std::hypot(static_cast<double>(tap.dx), static_cast<double>(tap.dy));
    BOOST_TEST(length < 5.71);
    if (length < 4.29) BOOST_TEST(tap.weight == weight, boost::test_tools::tolerance(0.02));
  }
}

BOOST_AUTO_TEST_CASE(a_square_aperture_is_a_square) {
  // Corners on the diagonals: a box of side 2 r / sqrt 2 = 8, of which half pixels are at its rim.
  const ApertureKernel kernel{
      {.radius = 4 * std::numbers::sqrt2, .blades = 4, .turn = std::numbers::pi / 4}};
  for (const auto& tap : kernel.taps()) {
    const auto row = std::abs(tap.dy), column = std::abs(tap.dx);
    BOOST_TEST(row <= 4);
    BOOST_TEST(column <= 4);
    const auto part = (row == 4 ? 0.5 : 1.0) * (column == 4 ? 0.5 : 1.0);
    BOOST_TEST(std::abs(static_cast<double>(tap.weight) - part / 64) < 0.12 * part / 64 + 2e-3);
  }
}

BOOST_AUTO_TEST_CASE(no_radius_blurs_nothing_and_apertures_do_not_shift) {
  BOOST_TEST(ApertureKernel{{.radius = 0}}.taps().size() == 1U);
  for (const std::int64_t blades : {0, 5, 6, 7, 9}) {
    const ApertureKernel kernel{{.radius = 6.3, .blades = blades, .roundness = 0.4, .turn = 0.7}};
    double x = 0, y = 0;
    for (const auto& tap : kernel.taps()) {
      x += static_cast<double>(tap.weight) * static_cast<double>(tap.dx);
      y += static_cast<double>(tap.weight) * static_cast<double>(tap.dy);
    }
    BOOST_TEST(std::hypot(x, y) < 0.03);
    BOOST_TEST(kernel.dense().sum().item<double>() == 1, boost::test_tools::tolerance(1e-5));
  }
}

BOOST_AUTO_TEST_CASE(light_is_kept_and_a_bright_point_becomes_the_aperture) {
  Random random{3};
  const auto grey = torch::full({3, 30, 40}, 0.6f);
  BOOST_TEST(torch::allclose(Defocus{.highlights = 1}(grey, random), grey, 0, 1e-4));
  auto photo = torch::zeros({3, 41, 41});
  photo.select(1, 20).select(1, 20).fill_(1);
  Random same{3}, again{3};
  const Defocus stored{.radius = {3, 5}, .gamma = 1, .highlights = 1};
  const auto point = stored(photo, same)[0].narrow(0, 15, 11).narrow(1, 15, 11);
  const auto kernel = ApertureKernel{stored.aperture(again)};
  const auto offset = 5 - kernel.radius();
  const auto side = 2 * kernel.radius() + 1;
  // Correlation shows the opening turned about, as a lens does.
  BOOST_TEST(torch::allclose(point.narrow(0, offset, side).narrow(1, offset, side),
                             kernel.dense().flip(0).flip(1), 0, 1e-6));
}

BOOST_AUTO_TEST_CASE(highlights_become_bright_discs) {
  auto photo = torch::full({3, 60, 60}, 0.05f);
  photo.narrow(1, 29, 2).narrow(2, 29, 2).fill_(1);
  const auto brightest = [&](double highlights) {
    Random random{4};
    return Defocus{.radius = 4, .highlights = highlights}(photo, random).max().item<double>();
  };
  BOOST_TEST(brightest(10) > 2 * brightest(1));
}

BOOST_AUTO_TEST_CASE(errors_name_the_range) {
  const auto photo = made_up_photo(16, 16);
  const auto text = [&](const Defocus& lens) {
    return error_of([&] {
      Random random{1};
      lens(photo, random);
    });
  };
  BOOST_TEST(text({.radius = {-1, 5}}) == "Defocus: radius must not be negative, got -1:5");
  BOOST_TEST(text({.roundness = 2}) == "Defocus: roundness must lie within 0:1, got 2");
  BOOST_TEST(error_of([] { ApertureKernel{{.blades = 2}}; }) ==
             "ApertureKernel: blades must be 0 or at least 3, got 2");
}

BOOST_AUTO_TEST_SUITE_END()
