#include <limpid/decoders/resnet.hpp>
#include <limpid/encoders/resnet.hpp>
#include <limpid/model/multi_task_model.hpp>
#include <limpid/weights/load_weights.hpp>
#include <limpid/weights/maps.hpp>
#include <limpid/weights/named_tensors.hpp>
#include <limpid/weights/save_weights.hpp>
#include <limpid/weights/weights_report.hpp>
#include <support/errors.hpp>
#include <support/networks.hpp>
#include <support/temporary_folder.hpp>

#include <torch/torch.h>
#include <boost/test/unit_test.hpp>
#include <nlohmann/json.hpp>

#include <string>
#include <vector>

namespace {

using namespace limpid;
using limpid_test::TemporaryFolder;
using Names = std::vector<std::string>;

constexpr ResNetEncoderOptions kEncoder{.width = 4, .blocks = 2};
constexpr ResNetDecoderOptions kDecoder{.width = 4};

using TwoTasks = MultiTaskModel<ResNetEncoder, ResNetDecoder<"deblur">, ResNetDecoder<"derain">>;

TwoTasks two_tasks() {
  return TwoTasks{ResNetEncoder{kEncoder}, ResNetDecoder<"deblur">{kDecoder},
                  ResNetDecoder<"derain">{kDecoder}};
}

NameMap thesis_names() { return maps::thesis_resnet({"deblur", "derain"}, {.blocks = 2}); }

/// The same names as they stand in a file: `rename` maps a published name to that of the file.
template <class Rename>
TensorFile file_of(const NamedTensors& weights, const NameMap& map, Rename rename) {
  TensorFile file;
  for (const auto& [name, tensor] : publish(weights, map).tensors) {
    file.tensors[rename(name)] = tensor.clone();
  }
  return file;
}

bool equal(const NamedTensors& a, const NamedTensors& b) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (a[i].first != b[i].first || !a[i].second.equal(b[i].second)) return false;
  }
  return true;
}

NamedTensors copy_of(const NamedTensors& weights) {
  NamedTensors copy;
  for (const auto& [name, tensor] : weights) copy.emplace_back(name, tensor.detach().clone());
  return copy;
}

using limpid_test::error_of;

BOOST_AUTO_TEST_SUITE(load_weights_of_files)

BOOST_AUTO_TEST_CASE(a_models_weights_go_to_published_names_and_back) {
  const TemporaryFolder folder;
  auto saved = two_tasks(), loaded = two_tasks();
  save_weights(saved, folder / "w.safetensors", thesis_names());
  const auto file = read_tensor_file(folder / "w.safetensors");
  BOOST_TEST(file.tensors.count("decoder1.model.7.weight") == 1U);
  BOOST_TEST(!equal(weights_of(saved), weights_of(loaded)));
  const auto report = load_weights(loaded, folder / "w.safetensors", thesis_names());
  BOOST_TEST(equal(weights_of(saved), weights_of(loaded)));
  BOOST_TEST(report.complete());
  BOOST_TEST(report.loaded.size() == weights_of(saved).size());
  BOOST_TEST(report.faults() == "");
}

BOOST_AUTO_TEST_CASE(a_model_is_named_as_in_its_model_file) {
  auto model = two_tasks();
  const auto weights = weights_of(model);
  BOOST_TEST(weights.front().first == "encoder.model.1.weight");
  BOOST_TEST(weights.back().first == "decoder.derain.model.7.bias");
  const auto pair = weights_of_pair(model->encoder(), model->decoder<"deblur">(), "deblur");
  BOOST_TEST(pair.back().first == "decoder.deblur.model.7.bias");
  BOOST_TEST(pair.back().second.is_same(model->decoder<"deblur">()->parameters().back()));
}

BOOST_AUTO_TEST_CASE(wrappers_and_data_parallel_are_seen_through) {
  auto model = two_tasks();
  const auto weights = weights_of(model);
  const auto flat = weights_of_pair(model->encoder(), model->decoder<"deblur">(), "deblur");
  const auto names = maps::deblurgan_resnet("deblur", {.blocks = 2});
  for (const std::string wrapper :
       {"", "model.", "state_dict.", "params.", "params_ema.", "state_dict.model.", "module.",
        "model.module.", "params.module."}) {
    BOOST_TEST_CONTEXT(wrapper) {
      auto file = file_of(flat, names, [&](const auto& name) { return wrapper + name; });
      if (wrapper.size() > 7) file.tensors["optimizer.state.0.exp_avg"] = torch::zeros({2});
      auto other = two_tasks();
      const auto target = weights_of_pair(other->encoder(), other->decoder<"deblur">(), "deblur");
      const auto report = load_weights(target, file, "weights 'x'", names);
      BOOST_TEST(report.wrapper == wrapper);
      BOOST_TEST(equal(flat, target));
      BOOST_TEST(report.ignored ==
                 (wrapper.size() > 7 ? Names{"optimizer.state.0.exp_avg"} : Names{}));
    }
  }
  // The thesis' dict of DataParallel modules: encoder.module.model.1.weight.
  const auto file = file_of(weights, thesis_names(), [](const std::string& name) {
    const auto dot = name.find('.') + 1;
    return name.substr(0, dot) + "module." + name.substr(dot);
  });
  auto other = two_tasks();
  load_weights(weights_of(other), file, "weights 'x'", thesis_names());
  BOOST_TEST(equal(weights, weights_of(other)));
}

BOOST_AUTO_TEST_CASE(one_part_is_taken_from_the_file_of_a_whole_model) {
  auto model = two_tasks();
  const auto file = file_of(weights_of(model), thesis_names(), [](auto name) { return name; });
  ResNetEncoder encoder{kEncoder};
  const auto report =
      load_weights(weights_of(encoder), file, "weights 'x'", thesis_names().part("encoder."));
  BOOST_TEST(equal(weights_of(encoder), weights_of(model->encoder())));
  BOOST_TEST(report.ignored.size() == 12U);  // three convolutions of each decoder
}

BOOST_AUTO_TEST_CASE(other_floating_types_become_the_modules) {
  auto model = two_tasks();
  for (const auto type : {torch::kHalf, torch::kBFloat16, torch::kDouble}) {
    auto file = file_of(weights_of(model), thesis_names(), [](auto name) { return name; });
    for (auto& [name, tensor] : file.tensors) tensor = tensor.to(type);
    auto other = two_tasks();
    load_weights(weights_of(other), file, "weights 'x'", thesis_names());
    const auto from = weights_of(model), to = weights_of(other);
    for (std::size_t i = 0; i < from.size(); ++i) {
      BOOST_TEST((to[i].second.scalar_type() == torch::kFloat));
      BOOST_TEST(to[i].second.equal(from[i].second.to(type).to(torch::kFloat)));
    }
  }
}

BOOST_AUTO_TEST_CASE(a_file_that_does_not_fit_is_refused_by_names_and_changes_nothing) {
  auto model = two_tasks();
  auto file = file_of(weights_of(model), thesis_names(), [](auto name) { return name; });
  file.tensors.erase("encoder.model.1.weight");
  file.tensors["encoder.model.4.weight"] = torch::zeros({8, 4, 3, 2});
  file.tensors["decoder0.model.0.bias"] = torch::zeros({8}, torch::kLong);
  file.tensors["decoder2.model.0.bias"] = torch::zeros({8});
  file.tensors["encoder.model.2.running_mean"] = torch::zeros({4});
  auto other = two_tasks();
  const auto target = weights_of(other);
  const auto before = copy_of(target);
  const std::string faults =
      "missing: encoder.model.1.weight; mis-shaped: decoder0.model.0.bias (expected Float [8], "
      "found Long [8]), encoder.model.4.weight (expected Float [8, 4, 3, 3], found Float [8, 4, 3, "
      "2]); unexpected: decoder2.model.0.bias";
  BOOST_TEST(error_of([&] { load_weights(target, file, "weights 'x'", thesis_names()); }) ==
             "weights 'x': its tensors do not fit; " + faults);
  BOOST_TEST(equal(target, before));

  const auto report = load_weights(target, file, "weights 'x'", thesis_names(), {.strict = false});
  BOOST_TEST(!report.complete());
  BOOST_TEST(report.faults() == faults);
  BOOST_TEST(report.loaded.size() == before.size() - 3);
  BOOST_TEST((report.ignored == Names{"encoder.model.2.running_mean"}));
  for (std::size_t i = 0; i < before.size(); ++i) {
    const auto& name = before[i].first;
    const bool kept = name == "encoder.model.1.weight" || name == "encoder.model.4.weight" ||
                      name == "decoder.deblur.model.0.bias";
    BOOST_TEST(target[i].second.equal(kept ? before[i].second : weights_of(model)[i].second), name);
  }
}

BOOST_AUTO_TEST_CASE(a_file_of_another_network_is_refused_also_when_lenient) {
  ResNetEncoder encoder{kEncoder};
  TensorFile file;
  file.tensors["a"] = torch::zeros({1});
  const auto text = error_of(
      [&] { load_weights(weights_of(encoder), file, "weights 'x'", {}, {.strict = false}); });
  BOOST_TEST(text.rfind("weights 'x': none of its tensors fits; missing: model.1.bias, ", 0) == 0U);
}

BOOST_AUTO_TEST_CASE(the_report_is_a_table_and_json) {
  const WeightsReport report{.source = "weights 'x'",
                             .wrapper = "model.",
                             .loaded = Names(120, "w"),
                             .missing = {"a"},
                             .mis_shaped = {{"b", "Float [1]", "Float [2]"}},
                             .unexpected = {},
                             .ignored = {"1", "2", "3", "4", "5", "6"}};
  BOOST_TEST(report.table() ==
             "weights 'x', names after 'model.'\n"
             "  loaded         120\n"
             "  missing          1  a\n"
             "  mis-shaped       1  b (expected Float [1], found Float [2])\n"
             "  unexpected       0\n"
             "  ignored          6  1, 2, 3, 4 and 2 more\n");
  const nlohmann::json json = report;
  BOOST_TEST(json.at("missing").at(0) == "a");
  BOOST_TEST(json.at("mis_shaped").at(0).at("expected") == "Float [1]");
}

BOOST_AUTO_TEST_CASE(a_missing_file_is_named) {
  ResNetEncoder encoder{kEncoder};
  const auto text = error_of([&] { load_weights(encoder, "/nowhere/w.safetensors"); });
  BOOST_TEST((text.find("/nowhere/w.safetensors") != std::string::npos), text);
}

BOOST_AUTO_TEST_CASE(names_that_do_not_lead_back_are_not_saved) {
  const TemporaryFolder folder;
  ResNetEncoder encoder{kEncoder};
  NameMap no_names, clashing;
  no_names.rename("other.*", "other.*");
  clashing.rename("model.1.*", "model.4.*").rename("*", "*");
  BOOST_TEST(limpid_test::throws_value_error(
      [&] { save_weights(encoder, folder / "w", no_names); },
      "save_weights: the map has no published name for 'model.1.weight'"));
  BOOST_TEST(limpid_test::throws_value_error(
      [&] { save_weights(encoder, folder / "w", clashing); },
      "save_weights: 'model.4.weight' would be saved as 'model.4.weight', which leads back to "
      "'model.1.weight'"));
  BOOST_TEST(!std::filesystem::exists(folder / "w"));
}

BOOST_AUTO_TEST_CASE(published_code_finds_the_statistics_that_it_keeps) {
  auto model = two_tasks();
  const auto pair = weights_of_pair(model->encoder(), model->decoder<"deblur">(), "deblur");
  const auto names = maps::deblurgan_resnet("deblur", {.blocks = 2});
  const auto file = publish(pair, names, {.for_published_code = true});
  BOOST_TEST(file.tensors.size() == pair.size() + 3 * (3 + 4 + 2));  // instance norms
  BOOST_TEST(file.tensors.at("model.5.running_var").equal(torch::ones({8})));
  BOOST_TEST(file.tensors.at("model.11.conv_block.7.running_mean").equal(torch::zeros({16})));
  BOOST_TEST(file.tensors.at("model.13.num_batches_tracked").equal(torch::tensor(0, torch::kLong)));
  BOOST_TEST(file.tensors.count("model.20.running_mean") == 0U);
  auto other = two_tasks();
  const auto target = weights_of_pair(other->encoder(), other->decoder<"deblur">(), "deblur");
  BOOST_TEST(load_weights(target, file, "weights 'x'", names).ignored.size() == 27U);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
