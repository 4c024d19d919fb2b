#include <limpid/model/state_dict.hpp>
#include <support/errors.hpp>

#include <torch/torch.h>
#include <boost/test/unit_test.hpp>

#include <string>
#include <vector>

namespace {

using limpid::TensorMap;
using limpid::detail::collect_tensors, limpid::detail::listed, limpid::detail::named_tensors,
    limpid::detail::TensorLoader;

std::string error_of(const TensorLoader& loader, const TensorMap& tensors,
                     const std::vector<std::string>& prefixes = {""}) {
  return limpid_test::error_of([&] { loader.apply(tensors, "file", prefixes); });
}

BOOST_AUTO_TEST_SUITE(state_dict)

BOOST_AUTO_TEST_CASE(parameters_and_buffers_are_collected_under_the_prefix) {
  torch::nn::Sequential net{torch::nn::Conv2d(3, 2, 1), torch::nn::BatchNorm2d(2)};
  TensorMap tensors;
  collect_tensors(*net, "encoder.", tensors);
  BOOST_TEST(tensors.size() == 7U);  // two of the convolution, five of the norm
  BOOST_TEST(tensors.count("encoder.1.running_mean") == 1U);
  BOOST_TEST(tensors.at("encoder.0.weight").is_alias_of(net->parameters()[0]));
  BOOST_TEST(!tensors.at("encoder.0.weight").requires_grad());
  BOOST_TEST(named_tensors(*net).size() == 7U);
}

BOOST_AUTO_TEST_CASE(a_module_is_filled_in_place) {
  torch::nn::Sequential source{torch::nn::Conv2d(3, 2, 1), torch::nn::BatchNorm2d(2)};
  torch::nn::Sequential target{torch::nn::Conv2d(3, 2, 1), torch::nn::BatchNorm2d(2)};
  source[1]->as<torch::nn::BatchNorm2d>()->running_mean.fill_(0.5);
  TensorMap tensors;
  collect_tensors(*source, "a.", tensors);
  const auto weight = target->parameters()[0];
  TensorLoader loader;
  loader.expect_module(*target, "a.");
  BOOST_TEST(error_of(loader, tensors) == "no error");
  BOOST_TEST(target->parameters()[0].is_same(weight));
  BOOST_TEST(weight.requires_grad());
  BOOST_TEST(!weight.is_alias_of(source->parameters()[0]));
  const auto expected = named_tensors(*source), found = named_tensors(*target);
  for (std::size_t i = 0; i < expected.size(); ++i) {
    BOOST_TEST(torch::equal(found[i].second, expected[i].second), expected[i].first);
  }
}

BOOST_AUTO_TEST_CASE(all_tensors_are_filled_or_none) {
  const auto a = torch::zeros({2}), b = torch::zeros({2}), c = torch::zeros({2});
  TensorLoader loader;
  loader.expect("a", a);
  loader.expect("b", b);
  loader.expect("c", c);
  const auto one = torch::ones({2});
  BOOST_TEST(error_of(loader, {{"a", one}, {"b", one}}) ==
             "file: its tensors do not fit the model; missing: c");
  BOOST_TEST(error_of(loader, {{"a", one}, {"b", one}, {"c", torch::ones({1, 2})}}) ==
             "file: its tensors do not fit the model; mismatched: c (expected Float [2], found "
             "Float [1, 2])");
  BOOST_TEST(error_of(loader, {{"a", one}, {"b", one}, {"c", one.to(torch::kLong)}}) ==
             "file: its tensors do not fit the model; mismatched: c (expected Float [2], found "
             "Long [2])");
  BOOST_TEST(error_of(loader, {{"a", one}, {"b", one}, {"c", one}, {"d", one}}) ==
             "file: its tensors do not fit the model; unexpected: d");
  for (const auto& tensor : {a, b, c}) BOOST_TEST(tensor.sum().item<float>() == 0);
  BOOST_TEST(error_of(loader, {{"a", one}, {"b", one}, {"c", one}}) == "no error");
  for (const auto& tensor : {a, b, c}) BOOST_TEST(tensor.sum().item<float>() == 2);
}

BOOST_AUTO_TEST_CASE(other_prefixes_are_left_alone) {
  const auto one = torch::ones({1});
  TensorLoader loader;
  loader.expect("encoder.a", torch::zeros({1}));
  const TensorMap tensors{{"encoder.a", one}, {"adam.encoder.a", one}};
  BOOST_TEST(error_of(loader, tensors, {"encoder.", "decoder."}) == "no error");
  BOOST_TEST(error_of(loader, tensors, {"encoder.", "adam."}) ==
             "file: its tensors do not fit the model; unexpected: adam.encoder.a");
}

BOOST_AUTO_TEST_CASE(a_long_list_of_names_is_cut) {
  BOOST_TEST(listed({}) == "");
  BOOST_TEST(listed({"a"}) == "a");
  BOOST_TEST(listed({"a", "b", "c", "d"}) == "a, b, c, d");
  BOOST_TEST(listed({"a", "b", "c", "d", "e", "f"}) == "a, b, c, d and 2 more");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
