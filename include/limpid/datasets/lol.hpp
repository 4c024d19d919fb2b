#pragma once

#include <limpid/datasets/published_layout.hpp>

#include <array>

namespace limpid {

namespace detail {

inline constexpr std::array kLOLParts{LayoutPart{"train", {"our485/low/{}", "our485/high/{}"}},
                                      LayoutPart{"test", {"eval15/low/{}", "eval15/high/{}"}}};

inline constexpr std::array kLOLv2RealParts{
    LayoutPart{"train", {"Real_captured/Train/Low/low{}", "Real_captured/Train/Normal/normal{}"}},
    LayoutPart{"train", {"Real_captured/Train/Low/{}", "Real_captured/Train/Normal/{}"}},
    LayoutPart{"test", {"Real_captured/Test/Low/low{}", "Real_captured/Test/Normal/normal{}"}},
    LayoutPart{"test", {"Real_captured/Test/Low/{}", "Real_captured/Test/Normal/{}"}}};

inline constexpr std::array kLOLv2SyntheticParts{
    LayoutPart{"train", {"Synthetic/Train/Low/{}", "Synthetic/Train/Normal/{}"}},
    LayoutPart{"test", {"Synthetic/Test/Low/{}", "Synthetic/Test/Normal/{}"}}};

}  // namespace detail

/// LOL, pictures of low light: ROOT/{our485,eval15}/{low,high} with equal names; 485 and 15 pairs.
///
/// Source: Wei, Wang, Yang and Liu, "Deep Retinex Decomposition for Low-Light Enhancement", BMVC
/// 2018.
inline constexpr PublishedLayout kLOLLayout{"LOL", detail::kLOLParts};

/// LOL v2, taken by a camera: ROOT/Real_captured/{Train,Test}/{Low,Normal}, lowN with normalN or
/// equal names; 689 and 100 pairs.
///
/// Source: Yang et al., "Sparse Gradient Regularized Deep Retinex Network for Robust Low-Light
/// Image Enhancement", IEEE Transactions on Image Processing 2021.
inline constexpr PublishedLayout kLOLv2RealLayout{"LOL v2 (real)", detail::kLOLv2RealParts};

/// LOL v2, made: ROOT/Synthetic/{Train,Test}/{Low,Normal} with equal names; 900 and 100 pairs.
inline constexpr PublishedLayout kLOLv2SyntheticLayout{"LOL v2 (synthetic)",
                                                       detail::kLOLv2SyntheticParts};

/// `lol:PATH`
inline constexpr DataFormat kLOLFormat = published_format<kLOLLayout>(
    "the folder with our485/ and eval15/", "train test", "train", "test");

/// `lol-v2-real:PATH`
inline constexpr DataFormat kLOLv2RealFormat = published_format<kLOLv2RealLayout>(
    "the folder with Real_captured/", "train test", "train", "test");

/// `lol-v2-synthetic:PATH`
inline constexpr DataFormat kLOLv2SyntheticFormat = published_format<kLOLv2SyntheticLayout>(
    "the folder with Synthetic/", "train test", "train", "test");

}  // namespace limpid
