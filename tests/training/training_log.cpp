#include <limpid/training/training_log.hpp>
#include <support/temporary_folder.hpp>

#include <torch/torch.h>
#include <boost/test/unit_test.hpp>

#include <cmath>
#include <fstream>
#include <string>
#include <vector>

namespace {

using limpid::LossValue;
using limpid::detail::LossMeter, limpid::detail::MetricsFile, limpid::detail::progress_text;

std::vector<std::string> lines_of(const std::filesystem::path& path) {
  std::ifstream stream{path};
  std::vector<std::string> lines;
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

BOOST_AUTO_TEST_SUITE(metrics_file)

BOOST_AUTO_TEST_CASE(lines_are_on_the_disk_as_they_are_written) {
  const limpid_test::TemporaryFolder folder;
  MetricsFile file{folder / "metrics.jsonl", 0};
  BOOST_TEST(lines_of(folder / "metrics.jsonl").empty());
  file.write({{"kind", "train"}, {"step", 1}});
  file.write({{"kind", "train"}, {"step", 2}});
  const auto lines = lines_of(folder / "metrics.jsonl");
  BOOST_REQUIRE(lines.size() == 2U);
  BOOST_TEST(nlohmann::json::parse(lines[1]).at("step") == 2);
}

BOOST_AUTO_TEST_CASE(a_resumed_run_drops_the_lines_that_it_writes_again) {
  const limpid_test::TemporaryFolder folder;
  const auto path = folder / "metrics.jsonl";
  {
    MetricsFile file{path, 0};
    for (int step = 1; step <= 5; ++step) file.write({{"kind", "train"}, {"step", step}});
  }
  std::ofstream{path, std::ios::app} << "{\"kind\": \"train\", \"st";  // killed as it wrote
  MetricsFile resumed{path, 3};
  resumed.write({{"kind", "train"}, {"step", 4}});
  std::vector<int> steps;
  for (const auto& line : lines_of(path)) steps.push_back(nlohmann::json::parse(line).at("step"));
  BOOST_TEST((steps == std::vector<int>{1, 2, 3, 4}));
}

BOOST_AUTO_TEST_CASE(lines_that_are_no_log_do_not_stop_a_resume) {
  const limpid_test::TemporaryFolder folder;
  const auto path = folder / "metrics.jsonl";
  std::ofstream{path} << "[1]\n\n{\"step\": \"one\"}\n{\"step\": 1}\n";
  const MetricsFile resumed{path, 3};
  BOOST_TEST((lines_of(path) == std::vector<std::string>{"{\"step\": 1}"}));
}

BOOST_AUTO_TEST_CASE(a_file_that_cannot_be_written_is_named) {
  const limpid_test::TemporaryFolder folder;
  const auto path = folder / "missing" / "metrics.jsonl";
  BOOST_CHECK_EXCEPTION((MetricsFile{path, 0}), c10::Error, [&](const auto& error) {
    return std::string{error.what_without_backtrace()}.rfind("cannot write '" + path.string() + "'",
                                                             0) == 0;
  });
}

BOOST_AUTO_TEST_CASE(without_a_file_nothing_is_written) { MetricsFile{}.write({{"step", 1}}); }

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(loss_meter)

BOOST_AUTO_TEST_CASE(means_are_over_the_steps_since_the_last_restart) {
  LossMeter meter;
  meter.add({{"deblur", "total", 1.0}, {"deblur", "critic", 5.0}}, 2);
  meter.add({{"deblur", "total", 3.0}, {"derain", "total", -1.0}}, 2);
  BOOST_TEST(meter.steps() == 2);
  BOOST_TEST(meter.mean("deblur", "total") == 2.0);
  BOOST_TEST(meter.mean("deblur", "critic") == 5.0);
  BOOST_TEST(std::isnan(meter.mean("deblur", "content")));
  BOOST_TEST(std::isnan(meter.mean("dehaze", "total")));
  BOOST_TEST(meter.to_json().dump() ==
             "{\"deblur\":{\"critic\":5.0,\"total\":2.0},\"derain\":{\"total\":-1.0}}");
  BOOST_TEST(meter.images_per_second() > 0);
  meter.restart();
  BOOST_TEST(meter.steps() == 0);
  BOOST_TEST(meter.to_json().dump() == "{}");
}

BOOST_AUTO_TEST_CASE(progress_says_step_epoch_losses_and_time_left) {
  LossMeter meter;
  meter.add({{"deblur", "total", 0.0123}, {"derain", "total", 0.5}}, 4);
  const auto text = progress_text(meter, {"deblur", "derain"}, 120, 2400, 2, 754);
  BOOST_TEST(text.rfind("step 120/2400  epoch 3  deblur 0.0123  derain 0.5  ", 0) == 0U);
  BOOST_TEST(text.find(" images/s  12:34 left") != std::string::npos);
  BOOST_TEST(progress_text(meter, {}, 5, 0, 0, 7).rfind("step 5  epoch 1  ", 0) == 0U);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
