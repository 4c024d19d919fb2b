#pragma once

#include <limpid/report/html.hpp>
#include <limpid/report/named_marks.hpp>
#include <limpid/report/perception_distortion.hpp>
#include <limpid/report/plot.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace limpid {

namespace detail {

/// What a figure of the plane needs beside the page's style.
inline constexpr std::string_view kPlaneStyle = R"css(
.plot text.name { fill: var(--ink); }
.input { fill: var(--card); stroke: var(--quiet); stroke-width: 1.6; }
.sharp { fill: none; stroke: var(--good); stroke-width: 1.6; stroke-dasharray: 7 4; }
.true-end { fill: var(--card); stroke: var(--good); stroke-width: 1.6; }
.plot text.true { fill: var(--good); }
)css";

/// The page's colours, for a figure that stands alone.
inline constexpr std::string_view kAloneStyle = R"css(
svg { color-scheme: light dark; font: 12px system-ui, "DejaVu Sans", sans-serif; --card: #ffffff; --ink: #16191d;
  --quiet: #59616b; --line: #dde1e6; --good: #0b6b3a; --s0: #2a6fdb; --s1: #cc5208; --s2: #0d8465; --s3: #8549cf; }
@media (prefers-color-scheme: dark) { svg { --card: #1b1e23; --ink: #e9ecef; --quiet: #a3abb5;
  --line: #343a42; --good: #7fdca6; --s0: #6aa6ff; --s1: #ff9552; --s2: #3fcf9f; --s3: #c59bff; } }
text { fill: var(--quiet); }
.back { fill: var(--card); }
.grid { stroke: var(--line); }
.axis { stroke: var(--quiet); }
.end0 { fill: var(--s0); } .end1 { fill: var(--s1); } .end2 { fill: var(--s2); } .end3 { fill: var(--s3); }
)css";

/// The axis of a plane around finite values, with room at both ends.
inline Axis plane_axis(const std::vector<double>& values) {
  double low = INFINITY, high = -INFINITY;
  for (const auto value : values) {
    if (std::isfinite(value)) low = std::min(low, value), high = std::max(high, value);
  }
  const auto room = 0.07 * (high - low);
  const auto least = low >= 0 ? std::max(0.0, low - room) : low - room;
  return low <= high ? Axis::around(least, high + room, true) : Axis{};
}

inline std::string axis_label(const PlaneAxis& axis) {
  const auto name = axis.label + (axis.unit.empty() ? "" : ", " + axis.unit);
  return axis.higher_is_better ? name + ": better \xe2\x86\x92" : "\xe2\x86\x90 better: " + name;
}

/// What the plane shows, in words.
inline std::string described(const PerceptionDistortion& plane) {
  std::string text;
  const auto add = [&](const PlanePoint& point, const std::string& who) {
    text += point.task + ", " + who + ": " + plane.distortion.label + " " +
            format_value(plane.distortion, point.distortion) + ", " + plane.perception.label + " " +
            format_value(plane.perception, point.perception) + ". ";
  };
  for (const auto& point : plane.degraded) add(point, "degraded");
  for (const auto& point : plane.restored) add(point, point.model);
  for (const auto& line : plane.sharp) {
    text += line.task + ", sharp: " + plane.perception.label + " " +
            format_value(plane.perception, line.perception) + ". ";
  }
  return text;
}

/// Colour is the model, shape the task; with one task, names stand beside the points instead.
class PlaneFigure {
 public:
  static constexpr double width = 420, plot_height = 300;

  /// @param models  in the order of their colours, which are then the same in figures of other
  /// tasks
  PlaneFigure(const PerceptionDistortion& plane, std::vector<std::string> models)
      : plane_(plane), tasks_(plane.tasks()), models_(std::move(models)) {
    std::vector<double> xs, ys;
    for (const auto* points : {&plane.degraded, &plane.restored}) {
      for (const auto& point : *points) {
        if (!shows(point)) continue;
        xs.push_back(point.distortion);
        ys.push_back(point.perception);
      }
    }
    for (const auto& line : plane.sharp) ys.push_back(line.perception);
    x_axis_ = plane_axis(xs);
    y_axis_ = plane_axis(ys);
  }

  bool one_task() const { return tasks_.size() <= 1; }

  /// The elements of the figure, without legend.
  std::string drawing() const {
    NamePlacer names{left + 2, width - right, top, plot_height - bottom};
    const auto lines_svg = lines(names);  // first: names of points keep off the lines
    return frame() + lines_svg + points(names);
  }

  /// Mark and text of each entry of the legend; empty for one task.
  std::vector<std::pair<std::string, std::string>> legend() const {
    std::vector<std::pair<std::string, std::string>> entries;
    if (one_task()) return entries;
    for (std::size_t i = 0; i < models_.size(); ++i) {
      entries.emplace_back(
          "<path class=\"end" + std::to_string(i % 4) + "\" d=\"M6 1h18v8h-18z\"/>", models_[i]);
    }
    for (std::size_t i = 0; i < tasks_.size(); ++i) {
      entries.emplace_back(marker(i, 15, 5, "input"), tasks_[i] + ", degraded");
    }
    if (!plane_.sharp.empty()) {
      entries.emplace_back("<path class=\"sharp\" d=\"M1 5H29\"/>", "true pictures");
    }
    return entries;
  }

 private:
  static constexpr double left = 68, right = 18, top = 12, bottom = 48;

  static bool shows(const PlanePoint& point) {
    return std::isfinite(point.distortion) && std::isfinite(point.perception);
  }

  double x_at(double x) const { return left + x_axis_.part(x) * (width - left - right); }
  double y_at(double y) const {
    return plot_height - bottom - y_axis_.part(y) * (plot_height - top - bottom);
  }

  template <class Names>
  static std::size_t index_of(const Names& names, const std::string& name) {
    return static_cast<std::size_t>(std::find(names.begin(), names.end(), name) - names.begin());
  }

  std::string frame() const {
    std::string svg;
    for (const auto mark : y_axis_.marks()) {
      const auto y = y_at(mark);
      svg += "<path class=\"grid\" d=\"M" + fixed(left) + " " + fixed(y) + "H" +
             fixed(width - right) + "\"/><text x=\"" + fixed(left - 7) + "\" y=\"" + fixed(y + 4) +
             "\" text-anchor=\"end\">" + y_axis_.text(mark) + "</text>\n";
    }
    const auto base = plot_height - bottom;
    for (const auto mark : x_axis_.marks()) {
      svg += "<path class=\"axis\" d=\"M" + fixed(x_at(mark)) + " " + fixed(base) +
             "v4\"/><text x=\"" + fixed(x_at(mark)) + "\" y=\"" + fixed(base + 18) +
             "\" text-anchor=\"middle\">" + x_axis_.text(mark) + "</text>\n";
    }
    return svg + "<path class=\"axis\" d=\"M" + fixed(left) + " " + fixed(base) + "H" +
           fixed(width - right) + "\"/>\n<text x=\"" + fixed((left + width - right) / 2) +
           "\" y=\"" + fixed(plot_height - 8) + "\" text-anchor=\"middle\">" +
           escaped(axis_label(plane_.distortion)) + "</text>\n<text transform=\"translate(14 " +
           fixed((top + base) / 2) + ") rotate(-90)\" text-anchor=\"middle\">" +
           escaped(axis_label(plane_.perception)) + "</text>\n";
  }

  std::string lines(NamePlacer& names) const {
    std::string svg;
    for (const auto& line : plane_.sharp) {
      if (!std::isfinite(line.perception)) continue;
      const auto y = y_at(line.perception), end = width - right;
      svg +=
          "<path class=\"sharp\" d=\"M" + fixed(left) + " " + fixed(y) + "H" + fixed(end) + "\"/>";
      names.occupy(left, end, y - 1, y + 1);
      if (!one_task()) {  // the task's shape at the end of the line
        svg +=
            marker(index_of(tasks_, line.task), end, y, "true-end", line.task + ", true pictures");
        continue;
      }
      const std::string name = "true pictures";
      const auto text_y = y - 5 < top + 8 ? y + 14 : y - 5;
      svg += "<text class=\"true\" x=\"" + fixed(end) + "\" y=\"" + fixed(text_y) +
             "\" text-anchor=\"end\">" + name + "</text>\n";
      names.occupy(end - text_width(name), end, text_y - 10, text_y + 3);
    }
    return svg;
  }

  std::string points(NamePlacer& names) const {
    std::string marks, texts;
    for (const auto* group : {&plane_.degraded, &plane_.restored}) {
      for (const auto& point : *group) {
        const auto x = x_at(point.distortion), y = y_at(point.perception);
        if (shows(point)) names.occupy(x - 6, x + 6, y - 6, y + 6);
      }
    }
    for (const auto* group : {&plane_.degraded, &plane_.restored}) {
      const bool is_input = group == &plane_.degraded;
      for (const auto& point : *group) {
        if (!shows(point)) continue;
        const auto x = x_at(point.distortion), y = y_at(point.perception);
        const auto model = index_of(models_, point.model);
        const auto name = is_input ? std::string{"degraded"} : point.model;
        const auto style = is_input ? "input" : "end" + std::to_string(model % 4);
        const auto shape = one_task() ? (is_input ? 0 : model) : index_of(tasks_, point.task);
        marks += marker(shape, x, y, style,
                        point.task + ", " + name + ": " + plane_.distortion.label + " " +
                            format_value(plane_.distortion, point.distortion) + ", " +
                            plane_.perception.label + " " +
                            format_value(plane_.perception, point.perception)) +
                 "\n";
        if (one_task()) {
          texts += names.place(shortened(name, 24), x, y, is_input ? "input-name" : "name");
        }
      }
    }
    return marks + texts;
  }

  PerceptionDistortion plane_;
  std::vector<std::string> tasks_, models_;
  Axis x_axis_, y_axis_;
};

/// The plane as an HTML figure of the report page, which needs `kPlaneStyle` too.
inline std::string plane_html(const PerceptionDistortion& plane, const std::string& title,
                              const std::vector<std::string>& models) {
  const PlaneFigure figure{plane, models};
  auto html = "<figure class=\"plot card\">\n<figcaption>" + escaped(title) + "</figcaption>\n";
  const auto legend = figure.legend();
  if (!legend.empty()) html += "<ul class=\"legend\">\n";
  for (const auto& [mark, text] : legend) {
    html += "<li><svg viewBox=\"0 0 30 10\" aria-hidden=\"true\">" + mark + "</svg>" +
            escaped(text) + "</li>\n";
  }
  if (!legend.empty()) html += "</ul>\n";
  return html + "<svg viewBox=\"0 0 420 300\" role=\"img\" aria-label=\"" +
         escaped(title + ". " + described(plane)) + "\">\n" + figure.drawing() +
         "</svg>\n</figure>\n";
}

}  // namespace detail

/// The plane as one SVG file for a paper or a README: light or dark as the viewer is.
///
/// @param models  in the order of their colours
inline std::string plane_svg(const PerceptionDistortion& plane,
                             const std::vector<std::string>& models) {
  using detail::fixed;
  const detail::PlaneFigure figure{plane, models};
  std::string legend;
  double x = 14, y = detail::PlaneFigure::plot_height + 8;
  for (const auto& [mark, name] : figure.legend()) {
    const auto text = detail::shortened(name, 40);
    const auto wide = 36 + detail::text_width(text) + 14;
    if (x > 14 && x + wide > detail::PlaneFigure::width) x = 14, y += 20;
    legend += "<g transform=\"translate(" + fixed(x) + " " + fixed(y) + ")\">" + mark +
              "<text class=\"name\" x=\"36\" y=\"9\">" + detail::escaped(text) + "</text></g>\n";
    x += wide;
  }
  const auto height = legend.empty() ? detail::PlaneFigure::plot_height : y + 22;
  const auto size = "0 0 " + fixed(detail::PlaneFigure::width, 0) + " " + fixed(height, 0);
  return "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"" + size +
         "\" width=\"840\" class=\"plot\" role=\"img\" aria-label=\"" +
         detail::escaped(detail::described(plane)) + "\">\n<style>" +
         std::string{detail::kAloneStyle} + std::string{detail::kPlaneStyle} +
         "</style>\n<rect class=\"back\" width=\"420\" height=\"" + fixed(height, 0) + "\"/>\n" +
         figure.drawing() + legend + "</svg>\n";
}

/// The same with the plane's own order of models.
inline std::string plane_svg(const PerceptionDistortion& plane) {
  return plane_svg(plane, plane.models());
}

}  // namespace limpid
