#pragma once

#include <limpid/datasets/published_layout.hpp>

#include <array>

namespace limpid {

namespace detail {

inline constexpr std::array kCDD11Parts{
    LayoutPart{"train", {"train/*/{}", "train/clear/{}"}},
    LayoutPart{"test", {"test/*/{}", "test/clear/{}"}},
    LayoutPart{"low", {"test/low/{}", "test/clear/{}"}},
    LayoutPart{"haze", {"test/haze/{}", "test/clear/{}"}},
    LayoutPart{"rain", {"test/rain/{}", "test/clear/{}"}},
    LayoutPart{"snow", {"test/snow/{}", "test/clear/{}"}},
    LayoutPart{"low_haze", {"test/low_haze/{}", "test/clear/{}"}},
    LayoutPart{"low_rain", {"test/low_rain/{}", "test/clear/{}"}},
    LayoutPart{"low_snow", {"test/low_snow/{}", "test/clear/{}"}},
    LayoutPart{"haze_rain", {"test/haze_rain/{}", "test/clear/{}"}},
    LayoutPart{"haze_snow", {"test/haze_snow/{}", "test/clear/{}"}},
    LayoutPart{"low_haze_rain", {"test/low_haze_rain/{}", "test/clear/{}"}},
    LayoutPart{"low_haze_snow", {"test/low_haze_snow/{}", "test/clear/{}"}},
    LayoutPart{"train_low", {"train/low/{}", "train/clear/{}"}},
    LayoutPart{"train_haze", {"train/haze/{}", "train/clear/{}"}},
    LayoutPart{"train_rain", {"train/rain/{}", "train/clear/{}"}},
    LayoutPart{"train_snow", {"train/snow/{}", "train/clear/{}"}},
    LayoutPart{"train_low_haze", {"train/low_haze/{}", "train/clear/{}"}},
    LayoutPart{"train_low_rain", {"train/low_rain/{}", "train/clear/{}"}},
    LayoutPart{"train_low_snow", {"train/low_snow/{}", "train/clear/{}"}},
    LayoutPart{"train_haze_rain", {"train/haze_rain/{}", "train/clear/{}"}},
    LayoutPart{"train_haze_snow", {"train/haze_snow/{}", "train/clear/{}"}},
    LayoutPart{"train_low_haze_rain", {"train/low_haze_rain/{}", "train/clear/{}"}},
    LayoutPart{"train_low_haze_snow", {"train/low_haze_snow/{}", "train/clear/{}"}}};

}  // namespace detail

/// CDD-11, eleven damages and mixtures of them: ROOT/{train,test}/DAMAGE/NAME.png, DAMAGE one of
/// low, haze, rain, snow, low_haze, ... low_haze_snow, each against
/// ROOT/{train,test}/clear/NAME.png; 1183 and 200 clear pictures. Parts train and test are all
/// damages, a pair called DAMAGE_NAME; a part DAMAGE is its test pictures, train_DAMAGE its
/// training pictures.
///
/// Source: Guo, Gao, Lu, Zhu, Liu and He, "OneRestore: A Universal Restoration Framework for
/// Composite Degradation", ECCV 2024.
inline constexpr PublishedLayout kCDD11Layout{"CDD-11", detail::kCDD11Parts};

/// `cdd11:PATH`
inline constexpr DataFormat kCDD11Format = published_format<kCDD11Layout>(
    "the folder with train/ and test/, each with clear/, low/, haze/, ... low_haze_snow/",
    "train test low haze rain snow low_haze low_rain low_snow haze_rain haze_snow low_haze_rain "
    "low_haze_snow "
    "train_low train_haze train_rain train_snow train_low_haze train_low_rain train_low_snow "
    "train_haze_rain train_haze_snow train_low_haze_rain train_low_haze_snow",
    "train", "test");

}  // namespace limpid
