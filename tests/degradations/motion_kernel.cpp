#include <limpid/degradations/motion_kernel.hpp>

#include <torch/torch.h>
#include <boost/test/unit_test.hpp>

using namespace limpid;
using Complex = std::complex<double>;

BOOST_AUTO_TEST_SUITE(motion_kernel)

BOOST_AUTO_TEST_CASE(a_path_has_the_length_asked_for_in_equal_steps) {
  Random random{3};
  const auto path = motion_trajectory(40, random, {.points = 401, .anxiety = 0.01});
  BOOST_TEST(path.size() == 401u);
  BOOST_TEST((path.front() == Complex{0, 0}));
  for (std::size_t i = 1; i < path.size(); ++i) {
    BOOST_TEST(std::abs(path[i] - path[i - 1]) == 0.1, boost::test_tools::tolerance(1e-9));
  }
}

BOOST_AUTO_TEST_CASE(a_camera_without_anxiety_moves_straight) {
  Random random{4};
  const auto path = motion_trajectory(20, random, {.points = 100, .anxiety = 0});
  BOOST_TEST(std::abs(path.back()) == 20.0, boost::test_tools::tolerance(1e-9));
}

BOOST_AUTO_TEST_CASE(an_anxious_camera_ends_nearer_to_where_it_began) {
  double calm = 0;
  double anxious = 0;
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    Random first{seed};
    Random second{seed};
    calm += std::abs(motion_trajectory(60, first, {.anxiety = 0.001}).back());
    anxious += std::abs(motion_trajectory(60, second, {.anxiety = 0.02}).back());
  }
  BOOST_TEST(anxious < 0.7 * calm);
}

BOOST_AUTO_TEST_CASE(the_same_seed_gives_the_same_path) {
  Random first{9};
  Random second{9};
  BOOST_TEST((motion_trajectory(30, first) == motion_trajectory(30, second)));
}

BOOST_AUTO_TEST_CASE(a_kernel_sums_to_one_is_not_negative_and_centred_on_its_centroid) {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    Random random{seed};
    const MotionKernel kernel{motion_trajectory(50, random, {.anxiety = 0.01})};
    double sum = 0;
    double mean_y = 0;
    double mean_x = 0;
    for (const auto& tap : kernel.taps()) {
      BOOST_TEST(tap.weight > 0);
      BOOST_TEST(std::abs(tap.dy) <= kernel.radius());
      BOOST_TEST(std::abs(tap.dx) <= kernel.radius());
      sum += tap.weight;
      mean_y += tap.weight * static_cast<double>(tap.dy);
      mean_x += tap.weight * static_cast<double>(tap.dx);
    }
    BOOST_TEST(std::abs(sum - 1) < 1e-5);
    BOOST_TEST(std::abs(mean_y) < 1e-4);
    BOOST_TEST(std::abs(mean_x) < 1e-4);
    BOOST_TEST(kernel.dense().sum().item<double>() == 1.0, boost::test_tools::tolerance(1e-5));
  }
}

BOOST_AUTO_TEST_CASE(two_positions_share_their_time_by_bilinear_weights) {
  // Mean 0.75, so the positions lie at -0.75 and +0.75 beside the centroid.
  const MotionKernel kernel{{Complex{0, 0}, Complex{1.5, 0}}};
  const auto expected = torch::tensor({{0.f, 0.f, 0.f}, {0.375f, 0.25f, 0.375f}, {0.f, 0.f, 0.f}});
  BOOST_TEST(kernel.dense().equal(expected));
}

BOOST_AUTO_TEST_CASE(errors_name_the_option) {
  Random random{1};
  const auto text = [&](double length, MotionTrajectoryOptions options) {
    try {
      motion_trajectory(length, random, options);
    } catch (const c10::ValueError& error) {
      return std::string{error.what_without_backtrace()};
    }
    return std::string{};
  };
  BOOST_TEST(text(10, {.points = 1}) == "motion_trajectory: points must be at least 2, got 1");
  BOOST_TEST(text(0, {}) == "motion_trajectory: length must be positive, got 0");
  BOOST_TEST(text(10, {.anxiety = -1}) ==
             "motion_trajectory: anxiety must not be negative, got -1");
  BOOST_CHECK_THROW(MotionKernel{std::vector<Complex>{}}, c10::ValueError);
}

BOOST_AUTO_TEST_SUITE_END()
