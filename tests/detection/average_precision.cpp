#include <limpid/detection/average_precision.hpp>

#include <boost/test/unit_test.hpp>

#include <cmath>
#include <cstdint>
#include <limits>
#include <string_view>
#include <vector>

namespace {

using namespace limpid;
namespace tt = boost::test_tools;

const auto kExact = tt::tolerance(1e-12);

constexpr AveragePrecisionOptions kVoc{.curve = PrecisionCurve::voc};

/// A square of 10 pixels, `i` squares to the right.
Box square(int i) { return {20.0 * i, 0, 20.0 * i + 10, 10}; }

/// Square `i`, shifted so that it shares (10 - by) of its 10 columns.
Box shifted(int i, double by) { return {20.0 * i + by, 0, 20.0 * i + 10 + by, 10}; }

BOOST_AUTO_TEST_SUITE(average_precision_of_boxes)

BOOST_AUTO_TEST_CASE(overlap_is_shared_area_over_both) {
  const Box a{0, 0, 10, 10};
  BOOST_TEST(intersection_over_union(a, a) == 1.0, kExact);
  BOOST_TEST(intersection_over_union(a, {5, 0, 15, 10}) == 1.0 / 3, kExact);
  BOOST_TEST(intersection_over_union(a, {5, 5, 15, 15}) == 25.0 / 175, kExact);
  BOOST_TEST(intersection_over_union(a, {2, 2, 4, 4}) == 0.04, kExact);
  BOOST_TEST(intersection_over_union(a, {10, 0, 20, 10}) == 0.0);
  BOOST_TEST(intersection_over_union(a, {30, 30, 40, 40}) == 0.0);
  BOOST_TEST(intersection_over_union({5, 5, 5, 5}, {5, 5, 5, 5}) == 0.0);
  BOOST_TEST(intersection_over_union(a, {8, 8, 2, 2}) == 0.0);
}

BOOST_AUTO_TEST_CASE(a_perfect_detector_scores_one) {
  const std::vector<DetectionPicture> pictures{
      {{{square(0), 1, 0.9}, {square(1), 2, 0.8}}, {{square(0), 1}, {square(1), 2}}},
      {{{square(3), 1, 0.1}}, {{square(3), 1}}}};
  BOOST_TEST(average_precision(pictures) == 1.0, kExact);
  BOOST_TEST(average_precision(pictures, kVoc) == 1.0, kExact);
  BOOST_TEST(average_precision(pictures, {.iou = 1}) == 1.0, kExact);
  BOOST_TEST(average_precision_50_95(pictures) == 1.0, kExact);
}

// Three truths, finds by score: hit, miss, hit, miss. Recall 1/3 at precision 1, 2/3 at 2/3.
// COCO: the recalls 0 ... 0.33 (34 of them) read 1, 0.34 ... 0.66 (33) read 2/3, the rest 0.
BOOST_AUTO_TEST_CASE(precision_over_recall_by_hand) {
  const std::vector<DetectionPicture> pictures{
      {{{square(9), 1, 0.1}, {square(1), 1, 0.5}, {square(0), 1, 0.9}},
       {{square(0), 1}, {square(1), 1}}},
      {{{square(8), 1, 0.7}}, {{square(2), 1}}}};
  BOOST_TEST(average_precision(pictures) == (34 + 33 * 2.0 / 3) / 101, kExact);
  BOOST_TEST(average_precision(pictures, kVoc) == 1.0 / 3 + 1.0 / 3 * 2 / 3, kExact);
}

// Finds by score: miss, hit, hit. Precision 0, 1/2, 2/3; made to fall with recall: 2/3 everywhere.
BOOST_AUTO_TEST_CASE(precision_is_the_best_at_that_recall_or_beyond) {
  const std::vector<DetectionPicture> pictures{
      {{{square(9), 1, 0.9}, {square(0), 1, 0.8}, {square(1), 1, 0.7}},
       {{square(0), 1}, {square(1), 1}}}};
  BOOST_TEST(average_precision(pictures) == 2.0 / 3, kExact);
  BOOST_TEST(average_precision(pictures, kVoc) == 2.0 / 3, kExact);
}

// By score: hit, its duplicate (a miss), hit: precision 1, 1/2, 2/3 at recall 1/2, 1/2, 1.
BOOST_AUTO_TEST_CASE(a_second_find_of_one_truth_is_false) {
  const std::vector<DetectionPicture> pictures{
      {{{square(0), 1, 0.9}, {shifted(0, 1), 1, 0.8}, {square(1), 1, 0.7}},
       {{square(0), 1}, {square(1), 1}}}};
  BOOST_TEST(average_precision(pictures) == (51 + 50 * 2.0 / 3) / 101, kExact);
  BOOST_TEST(average_precision(pictures, kVoc) == 0.5 + 0.5 * 2 / 3, kExact);
}

BOOST_AUTO_TEST_CASE(a_find_takes_the_free_truth_that_it_overlaps_most) {
  const Box left{0, 0, 10, 10}, right{4, 0, 14, 10};  // the finds overlap both by more than 0.3
  const std::vector<DetectionPicture> pictures{
      {{{{3, 0, 13, 10}, 1, 0.9}, {{1, 0, 11, 10}, 1, 0.8}}, {{left, 1}, {right, 1}}}};
  BOOST_TEST(average_precision(pictures, {.iou = 0.3}) == 1.0, kExact);
}

// Overlaps of (10 - s) / (10 + s): 1 -> 9/11 = 0.818, 2 -> 8/12 = 0.667, 3 -> 7/13 = 0.538.
BOOST_AUTO_TEST_CASE(stricter_overlaps_lose_looser_boxes) {
  const auto one = [](double by) {
    return std::vector<DetectionPicture>{{{{shifted(0, by), 1, 0.9}}, {{square(0), 1}}}};
  };
  BOOST_TEST(average_precision(one(3)) == 1.0, kExact);
  BOOST_TEST(average_precision_50_95(one(3)) == 0.1, kExact);
  BOOST_TEST(average_precision_50_95(one(2)) == 0.4, kExact);
  BOOST_TEST(average_precision_50_95(one(1)) == 0.7, kExact);
  BOOST_TEST(average_precision(one(4)) == 0.0);
  const std::vector<DetectionPicture> just{{{{{0, 0, 10, 5}, 1, 0.9}}, {{square(0), 1}}}};
  BOOST_TEST(average_precision(just) == 1.0, "an overlap of exactly 0.5 is enough");
}

BOOST_AUTO_TEST_CASE(classes_are_scored_apart_and_averaged) {
  const std::vector<DetectionPicture> pictures{
      {{{square(0), 1, 0.9}, {square(1), 1, 0.8}, {square(2), 7, 0.9}},
       {{square(0), 1}, {square(1), 2}}}};
  const auto classes = class_average_precision(pictures);
  BOOST_REQUIRE(classes.size() == 2u);  // no truth of class 7
  BOOST_TEST(classes.at(1) == 1.0, kExact);
  BOOST_TEST(classes.at(2) == 0.0);
  BOOST_TEST(average_precision(pictures) == 0.5, kExact);
}

BOOST_AUTO_TEST_CASE(nothing_found_scores_zero_and_no_truth_is_no_number) {
  BOOST_TEST(average_precision({{{}, {{square(0), 1}}}}) == 0.0);
  BOOST_TEST(average_precision({{{}, {{square(0), 1}}}}, kVoc) == 0.0);
  BOOST_TEST(std::isnan(average_precision({{{{square(0), 1, 0.9}}, {}}})));
  BOOST_TEST(std::isnan(average_precision_50_95({})));
}

// A picture without truths has no class of its own, but its finds are false ones of the others'.
BOOST_AUTO_TEST_CASE(finds_in_a_picture_without_truths_are_false) {
  const DetectionPicture empty{{{square(0), 1, 0.95}}, {}};
  const DetectionPicture good{{{square(0), 1, 0.9}}, {{square(0), 1}}};
  BOOST_TEST(average_precision({empty, good}) == 0.5, kExact);
}

// Equal scores keep their order: within a picture, and over pictures.
BOOST_AUTO_TEST_CASE(ties_keep_their_order) {
  const Detection hit{square(0), 1, 0.5}, miss{square(5), 1, 0.5};
  const LabelledBox truth{square(0), 1};
  BOOST_TEST(average_precision({{{hit, miss}, {truth}}}) == 1.0, kExact);
  BOOST_TEST(average_precision({{{miss, hit}, {truth}}}) == 0.5, kExact);
  BOOST_TEST(average_precision({{{miss}, {}}, {{hit}, {truth}}}) == 0.5, kExact);
  BOOST_TEST(average_precision({{{hit}, {truth}}, {{miss}, {}}}) == 1.0, kExact);
}

BOOST_AUTO_TEST_CASE(only_the_surest_finds_of_a_picture_count) {
  const std::vector<DetectionPicture> pictures{
      {{{square(0), 1, 0.1}, {square(4), 1, 0.9}, {square(5), 1, 0.8}}, {{square(0), 1}}}};
  BOOST_TEST(average_precision(pictures) == 1.0 / 3, kExact);
  BOOST_TEST(average_precision(pictures, {.max_detections = 2}) == 0.0);
}

BOOST_AUTO_TEST_CASE(refuses_what_has_no_meaning) {
  const auto says = [](std::string_view text) {
    return [text](const c10::Error& error) { return error.what_without_backtrace() == text; };
  };
  BOOST_CHECK_EXCEPTION(average_precision({}, {.iou = 0}), c10::ValueError,
                        says("average precision: expected iou above 0 and at most 1, got 0"));
  BOOST_CHECK_EXCEPTION(average_precision({}, {.max_detections = 0}), c10::ValueError,
                        says("average precision: max_detections must be at least 1, got 0"));
  const auto nan = std::numeric_limits<double>::quiet_NaN();
  BOOST_CHECK_EXCEPTION(average_precision({{{{square(0), 1, nan}}, {}}}), c10::ValueError,
                        says("average precision: a score is no number"));
}

/// Numbers that any language makes alike.
class Sequence {
 public:
  std::int64_t next(std::int64_t below) {
    state_ = (state_ * 1103515245 + 12345) % 2147483648;
    return state_ / 65536 % below;
  }

 private:
  std::int64_t state_ = 12345;
};

/// 40 pictures, 85 truths of three classes, 126 finds: near ones, wrong classes, stray ones, ties.
std::vector<DetectionPicture> random_pictures() {
  Sequence numbers;
  const auto r = [&](std::int64_t below) { return static_cast<double>(numbers.next(below)); };
  const auto label = [&] { return 1 + numbers.next(3); };
  std::vector<DetectionPicture> pictures(40);
  for (auto& picture : pictures) {
    for (auto truths = numbers.next(6); truths > 0; --truths) {
      const auto x = r(100), y = r(100), w = 10 + r(60), h = 10 + r(60);
      const auto own = label();
      picture.truth.push_back({{x, y, x + w, y + h}, own});
      for (auto finds = numbers.next(3); finds > 0; --finds) {
        const auto left = x + r(9) - 4, top = y + r(9) - 4, score = r(50) / 50;
        const auto found = numbers.next(8) != 0 ? own : label();
        picture.found.push_back({{left, top, left + w, top + h}, found, score});
      }
    }
    for (auto finds = numbers.next(3); finds > 0; --finds) {
      const auto x = r(100), y = r(100), w = 10 + r(60), h = 10 + r(60);
      const auto found = label();
      picture.found.push_back({{x, y, x + w, y + h}, found, r(50) / 50});
    }
  }
  return pictures;
}

// The values of pycocotools 2.0 for the same boxes.
BOOST_AUTO_TEST_CASE(equals_pycocotools_on_random_boxes) {
  const auto pictures = random_pictures();
  const auto close = tt::tolerance(1e-9);
  BOOST_TEST(average_precision_50_95(pictures) == 0.22232130149365872, close);
  BOOST_TEST(average_precision(pictures) == 0.42466781264370584, close);
  BOOST_TEST(average_precision(pictures, {.iou = 0.75}) == 0.23673621388138436, close);
  const auto classes = class_average_precision(pictures);
  BOOST_TEST(classes.at(1) == 0.33742659980283735, close);
  BOOST_TEST(classes.at(2) == 0.6613293133758048, close);
  BOOST_TEST(classes.at(3) == 0.2752475247524752, close);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
