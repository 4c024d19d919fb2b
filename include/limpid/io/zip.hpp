#pragma once

#include <limpid/core/compiled.hpp>
#include <limpid/io/input_file.hpp>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#ifdef LIMPID_BODIES
#include <limpid/core/check.hpp>
#include <limpid/core/checksum.hpp>
#include <limpid/core/fail.hpp>
#include <limpid/core/printable.hpp>
#include <limpid/io/inflate.hpp>

#include <c10/util/Exception.h>

#include <algorithm>
#include <cstring>
#endif

namespace limpid {

/// One file in a zip archive, as the archive's directory describes it.
struct ZipEntry {
  std::string name;
  std::uint64_t size = 0;         ///< bytes, unpacked
  std::uint64_t packed_size = 0;  ///< bytes in the archive
  std::uint64_t header = 0;       ///< where its own header begins
  std::uint64_t data = 0;         ///< where its bytes begin
  std::uint32_t checksum = 0;     ///< CRC-32 of the unpacked bytes
  bool deflated = false;
};

/// What an archive may ask for.
struct ZipLimits {
  std::uint64_t entries = 1'000'000;
  std::uint64_t inflated_bytes = std::uint64_t{4} << 30;  ///< of all deflated entries together
  std::uint64_t inflated_ratio = 64;  ///< and not more than this times the archive's size
  std::uint64_t inflated_bytes_of_any = 128 << 20;  ///< but this, however small it is
};

namespace detail {

LIMPID_INLINE std::uint64_t little_endian(const char* bytes, int count);

}  // namespace detail

/// Reads zip archives, plain or deflated, with the zip64 extension.
///
/// Source: PKWARE, "APPNOTE.TXT - .ZIP File Format Specification", 6.3.10, sec. 4.3 and 4.5.3.
/// Everything is checked against the file's size before memory is taken: entries lie within the
/// file and do not overlap, names differ, checksums hold (where the archive has any: PyTorch can be
/// told to leave all at zero). Encrypted and split archives are refused.
class ZipArchive {
 public:
  /// @throws c10::Error that names the file and what is wrong with it.
  explicit ZipArchive(std::filesystem::path path, ZipLimits limits = {});

  const std::filesystem::path& path() const;

  /// In the order of the archive's directory.
  const std::vector<ZipEntry>& entries() const { return entries_; }

  /// The entry of that name, or nullptr.
  const ZipEntry* find(const std::string& name) const;

  /// An entry's bytes. @throws c10::Error that names file and entry if they are damaged.
  std::string read(const ZipEntry& entry);

  /// An entry's first bytes, at most `most`; no checksum is compared.
  std::string read_start(const ZipEntry& entry, std::uint64_t most);

  /// Writes an entry's `entry.size` bytes to `destination`.
  void read_into(const ZipEntry& entry, void* destination);

 private:
  const std::string& where() const;

  static std::string shown(const ZipEntry& entry);

  /// Where the directory lies, how long it is, and how many entries it has.
  struct Directory {
    std::uint64_t offset, size, count, end;
  };

  Directory find_directory();

  Directory find_zip64_directory(const std::string& locator, std::uint64_t locator_offset);

  void check_one_disk(std::uint64_t disk, std::uint64_t directory_disk, std::uint64_t count_here,
                      std::uint64_t count) const;

  void read_directory();

  /// The entry at `at` of the directory; `at` moves behind it.
  ZipEntry parse_entry(const std::string& bytes, std::uint64_t& at) const;

  /// Fields that are saturated stand in the zip64 block of the extra fields, in this order.
  void widen(ZipEntry& entry, std::uint64_t& disk, const char* extra, std::uint64_t size) const;

  /// Compares each entry's own header with the directory, and finds where its bytes begin.
  void check_headers();

  InputFile file_;
  ZipLimits limits_;
  std::uint64_t directory_offset_ = 0;
  bool has_checksums_ = false;  ///< PyTorch can leave all of them at zero
  std::vector<ZipEntry> entries_;
  std::unordered_map<std::string, std::size_t> by_name_;
};

}  // namespace limpid

#ifdef LIMPID_BODIES

namespace limpid::detail {

LIMPID_INLINE std::uint64_t little_endian(const char* bytes, int count) {
  std::uint64_t value = 0;
  for (int i = count - 1; i >= 0; --i) value = value << 8 | static_cast<unsigned char>(bytes[i]);
  return value;
}

}  // namespace limpid::detail

namespace limpid {

LIMPID_INLINE ZipArchive::ZipArchive(std::filesystem::path path, ZipLimits limits)
    : file_(std::move(path), "zip archive"), limits_(limits) {
  read_directory();
  check_headers();
}

LIMPID_INLINE const std::filesystem::path& ZipArchive::path() const { return file_.path(); }

LIMPID_INLINE const ZipEntry* ZipArchive::find(const std::string& name) const {
  const auto found = by_name_.find(name);
  return found == by_name_.end() ? nullptr : &entries_[found->second];
}

LIMPID_INLINE std::string ZipArchive::read(const ZipEntry& entry) {
  std::string bytes(entry.size, '\0');
  read_into(entry, bytes.data());
  return bytes;
}

LIMPID_INLINE std::string ZipArchive::read_start(const ZipEntry& entry, std::uint64_t most) {
  const auto size = std::min(entry.size, most);
  if (!entry.deflated) return file_.read(entry.data, size);
  std::string bytes(size, '\0');
  // Deflate adds a few bytes for each block where it cannot pack.
  const auto packed = file_.read(entry.data, std::min(entry.packed_size, 2 * size + 1024));
  bytes.resize(detail::inflate_start(packed, bytes.data(), size));
  return bytes;
}

LIMPID_INLINE void ZipArchive::read_into(const ZipEntry& entry, void* destination) {
  auto* bytes = static_cast<char*>(destination);
  if (entry.deflated) {
    const auto packed = file_.read(entry.data, entry.packed_size);
    TORCH_CHECK(detail::inflate_exactly(packed, bytes, entry.size), where(), shown(entry),
                " has damaged deflate data, or not the ", entry.size,
                " bytes that the directory says");
  } else {
    file_.read(entry.data, bytes, entry.size);
  }
  TORCH_CHECK(!has_checksums_ || crc32(bytes, entry.size) == entry.checksum, where(),
              "the checksum of ", shown(entry), " does not hold; the file is damaged");
}

LIMPID_INLINE const std::string& ZipArchive::where() const { return file_.where(); }

LIMPID_INLINE std::string ZipArchive::shown(const ZipEntry& entry) {
  return "'" + printable(entry.name) + "'";
}

LIMPID_INLINE ZipArchive::Directory ZipArchive::find_directory() {
  constexpr std::uint64_t kRecord = 22, kLongestComment = 65535;
  TORCH_CHECK(file_.size() >= kRecord, where(), "expected at least ", kRecord, " bytes, found ",
              file_.size());
  const auto tail_size = std::min(file_.size(), kRecord + kLongestComment);
  const auto tail = file_.read(file_.size() - tail_size, tail_size);
  for (auto at = tail_size - kRecord + 1; at-- > 0;) {
    const auto* record = tail.data() + at;
    if (std::memcmp(record, "PK\5\6", 4) != 0) continue;
    if (at + kRecord + detail::little_endian(record + 20, 2) != tail_size) continue;
    const auto offset = file_.size() - tail_size + at;
    if (offset >= 20) {
      const auto locator = file_.read(offset - 20, 20);
      if (locator.compare(0, 4, "PK\6\7") == 0) return find_zip64_directory(locator, offset - 20);
    }
    check_one_disk(detail::little_endian(record + 4, 2), detail::little_endian(record + 6, 2),
                   detail::little_endian(record + 8, 2), detail::little_endian(record + 10, 2));
    return {detail::little_endian(record + 16, 4), detail::little_endian(record + 12, 4),
            detail::little_endian(record + 10, 2), offset};
  }
  limpid::fail(where(), "it has no directory (cut short, or not a zip archive)");
}

LIMPID_INLINE ZipArchive::Directory ZipArchive::find_zip64_directory(const std::string& locator,
                                                                     std::uint64_t locator_offset) {
  const auto offset = detail::little_endian(locator.data() + 8, 8);
  TORCH_CHECK(locator_offset >= 56 && offset <= locator_offset - 56, where(),
              "its zip64 directory is out of place");
  const auto record = file_.read(offset, 56);
  TORCH_CHECK(record.compare(0, 4, "PK\6\6") == 0 &&
                  detail::little_endian(record.data() + 4, 8) == locator_offset - offset - 12,
              where(), "its zip64 directory is malformed");
  check_one_disk(
      detail::little_endian(record.data() + 16, 4), detail::little_endian(record.data() + 20, 4),
      detail::little_endian(record.data() + 24, 8), detail::little_endian(record.data() + 32, 8));
  return {detail::little_endian(record.data() + 48, 8),
          detail::little_endian(record.data() + 40, 8),
          detail::little_endian(record.data() + 32, 8), offset};
}

LIMPID_INLINE void ZipArchive::check_one_disk(std::uint64_t disk, std::uint64_t directory_disk,
                                              std::uint64_t count_here, std::uint64_t count) const {
  TORCH_CHECK(disk == 0 && directory_disk == 0 && count_here == count, where(),
              "an archive in several parts is not supported");
}

LIMPID_INLINE void ZipArchive::read_directory() {
  const auto directory = find_directory();
  TORCH_CHECK(
      directory.offset <= directory.end && directory.size == directory.end - directory.offset,
      where(), "its directory is out of place");
  TORCH_CHECK(directory.count <= limits_.entries, where(), directory.count,
              " entries exceed the limit of ", limits_.entries);
  const auto bytes = file_.read(directory.offset, directory.size);
  const auto most =
      std::min(limits_.inflated_bytes,
               std::max(limits_.inflated_bytes_of_any, limits_.inflated_ratio * file_.size()));
  std::uint64_t at = 0, inflated = 0;
  while (at < bytes.size()) {
    auto entry = parse_entry(bytes, at);
    TORCH_CHECK(entry.header < directory.offset, where(), shown(entry), " lies outside the file");
    if (entry.deflated) {
      TORCH_CHECK(entry.size <= most && (inflated += entry.size) <= most, where(),
                  "its unpacked size exceeds the limit of ", most, " bytes");
    }
    TORCH_CHECK(by_name_.emplace(entry.name, entries_.size()).second, where(),
                "two entries are called ", shown(entry));
    has_checksums_ = has_checksums_ || entry.checksum != 0;
    entries_.push_back(std::move(entry));
  }
  TORCH_CHECK(entries_.size() == directory.count, where(), "expected ", directory.count,
              " entries, found ", entries_.size());
  directory_offset_ = directory.offset;
}

LIMPID_INLINE ZipEntry ZipArchive::parse_entry(const std::string& bytes, std::uint64_t& at) const {
  constexpr std::uint64_t kFixed = 46;
  const auto* record = bytes.data() + at;
  TORCH_CHECK(bytes.size() - at >= kFixed && std::memcmp(record, "PK\1\2", 4) == 0, where(),
              "its directory is malformed");
  const auto field = [&](int offset, int count) {
    return detail::little_endian(record + offset, count);
  };
  const auto name_size = field(28, 2), extra_size = field(30, 2), comment_size = field(32, 2);
  TORCH_CHECK(bytes.size() - at - kFixed >= name_size + extra_size + comment_size, where(),
              "its directory is cut short");
  ZipEntry entry;
  entry.name.assign(record + kFixed, name_size);
  TORCH_CHECK(!entry.name.empty() && entry.name.find('\0') == entry.name.npos, where(),
              "an entry has no usable name");
  constexpr std::uint64_t kEncrypted = 1, kPatched = 1 << 5, kStrong = 1 << 6, kMasked = 1 << 13;
  TORCH_CHECK((field(8, 2) & (kEncrypted | kPatched | kStrong | kMasked)) == 0, where(),
              shown(entry), " is encrypted or patched, which is not supported");
  const auto method = field(10, 2);
  TORCH_CHECK(method == 0 || method == 8, where(), shown(entry),
              ": expected compression method 0 (none) or 8 (deflate), found ", method);
  entry.deflated = method == 8;
  entry.checksum = static_cast<std::uint32_t>(field(16, 4));
  entry.packed_size = field(20, 4);
  entry.size = field(24, 4);
  entry.header = field(42, 4);
  auto disk = field(34, 2);
  widen(entry, disk, record + kFixed + name_size, extra_size);
  TORCH_CHECK(disk == 0, where(), "an archive in several parts is not supported");
  at += kFixed + name_size + extra_size + comment_size;

  TORCH_CHECK(entry.packed_size <= file_.size(), where(), shown(entry), " is longer than the file");
  // Deflate spends at least one bit on 129 bytes, so a larger promise cannot be kept.
  constexpr std::uint64_t kBestRatio = 1032;
  TORCH_CHECK(entry.deflated ? entry.size / kBestRatio <= entry.packed_size
                             : entry.size == entry.packed_size,
              where(), shown(entry), " cannot hold the ", entry.size, " bytes it says");
  return entry;
}

LIMPID_INLINE void ZipArchive::widen(ZipEntry& entry, std::uint64_t& disk, const char* extra,
                                     std::uint64_t size) const {
  constexpr std::uint64_t kFull = 0xffffffff;
  while (size >= 4) {
    const auto id = detail::little_endian(extra, 2), length = detail::little_endian(extra + 2, 2);
    extra += 4;
    size -= 4;
    TORCH_CHECK(length <= size, where(), shown(entry), " has malformed extra fields");
    if (id == 1) {
      auto left = length;
      const auto* next = extra;
      const auto take = [&](std::uint64_t& value, std::uint64_t full, int count) {
        if (value != full) return;
        TORCH_CHECK(left >= static_cast<std::uint64_t>(count), where(), shown(entry),
                    " has a zip64 field that is cut short");
        value = detail::little_endian(next, count);
        next += count;
        left -= static_cast<std::uint64_t>(count);
      };
      take(entry.size, kFull, 8);
      take(entry.packed_size, kFull, 8);
      take(entry.header, kFull, 8);
      take(disk, 0xffff, 4);
      return;
    }
    extra += length;
    size -= length;
  }
}

LIMPID_INLINE void ZipArchive::check_headers() {
  std::vector<ZipEntry*> ordered;
  for (auto& entry : entries_) ordered.push_back(&entry);
  std::sort(ordered.begin(), ordered.end(),
            [](const auto* a, const auto* b) { return a->header < b->header; });
  std::uint64_t end_of_last = 0;
  for (auto* entry : ordered) {
    TORCH_CHECK(entry->header >= end_of_last, where(), shown(*entry), " overlaps another entry");
    char record[30];
    file_.read(entry->header, record, sizeof record);
    const auto name_size = detail::little_endian(record + 26, 2);
    const auto extra_size = detail::little_endian(record + 28, 2);
    TORCH_CHECK(std::memcmp(record, "PK\3\4", 4) == 0 &&
                    detail::little_endian(record + 8, 2) == (entry->deflated ? 8u : 0u) &&
                    file_.read(entry->header + sizeof record, name_size) == entry->name,
                where(), "the header of ", shown(*entry), " does not fit the directory");
    entry->data = entry->header + sizeof record + name_size + extra_size;
    TORCH_CHECK(
        entry->data <= directory_offset_ && entry->packed_size <= directory_offset_ - entry->data,
        where(), shown(*entry), " lies outside the file");
    end_of_last = entry->data + entry->packed_size;
  }
}

}  // namespace limpid

#endif  // LIMPID_BODIES
