#pragma once

#include <limpid/datasets/published_layout.hpp>

#include <array>

namespace limpid {

namespace detail {

inline constexpr std::array kOutdoorRainParts{
    LayoutPart{"train", {"train/data/{}_s*_a*", "train/gt/{}"}},
    LayoutPart{"train", {"train/in/{}_s*_a*", "train/gt/{}"}},
    LayoutPart{"test", {"test/data/{}_s*_a*", "test/gt/{}"}}};

}  // namespace detail

/// Outdoor-Rain (Test1), heavy rain with veils: ROOT/test/data/im_NNNN_sS_aA.png, several for each
/// ROOT/test/gt/im_NNNN.png; ROOT is CVPR19RainTrain. ROOT/train/{data,gt} alike, or train/in.
///
/// Source: Li, Cheong and Tan, "Heavy Rain Image Restoration: Integrating Physics Model and
/// Conditional Adversarial Learning", CVPR 2019. The layout of train/ is from memory.
inline constexpr PublishedLayout kOutdoorRainLayout{"Outdoor-Rain", detail::kOutdoorRainParts};

/// `outdoor-rain:PATH`
inline constexpr DataFormat kOutdoorRainFormat = published_format<kOutdoorRainLayout>(
    "the folder with train/ and test/, each with data/ and gt/", "train test", "train", "test");

}  // namespace limpid
