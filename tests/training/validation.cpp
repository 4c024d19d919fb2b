#include <limpid/training/best_validation.hpp>
#include <limpid/training/validation.hpp>
#include <support/errors.hpp>
#include <support/tiny.hpp>
#include <support/troubled_pictures.hpp>

#include <torch/torch.h>
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace {

using namespace limpid;
using namespace limpid::detail;
using limpid_test::DarkPictures, limpid_test::TinyEncoder;

/// A state of two tasks: "deblur" restores what `restore` says, "derain" has nothing to validate.
struct Validated {
  Validated() {
    state.model.module = module.ptr();
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

  nlohmann::json scores() { return *validation_scores(state, options); }

  TinyEncoder module;
  std::function<at::Tensor(const at::Tensor&)> restore = [](const auto& image) { return image; };
  std::vector<std::size_t> tasks;
  bool trained = false, recorded = false;
  TrainingState state;
  TrainerOptions options;
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

BOOST_AUTO_TEST_CASE(a_few_pictures_are_spread_over_the_set) {
  std::vector<std::int64_t> loaded;
  state.tasks[0].branch.validation =
      limpid_test::TroubledPictures{[&](std::int64_t i) { loaded.push_back(i); }, 100};
  options.validation_images = 4;
  scores();
  BOOST_TEST((loaded == std::vector<std::int64_t>{12, 37, 62, 87}));
}

BOOST_AUTO_TEST_CASE(a_picture_that_cannot_be_read_or_restored_is_left_out_by_name) {
  state.tasks[0].branch.validation = limpid_test::damaged([](std::int64_t i) { return i == 1; }, 5);
  int calls = 0;
  restore = [&](const at::Tensor& image) {
    TORCH_CHECK(++calls != 2, "out of memory");                     // dark2
    return calls == 3 ? image * std::nan("") : image.clamp(-1, 1);  // dark3
  };
  std::vector<std::string> said;
  module->train();
  const auto score = validation_scores(state, options, {}, [&](const std::string& text) {
                       said.push_back(text);
                     })->at("deblur");
  BOOST_TEST(module->is_training());
  BOOST_TEST(score.at("images") == 2);
  BOOST_TEST(score.at("failed") == 3);
  BOOST_TEST(score.at("gain").at("psnr_rgb").at("count") == 2);
  BOOST_REQUIRE(said.size() == 3U);
  BOOST_TEST(said[0] == "validation of 'deblur' leaves out 'dark1': 'dark1' is damaged");
  BOOST_TEST(said[1] == "validation of 'deblur' leaves out 'dark2': out of memory");
  BOOST_TEST(said[2] ==
             "validation of 'deblur' leaves out 'dark3': the restored picture is not finite");
}

BOOST_AUTO_TEST_CASE(scores_before_and_after_are_of_the_same_pictures) {
  // dark0 comes back exact: its score is infinite and must not be in either mean.
  int calls = 0;
  restore = [&](const at::Tensor& image) {
    return calls++ == 0 ? limpid::to_signed(DarkPictures{}.load(0, 0).target.unit()) : image;
  };
  const auto score = scores().at("deblur");
  BOOST_TEST(score.at("psnr_rgb").get<double>() == score.at("identity_psnr_rgb").get<double>());
  const auto gain = score.at("gain").at("psnr_rgb");
  BOOST_TEST(gain.at("count") == 2);
  BOOST_TEST(gain.at("mean") == 0.0);
  BOOST_TEST(gain.at("left_out") == 1);
  BOOST_TEST(score.at("restored").at("psnr_rgb").at("left_out") == 1);
  BOOST_TEST(score.at("identity").at("psnr_rgb").at("left_out") == 0);
  BOOST_TEST(validation_text(5, {{"deblur", score}}).find("(+0.00, 2 of 3 pictures)") !=
             std::string::npos);
}

BOOST_AUTO_TEST_CASE(where_no_picture_can_be_compared_that_is_said_without_infinities) {
  int calls = 0;
  restore = [&](const at::Tensor&) {
    return limpid::to_signed(DarkPictures{}.load(calls++, 0).target.unit());
  };
  const auto found = scores();
  BOOST_TEST(!found.at("deblur").contains("psnr_rgb"));
  const auto text = validation_text(5, found);
  BOOST_TEST(text == "step 5  validation PSNR  deblur none of 3 pictures");
  BOOST_TEST(found.dump().find("null") == std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_stop_comes_before_the_next_picture) {
  int asked = 0;
  BOOST_TEST(!validation_scores(state, options, [&] { return ++asked == 2; }).has_value());
  BOOST_TEST(tasks.size() == 1U);
}

BOOST_AUTO_TEST_CASE(large_pictures_are_restored_in_tiles) {
  std::int64_t largest = 0;
  restore = [&](const at::Tensor& image) {
    largest = std::max(largest, image.size(2) * image.size(3));
    return image;
  };
  options.validation_tile = 32;
  const auto tiled = scores();
  BOOST_TEST(largest == 32 * 32);
  options.validation_tile = 0;
  const auto whole = scores();
  BOOST_TEST(largest == 40 * 48);
  BOOST_TEST(tiled.at("deblur").at("in_tiles") == tiled.at("deblur").at("images"));
  BOOST_TEST(!whole.at("deblur").contains("in_tiles"));
  BOOST_TEST(limpid::detail::validation_text(1, tiled).find(" in tiles)") != std::string::npos);
  BOOST_TEST(tiled.at("deblur").at("psnr_rgb").get<double>() ==
                 whole.at("deblur").at("psnr_rgb").get<double>(),
             boost::test_tools::tolerance(1e-9));
  const auto tile_of = [&](std::int64_t height, std::int64_t width) {
    return validation_tiling(torch::empty({1, 3, height, width}), options).tile;
  };
  BOOST_TEST(tile_of(1080, 1920) == 1024);
  BOOST_TEST(tile_of(720, 1280) == 0);
}

BOOST_AUTO_TEST_CASE(the_data_can_be_tried_without_a_model) {
  check_validation_data(state, options);
  state.tasks[0].branch.validation = limpid_test::damaged([](std::int64_t i) { return i != 3; });
  check_validation_data(state, options);  // one can be read
  state.tasks[0].branch.validation = limpid_test::damaged([](std::int64_t) { return true; });
  BOOST_TEST(limpid_test::error_of([&] { check_validation_data(state, options); }) ==
             "validation of 'deblur': none of 4 pictures can be read; the first: 'dark0' is "
             "damaged");
}

BOOST_AUTO_TEST_CASE(the_best_has_the_highest_mean_gain_of_the_same_pictures) {
  const auto scored = [](double deblur, double derain, std::int64_t failed = 0) {
    nlohmann::json scores;
    for (const auto& [task, gain] : {std::pair{"deblur", deblur}, std::pair{"derain", derain}}) {
      scores[task] = {{"psnr_rgb", 20 + gain}, {"identity_psnr_rgb", 20.0}, {"failed", failed}};
    }
    return scores;
  };
  const auto best_after = [&](std::int64_t step, const nlohmann::json& scores) {
    state.step = step;
    return is_best(state, options, scores);
  };
  BOOST_TEST(!best_after(0, nlohmann::json::object()));
  BOOST_TEST(best_after(1, scored(-3, 1)));
  BOOST_TEST(best_text(state, scored(-3, 1)) == "; mean gain -1.00 dB, the best so far");
  BOOST_TEST(best_after(2, scored(4, 0)));
  BOOST_TEST(!best_after(3, scored(4, 0)));     // as good: the earlier one stays
  BOOST_TEST(!best_after(3, scored(9, 9, 1)));  // of fewer pictures
  BOOST_TEST(best_text(state, scored(1, 1)) ==
             "; mean gain +1.00 dB, the best is +2.00 dB of step 2");
  auto unscored = scored(9, 9);
  unscored["derain"].erase("psnr_rgb");
  BOOST_TEST(!best_after(4, unscored));
  state.tasks[0].branch.validation = DarkPictures{2};
  BOOST_TEST(best_after(5, scored(-9, -9)));  // other pictures: nothing to compare with
  BOOST_TEST(state.best->step == 5);
}

BOOST_AUTO_TEST_CASE(the_text_gives_each_tasks_gain) {
  const auto score = [](double psnr, double identity) {
    return nlohmann::json{{"psnr_rgb", psnr},
                          {"identity_psnr_rgb", identity},
                          {"images", 4},
                          {"failed", 0},
                          {"gain", {{"psnr_rgb", {{"count", 4}}}}}};
  };
  BOOST_TEST(
      validation_text(200, {{"deblur", score(27.314, 26.86)}, {"dehaze", score(18.2, 22.1)}}) ==
      "step 200  validation PSNR  deblur 27.31 dB (+0.45)  dehaze 18.20 dB (-3.90)");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
