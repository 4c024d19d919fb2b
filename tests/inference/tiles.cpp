#include <limpid/inference/restore_picture.hpp>
#include <limpid/model/families.hpp>

#include <torch/torch.h>
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

// Tiles of a picture show what the whole picture would, for each family of networks.
namespace {

using namespace limpid;

/// A model of a family with weights that are not those of a new one.
AnyModel scrambled(const Network& network) {
  torch::manual_seed(5);
  auto model = make_model(network, {"deblur"});
  const torch::NoGradGuard no_grad;
  for (auto& parameter : model.module->parameters()) {
    parameter.add_(0.05 * torch::randn_like(parameter));
  }
  model.module->eval();
  return model;
}

limpid::detail::TaskNetwork network_of(const AnyModel& model) {
  return {"deblur", [&model](const at::Tensor& image) { return model.restore(0, image); },
          model.tile_needs(0)};
}

/// Brighter on one side and rougher on the other, so that no tile has the whole's statistics.
Image uneven(std::int64_t height, std::int64_t width) {
  torch::manual_seed(6);
  const auto across = torch::linspace(0, 1, width).view({1, 1, width});
  const auto down = torch::linspace(0, 1, height).view({1, height, 1});
  const auto rough = torch::rand({3, height, width}) * across * 0.6;
  return Image::from_unit(rough + 0.3 * down + 0.05);
}

struct Restored {
  at::Tensor picture;  // (1, 3, H, W) in [-1, 1]
  int passes = 0;
};

Restored in_tiles(const AnyModel& model, const Image& degraded, const RestorerOptions& options) {
  const torch::NoGradGuard no_grad;
  const auto network = network_of(model);
  const auto plan = limpid::detail::plan_of(network, degraded.height(), degraded.width(), options);
  BOOST_TEST(plan.tile > 0);
  Restored restored{torch::full({1, 3, degraded.height(), degraded.width()}, 77.0)};
  limpid::detail::TiledPicture tiles{network.restore, network.needs, degraded, plan, options};
  tiles.restore([&](const Rectangle& part, const at::Tensor& tile) {
    restored.picture.narrow(2, part.top, part.height).narrow(3, part.left, part.width).copy_(tile);
  });
  restored.passes = tiles.passes();
  return restored;
}

at::Tensor whole(const AnyModel& model, const Image& degraded, int ensemble = 1) {
  const torch::NoGradGuard no_grad;
  return limpid::detail::restore_whole(network_of(model).restore, degraded, {.ensemble = ensemble});
}

double largest(const at::Tensor& difference) { return difference.abs().max().item<double>(); }

const std::vector<Network> kNetworks{
    {"pixel-unet", {{"width", 8}}},
    {"resnet", {{"width", 6}, {"blocks", 2}}},
    {"nafnet",
     {{"width", 8},
      {"blocks", {1, 1, 2}},
      {"middle_blocks", 2},
      {"decoder", {{"blocks", {1, 1, 1}}}}}},
    {"restormer",
     {{"width", 8},
      {"blocks", {1, 1, 1}},
      {"heads", {1, 2, 2}},
      {"decoder", {{"refinement_blocks", 1}}}}},
    {"gunet", {{"width", 8}, {"blocks", {1, 1, 1}}, {"prompt", 2}}},
    {"fpn-mobilenet-v2",
     {{"backbone", {{"width", 0.25}}},
      {"pyramid_width", 12},
      {"head_width", 8},
      {"top_down_convs", true},
      {"decoder", {{"width", 8}}}}},
    {"fpn-inception-resnet-v2",
     {{"backbone", {{"width", 0.0625}, {"repeat", 1}, {"repeat_1", 1}}},
      {"pyramid_width", 12},
      {"head_width", 8},
      {"decoder", {{"width", 8}}}}},
    {"fpn-resnet34",
     {{"backbone", {{"width", 0.0625}, {"blocks", {1, 1, 1, 1}}}},
      {"pyramid_width", 12},
      {"head_width", 8}}},
    {"fpn-densenet121",
     {{"backbone", {{"width", 0.125}, {"layers", {1, 1, 1, 1}}}},
      {"pyramid_width", 12},
      {"head_width", 8}}},
    {"fpn-se-resnext50",
     {{"backbone", {{"width", 0.0625}, {"blocks", {1, 1, 1, 1}}}},
      {"pyramid_width", 12},
      {"head_width", 8}}},
    {"pixel-unet", {{"width", 8}, {"context", 4}}},
};

BOOST_AUTO_TEST_SUITE(tiles)

BOOST_AUTO_TEST_CASE(no_network_looks_farther_than_it_says) {
  const torch::NoGradGuard no_grad;
  for (const auto& network : kNetworks) {
    const auto model = scrambled(network);
    const auto needs = model.tile_needs(0);
    BOOST_TEST_REQUIRE(needs.view.has_value());
    const auto reach = needs.view->reach;
    const auto side = needs.padding.padded(2 * reach + 3 * needs.padding.multiple);
    const auto image = 2 * torch::rand({1, 3, side, side}) - 1;
    // Layers that look at the whole picture take given statistics: what is left is local.
    WholeMaps seen;
    seen.gather(0);
    seen.show({side, side, 0, 0, side, side});
    {
      const WholeMaps::Scope scope{seen};
      model.restore(0, image);
    }
    WholeMaps fixed{seen.gathered()};
    const WholeMaps::Scope scope{fixed};
    const auto restored = [&](const at::Tensor& picture) {
      fixed.show({side, side, 0, 0, side, side});
      return model.restore(0, picture);
    };
    const auto before = restored(image);
    // All but what a block of the coarsest cells may look at is changed.
    const auto block = needs.padding.multiple;
    const auto first = side / 2 / block * block;
    auto changed = -image;
    const auto begin = std::max<std::int64_t>(0, first - reach);
    const auto length = std::min(side, first + block + reach) - begin;
    changed.narrow(2, begin, length)
        .narrow(3, begin, length)
        .copy_(image.narrow(2, begin, length).narrow(3, begin, length));
    const auto moved = (restored(changed) - before).abs();
    BOOST_TEST_CONTEXT(network.family << ", reach " << reach) {
      BOOST_TEST(begin > 0);
      BOOST_TEST(largest(moved.narrow(2, first, block).narrow(3, first, block)) < 2e-6);
      BOOST_TEST(largest(moved) > 0.1);
    }
  }
}

BOOST_AUTO_TEST_CASE(tiles_equal_the_whole) {
  for (const auto& network : kNetworks) {
    const auto model = scrambled(network);
    const auto plain = network.family == "pixel-unet" && !network.options.contains("context");
    // The last tiles are narrow, and the sides no multiples of what the networks take. An FPN
    // looks far.
    const bool far = network.family.starts_with("fpn");
    const auto degraded = far ? uneven(331, 903) : uneven(301, 403);
    const auto tiled = in_tiles(model, degraded, {.tiling = {.tile = far ? 256 : 128}});
    const auto at_once = whole(model, degraded);
    BOOST_TEST_CONTEXT(network.family << ", " << tiled.passes << " passes") {
      BOOST_TEST(largest(tiled.picture - at_once) < (plain ? 1e-5 : 1e-4));
      BOOST_TEST(at_once.std().item<double>() > 0.05);
    }
  }
}

BOOST_AUTO_TEST_CASE(approximate_tiles_need_one_pass) {
  for (const auto i : {1u, 2u}) {
    const auto model = scrambled(kNetworks[i]);
    const auto degraded = uneven(301, 403);
    const auto tiled =
        in_tiles(model, degraded, {.tiling = {.tile = 96, .kind = TilingKind::approximate}});
    BOOST_TEST(tiled.passes == 0);
    const auto off = (tiled.picture - whole(model, degraded)).abs().mean().item<double>();
    BOOST_TEST(off > 1e-5);
    // NAFNet's means only scale channels; what a sample says of instance norm may be far off.
    BOOST_TEST(off < (i == 2 ? 0.002 : 0.5), off);
  }
}

BOOST_AUTO_TEST_CASE(nafnets_means_are_found_in_a_few_passes) {
  const auto model = scrambled(kNetworks[2]);
  const auto tiled = in_tiles(model, uneven(260, 340), {.tiling = {.tile = 96}});
  BOOST_TEST(tiled.passes < 7, tiled.passes << " passes, 9 layers");
}

BOOST_AUTO_TEST_CASE(published_local_means_stay_local) {
  const auto model = scrambled({"nafnet",
                                {{"width", 8},
                                 {"blocks", {1, 1}},
                                 {"middle_blocks", 1},
                                 {"local_train_size", 32},
                                 {"decoder", {{"blocks", {1, 1}}}}}});
  const auto network = network_of(model);
  const auto plan = limpid::detail::plan_of(network, 300, 400, {.tiling = {.tile = 128}});
  BOOST_TEST(plan.whole_maps == 0u);
  BOOST_TEST(!plan.is_exact);
  BOOST_TEST(plan.halo >= network.needs.view->reach + 24, "half a window of 48 pixels");
  const auto degraded = uneven(300, 400);
  const auto tiled = in_tiles(model, degraded, {.tiling = {.tile = 128}});
  BOOST_TEST(tiled.passes == 0);
  BOOST_TEST(largest(tiled.picture - whole(model, degraded)) < 0.02);
}

BOOST_AUTO_TEST_CASE(an_ensemble_is_the_mean_over_turned_pictures) {
  const torch::NoGradGuard no_grad;
  const auto model = scrambled(kNetworks[0]);
  const auto degraded = uneven(45, 62);
  const auto input = to_signed(degraded.unit());
  at::Tensor sum;
  for (int quarter = 0; quarter < 4; ++quarter) {
    for (const bool mirrored : {false, true}) {
      const auto turned = torch::rot90(mirrored ? input.flip({3}) : input, quarter, {2, 3});
      const auto back = torch::rot90(model.restore(0, turned.contiguous()), -quarter, {2, 3});
      const auto restored = mirrored ? back.flip({3}) : back;
      sum = sum.defined() ? sum + restored : restored;
    }
  }
  BOOST_TEST(largest(whole(model, degraded, 8) - sum / 8) < 1e-6);
  const auto mirrored = model.restore(0, input.flip({3})).flip({3});
  BOOST_TEST(largest(whole(model, degraded, 2) - (model.restore(0, input) + mirrored) / 2) < 1e-6);
  BOOST_TEST(largest(whole(model, degraded, 4) - whole(model, degraded, 8)) > 1e-4);
  BOOST_CHECK_EXCEPTION(whole(model, degraded, 3), c10::ValueError, [](const auto& e) {
    return std::string{e.what_without_backtrace()} == "ensemble: expected 1, 2, 4 or 8, got 3";
  });
}

BOOST_AUTO_TEST_CASE(an_ensemble_in_tiles_equals_that_of_the_whole) {
  for (const auto i : {0u, 2u}) {
    const auto model = scrambled(kNetworks[i]);
    const auto degraded = uneven(171, 230);
    const auto tiled = in_tiles(model, degraded, {.tiling = {.tile = 80}, .ensemble = 8});
    BOOST_TEST(largest(tiled.picture - whole(model, degraded, 8)) < (i == 0 ? 1e-5 : 1e-4));
  }
}

BOOST_AUTO_TEST_CASE(a_picture_restored_in_tiles_is_that_of_the_whole_in_bytes) {
  const auto model = scrambled(kNetworks[0]);
  auto degraded = uneven(171, 230);
  auto facts = degraded.facts();
  facts.colour_profile = "kept";
  degraded = degraded.with_facts(facts);
  const auto network = network_of(model);
  const auto at_once = limpid::detail::restore_picture(network, degraded, {});
  const auto tiled = limpid::detail::restore_picture(network, degraded, {.tiling = {.tile = 64}});
  BOOST_TEST(tiled.facts().colour_profile == "kept");
  const auto off = (tiled.pixels().to(torch::kInt) - at_once.pixels().to(torch::kInt)).abs();
  BOOST_TEST(off.max().item<int>() <= 1);
  BOOST_TEST(off.to(torch::kDouble).mean().item<double>() < 1e-3);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(tile_plans)

BOOST_AUTO_TEST_CASE(a_picture_that_memory_would_not_hold_is_restored_in_tiles) {
  const auto model = scrambled(kNetworks[0]);
  const auto network = network_of(model);
  const auto plan = [&](const RestorerOptions& options) {
    return limpid::detail::plan_of(network, 1200, 1600, options);
  };
  BOOST_TEST(plan({.memory = std::uint64_t{32} << 30}).tile == 0);
  const auto little = plan({.memory = std::uint64_t{200} << 20});
  BOOST_TEST(little.tile > 0);
  BOOST_TEST(little.is_exact);
  BOOST_TEST(little.is_automatic);
  BOOST_TEST(little.whole_bytes > 100e6);
  BOOST_TEST(little.halo >= network.needs.view->reach);
  BOOST_TEST(little.text().find("at once it would take about ") == 0u, little.text());
  BOOST_TEST(little.text().find("the result is that of the whole; --tile 0") != std::string::npos);
  BOOST_TEST(plan({.tiling = {.tile = 0}, .memory = 1 << 20}).tile == 0);
  const auto asked = plan({.tiling = {.tile = 100}});
  BOOST_TEST(asked.tile == 96, "a multiple of 8");
  BOOST_TEST(!asked.is_automatic);
  BOOST_TEST(!plan({.tiling = {.tile = 100, .overlap = 8}}).is_exact);
  BOOST_TEST(
      limpid::detail::plan_of(network, 9000, 12000, {.memory = std::uint64_t{1} << 40}).tile > 0,
      "so large a picture needs no more than a tile's memory");
}

BOOST_AUTO_TEST_CASE(scratch_space_is_not_taken_for_what_pixels_cost) {
  const limpid::detail::TaskNetwork network{
      "deblur", [](const at::Tensor& image) {
        const auto scratch = at::empty({std::int64_t{50} << 20}, at::kByte);
        const auto maps = at::empty({25, image.size(2), image.size(3)}, at::kFloat);
        return image.clone();
      }};
  const auto cost = limpid::detail::cost_of(network, {});
  BOOST_TEST(cost.bytes_per_pixel > 25 * 4);  // 900 with the scratch space
  BOOST_TEST(cost.bytes_per_pixel < 2 * 25 * 4);
}

BOOST_AUTO_TEST_CASE(an_impossible_tile_is_refused) {
  const auto model = scrambled(kNetworks[0]);
  const auto network = network_of(model);
  const auto refused = [&](const Tiling& tiling, const std::string& text) {
    BOOST_CHECK_EXCEPTION(
        limpid::detail::plan_of(network, 100, 100, {.tiling = tiling}), c10::ValueError,
        [&](const auto& e) { return std::string{e.what_without_backtrace()} == text; });
  };
  refused({.tile = 8}, "tile must be at least 16, got 8");
  refused({.tile = 64, .overlap = -3}, "overlap must not be negative, got -3");
}

BOOST_AUTO_TEST_CASE(tiles_cover_a_picture_side_by_side) {
  const ImagePadding padding{.multiple = 8, .min_side = 32};
  for (const auto& [height, width] : {std::pair{100, 37}, {64, 64}, {1, 200}}) {
    auto counts = torch::zeros({height, width});
    for (const auto& core : tile_cores(height, width, 48, padding)) {
      BOOST_TEST(core.top % 8 == 0);
      BOOST_TEST(core.left % 8 == 0);
      BOOST_TEST(core.height <= 48);
      counts.narrow(0, core.top, core.height).narrow(1, core.left, core.width).add_(1);
      const auto seen = tile_with_halo(core, 10, height, width, padding);
      BOOST_TEST(seen.top % 8 == 0);
      BOOST_TEST((seen.top == 0 || core.top - seen.top >= 10));
      BOOST_TEST((seen.bottom() == height || seen.bottom() - core.bottom() >= 10));
      BOOST_TEST((seen.height >= 32 || seen.height == height));
    }
    BOOST_TEST(counts.eq(1).all().item<bool>());
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
