// Restores pictures with a trained model:
//
//   limpid-restore --model run/model.limpid --task deblur --out sharp photo.jpg holiday/
//
// Takes files and folders, writes sharp/NAME.png for each, and shows how far it is. Nothing that is
// there is written over unless --overwrite says so. A picture that cannot be read or restored is
// reported and passed over; the exit code is then 1.
#include <limpid/core/progress_line.hpp>
#include <limpid/inference/any_restorer.hpp>
#include <limpid/inference/output_files.hpp>
#include <limpid/io/image.hpp>
#include <limpid/io/picture_folder.hpp>

#include <torch/torch.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <string>
#include <vector>

#include "failures.hpp"
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
  bool recursive = false, overwrite = false, skip_existing = false;
  limpid::Tiling tiling;
  examples::Compute compute;
};

double seconds_since(Clock::time_point then) {
  return std::chrono::duration<double>(Clock::now() - then).count();
}

std::string others(std::size_t count) {
  return count == 0   ? ""
         : count == 1 ? " and another"
                      : " and " + std::to_string(count) + " others";
}

/// Whether a file lies in the folder that results go to, which a walk through a tree may meet.
bool is_result(const fs::path& file, const fs::path& root, const Plan& plan) {
  std::error_code ignored;
  if (fs::equivalent(root, plan.out, ignored)) return false;
  const auto out = fs::weakly_canonical(plan.out, ignored);
  const auto whole = fs::weakly_canonical(file, ignored);
  return std::mismatch(out.begin(), out.end(), whole.begin(), whole.end()).first == out.end();
}

/// Which files are read, and where each result goes. What is passed over in folders is said once.
std::vector<limpid::OutputFile> files_of(const Plan& plan) {
  std::vector<limpid::InputPicture> pictures;
  for (const auto& image : plan.images) {
    std::error_code ignored;
    if (!fs::is_directory(image, ignored)) {
      pictures.push_back({image, image.parent_path()});
      continue;
    }
    const auto found = limpid::list_pictures(image, {.is_recursive = plan.recursive});
    const auto said = found.summary();
    if (!said.empty()) examples::complain("limpid-restore: '" + image.string() + "': " + said);
    TORCH_CHECK(!found.pictures.empty(), "'", image.string(), "': expected pictures, found none");
    for (const auto& file : found.pictures) {
      if (!plan.recursive || !is_result(file, image, plan)) pictures.push_back({file, image});
    }
  }
  return limpid::plan_outputs(pictures, plan.out, "." + plan.format);
}

bool is_there(const limpid::OutputFile& file) {
  std::error_code ignored;
  return fs::exists(fs::symlink_status(file.output, ignored));
}

/// @throws c10::Error if something is there that would be written over.
void check_new(const Plan& plan, const std::vector<limpid::OutputFile>& files) {
  if (plan.overwrite || plan.skip_existing) return;
  const auto first = std::find_if(files.begin(), files.end(), is_there);
  if (first == files.end()) return;
  const auto count = static_cast<std::size_t>(std::count_if(first, files.end(), is_there));
  limpid::fail("--out: '", first->output.string(), "'", others(count - 1),
               count == 1 ? " is" : " are",
               " there already; name another folder, --overwrite to replace, or "
               "--skip-existing to go on with the rest");
}

/// @throws c10::Error at the end if a picture failed.
void restore(const Plan& plan) {
  const auto options = examples::restorer_options(plan.compute, plan.tiling);
  const auto files = files_of(plan);
  check_new(plan, files);
  examples::make_folder("--out", plan.out);
  examples::try_output("--json", plan.json);
  const limpid::AnyRestorer restorer{plan.model, options};
  restorer.check_task(plan.task);

  auto pictures = nlohmann::json::array(), skipped = nlohmann::json::array();
  examples::Failures failures{"limpid-restore", "smaller tiles need less: --tile 512"};
  examples::Progress progress;
  const auto began = Clock::now();
  bool said_tiles = false;
  for (std::size_t i = 0; i < files.size(); ++i) {
    const auto& [input, output] = files[i];
    if (plan.skip_existing && is_there(files[i])) {
      skipped.push_back(output.string());
      continue;
    }
    const auto picture_began = Clock::now();
    limpid::Image restored;
    const bool went_well = failures.attempt(input, [&, input = input] {
      const auto degraded = limpid::Image::load(input);
      const auto tile = plan.tiling.tile_for(degraded.height(), degraded.width());
      if (plan.tiling.tile == limpid::Tiling::automatic && tile > 0 && !said_tiles) {
        said_tiles = true;
        progress.say("'" + input.string() + "': restored in tiles of " + std::to_string(tile) +
                     " pixels, as it is large; --tile 0 takes it at once");
      }
      restored = restorer.restore(plan.task, degraded);
    });
    failures.say(progress);
    if (!went_well) continue;
    // From here on errors, such as a full disk, are not the picture's and stop everything.
    if (output.has_parent_path()) examples::make_folder("--out", output.parent_path());
    restored.save(output);
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
               limpid::duration_text(seconds_since(began)) +
               (skipped.empty() ? "" : "; " + std::to_string(skipped.size()) + " were there"));
  auto failed = nlohmann::json::array();
  for (const auto& [picture, error] : failures.all()) {
    failed.push_back({{"input", picture.string()}, {"error", error}});
  }
  examples::write_json(plan.json, nlohmann::json{{"model", plan.model.string()},
                                                 {"task", plan.task},
                                                 {"device", plan.compute.device},
                                                 {"threads", plan.compute.threads},
                                                 {"seconds", seconds_since(began)},
                                                 {"pictures", pictures},
                                                 {"skipped", skipped},
                                                 {"failed", failed}});
  failures.check(files.size(), "restored");
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
  app.add_flag("--recursive", plan.recursive,
               "Also what lies in subfolders, to the same subfolders of DIR");
  auto* overwrite =
      app.add_flag("--overwrite", plan.overwrite, "Replace pictures that are there, never inputs");
  app.add_flag("--skip-existing", plan.skip_existing,
               "Go on with a batch: pass over what is restored already")
      ->excludes(overwrite);
  app.add_option("--format", plan.format, "png, or jpg (quality 95)")
      ->check(CLI::IsMember({"png", "jpg"}))
      ->capture_default_str();
  examples::add_json(app, plan.json, "Write what was restored, and how long it took");
  examples::add_max_pixels(app);
  examples::add_compute(app, plan.compute);
  examples::add_operand(app, "IMAGE", plan.images,
                        "Pictures (" + limpid::readable_formats() + "), and folders of them");
  app.footer(
      "Two pictures never share a result: of IMG.jpg and IMG.bmp they are IMG.jpg.png and "
      "IMG.bmp.png, of cam1/IMG.jpg and cam2/IMG.jpg cam1/IMG.png and cam2/IMG.png.");
  return examples::run_program(app, argc, argv, [&] { restore(plan); });
}
