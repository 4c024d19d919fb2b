#pragma once

#include <limpid/core/check.hpp>

#include <c10/util/Exception.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <limits>
#include <map>
#include <utility>
#include <vector>

namespace limpid {

/// An upright rectangle in pixels, from (x1, y1) to (x2, y2); x grows right, y down.
struct Box {
  double x1 = 0, y1 = 0, x2 = 0, y2 = 0;

  /// 0 where a side is negative.
  double area() const { return std::max(0.0, x2 - x1) * std::max(0.0, y2 - y1); }
};

/// The shared area of two boxes over that of both together; 0 where both have none.
inline double intersection_over_union(const Box& a, const Box& b) {
  const auto shared =
      Box{std::max(a.x1, b.x1), std::max(a.y1, b.y1), std::min(a.x2, b.x2), std::min(a.y2, b.y2)}
          .area();
  const auto both = a.area() + b.area() - shared;
  return both > 0 ? shared / both : 0;
}

/// What stands in a picture, and where.
struct LabelledBox {
  Box box;
  std::int64_t label = 0;
  bool crowd = false;      ///< a region of many (COCO's `iscrowd`): nothing has to be found in it
  bool difficult = false;  ///< need not be found, for VOC; COCO does not know it
};

/// What a detector found, and how sure it is.
struct Detection {
  Box box;
  std::int64_t label = 0;
  double score = 0;
};

/// One picture: what a detector found in it, and what there is to be found.
struct DetectionPicture {
  std::vector<Detection> found;
  std::vector<LabelledBox> truth;
};

/// Whose average precision: how finds meet truths, and how the area under the curve of precision
/// over recall is taken.
enum class PrecisionCurve {
  coco,      ///< COCO's matching; the mean of the precision at the recalls 0, 0.01 ... 1
  voc,       ///< PASCAL VOC's matching; the exact area, as VOC takes it since 2010
  voc_2007,  ///< PASCAL VOC's matching; the mean of the precision at the recalls 0, 0.1 ... 1
};

struct AveragePrecisionOptions {
  double iou = 0.5;  ///< least overlap of a find with its truth, above 0 and at most 1
  PrecisionCurve curve = PrecisionCurve::coco;
  /// Finds of a class in a picture that count, by score; COCO's 100. VOC counts all.
  std::int64_t max_detections = 100;
};

namespace detail {

/// A find and whether it met a truth.
struct JudgedFind {
  double score = 0;
  bool is_true = false;
};

template <class Find>
void sort_by_score(std::vector<Find>& finds) {
  std::stable_sort(finds.begin(), finds.end(),
                   [](const auto& a, const auto& b) { return a.score > b.score; });
}

/// A true box of one class; one that is ignored need not be found, and a find of it is neither
/// right nor wrong.
struct TrueBox {
  Box box;
  bool is_ignored = false;
};

/// COCO counts what a find shares with a crowd against the find alone.
inline double coco_overlap(const Box& find, const TrueBox& truth) {
  const auto overlap = intersection_over_union(find, truth.box);
  if (!truth.is_ignored || overlap == 0) return overlap;
  const auto shared = overlap * (find.area() + truth.box.area()) / (1 + overlap);
  return shared / find.area();
}

/// The least overlap that counts; equal boxes pass 1, whatever was rounded.
inline double least_overlap(const AveragePrecisionOptions& options) {
  return std::min(options.iou, 1 - 1e-10);
}

/// Judges the finds of one class in one picture as COCO does: by falling score, each takes the
/// truth that it overlaps most of those not taken yet, and a crowd only where there is none.
inline void judge_by_coco(std::vector<Detection> found, std::vector<TrueBox> truth,
                          const AveragePrecisionOptions& options, std::vector<JudgedFind>& judged) {
  sort_by_score(found);
  found.resize(std::min(found.size(), static_cast<std::size_t>(options.max_detections)));
  std::stable_partition(truth.begin(), truth.end(),
                        [](const TrueBox& box) { return !box.is_ignored; });
  std::vector<bool> taken(truth.size(), false);
  for (const auto& find : found) {
    auto best = least_overlap(options);
    auto place = truth.size();
    for (std::size_t i = 0; i < truth.size(); ++i) {
      const bool has_match = place < truth.size() && !truth[place].is_ignored;
      if (truth[i].is_ignored && has_match) break;
      const auto overlap = taken[i] ? -1 : coco_overlap(find.box, truth[i]);
      if (overlap >= best) best = overlap, place = i;
    }
    if (place == truth.size()) {
      judged.push_back({find.score, false});
    } else if (!truth[place].is_ignored) {
      judged.push_back({find.score, true});
      taken[place] = true;
    }
  }
}

/// Judges the finds of one class in one picture as PASCAL VOC does: by falling score, each is of
/// the truth that it overlaps most, taken or not; the second find of one truth is false.
inline void judge_by_voc(std::vector<Detection> found, const std::vector<TrueBox>& truth,
                         const AveragePrecisionOptions& options, std::vector<JudgedFind>& judged) {
  sort_by_score(found);
  std::vector<bool> taken(truth.size(), false);
  for (const auto& find : found) {
    double best = 0;
    std::size_t place = 0;
    for (std::size_t i = 0; i < truth.size(); ++i) {
      const auto overlap = intersection_over_union(find.box, truth[i].box);
      if (overlap > best) best = overlap, place = i;
    }
    const bool is_met = best >= least_overlap(options);
    if (is_met && truth[place].is_ignored) continue;
    judged.push_back({find.score, is_met && !taken[place]});
    if (is_met) taken[place] = true;
  }
}

/// The mean of the precision, which falls with recall, at the recalls 0, 1/steps ... 1.
inline double mean_precision(const std::vector<double>& recall,
                             const std::vector<double>& precision, int steps) {
  double sum = 0;
  for (int k = 0; k <= steps; ++k) {
    const auto wanted = k == steps ? 1.0 : k * (1.0 / steps);  // rounded as numpy.linspace
    const auto at = std::lower_bound(recall.begin(), recall.end(), wanted) - recall.begin();
    if (at < std::ssize(recall)) sum += precision[static_cast<std::size_t>(at)];
  }
  return sum / (steps + 1);
}

/// The area under precision over recall.
inline double area_under(std::vector<JudgedFind> judged, std::size_t truths, PrecisionCurve curve) {
  sort_by_score(judged);
  const auto count = judged.size();
  std::vector<double> recall(count), precision(count);
  double hits = 0;
  for (std::size_t i = 0; i < count; ++i) {
    hits += judged[i].is_true;
    recall[i] = hits / static_cast<double>(truths);
    precision[i] = hits / static_cast<double>(i + 1);
  }
  for (auto i = count; i-- > 1;) precision[i - 1] = std::max(precision[i - 1], precision[i]);

  if (curve == PrecisionCurve::coco) return mean_precision(recall, precision, 100);
  if (curve == PrecisionCurve::voc_2007) return mean_precision(recall, precision, 10);
  double area = 0;
  for (std::size_t i = 0; i < count; ++i) {
    area += (recall[i] - (i == 0 ? 0 : recall[i - 1])) * precision[i];
  }
  return area;
}

inline void check_options(const AveragePrecisionOptions& options) {
  TORCH_CHECK_VALUE(options.iou > 0 && options.iou <= 1,
                    "average precision: expected iou above 0 and at most 1, got ", options.iou);
  check_at_least("average precision: max_detections", options.max_detections, 1);
}

}  // namespace detail

/// Whether a box has to be found.
inline bool must_be_found(const LabelledBox& box, PrecisionCurve curve) {
  return !box.crowd && (curve == PrecisionCurve::coco || !box.difficult);
}

/// The average precision of each class that has a truth in some picture; 0 where none is found.
///
/// In each picture, finds are matched by falling score, each with a truth of its class that it
/// overlaps by at least `iou`: COCO's rule takes the one that it overlaps most of those still free,
/// PASCAL VOC's the one that it overlaps most of all, and a find of one that is taken is false.
/// Finds of boxes that need not be found count neither way. Over all pictures by falling score,
/// precision is made to fall with recall, and averaged over recall.
/// Source: Lin et al., "Microsoft COCO: Common Objects in Context", ECCV 2014, and its
/// `pycocotools`; Everingham et al., "The PASCAL Visual Object Classes (VOC) Challenge", IJCV 2010,
/// sec. 4.2, and `VOCevaldet.m` of its development kit.
/// Differs: no ranges of area. VOC's corners are whole pixels that belong to the box: give them as
/// x1 = xmin - 1, y1 = ymin - 1, x2 = xmax, y2 = ymax, finds alike, for its overlaps.
///
/// @throws c10::ValueError for impossible options, or a score that is no number.
inline std::map<std::int64_t, double> class_average_precision(
    const std::vector<DetectionPicture>& pictures, const AveragePrecisionOptions& options = {}) {
  detail::check_options(options);
  std::map<std::int64_t, std::size_t> truths;
  for (const auto& picture : pictures) {
    for (const auto& truth : picture.truth) {
      if (must_be_found(truth, options.curve)) ++truths[truth.label];
    }
    for (const auto& find : picture.found) {
      TORCH_CHECK_VALUE(!std::isnan(find.score), "average precision: a score is no number");
    }
  }
  const bool by_coco = options.curve == PrecisionCurve::coco;
  std::map<std::int64_t, double> result;
  for (const auto& [label, count] : truths) {
    std::vector<detail::JudgedFind> judged;
    for (const auto& picture : pictures) {
      std::vector<Detection> found;
      std::vector<detail::TrueBox> boxes;
      for (const auto& find : picture.found) {
        if (find.label == label) found.push_back(find);
      }
      for (const auto& truth : picture.truth) {
        if (truth.label != label) continue;
        boxes.push_back({truth.box, !must_be_found(truth, options.curve)});
      }
      if (by_coco) {
        detail::judge_by_coco(std::move(found), std::move(boxes), options, judged);
      } else {
        detail::judge_by_voc(std::move(found), boxes, options, judged);
      }
    }
    result[label] = detail::area_under(std::move(judged), count, options.curve);
  }
  return result;
}

/// The mean of `class_average_precision` over the classes that have a truth; not a number where no
/// picture has any.
inline double average_precision(const std::vector<DetectionPicture>& pictures,
                                const AveragePrecisionOptions& options = {}) {
  const auto classes = class_average_precision(pictures, options);
  if (classes.empty()) return std::numeric_limits<double>::quiet_NaN();
  double sum = 0;
  for (const auto& [label, value] : classes) sum += value;
  return sum / static_cast<double>(classes.size());
}

/// COCO's first number, "AP": the mean of `average_precision` at the overlaps 0.5, 0.55 ... 0.95.
inline double average_precision_50_95(const std::vector<DetectionPicture>& pictures,
                                      AveragePrecisionOptions options = {}) {
  double sum = 0;
  for (int k = 0; k < 10; ++k) {
    options.iou = (50 + 5 * k) / 100.0;
    sum += average_precision(pictures, options);
  }
  return sum / 10;
}

}  // namespace limpid
