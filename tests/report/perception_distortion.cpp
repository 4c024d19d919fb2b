#include <limpid/report/named_marks.hpp>
#include <limpid/report/perception_distortion.hpp>
#include <limpid/report/plane_figure.hpp>
#include <limpid/report/plane_page.hpp>
#include <limpid/report/plane_scores.hpp>
#include <support/images.hpp>

#include <boost/test/unit_test.hpp>

#include <cmath>
#include <string>
#include <vector>

namespace {

using namespace limpid;
using limpid_test::TemporaryFolder;
using nlohmann::json;

const auto kClose = boost::test_tools::tolerance(1e-9);

std::size_t count(const std::string& text, const std::string& part) {
  std::size_t found = 0;
  for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++found;
  return found;
}

bool has(const std::string& text, const std::string& part) { return count(text, part) > 0; }

auto says(std::string text) {
  return [text](const c10::Error& error) {
    const std::string found = error.what_without_backtrace();
    BOOST_TEST_MESSAGE(found);
    return has(found, text);
  };
}

/// Two pictures of one task, as limpid-evaluate writes them.
json scores(double niqe, const std::string& task = "deblur", double input_psnr = 20) {
  const auto image = [&](const std::string& name, double change) {
    return json{{"name", name},
                {"identity", {{"psnr_rgb", input_psnr}, {"niqe", 9.0}}},
                {"restored", {{"psnr_rgb", 30.0 + change}, {"niqe", niqe + change}}},
                {"target", {{"niqe", 3.0 + change}}}};
  };
  const auto protocol = [](const char* text, bool higher) {
    return json{{"protocol", text}, {"higher_is_better", higher}};
  };
  return {
      {"tasks", {{task, {{"images", {image("a", 1), image("b", -1)}}}}}},
      {"protocols", {{"psnr_rgb", protocol("dB", true)}, {"niqe", protocol("model m", false)}}}};
}

PerceptionDistortion two_models() {
  PerceptionDistortion plane;
  add_scores(plane, "small", scores(5), "a.json");
  add_scores(plane, "<large>", scores(4), "b.json");
  return plane;
}

BOOST_AUTO_TEST_SUITE(perception_distortion)

BOOST_AUTO_TEST_CASE(points_are_means_over_pictures) {
  const auto plane = two_models();
  BOOST_REQUIRE(plane.restored.size() == 2u);
  const auto& point = plane.restored[0];
  const auto rmse = 255 * (std::pow(10, -31.0 / 20) + std::pow(10, -29.0 / 20)) / 2;
  BOOST_TEST(point.distortion == rmse, kClose);
  BOOST_TEST(point.perception == 5.0, kClose);
  BOOST_TEST(point.count == 2u);
  BOOST_REQUIRE(plane.degraded.size() == 1u);
  BOOST_TEST(plane.degraded[0].distortion == 25.5, kClose);
  BOOST_TEST(plane.degraded[0].perception == 9.0, kClose);
  BOOST_REQUIRE(plane.sharp.size() == 1u);
  BOOST_TEST(plane.sharp[0].perception == 3.0, kClose);
}

BOOST_AUTO_TEST_CASE(an_identical_picture_has_no_error) {
  BOOST_TEST(rmse_of_psnr(INFINITY) == 0.0);
  BOOST_TEST(rmse_of_psnr(0) == 255.0);
  auto json = scores(5);
  json["tasks"]["deblur"]["images"][0]["restored"]["psnr_rgb"] = "inf";
  json["tasks"]["deblur"]["images"][1]["restored"]["psnr_rgb"] = 20;
  PerceptionDistortion plane;
  add_scores(plane, "m", json, "a.json");
  BOOST_TEST(plane.restored[0].distortion == 25.5 / 2, kClose);
}

BOOST_AUTO_TEST_CASE(a_model_better_at_both_dominates) {
  PerceptionDistortion plane;
  plane.restored = {{"a", "deblur", 10, 5, 1},
                    {"b", "deblur", 9, 4, 1},
                    {"c", "deblur", 8, 6, 1},
                    {"d", "dehaze", 1, 1, 1}};
  BOOST_TEST(plane.dominating(plane.restored[0]) == "b");
  BOOST_TEST(plane.dominating(plane.restored[1]) == "");
  BOOST_TEST(plane.dominating(plane.restored[2]) == "");
  plane.distortion = {"psnr_rgb", "PSNR RGB", "dB", "", true};
  BOOST_TEST(plane.dominating(plane.restored[0]) == "");
  BOOST_TEST(plane.dominating(plane.restored[2]) == "a");
}

BOOST_AUTO_TEST_CASE(other_pictures_give_a_warning) {
  auto plane = two_models();
  const auto warnings = add_scores(plane, "third", scores(4, "deblur", 21), "c.json");
  BOOST_REQUIRE(warnings.size() == 1u);
  BOOST_TEST(warnings[0] ==
             "deblur: third and small were measured on other pictures; their points cannot be "
             "compared");
  BOOST_TEST(plane.degraded.size() == 1u);
}

BOOST_AUTO_TEST_CASE(all_points_of_a_task_are_means_over_the_same_pictures) {
  auto json = scores(5);
  json["tasks"]["deblur"]["images"][0]["restored"]["niqe"] = "none";
  auto old = scores(4);
  old["tasks"]["deblur"]["images"][0]["identity"]["psnr_rgb"] = 20;
  PerceptionDistortion plane;
  add_scores(plane, "large", old, "b.json");
  BOOST_TEST(plane.restored[0].count == 2u);
  BOOST_TEST(limpid::left_out_lines(plane).empty());
  add_scores(plane, "m", json, "a.json");
  for (const auto& point : plane.restored) {
    BOOST_TEST(point.count == 1u, point.model);
    BOOST_TEST(point.distortion == 255 * std::pow(10, -29.0 / 20), kClose);
  }
  BOOST_TEST(plane.restored[0].perception == 3.0, kClose);
  BOOST_TEST(plane.restored[1].perception == 4.0, kClose);
  BOOST_TEST(plane.degraded[0].count == 1u);
  BOOST_TEST(plane.sharp[0].perception == 2.0, kClose);
  const auto lines = limpid::left_out_lines(plane);
  BOOST_REQUIRE(lines.size() == 1u);
  BOOST_TEST(lines[0] ==
             "deblur: 1 of 2 pictures left out of all means, without a finite score: 'a' (m)");
}

BOOST_AUTO_TEST_CASE(files_of_older_versions_call_a_missing_score_nan) {
  auto json = scores(5);
  for (auto& image : json["tasks"]["deblur"]["images"]) image["restored"]["niqe"] = "nan";
  PerceptionDistortion plane;
  add_scores(plane, "m", json, "a.json");
  BOOST_TEST(plane.restored[0].count == 0u);
  BOOST_TEST(std::isnan(plane.restored[0].perception));
  BOOST_TEST(has(text_table(plane), "none"));
  BOOST_TEST(to_json(plane)["tasks"]["deblur"]["restored"]["m"]["perception"] == "none");
  BOOST_TEST(!has(plane_page_html({.plane = plane}), ">nan"));
}

BOOST_AUTO_TEST_CASE(an_exact_picture_has_a_place_by_its_rmse_but_none_by_its_psnr) {
  auto json = scores(5);
  json["tasks"]["deblur"]["images"][0]["restored"]["psnr_rgb"] = "inf";
  PerceptionDistortion plane;
  plane.distortion = {"psnr_rgb", "PSNR RGB", "dB", "", true};
  add_scores(plane, "m", json, "a.json");
  BOOST_TEST(plane.restored[0].count == 1u);
  BOOST_TEST(plane.restored[0].distortion == 29.0, kClose);
  BOOST_TEST(plane.restored[0].perception == 4.0, kClose);
}

BOOST_AUTO_TEST_CASE(takes_a_comparison_with_the_name_of_its_task) {
  const json compared{{"compared", json::object()},
                      {"images", {{{"name", "a"}, {"psnr_rgb", 20}, {"niqe", 4}}}}};
  auto plane = two_models();
  add_scores(plane, "other", compared, "o.json", "deblur");
  BOOST_TEST(plane.restored.back().distortion == 25.5, kClose);
  const auto lines = limpid::left_out_lines(plane);
  BOOST_REQUIRE(lines.size() == 1u);
  BOOST_TEST(lines[0] ==
             "deblur: other has 1 pictures, small has 2; their points cannot be compared");
  BOOST_CHECK_EXCEPTION(add_scores(plane, "x", compared, "o.json"), c10::Error,
                        says("o.json: it compares two folders; expected the name of its task"));
}

BOOST_AUTO_TEST_CASE(scores_that_are_not_there_are_named) {
  PerceptionDistortion plane;
  auto json = scores(5);
  BOOST_CHECK_EXCEPTION(add_scores(plane, "m", json, "a.json", "derain"), c10::Error,
                        says("a.json: it has no task 'derain'"));
  json["tasks"]["deblur"]["images"][1]["restored"].erase("niqe");
  BOOST_CHECK_EXCEPTION(add_scores(plane, "m", json, "a.json"), c10::Error,
                        says("a.json: task 'deblur': expected 'niqe', found none"));
  json["tasks"]["deblur"]["images"][1]["restored"]["niqe"] = "good";
  BOOST_CHECK_EXCEPTION(add_scores(plane, "m", json, "a.json"), c10::Error,
                        says("a.json: task 'deblur': niqe: expected a number, found \"good\""));
  json["tasks"]["deblur"]["images"] = json::array();
  BOOST_CHECK_EXCEPTION(add_scores(plane, "m", json, "a.json"), c10::Error,
                        says("expected the scores of pictures, found none"));
  BOOST_CHECK_EXCEPTION(add_scores(plane, "m", scores(5, "../x"), "a.json"), c10::Error,
                        says("task '../x': expected a name of lower-case letters"));
  BOOST_CHECK_EXCEPTION(axis_of_scores("lpips", scores(5), "a.json"), c10::Error,
                        says("a.json: protocols: expected 'lpips', found none"));
  plane = two_models();
  BOOST_CHECK_EXCEPTION(add_scores(plane, "small", scores(5), "a.json"), c10::ValueError,
                        says("two points of 'small' for task 'deblur'"));
}

BOOST_AUTO_TEST_CASE(axes_come_from_the_files) {
  const auto niqe = axis_of_scores("niqe", scores(5), "a.json");
  BOOST_TEST(niqe.label == "NIQE");
  BOOST_TEST(niqe.protocol == "model m");
  BOOST_TEST(!niqe.higher_is_better);
  const auto psnr = axis_of_scores("psnr_rgb", scores(5), "a.json");
  BOOST_TEST(psnr.label == "PSNR RGB");
  BOOST_TEST(psnr.unit == "dB");
  BOOST_TEST(psnr.higher_is_better);
}

BOOST_AUTO_TEST_CASE(a_figure_has_each_point_a_line_and_the_directions) {
  const auto plane = two_models();
  const auto svg = plane_svg(plane);
  for (const auto* text :
       {"<svg xmlns=", "&lt;large&gt;</text>", "degraded</text>", "true pictures</text>",
        "\xe2\x86\x90 better: RMSE", "\xe2\x86\x90 better: NIQE", "prefers-color-scheme"}) {
    BOOST_TEST(has(svg, text), text);
  }
  BOOST_TEST(count(svg, "<path class=\"end") == 2u);
  BOOST_TEST(count(svg, "<path class=\"input\"") == 1u);
  BOOST_TEST(count(svg, "<path class=\"sharp\"") == 1u);
  BOOST_TEST(!has(svg, "<large>"));
}

BOOST_AUTO_TEST_CASE(several_tasks_have_a_legend) {
  auto plane = two_models();
  add_scores(plane, "small", scores(6, "dehaze"), "c.json");
  const auto html = limpid::detail::plane_html(plane, "All tasks", plane.models());
  for (const auto* text :
       {"<ul class=\"legend\">", "&lt;large&gt;</li>", "dehaze, degraded</li>"}) {
    BOOST_TEST(has(html, text), text);
  }
  BOOST_TEST(!has(plane_svg(plane.of_task("dehaze")), "deblur"));
}

BOOST_AUTO_TEST_CASE(a_model_has_one_colour_in_all_figures) {
  auto plane = two_models();
  add_scores(plane, "<large>", scores(6, "dehaze"), "c.json");
  const auto alone = plane_svg(plane.of_task("dehaze"), plane.models());
  BOOST_TEST(has(alone, "<path class=\"end1\""));
  BOOST_TEST(!has(alone, "<path class=\"end0\""));
}

BOOST_AUTO_TEST_CASE(points_without_a_place_are_not_drawn) {
  PerceptionDistortion plane;
  plane.distortion = {"psnr_rgb", "PSNR RGB", "dB", "", true};
  plane.restored = {{"copy", "deblur", INFINITY, 3, 1}, {"m", "deblur", 30, NAN, 1}};
  const auto svg = plane_svg(plane);
  BOOST_TEST(!has(svg, "<path class=\"end"));
  BOOST_TEST(count(svg, "NIQE none") == 1u);  // in words, for who does not see it
  BOOST_TEST(has(text_table(plane), "inf"));
}

BOOST_AUTO_TEST_CASE(names_keep_off_each_other) {
  limpid::detail::NamePlacer names{0, 400, 0, 300};
  const auto first = names.place("one", 100, 100, "name");
  const auto second = names.place("two", 101, 100, "name");
  BOOST_TEST(has(first, "x=\"109.0\" y=\"104.0\""));
  BOOST_TEST(!has(second, "x=\"110.0\" y=\"104.0\""));
  BOOST_TEST(
      has(names.place("edge", 399, 200, "name"), "x=\"390.0\" y=\"204.0\" text-anchor=\"end\""));
  BOOST_TEST(limpid::detail::shortened("\xc3\xa4\xc3\xb6\xc3\xbc", 2) ==
             "\xc3\xa4\xc3\xb6\xe2\x80\xa6");
}

BOOST_AUTO_TEST_CASE(a_name_keeps_off_the_line_of_the_true_pictures) {
  PerceptionDistortion plane;
  plane.restored = {{"m", "deblur", 9, 3, 1}, {"n", "deblur", 12, 5, 1}};
  plane.sharp = {{"deblur", 3}};
  const auto svg = plane_svg(plane);
  BOOST_TEST(has(svg, "text-anchor=\"middle\">m</text>"));
  BOOST_TEST(!has(svg, "text-anchor=\"middle\">n</text>"));
}

BOOST_AUTO_TEST_CASE(a_page_its_figures_and_its_numbers_are_written) {
  TemporaryFolder folder;
  PlanePage page;
  page.title = "Two & more";
  page.warnings = {"a warning"};
  page.plane = two_models();
  add_scores(page.plane, "small", scores(6, "dehaze"), "c.json");
  write_plane(folder / "out", page);
  const auto html = limpid_test::read_bytes(folder / "out/index.html");
  for (const auto* text : {"Two &amp; more", "a warning", "All tasks", "&lt;large&gt;",
                           "How the axes are computed", "2 pictures"}) {
    BOOST_TEST(has(html, text), text);
  }
  BOOST_TEST(count(html, "<figure") == 3u);
  for (const auto* name : {"plane.svg", "plane-deblur.svg", "plane-dehaze.svg"}) {
    BOOST_TEST(std::filesystem::exists(folder / "out" / name), name);
  }
  const auto json = json::parse(limpid_test::read_bytes(folder / "out/plane.json"));
  const auto& deblur = json.at("tasks").at("deblur");
  BOOST_TEST(deblur.at("sharp").at("perception").get<double>() == 3.0, kClose);
  BOOST_TEST(deblur.at("restored").at("<large>").at("perception").get<double>() == 4.0, kClose);
  BOOST_TEST(deblur.at("restored").at("small").at("dominated_by").is_null());
  BOOST_TEST(json.at("axes").at("distortion").at("name") == "rmse");
  page.plane.restored.clear();
  BOOST_CHECK_EXCEPTION(write_plane(folder / "none", page), c10::ValueError,
                        says("expected at least one point, got none"));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
