#pragma once

#include <limpid/core/window.hpp>
#include <limpid/io/image.hpp>
#include <limpid/io/lazy_image.hpp>

#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace limpid {

/// A degraded picture and what it should become, of equal size.
struct ImagePair {
  Image degraded;
  Image target;
  std::vector<Image> beside{};  ///< what a network sees with `degraded`: the frame after it
};

/// A pair that is not decoded yet, or only as far as needed.
struct LazyPair {
  LazyPair(LazyImage degraded, LazyImage target, std::vector<LazyImage> beside = {})
      : degraded(std::move(degraded)), target(std::move(target)), beside(std::move(beside)) {}

  LazyPair(ImagePair pair)
      : LazyPair(std::move(pair.degraded), std::move(pair.target),
                 {pair.beside.begin(), pair.beside.end()}) {}

  /// Decodes a window of all its pictures; a picture that is there twice once.
  ImagePair part(const Window& window) const {
    return decoded([&](const LazyImage& image) { return image.part(window); });
  }

  /// Its pictures with parts from `cuts`.
  LazyPair cut_by(const std::shared_ptr<CutPictures>& cuts) const {
    LazyPair same{degraded.cut_by(cuts), target.cut_by(cuts)};
    for (const auto& image : beside) same.beside.push_back(image.cut_by(cuts));
    return same;
  }

  ImagePair load() const {
    return decoded([](const LazyImage& image) { return image.load(); });
  }

  LazyImage degraded;
  LazyImage target;
  std::vector<LazyImage> beside;

 private:
  template <class Decode>
  ImagePair decoded(const Decode& decode) const {
    auto first = decode(degraded);
    ImagePair pair{first, target.is_same(degraded) ? first : decode(target)};
    for (const auto& image : beside) pair.beside.push_back(decode(image));
    return pair;
  }
};

/// Two picture files and what their pair is called.
struct PairedFile {
  std::string name;
  std::filesystem::path degraded;
  std::filesystem::path target;
};

}  // namespace limpid
