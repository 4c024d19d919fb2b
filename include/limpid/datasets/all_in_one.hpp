#pragma once

#include <limpid/core/compiled.hpp>
#include <limpid/datasets/degraded_photos.hpp>
#include <limpid/datasets/published_layout.hpp>

#include <array>
#include <filesystem>
#include <string>

#ifdef LIMPID_BODIES
#include <limpid/core/fail.hpp>
#include <limpid/degradations/noise.hpp>
#endif

namespace limpid {

namespace detail {

inline constexpr std::array kAllInOneParts{
    LayoutPart{"train-deblur", {"Train/Deblur/blur/{}", "Train/Deblur/sharp/{}"}},
    LayoutPart{"train-dehaze", {"Train/Dehaze/synthetic/*/{}_*", "Train/Dehaze/original/{}", true}},
    LayoutPart{"train-dehaze", {"Train/Dehaze/synthetic/{}_*", "Train/Dehaze/original/{}", true}},
    LayoutPart{"train-derain", {"Train/Derain/rainy/rain-{}", "Train/Derain/gt/norain-{}"}},
    LayoutPart{"train-enhance", {"Train/Enhance/low/{}", "Train/Enhance/gt/{}"}},
    LayoutPart{"test-deblur", {"test/deblur/gopro/input/{}", "test/deblur/gopro/target/{}"}},
    LayoutPart{"test-dehaze", {"test/dehaze/input/{}_*", "test/dehaze/target/{}", true}},
    LayoutPart{"test-derain", {"test/derain/Rain100L/input/{}", "test/derain/Rain100L/target/{}"}},
    LayoutPart{"test-enhance", {"test/enhance/lol/input/{}", "test/enhance/lol/target/{}"}}};

}  // namespace detail

/// The trees of all-in-one restoration, five tasks as AdaIR unpacks them:
/// ROOT/Train/{Deblur/{blur,sharp}, Dehaze/{synthetic/partN,original}, Derain/{rainy,gt},
/// Enhance/{low,gt}} and
/// ROOT/test/{deblur/gopro,dehaze,derain/Rain100L,enhance/lol}/{input,target}. Train/Denoise and
/// test/denoise/{bsd68,urban100,kodak24} hold clean pictures; see `all_in_one_noise`.
///
/// Source: Cui et al., "AdaIR: Adaptive All-in-One Image Restoration via Frequency Mining and
/// Modulation", ICLR 2025, INSTALL.md. Differs: all pictures of a folder, without AdaIR's lists and
/// its repetitions of small tasks; `PairLoader`s have their own shares.
inline constexpr PublishedLayout kAllInOneLayout{"AIO", detail::kAllInOneParts};

/// The denoising half: noise on clean pictures.
/// @param part  train-denoise (standard deviations between AdaIR's 15 and 50), or bsd68, urban100
/// or
///              kodak24 (25)
/// @throws c10::Error that says which folder was expected, and what was found.
LIMPID_INLINE Pairs all_in_one_noise(const std::filesystem::path& root, const std::string& part,
                                     std::uint64_t seed = 0);

namespace detail {

/// The part of a tree that a task's name means.
LIMPID_INLINE std::string all_in_one_part(const std::string& tree, const std::string& task);

LIMPID_INLINE Pairs open_all_in_one(const DataRequest& request);

}  // namespace detail

/// `aio:PATH`
inline constexpr DataFormat kAllInOneFormat{
    .path =
        "the folder with Train/ and test/ as AdaIR has them; train and test are those of the "
        "task's name (deblur, dehaze, derain, enhance, denoise)",
    .parts =
        "train test train-deblur train-dehaze train-derain train-enhance train-denoise "
        "test-deblur test-dehaze test-derain test-enhance bsd68 urban100 kodak24",
    .training_part = "train",
    .evaluation_part = "test",
    .open = &detail::open_all_in_one};

}  // namespace limpid

#ifdef LIMPID_BODIES

namespace limpid {

LIMPID_INLINE Pairs all_in_one_noise(const std::filesystem::path& root, const std::string& part,
                                     std::uint64_t seed) {
  const bool trains = part == "train-denoise";
  const auto below = trains ? std::string{"Train/Denoise"} : "test/denoise/" + part;
  const auto folder = required_folder("AIO", root, {below, "data/" + below});
  const Noise noise{.sigma = trains ? Interval{15, 50} : Interval{25, 25}};
  return DegradedPhotos{folder, noise, {.seed = seed}};
}

}  // namespace limpid

namespace limpid::detail {

LIMPID_INLINE std::string all_in_one_part(const std::string& tree, const std::string& task) {
  const std::string kind = task == "derain-streaks" ? "derain"
                           : task == "enlighten"    ? "enhance"
                                                    : task;
  if (kind == "denoise") return tree == "train" ? "train-denoise" : "bsd68";
  const auto part = tree + "-" + kind;
  for (const auto& known : kAllInOneParts) {
    if (known.part == part) return part;
  }
  limpid::refuse(
      "AIO: expected a task deblur, dehaze, derain, enhance or denoise, or a part such as "
      "@",
      tree, "-deblur, got task '", task, "'");
}

LIMPID_INLINE Pairs open_all_in_one(const DataRequest& request) {
  auto part = std::string{request.part};
  if (part == "train" || part == "test") part = all_in_one_part(part, request.argument.task);
  const bool is_tree = part.starts_with("test-") || part.starts_with("train-");
  if (!is_tree || part == "train-denoise") {
    return all_in_one_noise(request.argument.path, part, request.seed);
  }
  return published_pairs(kAllInOneLayout, request.argument.path, part, request.unpaired);
}

}  // namespace limpid::detail

#endif  // LIMPID_BODIES
