// Restores pictures with a trained model:
//
//   limpid-restore --model run/model.limpid --task deblur --out sharp photo.jpg holiday/
//
// Takes files and folders, writes sharp/NAME.png for each, and shows how far it is. A picture that
// cannot be read is reported and passed over; the exit code is then 1.
#include <limpid/inference/any_restorer.hpp>
#include <limpid/inference/output_files.hpp>
#include <limpid/io/atomic_file.hpp>
#include <limpid/metrics/evaluation.hpp>

#include <torch/torch.h>

#include <chrono>
#include <cstdio>
#include <filesystem>
#include <string>
#include <vector>

#include "options.hpp"
#include "program.hpp"

namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

/// The command line.
struct Plan {
  fs::path model, out = "restored", json;
  std::string task, format = "png";
  std::vector<fs::path> images;
  limpid::Tiling tiling;
  examples::Compute compute;
};

double seconds_since(Clock::time_point then) {
  return std::chrono::duration<double>(Clock::now() - then).count();
}

/// @throws c10::Error at the end if a picture failed.
void restore(const Plan& plan) {
  const auto options = examples::restorer_options(plan.compute, plan.tiling);
  const auto files = limpid::plan_output_files(plan.images, plan.out, "." + plan.format);
  const limpid::AnyRestorer restorer{plan.model, options};
  restorer.check_task(plan.task);
  examples::make_folder("--out", plan.out);
  examples::try_output("--json", plan.json);

  auto pictures = nlohmann::json::array(), failed = nlohmann::json::array();
  examples::Progress progress;
  const auto began = Clock::now();
  for (std::size_t i = 0; i < files.size(); ++i) {
    const auto& [input, output] = files[i];
    const auto picture_began = Clock::now();
    limpid::Image restored;
    try {
      restored = restorer.restore(plan.task, limpid::Image::load(input));
    } catch (const c10::Error& failure) {
      progress.say(std::string{"limpid-restore: "} + failure.what_without_backtrace());
      failed.push_back({{"input", input.string()}, {"error", failure.what_without_backtrace()}});
      continue;
    }
    restored.save(output);  // a disk that is full stops everything
    pictures.push_back({{"input", input.string()},
                        {"output", output.string()},
                        {"width", restored.width()},
                        {"height", restored.height()},
                        {"seconds", seconds_since(picture_began)}});
    const auto done = static_cast<double>(i + 1), all = static_cast<double>(files.size());
    progress.show(std::to_string(i + 1) + "/" + std::to_string(files.size()) + "  " +
                  output.string() + "  " +
                  limpid::duration_text(seconds_since(began) / done * (all - done)) + " left");
  }
  progress.say(plan.task + ": restored " + std::to_string(pictures.size()) + " of " +
               std::to_string(files.size()) + " pictures in '" + plan.out.string() + "', " +
               limpid::duration_text(seconds_since(began)));
  if (!plan.json.empty()) {
    const nlohmann::json json{{"model", plan.model.string()},
                              {"task", plan.task},
                              {"device", plan.compute.device},
                              {"threads", plan.compute.threads},
                              {"seconds", seconds_since(began)},
                              {"pictures", pictures},
                              {"failed", failed}};
    examples::write_json(plan.json, json);
  }
  TORCH_CHECK(failed.empty(), failed.size(), " of ", files.size(),
              " pictures could not be restored; see above");
}

}  // namespace

int main(int argc, char** argv) {
  Plan plan;
  CLI::App app{"Restores pictures of any size with a trained model.", "limpid-restore"};
  app.add_option("--model", plan.model, "A model.limpid that limpid-train wrote")
      ->required()
      ->type_name("FILE");
  app.add_option("--task", plan.task, "One of the model's tasks, such as deblur")
      ->required()
      ->type_name("TASK");
  examples::add_tiling(app, plan.tiling);
  app.add_option("--out", plan.out, "Folder for the restored pictures; made where missing")
      ->capture_default_str()
      ->type_name("DIR");
  app.add_option("--format", plan.format, "png, or jpg (quality 95)")
      ->check(CLI::IsMember({"png", "jpg"}))
      ->capture_default_str();
  examples::add_json(app, plan.json, "Write what was restored, and how long it took");
  examples::add_compute(app, plan.compute);
  app.add_option("IMAGE", plan.images, "PNG, JPEG, BMP or PNM files, and folders of them")
      ->required()
      ->type_name("");
  return examples::run_program(app, argc, argv, [&] { restore(plan); });
}
