#pragma once

#include <limpid/datasets/published_layout.hpp>

#include <array>

namespace limpid {

namespace detail {

inline constexpr PairRule kAllWeatherSame{"input/{}", "gt/{}"};
inline constexpr PairRule kAllWeatherDrops{"input/{}_rain", "gt/{}_clean"};
inline constexpr PairRule kAllWeatherRain{"input/{}_s*_a*", "gt/{}"};

inline constexpr std::array kAllWeatherParts{
    LayoutPart{"train", kAllWeatherSame, "allweather.txt"},
    LayoutPart{"train", kAllWeatherDrops, "allweather.txt"},
    LayoutPart{"train", kAllWeatherRain, "allweather.txt"},
    LayoutPart{"raindrop", kAllWeatherSame, "raindroptesta.txt"},
    LayoutPart{"raindrop", kAllWeatherDrops, "raindroptesta.txt"},
    LayoutPart{"rain", kAllWeatherSame, "test1.txt"},
    LayoutPart{"rain", kAllWeatherRain, "test1.txt"},
    LayoutPart{"snow", kAllWeatherSame, "snowtest100k_L.txt"}};

}  // namespace detail

/// All-Weather, rain with veils, snow and raindrops at once: ROOT/{input,gt} and the lists, in ROOT
/// or beside it, that name an input a line: allweather.txt (18069 pairs to train on),
/// raindroptesta.txt, test1.txt (Outdoor-Rain), snowtest100k_L.txt. The target has the input's name
/// in gt/, else that of its set: N_clean for N_rain, im_NNNN for im_NNNN_sS_aA.
///
/// Source: Valanarasu, Yasarla and Patel, "TransWeather: Transformer-based Restoration of Images
/// Degraded by Adverse Weather Conditions", CVPR 2022.
inline constexpr PublishedLayout kAllWeatherLayout{"All-Weather", detail::kAllWeatherParts};

/// `all-weather:PATH`
inline constexpr DataFormat kAllWeatherFormat = published_format<kAllWeatherLayout>(
    "the folder with input/ and gt/; its lists allweather.txt (train), raindroptesta.txt "
    "(raindrop), test1.txt (rain), snowtest100k_L.txt (snow) there or beside it",
    "train raindrop rain snow", "train", "raindrop");

}  // namespace limpid
