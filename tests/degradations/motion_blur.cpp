#include <limpid/degradations/motion_blur.hpp>
#include <support/degradations.hpp>

#include <torch/torch.h>
#include <boost/test/unit_test.hpp>

using namespace limpid;

namespace {

/// The blur as a dense convolution in double.
at::Tensor reference_blur(const at::Tensor& photo, const MotionKernel& kernel) {
  const auto r = kernel.radius();
  const auto padded = torch::reflection_pad2d(photo.to(torch::kDouble).unsqueeze(1), {r, r, r, r});
  return torch::conv2d(padded, kernel.dense().to(torch::kDouble).unsqueeze(0).unsqueeze(0))
      .squeeze(1);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(motion_blur)

BOOST_AUTO_TEST_CASE(it_is_a_degradation) {
  limpid_test::check_degradation(MotionBlur{}, "motion_blur");
}

BOOST_AUTO_TEST_CASE(it_agrees_with_a_dense_convolution_of_the_mirrored_image) {
  const auto photo = limpid_test::made_up_photo(60, 83);
  for (std::uint64_t seed = 0; seed < 8; ++seed) {
    Random random{seed};
    const auto kernel = MotionBlur{}.kernel(random);
    const auto difference = limpid::motion_blur(photo, kernel) - reference_blur(photo, kernel);
    BOOST_TEST(difference.abs().max().item<double>() < 2e-6);
  }
}

BOOST_AUTO_TEST_CASE(a_constant_image_stays_as_it_is) {
  const auto grey = torch::full({3, 30, 24}, 0.37f);
  for (const auto gamma : {1.0, 2.2}) {
    Random random{2};
    BOOST_TEST(torch::allclose(MotionBlur{.gamma = gamma}(grey, random), grey, 1e-5, 1e-5));
  }
}

BOOST_AUTO_TEST_CASE(a_kernel_of_one_tap_changes_nothing) {
  const auto photo = limpid_test::made_up_photo(20, 33);
  const MotionKernel still{{std::complex<double>{3.3, 1.2}}};
  BOOST_TEST(limpid::motion_blur(photo, still).equal(photo));
}

BOOST_AUTO_TEST_CASE(it_does_not_shift_the_image) {
  // The centre of mass of a bright dot far from the borders stays where it is.
  auto photo = torch::zeros({3, 81, 81});
  photo.select(1, 40).select(1, 40).fill_(1);
  const auto at = torch::arange(81).to(torch::kDouble);
  for (std::uint64_t seed = 0; seed < 6; ++seed) {
    Random random{seed};
    const auto plane = MotionBlur{}(photo, random)[0].to(torch::kDouble);
    BOOST_TEST(plane.sum().item<double>() == 1.0, boost::test_tools::tolerance(1e-5));
    BOOST_TEST(std::abs((plane.sum(0) * at).sum().item<double>() - 40) < 1e-3);
    BOOST_TEST(std::abs((plane.sum(1) * at).sum().item<double>() - 40) < 1e-3);
  }
}

BOOST_AUTO_TEST_CASE(its_size_is_the_longer_side_of_the_path) {
  const MotionBlur blur{.size = 15, .exposure = 1};
  for (std::uint64_t seed = 0; seed < 10; ++seed) {
    Random random{seed};
    const auto kernel = blur.kernel(random);
    std::int64_t top = 0, bottom = 0, left = 0, right = 0;
    for (const auto& tap : kernel.taps()) {
      top = std::min(top, tap.dy);
      bottom = std::max(bottom, tap.dy);
      left = std::min(left, tap.dx);
      right = std::max(right, tap.dx);
    }
    const auto longer = std::max(bottom - top, right - left);
    BOOST_TEST(longer >= 15);
    BOOST_TEST(longer <= 17);  // a path of 15 pixels touches at most 17 steps of whole pixels
  }
}

BOOST_AUTO_TEST_CASE(light_that_is_summed_keeps_highlights_brighter_than_stored_values_do) {
  auto photo = torch::zeros({3, 40, 40});
  photo.narrow(2, 18, 4).fill_(1);
  Random first{7};
  Random second{7};
  const auto stored = MotionBlur{}(photo, first);
  const auto light = MotionBlur{.gamma = 2.2}(photo, second);
  BOOST_TEST(light.mean().item<float>() > stored.mean().item<float>() + 0.01f);
}

BOOST_AUTO_TEST_CASE(errors_name_the_range) {
  const auto photo = limpid_test::made_up_photo(16, 16);
  const auto text = [&](const MotionBlur& blur) {
    Random random{1};
    try {
      blur(photo, random);
    } catch (const c10::ValueError& error) {
      return std::string{error.what_without_backtrace()};
    }
    return std::string{};
  };
  BOOST_TEST(text({.size = {0, 5}}) == "MotionBlur: size must be positive, got 0:5");
  BOOST_TEST(text({.exposure = {0.7, 2}}) == "MotionBlur: exposure must lie within 0:1, got 0.7:2");
  BOOST_TEST(text({.gamma = 0}) == "MotionBlur: gamma must be positive, got 0");
}

BOOST_AUTO_TEST_SUITE_END()
