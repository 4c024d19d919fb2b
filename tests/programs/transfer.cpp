#include <support/small_run.hpp>

#include <boost/test/unit_test.hpp>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <csignal>
#include <filesystem>
#include <string>
#include <vector>

namespace {

namespace fs = std::filesystem;
using namespace limpid_test;
using nlohmann::json;
using Words = std::vector<std::string>;

/// limpid-transfer of two tasks and steps of one crop.
Words transfer(const std::string& out, const Words& more) {
  Words words{"limpid-transfer",
              "--recipe",
              "quickstart",
              "--network",
              "pixel-unet:width=4",
              "--crop",
              "32",
              "--batch",
              "1",
              "--threads",
              "1",
              "--workers",
              "0",
              "--quiet",
              "--interference",
              "1",
              "--out",
              out};
  for (const std::string task : {"deblur", "dehaze"}) {
    words.insert(words.end(), {"--data", SmallRun::get().data(task)});
  }
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

Words two_weightings(const std::string& out, const Words& more = {}) {
  Words words{"--weightings", "equal,pcgrad:shuffled=no", "--budget", "images=2", "--seeds", "2"};
  words.insert(words.end(), more.begin(), more.end());
  return transfer(out, words);
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

json json_of(const std::string& path) { return json::parse(read_bytes(path)); }

double psnr(const std::string& run, const std::string& task) {
  const auto result = json_of(run + "/result.json");
  return result["scores"]["tasks"][task]["restored"]["psnr_rgb"]["mean"];
}

BOOST_AUTO_TEST_SUITE(transfer_between_tasks)

BOOST_AUTO_TEST_CASE(each_task_is_compared_with_its_twin_and_runs_are_not_repeated) {
  TemporaryFolder folder;
  const auto out = (folder / "transfer").string();
  const auto plan = run(two_weightings(out, {"--plan"}));
  BOOST_TEST(plan.code == 0, plan.err);
  BOOST_TEST(contains(plan.out, "to do      shared/pcgrad:shuffled=no/seed-1"), plan.out);
  BOOST_TEST(contains(plan.out, "to do      alone/dehaze/seed-0"), plan.out);
  BOOST_TEST(!fs::exists(out));

  const auto half = run(two_weightings(out, {"--shard", "1/2"}));  // as two machines would
  BOOST_TEST(half.code == 0, half.err);
  BOOST_TEST(json_of(out + "/results.json")["unfinished"] == 4);
  const auto made = run(two_weightings(out, {"--shard", "2/2"}));  // the other machine
  BOOST_REQUIRE_MESSAGE(made.code == 0, made.err);
  const auto results = json_of(out + "/results.json");
  BOOST_TEST(results["unfinished"] == 0);
  // The gains are the differences of what the runs scored.
  double alone = 0, shared = 0;
  for (const std::string seed : {"0", "1"}) {
    alone += psnr(out + "/alone/dehaze/seed-" + seed, "dehaze") / 2;
    shared += psnr(out + "/shared/equal/seed-" + seed, "dehaze") / 2;
    // As many pictures of its own.
    BOOST_TEST(json_of(out + "/alone/dehaze/seed-" + seed + "/result.json")["steps"] == 2);
    BOOST_TEST(json_of(out + "/shared/equal/seed-" + seed + "/result.json")["steps"] == 2);
  }
  const auto& gain = results["against_alone"]["psnr_rgb"]["equal"]["dehaze"];
  BOOST_TEST(std::abs(gain["gain"].get<double>() - (shared - alone)) < 1e-9);
  BOOST_TEST(gain["by_seed"].size() == 2);
  BOOST_TEST(gain["p"].is_number());
  BOOST_TEST(!results["against_equal"]["psnr_rgb"].contains("equal"));
  BOOST_TEST(results["against_equal"]["psnr_rgb"].contains("pcgrad:shuffled=no"));
  // The network begins as the identity, where the encoder's gradient is zero: a look at each run's
  // second step remains.
  BOOST_TEST(results["costs"]["equal"]["agreement"]["deblur, dehaze"]["looks"] == 2);
  BOOST_TEST(results["costs"]["equal"]["cpu_seconds_per_step"].is_number());
  const auto page = read_bytes(out + "/index.html");
  for (const auto* text :
       {"Against each task alone", "Against equal weights", "mean over tasks", "two-sided t test",
        "conflict in", "images=2", "tested on the pictures"}) {
    BOOST_TEST(contains(page, text), text);
  }
  BOOST_TEST(!contains(page, "not finished"));
  BOOST_TEST(contains(made.out, "Against equal weights, beyond noise over 3 comparisons"),
             made.out);

  // A finished run is not trained again, one whose result is gone is measured only, one that is
  // gone is made again to the same numbers; a further weighting joins with fewer seeds.
  const auto model = out + "/shared/equal/seed-0/model.limpid";
  const auto kept = fs::last_write_time(model);
  const auto score = psnr(out + "/alone/deblur/seed-1", "deblur");
  fs::remove(out + "/shared/equal/seed-0/result.json");
  fs::remove_all(out + "/alone/deblur/seed-1");
  const auto more = run(transfer(out, {"--weightings", "equal,rlw,pcgrad:shuffled=no", "--budget",
                                       "images=2", "--seeds", "1"}));
  BOOST_REQUIRE_MESSAGE(more.code == 0, more.err);
  BOOST_TEST((fs::last_write_time(model) == kept));
  BOOST_TEST(fs::exists(out + "/shared/rlw/seed-0/result.json"));
  BOOST_TEST(!fs::exists(out + "/shared/rlw/seed-1"));
  BOOST_TEST(run(two_weightings(out)).code == 0);
  BOOST_TEST(psnr(out + "/alone/deblur/seed-1", "deblur") == score);
  const auto all = json_of(out + "/results.json")["against_alone"]["psnr_rgb"];
  BOOST_TEST(all["rlw"]["deblur"]["by_seed"].size() == 1);
  BOOST_TEST(all["rlw"]["deblur"]["p"].is_number());
  BOOST_TEST(std::abs(all["equal"]["dehaze"]["gain"].get<double>() - (shared - alone)) < 1e-9);

  const auto other = run(two_weightings(out, {"--rate", "0.01"}));
  BOOST_TEST(other.code == 1);
  BOOST_TEST(contains(other.err, "/rate = 0.001, and this one has 0.01"), other.err);
}

BOOST_AUTO_TEST_CASE(a_broken_run_goes_on_where_it_stood_and_ends_as_if_it_were_whole) {
  TemporaryFolder folder;
  const auto words = [&](const std::string& out) {
    auto words = transfer(out, {"--weightings", "rlw", "--budget", "images=150", "--seeds", "1"});
    words.erase(std::find(words.begin(), words.end(), "--quiet"));
    return words;
  };
  const auto out = (folder / "broken").string(), whole = (folder / "whole").string();
  {
    Running measuring{words(out)};
    BOOST_REQUIRE(
        measuring.wait_until([&] { return measuring.err().find("step ") != std::string::npos; }));
    measuring.send(SIGTERM);
    const auto ended = measuring.wait();
    BOOST_TEST(ended.code == 0, ended.err);
    BOOST_TEST(contains(ended.out, "stopped; the same command goes on from there"), ended.out);
  }
  auto plan = words(out);
  plan.push_back("--plan");
  BOOST_TEST(contains(run(plan).out, "begun "));
  BOOST_TEST(run(words(out)).code == 0);
  BOOST_TEST(run(words(whole)).code == 0);
  for (const std::string task : {"deblur", "dehaze"}) {
    BOOST_TEST(psnr(out + "/shared/rlw/seed-0", task) == psnr(whole + "/shared/rlw/seed-0", task));
  }
}

BOOST_AUTO_TEST_CASE(a_run_that_fails_is_named_and_the_others_go_on) {
  TemporaryFolder folder;
  const auto out = (folder / "transfer").string();
  // The recipe's loss is negative, which gls refuses.
  const auto ended =
      run(transfer(out, {"--weightings", "gls,equal", "--budget", "images=1", "--seeds", "1"}));
  BOOST_TEST(ended.code == 1);
  BOOST_TEST(contains(ended.err, "limpid-transfer: gls, seed 0: "), ended.err);
  BOOST_TEST(contains(ended.err, "offset=N"), ended.err);
  BOOST_TEST(contains(ended.err, "1 of 4 runs failed"), ended.err);
  BOOST_TEST(contains(read_bytes(out + "/index.html"), "Failed: gls, seed 0"));
  const auto results = json_of(out + "/results.json");
  BOOST_TEST(results["against_alone"]["psnr_rgb"].contains("equal"));
  BOOST_TEST(results["against_alone"]["psnr_rgb"]["equal"]["deblur"]["p"] == "none");
  BOOST_TEST(contains(run(transfer(out, {"--weightings", "gls,equal", "--budget", "images=1",
                                         "--seeds", "1", "--plan"}))
                          .out,
                      "failed     shared/gls/seed-0"));
}

BOOST_AUTO_TEST_CASE(minutes_of_the_first_run_become_the_steps_of_all) {
  TemporaryFolder folder;
  const auto out = (folder / "transfer").string();
  const auto ended = run(
      transfer(out, {"--weightings", "equal,rlw", "--budget", "minutes=0.004", "--seeds", "1"}));
  BOOST_REQUIRE_MESSAGE(ended.code == 0, ended.err);
  const auto steps = json_of(out + "/shared/equal/seed-0/result.json")["steps"];
  BOOST_TEST(steps.get<int>() >= 1);
  for (const auto* other : {"/shared/rlw", "/alone/deblur", "/alone/dehaze"}) {
    BOOST_TEST(json_of(out + other + "/seed-0/result.json")["steps"] == steps);
  }
}

BOOST_AUTO_TEST_CASE(what_cannot_be_compared_is_refused_before_the_work) {
  TemporaryFolder folder;
  const auto out = (folder / "transfer").string();
  const auto check = [&](const Words& more, const std::string& text) {
    const auto ended = run(transfer(out, more));
    BOOST_TEST(ended.code == 2, ended.err);
    BOOST_TEST(contains(ended.err, text), ended.err);
    BOOST_TEST(!fs::exists(out));
  };
  check({"--weightings", "equal", "--budget", "pictures=4"},
        "--budget: expected images=N or minutes=M, got 'pictures=4'");
  check({"--weightings", "equal,upgrd", "--budget", "images=4"}, "did you mean 'upgrad'?");
  check({"--weightings", "rlw,rlw", "--budget", "images=4"}, "'rlw' is named twice");
  check({"--weightings", "fixed:derain=2", "--budget", "images=4"}, "derain");
  check({"--weightings", "equal", "--budget", "images=4", "--test", "derain=pairs:x"},
        "--test: task 'derain' has no --data");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
