#include <limpid/backbones/vgg19.hpp>
#include <limpid/losses/content/l1.hpp>
#include <limpid/losses/content/perceptual.hpp>
#include <limpid/metrics/any_metric.hpp>
#include <limpid/metrics/loss_metric.hpp>
#include <support/errors.hpp>

#include <torch/torch.h>
#include <boost/test/unit_test.hpp>

#include <cmath>

namespace {

using namespace limpid;

static_assert(Metric<LossMetric<L1>> && Metric<LossMetric<Perceptual>>);

BOOST_AUTO_TEST_SUITE(losses_as_metrics)

BOOST_AUTO_TEST_CASE(a_loss_judges_images_in_unit_range_as_it_trains_on_signed_ones) {
  const LossMetric metric{"l1", "mean absolute difference in [-1, 1]", L1{}};
  const auto restored = torch::full({3, 8, 9}, 0.75), target = torch::full({3, 8, 9}, 0.25);
  BOOST_TEST(std::abs(metric(restored, target) - 1.0) < 1e-6);
  BOOST_TEST(metric(restored.unsqueeze(0), target) == metric(restored, target));
  BOOST_TEST(!metric.higher_is_better);
  BOOST_TEST(limpid_test::error_of([&] {
               metric(torch::zeros({2, 3, 4, 4}), target);
             }) ==
             "a loss as a metric: expected an image (3, H, W) or (1, 3, H, W), got [2, 3, 4, 4]");
}

BOOST_AUTO_TEST_CASE(a_loss_on_a_network_is_one_too_and_leaves_no_graph) {
  torch::manual_seed(1);
  const auto vgg = VGG19::random_for_benchmark({.deepest = "conv1_2"});
  const Perceptual loss{vgg, "conv1_2"};
  const AnyMetric metric = LossMetric{"perceptual", "VGG-19 conv1_2", loss};
  const auto restored = torch::rand({3, 16, 16}).requires_grad_(),
             target = torch::rand({3, 16, 16});
  BOOST_TEST(metric.name == "perceptual");
  BOOST_TEST(metric(target, target) == 0);
  BOOST_TEST(metric(restored, target) ==
             loss(to_signed(restored).unsqueeze(0), to_signed(target).unsqueeze(0)).item<double>());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
