// Restores pictures with a trained model:
//
//   limpid-restore photo.jpg
//   limpid-restore --model run/model.limpid --task deblur --out sharp photo.jpg holiday/
//
// The first looks at the photograph, undoes what the model in the box is sure of, and writes
// photo.restored.jpg. The second takes files and folders and writes sharp/NAME.png for each.
// Nothing that is there is written over unless --overwrite says so. A picture that cannot be read
// or restored is reported and passed over; the exit code is then 1.
#include <limpid/core/errors.hpp>
#include <limpid/inference/any_restorer.hpp>
#include <limpid/inference/output_files.hpp>
#include <limpid/io/image.hpp>
#include <limpid/model/families.hpp>
#include <limpid/onnx/engines.hpp>

#include <torch/torch.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "failures.hpp"
#include "in_order.hpp"
#include "keep_memory.hpp"
#include "options.hpp"
#include "program.hpp"
#include "restore/batch_files.hpp"
#include "restore/batch_report.hpp"
#include "restore/encoded_as.hpp"
#include "restore/find_model.hpp"
#include "restore/lanes.hpp"
#include "restore/streams.hpp"
#include "restore/ways_of.hpp"
#include "tile_note.hpp"

namespace {

namespace fs = std::filesystem;

/// The command line.
struct Plan {
  fs::path model, json;
  examples::BatchPlan batch;
  std::string engine = "limpid", task;
  limpid::Tiling tiling;
  int ensemble = 1;
  double strength = 1;
  std::int64_t jobs = 0;  ///< 0: as many as threads
  examples::Compute compute{.convolution = "fast"};
  bool chose_convolution = false;
  examples::Streams streams;
};

/// The task where none was named: what the model's router says, or its only one.
std::string usual_task(const limpid::AnyRestorer& restorer) {
  if (restorer.router()) return "auto";
  const auto& tasks = restorer.tasks();
  if (tasks.size() == 1) return tasks.front();
  std::string listed;
  for (const auto& task : tasks) listed += (listed.empty() ? "" : ", ") + task;
  throw examples::UsageError("--task is required: the model has no router that tells " + listed +
                             " apart");
}

/// Engines of others compute on the CPU, in their own way.
void check_engine(const Plan& plan) {
  if (plan.engine == "limpid") return;
  const auto prefix = "--engine " + plan.engine + ": ";
  if (plan.compute.device != "cpu") throw examples::UsageError(prefix + "expected --device cpu");
  if (plan.chose_convolution) {
    throw examples::UsageError(prefix + "--convolution is of limpid's own engine");
  }
  limpid::naming("--engine " + plan.engine,
                 [&] { limpid::check_engine(limpid::kEngines.at(plan.engine)); });
}

/// The model in its engine, before any picture is looked at. Puts the model and the task into
/// `plan` where none was named.
limpid::AnyRestorer restorer_of(Plan& plan) {
  check_engine(plan);
  auto options = examples::restorer_options(plan.compute, plan.tiling, plan.ensemble);
  options.strength = plan.strength;
  if (plan.model.empty()) plan.model = examples::find_model();
  auto loaded = limpid::load_any(plan.model);
  loaded.model =
      limpid::in_engine(loaded.model, plan.engine,
                        {plan.compute.threads, examples::precision_of(plan.compute.precision)});
  limpid::AnyRestorer restorer{std::move(loaded), options, "model '" + plan.model.string() + "'"};
  if (plan.task.empty()) plan.task = usual_task(restorer);
  restorer.check_task(plan.task);
  return restorer;
}

/// @throws c10::Error at the end if a picture failed.
void restore(Plan plan) {
  const auto restorer = restorer_of(plan);
  const auto files = examples::files_of(plan.batch);
  examples::check_apart(plan.batch, files);
  examples::check_new(plan.batch, files);
  if (!plan.batch.out.empty()) examples::make_folder("--out", plan.batch.out);
  examples::try_output("--json", plan.json);
  const bool is_auto = plan.task == "auto" && restorer.router();

  examples::Failures failures{"limpid-restore", "smaller tiles need less: --tile 512"};
  examples::Progress progress;
  examples::BatchReport report{plan.task, is_auto, files.size(), failures, progress};
  examples::TileNote tiles{progress};
  const bool computes_aside = plan.compute.device != "cpu" || plan.engine != "limpid";
  const auto jobs = plan.jobs > 0 ? plan.jobs : computes_aside ? 1 : plan.compute.threads;
  examples::Lanes lanes{std::min(jobs, static_cast<std::int64_t>(files.size())),
                        plan.compute.threads, restorer, plan.task};
  std::vector<examples::Outcome> outcomes(files.size());
  std::mutex talking;
  const auto work = [&](std::size_t i) {
    const auto& [input, output] = files[i];
    auto& outcome = outcomes[i];
    if (plan.batch.skip_existing && examples::is_there(files[i])) {
      outcome.was_there = true;
      return;
    }
    const examples::Stopwatch watch;
    limpid::EncodedPicture restored;
    outcome.error = failures.error_of(input, [&, input = input, output = output] {
      const auto degraded = limpid::Image::load(input);
      outcome.width = degraded.width(), outcome.height = degraded.height();
      limpid::Image::check_can_be_saved(output, outcome.height, outcome.width);
      lanes.run(degraded, [&] {
        const auto note_tiles = [&] {
          const auto how = restorer.plan(plan.task, outcome.height, outcome.width);
          const std::lock_guard lock{talking};
          tiles.look_at("'" + input.string() + "'", how);
        };
        if (!is_auto) {
          note_tiles();
          restored = examples::encoded_as(restorer.restore(plan.task, degraded), plan.strength > 0,
                                          input, output);
          return;
        }
        const auto routed = restorer.restore_routed(degraded);
        restored = examples::encoded_as(routed.image, !routed.done.empty() && plan.strength > 0,
                                        input, output);
        outcome.routing = routed;
        if (!routed.done.empty()) note_tiles();
      });
    });
    if (!outcome.error.empty()) return;
    // From here on errors, such as a full disk, are not the picture's and stop everything.
    if (!plan.batch.out.empty()) examples::make_folder("--out", output.parent_path());
    restored.write();
    outcome.seconds = watch.seconds();
  };
  const auto tell = [&](std::size_t i) {
    const std::lock_guard lock{talking};
    report.tell(files[i], outcomes[i]);
  };
  examples::work_in_order(files.size(), lanes.jobs(), work, tell);
  examples::compare_results(plan.streams.comparison, report.pictures(), progress);
  report.say_all(plan.batch.out);
  examples::write_json(plan.json, nlohmann::json{{"model", plan.model.string()},
                                                 {"task", plan.task},
                                                 {"engine", plan.engine},
                                                 {"device", plan.compute.device},
                                                 {"threads", plan.compute.threads},
                                                 {"jobs", lanes.jobs()},
                                                 {"ensemble", plan.ensemble},
                                                 {"strength", plan.strength},
                                                 {"seconds", report.seconds()},
                                                 {"tiles", tiles.json()},
                                                 {"pictures", report.pictures()},
                                                 {"skipped", report.skipped()},
                                                 {"failed", failures.json()}});
  failures.check(files.size(), "restored");
}

/// Pictures and frames that are no batch of files, one at a time. @return the exit code
int restore_streams(Plan plan) {
  const auto restorer = restorer_of(plan);
  return examples::restore_streams(plan.streams, examples::ways_of(restorer, plan.task));
}

}  // namespace

int main(int argc, char** argv) {
  examples::keep_memory();
  Plan plan;
  CLI::App app{
      "Restores pictures of any size with a trained model.\n"
      "limpid-restore photo.jpg looks at the photograph, undoes what the model in the box is sure "
      "of, and writes photo.restored.jpg beside it; where it is sure of nothing, it says so, and "
      "the photograph comes back as it is.",
      "limpid-restore"};
  app.add_option("--model", plan.model,
                 "A model.limpid that limpid-train wrote [the one in the box, or the one that the "
                 "environment variable LIMPID_MODEL names]")
      ->type_name("FILE");
  app.add_option("--task", plan.task,
                 "One of the model's tasks, such as deblur; or auto: those that its router is sure "
                 "of, one after another [auto where the model has a router]")
      ->type_name("TASK");
  app.add_option("--engine", plan.engine,
                 "What computes the networks; others than limpid's own where this was built with "
                 "them:\n" +
                     limpid::kEngines.help())
      ->check(examples::one_of(limpid::kEngines))
      ->capture_default_str()
      ->type_name("NAME");
  app.add_option("--strength", plan.strength,
                 "How much of the change is made: 0 gives the picture back, 1 all of it")
      ->check(examples::Real{0, 1})
      ->capture_default_str()
      ->type_name("X");
  examples::add_tiling(app, plan.tiling);
  examples::add_tiling_kind(app, plan.tiling);
  examples::add_ensemble(app, plan.ensemble);
  app.add_option("--jobs", plan.jobs,
                 "Small pictures of a batch that are loaded, restored and saved at a time, sharing "
                 "the threads [as many as threads]")
      ->check(examples::Whole{1, 1024})
      ->type_name("N");
  app.add_option("--out", plan.batch.out,
                 "Folder for the restored pictures, made where missing [beside each picture, as "
                 "NAME.restored.EXT]")
      ->type_name("DIR");
  app.add_flag("--recursive", plan.batch.recursive,
               "Also what lies in subfolders, to the same subfolders of DIR");
  auto* overwrite = app.add_flag("--overwrite", plan.batch.overwrite,
                                 "Replace pictures that are there, never inputs");
  app.add_flag("--skip-existing", plan.batch.skip_existing,
               "Go on with a batch: pass over what is restored already")
      ->excludes(overwrite);
  app.add_option("--format", plan.batch.format,
                 "png or jpg [that of the picture beside it, png with --out]; a JPEG of a JPEG "
                 "keeps its quality, others have 95")
      ->check(CLI::IsMember({"png", "jpg"}));
  examples::add_streams(app, plan.streams);
  examples::add_json(app, plan.json, "Write what was restored, and how long it took");
  examples::add_max_pixels(app);
  examples::add_compute(app, plan.compute);
  app.add_option("IMAGE", plan.batch.images,
                 "Pictures (" + limpid::readable_formats() +
                     "), folders of them, and videos (by ffmpeg); -: standard input, to standard "
                     "output")
      ->type_name("");
  app.footer(
      "Two pictures never share a result: of IMG.jpg and IMG.bmp they are IMG.jpg.png and "
      "IMG.bmp.png, of cam1/IMG.jpg and cam2/IMG.jpg cam1/IMG.png and cam2/IMG.png.");
  return examples::run_program(app, argc, argv, [&] {
    plan.chose_convolution = app.count("--convolution") > 0;
    auto& streams = plan.streams;
    const auto& more = streams.comparison.pictures;
    plan.batch.images.insert(plan.batch.images.begin(), more.begin(), more.end());
    streams.inputs = plan.batch.images, streams.json = plan.json,
    streams.recursive = plan.batch.recursive;
    streams.overwrite = plan.batch.overwrite, streams.skip_existing = plan.batch.skip_existing;
    streams.format = plan.batch.format, streams.out = plan.batch.out;
    if (!streams.are_wanted()) {
      restore(plan);
      return 0;
    }
    return restore_streams(plan);
  });
}
