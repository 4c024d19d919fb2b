#include <limpid/model/model_file.hpp>
#include <support/images.hpp>
#include <support/pickles.hpp>
#include <support/run_program.hpp>

#include <torch/torch.h>
#include <boost/test/unit_test.hpp>
#include <nlohmann/json.hpp>

#include <sys/stat.h>
#include <chrono>
#include <cstddef>
#include <filesystem>
#include <limits>
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
  const auto unread = run({"limpid-inspect", model});
  BOOST_TEST(unread.code == 0, unread.err);
  BOOST_TEST(holds(unread.out, "  checksums: not compared (--checksums)\n"), unread.out);
  const auto ended = run({"limpid-inspect", "--checksums", model});
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
                                  "': expected tensors, found none, only what is never executed: "
                                  "'value' (made by 'posix.system')"),
             ended.err);
  BOOST_TEST(holds(ended.err, "No such file"), ended.err);
  BOOST_TEST(holds(ended.out, "PyTorch (zip)"), ended.out);
}

BOOST_AUTO_TEST_CASE(headers_are_read_and_not_twenty_gigabytes) {
  const auto large = (folder / "large.safetensors").string();
  const auto header =
      R"({"w":{"dtype":"F32","shape":[5000000000],"data_offsets":[0,20000000000]}})";
  const auto length = std::string{header}.size();
  write_bytes(large, limpid_test::little_endian(length, 8) + header);
  std::filesystem::resize_file(large, 8 + length + 20'000'000'000);  // takes no room on the disk
  const auto started = std::chrono::steady_clock::now();
  const auto ended = run({"limpid-inspect", large});
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - started;
  BOOST_TEST(ended.code == 0, ended.err);
  BOOST_TEST(holds(ended.out, "20.0 GB, 1 tensor, 5000000000 numbers"), ended.out);
  BOOST_TEST(seconds.count() < 10);
}

BOOST_AUTO_TEST_CASE(statistics_are_there_when_asked_for) {
  const auto file = (folder / "a.safetensors").string();
  auto odd = torch::tensor({1.f, 2.f, 3.f});
  odd[1] = std::numeric_limits<float>::quiet_NaN();
  limpid::write_safetensors(
      file, {{{"a.bad", odd}, {"a.good", torch::tensor({1.f, 3.f})}, {"b", torch::ones({2})}}, {}});
  const auto text = run({"limpid-inspect", "--stats", "--names", "[a]*", file});
  BOOST_TEST(holds(text.out, "1 to 3, mean 2, deviation 1, not finite: 1\n"), text.out);
  BOOST_TEST(holds(text.out, "1 to 3, mean 2, deviation 1\n"), text.out);
  BOOST_TEST(holds(text.out, "  2 of 3 tensors fit '[a]*'\n"), text.out);
  const auto all = json::parse(run({"limpid-inspect", "--stats", "--json", "-", file}).out);
  BOOST_TEST(all[0]["tensors"][0]["stats"]["not_finite"] == 1);
  BOOST_TEST(all[0]["tensors"][2]["stats"]["mean"] == 1.0);
}

BOOST_AUTO_TEST_CASE(what_is_passed_over_is_listed) {
  const auto tensor = pickle::tensor(pickle::storage("HalfStorage", "0", 2), 0, {2}, {1});
  write_bytes(
      pth, pickle::zip_pth(pickle::named({{"w", tensor},
                                          {"best", pickle::call("numpy.core.multiarray", "scalar",
                                                                {pickle::integer(1)})}}),
                           {{"0", std::string(4, '\0')}}));
  const auto ended = run({"limpid-inspect", pth});
  BOOST_TEST(ended.code == 0, ended.err);
  BOOST_TEST(holds(ended.out, "  passed over: best: made by 'numpy.core.multiarray.scalar'\n"),
             ended.out);
  const auto all = json::parse(run({"limpid-inspect", "--json", "-", pth}).out);
  BOOST_TEST(all[0]["passed_over"]["best"] == "made by 'numpy.core.multiarray.scalar'");
}

BOOST_AUTO_TEST_CASE(a_manifest_of_many_brackets_is_refused) {
  const std::size_t deep = 200'000;
  limpid::write_safetensors(
      model,
      {{{"w", torch::ones({1})}},
       {{"limpid", "{\"checksums\":" + std::string(deep, '[') + std::string(deep, ']') + "}"}}});
  for (const auto* program : {"limpid-inspect", "limpid-restore"}) {
    auto words = std::vector<std::string>{program, model};
    if (words[0] == "limpid-restore") {
      words = {program, "--model", model, "--task", "deblur", "--out", (folder / "o").string(),
               "x"};
    }
    const auto ended = run(words);
    BOOST_TEST(ended.code == 1, ended.code);
    BOOST_TEST(holds(ended.err, "nested brackets, found more"), ended.err);
  }
}

BOOST_AUTO_TEST_CASE(pipes_and_devices_are_refused_at_once) {
  const auto pipe = (folder / "x.pth").string();
  BOOST_REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
  for (const auto& name : {pipe, std::string{"/dev/zero"}}) {
    const auto ended = run({"limpid-inspect", name});
    BOOST_TEST(ended.code == 1);
    BOOST_TEST(holds(ended.err, "cannot read tensor file '" + name + "': "), ended.err);
  }
}

BOOST_AUTO_TEST_CASE(help_and_wrong_usage) {
  const auto help = run({"limpid-inspect", "--help"});
  BOOST_TEST(help.code == 0);
  for (const auto* option : {"--names", "--checksums", "--stats", "--json", "FILE"}) {
    BOOST_TEST(holds(help.out, option), option);
  }
  const auto wrong = run({"limpid-inspect"});
  BOOST_TEST(wrong.code == 2);
  BOOST_TEST(holds(wrong.err, "limpid-inspect: FILE is required"), wrong.err);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
