// What a run keeps when data, disk, signals or other runs go wrong.
#include <limpid/losses/adversarial/wasserstein.hpp>
#include <limpid/training/checkpoint.hpp>
#include <limpid/training/trainer.hpp>
#include <support/errors.hpp>
#include <support/temporary_folder.hpp>
#include <support/tiny.hpp>
#include <support/troubled_pictures.hpp>

#include <torch/torch.h>
#include <boost/test/unit_test.hpp>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

namespace {

using namespace limpid;
using namespace limpid_test;

using OneTask = MultiTaskTrainer<TinyEncoder, TinyDecoder<"deblur">>;

/// A run of one task in a folder of its own.
struct OneRun {
  OneRun() {
    options.out = folder / "run";
    options.length = Steps{6};
    options.rate = 1e-2;
    options.crop = 16;
    options.workers = 0;
    options.quiet = true;
  }

  std::unique_ptr<OneTask> trainer(AnyBranch branch) const {
    auto made = std::make_unique<OneTask>(options);
    made->branch("deblur", std::move(branch));
    return made;
  }

  FitResult fit(AnyBranch branch) const { return trainer(std::move(branch))->fit(); }

  nlohmann::json manifest() const {
    return limpid::detail::read_with_manifest(options.out / "checkpoint.limpid", "checkpoint")
        .manifest;
  }

  /// The validation lines of the log.
  std::vector<nlohmann::json> validations() const {
    std::vector<nlohmann::json> found;
    std::ifstream log{options.out / "metrics.jsonl"};
    for (std::string line; std::getline(log, line);) {
      auto json = nlohmann::json::parse(line);
      if (json.at("kind") == "validation") found.push_back(std::move(json));
    }
    return found;
  }

  TemporaryFolder folder;
  TrainerOptions options;
};

BOOST_FIXTURE_TEST_SUITE(nothing_lost, OneRun)

// Data that fail

BOOST_AUTO_TEST_CASE(a_training_picture_that_cannot_be_read_saves_the_run_before_it_is_reported) {
  int loads = 0;
  const auto text = error_of([&] {
    fit(Branch{.pairs = TroubledPictures{
                   [&](std::int64_t i) { TORCH_CHECK(++loads < 4, "'dark", i, "' is damaged"); }}});
  });
  BOOST_TEST(text.find("is damaged (training data of 'deblur'; saved after 3 steps)") !=
             std::string::npos);
  BOOST_TEST(manifest().at("step") == 3);

  options.start = Start::resume;  // once the file is mended
  auto resumed = trainer(Branch{.pairs = DarkPictures{}});
  BOOST_TEST((resumed->fit() == FitResult::finished));
}

BOOST_AUTO_TEST_CASE(a_run_whose_damaged_picture_was_removed_resumes_when_that_is_said) {
  options.stop_after = 2;
  fit(Branch{.pairs = DarkPictures{4}});
  options.start = Start::resume;
  BOOST_TEST(error_of([&] { fit(Branch{.pairs = DarkPictures{3}}); }).find("data_changed") !=
             std::string::npos);
  options.data_changed = true;
  BOOST_TEST((fit(Branch{.pairs = DarkPictures{3}}) == FitResult::stopped));
  BOOST_TEST(manifest().at("step") == 4);
  BOOST_TEST((manifest().at("data_changes") == nlohmann::json{2}));
  options.data_changed = false;  // the new data are the run's now
  BOOST_TEST((fit(Branch{.pairs = DarkPictures{3}}) == FitResult::finished));
}

BOOST_AUTO_TEST_CASE(pairs_of_other_names_are_other_pairs) {
  struct Others : DarkPictures {
    std::string name(std::int64_t i) const { return "other" + std::to_string(i); }
  };
  options.stop_after = 2;
  fit(Branch{.pairs = DarkPictures{}});
  options.start = Start::resume;
  BOOST_TEST(error_of([&] { fit(Branch{.pairs = Others{}}); }).find("pairs of other names") !=
             std::string::npos);
}

BOOST_AUTO_TEST_CASE(validation_data_are_tried_before_the_first_step) {
  int steps = 0;
  const auto counted = [&](const at::Tensor& a, const at::Tensor& b) {
    ++steps;
    return (a - b).abs().mean();
  };
  const auto text = error_of([&] {
    fit(Branch{.pairs = DarkPictures{},
               .validation = damaged([](std::int64_t) { return true; }),
               .content = counted});
  });
  BOOST_TEST(text ==
             "validation of 'deblur': none of 4 pictures can be read; the first: 'dark0' is "
             "damaged");
  BOOST_TEST(steps == 0);
  BOOST_TEST((fit(Branch{.pairs = DarkPictures{}}) == FitResult::finished));  // the folder is free
}

BOOST_AUTO_TEST_CASE(a_validation_picture_that_fails_is_left_out_by_name) {
  BOOST_TEST((fit(Branch{.pairs = DarkPictures{}, .validation = damaged([](std::int64_t i) {
                                                    return i == 0 || i == 2;
                                                  })}) == FitResult::finished));
  BOOST_REQUIRE(validations().size() == 1U);
  const auto score = validations()[0].at("tasks").at("deblur");
  BOOST_TEST(score.at("images") == 2);
  BOOST_TEST(score.at("failed") == 2);
  BOOST_TEST(score.at("failures").at("dark2") == "'dark2' is damaged");
}

BOOST_AUTO_TEST_CASE(the_run_is_saved_before_it_is_validated) {
  std::int64_t step_on_disk = -1;
  bool training = false;
  fit(Branch{.pairs = DarkPictures{},
             .validation = TroubledPictures{[&](std::int64_t) {
               if (training) step_on_disk = manifest().at("step");
             }},
             .content = [&](const at::Tensor& a, const at::Tensor& b) {
               training = true;
               return (a - b).abs().mean();
             }});
  BOOST_TEST(step_on_disk == 6);
}

// Signals

BOOST_AUTO_TEST_CASE(a_signal_ends_a_validation_before_its_next_picture_and_resuming_does_it) {
  for (const int signal : {SIGTERM, SIGINT, SIGHUP}) {
    options.out = folder / std::to_string(signal);
    options.start = Start::resume;
    int loaded = 0;
    const auto validation = [&](bool signals) {
      return TroubledPictures{[&loaded, signals, signal](std::int64_t i) {
                                if (++loaded > 1 && signals && i == 1) std::raise(signal);
                              },
                              50};
    };
    BOOST_TEST((fit(Branch{.pairs = DarkPictures{}, .validation = validation(true)}) ==
                FitResult::interrupted));
    BOOST_TEST(loaded < 10);
    BOOST_TEST(manifest().at("step") == 6);
    BOOST_TEST(manifest().at("validation_due") == true);
    BOOST_TEST(validations().empty());

    BOOST_TEST((fit(Branch{.pairs = DarkPictures{}, .validation = validation(false)}) ==
                FitResult::finished));
    BOOST_REQUIRE(validations().size() == 1U);
    BOOST_TEST(validations()[0].at("step") == 6);
    BOOST_TEST(manifest().at("validation_due") == false);
  }
}

BOOST_AUTO_TEST_CASE(a_signal_in_the_last_step_does_not_lose_the_last_validation) {
  options.start = Start::resume;
  int steps = 0;
  const auto signalling = [&](const at::Tensor& a, const at::Tensor& b) {
    if (++steps == 6) std::raise(SIGTERM);
    return (a - b).abs().mean();
  };
  const auto branch = [&] {
    return Branch{.pairs = DarkPictures{}, .validation = DarkPictures{2}, .content = signalling};
  };
  BOOST_TEST((fit(branch()) == FitResult::interrupted));
  BOOST_TEST(validations().empty());
  BOOST_TEST((fit(branch()) == FitResult::finished));
  BOOST_TEST(steps == 6);
  BOOST_REQUIRE(validations().size() == 1U);
  const auto last = std::filesystem::last_write_time(options.out / "checkpoint.limpid");
  BOOST_TEST((fit(branch()) == FitResult::finished));  // nothing is left to be done
  BOOST_TEST(validations().size() == 1U);
  BOOST_TEST((std::filesystem::last_write_time(options.out / "checkpoint.limpid") == last));
}

// Folders

BOOST_AUTO_TEST_CASE(a_folder_with_any_file_of_a_run_is_not_begun_anew_whatever_step_did) {
  for (const std::string name : {"model.limpid", "checkpoint.limpid", "metrics.jsonl"}) {
    options.out = folder / name;
    std::filesystem::create_directories(options.out);
    std::ofstream{options.out / name} << "{\"kind\": \"train\", \"step\": 9}\n";
    for (const bool stepped : {false, true}) {
      auto fresh = trainer(Branch{.pairs = DarkPictures{}});
      if (stepped) fresh->step({{torch::rand({1, 3, 16, 16}), torch::rand({1, 3, 16, 16})}});
      BOOST_TEST(error_of([&] { fresh->fit(); }) ==
                 "'" + options.out.string() +
                     "' already holds a run; resume it, or name another folder");
    }
    BOOST_TEST(std::filesystem::file_size(options.out / name) == 29U);
  }
}

BOOST_AUTO_TEST_CASE(a_model_without_its_checkpoint_is_not_resumed_over) {
  std::filesystem::create_directories(options.out);
  std::ofstream{options.out / "model.limpid"} << "a model";
  options.start = Start::resume;
  BOOST_TEST(error_of([&] { fit(Branch{.pairs = DarkPictures{}}); }) ==
             "'" + options.out.string() +
                 "' holds model.limpid but no checkpoint.limpid: there is nothing to resume; name "
                 "another folder");
}

BOOST_AUTO_TEST_CASE(a_run_that_was_killed_before_its_first_checkpoint_is_begun_by_resume) {
  std::filesystem::create_directories(options.out);
  std::ofstream{options.out / "metrics.jsonl"} << "{\"kind\": \"train\", \"step\": 9}\n";
  options.start = Start::resume;
  BOOST_TEST((fit(Branch{.pairs = DarkPictures{}}) == FitResult::finished));
}

BOOST_AUTO_TEST_CASE(steps_of_ones_own_are_not_thrown_away_by_a_resume) {
  options.stop_after = 2;
  fit(Branch{.pairs = DarkPictures{}});
  options.start = Start::resume;
  auto stepped = trainer(Branch{.pairs = DarkPictures{}});
  stepped->step({{torch::rand({1, 3, 16, 16}), torch::rand({1, 3, 16, 16})}});
  BOOST_TEST(error_of([&] { stepped->fit(); }).find("1 steps were done before") !=
             std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_second_run_in_the_same_folder_is_refused_while_the_first_trains) {
  std::string text;
  const auto second = [&](const at::Tensor& a, const at::Tensor& b) {
    if (text.empty()) text = error_of([&] { fit(Branch{.pairs = DarkPictures{}}); });
    return (a - b).abs().mean();
  };
  BOOST_TEST((fit(Branch{.pairs = DarkPictures{}, .content = second}) == FitResult::finished));
  BOOST_TEST(text.rfind("'" + options.out.string() + "' is in use: process ", 0) == 0U);
}

BOOST_AUTO_TEST_CASE(a_trainer_goes_on_with_its_own_run_but_not_over_anothers) {
  options.stop_after = 2;
  auto first = trainer(Branch{.pairs = DarkPictures{}});
  first->fit();
  BOOST_TEST((first->fit() == FitResult::stopped));
  BOOST_TEST(manifest().at("step") == 4);
  options.start = Start::resume;
  BOOST_TEST((fit(Branch{.pairs = DarkPictures{}}) == FitResult::finished));
  BOOST_TEST(error_of([&] { first->fit(); }).find("was changed since this trainer's last fit") !=
             std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
