#include <limpid/detection/detection_scores.hpp>

#include <boost/test/unit_test.hpp>

#include <string>
#include <vector>

namespace {

using namespace limpid;

const auto kClose = boost::test_tools::tolerance(1e-9);

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

BOOST_AUTO_TEST_SUITE(detection_scores)

const Box kSquare{0, 0, 10, 10}, kFar{50, 50, 60, 60};

BOOST_AUTO_TEST_CASE(a_restoration_is_scored_by_what_is_found_in_it) {
  DetectionEvaluation evaluation{"deblur"};
  const std::vector<Detection> sharp{{kSquare, 1, 0.9}, {kFar, 2, 0.4}};
  const auto truth = truth_of_finds(sharp, 0.4);
  BOOST_REQUIRE(truth.size() == 2u);
  BOOST_TEST(truth_of_finds(sharp, 0.5).size() == 1u);
  evaluation.add({}, {{kSquare, 1, 0.3}}, sharp, truth);
  BOOST_TEST(evaluation.truths() == 2u);
  const auto json = to_json({evaluation}, {{1, "car"}}).at("tasks").at("deblur");
  BOOST_TEST(json.at("degraded").at("ap50").get<double>() == 0.0);
  BOOST_TEST(json.at("restored").at("ap50").get<double>() == 0.5, kClose);
  BOOST_TEST(json.at("restored").at("ap50_95").get<double>() == 0.5, kClose);
  BOOST_TEST(json.at("restored").at("ap50_by_class").at("car").get<double>() == 1.0, kClose);
  BOOST_TEST(json.at("restored").at("ap50_by_class").at("2").get<double>() == 0.0);
  BOOST_TEST(json.at("sharp").at("ap50").get<double>() == 1.0, kClose);
  BOOST_TEST(json.at("sharp").at("found") == 2);
  BOOST_TEST(has(text_table({evaluation}), "deblur  restored"));
}

BOOST_AUTO_TEST_CASE(without_truth_there_is_no_score) {
  DetectionEvaluation evaluation{"deblur"};
  evaluation.add({}, {}, {}, {});
  BOOST_TEST(to_json({evaluation})["tasks"]["deblur"]["sharp"]["ap50"] == "none");
  BOOST_TEST(has(text_table({evaluation}), "none"));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
