#pragma once

#include <limpid/datasets/published_layout.hpp>

#include <array>

namespace limpid {

namespace detail {

inline constexpr std::array kHIDEParts{
    LayoutPart{"train", {"train/{}", "GT/{}", true}},
    LayoutPart{"test", {"test/*/{}", "GT/{}", true}},
    LayoutPart{"test", {"test/{}", "GT/{}", true}},
    LayoutPart{"close-ups", {"test/test-close-ups/{}", "GT/{}", true}},
    LayoutPart{"long-shot", {"test/test-long-shot/{}", "GT/{}", true}}};

}  // namespace detail

/// HIDE, motion blur of people: ROOT/train, ROOT/test/{test-close-ups,test-long-shot} and, for all
/// of them, ROOT/GT with equal names; ROOT is HIDE_dataset. 6397 and 2025 pairs.
///
/// Source: Shen et al., "Human-Aware Motion Deblurring", ICCV 2019.
inline constexpr PublishedLayout kHIDELayout{"HIDE", detail::kHIDEParts};

/// `hide:PATH`
inline constexpr DataFormat kHIDEFormat = published_format<kHIDELayout>(
    "the folder with train/, test/ and GT/", "train test close-ups long-shot", "train", "test");

}  // namespace limpid
