#pragma once

// A folder that is watched until a signal comes.

#include <limpid/core/caught_signals.hpp>
#include <limpid/inference/output_files.hpp>
#include <limpid/io/image.hpp>
#include <limpid/io/make_folder.hpp>

#include <c10/util/Exception.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <filesystem>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

#include "../failures.hpp"
#include "../lies_in.hpp"
#include "../program.hpp"
#include "compare.hpp"
#include "encoded_as.hpp"
#include "frame_ways.hpp"
#include "stream_plan.hpp"
#include "watch.hpp"

namespace examples {

/// Where the result for a file of a watched folder goes: a name that no other picture's has.
inline std::filesystem::path watched_output(const Streams& streams,
                                            const std::vector<limpid::InputPicture>& seen,
                                            const std::filesystem::path& file) {
  const auto ending = streams.format.empty() ? "" : "." + streams.format;
  const auto files = streams.out.empty() ? limpid::plan_outputs_beside(seen, ending)
                                         : limpid::plan_outputs(seen, streams.out,
                                                                ending.empty() ? ".png" : ending);
  return std::find_if(files.begin(), files.end(),
                      [&](const auto& other) { return other.input == file; })
      ->output;
}

/// @return the exit code
inline int restore_watched(const Streams& streams, const RestoreWays& ways) {
  using namespace std::chrono_literals;
  const auto folder = streams.watched;
  const auto is_own = [&](const std::filesystem::path& file) {
    return streams.out.empty() ? is_made_by_us(file) : lies_in(file.parent_path(), streams.out);
  };
  if (!streams.out.empty()) {
    TORCH_CHECK(!lies_in(folder, streams.out), "--out: results would lie among the pictures of '",
                folder.string(), "', and be taken for pictures; name another folder");
    limpid::make_folder("--out", streams.out);
  }
  const limpid::CaughtSignals stop{limpid::CaughtSignals::Second::ends};
  WatchedFolder watched{folder, streams.recursive, is_own};
  Failures failures{"limpid-restore", "smaller tiles need less: --tile 512"};
  Progress progress;
  progress.say("watching '" + folder.string() + "'; Ctrl-C ends it");
  std::vector<limpid::InputPicture> seen;
  std::size_t count = 0;
  while (stop.first() == 0) {
    for (const auto& file : watched.look()) {
      if (stop.first() != 0) break;
      const bool is_known = std::any_of(seen.begin(), seen.end(),
                                        [&](const auto& other) { return other.file == file; });
      if (!is_known) seen.push_back({file, folder});
      const auto output = watched_output(streams, seen, file);
      std::error_code ignored;
      if (!streams.overwrite && !is_known && std::filesystem::exists(output, ignored)) continue;
      limpid::EncodedPicture encoded;
      std::string what;  // "auto" did
      const bool went_well = failures.attempt(file, [&] {
        const auto degraded = limpid::Image::load(file);
        if (ways.routed) {
          const auto routed = ways.routed(degraded);
          what = ": " + routed.text();
          encoded = encoded_as(routed.image, !routed.done.empty(), file, output);
        } else {
          encoded = encoded_as(ways.picture(degraded), true, file, output);
        }
      });
      failures.say(progress);
      if (!went_well) continue;
      if (!streams.out.empty()) limpid::make_folder("--out", output.parent_path());
      encoded.write();
      ++count;
      progress.say(file.string() + what + " -> " + output.string());
      const nlohmann::json made{{"input", file.string()}, {"output", output.string()}};
      compare_results(streams.comparison, nlohmann::json::array({made}), progress);
    }
    std::this_thread::sleep_for(500ms);
  }
  progress.say("watched '" + folder.string() + "': restored " + std::to_string(count) +
               " pictures");
  return 0;
}

}  // namespace examples
