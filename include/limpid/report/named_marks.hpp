#pragma once

#include <limpid/report/html.hpp>
#include <limpid/report/plot.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <string>
#include <vector>

// Marks in an SVG, and names beside them.
namespace limpid::detail {

/// A mark around (x, y): circle, square, triangle or diamond.
inline std::string marker(std::size_t shape, double x, double y, const std::string& style,
                          const std::string& title = {}) {
  const auto at = [&](double dx, double dy) { return fixed(x + dx) + " " + fixed(y + dy); };
  std::string path;
  switch (shape % 4) {
    case 0:
      path = "M" + at(-4.5, 0) + "a4.5 4.5 0 1 0 9 0a4.5 4.5 0 1 0 -9 0z";
      break;
    case 1:
      path = "M" + at(-4, -4) + "h8v8h-8z";
      break;
    case 2:
      path = "M" + at(0, -5.4) + "L" + at(5.2, 3.8) + "L" + at(-5.2, 3.8) + "z";
      break;
    default:
      path = "M" + at(0, -5.8) + "l5.8 5.8l-5.8 5.8l-5.8 -5.8z";
  }
  const auto start = "<path class=\"" + style + "\" d=\"" + path + "\"";
  return title.empty() ? start + "/>" : start + "><title>" + escaped(title) + "</title></path>";
}

/// At most `most` characters of UTF-8.
inline std::string shortened(const std::string& text, std::size_t most) {
  std::size_t characters = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if ((static_cast<unsigned char>(text[i]) & 0xc0) == 0x80) continue;
    if (characters++ == most) return text.substr(0, i) + "\xe2\x80\xa6";
  }
  return text;
}

inline double text_width(const std::string& text) {
  double width = 0;
  for (const char c : text) width += (static_cast<unsigned char>(c) & 0xc0) == 0x80 ? 0 : 7;
  return width;
}

/// Finds room for names beside their points.
class NamePlacer {
 public:
  NamePlacer(double left, double right, double top, double bottom)
      : area_{left, right, top, bottom} {}

  /// Keeps names off a point or a line of text.
  void occupy(double left, double right, double top, double bottom) {
    taken_.push_back({left, right, top, bottom});
  }

  /// The text element of `name`, right, left, above or below (x, y): the first place that is free.
  std::string place(const std::string& name, double x, double y, const std::string& style) {
    const auto width = text_width(name);
    // Anchored where the point is, so that a page that enlarges its text keeps it off the point.
    const std::array<Spot, 6> spots{{{x + 9, y + 4, 0, ""},
                                     {x - 9, y + 4, width, " text-anchor=\"end\""},
                                     {x, y - 10, width / 2, " text-anchor=\"middle\""},
                                     {x, y + 18, width / 2, " text-anchor=\"middle\""},
                                     {x + 7, y - 8, 0, ""},
                                     {x + 7, y + 17, 0, ""}}};
    auto best = spots[x + 9 + width <= area_.right ? 0 : 1];
    for (const auto& spot : spots) {
      if (!is_free(spot.x - spot.before, spot.y, width)) continue;
      best = spot;
      break;
    }
    const auto start = best.x - best.before;
    occupy(start, start + width, best.y - 10, best.y + 3);
    return "<text class=\"" + style + "\" x=\"" + fixed(best.x) + "\" y=\"" + fixed(best.y) + "\"" +
           best.anchor + ">" + escaped(name) + "</text>\n";
  }

 private:
  struct Room {
    double left, right, top, bottom;
  };

  /// Where a name's anchor goes, and how much of it stands before the anchor.
  struct Spot {
    double x, y, before;
    const char* anchor;
  };

  bool is_free(double x, double y, double width) const {
    const Room room{x, x + width, y - 10, y + 3};
    if (room.left < area_.left || room.right > area_.right || room.top < area_.top ||
        room.bottom > area_.bottom) {
      return false;
    }
    return std::none_of(taken_.begin(), taken_.end(), [&](const Room& other) {
      return room.left < other.right && other.left < room.right && room.top < other.bottom &&
             other.top < room.bottom;
    });
  }

  Room area_;
  std::vector<Room> taken_;
};

}  // namespace limpid::detail
