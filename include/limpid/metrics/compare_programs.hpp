#pragma once

#include <limpid/metrics/any_metric.hpp>
#include <limpid/metrics/compare_folders.hpp>
#include <limpid/metrics/default_metrics.hpp>
#include <limpid/metrics/paired_comparison.hpp>
#include <limpid/metrics/scores.hpp>

#include <c10/util/Exception.h>

#include <cstddef>
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <vector>

namespace limpid {

/// Scores the pictures of two programs against the true ones of the same names (those of
/// `compare_folders`; extensions may differ), for a paired comparison.
///
/// A picture that one of the three folders lacks is left out, with the reason
/// (`PairedComparison::missing`). One that cannot be read or compared has no score and says why;
/// the others go on.
///
/// @param each  called after each picture, to show progress; may be empty
/// @throws c10::Error that names the folders: two pictures have one name, or no name is in all
///         three.
inline PairedComparison compare_programs(
    const std::filesystem::path& folder, const std::filesystem::path& other_folder,
    const std::filesystem::path& target_folder,
    const std::vector<AnyMetric>& metrics = default_metrics(),
    const std::function<void(const ComparedPicture&)>& each = {}) {
  PairedComparison pairs{Comparison{metrics}, Comparison{metrics}};
  auto& notes = pairs.compared.notes;
  const auto first = detail::pictures_to_compare(folder, notes);
  const auto other = detail::pictures_to_compare(other_folder, notes);
  const auto targets = detail::pictures_to_compare(target_folder, notes);

  std::map<std::string, bool> names;  // and whether all three folders have them
  for (const auto* pictures : {&first, &other, &targets}) {
    for (const auto& [name, path] : *pictures) names[name] = true;
  }
  std::size_t count = 0;
  for (auto& [name, is_whole] : names) {
    std::string without;
    const auto look = [&](const auto& pictures, const std::filesystem::path& place) {
      if (pictures.count(name) == 0)
        without += (without.empty() ? "'" : ", '") + place.string() + "'";
    };
    look(first, folder), look(other, other_folder), look(targets, target_folder);
    is_whole = without.empty();
    if (!is_whole) pairs.missing[name] = "not in " + without;
    count += is_whole ? 1 : 0;
  }
  TORCH_CHECK(count > 0, "compare: no picture is in all of '", folder.string(), "', '",
              other_folder.string(), "' and '", target_folder.string(), "' by its name");

  for (const auto& [name, is_whole] : names) {
    if (!is_whole) continue;
    detail::add_compared(pairs.compared, name, first.at(name), targets.at(name));
    detail::add_compared(pairs.against, name, other.at(name), targets.at(name));
    if (each) each({pairs.compared.images.size() - 1, count, name});
  }
  return pairs;
}

}  // namespace limpid
