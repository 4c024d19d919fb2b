#include <limpid/model/average_models.hpp>
#include <limpid/model/model_file.hpp>
#include <support/errors.hpp>
#include <support/temporary_folder.hpp>

#include <torch/torch.h>
#include <boost/test/unit_test.hpp>

#include <limits>
#include <string>
#include <vector>

namespace {

using namespace limpid;
using limpid_test::error_of, limpid_test::TemporaryFolder, limpid_test::value_error_of;

/// A small model whose weights are all the same number.
AnyModel filled(float value, const std::vector<std::string>& tasks = {"deblur", "dehaze"},
                int width = 4) {
  auto model = make_model({"pixel-unet", {{"width", width}}}, tasks);
  for (const auto& [name, tensor] : model.tensors()) tensor.fill_(value);
  return model;
}

bool all_are(const AnyModel& model, double value) {
  for (const auto& [name, tensor] : model.tensors()) {
    if (!torch::allclose(tensor, torch::full_like(tensor, value), 1e-6, 1e-7)) return false;
  }
  return true;
}

BOOST_AUTO_TEST_SUITE(average_models_suite)

BOOST_AUTO_TEST_CASE(weights_are_averaged_by_shares_of_their_sum) {
  const auto one = filled(1), two = filled(2), five = filled(5);
  const std::vector<ModelShare> models{{"one", one, 1}, {"two", two, 2}, {"five", five, 5}};
  BOOST_TEST(all_are(average_models(models), (1 + 4 + 25) / 8.0));
  BOOST_TEST((all_are(one, 1) && all_are(two, 2) && all_are(five, 5)));  // nothing is shared
  const std::vector<ModelShare> alone{{"two", two, 0.3}};
  BOOST_TEST(all_are(average_models(alone), 2));
  const std::vector<ModelShare> none_of_one{{"one", one, 0}, {"two", two, 3}};
  BOOST_TEST(all_are(average_models(none_of_one), 2));
}

BOOST_AUTO_TEST_CASE(a_model_of_fewer_tasks_takes_part_in_what_it_has) {
  const std::vector<ModelShare> models{{"both", filled(1), 1}, {"one", filled(5, {"dehaze"}), 3}};
  for (const auto& [name, tensor] : average_models(models).tensors()) {
    const float expected = name.starts_with("decoder.deblur.") ? 1 : 4;
    BOOST_TEST(torch::equal(tensor, torch::full_like(tensor, expected)), name);
  }
  const std::vector<ModelShare> grafted{{"both", filled(1), 0}, {"one", filled(5, {"dehaze"}), 1}};
  for (const auto& [name, tensor] : average_models(grafted).tensors()) {
    const float expected = name.starts_with("decoder.deblur.") ? 1 : 5;
    BOOST_TEST(torch::equal(tensor, torch::full_like(tensor, expected)), name);
  }
}

BOOST_AUTO_TEST_CASE(stored_with_16_bits_they_are_averaged_with_32_and_counters_stay) {
  const TemporaryFolder folder;
  save(filled(0.5F), folder / "half.limpid", {}, StoredWeights::float16);
  const auto half = load_any(folder / "half.limpid").model;
  const std::vector<ModelShare> models{{"half", half, 1}, {"exact", filled(0.5F + 0x1p-20F), 1}};
  BOOST_TEST(all_are(average_models(models), 0.5 + 0x1p-21));
  const auto with_counters = [](std::int64_t count) {
    auto model =
        make_model({"gunet", {{"width", 8}, {"blocks", {1, 1, 1}}, {"norm", "batch"}}}, {"dehaze"});
    for (const auto& [name, tensor] : model.tensors()) {
      if (!tensor.is_floating_point()) tensor.fill_(count);
    }
    return model;
  };
  const std::vector<ModelShare> counted{{"a", with_counters(3), 1}, {"b", with_counters(8), 1}};
  std::size_t counters = 0;
  for (const auto& [name, tensor] : average_models(counted).tensors()) {
    if (tensor.is_floating_point()) continue;
    ++counters;
    BOOST_TEST(tensor.max().item<std::int64_t>() == 3, name);
  }
  BOOST_TEST(counters > 0u);
}

BOOST_AUTO_TEST_CASE(what_has_no_mean_is_refused_by_name) {
  const auto one = filled(1);
  const auto of = [&](const AnyModel& other, double share) {
    return error_of([&] {
      const std::vector<ModelShare> models{{"a", one, 1}, {"b", other, share}};
      average_models(models);
    });
  };
  for (const auto& other : {filled(1, {"deblur", "dehaze"}, 8), filled(1, {"deblur", "snow"})}) {
    BOOST_TEST(of(other, 1).find("'b' has other networks or tasks than 'a': expected ") == 0u);
  }
  BOOST_TEST(of(one, -1).find("the share of 'b': expected a number from 0 on, got -1") == 0u);
  BOOST_TEST(of(one, std::numeric_limits<double>::infinity()).find("the share of 'b'") == 0u);
  BOOST_TEST(value_error_of([] { average_models({}); }) ==
             "average_models: expected a model, got none");
  const std::vector<ModelShare> nothing{{"a", one, 0}};
  BOOST_TEST(value_error_of([&] { average_models(nothing); }) ==
             "average_models: expected a share above 0, got none");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
