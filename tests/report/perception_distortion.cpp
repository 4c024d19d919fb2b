#include <limpid/detection/coco_boxes.hpp>
#include <limpid/detection/detection_scores.hpp>
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
using limpid_test::TemporaryFolder, limpid_test::write_bytes;
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

BOOST_AUTO_TEST_CASE(undefined_scores_are_left_out_and_said) {
  auto json = scores(5);
  json["tasks"]["deblur"]["images"][0]["restored"]["niqe"] = "nan";
  PerceptionDistortion plane;
  const auto warnings = add_scores(plane, "m", json, "a.json");
  BOOST_TEST(plane.restored[0].perception == 4.0, kClose);
  BOOST_REQUIRE(warnings.size() == 1u);
  BOOST_TEST(warnings[0] == "deblur, m: 1 scores of 2 pictures are undefined and left out");
}

BOOST_AUTO_TEST_CASE(takes_a_comparison_with_the_name_of_its_task) {
  const json compared{{"compared", json::object()},
                      {"images", {{{"name", "a"}, {"psnr_rgb", 20}, {"niqe", 4}}}}};
  auto plane = two_models();
  const auto warnings = add_scores(plane, "other", compared, "o.json", "deblur");
  BOOST_TEST(plane.restored.back().distortion == 25.5, kClose);
  BOOST_REQUIRE(warnings.size() == 1u);
  BOOST_TEST(warnings[0] ==
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
  BOOST_TEST(count(svg, "nan") == 1u);  // in words, for who does not see it
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

BOOST_AUTO_TEST_SUITE(detection)

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
  BOOST_TEST(to_json({evaluation})["tasks"]["deblur"]["sharp"]["ap50"] == "nan");
  BOOST_TEST(has(text_table({evaluation}), "none"));
}

json coco() {
  return {{"images",
           {{{"id", 7}, {"file_name", "val/a.jpg"}, {"width", 64}, {"height", 48}},
            {{"id", 8}, {"file_name", "b.png"}}}},
          {"annotations",
           {{{"image_id", 7}, {"category_id", 18}, {"bbox", {1, 2, 10, 20}}},
            {{"image_id", 7}, {"category_id", 3}, {"bbox", {0, 0, 5, 5}}, {"iscrowd", 1}}}},
          {"categories", {{{"id", 18}, {"name", "dog"}}, {{"id", 3}, {"name", "car"}}}}};
}

BOOST_AUTO_TEST_CASE(boxes_in_coco_form_are_read) {
  TemporaryFolder folder;
  write_bytes(folder / "boxes.json", coco().dump());
  const CocoBoxes boxes{folder / "boxes.json"};
  for (const auto* name : {"val/a.jpg", "a", "a.png"}) {
    const auto& picture = boxes.of(name);
    BOOST_REQUIRE(picture.boxes.size() == 1u);
    BOOST_TEST(picture.width == 64);
    BOOST_TEST(picture.boxes[0].label == 18);
    BOOST_TEST(picture.boxes[0].box.x2 == 11.0);
    BOOST_TEST(picture.boxes[0].box.y2 == 22.0);
  }
  BOOST_TEST(boxes.of("b").boxes.empty());
  BOOST_TEST(boxes.categories().at(18) == "dog");
  BOOST_TEST(boxes.crowds() == 1);
  BOOST_CHECK_EXCEPTION(
      boxes.of("c"), c10::Error,
      says("boxes '" + (folder / "boxes.json").string() + "': it has no picture called 'c'"));
}

BOOST_AUTO_TEST_CASE(boxes_that_cannot_be_read_are_named) {
  TemporaryFolder folder;
  const auto file = folder / "boxes.json";
  const auto check = [&](const std::string& text, const std::string& error) {
    write_bytes(file, text);
    BOOST_CHECK_EXCEPTION(CocoBoxes{file}, c10::Error,
                          says("boxes '" + file.string() + "': " + error));
  };
  BOOST_CHECK_EXCEPTION(CocoBoxes{folder / "none"}, c10::Error, says("cannot be read"));
  check("not json", "expected JSON, found something else");
  check("{}", "expected COCO's images, annotations and categories (");
  check("[]", "expected COCO's images, annotations and categories (");
  auto json = coco();
  json["annotations"][0]["bbox"] = {1, 2, -3, 4};
  check(json.dump(), "expected bbox as [x, y, width, height], found [1,2,-3,4]");
  json = coco();
  json["annotations"][0]["image_id"] = 9;
  check(json.dump(), "an annotation is of image 9, which it does not have");
  json = coco();
  json["images"][1]["id"] = 7;
  check(json.dump(), "two images have id 7");
  json = coco();
  json["images"][1]["file_name"] = "train/a.png";
  write_bytes(file, json.dump());
  BOOST_CHECK_EXCEPTION(CocoBoxes{file}.of("a"), c10::Error,
                        says("'a' is one of 'val/a.jpg' and 'train/a.png'"));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
