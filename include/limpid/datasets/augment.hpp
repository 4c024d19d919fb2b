#pragma once

#include <limpid/core/compiled.hpp>
#include <limpid/core/interval.hpp>
#include <limpid/core/named.hpp>
#include <limpid/core/random.hpp>
#include <limpid/core/window.hpp>
#include <limpid/io/image.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#ifdef LIMPID_BODIES
#include <limpid/core/fail.hpp>
#include <limpid/datasets/signed_of_byte.hpp>

#include <c10/util/Exception.h>

#include <algorithm>
#endif

namespace limpid {

/// How crops are varied beside their place. Turns suit what has no up and down; flips nearly
/// everything but writing. What mixes the pairs of a batch does so with some of the batches.
struct Augmentation {
  bool flip = true;     ///< left and right exchanged for half of the crops
  bool turns = true;    ///< crops turned by a multiple of 90 degrees
  double mixup = 0;     ///< share of batches whose pairs are blended with one another
  double cut_mix = 0;   ///< share of batches whose pairs get a part of one another
  double cut_blur = 0;  ///< share of batches whose pictures are degraded in a part only

  /// Whether batches are mixed.
  bool mixes() const { return mixup > 0 || cut_mix > 0 || cut_blur > 0; }

  /// "flip+turns+mixup@0.5", "flip" or "none": what command lines and files have.
  std::string text() const;

  /// Reads such a text.
  /// @throws c10::ValueError for another.
  static Augmentation parse(std::string_view text);

  /// What a text may hold.
  static std::vector<std::string> names();

  friend bool operator==(const Augmentation&, const Augmentation&) = default;

 private:
  struct Part {
    std::string_view name;
    bool Augmentation::*always;
    double Augmentation::*sometimes;

    double share(const Augmentation& of) const;
  };

  static const std::array<Part, 5> kParts;

  void add(std::string_view piece);
};

inline const std::array<Augmentation::Part, 5> Augmentation::kParts{{
    {"flip", &Augmentation::flip, nullptr},
    {"turns", &Augmentation::turns, nullptr},
    {"mixup", nullptr, &Augmentation::mixup},
    {"cut-mix", nullptr, &Augmentation::cut_mix},
    {"cut-blur", nullptr, &Augmentation::cut_blur},
}};

namespace detail {

/// Which part of a picture is taken and how it is turned.
struct CropPlan {
  std::int64_t top = 0;
  std::int64_t left = 0;
  bool flip = false;               ///< left and right exchanged, before the turn
  std::int64_t quarter_turns = 0;  ///< anticlockwise
};

/// The plan for one sample. Every number is drawn whether it is used or not, so that switching one
/// option leaves the others' choices alone.
LIMPID_INLINE CropPlan plan_crop(std::int64_t height, std::int64_t width, std::int64_t crop,
                                 const Augmentation& augmentation, Random& random);

/// What a crop reads of a picture: smaller than the crop where the picture is.
LIMPID_INLINE Window crop_window(const CropPlan& plan, std::int64_t crop, std::int64_t height,
                                 std::int64_t width);

/// The rows (or columns) that a crop reads: `crop` in a row from `start` on, or, where the picture
/// is smaller, all of them in the middle, mirrored at both borders.
LIMPID_INLINE std::vector<std::int64_t> crop_lines(std::int64_t side, std::int64_t start,
                                                   std::int64_t crop);

/// Writes a turned crop of `image` to `out`, (3, crop, crop) in [-1, 1].
LIMPID_INLINE void write_crop(const Image& image, const CropPlan& plan, std::int64_t crop,
                              float* out);

}  // namespace detail
}  // namespace limpid

#ifdef LIMPID_BODIES

namespace limpid {

LIMPID_INLINE std::string Augmentation::text() const {
  std::string text;
  for (const auto& part : kParts) {
    const auto share = part.share(*this);
    if (share == 0) continue;
    text += (text.empty() ? "" : "+") + std::string{part.name};
    if (share != 1) text += "@" + Interval{share}.text();
  }
  return text.empty() ? "none" : text;
}

LIMPID_INLINE Augmentation Augmentation::parse(std::string_view text) {
  Augmentation result{false, false};
  if (text == "none") return result;
  for (auto rest = text;;) {
    const auto plus = rest.find('+');
    result.add(rest.substr(0, plus));
    if (plus == rest.npos) return result;
    rest.remove_prefix(plus + 1);
  }
}

LIMPID_INLINE std::vector<std::string> Augmentation::names() {
  std::vector<std::string> names;
  for (const auto& part : kParts) names.emplace_back(part.name);
  return names;
}

LIMPID_INLINE double Augmentation::Part::share(const Augmentation& of) const {
  return always != nullptr ? (of.*always ? 1 : 0) : of.*sometimes;
}

LIMPID_INLINE void Augmentation::add(std::string_view piece) {
  const auto at = piece.find('@');
  const auto name = piece.substr(0, at);
  const auto part = std::find_if(kParts.begin(), kParts.end(),
                                 [&](const Part& known) { return means_name(name, known.name); });
  if (part == kParts.end()) {
    auto known = names();
    known.insert(known.begin(), "none");
    detail::refuse_name("an augmentation", known, name);
  }
  if (part->always != nullptr) {
    if (at != piece.npos) {
      limpid::refuse("augmentation '", name, "' is on or off, and takes no share; got '", piece,
                     "'");
    }
    this->*(part->always) = true;
    return;
  }
  auto share = Interval{1};
  if (at != piece.npos) share = Interval::parse(piece.substr(at + 1));
  if (share.low() != share.high() || share.low() <= 0 || share.low() > 1) {
    limpid::refuse("augmentation '", name,
                   "': expected a share of the batches above 0, at most 1, got '",
                   piece.substr(at + 1), "'");
  }
  this->*(part->sometimes) = share.low();
}

}  // namespace limpid

namespace limpid::detail {

LIMPID_INLINE CropPlan plan_crop(std::int64_t height, std::int64_t width, std::int64_t crop,
                                 const Augmentation& augmentation, Random& random) {
  const auto room = [&](std::int64_t side) { return std::max<std::int64_t>(0, side - crop) + 1; };
  CropPlan plan;
  plan.top = random.below(room(height));
  plan.left = random.below(room(width));
  plan.flip = random.chance(0.5) && augmentation.flip;
  const auto quarter_turns = random.below(4);
  plan.quarter_turns = augmentation.turns ? quarter_turns : 0;
  return plan;
}

LIMPID_INLINE Window crop_window(const CropPlan& plan, std::int64_t crop, std::int64_t height,
                                 std::int64_t width) {
  return {plan.top, plan.left, std::min(crop, height), std::min(crop, width)};
}

LIMPID_INLINE std::vector<std::int64_t> crop_lines(std::int64_t side, std::int64_t start,
                                                   std::int64_t crop) {
  std::vector<std::int64_t> lines(static_cast<std::size_t>(crop));
  const auto first = side >= crop ? start : -((crop - side) / 2);
  const auto period = std::max<std::int64_t>(1, 2 * (side - 1));
  for (std::int64_t i = 0; i < crop; ++i) {
    auto line = (first + i) % period;
    if (line < 0) line += period;
    lines[static_cast<std::size_t>(i)] = line < side ? line : period - line;
  }
  return lines;
}

LIMPID_INLINE void write_crop(const Image& image, const CropPlan& plan, std::int64_t crop,
                              float* out) {
  // Where the rows and columns begin that lie below and beside one another in what is written.
  auto rows = crop_lines(image.height(), plan.top, crop);
  auto columns = crop_lines(image.width(), plan.left, crop);
  const bool is_half_around = plan.quarter_turns == 1 || plan.quarter_turns == 2;
  if (plan.quarter_turns >= 2) std::reverse(rows.begin(), rows.end());
  if (plan.flip != is_half_around) std::reverse(columns.begin(), columns.end());
  for (auto& row : rows) row *= 3 * image.width();
  for (auto& column : columns) column *= 3;

  const auto& value = signed_of_byte();
  const auto* const pixels = image.data();
  const auto plane = crop * crop;
  const auto put = [&](std::int64_t row, std::int64_t column, float* to) {
    const auto* pixel = pixels + row + column;
    to[0] = value[pixel[0]];
    to[plane] = value[pixel[1]];
    to[2 * plane] = value[pixel[2]];
  };
  if (plan.quarter_turns % 2 == 0) {
    for (const auto row : rows) {
      for (const auto column : columns) put(row, column, out++);
    }
    return;
  }
  // On its side: some rows at a time, each of which is a column of `out`, because a cache does not
  // hold a line for each row of the crop.
  constexpr std::int64_t kRows = 8;
  for (std::int64_t first = 0; first < crop; first += kRows) {
    const auto end = std::min(first + kRows, crop);
    auto* line = out;
    for (const auto column : columns) {
      for (auto y = first; y < end; ++y) put(rows[static_cast<std::size_t>(y)], column, line + y);
      line += crop;
    }
  }
}

}  // namespace limpid::detail

#endif  // LIMPID_BODIES
