#pragma once

#include <limpid/datasets/published_layout.hpp>

#include <array>

namespace limpid {

namespace detail {

inline constexpr std::array kDPDDParts{
    LayoutPart{"train", {"train_c/source/{}", "train_c/target/{}"}},
    LayoutPart{"train", {"train_c/source/*", "train_c/target/*"}},
    LayoutPart{"val", {"val_c/source/{}", "val_c/target/{}"}},
    LayoutPart{"val", {"val_c/source/*", "val_c/target/*"}},
    LayoutPart{"test", {"test_c/source/{}", "test_c/target/{}"}},
    LayoutPart{"test", {"test_c/source/*", "test_c/target/*"}}};

}  // namespace detail

/// DPDD, defocus, the camera's combined picture of both views: ROOT/{train,val,test}_c/{source,
/// target}; 350, 74 and 76 pairs. Pictures of equal names are pairs; where no names are equal, the
/// sorted pictures are, the first with the first, as the authors' code reads them. From memory.
///
/// Source: Abuolaim and Brown, "Defocus Deblurring Using Dual-Pixel Data", ECCV 2020.
inline constexpr PublishedLayout kDPDDLayout{"DPDD", detail::kDPDDParts};

/// `dpdd:PATH`
inline constexpr DataFormat kDPDDFormat = published_format<kDPDDLayout>(
    "the folder with train_c/, val_c/ and test_c/, each with source/ and target/", "train val test",
    "train", "test");

}  // namespace limpid
