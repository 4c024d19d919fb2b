#include <support/small_run.hpp>

#include <linux/capability.h>
#include <boost/test/unit_test.hpp>

#include <sys/prctl.h>
#include <unistd.h>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <string>
#include <vector>

// What users give by mistake: each program says what is wrong, where, and ends with 1.
namespace {

namespace fs = std::filesystem;
using namespace limpid_test;
using Words = std::vector<std::string>;

const SmallRun& small() { return SmallRun::get(); }

Words restore(const Words& more) {
  Words words{"limpid-restore", "--model", small().model(), "--task", "deblur"};
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

Words train_one(const fs::path& data, const fs::path& out) {
  return {"limpid-train",
          "--recipe",
          "quickstart",
          "--steps",
          "1",
          "--crop",
          "32",
          "--batch",
          "deblur=1",
          "--data",
          "deblur=pairs:" + data.string(),
          "--out",
          out.string()};
}

/// Exit code 1, and every text on standard error, behind the program's name.
Ended check_failure(const Words& words, const Words& texts,
                    const std::function<void()>& in_child = {}) {
  const auto ended = run(words, in_child);
  BOOST_TEST(ended.code == 1, words.front() << " ended with " << ended.code << ": " << ended.err);
  BOOST_TEST((ended.err.find(words.front() + ": ") != std::string::npos), ended.err);
  for (const auto& text : texts) {
    BOOST_TEST((ended.err.find(text) != std::string::npos),
               "expected \"" << text << "\" in: " << ended.err);
  }
  return ended;
}

/// A folder of two pairs.
void make_pairs(const fs::path& folder) {
  for (const auto* part : {"input", "target"}) {
    save(picture(40, 48, 1), folder / part / "a.png");
    save(picture(40, 48, 2), folder / part / "b.png");
  }
}

/// Root reads every file; without these rights it does not. @return whether they could be dropped.
bool drop_read_rights() {
  return ::geteuid() != 0 || (::prctl(PR_CAPBSET_DROP, CAP_DAC_OVERRIDE, 0, 0, 0) == 0 &&
                              ::prctl(PR_CAPBSET_DROP, CAP_DAC_READ_SEARCH, 0, 0, 0) == 0);
}

BOOST_AUTO_TEST_SUITE(bad_input)

BOOST_AUTO_TEST_CASE(pictures_that_cannot_be_read_are_named_and_the_others_restored) {
  TemporaryFolder folder;
  save(picture(24, 32), folder / "good.png");
  const auto whole = read_bytes(folder / "good.png");
  write_bytes(folder / "cut.png", whole.substr(0, whole.size() / 2));
  write_bytes(folder / "text.jpg", "this is no picture");
  write_bytes(folder / "empty.bmp", "");
  fs::create_symlink("nowhere", folder / "dangling.png");
  const auto json = (folder / "result.json").string();
  const auto ended = check_failure(
      restore({folder.path().string(), "--out", (folder / "out").string(), "--json", json}),
      {"cannot read image '" + (folder / "cut.png").string() + "': ", "passed over 3 of 5",
       "a text file ('text.jpg')", "an empty file ('empty.bmp')",
       "a link to nothing ('dangling.png')"});
  BOOST_TEST(fs::exists(folder / "out/good.png"));
  const auto result = nlohmann::json::parse(read_bytes(json));
  BOOST_TEST(result.at("pictures").size() == 1);
  BOOST_TEST(result.at("failed").size() == 1);
}

BOOST_AUTO_TEST_CASE(damaged_pictures_stop_the_making_of_data_and_the_training) {
  TemporaryFolder folder;
  make_pairs(folder / "pairs");
  const auto whole = read_bytes(folder / "pairs/input/a.png");
  for (const auto* name : {"a.png", "b.png"}) {
    write_bytes(folder / "pairs/input" / name, whole.substr(0, whole.size() / 2));
  }
  const auto inputs = (folder / "pairs/input").string();
  check_failure({"limpid-data", "degrade", "--task", "dehaze", inputs, (folder / "out").string()},
                {"cannot read image '" + inputs + "/"});
  check_failure(train_one(folder / "pairs", folder / "run"), {"cannot read image '" + inputs});
}

BOOST_AUTO_TEST_CASE(an_empty_folder) {
  TemporaryFolder folder;
  fs::create_directories(folder / "none");
  make_pairs(folder / "pairs");
  for (const auto* part : {"input", "target"}) fs::create_directories(folder / "empty" / part);
  const auto none = (folder / "none").string(), pairs = (folder / "pairs/input").string();
  check_failure({"limpid-data", "degrade", "--task", "derain", none, (folder / "out").string()},
                {none, "found no"});
  check_failure(restore({none, "--out", (folder / "out").string()}),
                {"'" + none + "': expected pictures, found none"});
  check_failure(train_one(folder / "empty", folder / "run"),
                {"cannot list images in '", (folder / "empty").string()});
  check_failure(train_one(folder / "none", folder / "run"),
                {"expected folders", "in '" + none + "'"});
  check_failure({"limpid-evaluate", "--compare", none, pairs}, {none, "found no PNG"});
}

BOOST_AUTO_TEST_CASE(pairs_of_unequal_size) {
  TemporaryFolder folder;
  make_pairs(folder.path());
  save(picture(40, 47), folder / "input/a.png");
  save(picture(40, 47), folder / "input/b.png");
  const auto input = (folder / "input").string(), target = (folder / "target").string();
  check_failure(train_one(folder.path(), folder / "run"), {"has 47 x 40 pixels", "has 48 x 40"});
  check_failure({"limpid-evaluate", "--compare", input, target}, {"is 47 x 40", "is 48 x 40"});
  check_failure({"limpid-evaluate", "--model", small().model(), "--data",
                 "deblur=pairs:" + folder.path().string()},
                {"has 47 x 40 pixels"});
}

BOOST_AUTO_TEST_CASE(a_missing_partner) {
  TemporaryFolder folder;
  make_pairs(folder.path());
  fs::remove(folder / "target/b.png");
  const auto input = (folder / "input").string(), target = (folder / "target").string();
  check_failure(train_one(folder.path(), folder / "run"),
                {"'" + input + "/b.png' has no partner in '" + target + "'"});
  check_failure({"limpid-evaluate", "--compare", input, target},
                {"no partner for '" + input + "/b.png' in '" + target + "'"});
}

BOOST_AUTO_TEST_CASE(a_file_without_read_permission) {
  TemporaryFolder folder;
  save(picture(24, 32), folder / "secret.png");
  fs::permissions(folder / "secret.png", fs::perms::none);
  const auto secret = (folder / "secret.png").string();
  auto words = restore({secret, "--out", (folder / "out").string()});
  const auto trial = run(words, [] { ::_exit(drop_read_rights() ? 0 : 1); });
  if (trial.code != 0) {
    std::cout << "SKIPPED a_file_without_read_permission: root, and its rights cannot be dropped\n";
    return;
  }
  check_failure(words, {"cannot read image '" + secret + "': Permission denied"},
                [] { drop_read_rights(); });
}

BOOST_AUTO_TEST_CASE(an_output_never_replaces_an_input) {
  TemporaryFolder folder;
  save(picture(24, 32), folder / "photos/a.png");
  save(picture(24, 32), folder / "more/a.jpg");
  const auto a = (folder / "photos/a.png").string(), same = (folder / "more/a.jpg").string();
  const auto before = read_bytes(a);
  const auto photos = (folder / "photos").string();
  check_failure(restore({a, "--out", photos}), {"'" + a + "' would overwrite the input '" + a});
  check_failure(restore({photos, "--out", photos + "/../photos"}), {"would overwrite the input"});
  const auto two = run(restore({same, a, "--out", (folder / "out").string()}));
  BOOST_TEST(two.code == 0, two.err);
  const auto results = fs::directory_iterator{folder / "out"};
  BOOST_TEST(std::distance(begin(results), end(results)) == 2);
  fs::create_hard_link(a, folder / "link.png");
  fs::create_directory_symlink(folder / "photos", folder / "shortcut");
  check_failure(restore({(folder / "link.png").string(), same, "--out", photos}),
                {"would overwrite the input '" + (folder / "link.png").string()});
  check_failure(restore({a, "--out", (folder / "shortcut").string()}),
                {"would overwrite the input"});
  BOOST_TEST((read_bytes(a) == before));
  const auto data = "deblur=pairs:" + (folder / "set/deblur").string() + "," + photos;
  save(picture(24, 32), folder / "set/deblur/a.png");
  const auto ended = run({"limpid-evaluate", "--model", small().model(), "--data", data, "--save",
                          (folder / "set").string()});
  BOOST_TEST(ended.code == 2);
  BOOST_TEST((ended.err.find("set/deblur' holds the data") != std::string::npos), ended.err);
}

BOOST_AUTO_TEST_CASE(files_of_models_that_do_not_fit) {
  TemporaryFolder folder;
  save(picture(24, 32), folder / "a.png");
  const auto image = (folder / "a.png").string(), out = (folder / "out").string();
  const auto restore_with = [&](const std::string& model, const std::string& task) {
    return Words{"limpid-restore", "--model", model, "--task", task, "--out", out, image};
  };
  check_failure(restore_with(small().model(), "enlighten"),
                {"model '" + small().model() +
                 "': expected one of its tasks (deblur, dehaze, derain), got 'enlighten'"});
  check_failure(restore_with(small().path("run/checkpoint.limpid"), "deblur"),
                {"expected a limpid model, found a checkpoint"});
  check_failure(restore_with((folder / "none").string(), "deblur"), {"there is no such file"});
  check_failure(restore_with(image, "deblur"), {image, "not safetensors"});
  const auto bytes = read_bytes(small().model());
  write_bytes(folder / "cut.limpid", bytes.substr(0, bytes.size() / 2));
  check_failure(restore_with((folder / "cut.limpid").string(), "deblur"),
                {(folder / "cut.limpid").string()});
  BOOST_TEST((!fs::exists(out) || fs::is_empty(out)));
}

BOOST_AUTO_TEST_CASE(checkpoints_that_do_not_fit) {
  TemporaryFolder folder;
  fs::copy(small().path("run"), folder / "run");
  auto words = train_one(small().path("deblur"), folder / "run");
  words.push_back("--resume");
  check_failure(words, {"expected the tasks deblur, found deblur, dehaze, derain"});
  const auto file = folder / "run/checkpoint.limpid";
  fs::resize_file(file, fs::file_size(file) / 2);
  check_failure(small().train((folder / "run").string(), {"--resume"}), {file.string()});
  check_failure(small().train(small().path("run")),
                {"'" + small().path("run") + "' already holds a run; resume it"});
}

BOOST_AUTO_TEST_CASE(a_target_folder_that_is_full) {
  TemporaryFolder folder;
  const auto out = folder / "run";
  check_failure(small().train(out.string()), {"cannot write '" + out.string(), "File too large"},
                with_full_disk(1 << 20));
  for (const auto& entry : fs::directory_iterator{out}) {
    const auto name = entry.path().filename();
    BOOST_TEST((name == "metrics.jsonl" || name == "run.lock"), name);
  }
  save(picture(200, 300), folder / "a.png");
  check_failure(restore({(folder / "a.png").string(), "--out", (folder / "out").string()}),
                {"cannot write '" + (folder / "out/a.png").string() + "': File too large"},
                with_full_disk(4096));
  BOOST_TEST(fs::is_empty(folder / "out"));
}

BOOST_AUTO_TEST_CASE(a_target_folder_that_is_read_only) {
  const auto photos = small().path("photos"), set = small().data("deblur");
  check_failure(small().train("/proc/limpid"), {"'/proc/limpid'"});
  check_failure(restore({photos, "--out", "/proc/limpid"}),
                {"--out: cannot make the folder '/proc/limpid'"});
  check_failure({"limpid-data", "degrade", "--task", "derain", photos, "/proc/limpid"},
                {"/proc/limpid"});
  check_failure({"limpid-evaluate", "--model", small().model(), "--data", set, "--max-images", "1",
                 "--report", "/proc/limpid"},
                {"--report: cannot make the folder '/proc/limpid'"});
  check_failure({"limpid-benchmark", "data", "--data", set, "--crop", "16", "--batches", "1",
                 "--runs", "1", "--json", "/proc/limpid"},
                {"cannot write '/proc/limpid'"});
}

BOOST_AUTO_TEST_CASE(the_thesis_recipe_asks_for_vgg_weights) {
  auto words = train_one(small().path("deblur"), small().path("thesis"));
  words[2] = "thesis-resnet";
  check_failure(words, {"recipe thesis-resnet needs --vgg FILE", "quickstart"});
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
