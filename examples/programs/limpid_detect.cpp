// Measures what a restoration is worth to a detector:
//
//   limpid-detect --detector detector.pt --model run/model.limpid --data deblur=gopro:GoPro
//                 [--boxes boxes.json]
//
// Runs any TorchScript detector on the degraded, the restored and the sharp pictures and prints its
// average precision on each: against given boxes, or against its own finds in the sharp pictures.
#include <limpid/core/errors.hpp>
#include <limpid/core/fail.hpp>
#include <limpid/core/named.hpp>
#include <limpid/detection/coco_boxes.hpp>
#include <limpid/detection/detection_scores.hpp>
#include <limpid/detection/detector.hpp>
#include <limpid/inference/any_restorer.hpp>
#include <limpid/io/atomic_file.hpp>
#include <limpid/report/plot.hpp>

#include <ATen/DynamicLibrary.h>
#include <torch/torch.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <iterator>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "failures.hpp"
#include "options.hpp"
#include "program.hpp"
#include "tile_note.hpp"

namespace {

namespace fs = std::filesystem;

/// Whose average precision --curve asks for.
const limpid::NamedTable kCurves{
    "a curve", limpid::Named{"coco", "COCO's matching, 101 recalls", limpid::PrecisionCurve::coco},
    limpid::Named{"voc", "PASCAL VOC's matching, the exact area", limpid::PrecisionCurve::voc},
    limpid::Named{"voc-2007", "PASCAL VOC's matching, 11 recalls",
                  limpid::PrecisionCurve::voc_2007}};

/// The command line.
struct Plan {
  fs::path detector, model, boxes, json;
  std::vector<std::string> data, libraries;
  std::string classes = "ids", curve = "coco";
  double min_score = 0.5;
  std::int64_t max_images = 0;
  limpid::Tiling tiling;
  examples::Compute compute;
};

/// Registers operators that LibTorch does not have, such as torchvision::nms.
void load_libraries(const Plan& plan) {
  for (const auto& file : plan.libraries) {
    try {
      const at::DynamicLibrary library{file.c_str(), nullptr, /*leak_handle=*/true};
    } catch (const std::exception& error) {
      limpid::fail("--library: cannot load '", file, "' (", limpid::error_text(error), ")");
    }
  }
}

/// Makes the labels of finds and of truths comparable, as --classes says.
class Labels {
 public:
  Labels(std::string rule, const std::optional<limpid::CocoBoxes>& boxes) : rule_(std::move(rule)) {
    if (!boxes) return;
    for (const auto& [id, name] : boxes->categories()) ids_.push_back(id);
  }

  std::vector<limpid::Detection> of_finds(std::vector<limpid::Detection> found) const {
    for (auto& find : found) {
      if (rule_ == "any") find.label = 0;
      if (rule_ != "order") continue;
      TORCH_CHECK(find.label >= 0 && find.label < static_cast<std::int64_t>(ids_.size()),
                  "--classes order: the detector found class ", find.label, ", --boxes has ",
                  ids_.size(), " classes");
      find.label = ids_[static_cast<std::size_t>(find.label)];
    }
    return found;
  }

  std::vector<limpid::LabelledBox> of_truth(std::vector<limpid::LabelledBox> truth) const {
    for (auto& box : truth) box.label = rule_ == "any" ? 0 : box.label;
    return truth;
  }

 private:
  std::string rule_;
  std::vector<std::int64_t> ids_;
};

std::vector<limpid::LabelledBox> given_truth(const limpid::CocoBoxes& boxes,
                                             const std::string& name, const limpid::Image& sharp) {
  const auto& picture = boxes.of(name);
  const bool fits = (picture.width == 0 || picture.width == sharp.width()) &&
                    (picture.height == 0 || picture.height == sharp.height());
  TORCH_CHECK(fits, "--boxes: '", picture.file_name, "' is ", picture.width, " x ", picture.height,
              " pixels there, and ", sharp.width(), " x ", sharp.height(), " in --data");
  return picture.boxes;
}

void detect(const Plan& plan) {
  examples::try_output("--json", plan.json);
  const auto options = examples::restorer_options(plan.compute, plan.tiling);
  const auto arguments = examples::parse_data("--data", plan.data);
  load_libraries(plan);
  const limpid::Detector detector{plan.detector, {.device = options.device}};
  std::optional<limpid::CocoBoxes> boxes;
  if (!plan.boxes.empty()) boxes.emplace(plan.boxes);
  const limpid::AnyRestorer restorer{plan.model, options};
  for (const auto& argument : arguments) restorer.check_task(argument.task);

  const Labels labels{plan.classes, boxes};
  examples::Progress progress;
  examples::Failures failures{"limpid-detect", "smaller tiles need less: --tile 512"};
  examples::TileNote tiles{progress};
  std::size_t pictures = 0;
  std::vector<limpid::DetectionEvaluation> evaluations;
  for (const auto& argument : arguments) {
    const auto all = limpid::open_pairs(argument, limpid::DataUse::evaluation);
    const auto pairs = plan.max_images > 0 ? all.first(plan.max_images) : all;
    TORCH_CHECK_VALUE(!pairs.empty(), "--data: task '", argument.task, "' has no pairs");
    limpid::DetectionEvaluation evaluation{argument.task};
    for (std::int64_t i = 0; i < pairs.size(); ++i) {
      const auto name = pairs.name(i);
      progress.show(argument.task + "  " + std::to_string(i + 1) + "/" +
                    std::to_string(pairs.size()) + "  " + name);
      ++pictures;
      failures.attempt(argument.task + " " + name, [&] {
        const auto pair = pairs.load(i);
        const auto find = [&](const limpid::Image& image) {
          return labels.of_finds(detector(image));
        };
        const auto sharp = find(pair.target);
        const auto truth = boxes ? labels.of_truth(given_truth(*boxes, name, pair.target))
                                 : limpid::truth_of_finds(sharp, plan.min_score);
        tiles.look_at("'" + argument.task + " " + name + "'",
                      restorer.plan(argument.task, pair.degraded.height(), pair.degraded.width()));
        const auto restored = restorer.restore(argument.task, pair.degraded);
        evaluation.add(find(pair.degraded), find(restored), sharp, truth);
      });
      failures.say(progress);
    }
    evaluations.push_back(std::move(evaluation));
  }
  progress.end();

  const limpid::AveragePrecisionOptions precision{.curve = kCurves.at(plan.curve)};
  std::string curve;
  kCurves.for_each([&](const auto& entry) {
    if (entry.name == kCurves.spelled(plan.curve)) curve = entry.what;
  });
  std::string truth = "the detector's own finds of a score of at least " +
                      limpid::plain_number(plan.min_score) + " in the sharp pictures";
  if (boxes) truth = "the boxes of '" + plan.boxes.string() + "'";
  examples::print(
      "%s\ntruth: %s\nAP50, AP50:95: average precision at an overlap (IoU) of 0.5, and the "
      "mean over 0.5, 0.55 ... 0.95; %s; higher is better\n",
      limpid::text_table(evaluations, precision).c_str(), truth.c_str(), curve.c_str());
  if (boxes && boxes->crowds() > 0) {
    examples::print("finds in %ld crowd regions count neither way\n",
                    static_cast<long>(boxes->crowds()));
  }
  const auto names =
      boxes && plan.classes != "any" ? boxes->categories() : std::map<std::int64_t, std::string>{};
  auto json = to_json(evaluations, names, precision);
  json["detector"] = plan.detector.string();
  json["model"] = plan.model.string();
  json["truth"] = truth;
  json["curve"] = plan.curve;
  json["tiles"] = tiles.json();
  json["failed"] = failures.json();
  examples::write_json(plan.json, json);
  failures.check(pictures, "measured");
}

}  // namespace

int main(int argc, char** argv) {
  Plan plan;
  CLI::App app{"Measures a detector on degraded, restored and sharp pictures.", "limpid-detect"};
  app.add_option("--detector", plan.detector,
                 "A detector saved as TorchScript; it is run: trust it")
      ->required()
      ->type_name("FILE");
  app.add_option("--model", plan.model, "A model.limpid that limpid-train wrote")
      ->required()
      ->type_name("FILE");
  app.add_option("--data", plan.data, limpid::data_argument_help())
      ->required()
      ->type_name("TASK=FORMAT:PATH[@PART]");
  auto* boxes = app.add_option("--boxes", plan.boxes,
                               "True boxes, COCO's JSON [what it finds in the sharp pictures]");
  boxes->type_name("FILE");
  app.add_option("--min-score", plan.min_score, "Of finds in sharp pictures that count as true")
      ->check(examples::Real{0})
      ->capture_default_str()
      ->type_name("S")
      ->excludes(boxes);
  app.add_option("--classes", plan.classes,
                 "What the detector's classes are: ids of --boxes, the order of those ids from 0, "
                 "or any: all are one")
      ->check(CLI::IsMember({"ids", "order", "any"}))
      ->capture_default_str();
  app.add_option("--curve", plan.curve, "Whose average precision:\n" + kCurves.help())
      ->check(CLI::IsMember(kCurves.names()))
      ->capture_default_str();
  app.add_option("--library", plan.libraries,
                 "A library of operators the detector needs, such as libtorchvision.so")
      ->type_name("FILE");
  app.add_option("--max-images", plan.max_images, "At most so many pictures of each task")
      ->check(examples::Whole{})
      ->type_name("N");
  examples::add_json(app, plan.json, "Write the scores, with each class's");
  examples::add_tiling(app, plan.tiling);
  examples::add_tiling_kind(app, plan.tiling);
  examples::add_max_pixels(app);
  examples::add_compute(app, plan.compute);
  return examples::run_program(app, argc, argv, [&] {
    if (plan.classes == "order" && plan.boxes.empty()) {
      throw examples::UsageError("--classes order: expected --boxes, which has the order");
    }
    detect(plan);
  });
}
