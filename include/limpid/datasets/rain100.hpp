#pragma once

#include <limpid/datasets/published_layout.hpp>

#include <array>

namespace limpid {

namespace detail {

inline constexpr std::array kRain100Parts{LayoutPart{"", {"rainy/rain-{}", "norain/norain-{}"}},
                                          LayoutPart{"", {"rainy/rain-{}", "norain-{}"}},
                                          LayoutPart{"", {"rainy/rain-{}", "rainy/norain-{}"}},
                                          LayoutPart{"", {"rain-{}", "norain-{}"}}};

}  // namespace detail

/// Rain100L or Rain100H, rain streaks: ROOT/rainy/rain-NNN.png with norain-NNN.png beside it, in
/// ROOT or in ROOT/norain; their training sets too.
///
/// Source: Yang et al., "Deep Joint Rain Detection and Removal from a Single Image", CVPR 2017.
inline constexpr PublishedLayout kRain100Layout{"Rain100", detail::kRain100Parts};

/// `rain100:PATH`
inline constexpr DataFormat kRain100Format = published_format<kRain100Layout>(
    "the folder of Rain100L or Rain100H, with rainy/rain-NNN.png, and norain-NNN.png there or in "
    "norain/",
    "", "", "");

}  // namespace limpid
