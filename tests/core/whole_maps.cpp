#include <limpid/core/whole_maps.hpp>

#include <torch/torch.h>
#include <boost/test/unit_test.hpp>

#include <string>
#include <vector>

namespace {

using namespace limpid;

double largest(const at::Tensor& difference) { return difference.abs().max().item<double>(); }

BOOST_AUTO_TEST_SUITE(whole_maps)

BOOST_AUTO_TEST_CASE(moments_are_those_of_each_channel) {
  torch::manual_seed(0);
  const auto map = torch::randn({2, 3, 13, 21}) * 0.01 + 100;  // a mean far above the deviation
  const auto moments = limpid::detail::moments_of(map);
  const auto wide = map.to(torch::kDouble);
  BOOST_TEST(largest(moments.mean - wide.mean({0, 2, 3})) < 1e-9);
  BOOST_TEST(largest(moments.variance - wide.var({0, 2, 3}, /*unbiased=*/false)) < 1e-9);
  const auto part = map.narrow(2, 3, 5).narrow(3, 2, 17);
  BOOST_TEST(largest(limpid::detail::moments_of(part).mean -
                     part.to(torch::kDouble).mean({0, 2, 3})) < 1e-9);
  const auto half = map.to(torch::kBFloat16);
  BOOST_TEST(largest(limpid::detail::moments_of(half).mean -
                     half.to(torch::kDouble).mean({0, 2, 3})) < 1e-9);
}

BOOST_AUTO_TEST_CASE(parts_together_have_the_moments_of_the_whole) {
  torch::manual_seed(1);
  const auto map = torch::randn({1, 4, 12, 10}) + torch::arange(12).view({1, 1, 12, 1});
  WholeMaps maps;
  maps.gather(0);
  // Of a picture of 24 x 20: rows 0 ... 15 with 4 around, then the rest; stride 2.
  maps.show({20, 20, 0, 0, 16, 20});
  maps.of(map.narrow(2, 0, 10));
  maps.show({12, 20, 4, 0, 8, 20});
  maps.of(map.narrow(2, 6, 6));
  const auto whole = limpid::detail::moments_of(map);
  const auto gathered = maps.gathered();
  BOOST_REQUIRE(gathered.size() == 1u);
  BOOST_TEST(largest(gathered[0].mean - whole.mean) < 1e-12);
  BOOST_TEST(largest(gathered[0].variance - whole.variance) < 1e-12);
}

BOOST_AUTO_TEST_CASE(a_layer_takes_what_is_known_and_else_what_it_sees) {
  const auto map = torch::ones({1, 2, 4, 4});
  const MapMoments other{torch::full({2}, 7, torch::kDouble), torch::ones({2}, torch::kDouble)};
  WholeMaps maps{{other}};
  maps.show({4, 4, 0, 0, 4, 4});
  BOOST_TEST(maps.of(map).mean[0].item<double>() == 7);
  BOOST_TEST(maps.of(map).mean[0].item<double>() == 1);
  BOOST_TEST(maps.layers() == 2u);
}

BOOST_AUTO_TEST_CASE(a_network_stops_behind_the_last_layer_that_is_asked_for) {
  const auto map = torch::ones({1, 2, 4, 4});
  WholeMaps maps;
  maps.gather(1, 1);
  maps.show({4, 4, 0, 0, 4, 4});
  maps.of(map);
  BOOST_CHECK_THROW(maps.of(3 * map), limpid::detail::FarEnough);
  BOOST_TEST(maps.gathered().size() == 1u);
  BOOST_TEST(maps.gathered()[0].mean[1].item<double>() == 3);
}

BOOST_AUTO_TEST_CASE(layers_ask_only_within_a_scope_of_their_thread) {
  BOOST_TEST(WholeMaps::current() == nullptr);
  WholeMaps outer, inner;
  {
    const WholeMaps::Scope one{outer};
    {
      const WholeMaps::Scope two{inner};
      BOOST_TEST(WholeMaps::current() == &inner);
    }
    BOOST_TEST(WholeMaps::current() == &outer);
  }
  BOOST_TEST(WholeMaps::current() == nullptr);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
