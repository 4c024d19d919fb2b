#pragma once

#include <limpid/core/padding.hpp>

#include <c10/util/Exception.h>
#include <nlohmann/json.hpp>

#include <string>

namespace limpid {

/// "reflect" or "zeros", as checkpoints keep it.
inline void to_json(nlohmann::json& json, PaddingMode mode) {
  json = mode == PaddingMode::zeros ? "zeros" : "reflect";
}

/// @throws c10::ValueError if `json` names no mode.
inline void from_json(const nlohmann::json& json, PaddingMode& mode) {
  TORCH_CHECK_VALUE(json == "reflect" || json == "zeros",
                    "PaddingMode: expected \"reflect\" or \"zeros\", got ", json.dump());
  mode = json == "zeros" ? PaddingMode::zeros : PaddingMode::reflect;
}

}  // namespace limpid
