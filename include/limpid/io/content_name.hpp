#pragma once

#include <limpid/core/compiled.hpp>

#include <string>
#include <string_view>

#ifdef LIMPID_BODIES
#include <algorithm>
#include <cctype>
#endif

namespace limpid::detail {

/// What a file that begins with these bytes (512 of them, or all) is, where it is no file of
/// tensors: "an HTML page (...)". What people get instead of a download is told, and what to do.
LIMPID_INLINE std::string content_name(std::string_view start);

}  // namespace limpid::detail

#ifdef LIMPID_BODIES

namespace limpid::detail {

LIMPID_INLINE std::string content_name(std::string_view start) {
  const auto begins = [&](std::string_view magic) {
    return start.substr(0, magic.size()) == magic;
  };
  if (start.empty()) return "nothing in it";
  if (begins("version https://git-lfs")) {
    return "a Git LFS pointer: the file itself was not downloaded (git lfs pull)";
  }
  struct Magic {
    std::string_view bytes, name;
  };
  constexpr Magic kMagics[] = {
      {"\x1f\x8b", "a gzip archive (unpack it first)"},
      {"BZh", "a bzip2 archive (unpack it first)"},
      {"\xfd"
       "7zXZ",
       "an xz archive (unpack it first)"},
      {"\x28\xb5\x2f\xfd", "a zstd archive (unpack it first)"},
      {"7z\xbc\xaf", "a 7z archive (unpack it first)"},
      {"Rar!", "a RAR archive (unpack it first)"},
      {"PK", "a zip archive of something else (unpack it first)"},
      {"\x89HDF", "HDF5"},
      {"GGUF", "a GGUF file"},
      {"\x89PNG", "a picture (PNG)"},
      {"\xff\xd8\xff", "a picture (JPEG)"},
      {"%PDF", "a PDF document"},
      {"MATLAB 5.0", "a MATLAB file"},
      {"\x7f"
       "ELF",
       "a program"},
      {"\x80", "a pickle of something else"},
  };
  for (const auto& magic : kMagics) {
    if (begins(magic.bytes)) return std::string{magic.name};
  }
  if (start.size() >= 262 && start.substr(257, 5) == "ustar") {
    // PyTorch's begins with one of these; a name ends with a NUL.
    for (const std::string_view name : {"sys_info", "pickle", "storages", "tensors"}) {
      if (begins(name) && (start[name.size()] == '\0' || start[name.size()] == '/')) {
        return "a tar archive, as PyTorch before 0.1.10 wrote it (load and save it again)";
      }
    }
    return "a tar archive (unpack it first)";
  }
  std::string text;
  for (const unsigned char byte : start) {
    const bool is_bom = byte >= 0xbb && text.empty();
    if (!is_bom && (!text.empty() || !std::isspace(byte))) {
      text += static_cast<char>(std::tolower(byte));
    }
  }
  for (const std::string_view page :
       {"<!doctype html", "<html", "<head", "<!--", "<?xml", "<script"}) {
    if (text.compare(0, page.size(), page) == 0) {
      return "an HTML page, as a server sends it instead of a download (download it again)";
    }
  }
  const bool is_text = std::all_of(start.begin(), start.end(), [](unsigned char byte) {
    return byte >= 0x20 || byte == '\n' || byte == '\r' || byte == '\t';
  });
  if (is_text && (text[0] == '{' || text[0] == '[')) return "JSON or other text";
  return is_text && !text.empty() ? "text" : "something else";
}

}  // namespace limpid::detail

#endif  // LIMPID_BODIES
