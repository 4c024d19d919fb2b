#pragma once

// The only place of the version; CMakeLists.txt reads it from here.
#define LIMPID_VERSION_MAJOR 0
#define LIMPID_VERSION_MINOR 1
#define LIMPID_VERSION_PATCH 0

namespace limpid {

/// Version of the library, "MAJOR.MINOR.PATCH".
inline constexpr const char* kVersion = "0.1.0";

}  // namespace limpid
