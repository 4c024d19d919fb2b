#pragma once

#include <limpid/datasets/published_layout.hpp>

#include <array>

namespace limpid {

namespace detail {

inline constexpr std::array kSnow100KParts{
    LayoutPart{"train", {"all/synthetic/{}", "all/gt/{}"}},
    LayoutPart{"test", {"test/Snow100K-{}/synthetic/{}", "test/Snow100K-{}/gt/{}"}},
    LayoutPart{"test", {"Snow100K-{}/synthetic/{}", "Snow100K-{}/gt/{}"}},
    LayoutPart{"small", {"test/Snow100K-S/synthetic/{}", "test/Snow100K-S/gt/{}"}},
    LayoutPart{"small", {"Snow100K-S/synthetic/{}", "Snow100K-S/gt/{}"}},
    LayoutPart{"medium", {"test/Snow100K-M/synthetic/{}", "test/Snow100K-M/gt/{}"}},
    LayoutPart{"medium", {"Snow100K-M/synthetic/{}", "Snow100K-M/gt/{}"}},
    LayoutPart{"large", {"test/Snow100K-L/synthetic/{}", "test/Snow100K-L/gt/{}"}},
    LayoutPart{"large", {"Snow100K-L/synthetic/{}", "Snow100K-L/gt/{}"}}};

}  // namespace detail

/// Snow100K: ROOT/test/Snow100K-{S,M,L}/{synthetic,gt} and, to train on, ROOT/all/{synthetic,gt}
/// (from memory), equal names; folders around them that archives bring along are passed through.
/// Part test is all three, a pair called S_NAME.
///
/// Source: Liu, Jaw, Huang and Hwang, "DesnowNet: Context-Aware Deep Network for Snow Removal",
/// IEEE Transactions on Image Processing 2018.
inline constexpr PublishedLayout kSnow100KLayout{"Snow100K", detail::kSnow100KParts};

/// `snow100k:PATH`
inline constexpr DataFormat kSnow100KFormat = published_format<kSnow100KLayout>(
    "the folder with all/ and test/Snow100K-{S,M,L}/, each with synthetic/ and gt/",
    "train test small medium large", "train", "test");

}  // namespace limpid
