#pragma once

// Templates that the library limpid::compiled holds, and that who links it need not compile again:
// CMake defines LIMPID_COMPILED for them. A header lists its own at its end, as LIMPID_ONCE
//
//   #ifdef LIMPID_ONCE
//   LIMPID_ONCE AnyWeighting named_weighting<>(const WeightingText& text);
//   #endif
//
// which declares them, or defines them in the library's own source (LIMPID_DEFINES_ONCE). Without
// limpid::compiled each program compiles what it calls, as with any header.
#if defined(LIMPID_DEFINES_ONCE)
#define LIMPID_ONCE template
#elif defined(LIMPID_COMPILED)
#define LIMPID_ONCE extern template
#endif
