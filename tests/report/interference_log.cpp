#include <limpid/report/interference_log.hpp>
#include <limpid/report/report.hpp>
#include <limpid/report/training_log.hpp>
#include <support/temporary_folder.hpp>

#include <boost/test/unit_test.hpp>
#include <nlohmann/json.hpp>

#include <cmath>
#include <fstream>
#include <string>

using namespace limpid;

namespace {

nlohmann::json line(double cosine) {
  const nlohmann::json agreement{{"length", {1.0, 2.0}},
                                 {"cosine", {{1.0, cosine}, {cosine, 1.0}}},
                                 {"conflicts", cosine < 0 ? 1 : 0}};
  auto json = agreement;
  json["tasks"] = {"deblur", "dehaze"};
  auto part = agreement;
  part["name"] = "conv1";
  json["parts"] = {part};
  return json;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(interference_log)

BOOST_AUTO_TEST_CASE(lines_become_curves_and_conflicts_are_counted) {
  InterferenceLog log;
  log.add(line(0.5), 10);
  log.add(line(-0.25), 20);
  auto none = line(0);
  none["cosine"][0][1] = none["cosine"][1][0] = "none";
  log.add(none, 30);
  BOOST_REQUIRE(log.pairs().size() == 1);
  const auto& pair = log.pairs()[0];
  BOOST_TEST(pair.cosine.y[1] == -0.25);
  BOOST_TEST(std::isnan(pair.cosine.y[2]));
  const auto [looks, conflicts] = pair.looks_and_conflicts();
  BOOST_TEST(looks == 2);
  BOOST_TEST(conflicts == 1);
  BOOST_TEST(log.parts().at(0).name == "conv1");

  const auto tables = interference_tables(log);
  BOOST_REQUIRE(tables.size() == 2);
  BOOST_TEST(tables[0].groups[0].rows[0][2].text == "+0.125");  // mean of 0.5 and -0.25
  BOOST_TEST(tables[0].groups[0].rows[0][2].note == "conflict in 1 of 2");
  BOOST_TEST(tables[1].groups[0].rows[0][0].text == "conv1");
}

BOOST_AUTO_TEST_CASE(lines_that_are_no_such_thing_are_passed_over) {
  InterferenceLog log;
  for (const auto& text : {R"({})", R"({"tasks": 3})", R"({"tasks": ["a"]})",
                           R"({"tasks": ["a", "b"], "length": [1]})",
                           R"({"tasks": ["a", "b"], "length": [1, 2], "cosine": [[1, 0], 7]})"}) {
    log.add(nlohmann::json::parse(text), 1);
  }
  BOOST_TEST(log.empty());
  BOOST_TEST(interference_tables(log).empty());
  log.add(line(1), 1);
  auto others = line(1);
  others["tasks"] = {"a", "b"};
  log.add(others, 2);
  BOOST_TEST(log.pairs()[0].cosine.x.size() == 1U);
}

BOOST_AUTO_TEST_CASE(a_page_shows_the_matrix_and_the_curve) {
  limpid_test::TemporaryFolder folder;
  std::ofstream file{folder / "metrics.jsonl"};
  for (int i = 1; i < 5; ++i) {
    auto json = line(0.1 * i - 0.3);
    json["kind"] = "interference";
    json["step"] = i;
    file << json << "\n";
  }
  file.close();
  const auto log = read_training_log(folder / "metrics.jsonl");
  Report report;
  report.tables = interference_tables(log.interference);
  report.plots = run_plots(log);
  const auto html = report_html(report, {});
  BOOST_TEST(html.find("Do the tasks agree?") != html.npos);
  BOOST_TEST(html.find("Agreement of tasks") != html.npos);
  BOOST_TEST(html.find("deblur, dehaze") != html.npos);
}

BOOST_AUTO_TEST_SUITE_END()
