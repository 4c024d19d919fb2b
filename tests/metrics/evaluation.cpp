#include <limpid/metrics/evaluation.hpp>
#include <limpid/metrics/metric_table.hpp>

#include <torch/torch.h>
#include <boost/test/unit_test.hpp>
#include <nlohmann/json.hpp>

#include <cmath>
#include <string>
#include <vector>

namespace {

using limpid::Comparison, limpid::metrics_by_name, limpid::TaskEvaluation;

at::Tensor grey(double value) { return torch::full({3, 16, 16}, value / 255, torch::kFloat); }

TaskEvaluation two_pictures() {
  TaskEvaluation evaluation{"deblur", metrics_by_name({"psnr_rgb", "ssim_uniform"})};
  evaluation.add("a", grey(110), grey(101), grey(100));  // 28.13 dB in, 48.13 dB out
  evaluation.add("b", grey(90), grey(100), grey(100));   // 28.13 dB in, identical out
  return evaluation;
}

BOOST_AUTO_TEST_SUITE(evaluation)

BOOST_AUTO_TEST_CASE(scores_what_went_in_beside_what_came_out) {
  const auto evaluation = two_pictures();
  BOOST_TEST(evaluation.identity(0).mean == 20 * std::log10(25.5),
             boost::test_tools::tolerance(1e-12));
  BOOST_TEST(evaluation.restored(0).mean == 20 * std::log10(255.0),
             boost::test_tools::tolerance(1e-12));
  BOOST_TEST(evaluation.restored(0).exact == 1);
  BOOST_TEST(evaluation.restored(1).mean > evaluation.identity(1).mean);
}

BOOST_AUTO_TEST_CASE(a_gain_compares_the_same_pictures) {
  const auto psnr = two_pictures().gain(0);
  BOOST_TEST(psnr.mean == 20.0, boost::test_tools::tolerance(1e-12));
  BOOST_TEST(psnr.count == 1);
  BOOST_TEST(psnr.exact == 1);

  // A picture that was exact and gets damaged must not raise the gain of the others.
  TaskEvaluation damaged{"deblur", metrics_by_name({"psnr_rgb"})};
  damaged.add("a", grey(104), grey(103), grey(100));
  damaged.add("b", grey(100), grey(101), grey(100));
  BOOST_TEST(damaged.gain(0).mean == 20 * std::log10(4.0 / 3), boost::test_tools::tolerance(1e-12));
  BOOST_TEST(damaged.restored(0).mean - damaged.identity(0).mean > 5, "other pictures");
  BOOST_TEST(limpid::text_table({damaged}) ==
             "task    metric    unit  images        identity  restored            95 %            "
             "gain  95 %\n"
             "deblur  psnr_rgb  dB         2  36.09 (1 of 2)     43.36  [38.59, 48.13]  +2.50 (1 "
             "of 2)  none\n");
  BOOST_TEST(
      limpid::left_out_lines(std::vector{damaged}) ==
          (std::vector<std::string>{
              "psnr_rgb of deblur, degraded: 1 of 2 pictures left out of the mean, exact: 'b'",
              "psnr_rgb of deblur: 1 of 2 pictures left out of the gain: 'b' (exact before, "
              "48.13 after)"}),
      boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_score_that_a_picture_cannot_have_costs_no_other) {
  TaskEvaluation evaluation{"deblur", metrics_by_name({"psnr_rgb", "ssim_gaussian"})};
  const auto small = torch::full({3, 6, 6}, 0.5);
  evaluation.add("small", small, small + 0.1, small + 0.2);
  evaluation.add("large", grey(110), grey(101), grey(100));
  BOOST_TEST(evaluation.restored(0).count == 2);
  BOOST_TEST(evaluation.restored(1).count == 1);
  BOOST_TEST(evaluation.restored(1).none == 1);
  BOOST_TEST(evaluation.gain(1).count == 1);
  const auto reason = "SSIMGaussian: expected sides of at least 11 pixels, got [3, 6, 6]";
  const auto json = limpid::to_json({evaluation}).at("tasks").at("deblur");
  BOOST_TEST(json.at("images")[0].at("restored").at("ssim_gaussian") == "none");
  BOOST_TEST(json.at("images")[0].at("restored").at("psnr_rgb").is_number());
  BOOST_TEST(json.at("images")[0].at("none").at("restored").at("ssim_gaussian") == reason);
  BOOST_TEST(!json.at("images")[1].contains("none"));
  BOOST_TEST(json.at("gain").at("ssim_gaussian").at("left_out") == 1);
  BOOST_TEST(limpid::left_out_lines(std::vector{evaluation})[1] ==
             "ssim_gaussian of deblur, restored: 1 of 2 pictures left out of the mean, without a "
             "score: 'small' (" +
                 std::string{reason} + ")");
}

BOOST_AUTO_TEST_CASE(many_pictures_without_a_score_are_counted_and_a_few_named) {
  Comparison comparison{metrics_by_name({"ssim_gaussian"})};
  const auto small = torch::full({3, 6, 6}, 0.5);
  for (int i = 0; i < 50; ++i) comparison.add(std::to_string(i), small, small);
  const auto lines = limpid::left_out_lines(comparison);
  BOOST_REQUIRE(lines.size() == 1u);
  BOOST_TEST(lines[0].starts_with("ssim_gaussian: 50 of 50 pictures left out of the mean"));
  BOOST_TEST(lines[0].ends_with(" and 47 more"));
  BOOST_TEST(limpid::text_table(comparison) ==
             "metric         unit  images            mean  95 %   std\n"
             "ssim_gaussian            50  none (0 of 50)  none  none\n");
}

BOOST_AUTO_TEST_CASE(a_program_that_is_better_on_each_picture_is_not_ranked_below) {
  const auto of = [](double first, double second) {
    Comparison comparison{metrics_by_name({"psnr_rgb"})};
    comparison.add("a", grey(first), grey(100));
    comparison.add("b", grey(second), grey(100));
    return comparison;
  };
  const auto good = of(108, 100), worse = of(109, 101);  // exact on "b", better on "a"
  BOOST_TEST(good.compared(0).mean < worse.compared(0).mean, "the means are of other pictures");
  const auto json = limpid::to_json(good).at("compared").at("psnr_rgb");
  BOOST_TEST(json.at("count") == 1);
  BOOST_TEST(json.at("left_out") == 1);
  BOOST_TEST(json.at("exact") == 1);
  BOOST_TEST(json.at("pooled").get<double>() == 10 * std::log10(255 * 255 / ((64.0 + 0) / 2)),
             boost::test_tools::tolerance(1e-12));
  const auto other = limpid::to_json(worse).at("compared").at("psnr_rgb");
  BOOST_TEST(json.at("pooled").get<double>() > other.at("pooled").get<double>());
  BOOST_TEST(other.at("left_out") == 0);
  BOOST_TEST(!other.contains("exact"));
}

BOOST_AUTO_TEST_CASE(a_mean_over_no_picture_is_none_and_what_it_leaves_out_stands_beside_it) {
  const auto of = [](const nlohmann::json& scores) {
    const auto psnr = nlohmann::json::parse(limpid::json_text(scores.at("psnr_rgb")));
    BOOST_TEST(psnr.at("mean") == "none");
    BOOST_TEST(psnr.at("count") == 0);
    BOOST_TEST(psnr.at("left_out") == 2);
    BOOST_TEST(psnr.at("exact") == 2);
    return psnr;
  };
  TaskEvaluation perfect{"deblur", metrics_by_name({"psnr_rgb"})};
  Comparison equal{metrics_by_name({"psnr_rgb"})};
  for (const auto* name : {"a", "b"}) {
    perfect.add(name, grey(110), grey(100), grey(100));
    equal.add(name, grey(100), grey(100));
  }
  const auto task = limpid::to_json({perfect}).at("tasks").at("deblur");
  BOOST_TEST(of(task.at("restored")).at("std") == "none");
  BOOST_TEST(of(task.at("restored")).at("pooled") == "inf", "over all pictures");
  of(task.at("gain"));
  BOOST_TEST(of(limpid::to_json(equal).at("compared")).at("std") == "none");
  BOOST_TEST(limpid::text_table({perfect}).find("inf") == std::string::npos);
  BOOST_TEST(limpid::text_table({perfect}).find("none (0 of 2)") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_refused_picture_leaves_no_trace) {
  auto evaluation = two_pictures();
  BOOST_CHECK_THROW(evaluation.add("c", grey(1), torch::zeros({3, 8, 8}), grey(1)),
                    c10::ValueError);
  const auto broken = torch::full({3, 16, 16}, NAN);
  BOOST_CHECK_THROW(evaluation.add("c", grey(1), broken, grey(1)), c10::ValueError);
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
  BOOST_TEST(task.at("restored").at("psnr_rgb").at("count") == 1);
  BOOST_TEST(task.at("restored").at("psnr_rgb").at("left_out") == 1);
  BOOST_TEST(task.at("identity").at("psnr_rgb").at("count") == 2);
  BOOST_TEST(task.at("identity").at("psnr_rgb").at("left_out") == 0);
  BOOST_TEST(task.at("gain").at("psnr_rgb").at("count") == 1);
  BOOST_TEST(std::abs(task.at("gain").at("psnr_rgb").at("mean").get<double>() - 20) < 1e-9);
  BOOST_TEST(task.at("gain").at("ssim_uniform").at("count") == 2);
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
  BOOST_TEST(json.at("tasks").at("derain").at("identity").at("psnr_y").at("mean") == "none");
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
             "task    metric        unit  images  identity        restored              95 %  "
             "           gain                95 %\n"
             "deblur  psnr_rgb      dB         2     28.13  48.13 (1 of 2)              none  "
             "+20.00 (1 of 2)                none\n"
             "deblur  ssim_uniform             2    0.9950          1.0000  [1.0000, 1.0000]  "
             "        +0.0050  [+0.0045, +0.0055]\n");
  Comparison comparison{metrics_by_name({"psnr_rgb"})};
  comparison.add("a", grey(100), grey(100));
  BOOST_TEST(limpid::text_table(comparison) ==
             "metric    unit  images           mean  95 %   std  pooled\n"
             "psnr_rgb  dB         1  none (0 of 1)  none  none     inf\n");
}

BOOST_AUTO_TEST_SUITE_END()
}  // namespace
