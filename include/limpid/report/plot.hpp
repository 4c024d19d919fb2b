#pragma once

#include <limpid/report/html.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <limits>
#include <string>
#include <utility>
#include <vector>

namespace limpid {

/// A curve: values y at places x. Values that are not finite leave a gap.
struct Series {
  std::string label;
  std::vector<double> x{};
  std::vector<double> y{};
};

/// Curves that share their axes; at most four are told apart by colour and dashes.
struct Plot {
  std::string title;
  std::string x_label;  ///< with its unit, where it has one
  std::string y_label;
  std::vector<Series> series{};
};

/// At most four digits that count: "0.25", "1e-06".
inline std::string plain_number(double value) {
  char buffer[64];
  std::snprintf(buffer, sizeof buffer, "%.4g", value);
  return buffer;
}

namespace detail {

/// At most `most` points: each the mean of its neighbours, NaN where none of them is finite.
inline Series thinned(const Series& series, std::size_t most) {
  const auto count = std::min(series.x.size(), series.y.size());
  if (count <= most) return series;
  Series result{series.label, {}, {}};
  for (std::size_t i = 0; i < most; ++i) {
    const auto first = i * count / most, last = (i + 1) * count / most;
    double x = 0, y = 0, finite = 0;
    for (auto k = first; k < last; ++k) {
      x += series.x[k];
      if (!std::isfinite(series.y[k])) continue;
      y += series.y[k];
      ++finite;
    }
    result.x.push_back(x / static_cast<double>(last - first));
    result.y.push_back(finite > 0 ? y / finite : std::numeric_limits<double>::quiet_NaN());
  }
  return result;
}

/// One axis: where it starts and ends, and the distance of its marks, 1, 2 or 5 times a power
/// of 10.
struct Axis {
  double low = 0, high = 1, step = 0.2;

  static Axis around(double low, double high, bool to_marks) {
    if (!(low <= high)) return {};
    const auto size = std::max(std::abs(low), std::abs(high));
    if (high - low <= 1e-9 * size) {  // marks must differ, also in a double's digits
      const auto room = size == 0 ? 1 : size * 0.05;
      low -= room, high += room;
    }
    const auto raw = (high - low) / 5;
    const auto power = std::pow(10.0, std::floor(std::log10(raw)));
    const auto step = power * (raw <= power ? 1 : raw <= 2 * power ? 2 : raw <= 5 * power ? 5 : 10);
    if (!to_marks) return {low, high, step};
    return {std::floor(low / step + 1e-9) * step, std::ceil(high / step - 1e-9) * step, step};
  }

  double part(double value) const { return (value - low) / (high - low); }

  std::vector<double> marks() const {
    std::vector<double> marks;
    for (auto i = std::ceil(low / step - 1e-9); i * step <= high + step * 1e-9; ++i) {
      marks.push_back(i == 0 ? 0.0 : i * step);
    }
    return marks;
  }

  /// A mark's text, with as many decimals as `step` needs.
  std::string text(double mark) const {
    char buffer[64];
    const auto largest = std::max(std::abs(low), std::abs(high));
    if (largest >= 1e6 || step < 1e-4) {
      std::snprintf(buffer, sizeof buffer, "%.3g", mark);
    } else {
      const auto decimals = std::max(0, static_cast<int>(-std::floor(std::log10(step) + 1e-9)));
      std::snprintf(buffer, sizeof buffer, "%.*f", decimals, mark);
    }
    return buffer;
  }
};

inline std::string fixed(double value, int decimals = 1) {
  char buffer[64];
  std::snprintf(buffer, sizeof buffer, "%.*f", decimals, value);
  return buffer;
}

/// What a plot shows, in words: for readers who do not see it.
inline std::string described(const Plot& plot) {
  std::string text = plot.title + ", " + plot.y_label + " over " + plot.x_label + ".";
  for (const auto& series : plot.series) {
    double first = 0, last = 0;
    bool any = false;
    for (const auto y : series.y) {
      if (!std::isfinite(y)) continue;
      if (!any) first = y;
      last = y;
      any = true;
    }
    text += " " + series.label + ": ";
    text += any ? "from " + plain_number(first) + " to " + plain_number(last) + "." : "no value.";
  }
  return text;
}

/// A plot as an HTML figure with an inline SVG. Colours and dashes come from the page's style.
inline std::string plot_html(const Plot& plot) {
  constexpr double width = 420, height = 250, left = 68, right = 18, top = 10, bottom = 44;
  constexpr std::size_t styles = 4, most_points = 150;
  std::vector<Series> curves;
  double x_low = INFINITY, x_high = -INFINITY, y_low = INFINITY, y_high = -INFINITY;
  std::size_t longest = 0;
  for (const auto& series : plot.series) {
    curves.push_back(thinned(series, most_points));
    longest = std::max(longest, series.x.size());
    for (const auto x : series.x) {
      if (std::isfinite(x)) x_low = std::min(x_low, x), x_high = std::max(x_high, x);
    }
    for (const auto y : curves.back().y) {
      if (std::isfinite(y)) y_low = std::min(y_low, y), y_high = std::max(y_high, y);
    }
  }
  if (x_low > 0 && x_low < 0.2 * x_high) x_low = 0;
  const auto x_axis = Axis::around(x_low, x_high, false),
             y_axis = Axis::around(y_low, y_high, true);
  auto x_label = plot.x_label;
  if (longest > most_points) {
    x_label += " (a point is the mean of " + fixed(static_cast<double>(longest) / most_points, 1) +
               " values)";
  }
  const auto x_at = [&](double x) { return left + x_axis.part(x) * (width - left - right); };
  const auto y_at = [&](double y) {
    return height - bottom - y_axis.part(y) * (height - top - bottom);
  };

  std::string html = "<figure class=\"plot card\">\n<figcaption>" + escaped(plot.title) +
                     "</figcaption>\n<ul class=\"legend\">\n";
  for (std::size_t i = 0; i < curves.size(); ++i) {
    html += "<li><svg viewBox=\"0 0 30 10\" aria-hidden=\"true\"><path class=\"curve s" +
            std::to_string(i % styles) + "\" d=\"M1 5H29\"/></svg>" + escaped(curves[i].label) +
            "</li>\n";
  }
  html += "</ul>\n<svg viewBox=\"0 0 420 250\" role=\"img\" aria-label=\"" +
          escaped(described(plot)) + "\">\n";
  for (const auto mark : y_axis.marks()) {
    const auto y = fixed(y_at(mark));
    html += "<path class=\"grid\" d=\"M" + fixed(left) + " " + y + "H" + fixed(width - right) +
            "\"/><text x=\"" + fixed(left - 7) + "\" y=\"" + fixed(y_at(mark) + 4) +
            "\" text-anchor=\"end\">" + y_axis.text(mark) + "</text>\n";
  }
  for (const auto mark : x_axis.marks()) {
    html += "<path class=\"axis\" d=\"M" + fixed(x_at(mark)) + " " + fixed(height - bottom) +
            "v4\"/><text x=\"" + fixed(x_at(mark)) + "\" y=\"" + fixed(height - bottom + 18) +
            "\" text-anchor=\"middle\">" + x_axis.text(mark) + "</text>\n";
  }
  html += "<path class=\"axis\" d=\"M" + fixed(left) + " " + fixed(height - bottom) + "H" +
          fixed(width - right) + "\"/>\n<text x=\"" + fixed((left + width - right) / 2) +
          "\" y=\"" + fixed(height - 6) + "\" text-anchor=\"middle\">" + escaped(x_label) +
          "</text>\n<text transform=\"translate(14 " + fixed((top + height - bottom) / 2) +
          ") rotate(-90)\" text-anchor=\"middle\">" + escaped(plot.y_label) + "</text>\n";
  for (std::size_t i = 0; i < curves.size(); ++i) {
    const auto& curve = curves[i];
    std::string path, end;
    bool pen_down = false;
    for (std::size_t k = 0; k < std::min(curve.x.size(), curve.y.size()); ++k) {
      if (!std::isfinite(curve.x[k]) || !std::isfinite(curve.y[k])) {
        pen_down = false;
        continue;
      }
      const auto x = fixed(x_at(curve.x[k])), y = fixed(y_at(curve.y[k]));
      path += (pen_down ? "L" : "M") + x + " " + y;
      pen_down = true;
      end = "<circle class=\"end" + std::to_string(i % styles) + "\" cx=\"" + x + "\" cy=\"" + y +
            "\" r=\"3.5\"/>";
    }
    if (path.empty()) continue;
    html += "<path class=\"curve s" + std::to_string(i % styles) + "\" d=\"" + path + "\"/>" + end +
            "\n";
  }
  return html + "</svg>\n</figure>\n";
}

}  // namespace detail
}  // namespace limpid
