#pragma once

// What the library limpid::compiled holds, and who links it need not compile again: CMake defines
// LIMPID_COMPILED for them. Without limpid::compiled each program compiles what it calls, as with
// any header.
//
// Functions: a header declares them first, so that its interface reads alone, and defines them at
// its end, as LIMPID_INLINE, behind LIMPID_BODIES; so does it include what only they need.
//
//   #ifdef LIMPID_BODIES
//   namespace limpid {
//   LIMPID_INLINE void Image::save(const std::filesystem::path& path) const { ... }
//   }
//   #endif
//
// Templates of known arguments: a header lists them at its end, as LIMPID_ONCE, which declares
// them, or defines them in the library's own source.
//
//   #ifdef LIMPID_ONCE
//   LIMPID_ONCE AnyWeighting named_weighting<>(const WeightingText& text);
//   #endif
//
// JSON of a struct: LIMPID_JSON(Options, width, blocks) behind it is nlohmann-json's
// NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE, whose functions the library holds, too.
//
// The library's sources define LIMPID_DEFINES_BODIES or LIMPID_DEFINES_ONCE.
#if !defined(LIMPID_COMPILED)
#define LIMPID_BODIES
#define LIMPID_INLINE inline
#elif defined(LIMPID_DEFINES_BODIES)
#define LIMPID_BODIES
#define LIMPID_INLINE [[gnu::used]] inline  // compiled though nobody here calls it
#else
#define LIMPID_INLINE
#endif

#if defined(LIMPID_DEFINES_ONCE)
#define LIMPID_ONCE template
#elif defined(LIMPID_COMPILED)
#define LIMPID_ONCE extern template
#endif

#ifdef LIMPID_DEFINES_BODIES
#define LIMPID_KEPT [[gnu::used]]
#else
#define LIMPID_KEPT
#endif

#define LIMPID_JSON_DECLARED(Type)                                   \
  LIMPID_KEPT void to_json(nlohmann::json& json, const Type& value); \
  LIMPID_KEPT void from_json(const nlohmann::json& json, Type& value);

#ifdef LIMPID_BODIES
#define LIMPID_JSON(Type, ...) \
  LIMPID_JSON_DECLARED(Type)   \
  NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Type, __VA_ARGS__)
#else
#define LIMPID_JSON(Type, ...) LIMPID_JSON_DECLARED(Type)
#endif
