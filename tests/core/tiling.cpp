#include <limpid/core/tiling.hpp>

#include <torch/torch.h>
#include <boost/test/unit_test.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace {

using limpid::restore_tiled, limpid::Tiling;

at::Tensor same(const at::Tensor& image) { return image; }

/// Sees three pixels around each: padded as networks pad, with zeros.
at::Tensor blurred(const at::Tensor& image) {
  return torch::conv2d(image, torch::ones({3, 1, 7, 7}) / 49, {}, 1, 3, 1, 3);
}

double largest(const at::Tensor& difference) { return difference.abs().max().item<double>(); }

BOOST_AUTO_TEST_SUITE(tiling)

BOOST_AUTO_TEST_CASE(tiles_of_an_unchanged_image_make_that_image) {
  torch::manual_seed(0);
  for (const auto& size : {std::array{64, 64}, {65, 97}, {16, 200}, {130, 33}, {33, 32}}) {
    const auto image = 2 * torch::rand({1, 3, size[0], size[1]}) - 1;
    for (const auto& tiling : {Tiling{32, 0}, Tiling{32, 5}, Tiling{32, 16}, Tiling{48, 24}}) {
      BOOST_TEST(largest(restore_tiled(same, image, tiling) - image) < 1e-6);
    }
  }
}

BOOST_AUTO_TEST_CASE(no_seam_shows_where_the_overlap_covers_the_field_of_view) {
  torch::manual_seed(0);
  const auto image = torch::rand({1, 3, 100, 130});
  const auto whole = blurred(image);
  // A pixel of a tile is wrong up to 3 pixels from a cut; the ramp gives those little weight, and
  // tiles that overlap by more than that blend to less than a grey level.
  const auto wide = largest(restore_tiled(blurred, image, {64, 32}) - whole);
  const auto none = largest(restore_tiled(blurred, image, {64, 0}) - whole);
  BOOST_TEST(wide < 0.1 * none);
}

BOOST_AUTO_TEST_CASE(every_tile_has_one_shape_and_lies_inside) {
  std::vector<std::vector<std::int64_t>> shapes;
  const auto record = [&](const at::Tensor& tile) {
    shapes.push_back(tile.sizes().vec());
    return tile;
  };
  restore_tiled(record, torch::zeros({1, 3, 70, 40}), {32, 8});
  BOOST_TEST(shapes.size() == 3u * 2u);
  for (const auto& shape : shapes) {
    BOOST_TEST(shape == (std::vector<std::int64_t>{1, 3, 32, 32}),
               boost::test_tools::per_element());
  }
}

BOOST_AUTO_TEST_CASE(an_image_within_a_tile_is_restored_at_once) {
  int calls = 0;
  const auto count = [&](const at::Tensor& tile) {
    ++calls;
    BOOST_TEST(tile.size(2) == 30);
    BOOST_TEST(tile.size(3) == 40);
    return tile;
  };
  const auto image = torch::zeros({1, 3, 30, 40});
  for (const auto& tiling : {Tiling{0, 32}, Tiling{40, 32}, Tiling{4096, 32}}) {
    restore_tiled(count, image, tiling);
  }
  BOOST_TEST(calls == 3);
}

BOOST_AUTO_TEST_CASE(an_impossible_tiling_is_refused) {
  const auto image = torch::zeros({1, 3, 80, 80});
  const auto refused = [&](const Tiling& tiling, const std::string& text) {
    BOOST_CHECK_EXCEPTION(restore_tiled(same, image, tiling), c10::ValueError,
                          [&](const auto& e) { return e.what_without_backtrace() == text; });
  };
  refused({8, 0}, "tile must be at least 16, got 8");
  refused({-2, 0}, "tile must be at least 16, got -2");
  refused({32, 17}, "overlap must be from 0 to half the tile (16), got 17");
  refused({32, -2}, "overlap must be from 0 to half the tile (16), got -2");
}

BOOST_AUTO_TEST_CASE(large_pictures_are_tiled_unless_that_is_switched_off) {
  BOOST_TEST(Tiling{}.tile_for(4000, 8000) == 0, "32 megapixels");
  BOOST_TEST(Tiling{}.tile_for(4001, 8000) == 2048);
  BOOST_TEST(Tiling{}.tile_for(1, 40'000'000) == 2048);
  BOOST_TEST((Tiling{.tile = 0}.tile_for(9000, 12000)) == 0);
  BOOST_TEST((Tiling{.tile = 512}.tile_for(512, 512)) == 0);
  BOOST_TEST((Tiling{.tile = 512}.tile_for(512, 513)) == 512);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
