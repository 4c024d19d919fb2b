#include <limpid/report/report_strip.hpp>
#include <limpid/report/training_facts.hpp>

#include <torch/torch.h>
#include <boost/test/unit_test.hpp>

#include <cmath>
#include <cstdint>
#include <string>

namespace {

using namespace limpid;

Image grey(double value, std::int64_t height = 90, std::int64_t width = 100) {
  return Image::from_unit(torch::full({3, height, width}, value));
}

BOOST_AUTO_TEST_SUITE(report_strip)

BOOST_AUTO_TEST_CASE(a_row_for_each_task_that_has_pictures) {
  ReportTask deblur, empty, derain;
  deblur.pictures.push_back({"a", grey(0.2), grey(0.4), grey(1.0)});
  derain.pictures.push_back({"b", grey(0.1, 700, 30), grey(0.2, 700, 30), grey(0.3, 700, 30)});
  const auto strip = limpid::report_strip({deblur, empty, derain}, {.width = 30, .height = 20});
  BOOST_TEST(strip.width() == 3 * 30 + 2 * 6);
  BOOST_TEST(strip.height() == 2 * 20 + 6);
  const auto red = strip.unit()[0][0];
  BOOST_TEST(std::abs(red[10][15].item<double>() - 0.2) < 0.01);
  BOOST_TEST(std::abs(red[10][50].item<double>() - 0.4) < 0.01);
  BOOST_TEST(std::abs(red[40][90].item<double>() - 0.3) < 0.01);
}

BOOST_AUTO_TEST_CASE(shows_the_picture_of_median_gain) {
  ReportTask task;
  for (const auto restored : {0.9, 0.3, 0.6}) {
    task.pictures.push_back({"p", grey(0.1), grey(restored), grey(1.0)});
  }
  const auto strip = limpid::report_strip({task}, {.width = 30, .height = 20});
  BOOST_TEST(std::abs(strip.unit()[0][0][10][50].item<double>() - 0.6) < 0.01);
}

BOOST_AUTO_TEST_CASE(exact_pictures_have_no_part_in_the_median) {
  // inf - inf is no number, and an order of such is none.
  for (const auto* order : {"nnxyz", "xnynz", "zyxnn", "nzinx"}) {
    ReportTask task;
    for (const char kind : std::string{order}) {
      const bool is_same = kind == 'n' || kind == 'i';
      const auto restored = is_same ? 1.0 : kind == 'x' ? 0.3 : kind == 'y' ? 0.6 : 0.9;
      task.pictures.push_back({"p", grey(kind == 'n' ? 1.0 : 0.1), grey(restored), grey(1.0)});
    }
    const auto& median = limpid::detail::median_picture(task);
    const auto level = median.restored.unit().mean().item<double>();
    BOOST_TEST(std::abs(level - (std::string{order} == "nzinx" ? 0.9 : 0.6)) < 0.01, order);
  }
  ReportTask exact;
  for (int i = 0; i < 3; ++i) exact.pictures.push_back({"p", grey(1), grey(1), grey(1)});
  BOOST_TEST(&limpid::detail::median_picture(exact) == &exact.pictures[1]);
}

BOOST_AUTO_TEST_CASE(without_pictures_there_is_no_strip) {
  BOOST_CHECK_EXCEPTION(limpid::report_strip({ReportTask{}}), c10::ValueError, [](const auto& e) {
    return std::string{e.what_without_backtrace()} ==
           "report_strip: expected a task with pictures, got none";
  });
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(training_facts)

BOOST_AUTO_TEST_CASE(say_what_the_manifest_says_and_no_more) {
  const auto facts = limpid::training_facts(
      {{"recipe", "quickstart"}, {"step", 40}, {"seconds", 95.2}, {"facts", {{"threads", 2}}}});
  BOOST_REQUIRE_EQUAL(facts.size(), 3u);
  BOOST_TEST(facts[0].value == "quickstart");
  BOOST_TEST(facts[1].value == "40");
  BOOST_TEST(facts[2].value == "1:35 with 2 threads");
  BOOST_TEST(limpid::training_facts(nlohmann::json::object()).empty());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
