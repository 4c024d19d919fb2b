#include <limpid/degradations/haze.hpp>
#include <support/degradations.hpp>
#include <support/errors.hpp>

#include <torch/torch.h>
#include <boost/test/unit_test.hpp>

#include <cmath>

using namespace limpid;
using limpid_test::made_up_photo;

BOOST_AUTO_TEST_SUITE(haze)

BOOST_AUTO_TEST_CASE(it_is_a_degradation) { limpid_test::check_degradation(Haze{}, "Haze"); }

BOOST_AUTO_TEST_CASE(the_formula_by_hand) {
  // d = 0.5, beta = 2 ln 2: t = exp(-ln 2) = 0.5.
  const auto photo = torch::full({3, 16, 16}, 0.2f);
  const auto depth = torch::full({16, 16}, 0.5f);
  const auto hazy = limpid::haze(photo, depth, 2 * std::log(2.0), {0.8f, 0.9f, 1.0f});
  BOOST_TEST(hazy[0][3][4].item<float>() == 0.50f, boost::test_tools::tolerance(1e-5f));
  BOOST_TEST(hazy[1][3][4].item<float>() == 0.55f, boost::test_tools::tolerance(1e-5f));
  BOOST_TEST(hazy[2][3][4].item<float>() == 0.60f, boost::test_tools::tolerance(1e-5f));
}

BOOST_AUTO_TEST_CASE(each_pixel_follows_its_own_depth) {
  Random random{6};
  const auto photo = made_up_photo(31, 40);
  const auto depth = SyntheticDepth{}(31, 40, random);
  const auto t = torch::exp(-1.3 * depth);
  const auto airlight = torch::tensor({0.9f, 0.8f, 0.85f}).reshape({3, 1, 1});
  const auto expected = photo * t + airlight * (1 - t);
  const auto hazy = limpid::haze(photo, depth, 1.3, {0.9f, 0.8f, 0.85f});
  BOOST_TEST(torch::allclose(hazy, expected, 1e-5, 1e-6));
}

BOOST_AUTO_TEST_CASE(no_scattering_and_no_distance_change_nothing) {
  Random random{1};
  const auto photo = made_up_photo(24, 24);
  const auto depth = SyntheticDepth{}(24, 24, random);
  BOOST_TEST(limpid::haze(photo, depth, 0, {1, 1, 1}).equal(photo));
  BOOST_TEST(limpid::haze(photo, torch::zeros({24, 24}), 2, {1, 1, 1}).equal(photo));
  const Haze none{.beta = 0};
  BOOST_TEST(none(photo, random).equal(photo));
}

BOOST_AUTO_TEST_CASE(the_nearest_point_of_a_synthetic_depth_lies_where_near_says) {
  // Black under white haze: 1 - t, so the thinnest haze is 1 - exp(-beta near).
  const auto black = torch::zeros({3, 40, 50});
  const Haze far{.beta = 2, .airlight = 1, .tint = 0, .near = 0.5};
  Random random{3}, same{3};
  const auto hazy = far(black, random);
  BOOST_TEST(hazy.min().item<double>() == 1 - std::exp(-1.0), boost::test_tools::tolerance(1e-4));
  BOOST_TEST(hazy.max().item<double>() == 1 - std::exp(-2.0), boost::test_tools::tolerance(1e-4));
  BOOST_TEST(torch::allclose(far.batch(black.unsqueeze(0), same)[0], hazy, 1e-4, 1e-4));
}

BOOST_AUTO_TEST_CASE(a_depth_that_is_given_takes_the_place_of_the_synthetic_one) {
  const auto photo = made_up_photo(20, 30);
  auto depth = torch::zeros({20, 30});
  depth.narrow(1, 15, 15).fill_(1);
  Random random{2};
  const auto hazy = Haze{}(photo, depth, random);
  BOOST_TEST(hazy.narrow(2, 0, 15).equal(photo.narrow(2, 0, 15)));
  BOOST_TEST((hazy - photo).narrow(2, 15, 15).abs().mean().item<float>() > 0.1f);
}

BOOST_AUTO_TEST_CASE(untinted_haze_over_black_is_grey) {
  Random random{8};
  const auto hazy = Haze{.tint = 0}(torch::zeros({3, 32, 32}), random);
  BOOST_TEST(hazy[0].equal(hazy[1]));
  BOOST_TEST(hazy[0].equal(hazy[2]));
}

BOOST_AUTO_TEST_CASE(crops_in_a_batch_have_the_haze_of_the_whole_photograph) {
  const std::int64_t height = 150, width = 210;
  const auto photo = made_up_photo(height, width);
  // The last one reaches beyond the right border, where the photograph is mirrored.
  const std::vector<Window> windows{
      {0, 0, 60, 70}, {90, 140, 60, 70}, {31, 17, 60, 70}, {50, 160, 60, 70}};
  const auto wide = torch::cat({photo, photo.flip(2).narrow(2, 1, 60)}, 2);
  std::vector<at::Tensor> crops, expected;
  std::vector<CropPlace> places;
  Random random{4}, same{4};
  for (const auto& [top, left, rows, columns] : windows) {
    const auto hazy = Haze{}(photo, random);
    const auto hazy_wide = torch::cat({hazy, hazy.flip(2).narrow(2, 1, 60)}, 2);
    crops.push_back(wide.narrow(1, top, rows).narrow(2, left, columns));
    expected.push_back(hazy_wide.narrow(1, top, rows).narrow(2, left, columns));
    places.push_back({{top, left, rows, columns}, height, width});
  }
  const auto made = Haze{}.batch(torch::stack(crops), places, same);
  BOOST_TEST((made - torch::stack(expected)).abs().max().item<float>() < 0.01f);
  BOOST_TEST(random.state() == same.state());
  places.pop_back();
  BOOST_TEST(limpid_test::value_error_of([&] {
               Haze{}.batch(torch::stack(crops), places, same);
             }) == "Haze: expected the places of 4 pictures, got 3");
}

BOOST_AUTO_TEST_CASE(errors_say_what_is_wrong) {
  Random random{1};
  const auto photo = made_up_photo(20, 24);
  BOOST_TEST(limpid_test::value_error_of([&] {
               Haze{}(photo, torch::zeros({24, 20}), random);
             }) == "haze: expected depth [20, 24] of Float, got [24, 20] of Float");
  BOOST_TEST(limpid_test::value_error_of([&] {
               Haze{}(photo, torch::full({20, 24}, -1.f), random);
             }) == "haze: expected finite depth of at least 0, got -1 at pixel 0");
  BOOST_TEST(limpid_test::value_error_of([&] {
               const auto infinite = std::numeric_limits<float>::infinity();
               Haze{}(photo, torch::full({20, 24}, infinite), random);
             }) == "haze: expected finite depth of at least 0, got inf at pixel 0");
  BOOST_TEST(limpid_test::value_error_of([&] { Haze{}(photo, at::Tensor{}, random); }) ==
             "haze: expected depth [20, 24] of Float, got an undefined tensor");
  BOOST_TEST(limpid_test::value_error_of([&] {
               limpid::haze(photo, torch::zeros({20, 24}), -1, {1, 1, 1});
             }) == "haze: beta must not be negative, got -1");
  BOOST_TEST(limpid_test::value_error_of([&] { Haze{.beta = -1}(photo, random); }) ==
             "Haze: beta must not be negative, got -1");
  BOOST_TEST(limpid_test::value_error_of([&] {
               Haze{.near = {0.5, 2}}(photo, random);
             }) == "Haze: near must lie within 0:1, got 0.5:2");
  BOOST_TEST(limpid_test::value_error_of([&] {
               Haze{.airlight = {0.7, 1.2}}(photo, random);
             }) == "Haze: airlight must lie within 0:1, got 0.7:1.2");
}

BOOST_AUTO_TEST_SUITE_END()
