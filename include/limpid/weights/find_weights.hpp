#pragma once

#include <limpid/core/compiled.hpp>
#include <limpid/io/tensor_index.hpp>
#include <limpid/weights/name_map.hpp>
#include <limpid/weights/weights_search.hpp>

#include <c10/core/ScalarType.h>

#include <cstddef>
#include <functional>
#include <map>
#include <string>

// Where in a file a network's tensors stand: {'params_ema': {'module.conv.weight': ...}} has
// several levels, and the one counts under which the most names of the network are found, with
// shapes that fit. No list of wrappers decides.

#ifdef LIMPID_BODIES
#include <limpid/core/fail.hpp>
#include <limpid/core/printable.hpp>

#include <algorithm>
#include <set>
#include <string_view>
#endif

namespace limpid {

namespace detail {

/// Whether values of one type become values of the other without a change of kind.
LIMPID_INLINE bool converts(at::ScalarType from, at::ScalarType to);

/// "features." where all names begin with it.
LIMPID_INLINE std::string common_prefix(const std::map<std::string, at::Tensor>& wanted);

}  // namespace detail

/// The level of a file that has the most tensors of a network.
///
/// Everything before the last words of a name can be the level's: any nesting of containers, any
/// prefix that a program put before the names. Words that the network does not have may also stand
/// between those it has (the 'module' in "encoder.module.conv.weight"), where that finds more.
/// Averaged weights (an `ema` in the path) win over raw ones, where all the network needs is there.
///
/// @param wanted   the network's tensors by their published names
/// @param may_lack published names that a file need not have
/// @throws c10::Error if nothing stands under `options.key`; the text lists the file's keys.
LIMPID_INLINE FoundWeights find_weights(const TensorIndex& file,
                                        const std::map<std::string, at::Tensor>& wanted,
                                        const std::function<bool(const std::string&)>& may_lack,
                                        const FindOptions& options = {});

/// The level of a file that has the most tensors of a network whose sizes are not known yet, only
/// its names: from the shapes of that level they are then found.
/// @throws c10::Error as above.
LIMPID_INLINE FoundWeights find_weights(const TensorIndex& file, const NameMap& map,
                                        const FindOptions& options = {});

/// Refuses a file in which nothing ranks one level above another.
/// @param source  how the error begins
LIMPID_INLINE void check_one_level(const FoundWeights& found, const std::string& source);

}  // namespace limpid

#ifdef LIMPID_BODIES

namespace limpid::detail {

LIMPID_INLINE bool converts(at::ScalarType from, at::ScalarType to) {
  return c10::isFloatingType(from) == c10::isFloatingType(to) && !c10::isComplexType(from) &&
         !c10::isComplexType(to);
}

LIMPID_INLINE std::string common_prefix(const std::map<std::string, at::Tensor>& wanted) {
  if (wanted.empty()) return {};
  const auto& first = wanted.begin()->first;
  const auto& last = wanted.rbegin()->first;  // sorted: what these two share, all do
  const auto apart = std::mismatch(first.begin(), first.end(), last.begin(), last.end()).first;
  const auto dot = std::string_view{first.begin(), apart}.rfind('.');
  return dot == std::string_view::npos ? std::string{} : first.substr(0, dot + 1);
}

}  // namespace limpid::detail

namespace limpid {

LIMPID_INLINE FoundWeights find_weights(const TensorIndex& file,
                                        const std::map<std::string, at::Tensor>& wanted,
                                        const std::function<bool(const std::string&)>& may_lack,
                                        const FindOptions& options) {
  using Fit = detail::WeightsSearch::Fit;
  std::size_t longest = 0;
  std::set<std::string, std::less<>> words;
  std::set<std::string, std::less<>> optional;
  for (const auto& [name, tensor] : wanted) {
    longest = std::max(longest, name.size());
    if (may_lack(name)) optional.insert(name);
    for (std::size_t at = 0, dot; (dot = name.find('.', at)) != name.npos; at = dot + 1) {
      words.insert(name.substr(at, dot - at));
    }
  }
  const auto fits = [&](const std::string& name, const IndexedTensor& found) {
    const auto known = wanted.find(name);
    if (known == wanted.end()) return Fit::none;
    const auto& tensor = known->second;
    if (tensor.sizes() != found.shape || !detail::converts(found.type, tensor.scalar_type())) {
      return Fit::name;
    }
    return optional.count(name) != 0 ? Fit::optional : Fit::required;
  };
  const detail::WeightsSearch search{file, fits, longest, detail::common_prefix(wanted),
                                     std::move(words)};
  return search.find(options);
}

LIMPID_INLINE FoundWeights find_weights(const TensorIndex& file, const NameMap& map,
                                        const FindOptions& options) {
  using Fit = detail::WeightsSearch::Fit;
  constexpr std::size_t kLongest = 1024;
  const auto fits = [&](const std::string& name, const IndexedTensor&) {
    const auto own = map.own(name);
    if (!own || map.ignores(name)) return Fit::none;
    return map.may_lack(*own) ? Fit::optional : Fit::required;
  };
  return detail::WeightsSearch{file, fits, kLongest, {}, {}}.find(options);
}

LIMPID_INLINE void check_one_level(const FoundWeights& found, const std::string& source) {
  if (found.rivals.empty()) return;
  auto keys = found.rivals;
  keys.insert(keys.begin(), found.path());
  limpid::fail(source, ": ", keys.size(), " of its keys fit equally well (",
               printable(detail::listed(keys)), "); choose one (--key, or LoadOptions::key)");
}

}  // namespace limpid

#endif  // LIMPID_BODIES
