#include <limpid/everything.hpp>

#include <torch/torch.h>

#include <boost/test/unit_test.hpp>

#include <cmath>
#include <filesystem>
#include <iostream>
#include <string_view>
#include <vector>

// Code of docs/metrics.md, detection.md and report.md.
namespace docs_metrics {

using namespace limpid;

void niqe(const at::Tensor& restored) {
  const NIQE<> niqe{read_niqe_model("niqe_pris_params.npz")};
  const double score = niqe(restored);
  if (std::isnan(score)) std::cout << niqe.undefined(restored) << "\n";
}

BOOST_AUTO_TEST_SUITE(docs)

BOOST_AUTO_TEST_CASE(psnr_of_metrics_md) {
  const auto restored = torch::zeros({3, 32, 32}), target = torch::ones({3, 32, 32});
  const PSNR<> psnr;
  const double decibels = psnr(restored, target);
  const PSNRY cropped{PSNROptions{.crop_border = 4}};  // its protocol says so
  BOOST_TEST(decibels == 0);
}

void evaluation(const at::Tensor& degraded, const at::Tensor& restored, const at::Tensor& target) {
  TaskEvaluation deblur{"deblur", {PSNR<>{}, SSIMGaussian{}}};
  deblur.add("000001.png", degraded, restored, target);
  std::cout << text_table({deblur});
  write_atomically("metrics.json", json_text(to_json({deblur})));
}

void compare() {
  const auto comparison = compare_folders("restored", "sharp", default_metrics());
  std::cout << text_table(comparison);
}

struct MeanError {
  static constexpr std::string_view name = "mean_error";
  static constexpr std::string_view protocol = "mean absolute difference of unit-range values";
  static constexpr bool higher_is_better = false;
  double operator()(const at::Tensor& restored, const at::Tensor& target) const {
    return (restored - target).abs().mean().item<double>();
  }
};
static_assert(Metric<MeanError>);

/// A metric with a network.
struct FeatureDistance : MeanError {
  static constexpr std::string_view name = "feature_distance";
  explicit FeatureDistance(std::filesystem::path) {}
};

BOOST_AUTO_TEST_CASE(metrics_of_ones_own_of_metrics_md) {
  TaskEvaluation evaluation{"deblur", {PSNR<>{}, MeanError{}}};
  // clang-format off
  const std::vector<MetricEntry> mine{
      MetricEntry{"feature_distance", "the network's weights",
                  [](const auto& file) { return FeatureDistance{file}; }}
  };
  // clang-format on
  BOOST_TEST(mine.front().make("weights").name == "feature_distance");
}

BOOST_AUTO_TEST_CASE(average_precision_of_detection_md) {
  const DetectionPicture picture{{{{10, 10, 50, 60}, 1, 0.9}},  // found: box, class, score
                                 {{{12, 10, 50, 62}, 1}}};      // true: box, class
  const auto ap50 = average_precision({picture});               // mean over the classes
  const auto ap = average_precision_50_95({picture});           // COCO's "AP"
  const auto voc = average_precision({picture}, {.iou = 0.75, .curve = PrecisionCurve::voc});
  static_cast<void>(ap50), static_cast<void>(ap), static_cast<void>(voc);
}

void sheet(const Pairs& pairs) {
  const auto pair = pairs.load(0);
  const SheetPart part{"my pairs", "as they are", {{pairs.name(0), pair.degraded, pair.target}}};
  pair_sheet({part}, {.width = 300}).save("sheet.png");
  write_atomically("sheet.html", pair_sheet_html({part}, {.title = "My pairs"}));
}

void report(const TaskEvaluation& evaluation, const Image& degraded, const Image& restored,
            const Image& target) {
  const auto log = read_training_log("run/metrics.jsonl");

  ReportTask deblur{evaluation};
  deblur.pictures.push_back({"harbour.png", degraded, restored, target});  // of one size
  deblur.plots = task_plots(log, "deblur");

  Report report;
  report.title = "Three tasks, one encoder";
  report.tasks = {deblur};
  report.plots = run_plots(log);
  report.facts = {{"device", "CPU, 2 threads"}};
  write_report("report/index.html", report);
}

void strips(const Image& degraded, const Image& restored, const Image& target, const Image& dehaze,
            const Image& derain) {
  const auto deblur = picture_strip(degraded, restored, target);
  picture_column({deblur, dehaze, derain}).save("strip.png");  // strips of one width
}

void plane() {
  PlanePage page;
  add_scores(page.plane, "small", read_scores("small.json"), "small.json");
  page.plane.restored.push_back({"large", "deblur", 9.7, 3.9, 1111});  // or any numbers
  write_plane("plane", page);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace docs_metrics
