#pragma once

#include <limpid/core/compiled.hpp>
#include <limpid/io/picture_facts.hpp>

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

#ifdef LIMPID_BODIES
#include <limpid/io/byte_reader.hpp>
#endif

namespace limpid::detail {

/// ICC profiles of cameras and screens take some kilobytes, those of presses two megabytes.
inline constexpr std::size_t kMaxProfileBytes = std::size_t{4} << 20;

/// Whether the profile is for pictures of so many channels (ICC.1:2022, sec. 7.2: signature and
/// colour space of the header).
LIMPID_INLINE bool profile_fits(std::string_view profile, int channels);

/// Keeps a profile that was found, or says why not.
LIMPID_INLINE void keep_profile(PictureFacts& facts, std::string profile);

}  // namespace limpid::detail

#ifdef LIMPID_BODIES

namespace limpid::detail {

LIMPID_INLINE bool profile_fits(std::string_view profile, int channels) {
  if (profile.size() < 128 || profile.substr(36, 4) != "acsp") return false;
  ByteReader size{profile};
  if (size.big(4) > profile.size()) return false;
  const auto space = profile.substr(16, 4);
  return channels == 1 ? space == "GRAY" : channels == 3 ? space == "RGB " : space == "CMYK";
}

LIMPID_INLINE void keep_profile(PictureFacts& facts, std::string profile) {
  if (profile.empty()) return;
  if (!profile_fits(profile, facts.channels)) {
    facts.losses.emplace_back("a colour profile that is damaged or of other colours is left out");
  } else if (facts.channels == 4) {
    facts.losses.emplace_back("four inks become RGB without their colour profile");
  } else {
    facts.colour_profile = std::move(profile);
  }
}

}  // namespace limpid::detail

#endif  // LIMPID_BODIES
