#include <limpid/backbones/mobilenet_v2.hpp>
#include <limpid/decoders/fpn.hpp>
#include <limpid/decoders/nafnet.hpp>
#include <limpid/decoders/resnet.hpp>
#include <limpid/encoders/fpn.hpp>
#include <limpid/encoders/nafnet.hpp>
#include <limpid/encoders/resnet.hpp>
#include <limpid/onnx/model_bytes.hpp>
#include <limpid/weights/maps.hpp>
#include <limpid/weights/save_weights.hpp>
#include <support/images.hpp>
#include <support/pickles.hpp>
#include <support/run_program.hpp>
#include <support/temporary_folder.hpp>

#include <torch/torch.h>
#include <boost/test/unit_test.hpp>
#include <nlohmann/json.hpp>

#include <sys/stat.h>
#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <string>
#include <thread>
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

/// Pickled: named tensors, each with a storage of its own in `storages`.
std::string pickled(const NamedTensors& weights, limpid_test::pickle::Pairs& storages) {
  namespace pickle = limpid_test::pickle;
  pickle::Pairs named;
  for (const auto& [name, tensor] : weights) {
    const auto key = std::to_string(storages.size());
    storages.emplace_back(
        key, std::string{static_cast<const char*>(tensor.data_ptr()), tensor.nbytes()});
    std::vector<std::int64_t> shape{tensor.sizes().vec()}, strides{tensor.strides().vec()};
    named.emplace_back(name, pickle::tensor(pickle::storage("FloatStorage", key, tensor.numel()), 0,
                                            shape, strides));
  }
  return pickle::named(named);
}

/// A small NAFNet of random numbers under its published names.
NamedTensors published_nafnet(std::int64_t width = 4) {
  const NAFNetEncoder encoder{
      NAFNetEncoderOptions{.width = width, .blocks = {1}, .middle_blocks = 1}};
  const NAFNetDecoder<"deblur"> decoder{NAFNetDecoderOptions{.width = width, .blocks = {1}}};
  NamedTensors weights;
  for (const auto& [name, tensor] :
       publish(weights_of_pair(encoder, decoder, "deblur"), maps::nafnet("deblur")).tensors) {
    weights.emplace_back(name, tensor);
  }
  return weights;
}

/// The same names with something before each.
NamedTensors after(const std::string& prefix, const NamedTensors& weights) {
  NamedTensors named;
  for (const auto& [name, tensor] : weights) named.emplace_back(prefix + name, tensor);
  return named;
}

/// Whether a model file holds these published weights.
bool holds_nafnet(const fs::path& model, const NamedTensors& weights) {
  const auto file = read_safetensors(model);
  const auto map = maps::nafnet("deblur");
  return file.tensors.size() == weights.size() &&
         std::all_of(weights.begin(), weights.end(), [&](const auto& item) {
           return file.tensors.at(map.own(item.first).value()).equal(item.second);
         });
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

BOOST_AUTO_TEST_CASE(what_goes_to_standard_output_is_the_file_alone) {
  const TemporaryFolder folder;
  const auto in = (folder / "published.safetensors").string();
  const auto model = (folder / "model.limpid").string();
  const auto json = (folder / "report.json").string();
  write_generator(in);
  const auto tensors_of = [&](const std::string& bytes) {
    limpid_test::write_bytes(folder / "piped", bytes);
    return read_safetensors(folder / "piped").tensors.size();
  };
  const auto count = read_safetensors(in).tensors.size();
  for (const std::string out : {"-", "/dev/stdout"}) {
    const auto same = convert(in, out, {"--map", "same", "--json", json});
    BOOST_TEST(same.code == 0, same.err);
    BOOST_TEST(tensors_of(same.out) == count);
    BOOST_TEST(same.err.find(" tensors written to") != std::string::npos, same.err);
    const auto written = nlohmann::json::parse(limpid_test::read_bytes(json));
    BOOST_TEST(written.at("tensors").size() == count);
    fs::remove(json);
  }
  const auto imported = convert(in, "-", {"--map", "deblurgan-resnet", "--json", json});
  BOOST_TEST(imported.code == 0, imported.err);
  BOOST_TEST(tensors_of(imported.out) > 0u);
  BOOST_TEST(imported.err.find("model '-' of 1 task") != std::string::npos, imported.err);
  limpid_test::write_bytes(model, imported.out);
  check_restores(model, "deblur");
  fs::remove(json);
  const auto published = convert(model, "-", {"--map", "deblurgan-resnet", "--json", json});
  BOOST_TEST(published.code == 0, published.err);
  BOOST_TEST(tensors_of(published.out) > 0u);
  BOOST_TEST(nlohmann::json::parse(limpid_test::read_bytes(json)).at("map") == "deblurgan-resnet");
  const auto both = convert(in, "-", {"--map", "same", "--json", "-"});
  BOOST_TEST(both.code == 2);
  BOOST_TEST(both.out == "");

  const auto pipe = folder / "pipe";
  BOOST_REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
  std::string read;
  std::thread reader{[&] { read = limpid_test::read_bytes(pipe); }};
  const auto piped = convert(in, pipe.string(), {"--map", "same"});
  if (piped.code != 0) limpid_test::write_bytes(pipe, "");  // lets the reader end
  reader.join();
  BOOST_TEST(piped.code == 0, piped.err);
  BOOST_TEST(tensors_of(read) == count);
}

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

BOOST_AUTO_TEST_CASE(a_nafnet_is_found_in_whatever_training_code_put_around_it) {
  namespace pickle = limpid_test::pickle;
  const TemporaryFolder folder;
  const auto in = (folder / "net.pth").string(), out = (folder / "model.limpid").string();
  const auto raw = published_nafnet(), averaged = published_nafnet(), wide = published_nafnet(6);
  const auto write = [&](const auto& content_of) {
    pickle::Pairs storages;
    const auto content = content_of(storages);  // before the storages are taken
    limpid_test::write_bytes(in, pickle::zip_pth(content, storages));
  };
  const auto check = [&](const NamedTensors& expected, const std::string& said, Words more = {}) {
    more.insert(more.begin(), {"--map", "nafnet", "--force"});
    const auto ended = convert(in, out, more);
    BOOST_TEST(ended.code == 0, ended.err);
    BOOST_TEST((ended.out.find(said) != std::string::npos), ended.out);
    BOOST_TEST(holds_nafnet(out, expected));
  };
  for (const std::string prefix : {"", "module.", "_orig_mod.", "net.", "module._orig_mod.",
                                   "_orig_mod.model.backbone.", "generator.0."}) {
    for (const auto* key : {"state_dict", "netG", "model_state_dict", "what_nobody_thought_of"}) {
      BOOST_TEST_CONTEXT(prefix << " in " << key) {
        write([&](auto& storages) {
          return pickle::named(
              {{"epoch", pickle::integer(9)},
               {"optimizer", pickle::call("torch.optim", "Adam", {})},
               {"best", pickle::call("numpy._core.multiarray", "scalar", {pickle::integer(1)})},
               {key, pickled(after(prefix, raw), storages)}});
        });
        check(raw, "passed over: best (made by 'numpy._core.multiarray.scalar')");
      }
    }
  }
  // Sizes follow from the level that is taken, not from all that is there.
  write([&](auto& storages) {
    return pickle::named({{"params", pickled(raw, storages)},
                          {"params_ema", pickled(averaged, storages)},
                          {"other", pickled({wide.begin(), wide.begin() + 5}, storages)}});
  });
  check(averaged, "names after 'params_ema.' (averaged weights)\n  also there: params");
  check(raw, "names after 'params.'\n", {"--key", "params"});
  const auto json = (folder / "report.json").string();
  check(averaged, "", {"--json", json});
  const auto report = nlohmann::json::parse(limpid_test::read_bytes(json));
  BOOST_TEST(report.at("averaged") == true);
  BOOST_TEST(report.at("others").at(0) == "params");

  write([&](auto& storages) {
    return pickle::named({{"a", pickled(raw, storages)}, {"b", pickled(averaged, storages)}});
  });
  const auto ended = convert(in, out, {"--map", "nafnet", "--force"});
  BOOST_TEST(ended.code == 1);
  BOOST_TEST((ended.err.find("2 of its keys fit equally well (a, b); choose one (--key") !=
              std::string::npos),
             ended.err);
}

BOOST_AUTO_TEST_CASE(a_model_whose_tensors_are_not_its_networks_is_not_published) {
  const TemporaryFolder folder;
  const auto model = (folder / "empty.limpid").string(), out = (folder / "out").string();
  const auto fails = [&](const char* map, const std::string& error) {
    const auto ended = convert(model, out, {"--map", map});
    BOOST_TEST(ended.code == 1);
    BOOST_TEST((ended.err.find("empty.limpid': " + error) != std::string::npos), ended.err);
    BOOST_TEST(!fs::exists(out));
  };
  const auto write = [&](std::int64_t width, std::int64_t blocks) {
    const nlohmann::json options{{"width", width}, {"blocks", blocks}, {"dropout", 0.0}};
    const nlohmann::json task{{"name", "deblur"}, {"decoder", nlohmann::json::object()}};
    const nlohmann::json manifest{{"kind", "model"},
                                  {"format_version", 1},
                                  {"checksums", nlohmann::json::object()},
                                  {"encoder", {{"architecture", "resnet"}, {"options", options}}},
                                  {"tasks", nlohmann::json::array({task})}};
    write_safetensors(model, {{}, {{"limpid", manifest.dump()}}});
  };
  write(64, 100'000'000);
  fails("thesis-resnet", "its options describe a network larger than its 0 tensors");
  fails("nafnet", "its options describe a network larger than its 0 tensors");
  fails("same", "expected tensors, found none");
  write(1'000'000'000'000'000, 9);
  fails("thesis-resnet", "its options describe a network ");
}

BOOST_AUTO_TEST_CASE(a_model_is_published_only_under_names_of_its_own_networks) {
  const TemporaryFolder folder;
  const auto in = (folder / "a.safetensors").string(), model = (folder / "a.limpid").string(),
             out = (folder / "out").string();
  TensorFile file;
  for (const auto& [name, tensor] : published_nafnet()) file.tensors[name] = tensor;
  write_safetensors(in, file);
  BOOST_REQUIRE(convert(in, model, {"--map", "nafnet"}).code == 0);
  const auto ended = convert(model, out, {"--map", "thesis-resnet"});
  BOOST_TEST(ended.code == 1);
  BOOST_TEST((ended.err.find("the map 'thesis-resnet' names tensors of 'resnet' networks, found "
                             "'nafnet'") != std::string::npos),
             ended.err);
  BOOST_TEST(!fs::exists(out));
}

BOOST_AUTO_TEST_CASE(weights_that_are_not_finite_are_refused_by_name) {
  const TemporaryFolder folder;
  const auto in = (folder / "net.safetensors").string(), out = (folder / "m.limpid").string();
  TensorFile file;
  for (const auto& [name, tensor] : published_nafnet()) file.tensors["params." + name] = tensor;
  file.tensors["params.ending.bias"] = torch::full({3}, std::numeric_limits<float>::infinity());
  write_safetensors(in, file);
  for (const auto* map : {"nafnet", "same"}) {
    const auto ended = convert(in, out, {"--map", map, "--lenient"});
    BOOST_TEST(ended.code == 1);
    BOOST_TEST((ended.err.find("1 tensor holds values that are not finite (NaN or infinity): "
                               "params.ending.bias") != std::string::npos),
               ended.err);
    BOOST_TEST(!fs::exists(out));
  }
}

BOOST_AUTO_TEST_CASE(what_stays_random_is_named_on_the_screen_and_in_json) {
  const TemporaryFolder folder;
  const auto in = (folder / "net.safetensors").string(), out = (folder / "m.limpid").string();
  const auto json = (folder / "report.json").string();
  TensorFile file;
  for (const auto& [name, tensor] : published_nafnet()) {
    if (name.rfind("middle_blks", 0) != 0 || name.find("norm1") != name.npos) {
      file.tensors[name] = tensor;
    }
  }
  write_safetensors(in, file);
  const auto ended = convert(in, out, {"--map", "nafnet", "--lenient", "--json", json});
  BOOST_TEST(ended.code == 0, ended.err);
  const auto report = nlohmann::json::parse(limpid_test::read_bytes(json));
  BOOST_TEST(report.at("untouched").size() > 8U);
  for (const auto& name : report.at("untouched")) {
    BOOST_TEST((ended.out.find("random in a new network): " + name.get<std::string>() + "\n") !=
                std::string::npos),
               name);
  }
}

BOOST_AUTO_TEST_CASE(options_and_files_come_in_any_order) {
  const TemporaryFolder folder;
  const ResNetEncoder encoder{ResNetEncoderOptions{.width = 4, .blocks = 1}};
  const ResNetDecoder<"any"> decoder{ResNetDecoderOptions{.width = 4}};
  auto weights = weights_of(encoder, "encoder.");
  limpid::detail::append(weights, weights_of(decoder, "decoder0."));
  limpid::detail::append(weights, weights_of(decoder, "decoder1."));
  const auto in = (folder / "published.safetensors").string();
  const auto out = (folder / "model.limpid").string();
  save_weights(weights, in);
  for (const auto& words :
       std::vector<Words>{{"--map", "thesis-resnet", "--task", "deblur", "derain", in, out},
                          {"--task", "deblur", "derain", in, out, "--map", "thesis-resnet"},
                          {"--task", "deblur", "derain", "--map", "thesis-resnet", in, out},
                          {in, "--task", "deblur", "derain", out, "--map", "thesis-resnet"},
                          {in, out, "--map=thesis-resnet", "--task", "deblur", "--task", "derain"},
                          {in, "--map", "thesis-resnet", "--task", "deblur", "derain", "--", out},
                          {"--map", "thesis-resnet", in, out, "--task", "deblur", "derain"}}) {
    auto all = words;
    all.insert(all.begin(), {"limpid-convert", "--force"});
    fs::remove(out);
    const auto ended = run(all);
    BOOST_TEST(ended.code == 0, ended.err);
    BOOST_TEST((ended.out.find("of 2 tasks\n") != std::string::npos), ended.out);
    BOOST_TEST(fs::exists(out));
  }
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
  check(convert("a", "b", {"--map", "best"}), "--map: expected a map, one of thesis-resnet, ");
  check(convert("a", "b", {"--map", "torchvision-vgg19"}), "names no model");
}

BOOST_AUTO_TEST_CASE(a_model_becomes_an_onnx_file) {
  const TemporaryFolder folder;
  const auto in = (folder / "published.safetensors").string();
  const auto model = (folder / "model.limpid").string();
  const auto onnx = (folder / "deblur.onnx").string();
  const auto json = (folder / "report.json").string();
  write_generator(in);
  BOOST_REQUIRE(convert(in, model, {"--map", "deblurgan-resnet"}).code == 0);
  const auto ended = convert(model, onnx, {"--task", "deblur", "--json", json});
  if (!kWritesONNX) {
    BOOST_TEST(ended.code == 1);
    BOOST_TEST(ended.err.find("protozero") != std::string::npos, ended.err);
    return;
  }
  BOOST_REQUIRE_MESSAGE(ended.code == 0, ended.err);
  BOOST_TEST(ended.out.find("output deblur") != std::string::npos, ended.out);
  BOOST_TEST(limpid_test::read_bytes(onnx).find("limpid_manifest") != std::string::npos);
  const auto report = nlohmann::json::parse(limpid_test::read_bytes(json));
  BOOST_TEST(report.at("operators").at("ConvTranspose") == 2);
  BOOST_TEST((report.at("outputs") == nlohmann::json{"deblur"}));

  BOOST_TEST(convert(model, onnx, {}).code == 1, "it exists");
  BOOST_TEST(convert(model, onnx, {"--force", "--map", "deblurgan-resnet"}).code == 2);
  const auto unknown = convert(model, onnx, {"--force", "--task", "dehaze"});
  BOOST_TEST(unknown.code == 1);
  BOOST_TEST(unknown.err.find("expected one of its tasks (deblur)") != std::string::npos,
             unknown.err);
  BOOST_TEST(convert(in, onnx, {"--force"}).code == 1, "no model file");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
