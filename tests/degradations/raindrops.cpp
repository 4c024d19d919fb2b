#include <limpid/degradations/raindrops.hpp>
#include <support/degradations.hpp>

#include <torch/torch.h>
#include <boost/test/unit_test.hpp>

#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

using namespace limpid;
using limpid_test::made_up_photo;

BOOST_AUTO_TEST_SUITE(raindrops)

BOOST_AUTO_TEST_CASE(it_is_a_degradation) {
  limpid_test::check_degradation(Raindrops{}, "Raindrops");
}

BOOST_AUTO_TEST_CASE(drops_cover_the_stated_share_and_the_rest_is_untouched) {
  const auto photo = made_up_photo(120, 160);
  const Raindrops drops{.cover = {0.05, 0.15}, .radius = {0.007, 0.05}, .soften = 0, .film = 0};
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    Random random{seed};
    const auto [image, mask] = drops.seen(photo, random);
    const auto behind = mask > 0;
    const auto share = behind.to(torch::kFloat).mean().item<double>();
    BOOST_TEST(share <= 0.15);
    BOOST_TEST(share >= 0.05);
    const auto changed = (image != photo).any(0);
    BOOST_TEST(!(changed & ~behind).any().item<bool>());
    BOOST_TEST(mask.min().item<float>() >= 0.0f);
    BOOST_TEST(mask.max().item<float>() <= 1.0f);
  }
}

BOOST_AUTO_TEST_CASE(no_cover_is_no_drop) {
  const auto photo = made_up_photo(40, 40);
  Random random{1};
  const Raindrops none{.cover = 0, .soften = 0, .film = 0};
  BOOST_TEST(none(photo, random).equal(photo));
}

BOOST_AUTO_TEST_CASE(a_drop_shows_the_scene_upside_down) {
  // Above white, below black, no shading and no veil: a drop in the middle is the other way about.
  auto photo = torch::zeros({3, 128, 128});
  photo.narrow(1, 0, 64).fill_(1);
  const Raindrops plain{.cover = {0.2, 0.3},
                        .radius = 0.12,
                        .edge = {0.2, 0.6},
                        .opacity = 1,
                        .veil = 0,
                        .shading = 0,
                        .irregularity = 0};
  int seen = 0;
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    Random random{seed};
    const auto [image, mask] = plain.seen(photo, random);
    // Pixels well inside a drop that stand in the white half near its lower end.
    const auto turned = (photo[0] == 1) & (mask > 0.9) & (image[0] < 0.1);
    seen += turned.any().item<bool>() ? 1 : 0;
  }
  BOOST_TEST(seen > 5);
}

BOOST_AUTO_TEST_CASE(a_picture_of_one_colour_shows_drops_by_their_light_alone) {
  const auto grey = torch::full({3, 64, 64}, 0.5f);
  Random random{4};
  const Raindrops plain{.veil = 0, .shading = 0};
  BOOST_TEST(torch::allclose(plain(grey, random), grey, 1e-5, 1e-5));
  BOOST_TEST(!torch::allclose(Raindrops{}(grey, random), grey, 1e-2, 1e-2));
}

BOOST_AUTO_TEST_CASE(a_reference_side_keeps_drops_of_crops_as_large_as_those_of_the_whole) {
  const auto count_of_largest = [](double reference) {
    const auto crop = made_up_photo(96, 96);
    Random random{3};
    const Raindrops drops{.cover = {0.3, 0.4}, .radius = 0.02, .reference_side = reference};
    // Rows that a drop crosses: few large drops leave fewer edges than many small ones.
    const auto mask = drops.seen(crop, random).mask > 0;
    return (mask.narrow(1, 1, 95) != mask.narrow(1, 0, 95)).sum().item<std::int64_t>();
  };
  BOOST_TEST(count_of_largest(554) < count_of_largest(0) / 2);
}

BOOST_AUTO_TEST_CASE(a_film_of_water_softens_and_spreads_light_without_drops_too) {
  const auto photo = made_up_photo(64, 96);
  const auto roughness = [](const at::Tensor& image) {
    return image.diff(1, 2).abs().mean().item<double>();
  };
  const auto filmed = [&](double soften, double film) {
    Random random{2}, same{2};
    const Raindrops water{.cover = 0, .soften = soften, .film = film};
    const auto seen = water(photo, random);
    BOOST_TEST(torch::allclose(water.batch(photo.unsqueeze(0), same)[0], seen, 1e-4, 1e-4));
    return seen;
  };
  const auto half = filmed(1, 0), quarter = filmed(2, 0), glow = filmed(0, 0.5);
  BOOST_TEST(roughness(half) < 0.9 * roughness(photo));
  BOOST_TEST(roughness(quarter) < 0.9 * roughness(half));
  // The light stays, half of the fine contrast goes.
  BOOST_TEST(std::abs((glow.mean() - photo.mean()).item<double>()) < 0.02);
  BOOST_TEST(roughness(glow) < 0.65 * roughness(photo));
}

BOOST_AUTO_TEST_CASE(drops_that_lie_on_one_another_are_drawn_in_order_in_a_batch_too) {
  const auto photos = torch::stack({made_up_photo(64, 96), made_up_photo(64, 96).flip(2)});
  const Raindrops crowded{.cover = {0.7, 0.8}, .radius = {0.05, 0.2}};
  Random random{2}, same{2};
  const auto batch = crowded.batch(photos, random);
  for (std::int64_t i = 0; i < 2; ++i) {
    BOOST_TEST(torch::allclose(batch[i], crowded(photos[i], same), 1e-4, 1e-4));
  }
}

BOOST_AUTO_TEST_CASE(drops_on_a_crop_are_as_large_as_on_its_photograph) {
  const auto crop = made_up_photo(64, 64).unsqueeze(0);
  const CropPlace place{{10, 20, 64, 64}, 300, 400};
  const Raindrops of_its_size{.soften = 0, .film = 0, .reference_side = std::sqrt(300.0 * 400.0)};
  Random random{5}, same{5};
  const auto drops_at = [&](const at::Tensor& rainy) { return (rainy != crop).any(1); };
  const auto placed = Raindrops{.soften = 0, .film = 0}.batch(crop, std::vector{place}, random);
  BOOST_TEST(drops_at(placed).equal(drops_at(of_its_size.batch(crop, same))));
}

BOOST_AUTO_TEST_CASE(errors_name_the_range) {
  const auto photo = made_up_photo(16, 16);
  Random random{1};
  const auto text = [&](const Raindrops& drops) {
    try {
      drops(photo, random);
    } catch (const c10::ValueError& error) {
      return std::string{error.what_without_backtrace()};
    }
    return std::string{};
  };
  BOOST_TEST(text({.cover = {0.5, 1.5}}) == "Raindrops: cover must lie within 0:1, got 0.5:1.5");
  BOOST_TEST(text({.radius = {0, 0.05}}) == "Raindrops: radius must be positive, got 0:0.05");
  BOOST_TEST(text({.opacity = 2}) == "Raindrops: opacity must lie within 0:1, got 2");
  BOOST_TEST(text({.soften = {0, 3}}) == "Raindrops: soften must lie within 0:2, got 0:3");
  BOOST_TEST(text({.film = -1}) == "Raindrops: film must lie within 0:1, got -1");
  BOOST_TEST(text({.veil = {-1, 0}}) == "Raindrops: veil must lie within 0:1, got -1:0");
}

BOOST_AUTO_TEST_SUITE_END()
