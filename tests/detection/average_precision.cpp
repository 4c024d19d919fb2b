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
constexpr AveragePrecisionOptions kVoc2007{.curve = PrecisionCurve::voc_2007};

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
  // VOC 2007: the recalls 0 ... 0.3 (4 of 11) read 1, 0.4 ... 0.6 (3) read 2/3, the rest 0.
  BOOST_TEST(average_precision(pictures, kVoc2007) == (4 + 3 * 2.0 / 3) / 11, kExact);
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

// Both finds overlap `left` most. COCO gives the second one `right`, which is free; for VOC it is
// the second find of `left`, and false.
BOOST_AUTO_TEST_CASE(for_voc_the_truth_that_is_overlapped_most_decides_even_if_it_is_taken) {
  const Box left{0, 0, 10, 10}, right{6, 0, 16, 10};
  const Detection first{left, 1, 0.9},
      second{{2, 0, 12, 10}, 1, 0.8};  // 8/12 of left, 6/14 of right
  const std::vector<DetectionPicture> pictures{{{first, second}, {{left, 1}, {right, 1}}}};
  BOOST_TEST(average_precision(pictures, {.iou = 0.4}) == 1.0, kExact);
  auto voc = kVoc, voc_2007 = kVoc2007;
  voc.iou = voc_2007.iou = 0.4;
  BOOST_TEST(average_precision(pictures, voc) == 0.5, kExact);  // recall 1/2 at precision 1
  BOOST_TEST(average_precision(pictures, voc_2007) == 6.0 / 11, kExact);  // 0 ... 0.5 read 1
}

// VOCevaldet.m: a find of a difficult truth is neither right nor wrong, however often; difficult
// truths are not missed. Left: a hit at 0.9, then a miss at 0.6 of two truths, one of them found.
BOOST_AUTO_TEST_CASE(for_voc_difficult_truths_count_neither_way) {
  const LabelledBox hard{square(1), 1, false, true};
  const std::vector<DetectionPicture> pictures{
      {{{square(0), 1, 0.9}, {square(1), 1, 0.8}, {shifted(1, 1), 1, 0.7}, {square(5), 1, 0.6}},
       {{square(0), 1}, hard, {square(2), 1}}}};
  BOOST_TEST(average_precision(pictures, kVoc) == 0.5, kExact);
  BOOST_TEST(average_precision(pictures, kVoc2007) == 6.0 / 11, kExact);
  const std::vector<DetectionPicture> only_hard{{{{square(1), 1, 0.9}}, {hard}}};
  BOOST_TEST(std::isnan(average_precision(only_hard, kVoc)), "there is nothing to be found");
  BOOST_TEST(average_precision(only_hard) == 1.0, "COCO knows no difficult ones");
}

// A find that overlaps a difficult truth most is of that one, though it meets another truth too.
BOOST_AUTO_TEST_CASE(for_voc_the_most_overlapped_truth_decides_between_difficult_and_not) {
  const LabelledBox hard{{0, 0, 10, 10}, 1, false, true}, plain{{4, 0, 14, 10}, 1};
  auto voc = kVoc;
  voc.iou = 0.3;
  const Detection near_hard{{1, 0, 11, 10}, 1, 0.9}, near_plain{{3, 0, 13, 10}, 1, 0.8};
  BOOST_TEST(average_precision({{{near_hard}, {hard, plain}}}, voc) == 0.0);
  BOOST_TEST(average_precision({{{near_plain}, {hard, plain}}}, voc) == 1.0, kExact);
}

BOOST_AUTO_TEST_CASE(voc_counts_every_find) {
  const std::vector<DetectionPicture> pictures{
      {{{square(0), 1, 0.1}, {square(4), 1, 0.9}, {square(5), 1, 0.8}}, {{square(0), 1}}}};
  auto voc = kVoc;
  voc.max_detections = 2;
  BOOST_TEST(average_precision(pictures, voc) == 1.0 / 3, kExact);
}

// What a find shares with a crowd counts against the find alone: a small find inside is of it.
BOOST_AUTO_TEST_CASE(for_coco_finds_in_a_crowd_count_neither_way) {
  const LabelledBox crowd{{100, 0, 200, 100}, 1, true};
  const std::vector<DetectionPicture> pictures{
      {{{{110, 10, 120, 20}, 1, 0.95}, {{150, 50, 160, 60}, 1, 0.94}, {square(0), 1, 0.9}},
       {crowd, {square(0), 1}}}};
  BOOST_TEST(average_precision(pictures) == 1.0, kExact);
  const std::vector<DetectionPicture> outside{
      {{{{96, 10, 103, 20}, 1, 0.95}, {square(0), 1, 0.9}}, {crowd, {square(0), 1}}}};
  BOOST_TEST(average_precision(outside) == 0.5, kExact);  // 3/7 of the find lies in the crowd
  BOOST_TEST(std::isnan(average_precision({{{{square(0), 1, 0.9}}, {crowd}}})));
  // A find takes a truth that it meets before the crowd that it overlaps more.
  const LabelledBox around{{0, 0, 100, 100}, 1, true};
  BOOST_TEST(average_precision({{{{shifted(0, 3), 1, 0.9}}, {around, {square(0), 1}}}}) == 1.0,
             kExact);
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

// The same boxes, every third truth a crowd, again as pycocotools has it.
BOOST_AUTO_TEST_CASE(equals_pycocotools_on_random_boxes_with_crowds) {
  auto pictures = random_pictures();
  int number = 0;
  for (auto& picture : pictures) {
    for (auto& truth : picture.truth) truth.crowd = ++number % 3 == 0;
  }
  const auto close = tt::tolerance(1e-9);
  BOOST_TEST(average_precision_50_95(pictures) == 0.22147589170441018, close);
  BOOST_TEST(average_precision(pictures) == 0.41276925527440966, close);
  BOOST_TEST(average_precision(pictures, {.iou = 0.75}) == 0.24332188235545962, close);
  const auto classes = class_average_precision(pictures);
  BOOST_TEST(classes.at(1) == 0.25721050365906156, close);
  BOOST_TEST(classes.at(2) == 0.69556131726533, close);
  BOOST_TEST(classes.at(3) == 0.2855359448988377, close);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
