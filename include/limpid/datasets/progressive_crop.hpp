#pragma once

#include <limpid/core/compiled.hpp>
#include <limpid/core/interval.hpp>

#include <charconv>
#include <cstdint>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#ifdef LIMPID_BODIES
#include <limpid/core/check.hpp>

#include <c10/util/Exception.h>

#include <cmath>
#endif

namespace limpid {

/// From batch number `batch` on, crops have sides of `side` pixels.
struct CropFrom {
  std::int64_t batch = 0;
  std::int64_t side = 0;

  friend bool operator==(const CropFrom&, const CropFrom&) = default;
};

/// Crops that change their size while a run goes on: small ones first, which are fast and varied,
/// large ones at the end, which show the network what whole pictures do.
///
/// Source: Zamir et al., "Restormer", CVPR 2022, sec. 4.1. Differs: the batch keeps its size.
class ProgressiveCrop {
 public:
  /// From a part of the run on, a side.
  struct Part {
    std::int64_t side = 0;
    double from = 0;  ///< 0: its first step

    friend bool operator==(const Part&, const Part&) = default;
  };

  ProgressiveCrop() = default;

  /// @throws c10::ValueError unless the first part begins at 0, each next one later, below 1, and
  ///   all sides are positive.
  explicit ProgressiveCrop(std::vector<Part> parts);

  /// Reads "128:0,192:0.5,256:0.8": sides and the part of the run from which on they hold.
  /// @throws c10::ValueError that quotes what it cannot read.
  static ProgressiveCrop parse(std::string_view text);

  /// "128:0,192:0.5"; `parse` gives the same back.
  std::string text() const;

  bool empty() const { return parts_.empty(); }
  const std::vector<Part>& parts() const { return parts_; }

  /// What it is for a run of `batches`: a part begins with the first batch that lies in it.
  std::vector<CropFrom> by_batch(std::int64_t batches) const;

  friend bool operator==(const ProgressiveCrop&, const ProgressiveCrop&) = default;

 private:
  template <class Number>
  static bool read(std::string_view text, Number& number) {
    const auto* end = text.data() + text.size();
    const auto result = std::from_chars(text.data(), end, number);
    return result.ec == std::errc{} && result.ptr == end;
  }

  std::vector<Part> parts_;
};

}  // namespace limpid

#ifdef LIMPID_BODIES

namespace limpid {

LIMPID_INLINE ProgressiveCrop::ProgressiveCrop(std::vector<Part> parts) : parts_(std::move(parts)) {
  for (std::size_t i = 0; i < parts_.size(); ++i) {
    detail::check_at_least("ProgressiveCrop: side", parts_[i].side, 1);
    const auto from = parts_[i].from;
    TORCH_CHECK_VALUE(i > 0 || from == 0,
                      "ProgressiveCrop: expected the first side from 0 on, "
                      "got ",
                      parts_[i].side, " from ", from);
    TORCH_CHECK_VALUE(i == 0 || (parts_[i - 1].from < from && from < 1),
                      "ProgressiveCrop: expected parts of a run that grow "
                      "and stay below 1, got ",
                      from, " behind ", i == 0 ? 0.0 : parts_[i - 1].from);
  }
}

LIMPID_INLINE ProgressiveCrop ProgressiveCrop::parse(std::string_view text) {
  std::vector<Part> parts;
  for (auto rest = text;;) {
    const auto comma = rest.find(',');
    const auto piece = rest.substr(0, comma);
    const auto colon = piece.find(':');
    Part part;
    const bool good = colon != piece.npos && read(piece.substr(0, colon), part.side) &&
                      read(piece.substr(colon + 1), part.from) && std::isfinite(part.from);
    TORCH_CHECK_VALUE(good, "expected SIDE:PART,... with parts of the run from 0 to 1, found '",
                      piece, "' in '", text, "'");
    parts.push_back(part);
    if (comma == rest.npos) break;
    rest.remove_prefix(comma + 1);
  }
  return ProgressiveCrop{std::move(parts)};
}

LIMPID_INLINE std::string ProgressiveCrop::text() const {
  std::string text;
  for (const auto& part : parts_) {
    text +=
        (text.empty() ? "" : ",") + std::to_string(part.side) + ":" + Interval{part.from}.text();
  }
  return text;
}

LIMPID_INLINE std::vector<CropFrom> ProgressiveCrop::by_batch(std::int64_t batches) const {
  std::vector<CropFrom> result;
  for (const auto& part : parts_) {
    const auto exact = part.from * static_cast<double>(batches);
    result.push_back({static_cast<std::int64_t>(std::ceil(exact - 1e-9)), part.side});
  }
  return result;
}

}  // namespace limpid

#endif  // LIMPID_BODIES
