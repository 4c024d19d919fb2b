#pragma once

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include <c10/util/Exception.h>

#include <limpid/datasets/paired_files.hpp>
#include <limpid/datasets/pairs.hpp>

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
  explicit GoPro(std::filesystem::path root, GoProBlur blur = GoProBlur::linear)
      : root_(std::move(root)), blur_(blur) {}

  /// @throws c10::Error that says what was expected where and what was found.
  Pairs train() const { return part("train"); }

  /// @throws c10::Error that says what was expected where and what was found.
  Pairs test() const { return part("test"); }

 private:
  Pairs part(const std::string& name) const {
    namespace fs = std::filesystem;
    detail::check_folders("GoPro", root_, {name});
    const auto folder = root_ / name;
    std::vector<fs::path> sequences;
    std::error_code error;
    fs::directory_iterator entry{folder, error};
    for (; !error && entry != fs::directory_iterator{}; entry.increment(error)) {
      std::error_code ignored;
      const auto hidden = entry->path().filename().string().front() == '.';
      if (!hidden && entry->is_directory(ignored)) sequences.push_back(entry->path());
    }
    TORCH_CHECK(!error, "GoPro: cannot list '", folder.string(), "': ", error.message());
    TORCH_CHECK(!sequences.empty(), "GoPro: expected folders SEQUENCE/{blur,sharp} in '",
                folder.string(), "', found ", detail::describe_folder(folder));
    std::sort(sequences.begin(), sequences.end());

    const std::string blurred = blur_ == GoProBlur::gamma ? "blur_gamma" : "blur";
    std::vector<PairedFile> files;
    for (const auto& sequence : sequences) {
      detail::check_folders("GoPro", sequence, {blurred, "sharp"});
      auto frames = detail::pair_folders("GoPro", sequence / blurred, sequence / "sharp",
                                         detail::stem_of, detail::stem_of);
      for (auto& frame : frames) {
        frame.name = sequence.filename().string() + "_" + frame.name;
        files.push_back(std::move(frame));
      }
    }
    return PairedFiles{std::move(files), "GoPro '" + folder.string() + "' (" + blurred + ")"};
  }

  std::filesystem::path root_;
  GoProBlur blur_;
};

}  // namespace limpid
