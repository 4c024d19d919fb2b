#pragma once

#include <limpid/datasets/published_layout.hpp>

#include <array>

namespace limpid {

namespace detail {

inline constexpr std::array kRealBlurJParts{
    LayoutPart{"train", {}, "RealBlur_J_train_list.txt", ListLine::target_and_input},
    LayoutPart{"test", {}, "RealBlur_J_test_list.txt", ListLine::target_and_input}};

inline constexpr std::array kRealBlurRParts{
    LayoutPart{"train", {}, "RealBlur_R_train_list.txt", ListLine::target_and_input},
    LayoutPart{"test", {}, "RealBlur_R_test_list.txt", ListLine::target_and_input}};

}  // namespace detail

/// RealBlur-J, developed pictures: ROOT/RealBlur_J_{train,test}_list.txt, each line the path of a
/// sharp picture and that of the blurred one, beside
/// RealBlur-J_ECC_IMCORR_centroid_itensity_ref/sceneNNN/{gt,blur}; 3758 and 980 pairs.
///
/// Source: Rim, Lee, Won and Cho, "Real-World Blur Dataset for Learning and Benchmarking Deblurring
/// Algorithms", ECCV 2020. Differs: the published scores align restored and sharp pictures first.
inline constexpr PublishedLayout kRealBlurJLayout{"RealBlur-J", detail::kRealBlurJParts};

/// RealBlur-R, the same pictures as the sensor gave them, lists RealBlur_R_{train,test}_list.txt.
inline constexpr PublishedLayout kRealBlurRLayout{"RealBlur-R", detail::kRealBlurRParts};

/// `realblur-j:PATH`
inline constexpr DataFormat kRealBlurJFormat = published_format<kRealBlurJLayout>(
    "the folder with RealBlur_J_train_list.txt, RealBlur_J_test_list.txt and what they name",
    "train test", "train", "test");

/// `realblur-r:PATH`
inline constexpr DataFormat kRealBlurRFormat = published_format<kRealBlurRLayout>(
    "the same; the lists RealBlur_R_train_list.txt and RealBlur_R_test_list.txt", "train test",
    "train", "test");

}  // namespace limpid
