#pragma once

#include <limpid/core/compiled.hpp>
#include <limpid/core/fail.hpp>
#include <limpid/core/window.hpp>
#include <limpid/datasets/image_pair.hpp>

#include <c10/util/Exception.h>

#include <concepts>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#ifdef LIMPID_BODIES
#include <limpid/core/check.hpp>

#include <numeric>
#endif

namespace limpid {

struct LateDegradation;  // datasets/late_degradation.hpp

namespace detail {

// By itself, because for a class that can be made of `Pairs` the question for copies leads back to
// it: that question has to come last.
template <class S>
concept LoadsPairs = requires(const S& source, std::int64_t i, std::int64_t draw) {
  { source.size() } -> std::convertible_to<std::int64_t>;
  { source.name(i) } -> std::convertible_to<std::string>;
  { source.load(i, draw) } -> std::same_as<ImagePair>;
};

}  // namespace detail

/// A source that can make a part of a pair by itself, which saves work where only a crop is wanted:
/// if `makes_parts()`, `part(base(i), i, draw, window)` is that window of `load(i, draw)`, bit by
/// bit. `base(i)` is what all draws have in common, best not decoded yet (`LazyImage::open`); a
/// cache keeps it decoded.
template <class S>
concept PartwiseSource = requires(const S& source, const LazyPair& base, const Window& window,
                                  std::int64_t i, std::int64_t draw) {
  { source.makes_parts() } -> std::convertible_to<bool>;
  { source.base(i) } -> std::convertible_to<LazyPair>;
  { source.part(base, i, draw, window) } -> std::same_as<ImagePair>;
};

/// A list of pairs that can be loaded one by one, from several threads at once.
///
/// `name(i)` is what errors and reports call pair `i`. `draw` counts how often the pair was drawn
/// before: files ignore it, degradations on the fly vary with it. Optional members:
///  - `variant(draw) -> std::int64_t`: draws of one variant load the same pixels, so that a cache
///    may keep them; 0 for all draws where it is missing;
///  - `inputs() -> std::int64_t`: pictures that a network sees of each pair, `degraded` and those
///    beside it; 1 where it is missing;
///  - `file(i) -> PairedFile`: the files that pair `i` is read from;
///  - `description() -> std::string`: one line for a log;
///  - `late_degradation() -> const LateDegradation*`: if not null, a loader takes clean crops of
///    `base(i).target` and degrades whole batches of them, on the device that trains; `load` still
///    gives whole pairs;
///  - all that a `PartwiseSource` has.
template <class S>
concept PairSource = detail::LoadsPairs<S> && std::copy_constructible<S>;

/// Any `PairSource`, as a value that is cheap to copy.
class Pairs {
 public:
  /// No pairs.
  Pairs() = default;

  template <class S>
  requires(!std::same_as<S, Pairs> && PairSource<S>) Pairs(S source)
      : self_(std::make_shared<const Model<S>>(std::move(source))) {}

  std::int64_t size() const { return self_ == nullptr ? 0 : self_->size(); }
  bool empty() const { return size() == 0; }

  /// @throws c10::ValueError if there is no pair `i`.
  std::string name(std::int64_t i) const;

  /// Pair `i`, drawn for the (`draw` + 1)-th time.
  /// @throws c10::ValueError if there is no pair `i`; c10::Error if it cannot be loaded, or its
  /// pictures differ in size.
  ImagePair load(std::int64_t i, std::int64_t draw = 0) const;

  /// Pictures that a network sees of each pair: `degraded` and those beside it.
  std::int64_t inputs() const;

  /// Draws of one variant load the same pixels.
  std::int64_t variant(std::int64_t draw) const;

  /// Whether `base` and `part` may be called: the source inside is a `PartwiseSource` and says so.
  bool makes_parts() const;

  /// What all draws of pair `i` have in common.
  /// @throws c10::ValueError if there is no pair `i`, or unless `makes_parts()`; c10::Error if it
  /// cannot be opened, or its pictures differ in size.
  LazyPair base(std::int64_t i) const;

  /// That window of `load(i, draw)`.
  /// @throws c10::ValueError if there is no pair `i`, or unless `makes_parts()`.
  ImagePair part(const LazyPair& base, std::int64_t i, std::int64_t draw,
                 const Window& window) const;

  /// The files that pair `i` is read from; nothing where it is not made of two files.
  /// @throws c10::ValueError if there is no pair `i`.
  std::optional<PairedFile> file(std::int64_t i) const;

  /// What a loader leaves to the device that trains, as long as these pairs live; null: nothing.
  const LateDegradation* late_degradation() const;

  /// One line that says what this is.
  std::string description() const;

  /// The pairs with these indices, in this order.
  /// @throws c10::ValueError if there is no pair of an index.
  Pairs subset(std::vector<std::int64_t> indices) const;

  /// `count` pairs at equal distances over the whole list, or all where there are fewer: the scenes
  /// of a set follow one another, so its first pairs show one scene.
  Pairs spread(std::int64_t count) const;

  /// The first `count` pairs, or all where there are fewer.
  Pairs first(std::int64_t count) const;

 private:
  struct Interface {
    virtual ~Interface() = default;
    virtual std::int64_t size() const = 0;
    virtual std::string name(std::int64_t i) const = 0;
    virtual ImagePair load(std::int64_t i, std::int64_t draw) const = 0;
    virtual std::int64_t inputs() const = 0;
    virtual std::int64_t variant(std::int64_t draw) const = 0;
    virtual bool makes_parts() const = 0;
    virtual LazyPair base(std::int64_t i) const = 0;
    virtual ImagePair part(const LazyPair& base, std::int64_t i, std::int64_t draw,
                           const Window& window) const = 0;
    virtual std::optional<PairedFile> file(std::int64_t i) const = 0;
    virtual const LateDegradation* late_degradation() const = 0;
    virtual std::string description() const = 0;
  };

  template <class S>
  struct Model final : Interface {
    explicit Model(S held) : source(std::move(held)) {}
    std::int64_t size() const override { return source.size(); }
    std::string name(std::int64_t i) const override { return source.name(i); }
    ImagePair load(std::int64_t i, std::int64_t draw) const override {
      return source.load(i, draw);
    }
    std::int64_t inputs() const override {
      if constexpr (requires { source.inputs(); }) {
        return source.inputs();
      } else {
        return 1;
      }
    }
    std::int64_t variant(std::int64_t draw) const override {
      if constexpr (requires { source.variant(draw); }) {
        return source.variant(draw);
      } else {
        return 0;
      }
    }
    bool makes_parts() const override {
      if constexpr (PartwiseSource<S>) {
        return source.makes_parts();
      } else {
        return false;
      }
    }
    LazyPair base(std::int64_t i) const override {
      if constexpr (PartwiseSource<S>) return source.base(i);
      refuse_parts();
    }
    ImagePair part(const LazyPair& base, std::int64_t i, std::int64_t draw,
                   const Window& window) const override {
      if constexpr (PartwiseSource<S>) return source.part(base, i, draw, window);
      refuse_parts();
    }
    [[noreturn]] static void refuse_parts() {
      limpid::refuse("Pairs: this source loads whole pairs only");
    }
    std::optional<PairedFile> file(std::int64_t i) const override {
      if constexpr (requires { source.file(i); }) {
        return source.file(i);
      } else {
        return std::nullopt;
      }
    }
    const LateDegradation* late_degradation() const override {
      if constexpr (requires { source.late_degradation(); }) {
        return source.late_degradation();
      } else {
        return nullptr;
      }
    }
    std::string description() const override {
      if constexpr (requires { source.description(); }) {
        return source.description();
      } else {
        return std::to_string(source.size()) + " pairs";
      }
    }
    S source;
  };

  struct Subset;

  void check_index(std::int64_t i) const;

  /// @param pair  an `ImagePair` or a `LazyPair`
  template <class Pair>
  void check_sizes(const Pair& pair, std::int64_t i) const {
    TORCH_CHECK(pair.degraded.height() == pair.target.height() &&
                    pair.degraded.width() == pair.target.width() && !pair.target.empty(),
                "pair '", self_->name(i), "': degraded ", pair.degraded.width(), " x ",
                pair.degraded.height(), " and target ", pair.target.width(), " x ",
                pair.target.height(), " differ in size");
    TORCH_CHECK(static_cast<std::int64_t>(pair.beside.size()) + 1 == inputs(), "pair '",
                self_->name(i), "': expected ", inputs(), " pictures to restore from, got ",
                pair.beside.size() + 1);
    for (const auto& image : pair.beside) {
      TORCH_CHECK(image.height() == pair.target.height() && image.width() == pair.target.width(),
                  "pair '", self_->name(i), "': the picture beside the degraded one, ",
                  image.width(), " x ", image.height(), ", and target ", pair.target.width(), " x ",
                  pair.target.height(), " differ in size");
    }
  }

  std::shared_ptr<const Interface> self_;
};

struct Pairs::Subset {
  Pairs pairs;
  std::vector<std::int64_t> indices;

  std::int64_t size() const { return static_cast<std::int64_t>(indices.size()); }
  std::int64_t original(std::int64_t i) const { return indices[static_cast<std::size_t>(i)]; }
  std::string name(std::int64_t i) const { return pairs.name(original(i)); }
  ImagePair load(std::int64_t i, std::int64_t draw) const { return pairs.load(original(i), draw); }
  std::int64_t inputs() const { return pairs.inputs(); }
  std::int64_t variant(std::int64_t draw) const { return pairs.variant(draw); }
  bool makes_parts() const { return pairs.makes_parts(); }
  LazyPair base(std::int64_t i) const { return pairs.base(original(i)); }
  ImagePair part(const LazyPair& base, std::int64_t i, std::int64_t draw,
                 const Window& window) const {
    return pairs.part(base, original(i), draw, window);
  }
  std::optional<PairedFile> file(std::int64_t i) const { return pairs.file(original(i)); }
  const LateDegradation* late_degradation() const { return pairs.late_degradation(); }
  std::string description() const { return std::to_string(size()) + " of " + pairs.description(); }
};

inline Pairs Pairs::subset(std::vector<std::int64_t> indices) const {
  for (const auto i : indices) check_index(i);
  if (indices.empty()) return {};
  return Subset{*this, std::move(indices)};
}

}  // namespace limpid

#ifdef LIMPID_BODIES

namespace limpid {

LIMPID_INLINE std::string Pairs::name(std::int64_t i) const {
  check_index(i);
  return self_->name(i);
}

LIMPID_INLINE ImagePair Pairs::load(std::int64_t i, std::int64_t draw) const {
  check_index(i);
  auto pair = self_->load(i, draw);
  check_sizes(pair, i);
  return pair;
}

LIMPID_INLINE std::int64_t Pairs::inputs() const { return self_ == nullptr ? 1 : self_->inputs(); }

LIMPID_INLINE std::int64_t Pairs::variant(std::int64_t draw) const {
  return self_ == nullptr ? 0 : self_->variant(draw);
}

LIMPID_INLINE bool Pairs::makes_parts() const { return self_ != nullptr && self_->makes_parts(); }

LIMPID_INLINE LazyPair Pairs::base(std::int64_t i) const {
  check_index(i);
  auto pair = self_->base(i);
  check_sizes(pair, i);
  return pair;
}

LIMPID_INLINE ImagePair Pairs::part(const LazyPair& base, std::int64_t i, std::int64_t draw,
                                    const Window& window) const {
  check_index(i);
  auto pair = self_->part(base, i, draw, window);
  check_sizes(pair, i);
  TORCH_CHECK(pair.target.height() == window.height && pair.target.width() == window.width,
              "pair '", self_->name(i), "': expected a part of ", window.width, " x ",
              window.height, ", got ", pair.target.width(), " x ", pair.target.height());
  return pair;
}

LIMPID_INLINE std::optional<PairedFile> Pairs::file(std::int64_t i) const {
  check_index(i);
  return self_->file(i);
}

LIMPID_INLINE const LateDegradation* Pairs::late_degradation() const {
  return self_ == nullptr ? nullptr : self_->late_degradation();
}

LIMPID_INLINE std::string Pairs::description() const {
  return self_ == nullptr ? "no pairs" : self_->description();
}

LIMPID_INLINE Pairs Pairs::spread(std::int64_t count) const {
  detail::check_not_negative("Pairs: count", static_cast<double>(count));
  if (count >= size()) return *this;
  std::vector<std::int64_t> indices;
  for (std::int64_t i = 0; i < count; ++i) indices.push_back((2 * i + 1) * size() / (2 * count));
  return subset(std::move(indices));
}

LIMPID_INLINE Pairs Pairs::first(std::int64_t count) const {
  detail::check_not_negative("Pairs: count", static_cast<double>(count));
  if (count >= size()) return *this;
  std::vector<std::int64_t> indices(static_cast<std::size_t>(count));
  std::iota(indices.begin(), indices.end(), std::int64_t{0});
  return subset(std::move(indices));
}

LIMPID_INLINE void Pairs::check_index(std::int64_t i) const {
  TORCH_CHECK_VALUE(i >= 0 && i < size(), "Pairs: expected an index below ", size(), ", got ", i);
}

}  // namespace limpid

#endif  // LIMPID_BODIES
