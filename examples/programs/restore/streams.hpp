#pragma once

// Where pictures come from and go to beside files: pipes, videos, folders that are watched.

#include <limpid/io/image.hpp>

#include "../program.hpp"
#include "frame_ways.hpp"
#include "pipes.hpp"
#include "restore_videos.hpp"
#include "restore_watched.hpp"
#include "stream_plan.hpp"

namespace examples {

/// Restores what `streams` names. @return the exit code
inline int restore_streams(const Streams& streams, const RestoreWays& ways) {
  if (streams.is_raw()) {
    Progress progress;
    ChangeFrame change;
    const auto choose_first = [&](Frame& frame) {
      if (change == nullptr) {
        auto restore = ways.picture;
        if (ways.choose()) {
          const auto tasks = ways.tasks_of_frames({as_picture(frame)});
          progress.say("frames: " + (tasks.empty() ? "sure of nothing; they stay as they are"
                                                   : listed(tasks) + ", by the first of them"));
          restore = [&, tasks](const limpid::Image& degraded) {
            return ways.by_tasks(tasks, degraded);
          };
        }
        change = changing_frames(restore);
      }
      change(frame);
    };
    const auto count = restore_raw_frames(streams.raw, choose_first, progress);
    progress.say("restored " + std::to_string(count) + " frames");
    return 0;
  }
  if (streams.is_piped()) {
    restore_piped_picture(streams.format, [&](const limpid::Image& degraded) {
      if (!ways.routed) return ways.picture(degraded);
      const auto routed = ways.routed(degraded);
      Progress{}.say("standard input: " + routed.text());
      return routed.image;
    });
    return 0;
  }
  return streams.watched.empty() ? restore_videos(streams, ways) : restore_watched(streams, ways);
}

}  // namespace examples
