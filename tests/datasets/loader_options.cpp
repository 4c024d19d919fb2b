#include <limpid/datasets/epoch_order.hpp>
#include <limpid/datasets/load_whole.hpp>
#include <limpid/datasets/loader_options.hpp>
#include <limpid/io/image.hpp>
#include <support/errors.hpp>

#include <torch/torch.h>
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cstdint>
#include <future>
#include <numeric>
#include <utility>
#include <vector>

namespace {

using limpid::Image, limpid::ImagePair, limpid::load_whole, limpid::LoaderOptions;
using limpid::detail::EpochOrder;
using Numbers = std::vector<std::int64_t>;

Numbers epoch(EpochOrder& order, std::int64_t number, std::int64_t size) {
  Numbers drawn;
  for (std::int64_t place = 0; place < size; ++place) drawn.push_back(order.pair(number, place));
  return drawn;
}

BOOST_AUTO_TEST_SUITE(loader_options)

BOOST_AUTO_TEST_CASE(an_epoch_draws_each_pair_once_in_an_order_of_its_own) {
  EpochOrder order(50, 7), again(50, 7), other(50, 8);
  Numbers all(50);
  std::iota(all.begin(), all.end(), 0);
  const auto first = epoch(order, 0, 50);
  for (std::int64_t number = 0; number < 9; ++number) {  // more than it remembers
    auto drawn = epoch(order, number, 50);
    BOOST_TEST((number == 0) == (drawn == first));
    BOOST_TEST((drawn == epoch(again, number, 50)));
    BOOST_TEST((drawn != epoch(other, number, 50)));
    BOOST_TEST((drawn != all));
    std::sort(drawn.begin(), drawn.end());
    BOOST_TEST((drawn == all));
  }
  order.forget();
  BOOST_TEST((epoch(order, 0, 50) == first));
}

BOOST_AUTO_TEST_CASE(threads_that_ask_at_once_get_one_order) {
  EpochOrder order(40, 3), alone(40, 3);
  std::vector<std::future<Numbers>> asked;
  for (int i = 0; i < 8; ++i) {
    asked.push_back(
        std::async(std::launch::async, [&order, i] { return epoch(order, i % 4, 40); }));
  }
  for (int i = 0; i < 8; ++i) BOOST_TEST((asked[i].get() == epoch(alone, i % 4, 40)));
}

BOOST_AUTO_TEST_CASE(crops_change_at_the_batches_that_say_so) {
  const LoaderOptions options{.crop = 64, .later_crops = {{3, 96}, {5, 128}}};
  for (const auto& [batch, side] : std::vector<std::pair<std::int64_t, std::int64_t>>{
           {0, 64}, {2, 64}, {3, 96}, {4, 96}, {5, 128}, {900, 128}}) {
    BOOST_TEST(options.crop_of(batch) == side);
  }
}

BOOST_AUTO_TEST_CASE(loaders_that_share_a_batch_stand_at_all_its_places_once) {
  // Two parts of three for each of two: the batch is 0 1 2 | 6 7 8 of rank 0, 3 4 5 | 9 ... of 1.
  const LoaderOptions first{.batch_size = 6, .world = 2, .rank = 0, .parts = 2};
  BOOST_TEST((first.places() == Numbers{0, 1, 2, 6, 7, 8}));
  const LoaderOptions second{.batch_size = 6, .world = 2, .rank = 1, .parts = 2};
  BOOST_TEST((second.places() == Numbers{3, 4, 5, 9, 10, 11}));
  const LoaderOptions alone{.batch_size = 4};
  BOOST_TEST((alone.places() == Numbers{0, 1, 2, 3}));
}

BOOST_AUTO_TEST_CASE(a_whole_pair_becomes_a_batch_of_one_from_minus_one_to_one) {
  const auto dark = torch::zeros({2, 3, 3}, torch::kByte);
  auto bright = torch::full({2, 3, 3}, 255, torch::kByte);
  bright[1][2][0] = 51;  // 2 * 51 / 255 - 1
  ImagePair pair{Image(dark), Image(bright)};
  const auto batch = load_whole(pair);
  BOOST_TEST((batch.degraded.sizes() == at::IntArrayRef{1, 3, 2, 3}));
  BOOST_TEST(torch::equal(batch.degraded, torch::full({1, 3, 2, 3}, -1.F)));
  auto expected = torch::ones({1, 3, 2, 3});
  expected[0][0][1][2] = -0.6F;
  BOOST_TEST(torch::allclose(batch.target, expected, 0, 1e-6));
  pair.beside = {Image(bright), Image(dark)};
  const auto three = load_whole(pair);
  BOOST_TEST((three.degraded.sizes() == at::IntArrayRef{1, 9, 2, 3}));
  BOOST_TEST(torch::equal(three.degraded.narrow(1, 3, 3), batch.target));
  BOOST_TEST(torch::equal(three.degraded.narrow(1, 6, 3), batch.degraded));
  BOOST_TEST(limpid_test::value_error_of([] { load_whole(ImagePair{}); }) ==
             "load_whole: an empty image");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
