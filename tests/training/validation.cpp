#include <limpid/training/validation.hpp>
#include <support/tiny.hpp>

#include <torch/torch.h>
#include <boost/test/unit_test.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

namespace {

using namespace limpid;
using namespace limpid::detail;
using limpid_test::DarkPictures, limpid_test::TinyEncoder;

/// A state of two tasks: "deblur" restores what `restore` says, "derain" has nothing to validate.
struct Validated {
  Validated() {
    state.model.module = &*module;
    state.model.tasks = {"deblur", "derain"};
    state.model.restore = [this](std::size_t task, const at::Tensor& degraded) {
      tasks.push_back(task);
      trained = trained || module->is_training() || module->drop->is_training();
      recorded = recorded || torch::GradMode::is_enabled();
      return restore(degraded);
    };
    for (const auto* name : {"deblur", "derain"}) {
      state.tasks.emplace_back();
      state.tasks.back().name = name;
    }
    state.tasks[0].branch.validation = DarkPictures{3};
  }

  nlohmann::json scores() { return validation_scores(state, options, identity); }

  TinyEncoder module;
  std::function<at::Tensor(const at::Tensor&)> restore = [](const auto& image) { return image; };
  std::vector<std::size_t> tasks;
  bool trained = false, recorded = false;
  TrainingState state;
  TrainerOptions options;
  std::map<std::string, double> identity;
};

BOOST_FIXTURE_TEST_SUITE(validation, Validated)

BOOST_AUTO_TEST_CASE(a_model_that_changes_nothing_scores_what_its_input_does) {
  const auto found = scores();
  BOOST_TEST(found.size() == 1U);
  const auto& score = found.at("deblur");
  BOOST_TEST(score.at("images") == 3);
  BOOST_TEST(score.at("psnr_rgb").get<double>() == score.at("identity_psnr_rgb").get<double>());
  BOOST_TEST(score.at("psnr_rgb").get<double>() > 5);
  BOOST_TEST(score.at("psnr_rgb").get<double>() < 20);
  BOOST_TEST((tasks == std::vector<std::size_t>{0, 0, 0}));
}

BOOST_AUTO_TEST_CASE(scores_are_means_over_the_images) {
  double sum = 0;
  for (std::int64_t i = 0; i < 3; ++i) {
    const auto pair = DarkPictures{}.load(i, 0);
    sum += PSNR<>{}(pair.degraded.unit(), pair.target.unit());
  }
  BOOST_TEST(scores().at("deblur").at("psnr_rgb").get<double>() == sum / 3,
             boost::test_tools::tolerance(1e-12));
}

BOOST_AUTO_TEST_CASE(a_better_model_scores_more_than_its_input) {
  restore = [](const auto& image) { return ((image + 1) / 0.6 - 1).clamp(-1, 1); };
  const auto score = scores().at("deblur");
  BOOST_TEST(score.at("psnr_rgb").get<double>() > score.at("identity_psnr_rgb").get<double>() + 20);
}

BOOST_AUTO_TEST_CASE(the_inputs_are_scored_once) {
  const auto first = scores();
  BOOST_TEST(identity.size() == 1U);
  identity["deblur"] = 12.5;
  BOOST_TEST(scores().at("deblur").at("identity_psnr_rgb") == 12.5);
}

BOOST_AUTO_TEST_CASE(a_number_of_images_is_not_exceeded) {
  options.validation_images = 2;
  BOOST_TEST(scores().at("deblur").at("images") == 2);
  options.validation_images = 99;
  BOOST_TEST(scores().at("deblur").at("images") == 3);
}

BOOST_AUTO_TEST_CASE(without_validation_data_there_are_no_scores) {
  state.tasks[0].branch.validation = {};
  BOOST_TEST(scores().dump() == "{}");
}

BOOST_AUTO_TEST_CASE(the_model_is_in_evaluation_mode_and_then_in_its_own_again) {
  module->train();
  scores();
  BOOST_TEST(!trained);
  BOOST_TEST(!recorded);
  BOOST_TEST(module->is_training());
  module->eval();
  scores();
  BOOST_TEST(!module->is_training());
}

BOOST_AUTO_TEST_CASE(an_exception_leaves_the_model_in_its_mode) {
  module->train();
  restore = [](const auto&) -> at::Tensor { TORCH_CHECK(false, "on the way"); };
  BOOST_CHECK_THROW(scores(), c10::Error);
  BOOST_TEST(module->is_training());
}

BOOST_AUTO_TEST_CASE(the_text_gives_each_tasks_gain) {
  const nlohmann::json scores{{"deblur", {{"psnr_rgb", 27.314}, {"identity_psnr_rgb", 26.86}}},
                              {"dehaze", {{"psnr_rgb", 18.2}, {"identity_psnr_rgb", 22.1}}}};
  BOOST_TEST(validation_text(200, scores) ==
             "step 200  validation PSNR  deblur 27.31 dB (+0.45)  dehaze 18.20 dB (-3.90)");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
