#include <limpid/core/part_listener.hpp>
#include <limpid/layers/local_mean.hpp>
#include <support/gradients.hpp>
#include <support/networks.hpp>

#include <torch/torch.h>
#include <boost/test/unit_test.hpp>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace {

using limpid::local_mean, limpid::LocalMeanPool;

/// The definition, by LibTorch's average pooling.
at::Tensor by_pooling(const at::Tensor& input, std::int64_t window) {
  const auto rows = std::min(window, input.size(2));
  const auto columns = std::min(window, input.size(3));
  return torch::replication_pad2d(torch::avg_pool2d(input, {rows, columns}, 1),
                                  {(columns - 1) / 2, columns / 2, (rows - 1) / 2, rows / 2});
}

BOOST_AUTO_TEST_SUITE(local_means)

BOOST_AUTO_TEST_CASE(equals_average_pooling_with_replicated_borders) {
  torch::manual_seed(0);
  const auto input = torch::randn({2, 3, 9, 14});
  for (const std::int64_t window : {1, 2, 5, 9, 11, 13}) {
    BOOST_TEST_CONTEXT(window) {
      BOOST_TEST(torch::allclose(local_mean(input, window), by_pooling(input, window), 1e-4, 1e-5));
    }
  }
}

struct Names : limpid::detail::PartListener {
  std::vector<std::string> heard;
  at::Tensor part(const char* name, const at::Tensor&, std::int64_t number,
                  const std::function<at::Tensor()>& compute) override {
    heard.push_back(name + (" " + std::to_string(number)));
    return compute();
  }
};

BOOST_AUTO_TEST_CASE(a_listener_hears_of_the_whole_and_not_of_its_steps) {
  const auto input = torch::rand({1, 2, 6, 7});
  const auto expected = local_mean(input, 3);
  Names names;
  auto& current = limpid::detail::PartListener::current;
  current = &names;
  const auto heard = local_mean(input, 3);
  BOOST_TEST(current == &names);
  current = nullptr;
  BOOST_TEST(torch::equal(heard, expected));
  BOOST_TEST(names.heard == std::vector<std::string>{"local_mean 3"},
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(is_one_number_where_the_window_covers_the_map) {
  const auto input = torch::randn({2, 3, 9, 14});
  BOOST_TEST(torch::equal(local_mean(input, 14), input.mean({2, 3}, true)));
}

BOOST_AUTO_TEST_CASE(has_the_gradient_that_differences_give) {
  torch::manual_seed(0);
  const auto weights = torch::randn({1, 1, 4, 5}, torch::kDouble);
  const auto f = [&](const at::Tensor& x) { return (local_mean(x, 3) * weights).sum(); };
  BOOST_TEST(limpid_test::gradient_error(f, torch::randn({1, 1, 4, 5}, torch::kDouble)) < 1e-6);
}

BOOST_AUTO_TEST_CASE(a_listener_takes_a_mean_as_one_part_and_none_of_its_steps) {
  struct Listener : limpid::detail::PartListener {
    int parts = 0;
    at::Tensor part(const char* name, const at::Tensor& map, std::int64_t number,
                    const std::function<at::Tensor()>& compute) override {
      ++parts;
      BOOST_TEST(name == std::string{"local_mean"});
      BOOST_TEST(map.size(3) == 7);
      BOOST_TEST(number == 3);
      return compute() + 1;
    }
  } listener;
  const auto map = torch::randn({1, 1, 6, 7});
  const auto alone = local_mean(map, 3);
  limpid::detail::PartListener::current = &listener;
  const auto heard = local_mean(map, 3);
  BOOST_TEST((limpid::detail::PartListener::current == &listener));
  limpid::detail::PartListener::current = nullptr;
  BOOST_TEST(listener.parts == 1);
  BOOST_TEST(torch::equal(heard, alone + 1));
}

BOOST_AUTO_TEST_CASE(windows_shrink_with_the_scale_of_the_map) {
  for (const auto& [stride, window] : {std::pair{1, 48}, {2, 24}, {4, 12}, {8, 6}, {16, 3}}) {
    BOOST_TEST(LocalMeanPool(stride, 32)->window() == window);
  }
  BOOST_TEST(LocalMeanPool(1, 256)->window() == 384);
}

BOOST_AUTO_TEST_CASE(takes_the_whole_map_without_a_train_size) {
  LocalMeanPool pool{1};
  const auto map = torch::randn({1, 2, 30, 40});
  BOOST_TEST(torch::equal(pool->forward(map), map.mean({2, 3}, true)));
  pool->set_train_size(4);
  BOOST_TEST(torch::equal(pool->forward(map), local_mean(map, 6)));
  BOOST_TEST(limpid_test::throws_value_error(
      [&] { pool->set_train_size(-1); }, "LocalMeanPool: train_size must be at least 0, got -1"));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
