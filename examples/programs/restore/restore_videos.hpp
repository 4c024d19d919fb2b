#pragma once

// Videos of a command line, one after the other.

#include <limpid/core/progress_line.hpp>
#include <limpid/io/image.hpp>
#include <limpid/io/make_folder.hpp>

#include <c10/util/Exception.h>
#include <nlohmann/json.hpp>

#include <filesystem>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "../failures.hpp"
#include "../output.hpp"
#include "../program.hpp"
#include "frame_ways.hpp"
#include "stream_plan.hpp"
#include "video.hpp"

namespace examples {

/// Where a restored video goes: `out` if that names a video, else into that folder, else beside the
/// input as NAME.restored.EXT.
inline std::filesystem::path video_output(const std::filesystem::path& input,
                                          const std::filesystem::path& out) {
  const auto extension = video_extension(input);
  const auto stem = input.stem().string();
  if (out.empty()) return input.parent_path() / (stem + ".restored" + extension);
  std::error_code ignored;
  const bool is_file = out.has_extension() && !std::filesystem::is_directory(out, ignored) &&
                       video_extension(out) == out.extension();
  return is_file ? out : out / (stem + extension);
}

/// @return the exit code
inline int restore_videos(const Streams& streams, const RestoreWays& ways) {
  std::vector<VideoJob> jobs;
  for (const auto& input : streams.inputs) {
    if (!is_video_file(input)) {
      throw UsageError("'" + input.string() +
                       "': expected a video beside the others; pictures are a run of their own");
    }
    VideoJob job{input, video_output(input, streams.out)};
    std::error_code ignored;
    TORCH_CHECK(!std::filesystem::equivalent(job.input, job.output, ignored), "'",
                job.output.string(), "' would overwrite the input; name another");
    for (const auto& other : jobs) {
      TORCH_CHECK(other.output != job.output, "'", other.input.string(), "' and '",
                  job.input.string(), "' would both be written to '", job.output.string(), "'");
    }
    const bool is_there = std::filesystem::exists(job.output, ignored);
    TORCH_CHECK(!is_there || streams.overwrite || streams.skip_existing, "'", job.output.string(),
                "' is there already; name another with --out, --overwrite to replace, or "
                "--skip-existing to go on with the rest");
    if (!is_there || streams.overwrite) jobs.push_back(std::move(job));
  }
  try_output("--json", streams.json);
  Failures failures{"limpid-restore", "smaller tiles need less: --tile 512"};
  Progress progress;
  auto videos = nlohmann::json::array();
  for (const auto& job : jobs) {
    if (job.output.has_parent_path()) limpid::make_folder("--out", job.output.parent_path());
    VideoResult result;
    const bool went_well = failures.attempt(job.input, [&] {
      auto restore = ways.picture;
      if (ways.choose()) {
        std::vector<limpid::Image> shown;
        auto frames = key_frames(job, 8);
        for (auto& frame : frames) shown.push_back(as_picture(frame));
        const auto tasks = ways.tasks_of_frames(shown);
        progress.say("'" + job.input.string() + "': " +
                     (tasks.empty() ? "sure of nothing; its frames stay as they are"
                                    : listed(tasks) + ", by " + std::to_string(shown.size()) +
                                          " of its frames"));
        restore = [&, tasks](const limpid::Image& degraded) {
          return ways.by_tasks(tasks, degraded);
        };
      }
      result = restore_video(job, changing_frames(restore), progress);
    });
    failures.say(progress);
    if (!went_well) continue;
    if (result.signal != 0) {
      progress.say("limpid-restore: interrupted; '" + job.output.string() + "' is not written");
      return 128 + result.signal;
    }
    progress.say("restored " + std::to_string(result.frames) + " frames of " +
                 std::to_string(result.width) + " x " + std::to_string(result.height) + " to '" +
                 job.output.string() + "', " + limpid::duration_text(result.seconds));
    videos.push_back({{"input", job.input.string()},
                      {"output", job.output.string()},
                      {"frames", result.frames},
                      {"width", result.width},
                      {"height", result.height},
                      {"seconds", result.seconds}});
  }
  write_json(streams.json, nlohmann::json{{"videos", videos}, {"failed", failures.json()}});
  failures.check(jobs.size(), "restored");
  return 0;
}

}  // namespace examples
