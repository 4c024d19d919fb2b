#include <limpid/model/adapt_to.hpp>
#include <support/errors.hpp>

#include <torch/torch.h>
#include <boost/test/unit_test.hpp>

#include <cmath>
#include <cstdint>
#include <string>
#include <tuple>
#include <vector>

namespace {

using namespace limpid;
using limpid_test::error_of, limpid_test::value_error_of;

AnyModel small_model(const std::vector<std::string>& tasks = {"deblur", "dehaze"}, int width = 4) {
  torch::manual_seed(1);
  auto model = make_model({"pixel-unet", {{"width", width}}}, tasks);
  for (const auto& [name, tensor] : model.tensors()) {
    if (name.ends_with("tail.weight")) tensor.normal_(0, 0.1);  // zero at first
  }
  model.module->eval();
  return model;
}

/// A model whose encoder's convolutions and decoders are others, by changes of the given rank.
AnyModel moved(const AnyModel& model, std::int64_t rank) {
  auto other = add_tasks(model, {});
  for (const auto& [name, tensor] : other.tensors()) {
    if (tensor.dim() == 4 && name.starts_with("encoder.")) {
      const auto rows = tensor.size(0), columns = tensor.numel() / rows;
      const auto change = torch::matmul(torch::randn({rows, rank}), torch::randn({rank, columns}));
      tensor.add_(0.02 * change.view_as(tensor));
    } else if (name.starts_with("decoder.")) {
      tensor.add_(0.01);
    }
  }
  return other;
}

at::Tensor restored(const AnyModel& model, const std::string& task) {
  torch::NoGradGuard no_grad;
  return model.restore(model.index_of(task),
                       torch::linspace(-1, 1, 3 * 16 * 20).view({1, 3, 16, 20}));
}

double distance(const at::Tensor& a, const at::Tensor& b) {
  return (a - b).abs().max().item<double>();
}

BOOST_AUTO_TEST_SUITE(adapt_to_suite)

BOOST_AUTO_TEST_CASE(a_change_of_low_rank_is_kept_whole_and_other_tasks_to_the_bit) {
  const auto base = small_model(), tuned = moved(base, 2);
  const auto adapted = adapt_to(base, tuned, "deblur", {.rank = 2});
  BOOST_TEST(distance(restored(base, "deblur"), restored(tuned, "deblur")) > 1e-2);
  BOOST_TEST(distance(restored(adapted, "deblur"), restored(tuned, "deblur")) < 1e-5);
  BOOST_TEST(torch::equal(restored(adapted, "dehaze"), restored(base, "dehaze")));
  BOOST_TEST(adapted.describe().at("tasks").at(0).at("adapter").at("rank") == 2);
}

BOOST_AUTO_TEST_CASE(the_nearest_change_of_that_rank_is_kept) {
  const auto base = small_model(), tuned = moved(base, 4);
  const auto distance_of = [&](std::int64_t rank) {
    return distance(restored(adapt_to(base, tuned, "deblur", {.rank = rank}), "deblur"),
                    restored(tuned, "deblur"));
  };
  BOOST_TEST(distance_of(4) < 1e-5);
  BOOST_TEST(distance_of(3) > 1e-3);
  const auto one = adapt_to(base, tuned, "deblur", {.rank = 1});
  const auto tensors = one.tensors();
  const auto change = (tuned.tensors().at("encoder.coarse.0.conv1.weight") -
                       tensors.at("encoder.coarse.0.conv1.weight"))
                          .flatten(1);
  const auto kept = torch::matmul(tensors.at("adapter.deblur.coarse.0.conv1.up"),
                                  tensors.at("adapter.deblur.coarse.0.conv1.down"));
  // What is left has the singular values that follow.
  const auto all = std::get<1>(torch::linalg_svd(change, false));
  const auto left = std::get<1>(torch::linalg_svd(change - kept, false));
  BOOST_TEST(std::abs(left[0].item<float>() - all[1].item<float>()) < 1e-4);
}

BOOST_AUTO_TEST_CASE(what_does_not_fit_is_said) {
  const auto base = small_model();
  BOOST_TEST(value_error_of([&] { adapt_to(base, base, "snow"); }).find("got 'snow'") !=
             std::string::npos);
  BOOST_TEST(value_error_of([&] {
               adapt_to(base, small_model({"dehaze"}), "deblur");
             }).find("the model to adapt to: expected one of its tasks (dehaze)") == 0u);
  BOOST_TEST(error_of([&] {
               adapt_to(base, small_model({"deblur"}, 8), "deblur");
             }).find("adapters of 'deblur': expected the encoder {") == 0u);
  const auto adapted = add_adapters(base, {"deblur"}, {.rank = 1});
  BOOST_TEST(error_of([&] {
               adapt_to(adapted, adapted, "deblur");
             }).find("have some already; merge them first") != std::string::npos);
  BOOST_TEST(!value_error_of([&] { adapt_to(base, base, "deblur", {.rank = 0}); }).empty());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
