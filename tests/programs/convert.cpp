#include <limpid/backbones/mobilenet_v2.hpp>
#include <limpid/decoders/fpn.hpp>
#include <limpid/decoders/resnet.hpp>
#include <limpid/encoders/fpn.hpp>
#include <limpid/encoders/resnet.hpp>
#include <limpid/weights/maps.hpp>
#include <limpid/weights/save_weights.hpp>
#include <support/images.hpp>
#include <support/run_program.hpp>
#include <support/temporary_folder.hpp>

#include <torch/torch.h>
#include <boost/test/unit_test.hpp>
#include <nlohmann/json.hpp>

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

namespace {

namespace fs = std::filesystem;
using namespace limpid;
using limpid_test::Ended, limpid_test::picture, limpid_test::run, limpid_test::save,
    limpid_test::TemporaryFolder;
using Words = std::vector<std::string>;

/// A published generator of DeblurGAN's, as training code keeps it: {'model': DataParallel}.
void write_generator(const fs::path& path) {
  const ResNetEncoder encoder{ResNetEncoderOptions{.width = 4, .blocks = 2}};
  const ResNetDecoder<"deblur"> decoder{ResNetDecoderOptions{.width = 4}};
  TensorFile file;
  for (const auto& [name, tensor] :
       publish(weights_of_pair(encoder, decoder, "deblur"),
               maps::deblurgan_resnet("deblur", {.blocks = 2}), {.for_published_code = true})
           .tensors) {
    file.tensors["model.module." + name] = tensor;
  }
  write_safetensors(path, file);
}

Ended convert(const std::string& in, const std::string& out, Words more) {
  more.insert(more.begin(), {"limpid-convert", in, out});
  return run(std::move(more));
}

void check_restores(const std::string& model, const std::string& task) {
  const TemporaryFolder folder;
  save(picture(40, 48), folder / "a.png");
  const auto ended = run({"limpid-restore", "--model", model, "--task", task, "--out",
                          (folder / "out").string(), (folder / "a.png").string()});
  BOOST_TEST(ended.code == 0, ended.err);
  BOOST_TEST(fs::exists(folder / "out/a.png"));
}

BOOST_AUTO_TEST_SUITE(convert_program)

BOOST_AUTO_TEST_CASE(a_published_resnet_becomes_a_model_that_restores_and_comes_back) {
  const TemporaryFolder folder;
  const auto in = (folder / "published.safetensors").string();
  const auto model = (folder / "model.limpid").string();
  const auto back = (folder / "back.safetensors").string();
  write_generator(in);
  const auto json = (folder / "report.json").string();
  const auto made = convert(in, model, {"--map", "deblurgan-resnet", "--json", json});
  BOOST_TEST(made.code == 0, made.err);
  BOOST_TEST((made.out.find("loaded          20\n") != std::string::npos), made.out);
  const auto report = nlohmann::json::parse(limpid_test::read_bytes(json));
  BOOST_TEST(report.at("wrapper") == "model.module.");
  BOOST_TEST(report.at("ignored").size() == 27U);
  check_restores(model, "deblur");

  const auto published = convert(model, back, {"--map", "deblurgan-resnet"});
  BOOST_TEST(published.code == 0, published.err);
  const auto first = read_safetensors(in), second = read_safetensors(back);
  BOOST_TEST(second.tensors.size() == 20U);
  for (const auto& [name, tensor] : second.tensors) {
    BOOST_TEST(tensor.equal(first.tensors.at("model.module." + name)), name);
  }
}

BOOST_AUTO_TEST_CASE(a_published_fpn_becomes_a_model_that_restores) {
  const TemporaryFolder folder;
  const FPNEncoder<MobileNetV2> encoder{FPNEncoderOptions<MobileNetV2>{
      .backbone = {.width = 0.25}, .pyramid_width = 8, .head_width = 4, .top_down_convs = true}};
  const FPNDecoder<"deblur"> decoder{FPNDecoderOptions{.width = 4}};
  const auto in = (folder / "fpn.safetensors").string();
  save_weights(weights_of_pair(encoder, decoder, "deblur"), in,
               maps::deblurgan_v2_fpn_mobilenet("deblur"), {.for_published_code = true});
  const auto model = (folder / "model.limpid").string();
  const auto made =
      convert(in, model, {"--map", "deblurgan-v2-fpn-mobilenet", "--task", "enhance"});
  BOOST_TEST(made.code == 0, made.err);
  check_restores(model, "enhance");
}

BOOST_AUTO_TEST_CASE(what_does_not_fit_is_an_error_and_writes_nothing) {
  const TemporaryFolder folder;
  const auto in = (folder / "published.safetensors").string();
  const auto out = (folder / "model.limpid").string();
  write_generator(in);
  auto file = read_safetensors(in);
  file.tensors.erase("model.module.model.4.bias");
  write_safetensors(in, file);
  auto ended = convert(in, out, {"--map", "deblurgan-resnet"});
  BOOST_TEST(ended.code == 1);
  BOOST_TEST((ended.err.find("limpid-convert: weights '" + in +
                             "': its tensors do not fit; missing: model.4.bias") == 0),
             ended.err);
  BOOST_TEST(!fs::exists(out));
  ended = convert(in, out, {"--map", "deblurgan-resnet", "--lenient"});
  BOOST_TEST(ended.code == 0, ended.err);
  BOOST_TEST((ended.out.find("missing          1  model.4.bias") != std::string::npos), ended.out);

  ended = convert(in, out, {"--map", "deblurgan-resnet", "--lenient"});
  BOOST_TEST(ended.code == 1);
  BOOST_TEST((ended.err.find("exists; --force") != std::string::npos), ended.err);
  BOOST_TEST(convert(in, out, {"--map", "deblurgan-resnet", "--lenient", "--force"}).code == 0);
  BOOST_TEST(convert(in, in, {"--map", "same", "--force"}).err.find("is the input itself") !=
             std::string::npos);
  ended = convert(in, out, {"--map", "deblurgan-v2-fpn-inception", "--force"});
  BOOST_TEST(ended.code == 1);
  BOOST_TEST((ended.err.find("is it of another map?") != std::string::npos), ended.err);
}

BOOST_AUTO_TEST_CASE(maps_are_listed_and_wrong_usage_is_told) {
  const auto list = run({"limpid-convert", "--list"});
  BOOST_TEST(list.code == 0);
  for (const auto* name : {"thesis-resnet", "thesis-fpn-inception", "deblurgan-v2-fpn-mobilenet",
                           "nafnet", "torchvision-vgg19", "same"}) {
    BOOST_TEST((list.out.find(name) != std::string::npos), name);
  }
  const auto check = [](const Ended& ended, const std::string& text) {
    BOOST_TEST(ended.code == 2, ended.err);
    BOOST_TEST((ended.err.find(text) != std::string::npos), ended.err);
  };
  check(run({"limpid-convert"}), "expected IN, OUT and --map NAME, or --list");
  check(convert("a", "b", {"--map", "best"}),
        "--map: name_map: no map is called 'best', known are");
  check(convert("a", "b", {"--map", "torchvision-vgg19"}), "names no model");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
