#include <limpid/model/model_file.hpp>
#include <support/images.hpp>
#include <support/pickles.hpp>
#include <support/run_program.hpp>

#include <torch/torch.h>
#include <boost/test/unit_test.hpp>
#include <nlohmann/json.hpp>

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

namespace {

using limpid_test::read_bytes, limpid_test::run, limpid_test::TemporaryFolder,
    limpid_test::write_bytes;
namespace pickle = limpid_test::pickle;
using nlohmann::json;

bool holds(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

struct SomeFiles {
  TemporaryFolder folder;
  std::string model = (folder / "model.limpid").string();
  std::string pth = (folder / "weights.pth").string();

  SomeFiles() {
    limpid::detail::write_with_manifest(
        model, {{"kind", "model"}, {"step", 300}, {"recipe", "quickstart"}},
        {{"encoder.conv.weight", torch::zeros({4, 3, 3, 3})}, {"encoder.bias", torch::zeros({4})}});
    const auto tensor = pickle::tensor(pickle::storage("HalfStorage", "0", 2), 0, {2}, {1});
    write_bytes(pth,
                pickle::zip_pth(pickle::named({{"epoch", pickle::integer(7)},
                                               {"e\x1b[31mvil", pickle::text("a\nb\x1b[2J")},
                                               {"net", pickle::named({{"\x1b]0;w", tensor}})}}),
                                {{"0", std::string(4, '\0')}}));
  }
};

BOOST_FIXTURE_TEST_SUITE(inspect, SomeFiles)

BOOST_AUTO_TEST_CASE(shows_what_a_model_holds_and_that_it_is_whole) {
  const auto ended = run({"limpid-inspect", "--checksums", model});
  BOOST_TEST(ended.code == 0, ended.err);
  BOOST_TEST(ended.err == "");
  BOOST_TEST(holds(ended.out, "limpid (safetensors with a manifest)"), ended.out);
  BOOST_TEST(holds(ended.out, "2 tensors, 112 numbers\n"), ended.out);
  for (const auto* part :
       {"  kind: model\n", "  step: 300\n", "  recipe: quickstart\n", "  checksums: all hold\n",
        "  encoder.bias         4              float32"}) {
    BOOST_TEST(holds(ended.out, part), ended.out);
  }
  BOOST_TEST(holds(ended.out, "  encoder.conv.weight  4 x 3 x 3 x 3  float32 "), ended.out);
  const auto zeros = limpid::crc32(std::string(16, '\0').data(), 16);
  char expected[16];
  std::snprintf(expected, sizeof expected, "  %08x\n", zeros);
  BOOST_TEST(holds(ended.out, expected), ended.out);
}

BOOST_AUTO_TEST_CASE(names_a_damaged_tensor_and_fails) {
  auto bytes = read_bytes(model);
  bytes.back() ^= 1;
  write_bytes(model, bytes);
  const auto ended = run({"limpid-inspect", model});
  BOOST_TEST(ended.code == 1);
  BOOST_TEST(holds(ended.out, "  damaged: encoder."), ended.out);
  BOOST_TEST(holds(ended.err, "limpid-inspect: '" + model + "': the checksum of tensor 'encoder."),
             ended.err);
}

BOOST_AUTO_TEST_CASE(names_that_would_steer_a_terminal_are_escaped) {
  const auto ended = run({"limpid-inspect", pth});
  BOOST_TEST(ended.code == 0, ended.err);
  BOOST_TEST(!holds(ended.out, "\x1b"));
  BOOST_TEST(holds(ended.out, "  e\\x1b[31mvil: a\\x0ab\\x1b[2J\n"), ended.out);
  BOOST_TEST(holds(ended.out, "  net.\\x1b]0;w  2      float16\n"), ended.out);
  BOOST_TEST(holds(ended.out, "  epoch: 7\n"), ended.out);
}

BOOST_AUTO_TEST_CASE(json_lists_the_same_and_names_choose) {
  const auto ended =
      run({"limpid-inspect", "--json", "-", "--checksums", "--names", "*.bi?s", model, pth});
  BOOST_TEST(ended.code == 0, ended.err);
  const auto all = json::parse(ended.out);
  BOOST_REQUIRE(all.size() == 2u);
  BOOST_TEST(all[0]["file"] == model);
  BOOST_TEST(all[0]["manifest"]["step"] == 300);
  BOOST_TEST(all[0]["damaged"].empty());
  BOOST_REQUIRE(all[0]["tensors"].size() == 1u);
  BOOST_TEST(all[0]["tensors"][0]["name"] == "encoder.bias");
  BOOST_TEST(all[0]["tensors"][0]["shape"] == json::array({4}));
  BOOST_TEST(all[0]["tensors"][0]["type"] == "float32");
  BOOST_TEST(all[0]["tensors"][0]["crc32"].get<std::string>().size() == 8u);
  BOOST_TEST(all[1]["format"] == "PyTorch (zip)");
  BOOST_TEST(all[1]["tensors"].empty());
  BOOST_TEST(all[1]["metadata"]["epoch"] == "7");

  const auto file = (folder / "all.json").string();
  BOOST_TEST(run({"limpid-inspect", "--json", file, pth}).code == 0);
  BOOST_TEST(json::parse(read_bytes(file)).size() == 1u);
}

BOOST_AUTO_TEST_CASE(a_hostile_file_is_an_error_and_the_others_are_shown) {
  const auto hostile = (folder / "hostile.pth").string();
  write_bytes(hostile,
              pickle::zip_pth(pickle::call("posix", "system", {pickle::text("true")}), {}));
  const auto ended = run({"limpid-inspect", hostile, (folder / "none").string(), pth});
  BOOST_TEST(ended.code == 1);
  BOOST_TEST(holds(ended.err, "limpid-inspect: cannot read PyTorch file '" + hostile +
                                  "': refused 'posix.system'"),
             ended.err);
  BOOST_TEST(holds(ended.err, "No such file"), ended.err);
  BOOST_TEST(holds(ended.out, "PyTorch (zip)"), ended.out);
}

BOOST_AUTO_TEST_CASE(help_and_wrong_usage) {
  const auto help = run({"limpid-inspect", "--help"});
  BOOST_TEST(help.code == 0);
  for (const auto* option : {"--names", "--checksums", "--json", "FILE"}) {
    BOOST_TEST(holds(help.out, option), option);
  }
  const auto wrong = run({"limpid-inspect"});
  BOOST_TEST(wrong.code == 2);
  BOOST_TEST(holds(wrong.err, "limpid-inspect: FILE is required"), wrong.err);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
