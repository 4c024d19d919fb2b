#include <limpid/model/families.hpp>
#include <support/images.hpp>
#include <support/paths.hpp>
#include <support/run_program.hpp>

#include <torch/torch.h>
#include <boost/test/unit_test.hpp>
#include <nlohmann/json.hpp>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <filesystem>
#include <functional>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

// Where programs write JSON and text.
namespace {

using namespace limpid_test;
namespace fs = std::filesystem;
using nlohmann::json;

struct Model {
  TemporaryFolder folder;
  std::string file = (folder / "model.limpid").string();
  Model() {
    limpid::save(limpid::make_model({"pixel-unet", nlohmann::json::object()}, {"deblur"}), file);
  }
};

Ended inspect(const Model& model, const std::string& to,
              const std::function<void()>& in_child = {}) {
  return run({"limpid-inspect", "--json", to, model.file}, in_child);
}

/// To call in a child: standard output is this file.
std::function<void()> with_output(const std::string& path) {
  return [path] { ::dup2(::open(path.c_str(), O_WRONLY), STDOUT_FILENO); };
}

BOOST_AUTO_TEST_SUITE(output)

BOOST_AUTO_TEST_CASE(json_goes_into_pipes_and_devices_and_through_links) {
  const Model model;
  const auto pipe = model.folder / "pipe";
  BOOST_REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
  std::string read;
  std::thread reader{[&] { read = read_bytes(pipe); }};
  const auto piped = inspect(model, pipe.string());
  reader.join();
  BOOST_TEST(piped.code == 0, piped.err);
  BOOST_TEST(json::parse(read).is_array());
  BOOST_TEST(fs::is_fifo(pipe));
  BOOST_TEST(inspect(model, "/dev/null").code == 0);
  BOOST_TEST(fs::is_character_file("/dev/null"));
  write_bytes(model.folder / "there.json", "old");
  fs::create_symlink("there.json", model.folder / "link.json");
  BOOST_TEST(inspect(model, (model.folder / "link.json").string()).code == 0);
  BOOST_TEST(fs::is_symlink(model.folder / "link.json"));
  BOOST_TEST(json::parse(read_bytes(model.folder / "there.json")).is_array());
}

BOOST_AUTO_TEST_CASE(options_and_logs_are_not_read_from_pipes) {
  const Model model;
  const auto pipe = (model.folder / "pipe").string();
  BOOST_REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
  const auto config = run({"limpid-inspect", "--config", pipe, model.file});
  BOOST_TEST(config.code == 2);
  BOOST_TEST((config.err.find("--config: '" + pipe + "': it is a named pipe") != std::string::npos),
             config.err);
  write_bytes(model.folder / "options.toml", "json = '-'\n");
  const auto good =
      run({"limpid-inspect", "--config", (model.folder / "options.toml").string(), model.file});
  BOOST_TEST(good.code == 0, good.err);
  BOOST_TEST(json::parse(good.out).is_array());
  const auto none =
      run({"limpid-inspect", "--config", (model.folder / "none.toml").string(), model.file});
  BOOST_TEST(none.code == 2);
  BOOST_TEST((none.err.find("none.toml': No such file or directory") != std::string::npos),
             none.err);
  save(picture(16, 16, 1), model.folder / "input/1.png");
  save(picture(16, 16, 2), model.folder / "target/1.png");
  const auto report = run({"limpid-evaluate", "--model", model.file, "--data",
                           "deblur=pairs:" + model.folder.path().string(), "--report",
                           (model.folder / "report").string(), "--log", pipe});
  BOOST_TEST(report.code == 1);
  BOOST_TEST(
      (report.err.find("cannot read '" + pipe + "': it is a named pipe") != std::string::npos),
      report.err);
}

BOOST_AUTO_TEST_CASE(a_dash_is_standard_output_and_text_goes_to_standard_error) {
  const Model model;
  const auto inspected = inspect(model, "-");
  BOOST_TEST(inspected.code == 0, inspected.err);
  BOOST_TEST(json::parse(inspected.out).is_array());
  save(picture(16, 16, 1), model.folder / "a/1.png");
  save(picture(16, 16, 2), model.folder / "b/1.png");
  const auto compared = run({"limpid-evaluate", "--compare", (model.folder / "a").string(),
                             (model.folder / "b").string(), "--json", "-"});
  BOOST_TEST(compared.code == 0, compared.err);
  BOOST_TEST(json::parse(compared.out).contains("compared"));
  BOOST_TEST((compared.err.find("psnr_rgb") != std::string::npos), compared.err);
}

BOOST_AUTO_TEST_CASE(a_path_that_cannot_be_written_is_refused_before_the_work) {
  const Model model;
  save(picture(16, 16, 1), model.folder / "a/1.png");
  const auto none = (model.folder / "none/x.json").string();
  const auto out = (model.folder / "out").string(), a = (model.folder / "a").string();
  const std::vector<std::vector<std::string>> commands{
      {"limpid-inspect", "--json", none, model.file},
      {"limpid-restore", "--model", model.file, "--task", "deblur", "--out", out, "--json", none,
       a},
      {"limpid-evaluate", "--compare", a, a, "--json", none},
      {"limpid-train", "--recipe", "quickstart", "--steps", "1", "--data", "deblur=photos:" + a,
       "--out", out, "--json", none}};
  for (const auto& words : commands) {
    const auto ended = run(words);
    BOOST_TEST(ended.code == 1, words[0] + ": " + ended.err);
    BOOST_TEST(
        (ended.err.find("--json: cannot write '" + none + "': No such file") != std::string::npos),
        ended.err);
    BOOST_TEST(ended.out == "", words[0]);
  }
  BOOST_TEST(!fs::exists(fs::path{out} / "1.png"));
}

BOOST_AUTO_TEST_CASE(a_latin_1_folder_takes_json_of_a_training) {
  const Model model;
  const auto folder = model.folder.path() / "caf\xe9";
  for (int i = 0; i < 2; ++i) {
    save(picture(40, 48, static_cast<std::uint64_t>(i)),
         folder / "photos" / (std::to_string(i) + ".png"));
  }
  const auto file = folder / "run.json";
  const auto ended =
      run({"limpid-train", "--recipe", "quickstart", "--steps", "1", "--crop", "32", "--batch",
           "deblur=1", "--threads", "1", "--data", "deblur=photos:" + (folder / "photos").string(),
           "--out", (folder / "run").string(), "--json", file.string()});
  BOOST_TEST(ended.code == 0, ended.err);
  BOOST_TEST(json::parse(read_bytes(file)).at("steps") == 1);
}

BOOST_AUTO_TEST_CASE(the_seed_of_a_training_reaches_the_photographs_that_it_is_validated_on) {
  const Model model;
  const auto photos = "=photos:" + (model.folder / "photos").string();
  for (int i = 0; i < 2; ++i) {
    save(picture(40, 48, static_cast<std::uint64_t>(i)),
         model.folder / "photos" / (std::to_string(i) + ".png"));
  }
  const auto identity = [&](const std::string& seed) {
    const auto out = model.folder / ("run" + seed);
    const auto ended =
        run({"limpid-train", "--recipe", "quickstart", "--steps", "1", "--crop", "32", "--batch",
             "deblur=1", "--threads", "1", "--data", "deblur" + photos, "--validate",
             "deblur" + photos, "--seed", seed, "--out", out.string()});
    BOOST_TEST(ended.code == 0, ended.err);
    std::istringstream lines{read_bytes(out / "metrics.jsonl")};
    double score = 0;
    for (std::string line; std::getline(lines, line);) {
      const auto entry = json::parse(line);
      if (entry.at("kind") != "validation") continue;
      score = entry.at("tasks").at("deblur").at("identity_psnr_rgb").get<double>();
    }
    return score;
  };
  const auto first = identity("1"), second = identity("2");
  BOOST_TEST(first > 0);
  BOOST_TEST(first != second);
}

BOOST_AUTO_TEST_CASE(standard_output_that_is_full_or_closed_is_an_error) {
  const Model model;
  for (const std::string to : {"", "-"}) {
    const auto words = to.empty()
                           ? std::vector<std::string>{"limpid-inspect", model.file}
                           : std::vector<std::string>{"limpid-inspect", "--json", to, model.file};
    const auto full = run(words, with_output("/dev/full"));
    BOOST_TEST(full.code == 1);
    BOOST_TEST(
        full.err.find("cannot write standard output: No space left on device") != std::string::npos,
        full.err);
    const auto closed = run(words, [] { ::close(STDOUT_FILENO); });
    BOOST_TEST(closed.code == 1);
    BOOST_TEST(closed.err.find("cannot write standard output") != std::string::npos, closed.err);
  }
  const auto help = run({"limpid-inspect", "--help"}, with_output("/dev/full"));
  BOOST_TEST(help.code == 1, "help too");
}

BOOST_AUTO_TEST_CASE(no_program_prints_past_the_one_place_that_makes_names_safe) {
  for (const auto& entry :
       fs::recursive_directory_iterator{limpid_test::source_folder() / "examples/programs"}) {
    const auto name = entry.path().filename().string();
    if (entry.is_directory() || name == "output.hpp" || name == "program.hpp") continue;
    const auto code = read_bytes(entry.path());
    for (const auto* call : {"std::printf(", "std::cout", "std::cerr", "stderr", "std::puts("}) {
      BOOST_TEST((code.find(call) == code.npos), name + ": " + call + "; use print or complain");
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()
}  // namespace
