#pragma once

#include <limpid/core/compiled.hpp>
#include <limpid/datasets/data_format.hpp>
#include <limpid/datasets/paired_files.hpp>
#include <limpid/datasets/pairs.hpp>

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#ifdef LIMPID_BODIES
#include <limpid/datasets/folder_layout.hpp>

#include <c10/util/Exception.h>
#endif

namespace limpid {

/// Which blurred frames of GoPro are read.
enum class GoProBlur {
  linear,  ///< folder "blur": frames averaged as they are
  gamma,   ///< folder "blur_gamma": averaged in linear light (inverse gamma 2.2), then encoded
};

/// The GoPro deblurring set as published: ROOT/{train,test}/SEQUENCE/{blur,blur_gamma,sharp}/*.png,
/// 2103 training and 1111 test pairs of 1280 x 720.
///
/// Source: Nah, Kim and Lee, "Deep Multi-scale Convolutional Neural Network for Dynamic Scene
/// Deblurring", CVPR 2017. A pair is called SEQUENCE_FRAME.
class GoPro {
 public:
  /// @param unpaired  where given, takes frames without a partner, which else end in an error.
  explicit GoPro(std::filesystem::path root, GoProBlur blur = GoProBlur::linear,
                 UnpairedFiles* unpaired = nullptr)
      : root_(std::move(root)), blur_(blur), unpaired_(unpaired) {}

  /// @throws c10::Error that says what was expected where and what was found.
  Pairs train() const;

  /// @throws c10::Error that says what was expected where and what was found.
  Pairs test() const;

 private:
  Pairs part(const std::string& name) const;

  std::filesystem::path root_;
  GoProBlur blur_;
  UnpairedFiles* unpaired_;
};

namespace detail {

template <GoProBlur Blur>
Pairs open_gopro(const DataRequest& request) {
  const GoPro set{request.argument.path, Blur, request.unpaired};
  return request.part == "train" ? set.train() : set.test();
}

}  // namespace detail

/// `gopro:PATH`
inline constexpr DataFormat kGoProFormat{.path = "the folder with train/ and test/",
                                         .parts = "train test",
                                         .training_part = "train",
                                         .evaluation_part = "test",
                                         .open = &detail::open_gopro<GoProBlur::linear>};

/// `gopro-gamma:PATH`
inline constexpr DataFormat kGoProGammaFormat{.path = "the same; the frames in blur_gamma/",
                                              .parts = "train test",
                                              .training_part = "train",
                                              .evaluation_part = "test",
                                              .open = &detail::open_gopro<GoProBlur::gamma>};

}  // namespace limpid

#ifdef LIMPID_BODIES

namespace limpid {

LIMPID_INLINE Pairs GoPro::train() const { return part("train"); }

LIMPID_INLINE Pairs GoPro::test() const { return part("test"); }

LIMPID_INLINE Pairs GoPro::part(const std::string& name) const {
  check_folders("GoPro", root_, {name});
  const auto folder = root_ / name;
  const auto sequences = subfolders("GoPro", folder);
  TORCH_CHECK(!sequences.empty(), "GoPro: expected folders SEQUENCE/{blur,sharp} in '",
              folder.string(), "', found ", describe_folder(folder));
  const std::string blurred = blur_ == GoProBlur::gamma ? "blur_gamma" : "blur";
  std::vector<PairedFile> files;
  for (const auto& sequence : sequences) {
    check_folders("GoPro", sequence, {blurred, "sharp"});
    auto frames = detail::pair_folders("GoPro", sequence / blurred, sequence / "sharp",
                                       detail::stem_of, detail::stem_of, unpaired_);
    for (auto& frame : frames) {
      frame.name = sequence.filename().string() + "_" + frame.name;
      files.push_back(std::move(frame));
    }
  }
  return PairedFiles{std::move(files), "GoPro '" + folder.string() + "' (" + blurred + ")"};
}

}  // namespace limpid

#endif  // LIMPID_BODIES
