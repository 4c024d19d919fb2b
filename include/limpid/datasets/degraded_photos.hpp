#pragma once

#include <limpid/core/check.hpp>
#include <limpid/core/concepts.hpp>
#include <limpid/core/random.hpp>
#include <limpid/datasets/pairs.hpp>
#include <limpid/io/image.hpp>

#include <c10/util/Exception.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

namespace limpid {

/// How `DegradedPhotos` draws.
struct DegradedPhotosOptions {
  std::uint64_t seed = 0;
  std::int64_t draws_per_variant = 8;  ///< draws of a photograph that share one degradation, so
                                       ///< that a cache of decoded pairs is of use
  std::int64_t long_side = 0;          ///< larger photographs are shrunk to it; 0: never
};

/// Clean photographs of one folder, degraded as they are drawn; the target is the photograph.
///
/// Photograph `i` in variant `v` = draw / draws_per_variant is degraded with the random stream
/// (seed, i, v): the same on every run and for any number of workers.
template <Degradation D>
class DegradedPhotos {
 public:
  /// @throws c10::Error if the folder is missing or holds no picture; c10::ValueError for options
  /// out of range.
  DegradedPhotos(const std::filesystem::path& folder, D degradation,
                 DegradedPhotosOptions options = {})
      : DegradedPhotos(list_images(folder), std::move(degradation), options) {
    description_ = "photographs of '" + folder.string() + "', degraded as they are drawn";
  }

  /// The same for files named one by one.
  DegradedPhotos(std::vector<std::filesystem::path> photos, D degradation,
                 DegradedPhotosOptions options = {})
      : photos_(std::move(photos)),
        degradation_(std::move(degradation)),
        options_(options),
        description_(std::to_string(photos_.size()) + " photographs, degraded as they are drawn") {
    detail::check_at_least("DegradedPhotos: draws_per_variant", options_.draws_per_variant, 1);
    detail::check_at_least("DegradedPhotos: long_side", options_.long_side, 0);
  }

  std::int64_t size() const { return static_cast<std::int64_t>(photos_.size()); }
  std::string name(std::int64_t i) const { return path(i).stem().string(); }
  std::string description() const { return description_; }
  std::int64_t variant(std::int64_t draw) const { return draw / options_.draws_per_variant; }

  ImagePair load(std::int64_t i, std::int64_t draw) const {
    auto photo = Image::load(path(i));
    if (options_.long_side > 0) photo = photo.shrunk_to(options_.long_side);
    auto random = Random::stream(
        options_.seed, {static_cast<std::uint64_t>(i), static_cast<std::uint64_t>(variant(draw))});
    auto degraded = Image::from_unit(degradation_(photo.unit()[0], random));
    return {std::move(degraded), std::move(photo)};
  }

 private:
  const std::filesystem::path& path(std::int64_t i) const {
    return photos_[static_cast<std::size_t>(i)];
  }

  std::vector<std::filesystem::path> photos_;
  D degradation_;
  DegradedPhotosOptions options_;
  std::string description_;
};

}  // namespace limpid
