#pragma once

#include <limpid/datasets/published_layout.hpp>

#include <array>

namespace limpid {

namespace detail {

inline constexpr std::array kRain13KParts{
    LayoutPart{"train", {"train/input/{}", "train/target/{}"}},
    LayoutPart{"train", {"train/Rain13K/input/{}", "train/Rain13K/target/{}"}},
    LayoutPart{"test", {"test/{}/input/{}", "test/{}/target/{}"}},
    LayoutPart{"test100", {"test/Test100/input/{}", "test/Test100/target/{}"}},
    LayoutPart{"rain100h", {"test/Rain100H/input/{}", "test/Rain100H/target/{}"}},
    LayoutPart{"rain100l", {"test/Rain100L/input/{}", "test/Rain100L/target/{}"}},
    LayoutPart{"test2800", {"test/Test2800/input/{}", "test/Test2800/target/{}"}},
    LayoutPart{"test1200", {"test/Test1200/input/{}", "test/Test1200/target/{}"}}};

}  // namespace detail

/// Rain13K, rain streaks of several sets: ROOT/train/{input,target} and
/// ROOT/test/{Test100,Rain100H,Rain100L,Test2800,Test1200}/{input,target}, equal names. Part test
/// is all five, a pair called SET_NAME.
///
/// Source: Zamir et al., "Multi-Stage Progressive Image Restoration" (MPRNet), CVPR 2021. The
/// layout is that of others' repositories.
inline constexpr PublishedLayout kRain13KLayout{"Rain13K", detail::kRain13KParts};

/// `rain13k:PATH`
inline constexpr DataFormat kRain13KFormat = published_format<kRain13KLayout>(
    "the folder with train/ and test/{Test100,Rain100H,Rain100L,Test2800,Test1200}/, each with "
    "input/ and target/",
    "train test test100 rain100h rain100l test2800 test1200", "train", "test");

}  // namespace limpid
