#include <limpid/decoders/nafnet.hpp>
#include <limpid/decoders/resnet.hpp>
#include <limpid/encoders/nafnet.hpp>
#include <limpid/encoders/resnet.hpp>
#include <limpid/io/safetensors.hpp>
#include <limpid/model/model_file.hpp>
#include <support/errors.hpp>
#include <support/tiny.hpp>

#include <torch/torch.h>
#include <boost/test/unit_test.hpp>

#include <cstddef>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

namespace {

using namespace limpid;
using namespace limpid_test;
namespace fs = std::filesystem;

using TwoTasks = MultiTaskModel<TinyEncoder, TinyDecoder<"deblur">, TinyDecoder<"derain">>;
using SmallResNet = MultiTaskModel<ResNetEncoder, ResNetDecoder<"deblur">>;

std::string bytes_of(const fs::path& path) {
  std::ifstream stream{path, std::ios::binary};
  return {std::istreambuf_iterator<char>{stream}, {}};
}

void put_bytes(const fs::path& path, const std::string& bytes) {
  std::ofstream{path, std::ios::binary | std::ios::trunc} << bytes;
}

/// A saved model, and what loading its file says once the file was changed.
struct Saved {
  Saved() {
    torch::manual_seed(3);
    save(model, path);
  }

  template <class Model = TwoTasks>
  std::string error() const {
    const auto text = error_of([&] { load<Model>(path); });
    const auto start = "model '" + path.string() + "': ";
    return text.rfind(start, 0) == 0 ? text.substr(start.size()) : text;
  }

  nlohmann::json manifest() const {
    return nlohmann::json::parse(read_safetensors(path).metadata.at("limpid"));
  }

  /// Rewrites the file with other tensors or another manifest, its checksums in order.
  template <class Edit>
  void edit(Edit change) const {
    auto file = read_safetensors(path);
    auto json = manifest();
    change(file.tensors, json);
    json["checksums"] = nlohmann::json::object();
    for (const auto& [name, tensor] : file.tensors) {
      json["checksums"][name] = limpid::detail::checksum_of(tensor);
    }
    file.metadata["limpid"] = json.dump();
    write_safetensors(path, file);
  }

  TemporaryFolder folder;
  fs::path path = folder / "model.limpid";
  TwoTasks model;
};

BOOST_FIXTURE_TEST_SUITE(model_file, Saved)

BOOST_AUTO_TEST_CASE(a_loaded_model_is_bit_equal) {
  auto loaded = load<TwoTasks>(path);
  const auto expected = limpid::detail::model_tensors(model),
             found = limpid::detail::model_tensors(loaded);
  BOOST_REQUIRE(found.size() == expected.size());
  for (const auto& [name, tensor] : expected) {
    BOOST_TEST(torch::equal(found.at(name), tensor), name);
  }
  BOOST_TEST(!loaded->is_training());
  model->eval();
  const auto image = torch::rand({1, 3, 9, 11}) * 2 - 1;
  BOOST_TEST(torch::equal(loaded->restore<"derain">(image), model->restore<"derain">(image)));

  save(loaded, folder / "again.limpid");
  BOOST_TEST((bytes_of(folder / "again.limpid") == bytes_of(path)));
}

BOOST_AUTO_TEST_CASE(the_order_of_the_tasks_does_not_matter) {
  using Turned = MultiTaskModel<TinyEncoder, TinyDecoder<"derain">, TinyDecoder<"deblur">>;
  auto turned = load<Turned>(path);
  BOOST_TEST(torch::equal(turned->decoder<"deblur">()->conv->weight,
                          model->decoder<"deblur">()->conv->weight));
}

BOOST_AUTO_TEST_CASE(the_manifest_can_be_read_without_limpid) {
  save(model, path, {{"step", 7}, {"recipe", "mine"}});
  const auto json = manifest();
  BOOST_TEST(json.at("kind") == "model");
  BOOST_TEST(json.at("format_version") == 1);
  BOOST_TEST(json.at("limpid_version") == kVersion);
  BOOST_TEST(json.at("step") == 7);
  BOOST_TEST(json.at("recipe") == "mine");
  BOOST_TEST((limpid::detail::tasks_of(json) == std::vector<std::string>{"deblur", "derain"}));
  BOOST_TEST(json.at("checksums").size() == 6U);
  BOOST_TEST(json.at("checksums").contains("decoder.deblur.conv.weight"));
}

BOOST_AUTO_TEST_CASE(facts_that_are_no_utf8_do_not_stop_a_save) {
  save(model, path, {{"data", "caf\xe9"}});
  BOOST_TEST(manifest().at("data") == "caf\xef\xbf\xbd");
  load<TwoTasks>(path);
}

BOOST_AUTO_TEST_CASE(facts_cannot_take_the_place_of_what_limpid_writes) {
  const auto before = bytes_of(path);
  for (const auto* key : {"kind", "encoder", "tasks", "checksums", "format_version"}) {
    BOOST_CHECK_EXCEPTION(save(model, path, {{key, "mine"}}), c10::ValueError, [&](const auto& e) {
      return std::string{e.what_without_backtrace()} ==
             "facts of a model file: '" + std::string{key} +
                 "' is an entry of limpid's own; call yours otherwise";
    });
  }
  BOOST_CHECK_THROW(save(model, path, nlohmann::json::array({1})), c10::ValueError);
  BOOST_TEST((bytes_of(path) == before));
}

BOOST_AUTO_TEST_CASE(options_come_from_the_file) {
  SmallResNet small{ResNetEncoder{ResNetEncoderOptions{.width = 8, .blocks = 2, .dropout = 0.25}},
                    ResNetDecoder<"deblur">{ResNetDecoderOptions{.width = 8}}};
  save(small, path);
  BOOST_TEST(manifest().at("encoder").at("architecture") == "resnet");
  auto loaded = load<SmallResNet>(path);
  BOOST_TEST(loaded->encoder()->options().width == 8);
  BOOST_TEST(loaded->encoder()->options().blocks == 2);
  BOOST_TEST(loaded->encoder()->options().dropout == 0.25);
  BOOST_TEST(loaded->decoder<"deblur">()->options().width == 8);
  small->eval();
  const auto image = torch::rand({1, 3, 17, 23}) * 2 - 1;
  BOOST_TEST(torch::equal(loaded->restore<"deblur">(image), small->restore<"deblur">(image)));
}

BOOST_AUTO_TEST_CASE(options_that_an_older_file_does_not_know_have_their_defaults) {
  using NAFNet = MultiTaskModel<NAFNetEncoder, NAFNetDecoder<"deblur">>;
  const NAFNet small{
      NAFNetEncoder{NAFNetEncoderOptions{.width = 4, .blocks = {1}, .middle_blocks = 1}},
      NAFNetDecoder<"deblur">{NAFNetDecoderOptions{.width = 4, .blocks = {1}}}};
  save(small, path);
  edit([](auto&, auto& json) { json["encoder"]["options"].erase("range"); });
  BOOST_TEST((load<NAFNet>(path)->encoder()->range() == ValueRange::signed_range));
  edit([](auto&, auto& json) { json["encoder"]["options"]["dilation"] = 2; });
  BOOST_TEST(error<NAFNet>().rfind("expected an option of nafnet, one of blocks, ", 0) == 0U);
}

BOOST_AUTO_TEST_CASE(other_tasks_are_refused) {
  using One = MultiTaskModel<TinyEncoder, TinyDecoder<"deblur">>;
  using Other = MultiTaskModel<TinyEncoder, TinyDecoder<"deblur">, TinyDecoder<"dehaze">>;
  BOOST_TEST(error<One>() == "expected the tasks deblur, found deblur, derain");
  BOOST_TEST(error<Other>() == "expected the tasks deblur, dehaze, found deblur, derain");
}

BOOST_AUTO_TEST_CASE(another_architecture_is_refused) {
  SmallResNet small{ResNetEncoder{ResNetEncoderOptions{.width = 4, .blocks = 1}},
                    ResNetDecoder<"deblur">{ResNetDecoderOptions{.width = 4}}};
  save(small, path);
  using Other = MultiTaskModel<NAFNetEncoder, NAFNetDecoder<"deblur">>;
  BOOST_TEST(error<Other>() == "expected architecture 'nafnet', found 'resnet'");
  edit([](auto&, auto& json) { json["encoder"].erase("architecture"); });
  BOOST_TEST(error<SmallResNet>() == "expected architecture 'resnet', found 'none'");
}

BOOST_AUTO_TEST_CASE(tensors_that_do_not_fit_are_named) {
  edit([](auto& tensors, auto&) {
    tensors["encoder.conv.wait"] = tensors.at("encoder.conv.weight");
    tensors.erase("encoder.conv.weight");
    tensors["decoder.deblur.conv.bias"] = torch::zeros({5});
    tensors["decoder.derain.conv.bias"] = torch::zeros({3}, torch::kDouble);
  });
  BOOST_TEST(error() ==
             "its tensors do not fit the model; missing: encoder.conv.weight; mismatched: "
             "decoder.deblur.conv.bias (expected Float [3], found Float [5]), "
             "decoder.derain.conv.bias (expected Float [3], found Double [3]); unexpected: "
             "encoder.conv.wait");
}

BOOST_AUTO_TEST_CASE(a_damaged_tensor_is_found) {
  auto bytes = bytes_of(path);
  bytes.back() = static_cast<char>(bytes.back() ^ 1);
  put_bytes(path, bytes);
  BOOST_TEST(error() ==
             "the checksum of tensor 'encoder.conv.weight' does not hold; the file is damaged");
}

BOOST_AUTO_TEST_CASE(a_file_cut_short_is_an_error_wherever_it_is_cut) {
  const auto whole = bytes_of(path);
  BOOST_REQUIRE(whole.size() > 2000U);
  for (std::size_t size = 0; size < whole.size(); size += size < 64 ? 1 : 47) {
    put_bytes(path, whole.substr(0, size));
    const auto text = error();
    BOOST_TEST(text.find(path.string()) != std::string::npos, size << ": " << text);
  }
}

BOOST_AUTO_TEST_CASE(a_changed_byte_is_an_error_or_harmless) {
  const auto whole = bytes_of(path);
  const auto expected = limpid::detail::model_tensors(model);
  for (std::size_t i = 0; i < whole.size(); i += 5) {
    auto bytes = whole;
    bytes[i] = static_cast<char>(bytes[i] ^ (i % 2 == 0 ? 1 : 0x80));
    put_bytes(path, bytes);
    try {
      auto loaded = load<TwoTasks>(path);
      for (const auto& [name, tensor] : limpid::detail::model_tensors(loaded)) {
        BOOST_TEST(torch::equal(tensor, expected.at(name)), i << " " << name);
      }
    } catch (const c10::Error& error) {
      BOOST_TEST(std::string{error.what_without_backtrace()}.find(path.string()) !=
                 std::string::npos);
    }
  }
}

BOOST_AUTO_TEST_CASE(other_files_are_told_apart) {
  write_safetensors(path, {{{"a", torch::zeros({1})}}, {}});
  BOOST_TEST(error() == "expected a limpid model, found a safetensors file without its manifest");
  fs::remove(path);
  BOOST_TEST(error() == "there is no such file");
  fs::create_directory(path);
  BOOST_TEST(error() == "cannot read safetensors file '" + path.string() + "': it is a folder");
}

BOOST_AUTO_TEST_CASE(a_checkpoint_is_no_model) {
  edit([](auto&, auto& json) { json["kind"] = "checkpoint"; });
  BOOST_TEST(error() == "expected a limpid model, found a checkpoint");
}

BOOST_AUTO_TEST_CASE(a_later_format_is_named) {
  edit([](auto&, auto& json) {
    json["format_version"] = 2;
    json["limpid_version"] = "9.9";
  });
  BOOST_TEST(error() == "expected format version 1, found 2 (written by limpid 9.9)");
}

BOOST_AUTO_TEST_CASE(a_malformed_manifest_is_an_error_that_says_so) {
  const auto error_with = [&](const std::string& text) {
    auto file = read_safetensors(path);
    file.metadata["limpid"] = text;
    write_safetensors(path, file);
    return error();
  };
  const auto malformed = [&](const std::string& text) {
    return error_with(text).rfind("its manifest is malformed (", 0) == 0;
  };
  const auto good = manifest();
  BOOST_TEST(error_with("{").rfind("its manifest: expected JSON, found the end", 0) == 0);
  BOOST_TEST(malformed("[1]"));
  BOOST_TEST(malformed("{}"));
  const auto without = [&](const char* key, const nlohmann::json& value = nullptr) {
    auto json = good;
    json[key] = value;
    if (value.is_null()) json.erase(key);
    return json.dump();
  };
  BOOST_TEST(malformed(without("tasks")));
  BOOST_TEST(malformed(without("encoder")));
  BOOST_TEST(malformed(without("checksums")));
  BOOST_TEST(malformed(without("format_version", "one")));
  BOOST_TEST(malformed(without("tasks", {{{"label", "deblur"}}})));
  BOOST_TEST(malformed(without("tasks", {1, 2})));
}

BOOST_AUTO_TEST_CASE(options_out_of_range_are_an_error_that_names_the_file) {
  SmallResNet small{ResNetEncoder{ResNetEncoderOptions{.width = 4, .blocks = 1}},
                    ResNetDecoder<"deblur">{ResNetDecoderOptions{.width = 4}}};
  save(small, path);
  edit([](auto&, auto& json) { json["encoder"]["options"]["width"] = 0; });
  BOOST_CHECK_EXCEPTION(load<SmallResNet>(path), c10::Error, [&](const auto& error) {
    return error.what_without_backtrace() ==
           "model '" + path.string() + "': ResNetEncoder: width must be at least 1, got 0";
  });
}

BOOST_AUTO_TEST_CASE(a_failed_save_leaves_the_file_as_it_was) {
  const auto before = bytes_of(path);
  BOOST_CHECK_THROW(save(model, folder / "missing" / "model.limpid"), c10::Error);
  BOOST_TEST((bytes_of(path) == before));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
