#include <limpid/metrics/evaluation.hpp>

#include <torch/torch.h>
#include <boost/test/unit_test.hpp>
#include <nlohmann/json.hpp>

#include <cmath>
#include <limits>
#include <string>
#include <vector>

namespace {

using limpid::Comparison, limpid::metrics_by_name, limpid::statistics, limpid::TaskEvaluation;

constexpr double kInfinity = std::numeric_limits<double>::infinity();

at::Tensor grey(double value) { return torch::full({3, 16, 16}, value / 255, torch::kFloat); }

TaskEvaluation two_pictures() {
  TaskEvaluation evaluation{"deblur", metrics_by_name({"psnr_rgb", "ssim_uniform"})};
  evaluation.add("a", grey(110), grey(101), grey(100));  // 28.13 dB in, 48.13 dB out
  evaluation.add("b", grey(90), grey(100), grey(100));   // 28.13 dB in, identical out
  return evaluation;
}

BOOST_AUTO_TEST_SUITE(evaluation)

BOOST_AUTO_TEST_CASE(mean_and_deviation_are_those_of_the_population) {
  const auto four = statistics({2, 4, 4, 6});
  BOOST_TEST(four.mean == 4.0);
  BOOST_TEST(four.std == std::sqrt(2.0), boost::test_tools::tolerance(1e-15));
  BOOST_TEST(four.count == 4);
  BOOST_TEST(four.infinite == 0);
  BOOST_TEST(statistics({5}).std == 0.0);
}

BOOST_AUTO_TEST_CASE(infinite_scores_are_counted_beside_the_mean) {
  const auto some = statistics({30, kInfinity, 34});
  BOOST_TEST(some.mean == 32.0);
  BOOST_TEST(some.std == 2.0);
  BOOST_TEST(some.count == 3);
  BOOST_TEST(some.infinite == 1);
  const auto all = statistics({kInfinity, kInfinity});
  BOOST_TEST(all.mean == kInfinity);
  BOOST_TEST(all.std == 0.0);
  BOOST_TEST(std::isnan(statistics({}).mean));
  BOOST_TEST(std::isnan(statistics({1, NAN, kInfinity}).mean));
}

BOOST_AUTO_TEST_CASE(scores_what_went_in_beside_what_came_out) {
  const auto evaluation = two_pictures();
  BOOST_TEST(evaluation.identity(0).mean == 20 * std::log10(25.5),
             boost::test_tools::tolerance(1e-12));
  BOOST_TEST(evaluation.restored(0).mean == 20 * std::log10(255.0),
             boost::test_tools::tolerance(1e-12));
  BOOST_TEST(evaluation.restored(0).infinite == 1);
  BOOST_TEST(evaluation.restored(1).mean > evaluation.identity(1).mean);
}

BOOST_AUTO_TEST_CASE(a_refused_picture_leaves_no_trace) {
  auto evaluation = two_pictures();
  BOOST_CHECK_THROW(evaluation.add("c", grey(1), torch::zeros({3, 8, 8}), grey(1)),
                    c10::ValueError);
  BOOST_TEST(evaluation.images.size() == 2u);
}

BOOST_AUTO_TEST_CASE(json_has_tasks_pictures_and_protocols) {
  const auto json = nlohmann::json::parse(limpid::json_text(limpid::to_json({two_pictures()})));
  const auto& task = json.at("tasks").at("deblur");
  BOOST_TEST(task.at("count") == 2);
  BOOST_TEST(task.at("identity").at("psnr_rgb").at("std") == 0.0);
  BOOST_TEST(std::abs(task.at("identity").at("psnr_rgb").at("mean").get<double>() - 28.1308) <
             1e-4);
  BOOST_TEST(std::abs(task.at("restored").at("psnr_rgb").at("mean").get<double>() - 48.1308) <
             1e-4);
  BOOST_TEST(task.at("restored").at("psnr_rgb").at("infinite") == 1);
  BOOST_TEST(!task.at("identity").at("psnr_rgb").contains("infinite"));
  BOOST_TEST(task.at("images").size() == 2u);
  BOOST_TEST(task.at("images")[1].at("name") == "b");
  BOOST_TEST(task.at("images")[1].at("restored").at("psnr_rgb") == "inf");
  BOOST_TEST(task.at("images")[1].at("restored").at("ssim_uniform").is_number());
  const auto& protocol = json.at("protocols").at("ssim_uniform");
  BOOST_TEST(protocol.at("higher_is_better") == true);
  BOOST_TEST(protocol.at("protocol").get<std::string>().find("7 x 7") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(json_without_any_picture_is_still_json) {
  const auto json = limpid::to_json({TaskEvaluation{"derain"}});
  BOOST_TEST(json.at("tasks").at("derain").at("count") == 0);
  BOOST_TEST(json.at("tasks").at("derain").at("identity").at("psnr_y").at("mean") == "nan");
  BOOST_TEST(json.at("tasks").at("derain").at("images").is_array());
  BOOST_TEST(limpid::to_json(std::vector<TaskEvaluation>{}).at("tasks").is_object());
}

BOOST_AUTO_TEST_CASE(json_of_a_comparison_names_every_picture) {
  Comparison comparison{metrics_by_name({"psnr_rgb"})};
  comparison.add("night", grey(101), grey(100));
  comparison.add("bad \xff name", grey(99), grey(100));
  const auto json = nlohmann::json::parse(limpid::json_text(limpid::to_json(comparison)));
  BOOST_TEST(json.at("count") == 2);
  BOOST_TEST(std::abs(json.at("compared").at("psnr_rgb").at("mean").get<double>() - 48.1308) <
             1e-4);
  BOOST_TEST(json.at("compared").at("psnr_rgb").at("std") == 0.0);
  BOOST_TEST(json.at("images")[0].at("name") == "night");
  BOOST_TEST(json.at("images")[0].at("psnr_rgb").is_number());
  BOOST_TEST(json.at("images")[1].at("name") == "bad \xef\xbf\xbd name");
  BOOST_TEST(json.at("protocols").contains("psnr_rgb"));
}

BOOST_AUTO_TEST_CASE(tables_stand_in_columns) {
  BOOST_TEST(limpid::text_table({two_pictures()}) ==
             "task    metric        unit  images  identity  restored     gain\n"
             "deblur  psnr_rgb      dB         2     28.13     48.13   +20.00\n"
             "deblur  ssim_uniform             2    0.9950    1.0000  +0.0050\n");
  Comparison comparison{metrics_by_name({"psnr_rgb"})};
  comparison.add("a", grey(100), grey(100));
  BOOST_TEST(limpid::text_table(comparison) ==
             "metric    unit  images  mean   std\n"
             "psnr_rgb  dB         1   inf  0.00\n");
}

BOOST_AUTO_TEST_SUITE_END()
}  // namespace
