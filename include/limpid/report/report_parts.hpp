#pragma once

#include <limpid/io/image.hpp>
#include <limpid/metrics/scores.hpp>
#include <limpid/report/plot.hpp>
#include <limpid/report/report_table.hpp>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace limpid {

/// One photograph: what went in, what came out, and the truth; of one size.
struct ReportPicture {
  std::string name;
  Image degraded;
  Image restored;
  Image target;
};

/// What a report says of one task.
struct ReportTask {
  TaskEvaluation evaluation;              ///< names the task; may be without images
  std::vector<ReportPicture> pictures{};  ///< shown with a slider, the PSNR of each beside it
  std::vector<Plot> plots{};              ///< `task_plots` of the training log
};

/// A name and its value; a value may have several lines.
struct Fact {
  std::string name;
  std::string value;
  bool is_code = false;  ///< a command line, shown in fixed width
};

/// What a report page shows, from top to bottom. All text is plain text.
struct Report {
  std::string title = "Restoration report";
  std::string summary{};                ///< a sentence or two under the title
  std::vector<std::string> warnings{};  ///< what a reader must know before the numbers
  bool tiles = true;                    ///< the first metric of each task in large figures
  std::vector<ReportTable> tables{};    ///< before the tasks' scores
  std::vector<ReportTask> tasks{};
  std::vector<Plot> plots{};         ///< of the whole run: `run_plots`
  std::vector<Fact> facts{};         ///< what ran, for how long, where, with which version
  std::vector<std::string> notes{};  ///< remarks at the end
};

struct ReportOptions {
  std::int64_t max_side = 960;  ///< larger pictures are shown scaled down; scores are of the full
  int jpeg_quality = 90;        ///< of embedded pictures, 1..100; keeps blur and haze visible
};

}  // namespace limpid
