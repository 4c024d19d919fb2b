#pragma once

#include <limpid/core/compiled.hpp>
#include <limpid/datasets/data_format.hpp>
#include <limpid/datasets/paired_files.hpp>
#include <limpid/datasets/pairs.hpp>

#include <filesystem>
#include <string>
#include <utility>

#ifdef LIMPID_BODIES
#include <limpid/datasets/folder_layout.hpp>

#include <string_view>
#endif

namespace limpid {

/// The Raindrop set as published: ROOT/{train,test_a,test_b}/{data,gt}, N_rain and N_clean, PNG or
/// JPEG; 861 training pairs, 249 in test_b, 58 of those in test_a.
///
/// Source: Qian, Tan, Yang, Su and Liu, "Attentive Generative Adversarial Network for Raindrop
/// Removal from a Single Image", CVPR 2018. A pair is called N.
class Raindrop {
 public:
  /// @param unpaired  where given, takes pictures without a partner, which else end in an error.
  explicit Raindrop(std::filesystem::path root, UnpairedFiles* unpaired = nullptr)
      : root_(std::move(root)), unpaired_(unpaired) {}

  /// @throws c10::Error that says what was expected where and what was found.
  Pairs train() const;
  /// @throws c10::Error that says what was expected where and what was found.
  Pairs test_a() const;
  /// @throws c10::Error that says what was expected where and what was found.
  Pairs test_b() const;

 private:
  Pairs part(const std::string& name) const;

  std::filesystem::path root_;
  UnpairedFiles* unpaired_;
};

namespace detail {

LIMPID_INLINE Pairs open_raindrop(const DataRequest& request);

}  // namespace detail

/// `raindrop:PATH`
inline constexpr DataFormat kRaindropFormat{.path = "the folder with train/, test_a/ and test_b/",
                                            .parts = "train test_a test_b",
                                            .training_part = "train",
                                            .evaluation_part = "test_a",
                                            .open = &detail::open_raindrop};

}  // namespace limpid

#ifdef LIMPID_BODIES

namespace limpid {

LIMPID_INLINE Pairs Raindrop::train() const { return part("train"); }

LIMPID_INLINE Pairs Raindrop::test_a() const { return part("test_a"); }

LIMPID_INLINE Pairs Raindrop::test_b() const { return part("test_b"); }

LIMPID_INLINE Pairs Raindrop::part(const std::string& name) const {
  check_folders("Raindrop", root_, {name});
  const auto folder = root_ / name;
  check_folders("Raindrop", folder, {"data", "gt"});
  const auto without = [](std::string_view ending) {
    return
        [ending](const std::filesystem::path& path) { return detail::stem_without(path, ending); };
  };
  return PairedFiles{detail::pair_folders("Raindrop", folder / "data", folder / "gt",
                                          without("_rain"), without("_clean"), unpaired_),
                     "Raindrop '" + folder.string() + "'"};
}

}  // namespace limpid

namespace limpid::detail {

LIMPID_INLINE Pairs open_raindrop(const DataRequest& request) {
  const Raindrop set{request.argument.path, request.unpaired};
  return request.part == "train"    ? set.train()
         : request.part == "test_a" ? set.test_a()
                                    : set.test_b();
}

}  // namespace limpid::detail

#endif  // LIMPID_BODIES
