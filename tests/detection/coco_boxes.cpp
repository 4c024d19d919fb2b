#include <limpid/detection/coco_boxes.hpp>
#include <support/images.hpp>

#include <boost/test/unit_test.hpp>

#include <string>
#include <vector>

namespace {

using namespace limpid;
using limpid_test::TemporaryFolder, limpid_test::write_bytes;
using nlohmann::json;

auto says(std::string text) {
  return [text](const c10::Error& error) {
    const std::string found = error.what_without_backtrace();
    BOOST_TEST_MESSAGE(found);
    return found.find(text) != std::string::npos;
  };
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

BOOST_AUTO_TEST_SUITE(coco_boxes)

BOOST_AUTO_TEST_CASE(boxes_in_coco_form_are_read) {
  TemporaryFolder folder;
  write_bytes(folder / "boxes.json", coco().dump());
  const CocoBoxes boxes{folder / "boxes.json"};
  for (const auto* name : {"val/a.jpg", "a", "a.png"}) {
    const auto& picture = boxes.of(name);
    BOOST_REQUIRE(picture.boxes.size() == 2u);
    BOOST_TEST(!picture.boxes[0].crowd);
    BOOST_TEST(picture.boxes[1].crowd);
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
  BOOST_CHECK_EXCEPTION(CocoBoxes{folder / "none"}, c10::Error, says("cannot read boxes"));
  check("not json", "expected JSON, found 'ot json' at byte 1");
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

BOOST_AUTO_TEST_CASE(a_crowd_is_what_pycocotools_takes_for_one) {
  TemporaryFolder folder;
  const auto file = folder / "boxes.json";
  const auto crowds = [&](const json& value) {
    auto boxes = coco();
    boxes["annotations"][0]["iscrowd"] = value;
    write_bytes(file, boxes.dump());
    return CocoBoxes{file}.crowds() - 1;
  };
  BOOST_TEST(crowds(false) == 0);
  BOOST_TEST(crowds(0) == 0);
  BOOST_TEST(crowds(0.0) == 0);
  BOOST_TEST(crowds(true) == 1);
  BOOST_TEST(crowds(1) == 1);
  for (const auto& value : {json{"no"}, json{2}, json{nullptr}, json::array()}) {
    BOOST_CHECK_EXCEPTION(crowds(value), c10::Error,
                          says("expected iscrowd 0, 1, false or true, found "));
  }
  auto boxes = coco();
  boxes["annotations"][0]["difficult"] = true;
  write_bytes(file, boxes.dump());
  BOOST_TEST(CocoBoxes{file}.of("a").boxes[0].difficult, "as converters of VOC's boxes write it");
}

BOOST_AUTO_TEST_CASE(deep_and_long_entries_cost_no_stack_and_no_page) {
  TemporaryFolder folder;
  const auto file = folder / "boxes.json";
  write_bytes(file, "{\"images\": " + std::string(200000, '['));
  BOOST_CHECK_EXCEPTION(CocoBoxes{file}, c10::Error,
                        says("expected JSON of at most 64 nested brackets, found more"));
  auto boxes = coco();
  boxes["annotations"][0]["bbox"] = std::vector<int>(100000, 7);
  write_bytes(file, boxes.dump());
  BOOST_CHECK_EXCEPTION(CocoBoxes{file}, c10::Error, [](const c10::Error& error) {
    return std::string{error.what_without_backtrace()}.size() < 300;
  });
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
