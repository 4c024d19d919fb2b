#pragma once

#include <limpid/core/compiled.hpp>
#include <limpid/io/tensor_index.hpp>

#include <algorithm>
#include <cstddef>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

// How the levels of a file are gone through; `find_weights` says what for.

#ifdef LIMPID_BODIES
#include <limpid/core/check.hpp>
#include <limpid/core/printable.hpp>
#include <limpid/weights/named_tensors.hpp>

#include <c10/util/Exception.h>

#include <cctype>
#endif

namespace limpid {

/// What of a file is to be looked at.
struct FindOptions {
  std::string key = {};  ///< only levels with this in their path ("params"); ".": only what is in
                         ///< no container; empty: all
  std::string source = {};  ///< how errors begin: "weights 'PATH'"
};

/// The level of a file that fits a network.
struct FoundWeights {
  std::string prefix;       ///< what stands before every name: "params_ema.module."
  std::string added;        ///< what the file leaves out before every name: "features."
  bool averaged = false;    ///< whether the path says that they are averages of weights over steps
  std::size_t fitting = 0;  ///< how many of the network's tensors are there
  std::map<std::string, std::string> names;  ///< of the level: published name -> name in the file
  std::vector<std::string> beside;           ///< names of the file outside the level
  std::vector<std::string> others;           ///< paths of other levels that would do as well
  std::vector<std::string> rivals;           ///< those of them that nothing ranks below this one

  /// The prefix as `FindOptions::key` takes it.
  std::string path() const;
};

namespace detail {

/// Whether a name says "average of weights over steps": params_ema, EMA, swa_model, netG-avg.
LIMPID_INLINE bool is_averaged(std::string_view path);

LIMPID_INLINE std::string level_path(const std::string& prefix);

/// Whether a level's path has `key` in it, as whole words between dots.
LIMPID_INLINE bool is_below_key(const std::string& prefix, const std::string& key);

/// What one level of a file has of a network.
struct WeightsLevel {
  std::size_t required = 0;  ///< names with fitting shapes that the network cannot do without
  std::size_t fitting = 0;   ///< names with fitting shapes
  std::size_t named = 0;     ///< names

  auto score() const { return std::tie(required, fitting, named); }
};

/// A search through all levels of a file.
class WeightsSearch {
 public:
  enum class Fit { none, name, optional, required };

  /// Whether a name, with what the file says of its tensor, is the network's.
  using Fits = std::function<Fit(const std::string& name, const IndexedTensor& tensor)>;

  /// @param longest   characters of the longest name that `fits` can take
  /// @param added     what the file's names may leave out before each: "features."; or empty
  /// @param words     the words between the dots of the network's names: in a file others may stand
  ///                  between them ("encoder.module.conv"); empty: they may not
  WeightsSearch(const TensorIndex& file, Fits fits, std::size_t longest, std::string added,
                std::set<std::string, std::less<>> words)
      : file_(file),
        fits_(std::move(fits)),
        longest_(longest),
        added_(std::move(added)),
        words_(std::move(words)) {}

  FoundWeights find(const FindOptions& options) const;

 private:
  using Place = std::pair<std::string, std::string>;  ///< prefix, added
  using Levels = std::map<Place, WeightsLevel>;
  using Reading = std::string (WeightsSearch::*)(std::string_view) const;

  static constexpr std::size_t kDeepest = 12;  ///< levels above a network's own names

  std::string as_is(std::string_view name) const { return std::string{name}; }

  /// `name` without the words that no name of the network has, but with its last.
  std::string squeezed(std::string_view name) const;

  /// Calls `f(prefix, rest)` for every way to part `name` at a dot.
  template <class F>
  static void for_each_level(const std::string& name, F f) {
    std::size_t start = 0;
    for (std::size_t depth = 0; depth <= kDeepest; ++depth) {
      f(start, std::string_view{name}.substr(start));
      start = name.find('.', start);
      if (start == name.npos) return;
      ++start;
    }
  }

  Levels score(const FindOptions& options, Reading reading) const;

  /// The level with the most; of averaged weights, where they have all that another one has; of two
  /// alike the one with the shortest prefix.
  static Levels::iterator best_of(Levels& levels);

  /// The levels that have nearly as much as the best, without it: half as much may be what an
  /// average leaves out, less is chance. Of a file that was made to have thousands the first few.
  static std::vector<const Levels::value_type*> near(const Levels& levels,
                                                     const Levels::value_type& best);

  /// The names inside a level by what they are there, and those outside.
  std::pair<std::map<std::string, std::string>, std::vector<std::string>> split(
      const Place& place, Reading reading) const;

  /// Whether `same(own, name, name in the other level)` holds for all tensors of the network.
  template <class Same>
  bool all_the_same(const FoundWeights& found, const std::map<std::string, std::string>& other,
                    Same same) const {
    return std::all_of(found.names.begin(), found.names.end(), [&](const auto& item) {
      if (fits_(item.first, file_.tensors.at(item.second)) < Fit::optional) return true;
      const auto twin = other.find(item.first);
      return twin != other.end() && same(item.second, twin->second);
    });
  }

  /// Whether another level is but another way to say the same names.
  bool has_the_same(const FoundWeights& found,
                    const std::map<std::string, std::string>& other) const;

  /// Whether another level holds equal numbers.
  bool has_equal(const FoundWeights& found, const std::map<std::string, std::string>& other) const;

  /// "; the file's keys are a, b".
  std::string known_keys() const;

  inline static const std::string kNothing;

  const TensorIndex& file_;
  Fits fits_;
  std::size_t longest_;
  std::string added_;
  std::set<std::string, std::less<>> words_;
};

}  // namespace detail

inline std::string FoundWeights::path() const { return detail::level_path(prefix); }

}  // namespace limpid

#ifdef LIMPID_BODIES

namespace limpid::detail {

LIMPID_INLINE bool is_averaged(std::string_view path) {
  constexpr std::string_view kWords[] = {"ema", "swa", "avg", "average", "averaged", "shadow"};
  std::string word;
  const auto ends = [&] {
    const bool found = std::find(std::begin(kWords), std::end(kWords), word) != std::end(kWords);
    word.clear();
    return found;
  };
  char last = '\0';
  for (const char c : path) {
    const auto byte = static_cast<unsigned char>(c);
    const bool starts = std::isupper(byte) && std::islower(static_cast<unsigned char>(last));
    if ((!std::isalpha(byte) || starts) && ends()) return true;
    if (std::isalpha(byte)) word += static_cast<char>(std::tolower(byte));
    last = c;
  }
  return ends();
}

LIMPID_INLINE std::string level_path(const std::string& prefix) {
  return prefix.empty() ? "." : prefix.substr(0, prefix.size() - 1);
}

LIMPID_INLINE bool is_below_key(const std::string& prefix, const std::string& key) {
  if (key.empty() || key == ".") return key.empty() || prefix.empty();
  return ("." + prefix).find("." + key + ".") != std::string::npos;
}

LIMPID_INLINE FoundWeights WeightsSearch::find(const FindOptions& options) const {
  auto levels = score(options, &WeightsSearch::as_is);
  auto best = best_of(levels);
  Reading reading = &WeightsSearch::as_is;
  if (!words_.empty()) {
    auto squeezed = score(options, &WeightsSearch::squeezed);
    const auto other = best_of(squeezed);
    if (other != squeezed.end() &&
        (best == levels.end() || other->second.score() > best->second.score())) {
      levels = std::move(squeezed);
      best = best_of(levels);
      reading = &WeightsSearch::squeezed;
    }
  }
  FoundWeights found;
  if (best == levels.end()) {
    TORCH_CHECK(options.key.empty(), options.source,
                ": nothing of the network stands under the key '", printable(options.key), "'",
                known_keys());
    std::tie(found.names, found.beside) = split({}, reading);
    return found;
  }
  std::tie(found.prefix, found.added) = best->first;
  found.averaged = is_averaged(found.prefix);
  found.fitting = best->second.fitting;
  std::tie(found.names, found.beside) = split(best->first, reading);
  for (const auto* other : near(levels, *best)) {
    const auto& [place, level] = *other;
    const auto names = split(place, reading).first;
    if (has_the_same(found, names)) continue;
    found.others.push_back(level_path(place.first));
    const bool is_as_good =
        level.score() == best->second.score() && is_averaged(place.first) == found.averaged;
    if (is_as_good && !has_equal(found, names)) {
      found.rivals.push_back(level_path(place.first));
    }
  }
  return found;
}

LIMPID_INLINE std::string WeightsSearch::squeezed(std::string_view name) const {
  std::string kept;
  while (true) {
    const auto dot = name.find('.');
    if (dot == name.npos) return kept + std::string{name};
    if (words_.find(name.substr(0, dot)) != words_.end()) kept += name.substr(0, dot + 1);
    if (kept.size() > longest_) return kept;
    name.remove_prefix(dot + 1);
  }
}

LIMPID_INLINE WeightsSearch::Levels WeightsSearch::score(const FindOptions& options,
                                                         Reading reading) const {
  Levels levels;
  const bool is_squeezed = reading == &WeightsSearch::squeezed;
  std::map<std::pair<Place, std::string>, int> seen;  // two names that become one do not count
  for (const auto& [name, tensor] : file_.tensors) {
    for_each_level(name,
                   [&, &name = name, &tensor = tensor](std::size_t start, std::string_view rest) {
                     if (!is_squeezed && rest.size() > longest_) return;
                     const auto own = (this->*reading)(rest);
                     if (own.size() > longest_) return;
                     for (const auto* added : {&kNothing, &added_}) {
                       if (added == &added_ && added_.empty()) continue;
                       const auto fit = fits_(*added + own, tensor);
                       if (fit == Fit::none) continue;
                       const Place place{name.substr(0, start), *added};
                       if (!is_below_key(place.first, options.key)) continue;
                       auto& level = levels[place];
                       if (is_squeezed && ++seen[{place, own}] > 1) continue;
                       ++level.named;
                       if (fit != Fit::name) ++level.fitting;
                       if (fit == Fit::required) ++level.required;
                     }
                   });
  }
  if (is_squeezed) {  // a name that stands for several: none of them counts
    for (const auto& [where, count] : seen) {
      if (count > 1) levels.erase(where.first);
    }
  }
  return levels;
}

LIMPID_INLINE WeightsSearch::Levels::iterator WeightsSearch::best_of(Levels& levels) {
  auto best = levels.end();
  const auto rank = [](const auto& item) {
    const auto& [place, level] = item;
    const bool averaged = is_averaged(place.first) && level.required > 0;
    const auto left_out = -static_cast<std::ptrdiff_t>(place.second.size());
    const auto depth = -static_cast<std::ptrdiff_t>(place.first.size());
    return std::tuple{level.required, averaged, level.fitting, level.named, left_out, depth};
  };
  for (auto level = levels.begin(); level != levels.end(); ++level) {
    if (best == levels.end() || rank(*level) > rank(*best)) best = level;
  }
  return best;
}

LIMPID_INLINE std::vector<const WeightsSearch::Levels::value_type*> WeightsSearch::near(
    const Levels& levels, const Levels::value_type& best) {
  constexpr std::size_t kMost = 16;
  std::vector<const Levels::value_type*> near;
  for (const auto& level : levels) {
    const bool is_near = 2 * level.second.fitting >= best.second.fitting;
    if (&level != &best && is_near && best.second.fitting > 0) near.push_back(&level);
  }
  std::stable_sort(near.begin(), near.end(), [](const auto* a, const auto* b) {
    return a->second.score() > b->second.score();
  });
  near.resize(std::min(near.size(), kMost));
  return near;
}

LIMPID_INLINE std::pair<std::map<std::string, std::string>, std::vector<std::string>>
WeightsSearch::split(const Place& place, Reading reading) const {
  std::pair<std::map<std::string, std::string>, std::vector<std::string>> parts;
  const auto& [prefix, added] = place;
  for (const auto& [name, tensor] : file_.tensors) {
    if (name.compare(0, prefix.size(), prefix) != 0) {
      parts.second.push_back(name);
      continue;
    }
    const auto rest = name.substr(prefix.size());
    auto own = added + (this->*reading)(rest);
    // What is not the network's keeps its whole name in reports.
    if (fits_(own, tensor) == Fit::none) own = added + rest;
    if (!parts.first.emplace(std::move(own), name).second) parts.second.push_back(name);
  }
  return parts;
}

LIMPID_INLINE bool WeightsSearch::has_the_same(
    const FoundWeights& found, const std::map<std::string, std::string>& other) const {
  return all_the_same(found, other, [](const auto& a, const auto& b) { return a == b; });
}

LIMPID_INLINE bool WeightsSearch::has_equal(const FoundWeights& found,
                                            const std::map<std::string, std::string>& other) const {
  return all_the_same(found, other, [&](const auto& a, const auto& b) {
    return file_.tensors.at(a).read().equal(file_.tensors.at(b).read());
  });
}

LIMPID_INLINE std::string WeightsSearch::known_keys() const {
  std::set<std::string> keys;
  for (const auto& [name, tensor] : file_.tensors) {
    const auto dot = name.find('.');
    if (dot != name.npos) keys.insert(printable(name.substr(0, dot)));
  }
  if (keys.empty()) return "; the file has no keys";
  return "; the file's keys are " + listed({keys.begin(), keys.end()});
}

}  // namespace limpid::detail

#endif  // LIMPID_BODIES
