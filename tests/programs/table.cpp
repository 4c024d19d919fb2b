#include <support/small_run.hpp>

#include <boost/test/unit_test.hpp>
#include <nlohmann/json.hpp>

#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace {

namespace fs = std::filesystem;
using namespace limpid_test;
using nlohmann::json;
using Words = std::vector<std::string>;

/// limpid-table of a small smoke run into `out`.
Words table(const std::string& number, const std::string& out, const Words& more = {}) {
  Words words{"limpid-table", number, "--smoke", "--threads", "1",
              "--steps",      "1",    "--out",   out,         "--quiet"};
  for (const std::string task : {"deblur", "dehaze", "derain"}) {
    words.insert(words.end(), {"--data", SmallRun::get().data(task)});
  }
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

json results_of(const std::string& out) { return json::parse(read_bytes(out + "/results.json")); }

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

/// Checks a finished table: every run has scores of its tasks, and the page says what it is.
void check_table(const std::string& out, std::size_t runs, const std::string& a_paper_number) {
  const auto results = results_of(out);
  BOOST_TEST(results.size() == runs);
  for (const auto& [name, result] : results.items()) {
    BOOST_REQUIRE_MESSAGE(result.is_object(), name << " is not finished");
    for (const auto& [task, scores] : result.at("scores").at("tasks").items()) {
      BOOST_TEST(scores.at("count") == 2);
      for (const auto* metric : {"psnr_rgb", "ssim_uniform", "ssim_gaussian", "cw_ssim"}) {
        BOOST_TEST(scores.at("restored").contains(metric));
        BOOST_TEST(scores.at("identity").contains(metric));
      }
    }
  }
  const auto page = read_bytes(out + "/index.html");
  BOOST_TEST(contains(page, "A smoke run"));
  BOOST_TEST(contains(page, "VGG-19 has random weights"));
  BOOST_TEST(contains(page, a_paper_number));
  BOOST_TEST(contains(page, "The price or the gain of sharing"));
  BOOST_TEST(contains(page, "tested on the pairs it was trained on"));
  BOOST_TEST(!contains(page, "not finished"));
}

BOOST_AUTO_TEST_SUITE(paper_tables)

BOOST_AUTO_TEST_CASE(table_4_2_is_made_in_one_command_and_goes_on_where_it_stood) {
  TemporaryFolder folder;
  const auto out = (folder / "table").string();
  const auto plan = run(table("4.2", out, {"--plan"}));
  BOOST_TEST(plan.code == 0, plan.err);
  BOOST_TEST(contains(plan.out, "to do      critic-rate-doubled"));
  BOOST_TEST(!fs::exists(out));

  const auto made = run(table("4.2", out));
  BOOST_TEST(made.code == 0, made.err);
  check_table(out, 12, "27.13");
  BOOST_TEST(
      contains(run(table("4.2", out, {"--plan"})).out, "finished   contextual-derain-alone"));

  // A finished run is not trained again; one whose result is gone is measured anew.
  const auto kept = fs::last_write_time(out + "/contextual/model.limpid");
  const auto before = results_of(out);
  fs::remove(out + "/five-critic-updates/result.json");
  const auto again = run(table("4.2", out));
  BOOST_TEST(again.code == 0, again.err);
  BOOST_TEST((fs::last_write_time(out + "/contextual/model.limpid") == kept));
  BOOST_TEST(results_of(out) == before);

  const auto other = run(table("4.2", out, {"--seed", "5"}));
  BOOST_TEST(other.code == 1);
  BOOST_TEST(contains(other.err, "/seed = 0, and this one has 5"), other.err);
}

BOOST_AUTO_TEST_CASE(shards_make_one_table_at_the_same_time) {
  TemporaryFolder folder;
  const auto whole = (folder / "whole").string(), shared = (folder / "shared").string();
  BOOST_TEST(run(table("4.2", whole, {"--no-twins"})).code == 0);
  Running first{table("4.2", shared, {"--no-twins", "--shard", "1/2"})};
  Running second{table("4.2", shared, {"--no-twins", "--shard", "2/2"})};
  for (auto* shard : {&first, &second}) {
    const auto ended = shard->wait();
    BOOST_TEST(ended.code == 0, ended.err);
  }
  BOOST_TEST(results_of(shared) == results_of(whole));
  BOOST_TEST(!contains(read_bytes(shared + "/index.html"), "not finished"));
  const auto plan = run(table("4.2", shared, {"--no-twins", "--shard", "2/2", "--plan"}));
  const auto all = run(table("4.2", shared, {"--no-twins", "--plan"}));
  BOOST_TEST(!plan.out.empty());
  BOOST_TEST(plan.out.size() < all.out.size());
  for (const auto* text : {"0/2", "3/2", "2", "a/2", "1/2x"}) {
    const auto wrong = run(table("4.2", shared, {"--shard", text}));
    BOOST_TEST(wrong.code == 2);
    BOOST_TEST(contains(wrong.err, "expected I/N with I from 1 to N"), wrong.err);
  }
}

BOOST_AUTO_TEST_CASE(table_4_1_is_made_in_one_command) {
  TemporaryFolder folder;
  const auto out = (folder / "table").string();
  // One test picture is damaged: it is named, all the rest is trained and measured.
  for (const auto* name : {"a.png", "b.png"}) {
    for (const auto* part : {"input", "target"}) {
      save(picture(40, 48), folder / "test" / part / name);
    }
  }
  const auto whole = read_bytes(folder / "test/input/b.png");
  write_bytes(folder / "test/input/b.png", whole.substr(0, whole.size() / 2));
  const Words test{"--test", "derain=pairs:" + (folder / "test").string()};
  const auto with_damage = run(table("4.1", out, test));
  BOOST_TEST(with_damage.code == 1);
  BOOST_TEST(contains(with_damage.err, "limpid-table: 'derain b': "), with_damage.err);
  BOOST_TEST(contains(with_damage.err, " pictures could not be measured; see above"));
  check_table(out, 5, "28.28");
  // It is measured again, and not trained again.
  write_bytes(folder / "test/input/b.png", whole);
  std::map<fs::path, fs::file_time_type> models;
  for (const auto& entry : fs::directory_iterator{out}) {
    const auto file = entry.path() / "model.limpid";
    if (fs::exists(file)) models[file] = fs::last_write_time(file);
  }
  BOOST_TEST(!models.empty());
  const auto made = run(table("4.1", out, test));
  BOOST_TEST(made.code == 0, made.err);
  for (const auto& [file, time] : models) {
    BOOST_TEST((fs::last_write_time(file) == time), file.string());
  }
  check_table(out, 5, "28.28");
  const auto page = read_bytes(out + "/index.html");
  BOOST_TEST(contains(page, "The backbone began with random weights"));
  BOOST_TEST(contains(page, "DeblurGAN"));
}

BOOST_AUTO_TEST_CASE(a_table_names_what_it_lacks) {
  TemporaryFolder folder;
  const auto out = (folder / "table").string();
  const auto check = [&](const Words& words, int code, const std::string& text) {
    const auto ended = run(words);
    BOOST_TEST(ended.code == code, ended.err);
    BOOST_TEST(contains(ended.err, text), ended.err);
    BOOST_TEST(!fs::exists(out));
  };
  check({"limpid-table", "4.3", "--out", out}, 2, "4.3");
  check({"limpid-table", "4.2", "--out", out}, 2, "--data is required");
  check({"limpid-table", "4.2", "--out", out, "--smoke", "--data", SmallRun::get().data("deblur")},
        2, "Table 4.2 needs data for dehaze");
  check({"limpid-table", "4.2", "--out", out, "--data", SmallRun::get().data("deblur")}, 1,
        "needs --vgg FILE");
  check(table("4.2", out, {"--test", "enlighten=pairs:x"}), 2,
        "task 'enlighten' is not in Table 4.2");
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(objectives_by_name)

BOOST_AUTO_TEST_CASE(any_recipe_trains_with_any_objective_and_critic) {
  TemporaryFolder folder;
  const std::vector<std::pair<std::string, std::string>> pairs{
      {"dragan", ""},
      {"began", ""},
      {"softplus-r1", "double-scale"},
      {"relativistic-least-squares", "conditional-patch"}};
  for (const auto& [objective, critic] : pairs) {
    Words more{"--adversarial", objective, "--critic-updates", "2"};
    if (!critic.empty()) more.insert(more.end(), {"--critic", critic});
    auto words = SmallRun::get().train((folder / objective).string(), more);
    const auto ended = run(words);
    BOOST_TEST(ended.code == 0, objective << ": " << ended.err);
    const auto log = read_bytes((folder / objective / "metrics.jsonl").string());
    BOOST_TEST(contains(log, "\"adversarial\""), objective);
  }
}

BOOST_AUTO_TEST_CASE(a_content_loss_and_a_penaltys_slope_are_chosen_by_name) {
  TemporaryFolder folder;
  const auto ended = run(SmallRun::get().train(
      (folder / "run").string(), {"--content", "charbonnier + 0.5 l1", "--adversarial",
                                  "wasserstein-gp", "--penalty-slope", "per-pixel"}));
  BOOST_TEST(ended.code == 0, ended.err);
  const auto log = read_bytes((folder / "run" / "metrics.jsonl").string());
  for (const std::string term : {"charbonnier", "l1", "slope"}) {
    BOOST_TEST(contains(log, "\"" + term + "\""), term);
  }
  const auto without = run(SmallRun::get().train(
      (folder / "hinge").string(), {"--adversarial", "hinge", "--penalty-slope", "sum"}));
  BOOST_TEST(without.code == 2);
  BOOST_TEST(contains(without.err, "objective 'hinge' has no gradient penalty"), without.err);
  const auto alone =
      run(SmallRun::get().train((folder / "other").string(), {"--penalty-slope", "sum"}));
  BOOST_TEST(alone.code == 2);
  BOOST_TEST(contains(alone.err, "--penalty-slope: recipe quickstart has no critic"), alone.err);
}

BOOST_AUTO_TEST_CASE(an_objective_that_cannot_use_its_critic_is_wrong_usage) {
  TemporaryFolder folder;
  const auto check = [&](const Words& more, const std::string& text) {
    const auto ended = run(SmallRun::get().train((folder / "run").string(), more));
    BOOST_TEST(ended.code == 2, ended.err);
    BOOST_TEST(contains(ended.err, text), ended.err);
  };
  check({"--adversarial", "began", "--critic", "patch"}, "autoencoder");
  check({"--adversarial", "wasserstein", "--critic", "autoencoder"}, "autoencoder");
  check({"--adversarial", "lsgan"}, "lsgan");
  check({"--backbone", "file.pth"}, "has no backbone");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
