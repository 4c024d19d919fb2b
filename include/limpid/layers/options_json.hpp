#pragma once

#include <limpid/core/compiled.hpp>
#include <limpid/core/padding.hpp>
#include <limpid/core/ranges.hpp>

#include <nlohmann/json.hpp>

#include <string>

#ifdef LIMPID_BODIES
#include <limpid/core/json_text.hpp>

#include <c10/util/Exception.h>
#endif

namespace limpid {

/// "reflect" or "zeros", as checkpoints keep it.
LIMPID_INLINE void to_json(nlohmann::json& json, PaddingMode mode);

/// @throws c10::ValueError if `json` names no mode.
LIMPID_INLINE void from_json(const nlohmann::json& json, PaddingMode& mode);

/// "signed" or "unit", as checkpoints keep it.
LIMPID_INLINE void to_json(nlohmann::json& json, ValueRange range);

/// @throws c10::ValueError if `json` names no range.
LIMPID_INLINE void from_json(const nlohmann::json& json, ValueRange& range);

/// "clamped", "plain" or "none", as checkpoints keep it.
LIMPID_INLINE void to_json(nlohmann::json& json, GlobalSkip skip);

/// @throws c10::ValueError if `json` names no skip.
LIMPID_INLINE void from_json(const nlohmann::json& json, GlobalSkip& skip);

}  // namespace limpid

#ifdef LIMPID_BODIES

namespace limpid {

LIMPID_INLINE void to_json(nlohmann::json& json, PaddingMode mode) {
  json = mode == PaddingMode::zeros ? "zeros" : "reflect";
}

LIMPID_INLINE void from_json(const nlohmann::json& json, PaddingMode& mode) {
  TORCH_CHECK_VALUE(json == "reflect" || json == "zeros",
                    "PaddingMode: expected \"reflect\" or \"zeros\", got ", json_excerpt(json));
  mode = json == "zeros" ? PaddingMode::zeros : PaddingMode::reflect;
}

LIMPID_INLINE void to_json(nlohmann::json& json, ValueRange range) {
  json = range == ValueRange::unit_range ? "unit" : "signed";
}

LIMPID_INLINE void from_json(const nlohmann::json& json, ValueRange& range) {
  TORCH_CHECK_VALUE(json == "signed" || json == "unit",
                    "ValueRange: expected \"signed\" or \"unit\", got ", json_excerpt(json));
  range = json == "unit" ? ValueRange::unit_range : ValueRange::signed_range;
}

LIMPID_INLINE void to_json(nlohmann::json& json, GlobalSkip skip) {
  json = skip == GlobalSkip::clamped ? "clamped" : skip == GlobalSkip::plain ? "plain" : "none";
}

LIMPID_INLINE void from_json(const nlohmann::json& json, GlobalSkip& skip) {
  TORCH_CHECK_VALUE(json == "clamped" || json == "plain" || json == "none",
                    "GlobalSkip: expected \"clamped\", \"plain\" or \"none\", got ",
                    json_excerpt(json));
  skip = json == "clamped" ? GlobalSkip::clamped
         : json == "plain" ? GlobalSkip::plain
                           : GlobalSkip::none;
}

}  // namespace limpid

#endif  // LIMPID_BODIES
