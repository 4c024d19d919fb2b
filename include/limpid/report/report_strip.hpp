#pragma once

#include <limpid/core/check.hpp>
#include <limpid/io/image.hpp>
#include <limpid/metrics/psnr.hpp>
#include <limpid/report/picture_strip.hpp>
#include <limpid/report/report_parts.hpp>

#include <c10/util/Exception.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace limpid {

/// Shape of a `report_strip`.
struct ReportStripOptions {
  std::int64_t width = 300;   ///< of one picture, pixels
  std::int64_t height = 200;  ///< of one picture, pixels
};

namespace detail {

/// The picture of a task whose gain in PSNR is the median: neither the best nor the worst. Pictures
/// that are exact before or after have no gain; the middle one where all are so.
inline const ReportPicture& median_picture(const ReportTask& task) {
  std::vector<std::pair<double, std::size_t>> gains;
  for (std::size_t i = 0; i < task.pictures.size(); ++i) {
    const auto& picture = task.pictures[i];
    const auto target = picture.target.unit();
    const PSNR<> psnr{};
    const auto gain = psnr(picture.restored.unit(), target) - psnr(picture.degraded.unit(), target);
    if (std::isfinite(gain)) gains.emplace_back(gain, i);
  }
  if (gains.empty()) return task.pictures[task.pictures.size() / 2];
  std::sort(gains.begin(), gains.end());
  return task.pictures[gains[gains.size() / 2].second];
}

/// The middle of an image in the strip's shape: up to twice its size, so that a blur still shows.
inline Image strip_part(const Image& image, const ReportStripOptions& options) {
  const auto fits = [&](std::int64_t width) {
    return width <= image.width() && width * options.height / options.width <= image.height();
  };
  auto width = 2 * options.width;
  while (width > 1 && !fits(width)) --width;
  const auto height = std::max<std::int64_t>(1, width * options.height / options.width);
  return image.crop((image.height() - height) / 2, (image.width() - width) / 2, height, width)
      .resized(options.height, options.width);
}

}  // namespace detail

/// One picture for a README: a row for each task that has pictures, degraded | restored | true, of
/// the task's picture with the median gain.
///
/// @throws c10::ValueError if no task has pictures, or a side is below 1.
inline Image report_strip(const std::vector<ReportTask>& tasks,
                          const ReportStripOptions& options = {}) {
  detail::check_at_least("report_strip: width", options.width, 1);
  detail::check_at_least("report_strip: height", options.height, 1);
  std::vector<Image> rows;
  for (const auto& task : tasks) {
    if (task.pictures.empty()) continue;
    const auto& picture = detail::median_picture(task);
    rows.push_back(picture_strip(detail::strip_part(picture.degraded, options),
                                 detail::strip_part(picture.restored, options),
                                 detail::strip_part(picture.target, options)));
  }
  TORCH_CHECK_VALUE(!rows.empty(), "report_strip: expected a task with pictures, got none");
  return picture_column(rows);
}

}  // namespace limpid
