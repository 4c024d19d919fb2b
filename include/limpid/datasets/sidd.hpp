#pragma once

#include <limpid/datasets/published_layout.hpp>

#include <array>

namespace limpid {

namespace detail {

inline constexpr std::array kSIDDParts{
    LayoutPart{"train", {"Data/{}/*NOISY_SRGB_{}", "Data/{}/*GT_SRGB_{}"}}};

}  // namespace detail

/// SIDD medium, noise of telephones: ROOT/Data/SCENE/[NNNN_]NOISY_SRGB_01M.PNG with
/// [NNNN_]GT_SRGB_01M.PNG, 320 pairs to train on. Its validation pictures are published as .mat
/// files, which limpid does not read.
///
/// Source: Abdelhamed, Lin and Brown, "A High-Quality Denoising Dataset for Smartphone Cameras",
/// CVPR 2018.
inline constexpr PublishedLayout kSIDDLayout{"SIDD", detail::kSIDDParts};

/// `sidd:PATH`
inline constexpr DataFormat kSIDDFormat = published_format<kSIDDLayout>(
    "the folder with Data/ (SIDD medium, sRGB, PNG)", "train", "train", "train");

}  // namespace limpid
