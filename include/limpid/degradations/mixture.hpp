#pragma once

#include <limpid/core/compiled.hpp>
#include <limpid/core/interval.hpp>
#include <limpid/core/random.hpp>
#include <limpid/core/window.hpp>
#include <limpid/degradations/any_degradation.hpp>
#include <limpid/degradations/batch_degradation.hpp>
#include <limpid/degradations/camera_motion.hpp>
#include <limpid/degradations/defocus.hpp>
#include <limpid/degradations/degradation_options.hpp>
#include <limpid/degradations/jpeg_compression.hpp>
#include <limpid/degradations/noise.hpp>
#include <limpid/degradations/planes.hpp>
#include <limpid/degradations/resampling.hpp>
#include <limpid/degradations/sensor_noise.hpp>

#include <ATen/core/Tensor.h>

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#ifdef LIMPID_BODIES
#include <limpid/core/check.hpp>
#include <limpid/degradations/batch_tensors.hpp>

#include <c10/util/Exception.h>

#include <algorithm>
#endif

namespace limpid {

/// A degradation of a mixture.
struct MixturePart {
  AnyDegradation degradation;
  double probability = 1;
};

/// The degradations of a mixture. In words "NAME[@PROBABILITY][(OPTION=VALUE,...)]", with '+'
/// between them: "motion-blur@0.5+noise@0.7(sigma=5:25)+jpeg".
class MixtureParts {
 public:
  MixtureParts(std::initializer_list<MixturePart> parts)
      : MixtureParts(std::vector<MixturePart>(parts)) {}

  /// @param text  how the parts are written; without it they are described.
  explicit MixtureParts(std::vector<MixturePart> parts, std::string text = {});

  const std::vector<MixturePart>& all() const { return parts_; }

 private:
  friend std::string option_text(const MixtureParts& parts) { return parts.text_; }

  std::vector<MixturePart> parts_;
  std::string text_;
};

/// Reads the parts of a mixture; in named_degradations.hpp, which knows the names.
/// @throws c10::ValueError for what is not known or out of range.
inline void read_option(std::string_view text, MixtureParts& parts);

/// Several degradations one after another, each with a probability, in random order: one line makes
/// a set for blind restoration.
///
///     Mixture{.parts = {{Defocus{}, 0.5}, {Noise{.sigma = {5, 25}}, 0.7}, {JpegCompression{}}}}
///
/// A mixture makes parts of pictures by themselves if all its degradations do. Of a batch, pictures
/// that meet the same degradation in the same place of their rows go through it together.
///
/// Source: Zhang et al., "Designing a Practical Degradation Model for Deep Blind Image
/// Super-Resolution" (BSRGAN), ICCV 2021, sec. 3.3 (random order); Wang et al., "Real-ESRGAN",
/// ICCVW 2021, sec. 3.2 (the whole row twice, `rounds` = 2). Differs: any degradations; a picture
/// may come out as it was.
struct Mixture {
  MixtureParts parts = usual_parts();
  bool shuffle = true;      ///< no: in the order that they are written in
  std::int64_t rounds = 1;  ///< how often the row is gone through, drawn anew each time

  static void each_option(auto& self, auto&& visit) {
    visit("parts", self.parts, "NAME[@PROBABILITY][(OPTION=VALUE,...)] with + between them");
    visit("shuffle", self.shuffle, "whether in random order");
    visit("rounds", self.rounds, "how often all of it");
  }

  /// Near what BSRGAN mixes: blur of a lens (and of a camera that moves), resolution, noise of both
  /// kinds, and JPEG in most cases.
  static MixtureParts usual_parts();

  /// @throws c10::ValueError for an option out of range.
  void check() const;

  /// What one call does to a photograph.
  struct Drawn {
    std::vector<AnyDegradation::Drawn> steps;
    std::int64_t margin = 0;

    at::Tensor operator()(const at::Tensor& pixels, const Window& window) const;
  };

  bool is_partwise() const;

  /// @throws c10::ValueError unless `is_partwise()`.
  Drawn drawn_for(std::int64_t height, std::int64_t width, Random& random) const;

  /// @param image  (3, H, W) float in [0, 1], sides of at least 16 pixels.
  /// @return       same shape, in [0, 1].
  /// @throws c10::ValueError for another shape or type, or an option out of range.
  at::Tensor operator()(const at::Tensor& image, Random& random) const;

  static constexpr bool batch_equals_calls = false;

  /// As a `BatchDegradation`: (N, 3, H, W) float in [0, 1] on any device, as far as its parts are.
  at::Tensor batch(const at::Tensor& images, Random& random) const;

  /// As a `PlacedBatchDegradation`; no places: whole pictures.
  at::Tensor batch(const at::Tensor& images, std::span<const CropPlace> places,
                   Random& random) const;

  /// Pixels around a crop that its degraded version may depend on.
  std::int64_t batch_margin() const;

 private:
  /// The degradations of one call, in order.
  std::vector<const AnyDegradation*> steps(Random& random) const;
};

static_assert(DegradationWithOptions<Mixture> && PartwiseDegradation<Mixture>);
static_assert(PlacedBatchDegradation<Mixture>);

}  // namespace limpid

#ifdef LIMPID_BODIES

namespace limpid {

LIMPID_INLINE MixtureParts::MixtureParts(std::vector<MixturePart> parts, std::string text)
    : parts_(std::move(parts)), text_(std::move(text)) {
  for (const auto& part : text_.empty() ? parts_ : std::vector<MixturePart>{}) {
    text_ += (text_.empty() ? "" : "+") + part.degradation.description();
    if (part.probability != 1) text_ += "@" + Interval{part.probability}.text();
  }
}

LIMPID_INLINE MixtureParts Mixture::usual_parts() {
  return MixtureParts{{{Defocus{}, 0.5},
                       {CameraMotion{}, 0.3},
                       {Resampling{.factor = {1, 2}}, 0.5},
                       {Noise{.sigma = {1, 25}}, 0.5},
                       {SensorNoise{}, 0.25},
                       {JpegCompression{.quality = {30, 95}}, 0.9}},
                      "defocus@0.5+camera-motion@0.3+resampling@0.5(factor=1:2)+noise@0.5(sigma="
                      "1:25)+sensor-noise@0.25+"
                      "jpeg@0.9(quality=30:95)"};
}

LIMPID_INLINE void Mixture::check() const {
  TORCH_CHECK_VALUE(!parts.all().empty(), "Mixture: expected at least one part");
  for (const auto& part : parts.all()) {
    TORCH_CHECK_VALUE(0 <= part.probability && part.probability <= 1,
                      "Mixture: expected probabilities in [0, 1], got ", part.probability, " for ",
                      part.degradation.description());
  }
  detail::check_at_least("Mixture: rounds", rounds, 1);
}

LIMPID_INLINE at::Tensor Mixture::Drawn::operator()(const at::Tensor& pixels,
                                                    const Window& window) const {
  auto degraded = detail::photograph("Mixture", pixels);
  for (const auto& step : steps) degraded = step(degraded, window);
  return degraded;
}

LIMPID_INLINE bool Mixture::is_partwise() const {
  return std::all_of(parts.all().begin(), parts.all().end(),
                     [](const auto& part) { return part.degradation.is_partwise(); });
}

LIMPID_INLINE Mixture::Drawn Mixture::drawn_for(std::int64_t height, std::int64_t width,
                                                Random& random) const {
  Drawn drawn;
  for (const auto* degradation : steps(random)) {
    drawn.steps.push_back(degradation->drawn_for(height, width, random));
    drawn.margin += drawn.steps.back().margin;
  }
  return drawn;
}

LIMPID_INLINE at::Tensor Mixture::operator()(const at::Tensor& image, Random& random) const {
  auto degraded = detail::photograph("Mixture", image);
  for (const auto* degradation : steps(random)) degraded = (*degradation)(degraded, random);
  return degraded;
}

LIMPID_INLINE at::Tensor Mixture::batch(const at::Tensor& images, Random& random) const {
  return batch(images, {}, random);
}

LIMPID_INLINE at::Tensor Mixture::batch(const at::Tensor& images, std::span<const CropPlace> places,
                                        Random& random) const {
  auto degraded = detail::photographs("Mixture", images).clone();
  if (!places.empty()) detail::check_places("Mixture", degraded, places);
  std::vector<std::vector<const AnyDegradation*>> rows;
  std::size_t longest = 0;
  for (std::int64_t i = 0; i < degraded.size(0); ++i) {
    rows.push_back(steps(random));
    longest = std::max(longest, rows.back().size());
  }
  for (std::size_t step = 0; step < longest; ++step) {
    for (const auto& part : parts.all()) {
      std::vector<std::int64_t> which;
      std::vector<CropPlace> there;
      for (std::size_t i = 0; i < rows.size(); ++i) {
        if (step >= rows[i].size() || rows[i][step] != &part.degradation) continue;
        which.push_back(static_cast<std::int64_t>(i));
        if (!places.empty()) there.push_back(places[i]);
      }
      if (which.empty()) continue;
      const auto at =
          numbers_on(degraded.device(), which, {static_cast<std::int64_t>(which.size())});
      degraded.index_copy_(0, at,
                           part.degradation.batch(degraded.index_select(0, at), there, random));
    }
  }
  return degraded;
}

LIMPID_INLINE std::int64_t Mixture::batch_margin() const {
  std::int64_t margin = 0;
  for (const auto& part : parts.all()) margin += part.degradation.batch_margin();
  return rounds * margin;
}

LIMPID_INLINE std::vector<const AnyDegradation*> Mixture::steps(Random& random) const {
  check();
  std::vector<const AnyDegradation*> chosen;
  for (std::int64_t round = 0; round < rounds; ++round) {
    std::vector<const MixturePart*> order;
    for (const auto& part : parts.all()) order.push_back(&part);
    for (auto left = order.size(); shuffle && left > 1; --left) {
      const auto which = random.below(static_cast<std::int64_t>(left));
      std::swap(order[static_cast<std::size_t>(which)], order[left - 1]);
    }
    for (const auto* part : order) {
      if (random.chance(part->probability)) chosen.push_back(&part->degradation);
    }
  }
  return chosen;
}

}  // namespace limpid

#endif  // LIMPID_BODIES
