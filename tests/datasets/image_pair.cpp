#include <limpid/datasets/image_pair.hpp>

#include <torch/torch.h>
#include <boost/test/unit_test.hpp>

using limpid::Image, limpid::ImagePair, limpid::LazyPair, limpid::Window;

namespace {

Image picture(double value) { return Image::from_unit(torch::full({3, 20, 30}, value)); }

}  // namespace

BOOST_AUTO_TEST_SUITE(image_pair)

BOOST_AUTO_TEST_CASE(a_part_is_the_same_window_of_each_picture) {
  const LazyPair pair{ImagePair{picture(0.2), picture(0.4), {picture(0.6)}}};
  const auto part = pair.part(Window{2, 3, 8, 9});
  BOOST_TEST(part.degraded.height() == 8);
  BOOST_TEST(part.target.width() == 9);
  BOOST_REQUIRE(part.beside.size() == 1);
  BOOST_TEST(part.beside[0].height() == 8);
  BOOST_TEST(part.degraded.unit().mean().item<double>() == 0.2, boost::test_tools::tolerance(1e-6));
  BOOST_TEST(part.beside[0].unit().mean().item<double>() == 0.6,
             boost::test_tools::tolerance(1e-6));
}

BOOST_AUTO_TEST_CASE(a_picture_that_is_both_is_decoded_once) {
  const Image both = picture(0.4);
  const auto loaded = LazyPair{limpid::LazyImage{both}, limpid::LazyImage{both}}.load();
  BOOST_TEST(loaded.degraded.pixels().is_same(loaded.target.pixels()));
}

BOOST_AUTO_TEST_SUITE_END()
