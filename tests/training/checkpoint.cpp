#include <limpid/losses/adversarial/wasserstein.hpp>
#include <limpid/training/checkpoint.hpp>
#include <limpid/training/trainer.hpp>
#include <support/errors.hpp>
#include <support/tiny.hpp>

#include <torch/torch.h>
#include <boost/test/unit_test.hpp>

#include <sys/resource.h>
#include <algorithm>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <map>
#include <string>
#include <utility>

namespace {

using namespace limpid;
using namespace limpid_test;

using OneTask = MultiTaskTrainer<TinyEncoder, TinyDecoder<"deblur">>;

/// While it lives, files that this process writes hold at most `bytes`, as on a disk that is full.
class FullDisk {
 public:
  explicit FullDisk(rlim_t bytes) {
    previous_handler_ = std::signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &previous_);
    const rlimit limit{bytes, previous_.rlim_max};
    BOOST_REQUIRE(setrlimit(RLIMIT_FSIZE, &limit) == 0);
  }
  ~FullDisk() {
    setrlimit(RLIMIT_FSIZE, &previous_);
    std::signal(SIGXFSZ, previous_handler_);
  }
  FullDisk(const FullDisk&) = delete;
  FullDisk& operator=(const FullDisk&) = delete;

 private:
  rlimit previous_{};
  void (*previous_handler_)(int) = SIG_DFL;
};

/// A run in a folder, each sitting two steps long.
struct Sittings {
  using Change = std::function<void(TrainerOptions&)>;

  OneTask trainer(const Change& change = {}, Pairs validation = {}) const {
    TrainerOptions options;
    options.out = run.path();
    options.length = Steps{8};
    options.stop_after = 2;
    options.rate = 1e-2;
    options.crop = 16;
    options.start = Start::resume;
    options.quiet = true;
    options.facts = {{"note", "kept"}};
    if (change) change(options);
    OneTask trainer{options};
    trainer.branch<"deblur">(Branch{.pairs = DarkPictures{},
                                    .validation = std::move(validation),
                                    .content = L1{},
                                    .critic = TinyCritic{},
                                    .adversarial = Wasserstein{.clip = 0.01}});
    return trainer;
  }

  std::string error() const {
    return error_of([&] { trainer().fit(); });
  }

  std::string bytes(const std::string& name) const {
    std::ifstream stream{run / name, std::ios::binary};
    return {std::istreambuf_iterator<char>{stream}, {}};
  }

  limpid::TensorMap tensors(const std::string& name, const std::string& kind = "model") const {
    return limpid::detail::read_with_manifest(run / name, kind).tensors;
  }

  std::size_t files() const {
    return static_cast<std::size_t>(
        std::distance(std::filesystem::directory_iterator{run.path()}, {}));
  }

  TemporaryFolder run;
};

BOOST_FIXTURE_TEST_SUITE(checkpoint, Sittings)

BOOST_AUTO_TEST_CASE(a_disk_that_fills_leaves_the_last_checkpoint) {
  trainer().fit();
  const auto good = bytes("checkpoint.limpid"), good_model = bytes("model.limpid");
  BOOST_REQUIRE(good.size() > 8192U);
  const auto files_before = files();
  for (const std::size_t limit : {std::size_t{2048}, std::size_t{8192}, good.size() * 3 / 4}) {
    auto text = std::string{};
    {
      const FullDisk full{limit};
      text = error();
    }
    BOOST_TEST(text ==
               "cannot write '" + (run / "checkpoint.limpid").string() + "': File too large");
    BOOST_TEST((bytes("checkpoint.limpid") == good));
    BOOST_TEST((bytes("model.limpid") == good_model));
    BOOST_TEST(files() == files_before);  // nothing half-written stays
  }
  auto resumed = trainer();
  BOOST_TEST((resumed.fit() == FitResult::stopped));
  BOOST_TEST(resumed.steps_done() == 4);
}

BOOST_AUTO_TEST_CASE(holds_what_a_resumed_run_needs) {
  trainer().fit();
  const auto file = limpid::detail::read_with_manifest(run / "checkpoint.limpid", "checkpoint");
  BOOST_TEST(file.manifest.at("step") == 2);
  BOOST_TEST(file.manifest.at("facts").at("note") == "kept");
  BOOST_TEST(file.manifest.at("conditions").at("branches").at("deblur").at("crop") == 16);
  for (const auto* name : {"encoder.conv.weight", "decoder.deblur.conv.bias",
                           "critic.deblur.head.bias", "adam.generator.encoder.conv.weight.exp_avg",
                           "adam.critic.deblur.conv.weight.step", "random.cpu"}) {
    BOOST_TEST(file.tensors.count(name) == 1U, name);
  }
  using Model = MultiTaskModel<TinyEncoder, TinyDecoder<"deblur">>;
  auto model = load<Model>(run / "model.limpid");
  BOOST_TEST(torch::equal(model->encoder()->conv->weight, file.tensors.at("encoder.conv.weight")));
}

BOOST_AUTO_TEST_CASE(cut_short_anywhere_is_an_error_that_names_it) {
  trainer().fit();
  const auto path = run / "checkpoint.limpid";
  const auto whole = bytes("checkpoint.limpid");
  for (std::size_t size = 0; size < whole.size(); size += 1 + whole.size() / 40) {
    std::ofstream{path, std::ios::binary | std::ios::trunc} << whole.substr(0, size);
    BOOST_TEST(error().find(path.string()) != std::string::npos, size);
  }
}

/// Writes the checkpoint again after `change` has had its way with it.
template <class Change>
void rewrite(const std::filesystem::path& path, Change change) {
  auto file = read_safetensors(path);
  auto manifest = nlohmann::json::parse(file.metadata.at("limpid"));
  change(manifest, file.tensors);
  limpid::detail::write_with_manifest(path, manifest, file.tensors);
}

BOOST_AUTO_TEST_CASE(a_refused_checkpoint_changes_nothing_whichever_part_is_at_fault) {
  const auto path = run / "checkpoint.limpid";
  using Tensors = limpid::TensorMap;
  using Change = std::function<void(nlohmann::json&, Tensors&)>;
  const std::multimap<std::string, Change> faults{
      {": its tensors do not fit the model; missing: critic.deblur.head.bias",
       [](auto&, Tensors& tensors) { tensors.erase("critic.deblur.head.bias"); }},
      {": expected 'adam.critic.deblur.head.bias.exp_avg' of shape [1]",
       [](auto&, Tensors& tensors) { tensors.erase("adam.critic.deblur.head.bias.exp_avg"); }},
      {": expected 'adam.generator.encoder.conv.bias.step' to be one integer",
       [](auto&, Tensors& tensors) {
         tensors["adam.generator.encoder.conv.bias.step"] = torch::ones({2});
       }},
      {": 'random.cpu' is no state of a random generator",
       [](auto&, Tensors& tensors) { tensors["random.cpu"] = torch::zeros({3}, torch::kByte); }},
      {": its manifest is malformed",
       [](nlohmann::json& manifest, auto&) { manifest["branches"]["deblur"].erase("random"); }},
      {": its manifest is malformed",
       [](nlohmann::json& manifest, auto&) { manifest["seconds"] = "many"; }}};
  trainer().fit();
  const auto good = bytes("checkpoint.limpid");
  for (const auto& [text, change] : faults) {
    std::ofstream{path, std::ios::binary | std::ios::trunc} << good;
    rewrite(path, change);
    auto refused = trainer();
    const auto before = refused.model()->encoder()->conv->weight.detach().clone();
    const auto random = at::detail::getDefaultCPUGenerator().get_state();
    const auto found = limpid_test::error_of([&] { refused.fit(); });
    BOOST_TEST(found.rfind("checkpoint '" + path.string() + "'" + text, 0) == 0U, found);
    BOOST_TEST(torch::equal(refused.model()->encoder()->conv->weight, before));
    BOOST_TEST(torch::equal(at::detail::getDefaultCPUGenerator().get_state(), random));
    BOOST_TEST(refused.steps_done() == 0);
  }
}

BOOST_AUTO_TEST_CASE(a_checkpoint_that_says_less_than_todays_is_resumed) {
  trainer().fit();
  rewrite(run / "checkpoint.limpid", [](nlohmann::json& manifest, auto&) {
    for (const auto* key : {"validation_due", "data_changes", "precision"}) manifest.erase(key);
    for (const auto* key : {"pair_names", "augmentation"}) {
      manifest["conditions"]["branches"]["deblur"].erase(key);
    }
  });
  auto resumed = trainer();
  BOOST_TEST((resumed.fit() == FitResult::stopped));
  BOOST_TEST(resumed.steps_done() == 4);
}

BOOST_AUTO_TEST_CASE(an_average_of_weights_is_the_model_and_goes_on_bit_exact) {
  const Change averaged = [](TrainerOptions& options) { options.average = 0.7; };
  const auto parts = [&] {
    for (int sitting = 0; sitting < 4; ++sitting) {
      auto resumed = trainer(averaged);
      resumed.fit();
      // After fit the model has the raw weights, and a copy for use the averages.
      const auto mine = resumed.model()->encoder()->conv->weight;
      BOOST_TEST(torch::equal(mine, tensors("raw.limpid").at("encoder.conv.weight")));
      const auto for_use = resumed.model_for_use().tensors();
      for (const auto& [name, tensor] : tensors("model.limpid")) {
        BOOST_TEST(torch::equal(for_use.at(name), tensor), name);
      }
    }
    return tensors("checkpoint.limpid", "checkpoint");
  }();
  const Sittings other;
  auto whole = other.trainer([&](TrainerOptions& options) {
    averaged(options);
    options.stop_after = 0;
  });
  whole.fit();
  for (const auto& [name, tensor] : other.tensors("checkpoint.limpid", "checkpoint")) {
    BOOST_TEST(torch::equal(tensor, parts.at(name)), name);
  }
  BOOST_TEST(
      !torch::equal(parts.at("average.encoder.conv.weight"), parts.at("encoder.conv.weight")));
  BOOST_TEST(torch::equal(parts.at("average.encoder.conv.weight"),
                          tensors("model.limpid").at("encoder.conv.weight")));
  BOOST_TEST(error().find("/average = 0.7, and this one has nothing") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(an_average_changes_nothing_of_the_training_itself) {
  for (int sitting = 0; sitting < 2; ++sitting) trainer().fit();
  const Sittings other;
  for (int sitting = 0; sitting < 2; ++sitting) {
    other.trainer([](TrainerOptions& options) { options.average = 0.9; }, DarkPictures{}).fit();
  }
  const auto plain = tensors("checkpoint.limpid", "checkpoint");
  const auto averaged = other.tensors("checkpoint.limpid", "checkpoint");
  for (const auto& [name, tensor] : plain)
    BOOST_TEST(torch::equal(averaged.at(name), tensor), name);
}

BOOST_AUTO_TEST_CASE(the_model_of_the_best_validation_is_kept_beside_the_last) {
  // The rate rises until steps do harm, so the best is not the last.
  const Change rising = [](TrainerOptions& options) {
    options.validate_every = 1;
    options.stop_after = 3;  // resumed twice
    options.average = 0.1;
    options.schedule = [](double rate, std::int64_t step, std::int64_t, std::int64_t) {
      return step < 4 ? rate : 100 * rate;
    };
  };
  for (int sitting = 0; sitting < 3; ++sitting) trainer(rising, DarkPictures{}).fit();

  std::int64_t best = 0;
  double highest = -1e9;
  std::ifstream log{run / "metrics.jsonl"};
  for (std::string line; std::getline(log, line);) {
    const auto json = nlohmann::json::parse(line);
    if (json.at("kind") != "validation") continue;
    BOOST_TEST(json.at("average") == 0.1);
    const auto& score = json.at("tasks").at("deblur");
    const auto gain =
        score.at("psnr_rgb").get<double>() - score.at("identity_psnr_rgb").get<double>();
    BOOST_TEST(json.at("mean_gain_psnr_rgb").get<double>() == gain);
    if (gain > highest) best = json.at("step").get<std::int64_t>();
    highest = std::max(highest, gain);
    BOOST_TEST(json.at("best").at("measure") == "mean_gain_psnr_rgb");
    BOOST_TEST(json.at("best").at("score").get<double>() == highest);
    BOOST_TEST(json.at("best").at("step") == best);
  }
  BOOST_REQUIRE(best > 0);
  BOOST_REQUIRE(best < 8);
  const auto kept = limpid::detail::read_with_manifest(run / "best.limpid", "model");
  BOOST_TEST(kept.manifest.at("step") == best);
  BOOST_TEST(kept.manifest.at("best").at("score").get<double>() == highest);

  const Sittings other;
  other
      .trainer(
          [&](TrainerOptions& options) {
            rising(options);
            options.stop_after = best;
          },
          DarkPictures{})
      .fit();
  for (const auto& [name, tensor] : other.tensors("model.limpid")) {
    BOOST_TEST(torch::equal(kept.tensors.at(name), tensor), name);
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
