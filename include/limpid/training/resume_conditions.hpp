#pragma once

#include <limpid/core/fail.hpp>
#include <limpid/core/json_text.hpp>

#include <c10/util/Exception.h>
#include <nlohmann/json.hpp>

#include <iterator>
#include <string>

namespace limpid {

namespace detail {

/// Drops options of a network that are off and that `said` does not know: those that a network gets
/// are off by default, so that files of an older limpid stay what they were.
inline void drop_unsaid_options(nlohmann::json& network, const nlohmann::json& said) {
  if (!network.is_object() || !network.contains("options")) return;
  const auto others = said.value("options", nlohmann::json::object());
  auto& options = network["options"];
  for (auto option = options.begin(); option != options.end();) {
    const auto& value = option.value();
    const bool off = value == 0 || value == false || value.empty();
    option = off && !others.contains(option.key()) ? options.erase(option) : std::next(option);
  }
}

/// The conditions of `json` that `other` has a say on: a file of an older limpid does not say all
/// that is asked today.
inline nlohmann::json comparable(nlohmann::json json, const nlohmann::json& other, bool with_data) {
  const auto drop_unsaid = [](nlohmann::json& from, const nlohmann::json& said, const char* key) {
    if (!said.contains(key)) from.erase(key);
  };
  for (const auto* key : {"tf32", "convolution"}) drop_unsaid(json, other, key);
  json.emplace("weighting", "equal");  // the only one, once
  const nlohmann::json::json_pointer encoder{"/model/encoder"};
  if (json.contains(encoder) && other.contains(encoder)) {
    drop_unsaid_options(json[encoder], other[encoder]);
  }
  if (!json.contains("branches")) return json;
  const auto others = other.value("branches", nlohmann::json::object());
  for (auto& [task, branch] : json.at("branches").items()) {
    const auto said = others.value(task, nlohmann::json::object());
    for (const auto* key : {"pair_names", "augmentation"}) drop_unsaid(branch, said, key);
    if (branch.contains("losses")) {
      drop_unsaid(branch["losses"], said.value("losses", nlohmann::json::object()),
                  "penalty_slope");
    }
    if (said.contains("pairs") && said["pairs"] != branch["pairs"]) branch.erase("pair_names");
    if (with_data) continue;
    branch.erase("pairs");
    branch.erase("pair_names");
  }
  return json;
}

/// Whether all branches have the pairs that they had, as far as the file says.
inline bool same_data(const nlohmann::json& saved, const nlohmann::json& now) {
  const auto others = saved.value("branches", nlohmann::json::object());
  for (const auto& [task, branch] : now.at("branches").items()) {
    const auto said = others.value(task, nlohmann::json::object());
    for (const auto* key : {"pairs", "pair_names"}) {
      if (said.contains(key) && said.at(key) != branch.at(key)) return false;
    }
  }
  return true;
}

}  // namespace detail

/// Refuses to resume under other conditions than the run had, naming the first that differs.
/// @param data_changed  the pairs may be others
inline void check_conditions(const nlohmann::json& saved, const nlohmann::json& now,
                             bool data_changed, const std::string& source) {
  const auto expected = detail::comparable(now, saved, !data_changed);
  const auto found = detail::comparable(saved, now, !data_changed);
  const auto difference = nlohmann::json::diff(found, expected);
  if (difference.empty()) return;
  const auto path = difference.front().at("path").get<std::string>();
  const nlohmann::json::json_pointer where{path};
  const auto value = [&](const nlohmann::json& json) {
    return json.contains(where) ? json_excerpt(json.at(where), 400) : "nothing";
  };
  const bool names = path.ends_with("/pair_names");
  const bool data = names || path.ends_with("/pairs");
  limpid::fail(
      source, ": cannot resume, because the run was started with ",
      names ? "pairs of other names (" + path + ")"
            : path + " = " + value(found) + ", and this one has " + value(expected),
      data ? "; if its data have changed on purpose, say so: --data-changed, data_changed" : "");
}

}  // namespace limpid
