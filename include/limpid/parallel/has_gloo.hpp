#pragma once

// LIMPID_WITH_GLOO is 1 where LibTorch has Gloo and Gloo's own headers are there (Debian:
// libgloo-dev); CMake says so, else it is found out here.
#if !defined(LIMPID_WITH_GLOO)
#if defined(USE_C10D_GLOO) && __has_include(<gloo/rendezvous/store.h>)
#define LIMPID_WITH_GLOO 1
#else
#define LIMPID_WITH_GLOO 0
#endif
#endif

namespace limpid {

/// Whether this build can train in several processes.
inline constexpr bool kHasProcesses = LIMPID_WITH_GLOO != 0;

}  // namespace limpid
