#pragma once

#include <limpid/core/compiled.hpp>
#include <limpid/core/fail.hpp>
#include <limpid/core/named.hpp>
#include <limpid/core/random.hpp>
#include <limpid/core/window.hpp>
#include <limpid/datasets/image_pair.hpp>
#include <limpid/datasets/late_degradation.hpp>
#include <limpid/datasets/pairs.hpp>
#include <limpid/degradations/any_degradation.hpp>
#include <limpid/io/image.hpp>
#include <limpid/io/lazy_image.hpp>

#include <c10/util/Exception.h>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#ifdef LIMPID_BODIES
#include <limpid/core/check.hpp>
#include <limpid/datasets/source_pictures.hpp>
#include <limpid/degradations/planes.hpp>

#include <algorithm>
#endif

namespace limpid {

/// Where photographs are degraded for training.
enum class DegradeOn {
  loader,  ///< by the threads that decode: pairs come whole
  device,  ///< a whole batch at once, where the network trains
};

inline constexpr NamedTable kDegradeOn{
    "where to degrade", Named{"loader", "by the threads that decode", DegradeOn::loader},
    Named{"device", "a batch at once, where the network trains", DegradeOn::device}};

/// How `DegradedPhotos` draws.
struct DegradedPhotosOptions {
  std::uint64_t seed = 0;
  std::int64_t draws_per_variant = 8;  ///< draws of a photograph that share one degradation, so
                                       ///< that a cache of decoded pairs is of use
  std::int64_t long_side = 0;          ///< larger photographs are shrunk to it; 0: never
  /// `device`: for training only, where each draw is then degraded anew, whatever
  /// `draws_per_variant` is. Validation and all else that loads whole pairs stay as they are.
  DegradeOn on = DegradeOn::loader;
};

/// Clean photographs, degraded as they are drawn; the target is the photograph.
///
/// Photograph `i` in variant `v` = draw / draws_per_variant is degraded with the random stream
/// (seed, i, v): the same on every run and for any number of workers. Of a `PartwiseDegradation`
/// only the crop that is wanted is made, with the pixels around it that the degradation needs; the
/// result is, bit by bit, the crop of the whole. With `DegradeOn::device` a loader takes clean
/// crops, and `PairLoader::next(device)` degrades them as one batch.
class DegradedPhotos {
 public:
  /// All photographs of a folder.
  /// @throws c10::Error if the folder is missing or holds no picture; c10::ValueError for options
  /// out of range.
  DegradedPhotos(const std::filesystem::path& folder, AnyDegradation degradation,
                 DegradedPhotosOptions options = {});

  /// Files named one by one.
  DegradedPhotos(std::vector<std::filesystem::path> photos, AnyDegradation degradation,
                 DegradedPhotosOptions options = {});

  std::int64_t size() const { return static_cast<std::int64_t>(photos_.size()); }
  std::string name(std::int64_t i) const;
  std::string description() const { return description_; }
  std::int64_t variant(std::int64_t draw) const { return draw / options_.draws_per_variant; }

  ImagePair load(std::int64_t i, std::int64_t draw) const;

  const LateDegradation* late_degradation() const { return late_ ? &*late_ : nullptr; }

  bool makes_parts() const;

  /// The photograph, twice.
  LazyPair base(std::int64_t i) const;

  ImagePair part(const LazyPair& base, std::int64_t i, std::int64_t draw,
                 const Window& window) const;

 private:
  const std::filesystem::path& path(std::int64_t i) const;

  LazyImage clean(std::int64_t i) const;

  Random stream(std::int64_t i, std::int64_t draw) const;

  /// The picture that `degrade()` gives; an error, such as of values that are not finite, names the
  /// file.
  template <class Degrade>
  Image named(std::int64_t i, Degrade degrade) const {
    try {
      return Image::from_unit(degrade());
    } catch (const c10::ValueError& error) {
      limpid::fail("'", path(i).string(), "': ", error.what_without_backtrace());
    }
  }

  std::string how() const;

  std::vector<std::filesystem::path> photos_;
  AnyDegradation degradation_;
  DegradedPhotosOptions options_;
  std::optional<LateDegradation> late_;
  std::string description_;
};

static_assert(PairSource<DegradedPhotos> && PartwiseSource<DegradedPhotos>);

}  // namespace limpid

#ifdef LIMPID_BODIES

namespace limpid {

LIMPID_INLINE DegradedPhotos::DegradedPhotos(const std::filesystem::path& folder,
                                             AnyDegradation degradation,
                                             DegradedPhotosOptions options)
    : DegradedPhotos(detail::source_pictures(folder), std::move(degradation), options) {
  description_ = "photographs of '" + folder.string() + "' with " + how();
}

LIMPID_INLINE DegradedPhotos::DegradedPhotos(std::vector<std::filesystem::path> photos,
                                             AnyDegradation degradation,
                                             DegradedPhotosOptions options)
    : photos_(std::move(photos)), degradation_(std::move(degradation)), options_(options) {
  if (options.on == DegradeOn::device) late_ = LateDegradation{degradation_, options.seed};
  detail::check_at_least("DegradedPhotos: draws_per_variant", options_.draws_per_variant, 1);
  detail::check_at_least("DegradedPhotos: long_side", options_.long_side, 0);
  description_ = std::to_string(photos_.size()) + " photographs with " + how();
}

LIMPID_INLINE std::string DegradedPhotos::name(std::int64_t i) const {
  return path(i).stem().string();
}

LIMPID_INLINE ImagePair DegradedPhotos::load(std::int64_t i, std::int64_t draw) const {
  auto photo = clean(i).load();
  auto random = stream(i, draw);
  auto degraded = named(i, [&] { return degradation_(photo.unit()[0], random); });
  return {std::move(degraded), std::move(photo)};
}

LIMPID_INLINE bool DegradedPhotos::makes_parts() const { return degradation_.is_partwise(); }

LIMPID_INLINE LazyPair DegradedPhotos::base(std::int64_t i) const {
  const auto photo = clean(i);
  return {photo, photo};
}

LIMPID_INLINE ImagePair DegradedPhotos::part(const LazyPair& base, std::int64_t i,
                                             std::int64_t draw, const Window& window) const {
  const auto height = base.target.height();
  const auto width = base.target.width();
  auto random = stream(i, draw);
  Image target;
  const auto degraded = named(i, [&] {
    const auto drawn = degradation_.drawn_for(height, width, random);
    const auto grown = window.grown(drawn.margin, detail::kMinDegradedSide, height, width);
    const auto photo = base.target.part(grown);
    const auto inner = window.seen_from(grown);
    target = photo.crop(inner);
    return drawn(photo.unit()[0], grown)
        .narrow(1, inner.top, inner.height)
        .narrow(2, inner.left, inner.width);
  });
  return {degraded, std::move(target)};
}

LIMPID_INLINE const std::filesystem::path& DegradedPhotos::path(std::int64_t i) const {
  return photos_[static_cast<std::size_t>(i)];
}

LIMPID_INLINE LazyImage DegradedPhotos::clean(std::int64_t i) const {
  auto photo = LazyImage::open(path(i));
  const auto most = options_.long_side;
  if (most == 0 || std::max(photo.height(), photo.width()) <= most) return photo;
  return photo.load().shrunk_to(most);
}

LIMPID_INLINE Random DegradedPhotos::stream(std::int64_t i, std::int64_t draw) const {
  return Random::stream(options_.seed,
                        {static_cast<std::uint64_t>(i), static_cast<std::uint64_t>(variant(draw))});
}

LIMPID_INLINE std::string DegradedPhotos::how() const {
  const auto what = late_ ? degradation_.batch_description() + " on the device that trains"
                          : degradation_.description();
  return what + ", seed " + std::to_string(options_.seed);
}

}  // namespace limpid

#endif  // LIMPID_BODIES
