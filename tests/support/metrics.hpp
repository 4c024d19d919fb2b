#pragma once

#include <limpid/core/concepts.hpp>

#include <torch/torch.h>
#include <boost/test/unit_test.hpp>

#include <cstdint>
#include <string>
#include <string_view>

namespace limpid_test {

/// A unit-range picture (3, H, W) of whole 8-bit values that follows from nothing but its size.
inline at::Tensor metric_picture(std::int64_t height, std::int64_t width) {
  const auto index = torch::arange(3 * height * width, torch::kDouble).reshape({3, height, width});
  return (index * 0.37).sin().mul(100).add(127).round().div(255).to(torch::kFloat);
}

/// What every full-reference metric promises, shown on pictures of a size that it takes.
template <limpid::Metric M>
void check_metric(const M& metric, std::int64_t height = 48, std::int64_t width = 40) {
  const std::string name{std::string_view{metric.name}};
  BOOST_TEST_CONTEXT("metric " << name) {
    BOOST_TEST(!name.empty());
    BOOST_TEST(std::string_view{metric.protocol}.size() > 20u, "the protocol says how");
    const auto target = metric_picture(height, width);
    const auto slightly = (target + 0.02 * torch::cos(torch::arange(width) * 1.0)).clamp(0, 1);
    const auto badly = (target + 0.2 * torch::cos(torch::arange(width) * 1.0)).clamp(0, 1);
    const auto better = [&](double a, double b) { return metric.higher_is_better ? a > b : a < b; };

    const auto before = badly.clone(), before_target = target.clone();
    const double bad = metric(badly, target), good = metric(slightly, target);
    BOOST_TEST(better(good, bad), "a smaller error scores better");
    BOOST_TEST(better(metric(target, target), good), "no error scores best");
    BOOST_TEST(metric(badly, target) == bad, "the same pictures score the same");
    BOOST_TEST((torch::equal(badly, before) && torch::equal(target, before_target)),
               "inputs stay as they were");
    BOOST_TEST(metric(badly.unsqueeze(0), target.unsqueeze(0)) == bad, "(1, 3, H, W) is the same");
    const auto strided = badly.permute({1, 2, 0}).contiguous().permute({2, 0, 1});
    BOOST_TEST(metric(strided, target) == bad, "memory layout does not matter");
    BOOST_TEST(metric(badly.to(torch::kDouble), target) == bad, "nor does the type");
    BOOST_TEST(metric(badly.clone().requires_grad_(), target) == bad, "nor does a gradient");

    BOOST_CHECK_THROW(metric(badly.narrow(1, 0, height - 1), target), c10::ValueError);
    BOOST_CHECK_THROW(metric(badly.narrow(0, 0, 2), target.narrow(0, 0, 2)), c10::ValueError);
    BOOST_CHECK_THROW(metric(torch::stack({badly, badly}), torch::stack({target, target})),
                      c10::ValueError);
    BOOST_CHECK_THROW(metric(badly[0], target[0]), c10::ValueError);
  }
}

}  // namespace limpid_test
