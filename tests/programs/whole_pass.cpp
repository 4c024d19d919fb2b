#include <limpid/io/safetensors.hpp>
#include <support/small_run.hpp>

#include <torch/torch.h>
#include <boost/test/unit_test.hpp>

#include <csignal>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace {

namespace fs = std::filesystem;
using namespace limpid_test;
using nlohmann::json;

const SmallRun& small() { return SmallRun::get(); }

json read_json(const fs::path& path) { return json::parse(read_bytes(path)); }

void check_ended(const Ended& ended) { BOOST_TEST(ended.code == 0, ended.err); }

/// The numbers of a benchmark.
void check_benchmark(const Ended& ended, const std::string& what) {
  check_ended(ended);
  const auto result = json::parse(ended.out);
  BOOST_TEST(result.at("benchmark") == what);
  BOOST_TEST(result.at("min_s").get<double>() > 0);
  BOOST_TEST(result.at("median_s").get<double>() >= result.at("min_s").get<double>());
  BOOST_TEST(result.at("peak_mb").get<double>() > 10);
  BOOST_TEST(result.at("runs") == 2);
  BOOST_TEST(result.at("threads") == 1);
}

BOOST_AUTO_TEST_SUITE(whole_pass)

BOOST_AUTO_TEST_CASE(training_leaves_a_model_a_checkpoint_a_log_and_a_result) {
  for (const auto* name : {"model.limpid", "checkpoint.limpid", "metrics.jsonl"}) {
    BOOST_TEST(fs::exists(small().path("run") + "/" + name), name);
  }
  const auto result = read_json(small().path("run.json"));
  BOOST_TEST(result.at("result") == "finished");
  BOOST_TEST(result.at("steps") == 3);
  BOOST_TEST(result.at("validation").at("deblur").at("images") == 3);
  BOOST_TEST((small().trained().err.find("finished after 3 steps") != std::string::npos));
}

BOOST_AUTO_TEST_CASE(a_run_in_parts_equals_a_run_in_one_piece) {
  TemporaryFolder folder;
  const auto out = (folder / "run").string();
  check_ended(run(small().train(out, {"--resume", "--stop-after", "1"})));
  BOOST_TEST(fs::exists(out + "/checkpoint.limpid"));
  check_ended(run(small().train(out, {"--resume"})));
  const auto whole = limpid::read_safetensors(small().path("run/checkpoint.limpid")).tensors;
  const auto parts = limpid::read_safetensors(out + "/checkpoint.limpid").tensors;
  BOOST_REQUIRE_EQUAL(whole.size(), parts.size());
  for (const auto& [name, tensor] : whole) {
    BOOST_TEST(torch::equal(tensor, parts.at(name)), name << " differs");
  }
}

BOOST_AUTO_TEST_CASE(an_optimiser_and_an_average_go_on_where_they_stood) {
  TemporaryFolder folder;
  const auto path = [&](const std::string& name) { return (folder / name).string(); };
  std::vector<std::string> chosen{"--optimizer",  "adamw:decay=0.05",
                                  "--schedule",   "warm-up:length=1steps + cosine",
                                  "--accumulate", "2",
                                  "--average",    "0.9",
                                  "--validate",   small().data("dehaze")};
  check_ended(run(small().train(path("whole"), chosen)));
  auto words = small().train(path("parts"), chosen);
  words.push_back("--resume");
  auto first = words;
  first.insert(first.end(), {"--stop-after", "1"});
  check_ended(run(first));
  check_ended(run(words));
  for (const auto* name : {"checkpoint.limpid", "model.limpid", "raw.limpid", "best.limpid"}) {
    const auto whole = limpid::read_safetensors(folder / "whole" / name).tensors;
    const auto parts = limpid::read_safetensors(folder / "parts" / name).tensors;
    BOOST_REQUIRE_EQUAL(whole.size(), parts.size());
    for (const auto& [key, tensor] : whole) {
      BOOST_TEST(torch::equal(tensor, parts.at(key)), name << ": " << key << " differs");
    }
  }
  const auto other = run(small().train(path("parts"), {"--resume", "--optimizer", "lion"}));
  BOOST_TEST(other.code == 1);
  BOOST_TEST((other.err.find("was started with /accumulate = 2") != std::string::npos), other.err);
  const auto unknown = run(small().train(path("none"), {"--optimizer", "adan"}));
  BOOST_TEST(unknown.code == 2);
  BOOST_TEST((unknown.err.find("did you mean 'adam'?") != std::string::npos), unknown.err);
}

BOOST_AUTO_TEST_CASE(a_signal_ends_a_training_saved) {
  TemporaryFolder folder;
  const auto out = (folder / "run").string();
  auto words = small().train(out);
  words[4] = "1000000";  // steps
  {
    Running training{words};
    BOOST_REQUIRE(
        training.wait_until([&] { return training.err().find("step ") != std::string::npos; }));
    training.send(SIGTERM);
    const auto ended = training.wait();
    check_ended(ended);
    BOOST_TEST((ended.err.find("interrupted after ") != std::string::npos), ended.err);
  }
  words.insert(words.end(), {"--resume", "--stop-after", "1"});
  const auto resumed = run(words);
  check_ended(resumed);
  BOOST_TEST((resumed.err.find("resumed at step ") != std::string::npos), resumed.err);
}

BOOST_AUTO_TEST_CASE(pictures_are_restored_under_their_names) {
  TemporaryFolder folder;
  save(picture(33, 57), folder / "odd.jpg");
  save(picture(100, 90), folder / "big.ppm");
  const auto out = folder / "out";
  check_ended(
      run({"limpid-restore", "--model", small().model(), "--task", "derain", "--out", out.string(),
           "--tile", "48", "--overlap", "8", "--json", (folder / "result.json").string(),
           small().path("photos"), (folder / "odd.jpg").string(), (folder / "big.ppm").string()}));
  for (const auto* name : {"photo0.png", "photo1.png", "photo2.png", "odd.png", "big.png"}) {
    BOOST_TEST(fs::exists(out / name), name);
  }
  const auto odd = limpid::Image::load(out / "odd.png");
  BOOST_TEST(odd.height() == 33);
  BOOST_TEST(odd.width() == 57);
  const auto result = read_json(folder / "result.json");
  BOOST_TEST(result.at("task") == "derain");
  BOOST_TEST(result.at("pictures").size() == 5);
  BOOST_TEST(result.at("pictures")[0].at("seconds").get<double>() > 0);

  check_ended(run({"limpid-restore", "--model", small().model(), "--task", "derain", "--out",
                   out.string(), "--format", "jpg", (folder / "odd.jpg").string()}));
  BOOST_TEST(limpid::Image::load(out / "odd.jpg").width() == 57);
}

BOOST_AUTO_TEST_CASE(an_evaluation_has_scores_a_page_and_pictures) {
  TemporaryFolder folder;
  const auto report = folder / "report";
  const auto ended =
      run({"limpid-evaluate", "--model", small().model(), "--data", small().data("deblur"),
           "--data", small().data("dehaze"), "--report", report.string(), "--json",
           (folder / "scores.json").string(), "--save", (folder / "saved").string(), "--title",
           "A small run", "--note", "First <remark>", "--note", "Second remark"});
  check_ended(ended);
  BOOST_TEST((ended.out.find("psnr_rgb: dB, peak 255") != std::string::npos), ended.out);
  const auto scores = read_json(folder / "scores.json");
  BOOST_TEST(scores.at("tasks").size() == 2);
  for (const auto& [task, values] : scores.at("tasks").items()) {
    BOOST_TEST(values.at("count") == 3);
    BOOST_TEST(values.at("images").size() == 3);
    for (const auto* side : {"identity", "restored"}) {
      for (const auto* metric : {"psnr_rgb", "psnr_y", "ssim_gaussian", "ssim_uniform"}) {
        BOOST_TEST(values.at(side).at(metric).at("mean").is_number());
        BOOST_TEST(values.at(side).at(metric).at("std").is_number());
      }
    }
    BOOST_TEST(fs::exists(folder / "saved" / task / "photo1.png"));
  }
  BOOST_TEST((read_json(report / "metrics.json") == scores));
  const auto page = read_bytes(report / "index.html");
  for (const auto* text : {"A small run", "First &lt;remark&gt;", "Second remark", "quickstart",
                           "Training steps", "photo0", "data:image/jpeg;base64", "LibTorch"}) {
    BOOST_TEST((page.find(text) != std::string::npos), text);
  }
  BOOST_TEST(limpid::Image::load(report / "strip.png").width() > 600);

  const auto compared = folder / "compared.json";
  check_ended(run({"limpid-evaluate", "--compare", (folder / "saved/deblur").string(),
                   small().path("deblur/target"), "--json", compared.string()}));
  const auto result = read_json(compared);
  BOOST_TEST(result.at("count") == 3);
  BOOST_TEST(result.at("images").size() == 3);
  const auto restored = scores["tasks"]["deblur"]["restored"]["psnr_rgb"]["mean"].get<double>();
  const auto mean = result.at("compared").at("psnr_rgb").at("mean").get<double>();
  BOOST_TEST(mean == restored, boost::test_tools::tolerance(1e-9));
}

BOOST_AUTO_TEST_CASE(an_evaluation_of_one_metric_and_one_picture) {
  TemporaryFolder folder;
  check_ended(run({"limpid-evaluate", "--model", small().model(), "--data", small().data("derain"),
                   "--metrics", "psnr_y", "--max-images", "1", "--json",
                   (folder / "scores.json").string()}));
  const auto task = read_json(folder / "scores.json").at("tasks").at("derain");
  BOOST_TEST(task.at("count") == 1);
  BOOST_TEST(task.at("restored").size() == 1);
}

BOOST_AUTO_TEST_CASE(benchmarks_print_json) {
  const std::vector<std::string> brief{"--runs", "2", "--warmup", "0", "--threads", "1"};
  const auto benchmark = [&](std::vector<std::string> words) {
    words.insert(words.begin(), "limpid-benchmark");
    words.insert(words.end(), brief.begin(), brief.end());
    return run(words);
  };
  check_benchmark(benchmark({"step", "--recipe", "quickstart", "--tasks", "2", "--crop", "32"}),
                  "step");
  check_benchmark(
      benchmark({"restore", "--model", small().model(), "--task", "deblur", "--size", "40x30"}),
      "restore");
  check_benchmark(
      benchmark({"data", "--data", small().data("deblur"), "--crop", "16", "--batches", "2"}),
      "data");
  const auto thesis =
      benchmark({"step", "--recipe", "thesis-resnet", "--tasks", "1", "--crop", "32"});
  check_benchmark(thesis, "step");
  BOOST_TEST((json::parse(thesis.out).at("vgg").get<std::string>().find("random") == 0));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
