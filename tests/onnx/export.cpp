#include <limpid/io/safetensors.hpp>
#include <limpid/model/multi_task_model.hpp>
#include <limpid/onnx/export.hpp>
#include <support/drawn_models.hpp>
#include <support/errors.hpp>
#include <support/temporary_folder.hpp>

#include <torch/torch.h>
#include <boost/test/unit_test.hpp>
#include <nlohmann/json.hpp>

#if LIMPID_WITH_PROTOZERO
#include <protozero/pbf_reader.hpp>
#endif

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace {

namespace fs = std::filesystem;
using namespace limpid;
using limpid_test::drawn_model, limpid_test::kFamilyVariants;

AnyModel model_of(const std::string& network) { return drawn_model(network, {"deblur", "derain"}); }

const ONNXNode* node_that_makes(const ONNXGraph& graph, const std::string& name) {
  for (const auto& node : graph.nodes) {
    if (node.outputs.front() == name) return &node;
  }
  return nullptr;
}

std::int64_t count(const ONNXGraph& graph, std::string_view op) {
  return std::count_if(graph.nodes.begin(), graph.nodes.end(),
                       [&](const auto& node) { return node.op == op; });
}

/// A network that does what `Made` does to the picture.
template <class Made>
struct OneLayerImpl : torch::nn::Cloneable<OneLayerImpl<Made>> {
  using Features = at::Tensor;
  OneLayerImpl() { reset(); }
  void reset() override {
    conv = this->register_module("conv",
                                 torch::nn::Conv2d(torch::nn::Conv2dOptions(3, 3, 3).padding(1)));
  }
  at::Tensor forward(const at::Tensor& image) { return Made{}(conv->forward(image)); }
  torch::nn::Conv2d conv{nullptr};
};

struct SameImpl : torch::nn::Cloneable<SameImpl> {
  static constexpr std::string_view task = "deblur";
  void reset() override {}
  at::Tensor forward(const at::Tensor& features) { return features; }
};
TORCH_MODULE(Same);

template <class Made>
AnyModel one_layer() {
  using E = torch::nn::ModuleHolder<OneLayerImpl<Made>>;
  AnyModel model = MultiTaskModel<E, Same>{E{}, Same{}};
  model.module->eval();
  return model;
}

/// Exporting a network with `Made` fails; the error has `text` and the layer.
template <class Made>
void check_refused(const std::string& text) {
  const auto error = limpid_test::error_of([] { return onnx_model(one_layer<Made>()); });
  BOOST_TEST(error.find(text) != error.npos, error);
  BOOST_TEST(error.find("'encoder.conv'") != error.npos, error);
}

BOOST_AUTO_TEST_SUITE(onnx)

BOOST_AUTO_TEST_CASE(every_family_becomes_a_graph_that_can_be_computed_from_front_to_back) {
  std::set<std::string> exported;
  for (const auto& network : kFamilyVariants) {
    BOOST_TEST_CONTEXT(network) {
      const auto written = onnx_model(model_of(network));
      const auto& graph = written.graph;
      std::set<std::string> known{"", "image"}, made;
      for (const auto& constant : graph.constants) {
        BOOST_TEST(known.insert(constant.name).second, constant.name);
      }
      for (const auto& node : graph.nodes) {
        for (const auto& input : node.inputs) BOOST_TEST(known.count(input) == 1, input);
        for (const auto& output : node.outputs) {
          BOOST_TEST(known.insert(output).second, output << " is made twice");
        }
      }
      BOOST_REQUIRE(graph.outputs.size() == 2);
      BOOST_TEST(graph.outputs[0].name == "deblur");
      BOOST_TEST(graph.outputs[1].name == "derain");
      BOOST_TEST(node_that_makes(graph, "derain") != nullptr);
      exported.insert(parse_network(network).family);
    }
  }
  kFamilies.for_each([&](const auto& family) {
    BOOST_TEST(exported.count(std::string{family.name}) == 1, family.name << " was not tried");
  });
}

BOOST_AUTO_TEST_CASE(tasks_share_the_encoder_and_one_task_has_no_other_decoder) {
  const auto model = model_of("pixel-unet:width=8");
  const auto both = onnx_model(model).graph;
  const auto deblur = onnx_model(model, {"deblur"}).graph;
  const auto derain = onnx_model(model, {"derain"}).graph;
  BOOST_REQUIRE(deblur.outputs.size() == 1);
  std::int64_t shared = 0;
  for (const auto& node : deblur.nodes) {
    shared += node.op == "Conv" && node.inputs.at(1).rfind("decoder.", 0) != 0;
  }
  for (const auto& constant : deblur.constants) {
    BOOST_TEST(constant.name.find("derain") == constant.name.npos, constant.name);
  }
  BOOST_TEST(shared > 3);
  BOOST_TEST(count(both, "Conv") == count(deblur, "Conv") + count(derain, "Conv") - shared);
  const auto error = limpid_test::value_error_of([&] { return onnx_model(model, {"dehaze"}); });
  BOOST_TEST(error.find("deblur, derain") != error.npos, error);
}

BOOST_AUTO_TEST_CASE(a_network_of_ones_own_is_exported) {
  struct Doubled {
    at::Tensor operator()(const at::Tensor& map) const { return 2 * at::leaky_relu(map, 0.1); }
  };
  const auto graph = onnx_model(one_layer<Doubled>()).graph;
  BOOST_TEST(count(graph, "Conv") == 1);
  BOOST_TEST(count(graph, "LeakyRelu") == 1);
  BOOST_TEST(count(graph, "Gather") == 2);  // height and width: it takes any size, without padding
}

BOOST_AUTO_TEST_CASE(what_cannot_be_said_is_an_error_that_names_operator_and_layer) {
  struct Sorts {
    at::Tensor operator()(const at::Tensor& map) const { return std::get<0>(map.sort(2)); }
  };
  check_refused<Sorts>("'sort'");
  struct Reads {
    at::Tensor operator()(const at::Tensor& map) const { return map * map.mean().item<float>(); }
  };
  check_refused<Reads>("reads numbers");
  struct Writes {
    at::Tensor operator()(const at::Tensor& map) const {
      map.narrow(1, 0, 1).relu_();
      return map;
    }
  };
  check_refused<Writes>("another one is a part");
}

BOOST_AUTO_TEST_CASE(what_holds_for_one_size_only_is_an_error) {
  struct Left {
    at::Tensor operator()(const at::Tensor& map) const {
      return at::cat({map.narrow(3, 0, map.size(3) / 2), map.narrow(3, 0, map.size(3) / 2)}, 3);
    }
  };
  check_refused<Left>("the picture's size");
  struct Chooses {
    at::Tensor operator()(const at::Tensor& map) const {
      return map.size(2) == map.size(3) ? map.relu() : map.sigmoid();
    }
  };
  check_refused<Chooses>("another size");
  struct Copies {  // past LibTorch's operators
    at::Tensor operator()(const at::Tensor& map) const {
      auto copy = at::empty({1, 3, 1, 1});
      std::copy_n(map.data_ptr<float>(), 3, copy.data_ptr<float>());
      return map + copy;
    }
  };
  check_refused<Copies>("no weight");
}

#if LIMPID_WITH_PROTOZERO

/// The fields of a message, each with its bytes or its number.
std::multimap<std::uint32_t, std::string> fields_of(const std::string& bytes) {
  std::multimap<std::uint32_t, std::string> fields;
  protozero::pbf_reader message{bytes};
  while (message.next()) {
    const auto tag = message.tag();
    if (message.wire_type() == protozero::pbf_wire_type::length_delimited) {
      fields.emplace(tag, message.get_string());
    } else {
      fields.emplace(tag, std::to_string(message.get_int64()));
    }
  }
  return fields;
}

std::string one(const std::multimap<std::uint32_t, std::string>& fields, std::uint32_t tag) {
  BOOST_REQUIRE_MESSAGE(fields.count(tag) == 1, "field " << tag << ": " << fields.count(tag));
  return fields.find(tag)->second;
}

BOOST_AUTO_TEST_CASE(the_file_holds_what_the_graph_says) {
  const limpid_test::TemporaryFolder folder;
  const auto model = model_of("resnet:width=4,blocks=1");
  save(model, folder / "model.limpid", {{"step", 7}});
  const auto written = export_onnx(folder / "model.limpid", folder / "deblur.onnx", {"deblur"});
  std::ifstream stream{folder / "deblur.onnx", std::ios::binary};
  const auto file = fields_of({std::istreambuf_iterator<char>{stream}, {}});
  BOOST_TEST(one(file, 1) == "8");
  BOOST_TEST(one(file, 2) == "limpid");
  BOOST_TEST(one(fields_of(one(file, 8)), 2) == "17");
  std::map<std::string, std::string> metadata;
  for (auto [at, end] = file.equal_range(14); at != end; ++at) {
    const auto entry = fields_of(at->second);
    metadata[one(entry, 1)] = one(entry, 2);
  }
  BOOST_TEST(metadata.at("tasks") == "deblur");
  BOOST_TEST(metadata.at("input_range") == "[0, 1]");
  BOOST_TEST(nlohmann::json::parse(metadata.at("limpid_manifest")).at("step") == 7);

  const auto graph = fields_of(one(file, 7));
  BOOST_TEST(graph.count(1) == written.graph.nodes.size());
  BOOST_TEST(graph.count(5) == written.graph.constants.size());
  const auto sides = [&](std::uint32_t tag) {
    const auto value = fields_of(one(graph, tag));
    std::string text = one(value, 1) + ":";
    const auto tensor = fields_of(one(fields_of(one(value, 2)), 1));
    const auto shape = fields_of(one(tensor, 2));
    for (auto [at, end] = shape.equal_range(1); at != end; ++at) {
      text += " " + fields_of(at->second).begin()->second;
    }
    return text;
  };
  BOOST_TEST(sides(11) == "image: batch 3 height width");
  BOOST_TEST(sides(12) == "deblur: batch 3 height width");
  int weights = 0;
  const auto tensors = model.tensors();
  for (auto [at, end] = graph.equal_range(5); at != end; ++at) {
    const auto constant = fields_of(at->second);
    const auto weight = tensors.find(one(constant, 8));
    if (weight == tensors.end()) continue;
    ++weights;
    const std::string raw{static_cast<const char*>(weight->second.data_ptr()),
                          weight->second.nbytes()};
    BOOST_TEST((one(constant, 9) == raw), weight->first);
    BOOST_TEST(constant.count(1) == static_cast<std::size_t>(weight->second.dim()));
  }
  BOOST_TEST(weights > 10);
}

/// For tests/onnx/run_engines.py: models, pictures of several sizes and what limpid makes of them.
BOOST_AUTO_TEST_CASE(for_engines) {
  const char* named = std::getenv("LIMPID_ONNX_DIR");
  if (named == nullptr) {
    std::cerr << "set LIMPID_ONNX_DIR to write models for run_engines.py\n";
    return;
  }
  const fs::path folder{named};
  fs::create_directories(folder);
  for (const auto& entry : fs::directory_iterator{folder}) {  // of an earlier list of networks
    if (entry.path().extension() == ".onnx") fs::remove(entry.path());
  }
  const c10::NoGradGuard no_grad;
  for (std::size_t i = 0; i < kFamilyVariants.size(); ++i) {
    const auto model = model_of(kFamilyVariants[i]);
    const auto name = std::to_string(i) + "-" + parse_network(kFamilyVariants[i]).family;
    save(model, folder / (name + ".limpid"));
    export_onnx(folder / (name + ".limpid"), folder / (name + ".onnx"));
    TensorFile pictures;
    const std::vector<std::vector<std::int64_t>> sizes{{1, 3, 64, 96},   {2, 3, 61, 83},
                                                       {1, 3, 150, 101}, {2, 3, 9, 131},
                                                       {1, 3, 5, 1},     {1, 3, 2, 3}};
    for (std::size_t j = 0; j < sizes.size(); ++j) {
      const auto picture = torch::rand(sizes[j]);
      pictures.tensors[std::to_string(j) + ".image"] = picture;
      for (std::size_t task = 0; task < model.tasks.size(); ++task) {
        pictures.tensors[std::to_string(j) + "." + model.tasks[task]] =
            to_unit(model.restore(task, to_signed(picture))).clamp(0, 1);
      }
    }
    write_safetensors(folder / (name + ".safetensors"), pictures);
  }
}

#endif

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
