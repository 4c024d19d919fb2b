#pragma once

#include <limpid/core/compiled.hpp>
#include <limpid/datasets/data_format.hpp>
#include <limpid/datasets/paired_files.hpp>
#include <limpid/datasets/pairs.hpp>

#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#ifdef LIMPID_BODIES
#include <limpid/datasets/folder_layout.hpp>

#include <c10/util/Exception.h>
#endif

namespace limpid {

/// Which degraded frames of REDS are read.
enum class REDSBlur {
  motion,      ///< "blur": motion blur
  compressed,  ///< "blur_comp": and MPEG compression
  jpeg,        ///< "blur_jpeg": and JPEG compression
};

/// The REDS deblurring set: 240 training and 30 validation sequences of 100 frames, 1280 x 720. A
/// pair is called SEQUENCE_FRAME.
///
/// Read as unpacked: ROOT/train/train_blur/000/00000000.png beside ROOT/train/train_sharp, and
/// ROOT/val/val_blur; or each archive in a folder of its own (ROOT/train_blur/train/train_blur), or
/// ROOT/train_blur, or ROOT/train/blur. Frames may lie in sequences or flat, as 000_00000000.png.
///
/// Source: Nah et al., "NTIRE 2019 Challenge on Video Deblurring and Super-Resolution: Dataset and
/// Study", CVPR Workshops 2019. The sharp frames of its test part were never published.
class REDS {
 public:
  /// @param unpaired  where given, takes frames without a partner, which else end in an error.
  explicit REDS(std::filesystem::path root, REDSBlur blur = REDSBlur::motion,
                UnpairedFiles* unpaired = nullptr)
      : root_(std::move(root)), blur_(blur), unpaired_(unpaired) {}

  /// @throws c10::Error that says what was expected where and what was found.
  Pairs train() const;

  /// @throws c10::Error that says what was expected where and what was found.
  Pairs val() const;

  /// Each tenth frame of the validation part, those whose number ends in 9: 300 pairs, on which
  /// HINet, MAXIM and NAFNet print their numbers as "REDS-val-300".
  /// @throws c10::Error that says what was expected where and what was found.
  Pairs val300() const;

 private:
  std::string blurred() const;

  std::string description(const std::string& part) const;

  std::filesystem::path folder(const std::string& part, const std::string& kind) const;

  std::vector<PairedFile> frames(const std::string& part) const;

  std::filesystem::path root_;
  REDSBlur blur_;
  UnpairedFiles* unpaired_;
};

namespace detail {

template <REDSBlur Blur>
Pairs open_reds(const DataRequest& request) {
  const REDS set{request.argument.path, Blur, request.unpaired};
  return request.part == "train" ? set.train() : request.part == "val" ? set.val() : set.val300();
}

template <REDSBlur Blur>
constexpr DataFormat reds_format(std::string_view path) {
  return {.path = path,
          .parts = "train val val300",
          .training_part = "train",
          .evaluation_part = "val",
          .open = &open_reds<Blur>};
}

}  // namespace detail

/// `reds:PATH`
inline constexpr DataFormat kREDSFormat = detail::reds_format<REDSBlur::motion>(
    "the folder with train/train_blur/, train/train_sharp/ and val/");

/// `reds-comp:PATH`
inline constexpr DataFormat kREDSCompressedFormat =
    detail::reds_format<REDSBlur::compressed>("the same; the frames in blur_comp");

/// `reds-jpeg:PATH`
inline constexpr DataFormat kREDSJpegFormat =
    detail::reds_format<REDSBlur::jpeg>("the same; the frames in blur_jpeg");

}  // namespace limpid

#ifdef LIMPID_BODIES

namespace limpid {

LIMPID_INLINE Pairs REDS::train() const {
  return PairedFiles{frames("train"), description("train")};
}

LIMPID_INLINE Pairs REDS::val() const { return PairedFiles{frames("val"), description("val")}; }

LIMPID_INLINE Pairs REDS::val300() const {
  std::vector<PairedFile> kept;
  for (auto& frame : frames("val")) {
    if (frame.name.back() == '9') kept.push_back(std::move(frame));
  }
  TORCH_CHECK(!kept.empty(), "REDS: expected frames whose numbers end in 9 in '",
              folder("val", blurred()).string(), "', found none");
  return PairedFiles{std::move(kept), description("val300")};
}

LIMPID_INLINE std::string REDS::blurred() const {
  return blur_ == REDSBlur::compressed ? "blur_comp"
         : blur_ == REDSBlur::jpeg     ? "blur_jpeg"
                                       : "blur";
}

LIMPID_INLINE std::string REDS::description(const std::string& part) const {
  return "REDS '" + root_.string() + "' (" + part + ", " + blurred() + ")";
}

LIMPID_INLINE std::filesystem::path REDS::folder(const std::string& part,
                                                 const std::string& kind) const {
  const auto name = part + "_" + kind;
  return required_folder(
      "REDS", root_, {part + "/" + name, name + "/" + part + "/" + name, name, part + "/" + kind});
}

LIMPID_INLINE std::vector<PairedFile> REDS::frames(const std::string& part) const {
  const auto blurry = folder(part, blurred());
  const auto sharp = folder(part, "sharp");
  const auto pair = [&](const std::filesystem::path& a, const std::filesystem::path& b) {
    return detail::pair_folders("REDS", a, b, detail::stem_of, detail::stem_of, unpaired_);
  };
  const auto sequences = subfolders("REDS", blurry);
  if (sequences.empty()) return pair(blurry, sharp);
  for (const auto& sequence : subfolders("REDS", sharp)) {
    check_folders("REDS", blurry, {sequence.filename().string()});
  }
  std::vector<PairedFile> files;
  for (const auto& sequence : sequences) {
    const auto name = sequence.filename().string();
    check_folders("REDS", sharp, {name});
    for (auto& frame : pair(sequence, sharp / name)) {
      frame.name = name + "_" + frame.name;
      files.push_back(std::move(frame));
    }
  }
  return files;
}

}  // namespace limpid

#endif  // LIMPID_BODIES
