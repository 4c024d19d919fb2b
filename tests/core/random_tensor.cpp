#include <limpid/core/copied_to.hpp>
#include <limpid/core/random_tensor.hpp>

#include <torch/torch.h>
#include <boost/test/unit_test.hpp>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace {

using limpid::Random, limpid::random_normal, limpid::random_uniform;

BOOST_AUTO_TEST_SUITE(random_tensors)

BOOST_AUTO_TEST_CASE(a_tensor_holds_what_the_source_gives_one_by_one) {
  for (const std::uint64_t seed : {0ULL, 7ULL, 0xffffffffffffffffULL, 0x8000000000000000ULL}) {
    Random together{seed};
    Random one_by_one{seed};
    const auto drawn = random_uniform({3, 5, 7}, together, at::kDouble).reshape(-1);
    for (std::int64_t i = 0; i < drawn.numel(); ++i) {
      BOOST_REQUIRE(drawn[i].item<double>() == one_by_one.uniform());
    }
    BOOST_TEST(together.state() == one_by_one.state());
    const auto normal = random_normal({4, 9}, together, at::kDouble).reshape(-1);
    for (std::int64_t i = 0; i < normal.numel(); ++i) {
      BOOST_REQUIRE(std::abs(normal[i].item<double>() - one_by_one.normal()) < 1e-12);
    }
    BOOST_TEST(together.state() == one_by_one.state());
  }
}

BOOST_AUTO_TEST_CASE(a_source_put_back_goes_on_with_the_same_numbers) {
  Random source{3};
  random_uniform({17}, source, at::kFloat);
  Random resumed{source.state()};
  BOOST_TEST(torch::equal(random_normal({64}, source, at::kFloat),
                          random_normal({64}, resumed, at::kFloat)));
}

BOOST_AUTO_TEST_CASE(several_sources_give_what_each_gives_alone) {
  std::vector<Random> sources{Random{1}, Random{0xffffffffffffffffULL}, Random{3}};
  auto alone = sources;
  const auto uniform = random_uniform({5, 2}, sources, at::kFloat);
  const auto normal = random_normal({4}, sources, at::kDouble);
  BOOST_TEST(uniform.sizes() == torch::IntArrayRef({3, 5, 2}));
  for (std::size_t i = 0; i < alone.size(); ++i) {
    const auto n = static_cast<std::int64_t>(i);
    BOOST_TEST(torch::equal(uniform[n], random_uniform({5, 2}, alone[i], at::kFloat)));
    BOOST_TEST(torch::equal(normal[n], random_normal({4}, alone[i], at::kDouble)));
    BOOST_TEST(alone[i].state() == sources[i].state());
  }
}

BOOST_AUTO_TEST_CASE(it_has_the_asked_type_and_shape_and_the_right_spread) {
  Random source{4};
  const auto uniform = random_uniform({100, 1000}, source, at::kFloat);
  BOOST_TEST((uniform.scalar_type() == at::kFloat));
  BOOST_TEST(uniform.sizes() == torch::IntArrayRef({100, 1000}));
  BOOST_TEST(std::abs(uniform.mean().item<double>() - 0.5) < 0.01);
  BOOST_TEST(uniform.min().item<double>() >= 0);
  BOOST_TEST(uniform.max().item<double>() <= 1);
  const auto normal = random_normal({100, 1000}, source, at::kFloat);
  BOOST_TEST(std::abs(normal.mean().item<double>()) < 0.02);
  BOOST_TEST(std::abs(normal.std().item<double>() - 1) < 0.02);
  BOOST_TEST(random_uniform({0, 3}, source, at::kFloat).numel() == 0);
}

BOOST_AUTO_TEST_CASE(a_copy_to_the_device_that_a_tensor_is_on_is_the_tensor) {
  const auto tensor = torch::rand({2, 3});
  BOOST_TEST(limpid::detail::copied_to(at::kCPU, tensor).is_same(tensor));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
