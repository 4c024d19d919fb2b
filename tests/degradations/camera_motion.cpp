#include <limpid/degradations/camera_motion.hpp>
#include <limpid/degradations/motion_blur.hpp>
#include <support/degradations.hpp>
#include <support/errors.hpp>

#include <torch/torch.h>
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cmath>
#include <complex>
#include <vector>

using namespace limpid;
using limpid_test::error_of;
using limpid_test::made_up_photo;

namespace {

constexpr PosePathOptions kShift{.shift = 1, .roll = 0, .zoom = 0, .tilt = 0};
constexpr PosePathOptions kZoom{.shift = 0, .roll = 0, .zoom = 1, .tilt = 0, .centre = 0.5};

/// A camera and nothing else: no thing, no noise, stored values averaged.
CameraMotion bare(Interval size, const PosePathOptions& pose) {
  return {
      .size = size, .pose = pose, .still = 0, .things = 0, .gamma = 1, .highlights = 1, .noise = 0};
}

at::Tensor cut(const at::Tensor& image, const Window& window) {
  return image.narrow(1, window.top, window.height).narrow(2, window.left, window.width);
}

double mean_light(const at::Tensor& image) { return image.pow(2.2).mean().item<double>(); }

PosePath motionless() {
  Random random{1};
  return {{0, 0}, {99, 99}, 0, {}, random};
}

}  // namespace

BOOST_AUTO_TEST_SUITE(camera_motion)

BOOST_AUTO_TEST_CASE(it_is_a_degradation) {
  limpid_test::check_degradation(CameraMotion{}, "CameraMotion");
}

BOOST_AUTO_TEST_CASE(a_batch_is_what_the_calls_give) {
  limpid_test::check_batch(CameraMotion{.size = {3, 9}, .still = 0.3, .things = {0, 2}}, "few");
  const CameraMotion motion{.size = {3, 9}, .still = 0.2, .things = {0, 2}, .noise = 0};
  const auto photo = made_up_photo(200, 240);
  const std::vector<Window> windows{{40, 60, 90, 80}, {0, 150, 90, 80}, {110, 0, 90, 80}};
  std::vector<CropPlace> places;
  std::vector<at::Tensor> crops, wholes;
  Random random{3}, same{3};
  for (const auto& window : windows) {
    places.push_back({window, 200, 240});
    crops.push_back(cut(photo, window));
    wholes.push_back(cut(motion(photo, same), window));
  }
  const auto margin = motion.batch_margin();
  const auto inner = [&](const at::Tensor& images) {
    return images.narrow(2, margin, 90 - 2 * margin).narrow(3, margin, 80 - 2 * margin);
  };
  const auto difference =
      inner(motion.batch(torch::stack(crops), places, random)) - inner(torch::stack(wholes));
  BOOST_TEST((difference.abs() > 1e-4).to(torch::kFloat).mean().item<double>() < 0.01);
  BOOST_TEST(random.state() == same.state());
}

BOOST_AUTO_TEST_CASE(a_shift_is_the_kernel_of_its_path) {
  const auto photo = made_up_photo(60, 83);
  for (std::uint64_t seed = 0; seed < 6; ++seed) {
    Random random{seed};
    auto pose = kShift;
    pose.bend = {0, 1};
    const auto scene = bare({2, 20}, pose).scene_for(60, 83, random);
    std::vector<std::complex<double>> path;
    for (int i = 0; i < 3000; ++i) {
      const auto at = scene.camera().at((i + 0.5) / 3000 - 0.5);
      path.emplace_back(at.x, at.y);
    }
    const auto seen = scene.seen(photo, Window::whole(60, 83));
    const auto expected = limpid::motion_blur(photo, MotionKernel{path});
    BOOST_TEST((seen - expected).abs().max().item<double>() < 0.004);
  }
}

BOOST_AUTO_TEST_CASE(a_straight_shift_is_a_box_along_the_path) {
  auto photo = torch::zeros({3, 81, 81});
  photo.select(1, 40).select(1, 40).fill_(1);
  auto pose = kShift;
  pose.bend = 0;
  const auto x = torch::arange(81).to(torch::kDouble).reshape({1, 81}) - 40;
  const auto y = torch::arange(81).to(torch::kDouble).reshape({81, 1}) - 40;
  for (std::uint64_t seed = 0; seed < 6; ++seed) {
    Random random{seed};
    const auto scene = bare(24, pose).scene_for(81, 81, random);
    const auto plane = scene.seen(photo, Window::whole(81, 81))[0].to(torch::kDouble);
    const auto way = scene.camera().at(0.5);
    const auto length = 2 * std::hypot(way.x, way.y);
    BOOST_TEST(2 * std::max(std::abs(way.x), std::abs(way.y)) == 24,
               boost::test_tools::tolerance(1e-3));
    BOOST_TEST(plane.sum().item<double>() == 1, boost::test_tools::tolerance(1e-4));
    BOOST_TEST(std::abs((plane * x).sum().item<double>()) < 0.01);
    BOOST_TEST(std::abs((plane * y).sum().item<double>()) < 0.01);
    const auto along = (x * way.x + y * way.y) * (2 / length);
    const auto across = (y * way.x - x * way.y) * (2 / length);
    // A box of length L has the variance L^2 / 12; a pixel between four adds at most 1/4 to it.
    const auto variance = (plane * along.square()).sum().item<double>();
    BOOST_TEST(std::abs(variance - length * length / 12) < 0.35);
    BOOST_TEST((plane * across.square()).sum().item<double>() < 0.35);
  }
}

BOOST_AUTO_TEST_CASE(a_zoom_leaves_its_centre_sharp) {
  const auto photo = made_up_photo(121, 121);
  Random random{3};
  const auto seen = bare(20, kZoom)(photo, random);
  const auto difference = (seen - photo).abs();
  const auto centre = cut(difference, {58, 58, 5, 5}).mean().item<double>();
  const auto corner = cut(difference, {0, 0, 30, 30}).mean().item<double>();
  BOOST_TEST(centre < 0.02);
  BOOST_TEST(corner > 4 * centre);
}

BOOST_AUTO_TEST_CASE(no_pixel_of_any_frame_steps_farther_than_one) {
  for (std::uint64_t seed = 0; seed < 10; ++seed) {
    Random random{seed};
    const auto scene = CameraMotion{.size = {0, 30}, .still = 0}.scene_for(180, 320, random);
    BOOST_TEST(scene.frames().size() <= 128U);
    double most = 0, farthest = 0;
    for (const auto& [x, y] : {std::pair{0.f, 0.f}, {319.f, 0.f}, {0.f, 179.f}, {319.f, 179.f}}) {
      PicturePoint last{};
      for (std::size_t i = 0; i < scene.frames().size(); ++i) {
        const auto at = scene.camera().warp(scene.frames()[i].time)(x, y);
        if (i > 0) most = std::max<double>(most, std::hypot(at.x - last.x, at.y - last.y));
        farthest = std::max<double>({farthest, std::abs(at.x - x), std::abs(at.y - y)});
        last = at;
      }
    }
    BOOST_TEST(most < 1.05);
    BOOST_TEST(farthest < scene.camera().reach() + 0.1);
    BOOST_TEST(farthest < 31);
  }
}

BOOST_AUTO_TEST_CASE(what_lies_behind_a_moving_thing_is_not_smeared_by_it) {
  Random random{5};
  const PicturePoint middle{50, 50};
  const limpid::detail::ThingOutline outline{middle, 14, 0.5, random};
  const auto box = outline.box();
  const PosePath path{{static_cast<float>(box.left), static_cast<float>(box.top)},
                      {static_cast<float>(box.right()), static_cast<float>(box.bottom())},
                      12,
                      kShift,
                      random};
  const MovingScene scene{100, 100, motionless(), {{outline, path}}, 1, 1};
  auto thing = torch::zeros({100, 100});
  for (int y = 0; y < 100; ++y) {
    for (int x = 0; x < 100; ++x) {
      if (outline.depth(static_cast<float>(x), static_cast<float>(y)) > -2.5f) thing[y][x] = 1;
    }
  }
  const auto columns = torch::arange(100).remainder(4).lt(2).to(torch::kFloat).reshape({1, 100});
  const auto stripes = (0.5 * columns).expand({100, 100});
  const auto whole = Window::whole(100, 100);
  const auto seen_before = [&](const at::Tensor& background) {
    const auto plane = torch::where(thing > 0, torch::ones({100, 100}), background);
    return scene.seen(plane.expand({3, 100, 100}).contiguous(), whole)[0];
  };
  const auto cover = seen_before(torch::zeros({100, 100}));
  const auto seen = seen_before(stripes);
  const auto expected = cover + (1 - cover) * stripes;
  const auto outside = thing == 0;
  BOOST_TEST((seen - expected).abs().masked_select(outside).max().item<double>() < 1e-5);
  const auto partly = (cover > 0.1).logical_and(cover < 0.9).logical_and(outside);
  BOOST_TEST(partly.sum().item<std::int64_t>() > 50);  // it did move over the background
  BOOST_TEST((cover == 0).sum().item<std::int64_t>() > 5000);
  BOOST_TEST(seen.masked_select(cover == 0).equal(stripes.masked_select(cover == 0)));
}

BOOST_AUTO_TEST_CASE(a_thing_at_rest_is_not_seen_at_all) {
  const auto photo = made_up_photo(100, 100);
  Random random{6};
  const limpid::detail::ThingOutline outline{{40, 60}, 20, 2, random};
  const PosePath still{{20, 40}, {60, 80}, 0, {}, random};
  const PosePath moving{{70, 0}, {90, 20}, 5, kShift, random};
  const limpid::detail::ThingOutline elsewhere{{80, 10}, 4, 1, random};
  const MovingScene scene{100, 100, motionless(), {{outline, still}, {elsewhere, moving}}, 1, 1};
  const auto seen = scene.seen(photo, Window::whole(100, 100));
  const Window around{20, 5, 75, 75};
  BOOST_TEST(torch::allclose(cut(seen, around), cut(photo, around), 0, 1e-6));
  BOOST_TEST(!torch::allclose(seen, photo, 0, 1e-2));
}

BOOST_AUTO_TEST_CASE(light_is_neither_lost_nor_made) {
  const auto grey = torch::full({3, 60, 70}, 0.37f);
  const auto photo = made_up_photo(120, 160);
  for (std::uint64_t seed = 0; seed < 5; ++seed) {
    const CameraMotion motion{.size = {5, 20}, .still = 0, .highlights = 1, .noise = 0};
    Random random{seed};
    BOOST_TEST(torch::allclose(motion(grey, random), grey, 0, 1e-4));
    auto camera = motion;
    camera.things = 0;
    camera.pose = kShift;
    BOOST_TEST(mean_light(camera(photo, random)) == mean_light(photo),
               boost::test_tools::tolerance(0.02));
  }
}

BOOST_AUTO_TEST_CASE(a_highlight_brighter_than_white_stays_white_where_it_is_smeared) {
  auto photo = torch::full({3, 60, 60}, 0.1f);
  cut(photo, {27, 27, 6, 6}).fill_(1);
  const auto white = [&](double highlights) {
    Random random{2};
    auto motion = bare(15, kShift);
    motion.gamma = 2.2;
    motion.highlights = highlights;
    motion.overexposed = 1;
    return (motion(photo, random) > 0.999).sum().item<std::int64_t>();
  };
  BOOST_TEST(white(4) > white(1) + 20);
}

BOOST_AUTO_TEST_CASE(a_share_of_the_pictures_is_overexposed) {
  auto motion = bare(12, kShift);
  motion.highlights = {2, 3};
  motion.overexposed = 0.25;
  Random random{8};
  int bright = 0;
  for (int i = 0; i < 400; ++i) {
    const auto white = motion.scene_for(40, 50, random).highlights();
    BOOST_TEST((white == 1 || (2 <= white && white <= 3)));
    bright += white > 1 ? 1 : 0;
  }
  BOOST_TEST(std::abs(bright - 100) < 30);
  motion.overexposed = 0;
  Random first{5}, second{5};
  auto plain = motion;
  plain.highlights = {1, 1};
  const auto photo = made_up_photo(40, 50);
  BOOST_TEST(torch::allclose(motion(photo, first), plain(photo, second)));
}

BOOST_AUTO_TEST_CASE(each_picture_has_a_gamma_of_its_own) {
  const auto photo = made_up_photo(40, 50);
  auto motion = bare(12, kShift);
  motion.gamma = {1, 2.6};
  Random random{3}, same{3};
  double least = 9, most = 0;
  for (int i = 0; i < 20; ++i) {
    const auto gamma = motion.scene_for(40, 50, random).gamma();
    least = std::min(least, gamma);
    most = std::max(most, gamma);
  }
  BOOST_TEST((1 <= least && least < 1.4 && 2.2 < most && most <= 2.6));
  // Batches are drawn alike.
  Random first{5}, second{5};
  const auto batch = motion.batch(torch::stack({photo, photo}), first);
  for (std::int64_t i = 0; i < 2; ++i) {
    BOOST_TEST(torch::allclose(batch[i], motion(photo, second), 1e-3, 1e-3));
  }
}

BOOST_AUTO_TEST_CASE(pictures_that_are_not_blurred_are_those_that_were_asked_for) {
  const auto photo = made_up_photo(40, 50);
  Random random{8};
  CameraMotion motion{.still = 1, .noise = 0};
  BOOST_TEST(motion(photo, random).equal(photo));
  motion.still = 0.25;
  motion.size = {5, 10};
  int still = 0;
  for (int i = 0; i < 400; ++i) still += motion.scene_for(40, 50, random).is_still() ? 1 : 0;
  BOOST_TEST(std::abs(still - 100) < 30);
}

BOOST_AUTO_TEST_CASE(a_part_of_a_large_picture_needs_its_margin_only) {
  const auto photo = made_up_photo(420, 460);
  for (std::uint64_t seed = 1; seed < 7; ++seed) {
    const CameraMotion motion{.size = {3, 12}, .still = 0, .things = {1, 3}};
    Random random{seed}, same{seed};
    const auto whole = motion(photo, random);
    const auto drawn = motion.drawn_for(420, 460, same);
    BOOST_TEST(drawn.margin < 60);
    for (const auto& window : {Window{0, 0, 64, 64}, {170, 200, 70, 50}, {356, 396, 64, 64}}) {
      const auto grown = window.grown(drawn.margin, 16, 420, 460);
      const auto part = cut(drawn(cut(photo, grown), grown), window.seen_from(grown));
      BOOST_TEST(part.equal(cut(whole, window)));
    }
  }
}

BOOST_AUTO_TEST_CASE(errors_name_the_range) {
  const auto photo = made_up_photo(16, 16);
  const auto text = [&](const CameraMotion& motion) {
    return error_of([&] {
      Random random{1};
      motion(photo, random);
    });
  };
  BOOST_TEST(text({.size = {-1, 5}}) == "CameraMotion: size must not be negative, got -1:5");
  BOOST_TEST(text({.still = 2}) == "CameraMotion: still must lie within 0:1, got 2");
  BOOST_TEST(text({.highlights = {0.5, 2}}) ==
             "CameraMotion: highlights must lie within 1:100, got 0.5:2");
  BOOST_TEST(text({.overexposed = 1.5}) ==
             "CameraMotion: overexposed must lie within 0:1, got 1.5");
  BOOST_TEST(text({.pose = {.zoom = {-1, 0}}}) == "PosePath: zoom must not be negative, got -1:0");
  BOOST_TEST(text({.radius = {0, 1}}) == "CameraMotion: radius must be positive, got 0:1");
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(light_curve)

BOOST_AUTO_TEST_CASE(it_is_right_to_what_it_states) {
  for (const auto gamma : {1.0, 1.8, 2.2, 2.6}) {
    const LightCurve curve{gamma};
    for (int i = 0; i <= 100000; ++i) {
      const auto value = static_cast<float>(i) / 100000.0f;
      const auto exact = std::pow(static_cast<double>(value), gamma);
      const auto back = std::pow(static_cast<double>(value), 1 / gamma);
      if (std::abs(curve.light(value) - exact) > 1e-6 ||
          std::abs(curve.stored(value) - back) > 3e-5) {
        BOOST_ERROR("gamma " << gamma << " at " << value << ": " << curve.light(value) << ", "
                             << exact << "; " << curve.stored(value) << ", " << back);
        break;
      }
    }
    BOOST_TEST(curve.light(-1) == 0);
    BOOST_TEST(curve.stored(7) == 1);
  }
}

BOOST_AUTO_TEST_SUITE_END()
