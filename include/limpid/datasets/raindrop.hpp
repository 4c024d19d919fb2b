#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <utility>

#include <limpid/datasets/paired_files.hpp>
#include <limpid/datasets/pairs.hpp>

namespace limpid {

/// The Raindrop set as published: ROOT/{train,test_a,test_b}/{data,gt}, N_rain and N_clean, PNG or
/// JPEG; 861 training pairs, 249 in test_b, 58 of those in test_a.
///
/// Source: Qian, Tan, Yang, Su and Liu, "Attentive Generative Adversarial Network for Raindrop
/// Removal from a Single Image", CVPR 2018. A pair is called N.
class Raindrop {
 public:
  explicit Raindrop(std::filesystem::path root) : root_(std::move(root)) {}

  /// @throws c10::Error that says what was expected where and what was found.
  Pairs train() const { return part("train"); }
  /// @throws c10::Error that says what was expected where and what was found.
  Pairs test_a() const { return part("test_a"); }
  /// @throws c10::Error that says what was expected where and what was found.
  Pairs test_b() const { return part("test_b"); }

 private:
  static detail::PairKey without(std::string_view ending) {
    return [ending](const std::filesystem::path& path) {
      const auto stem = path.stem().string();
      const bool has = stem.size() > ending.size() &&
                       stem.compare(stem.size() - ending.size(), ending.size(), ending) == 0;
      return has ? stem.substr(0, stem.size() - ending.size()) : stem;
    };
  }

  Pairs part(const std::string& name) const {
    detail::check_folders("Raindrop", root_, {name});
    const auto folder = root_ / name;
    detail::check_folders("Raindrop", folder, {"data", "gt"});
    return PairedFiles{detail::pair_folders("Raindrop", folder / "data", folder / "gt",
                                            without("_rain"), without("_clean")),
                       "Raindrop '" + folder.string() + "'"};
  }

  std::filesystem::path root_;
};

}  // namespace limpid
