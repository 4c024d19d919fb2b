#include <limpid/weights/find_weights.hpp>
#include <limpid/weights/load_weights.hpp>
#include <support/errors.hpp>

#include <torch/torch.h>
#include <boost/test/unit_test.hpp>

#include <limits>
#include <map>
#include <string>
#include <vector>

namespace {

using namespace limpid;
using limpid_test::error_of;
using Names = std::vector<std::string>;

/// A small network's tensors, each of a value of its own, from `first` on.
NamedTensors network(float first = 1) {
  NamedTensors weights;
  for (const auto* name : {"intro.weight", "body.0.conv.weight", "body.0.conv.bias",
                           "body.1.conv.weight", "ending.weight"}) {
    weights.emplace_back(name, torch::full({2, 3}, first++));
  }
  return weights;
}

void add(TensorFile& file, const std::string& prefix, const NamedTensors& weights) {
  for (const auto& [name, tensor] : weights) file.tensors[prefix + name] = tensor.clone();
}

/// What loading says, and the first number of what was loaded.
struct Loaded {
  WeightsReport report;
  float first = 0;
};

Loaded load(const TensorFile& file, LoadOptions options = {}, const NameMap& map = {}) {
  auto weights = network(100);
  auto report = load_weights(weights, file, "weights 'x'", map, options);
  return {report, weights[0].second.data_ptr<float>()[0]};
}

BOOST_AUTO_TEST_SUITE(weights_are_found)

BOOST_AUTO_TEST_CASE(under_any_nesting_of_containers_and_any_prefix) {
  for (const std::string prefix :
       {"", "module.", "_orig_mod.", "net.", "module._orig_mod.", "_orig_mod.module.module.",
        "state_dict.", "model.", "params.", "netG.", "net_g.", "model_state_dict.", "generator.",
        "state_dict.net.", "state_dict.generator.module._orig_mod.", "0.", "checkpoint.models.1.",
        "what nobody has thought of.α.", "a.b.c.d.e.f.g.h."}) {
    BOOST_TEST_CONTEXT(prefix) {
      TensorFile file;
      add(file, prefix, network());
      file.tensors["optimizer.state.0.exp_avg"] = torch::zeros({2, 3});
      file.tensors["discriminator.conv.weight"] = torch::zeros({4});
      const bool is_top = prefix.empty();
      const auto [report, first] = load(file, {.strict = !is_top});
      BOOST_TEST(report.wrapper == prefix);
      BOOST_TEST(report.loaded.size() == 5U);
      BOOST_TEST(first == 1);
      BOOST_TEST((is_top ? report.unexpected : report.ignored).size() == 2U);
    }
  }
}

BOOST_AUTO_TEST_CASE(under_words_between_the_networks_own) {
  TensorFile file;
  for (const auto& [name, tensor] : network()) {
    const auto dot = name.find('.') + 1;
    file.tensors["net." + name.substr(0, dot) + "_fsdp_wrapped_module." + name.substr(dot)] =
        tensor;
  }
  const auto [report, first] = load(file);
  BOOST_TEST(report.complete());
  BOOST_TEST(first == 1);
}

BOOST_AUTO_TEST_CASE(where_the_file_leaves_out_what_all_names_begin_with) {
  TensorFile file;
  add(file, "vgg.", network());
  NamedTensors weights;
  for (const auto& [name, tensor] : network(100)) weights.emplace_back("features." + name, tensor);
  const auto report = load_weights(weights, file, "weights 'x'", NameMap{});
  BOOST_TEST(report.complete());
  BOOST_TEST(weights[0].second.equal(network()[0].second));
}

BOOST_AUTO_TEST_CASE(averaged_before_raw_and_the_report_says_so) {
  for (const std::string averaged :
       {"params_ema.", "ema.", "model_ema.", "netG_ema.module.", "EMA.", "emaModel.",
        "swa_model.module.", "averaged_model.", "state.shadow."}) {
    BOOST_TEST_CONTEXT(averaged) {
      TensorFile file;
      add(file, "params.", network(1));
      add(file, averaged, network(11));
      const auto [report, first] = load(file);
      BOOST_TEST(first == 11);
      BOOST_TEST(report.averaged);
      BOOST_TEST(report.wrapper == averaged);
      BOOST_TEST((report.others == Names{"params"}));
      BOOST_TEST((report.table().find("(averaged weights)\n  also there: params (--key") !=
                  std::string::npos),
                 report.table());
      BOOST_TEST(load(file, {.key = "params"}).first == 1);
      BOOST_TEST(load(file, {.key = averaged.substr(0, averaged.size() - 1)}).first == 11);
    }
  }
  for (const std::string raw : {"schema.", "emanuel.", "cinema.", "gema."}) {
    BOOST_TEST(!limpid::detail::is_averaged(raw), raw);
  }
}

BOOST_AUTO_TEST_CASE(raw_where_the_average_lacks_what_the_network_needs) {
  TensorFile file;
  add(file, "params.", network(1));
  add(file, "params_ema.", network(11));
  file.tensors.erase("params_ema.ending.weight");
  BOOST_TEST(load(file).first == 1);
  BOOST_TEST((load(file).report.others == Names{"params_ema"}));
  NameMap map;
  map.rename("*", "*").optional("ending.weight");  // may be missing: then the average has all
  BOOST_TEST(load(file, {}, map).first == 11);
}

BOOST_AUTO_TEST_CASE(by_shapes_too) {
  TensorFile file;
  auto wide = network(11);
  for (auto& [name, tensor] : wide) tensor = torch::full({4, 3}, 11.f);
  add(file, "large_ema.", wide);
  add(file, "small.", network(1));
  BOOST_TEST(load(file).first == 1);
  BOOST_TEST(load(file).report.complete());
}

BOOST_AUTO_TEST_CASE(two_that_fit_equally_well_are_an_error_that_lists_the_keys) {
  TensorFile file;
  add(file, "netG_A.", network(1));
  add(file, "netG_B.", network(11));
  BOOST_TEST(error_of([&] { load(file); }) ==
             "weights 'x': 2 of its keys fit equally well (netG_A, netG_B); choose one (--key, or "
             "LoadOptions::key)");
  BOOST_TEST(load(file, {.key = "netG_B"}).first == 11);
  BOOST_TEST(error_of([&] { load(file, {.key = "netG"}); }) ==
             "weights 'x': nothing of the network stands under the key 'netG'; the file's keys are "
             "netG_A, netG_B");
  TensorFile same;
  add(same, "a.", network(1));
  add(same, "b.", network(1));  // the very same numbers: no choice to make
  BOOST_TEST(load(same).first == 1);
}

BOOST_AUTO_TEST_CASE(at_the_top_by_the_key_dot) {
  TensorFile file;
  add(file, "", network(1));
  add(file, "ema.", network(11));
  BOOST_TEST(load(file).first == 11);
  BOOST_TEST((load(file).report.others == Names{"."}));
  const auto [report, first] = load(file, {.strict = false, .key = "."});
  BOOST_TEST(first == 1);
}

BOOST_AUTO_TEST_CASE(only_if_they_are_finite) {
  for (const auto value :
       {std::numeric_limits<float>::quiet_NaN(), -std::numeric_limits<float>::infinity()}) {
    TensorFile file;
    add(file, "params.", network());
    file.tensors["params.body.0.conv.bias"][1][2] = value;
    file.tensors["other"] = torch::full({1}, value);  // not needed, and not looked at
    auto weights = network(100);
    for (const bool strict : {true, false}) {
      BOOST_TEST(
          error_of([&] { load_weights(weights, file, "weights 'x'", {}, {.strict = strict}); }) ==
          "weights 'x': 1 tensor holds values that are not finite (NaN or infinity): "
          "params.body.0.conv.bias");
    }
    BOOST_TEST(weights[0].second.equal(network(100)[0].second));
  }
}

BOOST_AUTO_TEST_CASE(without_reading_what_is_not_needed) {
  TensorFile file;
  add(file, "params.", network());
  auto index = index_of(file);
  for (const auto* name : {"optimizer.0", "params_old.intro.weight", "junk"}) {
    index.tensors[name] = {"float32", at::kFloat, {2, 3}, []() -> at::Tensor {
                             throw std::runtime_error{"read though it is not needed"};
                           }};
  }
  index.passed_over["best"] = "made by 'numpy.scalar'";
  auto weights = network(100);
  const auto report = load_weights(weights, index, "weights 'x'", NameMap{});
  BOOST_TEST(report.complete());
  BOOST_TEST(report.ignored.size() == 3U);
  BOOST_TEST(
      (report.table().find("passed over: best (made by 'numpy.scalar')") != std::string::npos),
      report.table());
}

BOOST_AUTO_TEST_CASE(and_what_stays_random_is_named_one_by_one) {
  TensorFile file;
  NamedTensors weights;
  for (int i = 0; i < 30; ++i) {
    weights.emplace_back("layer." + std::to_string(i), torch::zeros({1}));
    if (i < 3) file.tensors[weights.back().first] = torch::ones({1});
  }
  const auto report = load_weights(weights, file, "weights 'x'", {}, {.strict = false});
  BOOST_TEST(report.untouched.size() == 27U);
  const nlohmann::json json = report;
  BOOST_TEST(json.at("untouched").size() == 27U);
  for (int i = 3; i < 30; ++i) {
    BOOST_TEST((report.table().find("stays as it was (random in a new network): layer." +
                                    std::to_string(i) + "\n") != std::string::npos),
               i);
  }
}

BOOST_AUTO_TEST_CASE(by_the_names_of_a_map_before_sizes_are_known) {
  NameMap map;
  map.rename("encoder.*", "intro.*").rename("decoder.deblur.#.*", "body.#.*");
  TensorFile file;
  add(file, "params.", network(1));
  add(file, "params_ema.module.", network(11));
  const auto found = find_weights(index_of(file), map);
  BOOST_TEST(found.prefix == "params_ema.module.");
  BOOST_TEST(found.averaged);
  BOOST_TEST(found.fitting == 4U);
  BOOST_TEST(found.names.at("body.1.conv.weight") == "params_ema.module.body.1.conv.weight");
  BOOST_TEST(find_weights(index_of(file), map, {.key = "params"}).prefix == "params.");
}

BOOST_AUTO_TEST_CASE(in_files_of_many_names_in_no_time) {
  TensorIndex index;
  std::string dots;
  for (int i = 0; i < 2'000; ++i) dots += "a.";
  for (int i = 0; i < 5'000; ++i) {
    index.tensors[dots + std::to_string(i)] = {"float32", at::kFloat, {1}, {}};
  }
  const auto found =
      find_weights(index, {{"a.intro", torch::zeros({1})}}, [](const auto&) { return false; }, {});
  BOOST_TEST(found.fitting == 0U);
}

BOOST_AUTO_TEST_CASE(in_files_of_many_levels_that_fit_too) {
  TensorIndex index;
  int reads = 0;
  const auto read = [&reads] { return torch::full({1}, ++reads); };
  for (int i = 0; i < 15'000; ++i) {
    index.tensors["p" + std::to_string(i) + ".intro"] = {"float32", at::kFloat, {1}, read};
  }
  const auto found =
      find_weights(index, {{"intro", torch::zeros({1})}}, [](const auto&) { return false; }, {});
  BOOST_TEST(found.fitting == 1U);
  BOOST_TEST(!found.rivals.empty());
  BOOST_TEST(reads < 100);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
