#pragma once

#include <limpid/io/image.hpp>

#include <c10/util/Exception.h>

#include <algorithm>
#include <cctype>
#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace limpid {

/// Successive frames of one scene, in the order of time.
struct FrameSequence {
  std::filesystem::path name;  ///< its folder below the one that was read; empty for that itself
  std::vector<std::filesystem::path> frames;
};

namespace detail {

/// Whether `a` comes before `b` when runs of digits count as numbers: "frame9" before "frame10".
inline bool natural_less(std::string_view a, std::string_view b) {
  const auto is_digit = [](char c) { return std::isdigit(static_cast<unsigned char>(c)) != 0; };
  const auto number = [&](std::string_view& text) {
    std::size_t length = 0;
    while (length < text.size() && is_digit(text[length])) ++length;
    auto digits = text.substr(0, length);
    text.remove_prefix(length);
    while (digits.size() > 1 && digits.front() == '0') digits.remove_prefix(1);
    return digits;
  };
  auto x = a, y = b;
  while (!x.empty() && !y.empty()) {
    if (is_digit(x.front()) && is_digit(y.front())) {
      const auto left = number(x), right = number(y);
      if (left.size() != right.size()) return left.size() < right.size();
      if (left != right) return left < right;
    } else {
      if (x.front() != y.front()) return x.front() < y.front();
      x.remove_prefix(1);
      y.remove_prefix(1);
    }
  }
  if (x.empty() != y.empty()) return x.empty();
  return a < b;  // equal but for zeros before a number
}

}  // namespace detail

/// The sequences in a folder: its own pictures, and those of every folder below it, sorted by name
/// with numbers as numbers. Hidden files and folders are left out.
///
/// @throws c10::Error if the folder is missing, is no folder, cannot be read or holds no picture;
///         if two frames of a sequence differ in their extensions only.
inline std::vector<FrameSequence> frame_sequences(const std::filesystem::path& folder) {
  namespace fs = std::filesystem;
  const auto where = "frames '" + folder.string() + "': ";
  TORCH_CHECK(fs::is_directory(folder), where, "expected a folder, found ",
              fs::exists(folder) ? "a file" : "nothing");
  std::vector<fs::path> folders{folder};
  std::error_code error;
  fs::recursive_directory_iterator entry{folder, error};
  for (; !error && entry != fs::recursive_directory_iterator{}; entry.increment(error)) {
    if (!entry->is_directory()) continue;
    if (entry->path().filename().string().front() == '.') {
      entry.disable_recursion_pending();
    } else {
      folders.push_back(entry->path());
    }
  }
  TORCH_CHECK(!error, where, error.message());

  const auto by_name = [](const fs::path& a, const fs::path& b) {
    return detail::natural_less(a.string(), b.string());
  };
  std::sort(folders.begin(), folders.end(), by_name);
  std::vector<FrameSequence> sequences;
  for (const auto& one : folders) {
    FrameSequence sequence{one == folder ? fs::path{} : one.lexically_relative(folder), {}};
    for (const auto& file : fs::directory_iterator{one}) {
      if (detail::has_image_name(file.path()) && !file.is_directory()) {
        sequence.frames.push_back(file.path());
      }
    }
    if (sequence.frames.empty()) continue;
    std::sort(sequence.frames.begin(), sequence.frames.end(), by_name);
    for (std::size_t i = 1; i < sequence.frames.size(); ++i) {
      TORCH_CHECK(sequence.frames[i].stem() != sequence.frames[i - 1].stem(), where,
                  "expected one picture for each frame, found '", sequence.frames[i - 1].string(),
                  "' and '", sequence.frames[i].string(), "'");
    }
    sequences.push_back(std::move(sequence));
  }
  TORCH_CHECK(!sequences.empty(), where, "expected PNG, JPEG, BMP or PNM files, found none");
  return sequences;
}

}  // namespace limpid
