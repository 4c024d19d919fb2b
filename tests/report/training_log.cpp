#include <limpid/report/training_log.hpp>
#include <support/errors.hpp>

#include <boost/test/unit_test.hpp>

#include <sys/stat.h>
#include <unistd.h>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

namespace {

using limpid::read_training_log;

namespace fs = std::filesystem;

struct LogFile {
  fs::path path = fs::temp_directory_path() / ("limpid_log_" + std::to_string(::getpid()));
  void write(const std::string& text) const { std::ofstream{path} << text; }
  ~LogFile() { fs::remove(path); }
};

const std::string kTrain10 =
    R"({"kind":"train","step":10,"epoch":0,"seconds":12.5,"images_per_second":8.0,"rate":0.001,)"
    R"("losses":{"deblur":{"content":0.5,"adversarial":0.3,"critic":-1.2,"total":0.503},)"
    R"("derain":{"content":0.2,"total":0.2}}})"
    "\n";
const std::string kTrain20 =
    R"({"kind":"train","step":20,"epoch":0,"seconds":25,"images_per_second":8.5,"rate":0.0005,)"
    R"("losses":{"deblur":{"content":0.4,"adversarial":null,"critic":-2,"total":0.4},)"
    R"("derain":{"content":0.1,"total":0.1}}})"
    "\n";
const std::string kValidation = R"({"kind":"validation","step":20,"seconds":26,"tasks":)"
                                R"({"deblur":{"psnr_rgb":25.3,"identity_psnr_rgb":24.9,)"
                                R"("gain":{"psnr_rgb":{"mean":0.4,"count":3}}}}})"
                                "\n";

BOOST_FIXTURE_TEST_SUITE(training_log, LogFile)

BOOST_AUTO_TEST_CASE(a_pipe_is_no_log) {
  BOOST_REQUIRE(::mkfifo(path.c_str(), 0600) == 0);
  BOOST_TEST(limpid_test::error_of([&] { read_training_log(path); }) ==
             "cannot read '" + path.string() + "': it is a named pipe");
}

BOOST_AUTO_TEST_CASE(reads_losses_validation_and_speed) {
  write(kTrain10 + kTrain20 + kValidation);
  const auto log = read_training_log(path);
  BOOST_TEST(log.steps == 20);
  BOOST_TEST(log.seconds == 26.0);
  BOOST_TEST(log.broken_lines == 0);
  const auto& content = log.losses.at("deblur").at("content");
  BOOST_TEST(content.label == "content");
  BOOST_TEST(content.x == (std::vector<double>{10, 20}), boost::test_tools::per_element());
  BOOST_TEST(content.y == (std::vector<double>{0.5, 0.4}), boost::test_tools::per_element());
  BOOST_TEST(std::isnan(log.losses.at("deblur").at("adversarial").y[1]));
  BOOST_TEST(log.validation.at("deblur").at("psnr_rgb").y[0] == 25.3);
  BOOST_TEST(!log.validation.at("deblur").contains("gain"));
  BOOST_TEST(log.rate.y[1] == 0.0005);
  BOOST_TEST(log.images_per_second.y[0] == 8.0);
}

BOOST_AUTO_TEST_CASE(a_validation_may_have_means_as_an_evaluation_writes_them) {
  write(
      R"({"kind":"validation","step":20,"tasks":{"deblur":{"identity":{"psnr_rgb":{"mean":24.9,)"
      R"("std":1,"count":3,"left_out":1}},"restored":{"psnr_rgb":{"mean":25.3,"std":1,"count":4,)"
      R"("left_out":0}},"gain":{"psnr_rgb":{"mean":0.5,"count":3,"left_out":1}},"images":4,)"
      R"("failures":{"a":"cut short"}}}})"
      "\n"
      R"({"kind":"validation","step":40,"tasks":{"deblur":{"restored":{"psnr_rgb":{"mean":"none",)"
      R"("std":"none","count":0,"left_out":4}},"psnr_rgb":26.5,"images":4}}})"
      "\n"
      R"({"kind":"validation","step":60,"tasks":{"deblur":{"restored":{"psnr_rgb":{"mean":"inf",)"
      R"("std":0,"count":0,"left_out":4}},"images":4}}})"
      "\n");
  const auto log = read_training_log(path);
  BOOST_TEST(log.broken_lines == 0);
  const auto& deblur = log.validation.at("deblur");
  BOOST_TEST(deblur.at("psnr_rgb").y[0] == 25.3);
  BOOST_TEST(deblur.at("psnr_rgb").y[1] == 26.5, "a plain number goes before");
  BOOST_TEST(std::isnan(deblur.at("psnr_rgb").y[2]), "a gap in the curve");
  BOOST_TEST(deblur.at("identity_psnr_rgb").y[0] == 24.9);
  BOOST_TEST(!deblur.contains("failures"));
  const auto plots = limpid::task_plots(log, "deblur");
  BOOST_REQUIRE(plots.size() == 1u);
  BOOST_TEST(plots[0].series.size() == 2u);
}

BOOST_AUTO_TEST_CASE(a_line_of_deep_brackets_is_a_broken_one) {
  write(kTrain10 + R"({"kind":"train","step":)" + std::string(200000, '[') + "\n");
  BOOST_TEST(read_training_log(path).broken_lines == 1);
}

BOOST_AUTO_TEST_CASE(a_last_line_cut_anywhere_costs_only_itself) {
  for (std::size_t length = 1; length + 1 < kTrain20.size(); length += 7) {
    write(kTrain10 + kTrain20.substr(0, length));
    const auto log = read_training_log(path);
    BOOST_TEST(log.steps == 10);
    BOOST_TEST(log.broken_lines == 1);
    BOOST_TEST(log.losses.at("deblur").at("content").x.size() == 1u);
  }
}

BOOST_AUTO_TEST_CASE(steps_done_again_after_a_resume_replace_the_first_ones) {
  write(kTrain10 + kTrain20 + kTrain20.substr(0, 30) + "\n" + kTrain20);
  const auto log = read_training_log(path);
  BOOST_TEST(log.broken_lines == 1);
  const auto& content = log.losses.at("deblur").at("content");
  BOOST_TEST(content.x == (std::vector<double>{10, 20}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(lines_of_other_kinds_and_shapes_are_passed_over) {
  write(
      "{\"kind\":\"checkpoint\",\"step\":5}\n\n[1]\n{\"kind\":3}\n{\"kind\":\"train\"}\n"
      "{\"kind\":\"train\",\"step\":7,\"losses\":[1,2]}\n"
      "{\"kind\":\"train\",\"step\":8,\"losses\":{\"deblur\":4}}\n" +
      kTrain10);
  const auto log = read_training_log(path);
  BOOST_TEST(log.broken_lines == 1);
  BOOST_TEST(log.steps == 10);
  BOOST_TEST(log.losses.at("deblur").at("content").x.size() == 1u);
}

BOOST_AUTO_TEST_CASE(a_missing_file_is_an_error_that_names_it) {
  BOOST_CHECK_EXCEPTION(read_training_log(path), c10::Error, [&](const c10::Error& error) {
    return error.what_without_backtrace() ==
           "cannot read '" + path.string() + "': No such file or directory";
  });
  BOOST_CHECK_THROW(read_training_log(fs::temp_directory_path()), c10::Error);
}

BOOST_AUTO_TEST_CASE(plots_of_a_task_show_validation_first) {
  write(kTrain10 + kTrain20 + kValidation);
  const auto log = read_training_log(path);
  const auto deblur = limpid::task_plots(log, "deblur");
  BOOST_REQUIRE(deblur.size() == 3u);
  BOOST_TEST(deblur[0].y_label == "dB");
  BOOST_TEST(deblur[0].series.size() == 2u);
  BOOST_TEST(deblur[1].series.size() == 2u);
  BOOST_TEST(deblur[2].series.size() == 2u);
  const auto derain = limpid::task_plots(log, "derain");
  BOOST_REQUIRE(derain.size() == 1u);
  BOOST_TEST(derain[0].series.size() == 1u, "without a critic the total is the content loss");
  BOOST_TEST(limpid::task_plots(log, "unknown").empty());
  BOOST_TEST(limpid::run_plots(log).size() == 2u);
}

BOOST_AUTO_TEST_SUITE_END()
}  // namespace
