#include <limpid/kernels/winograd_rule.hpp>

#include <boost/test/unit_test.hpp>

#include <cstdint>

namespace {

using namespace limpid::detail;

WinogradShape shape(std::int64_t in, std::int64_t out, std::int64_t side) {
  return {
      .batch = 1, .in = in, .out = out, .height = side, .width = side, .padding = 1, .bias = true};
}

BOOST_AUTO_TEST_SUITE(winograd_rule)

BOOST_AUTO_TEST_CASE(without_avx_512_nothing_is_fast) {
  BOOST_TEST(winograd_pays(shape(64, 64, 64), true));
  BOOST_TEST(!winograd_pays(shape(64, 64, 64), false));
}

BOOST_AUTO_TEST_CASE(few_channels_or_few_tiles_stay_with_libtorch) {
  BOOST_TEST(!winograd_pays(shape(3, 64, 256), true));
  BOOST_TEST(!winograd_pays(shape(64, 3, 256), true));
  BOOST_TEST(!winograd_pays(shape(17, 17, 256), true));  // 32 x 32 channels of work for 17 x 17
  BOOST_TEST(winograd_pays(shape(24, 48, 64), true));
  BOOST_TEST(!winograd_pays(shape(512, 512, 16), true));  // 16 tiles
  BOOST_TEST(winograd_pays(shape(512, 512, 24), true));   // 36 tiles
  auto many = shape(512, 512, 16);
  many.batch = 2;
  BOOST_TEST(winograd_pays(many, true));
}

BOOST_AUTO_TEST_CASE(tiles_are_those_of_what_a_pass_computes) {
  auto padded = shape(16, 16, 66);
  padded.padding = 0;
  BOOST_TEST(winograd_tiles(WinogradPass::forward, padded).count() == 16 * 16);
  BOOST_TEST(winograd_tiles(WinogradPass::weight_gradient, padded).count() == 16 * 16);
  BOOST_TEST(winograd_tiles(WinogradPass::input_gradient, padded).count() == 17 * 17);
}

BOOST_AUTO_TEST_CASE(a_grid_that_does_not_divide_well_gets_one_more_row_or_column) {
  auto padded = shape(256, 256, 66);
  padded.padding = 0;
  const auto wider = in_good_tiles(WinogradPass::input_gradient, padded);
  BOOST_TEST(wider.height == 66);
  BOOST_TEST(wider.width == 70);  // 17 x 18 tiles instead of 17 x 17
  BOOST_TEST((in_good_tiles(WinogradPass::forward, padded) == padded));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
