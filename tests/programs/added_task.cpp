// A trained model learns a further task, and models of other tasks are made of it.
#include <limpid/io/safetensors.hpp>
#include <support/images.hpp>
#include <support/run_program.hpp>
#include <support/small_run.hpp>

#include <ATen/ops/equal.h>
#include <boost/test/unit_test.hpp>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace {

namespace fs = std::filesystem;
using namespace limpid_test;
using Words = std::vector<std::string>;
using Tensors = std::map<std::string, at::Tensor>;

Tensors tensors_of(const std::string& model) { return limpid::read_safetensors(model).tensors; }

nlohmann::json manifest_of(const std::string& model) {
  return nlohmann::json::parse(limpid::read_safetensors(model).metadata.at("limpid"));
}

/// Names of tensors of `a` that begin so and are not the same bits in `b`.
Words changed(const Tensors& a, const Tensors& b, const std::string& prefix = "") {
  Words names;
  for (const auto& [name, tensor] : a) {
    if (!name.starts_with(prefix)) continue;
    if (b.count(name) == 0 || !at::equal(tensor, b.at(name))) names.push_back(name);
  }
  return names;
}

/// limpid-train from the small run's model, into `out`.
Words from(const std::string& model, const std::string& out, const Words& more) {
  Words words{"limpid-train", "--recipe", "quickstart", "--from", model,       "--steps", "4",
              "--crop",       "32",       "--out",      out,      "--threads", "1"};
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

/// A model of the small run's three tasks and one more, trained with the encoder frozen.
Ended add(const std::string& task, const std::string& out, const Words& more = {}) {
  const auto& small = SmallRun::get();
  Words words{"--freeze", "encoder",  "--data", task + "=pairs:" + small.path("derain"),
              "--batch",  task + "=1"};
  words.insert(words.end(), more.begin(), more.end());
  return run(from(small.model(), out, words));
}

/// What limpid-restore makes of a photograph.
std::string restored(const std::string& model, const std::string& task) {
  const TemporaryFolder folder;
  const auto ended =
      run({"limpid-restore", "--model", model, "--task", task, "--threads", "1", "--out",
           (folder / "out").string(), SmallRun::get().path("photos/photo0.png")});
  BOOST_TEST(ended.code == 0, ended.err);
  return read_bytes(folder / "out/photo0.png");
}

BOOST_AUTO_TEST_SUITE(added_task)

BOOST_AUTO_TEST_CASE(a_task_is_added_and_the_old_ones_stay_the_same_bits) {
  const TemporaryFolder folder;
  const auto& small = SmallRun::get();
  const auto model = (folder / "run/model.limpid").string();
  const auto ended = add("night", (folder / "run").string());
  BOOST_REQUIRE_MESSAGE(ended.code == 0, ended.err);
  const auto before = tensors_of(small.model()), after = tensors_of(model);
  BOOST_TEST(changed(before, after).empty());
  BOOST_TEST(changed(after, before).size() == changed(after, {}, "decoder.night.").size());
  Words tasks;
  const auto manifest = manifest_of(model);
  for (const auto& task : manifest.at("tasks")) tasks.push_back(task.at("name"));
  std::sort(tasks.begin(), tasks.end());
  BOOST_TEST((tasks == Words{"deblur", "dehaze", "derain", "night"}));
  for (const std::string task : {"deblur", "dehaze", "derain"}) {
    BOOST_TEST((restored(model, task) == restored(small.model(), task)), task);
  }
  BOOST_TEST((restored(model, "night") != restored(model, "derain")));
}

BOOST_AUTO_TEST_CASE(adding_a_task_in_two_sittings_ends_with_the_bits_of_one) {
  const TemporaryFolder folder;
  const auto whole = (folder / "whole").string(), parts = (folder / "parts").string();
  BOOST_TEST(add("night", whole).code == 0);
  BOOST_TEST(add("night", parts, {"--stop-after", "2"}).code == 0);
  const auto resumed = add("night", parts, {"--resume"});
  BOOST_TEST(resumed.code == 0, resumed.err);
  BOOST_TEST(resumed.err.find("finished after 4 steps") != std::string::npos, resumed.err);
  BOOST_TEST(
      changed(tensors_of(whole + "/model.limpid"), tensors_of(parts + "/model.limpid")).empty());

  const auto& small = SmallRun::get();
  Words thawed{"--resume", "--data", "night=pairs:" + small.path("derain"), "--batch", "night=1"};
  for (const std::string task : {"deblur", "dehaze", "derain"}) {
    thawed.insert(thawed.end(), {"--data", small.data(task)});
  }
  const auto refused = run(from(small.model(), parts, thawed));
  BOOST_TEST(refused.code == 1);
  BOOST_TEST(
      refused.err.find("cannot resume, because the run was started with ") != std::string::npos,
      refused.err);
}

BOOST_AUTO_TEST_CASE(a_run_from_a_model_begins_with_its_weights_and_keeps_its_decoders) {
  const TemporaryFolder folder;
  const auto& small = SmallRun::get();
  Words words{
      "--steps", "1",       "--rate",      "1e-9", "--data", "night=pairs:" + small.path("derain"),
      "--batch", "night=3", "--old-share", "0.5"};
  for (const std::string task : {"deblur", "dehaze", "derain"}) {
    words.insert(words.end(), {"--data", small.data(task)});
  }
  auto all = from(small.model(), (folder / "run").string(), words);
  all.erase(all.begin() + 5, all.begin() + 7);  // the first --steps
  const auto ended = run(all);
  BOOST_REQUIRE_MESSAGE(ended.code == 0, ended.err);
  BOOST_TEST(ended.err.find("old tasks have 3 of 6 crops in each step, a share of 0.50") !=
                 std::string::npos,
             ended.err);
  const auto before = tensors_of(small.model());
  const auto after = tensors_of((folder / "run/model.limpid").string());
  for (const auto& [name, tensor] : before) {
    // One step of Adam, at the schedule's last rate of 1e-6.
    BOOST_TEST((after.at(name) - tensor).abs().max().item<float>() < 5e-6f, name);
  }
  BOOST_TEST(!changed(before, after, "encoder.").empty());  // it trains
}

BOOST_AUTO_TEST_CASE(what_cannot_be_added_is_said_in_one_line) {
  const TemporaryFolder folder;
  const auto& small = SmallRun::get();
  const auto out = (folder / "run").string();
  const auto check = [&](const Words& more, const std::string& text, int code = 2) {
    const auto ended = run(from(small.model(), out, more));
    BOOST_TEST(ended.code == code, text);
    BOOST_TEST(ended.err.find(text) != std::string::npos, ended.err);
    BOOST_TEST(!fs::exists(folder / "run/model.limpid"));
  };
  const auto night = "night=pairs:" + small.path("derain");
  check({"--data", night}, "--from: task 'deblur' of '" + small.model() + "' has no --data");
  check({"--data", night, "--freeze", "encodr"},
        "--from: task 'deblur' of '" + small.model() + "' has no --data");
  check({"--data", night, "--freeze", "encoder,decoder.night"},
        "--freeze: everything is frozen; nothing is left to train");
  check({"--data", night, "--freeze", "encoder,decoder.fog"},
        "--freeze: expected a part of the model to freeze (encoder, decoder.deblur ...), got "
        "'decoder.fog'");
  check({"--data", night, "--network", "nafnet"}, "the model of --from says which networks");
  check({"--data", night, "--freeze", "encoder", "--old-share", "0.5"},
        "--old-share: expected data of new tasks and of tasks that");
  const auto inside = run(
      from(small.model(), small.path("run"), {"--data", night, "--freeze", "encoder", "--resume"}));
  BOOST_TEST(inside.code == 2);
  BOOST_TEST(inside.err.find("lies in --out") != std::string::npos, inside.err);
  const auto none = run(from((folder / "none.limpid").string(), out, {"--data", night}));
  BOOST_TEST(none.code == 1);
  BOOST_TEST(none.err.find("there is no such file") != std::string::npos, none.err);
}

BOOST_AUTO_TEST_CASE(tasks_are_taken_out_of_a_model_and_joined_where_the_encoder_is_the_same) {
  const TemporaryFolder folder;
  const auto& small = SmallRun::get();
  const auto path = [&](const std::string& name) { return (folder / name).string(); };
  const auto taken =
      run({"limpid-convert", small.model(), path("taken.limpid"), "--tasks", "derain,deblur"});
  BOOST_REQUIRE_MESSAGE(taken.code == 0, taken.err);
  BOOST_TEST(manifest_of(path("taken.limpid")).at("tasks").at(0).at("name") == "derain");
  BOOST_TEST(changed(tensors_of(path("taken.limpid")), tensors_of(small.model())).empty());
  BOOST_TEST((restored(path("taken.limpid"), "deblur") == restored(small.model(), "deblur")));
  BOOST_TEST(changed(tensors_of(path("taken.limpid")), {}, "decoder.dehaze.").empty());

  BOOST_TEST(add("night", path("night")).code == 0);
  BOOST_TEST(add("fog", path("fog"), {"--seed", "8"}).code == 0);
  const auto night = path("night/model.limpid"), fog = path("fog/model.limpid");
  const auto joined = run({"limpid-convert", night, path("joined.limpid"), "--join", fog});
  BOOST_REQUIRE_MESSAGE(joined.code == 0, joined.err);
  BOOST_TEST(joined.out.find("deblur, dehaze, derain, night, fog") != std::string::npos,
             joined.out);
  BOOST_TEST((restored(path("joined.limpid"), "night") == restored(night, "night")));
  BOOST_TEST((restored(path("joined.limpid"), "fog") == restored(fog, "fog")));

  BOOST_TEST(
      run({"limpid-convert", night, path("mean.limpid"), "--average", night + ":0.25", night})
          .code == 0);
  BOOST_TEST((restored(path("mean.limpid"), "night") == restored(night, "night")));

  BOOST_TEST(run({"limpid-convert", night, path("adapted.limpid"), "--adapt", "night=" + night,
                  "--rank", "1"})
                 .code == 0);
  BOOST_TEST((restored(path("adapted.limpid"), "night") == restored(night, "night")));

  const auto half = run({"limpid-convert", night, path("half.limpid"), "--half"});
  BOOST_REQUIRE_MESSAGE(half.code == 0, half.err);
  BOOST_TEST(fs::file_size(path("half.limpid")) < 0.8 * static_cast<double>(fs::file_size(night)));
  // The file travels: it names what it was made from, not the folders of whoever made it.
  const auto told = run({"limpid-inspect", path("half.limpid")}).out;
  BOOST_TEST(told.find("{\"made_from\":[\"" + fs::path(night).filename().string() + "\"]}") !=
                 std::string::npos,
             told);

  const auto refuse = [&](const Words& words, const std::string& text, int code) {
    const auto ended = run(words);
    BOOST_TEST(ended.code == code, ended.err);
    BOOST_TEST(ended.err.find(text) != std::string::npos, ended.err);
    BOOST_TEST(!fs::exists(path("refused.limpid")));
  };
  auto again = small.train(path("again"), {"--seed", "6"});
  again.erase(again.begin() + 7, again.begin() + 9);  // the first --seed
  BOOST_TEST(run(again).code == 0);
  refuse({"limpid-convert", night, path("refused.limpid"), "--join", path("again/model.limpid")},
         "has another encoder than", 1);
  refuse({"limpid-convert", night, path("refused.limpid"), "--average", fog},
         "has other networks or tasks than", 1);
  refuse({"limpid-convert", night, path("refused.limpid"), "--average", night + ":1.5"},
         "expected a share from 0 to 1 behind", 2);
  refuse({"limpid-convert", night, path("refused.limpid"), "--average", night + ":0.7",
          night + ":0.7"},
         "expected shares of at most 1 together, got 1.4", 2);
  refuse({"limpid-convert", night, path("refused.limpid"), "--adapt", night},
         "--adapt: expected TASK=MODEL", 2);
  refuse({"limpid-convert", night, path("refused.limpid"), "--adapt", "fog=" + fog},
         "--adapt: model: expected one of its tasks", 2);
  refuse({"limpid-convert", night, path("refused.limpid"), "--tasks", "snow"},
         "--tasks: model: expected one of its tasks (deblur, dehaze, derain, night), got 'snow'",
         2);
  refuse({"limpid-convert", night, path("refused.limpid")}, "--tasks or --join", 2);
}

BOOST_AUTO_TEST_CASE(
    a_task_with_adapters_leaves_the_old_ones_alone_and_is_merged_to_the_same_bits) {
  const TemporaryFolder folder;
  const auto& small = SmallRun::get();
  const auto path = [&](const std::string& name) { return (folder / name).string(); };
  const auto ended = add("night", path("run"), {"--adapters", "rank=2"});
  BOOST_REQUIRE_MESSAGE(ended.code == 0, ended.err);
  const auto model = path("run/model.limpid");
  const auto tensors = tensors_of(model);
  BOOST_TEST(changed(tensors_of(small.model()), tensors).empty());
  const auto adapters = changed(tensors, {}, "adapter.");
  BOOST_TEST(!adapters.empty());
  BOOST_TEST(changed(tensors, {}, "adapter.night.").size() == adapters.size());
  for (const auto& name : adapters) {
    BOOST_TEST(tensors.at(name).abs().max().item<float>() > 0, name);  // "up" began with zeros
  }
  BOOST_TEST((restored(model, "dehaze") == restored(small.model(), "dehaze")));

  const auto all = run({"limpid-convert", model, path("merged.limpid"), "--merge"});
  BOOST_TEST(all.code == 2);
  BOOST_TEST(all.err.find("--merge: adapters: expected one task") != std::string::npos, all.err);
  const auto merged =
      run({"limpid-convert", model, path("merged.limpid"), "--tasks", "night", "--merge"});
  BOOST_REQUIRE_MESSAGE(merged.code == 0, merged.err);
  BOOST_TEST(changed(tensors_of(path("merged.limpid")), {}, "adapter.").empty());
  BOOST_TEST((restored(path("merged.limpid"), "night") == restored(model, "night")));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
