#include <limpid/model/construction_limit.hpp>
#include <limpid/model/families.hpp>
#include <limpid/model/model_file.hpp>
#include <support/errors.hpp>
#include <support/temporary_folder.hpp>

#include <torch/torch.h>
#include <boost/test/unit_test.hpp>

#include <chrono>
#include <cstdint>
#include <fstream>
#include <string>
#include <string_view>

namespace {

using namespace limpid;
using limpid_test::TemporaryFolder;
using nlohmann::json;

/// A network of a user's own: as many layers as its options say.
struct DeepOptions {
  std::int64_t layers = 1;
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(DeepOptions, layers)

struct DeepEncoderImpl : torch::nn::Cloneable<DeepEncoderImpl> {
  using Features = at::Tensor;
  static constexpr std::string_view architecture = "deep";
  explicit DeepEncoderImpl(DeepOptions o = {}) : opts(o) { reset(); }
  void reset() override {
    layers = register_module("layers", torch::nn::Sequential());
    for (std::int64_t i = 0; i < opts.layers; ++i) {
      layers->push_back(torch::nn::Conv2d(torch::nn::Conv2dOptions(3, 3, 1)));
    }
  }
  at::Tensor forward(const at::Tensor& image) { return layers->forward(image); }
  const DeepOptions& options() const { return opts; }
  DeepOptions opts;
  torch::nn::Sequential layers{nullptr};
};
TORCH_MODULE(DeepEncoder);

template <FixedString Task>
struct PlainDecoderImpl : torch::nn::Cloneable<PlainDecoderImpl<Task>> {
  static constexpr std::string_view task = Task;
  void reset() override {}
  at::Tensor forward(const at::Tensor& features) { return features; }
};
template <FixedString Task>
using PlainDecoder = torch::nn::ModuleHolder<PlainDecoderImpl<Task>>;

/// Writes a model file without tensors whose encoder is described so.
void write_hollow(const std::filesystem::path& path, const json& encoder) {
  const json manifest{{"kind", "model"},
                      {"format_version", 1},
                      {"checksums", json::object()},
                      {"encoder", encoder},
                      {"tasks", {{{"name", "deblur"}, {"decoder", json::object()}}}}};
  const auto header = json{{"__metadata__", {{"limpid", manifest.dump()}}}}.dump();
  std::ofstream stream{path, std::ios::binary};
  const auto size = static_cast<std::uint64_t>(header.size());
  stream.write(reinterpret_cast<const char*>(&size), 8);
  stream << header;
}

/// The error of `load`, which takes less than two seconds.
template <class Load>
std::string quick_error_of(Load load) {
  const auto began = std::chrono::steady_clock::now();
  auto text = limpid_test::error_of(load);
  const auto seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
  BOOST_TEST(seconds < 2);
  return text;
}

BOOST_AUTO_TEST_SUITE(construction_limit)

BOOST_AUTO_TEST_CASE(a_small_file_cannot_ask_for_a_large_network) {
  const TemporaryFolder folder;
  const auto path = folder / "hollow.limpid";
  const auto source = "model '" + path.string() + "': ";
  const std::int64_t many = 100'000'000;
  const std::string larger =
      source + "its options describe a network larger than its 0 tensors of 0 bytes";
  for (const auto& [family, options] : std::vector<std::pair<std::string, json>>{
           {"resnet", {{"blocks", many}}},
           {"resnet", {{"width", 1}, {"blocks", many}}},
           {"resnet", {{"width", 30'000}}},
           {"nafnet", {{"blocks", {many}}}},
           {"nafnet", {{"width", 1}, {"middle_blocks", many}}},
           {"pixel-unet", {{"blocks", {many, 0, 0}}}},
           {"fpn-inception-resnet-v2", {{"backbone", {{"width", 0.0625}, {"repeat", many}}}}},
           {"fpn-mobilenet-v2", {{"pyramid_width", 100'000}}}}) {
    write_hollow(path, {{"architecture", family}, {"options", options}});
    BOOST_TEST(quick_error_of([&] { load_any(path); }) == larger, family << options);
  }
  for (const auto& [family, options] : std::vector<std::pair<std::string, json>>{
           {"resnet", {{"width", 4'000'000'000'000'000'000}}},
           {"resnet", {{"width", many}}},
           {"nafnet", {{"blocks", std::vector<int>(100, 0)}}}}) {
    write_hollow(path, {{"architecture", family}, {"options", options}});
    const auto error = quick_error_of([&] { load_any(path); });
    BOOST_TEST(error.rfind(source, 0) == 0U, error);
  }
}

BOOST_AUTO_TEST_CASE(nor_can_a_slip_on_a_command_line) {
  const auto most = std::to_string(limpid::detail::ConstructionLimit::largest_network() >> 20);
  const std::string larger =
      "its options describe a network of more than 20000 tensors or " + most + " MiB";
  const std::string none_has = "its options describe a network that the memory cannot hold";
  const std::int64_t many = 100'000'000;
  for (const auto& [family, options] : std::vector<std::pair<std::string, json>>{
           {"resnet", {{"width", 1}, {"blocks", many}}},
           {"resnet", {{"width", 30'000}}},
           {"nafnet", {{"width", 1}, {"middle_blocks", many}}},
           {"fpn-mobilenet-v2", {{"pyramid_width", 1'000'000}}}}) {
    const auto error = limpid_test::value_error_of([&, &family = family, &options = options] {
      make_model({family, options}, {"deblur"});
    });
    const auto start = "network '" + family + "': ";
    BOOST_TEST((error == start + larger || error == start + none_has), error);
  }
  for (const auto& [option, value] : std::vector<std::pair<std::string, std::int64_t>>{
           {"width", 4'000'000'000'000'000'000}, {"width", many}, {"width", -1}, {"blocks", -1}}) {
    const auto error = limpid_test::value_error_of([&, &option = option, &value = value] {
      make_model({"resnet", {{option, value}}}, {"deblur"});
    });
    BOOST_TEST(error.rfind("network 'resnet': ", 0) == 0U, error);
  }
}

BOOST_AUTO_TEST_CASE(nor_for_a_large_network_of_a_users_own) {
  using Model = MultiTaskModel<DeepEncoder, PlainDecoder<"deblur">>;
  const TemporaryFolder folder;
  const auto path = folder / "hollow.limpid";
  write_hollow(path, {{"architecture", "deep"}, {"options", {{"layers", 100'000'000}}}});
  BOOST_TEST(quick_error_of([&] { load<Model>(path); }) ==
             "model '" + path.string() +
                 "': its options describe a network larger than its 0 tensors of 0 bytes");
}

BOOST_AUTO_TEST_CASE(a_file_whose_options_are_not_those_of_its_tensors_is_refused) {
  const TemporaryFolder folder;
  const auto path = folder / "model.limpid";
  save(make_model({"resnet", {{"width", 4}, {"blocks", 1}}}, {"deblur"}), path);
  auto file = read_safetensors(path);
  auto manifest = json::parse(file.metadata.at("limpid"));
  manifest["encoder"]["options"]["blocks"] = 3;
  file.metadata["limpid"] = manifest.dump();
  write_safetensors(path, file);
  const auto error = quick_error_of([&] { load_any(path); });
  BOOST_TEST(error.find("its tensors do not fit the model; missing: ") != error.npos, error);
}

BOOST_AUTO_TEST_CASE(what_a_thread_allocates_is_counted_until_the_end) {
  {
    const limpid::detail::ConstructionLimit limit{2, 1000, "it"};
    BOOST_CHECK_THROW(torch::empty({20 << 20}, torch::kByte), c10::Error);
    for (int i = 0; i < 1000; ++i) torch::empty({64});  // gone at once
    std::vector<at::Tensor> kept;
    BOOST_CHECK_THROW(while (true) kept.push_back(torch::empty({1})), c10::Error);
    BOOST_TEST(kept.size() == 260U);
  }
  BOOST_CHECK_NO_THROW(torch::empty({20 << 20}, torch::kByte));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
