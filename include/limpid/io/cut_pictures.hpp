#pragma once

#include <limpid/core/compiled.hpp>
#include <limpid/core/window.hpp>
#include <limpid/io/picture_file.hpp>

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>

#ifdef LIMPID_BODIES
#include <limpid/core/checksum.hpp>

#include <utility>
#endif

namespace limpid {

/// Files of which parts are wanted again and again, packed anew so that a part costs what it is
/// large (`CutPicture`), up to a number of bytes. Of JPEG files; others are left as they
/// are. Safe to use from several threads.
///
/// A file is packed anew when a part of it is asked for the second time, which takes about twice
/// as long as decoding all of it and pays from the eighth visit on. What is in stays in.
class CutPictures {
 public:
  explicit CutPictures(std::int64_t max_bytes) : max_bytes_(max_bytes) {}

  /// What is kept of `file`, as it is now; null where nothing is, or where `window` is most of it.
  std::shared_ptr<const CutPicture> of(const detail::OpenPictureFile& file, const Window& window);

  /// Bytes that are kept.
  std::int64_t bytes() const;

  /// Files that are kept.
  std::int64_t size() const;

 private:
  struct Entry {
    std::uint32_t checksum;
    bool is_tried = false;
    std::shared_ptr<const CutPicture> cut{};
  };

  void keep(const std::string& path, Entry entry);

  const std::int64_t max_bytes_;
  mutable std::mutex mutex_;
  std::int64_t bytes_ = 0, size_ = 0;
  std::unordered_map<std::string, Entry> entries_;
};

}  // namespace limpid

#ifdef LIMPID_BODIES

namespace limpid {

LIMPID_INLINE std::shared_ptr<const CutPicture> CutPictures::of(const detail::OpenPictureFile& file,
                                                                const Window& window) {
  const bool is_most = 2 * window.height * window.width > file.height() * file.width();
  if (is_most || !file.can_be_cut()) return nullptr;
  const auto& bytes = file.bytes();
  const auto checksum = crc32(bytes.data(), bytes.size());
  {
    const std::lock_guard lock{mutex_};
    const auto [found, is_new] = entries_.try_emplace(file.path(), Entry{checksum});
    auto& entry = found->second;
    if (is_new) return nullptr;
    if (entry.checksum != checksum) {
      // Another file under the same name.
      if (entry.cut != nullptr) {
        bytes_ -= entry.cut->bytes();
        --size_;
      }
      entry = Entry{checksum};
      return nullptr;
    }
    const bool has_room = bytes_ + static_cast<std::int64_t>(bytes.size()) <= max_bytes_;
    if (entry.is_tried || !has_room) return entry.cut;
    entry.is_tried = true;
  }
  auto cut = file.cut();
  if (cut != nullptr) keep(file.path(), Entry{checksum, true, cut});
  return cut;
}

LIMPID_INLINE void CutPictures::keep(const std::string& path, Entry entry) {
  const std::lock_guard lock{mutex_};
  auto& kept = entries_.at(path);
  const auto bytes = entry.cut->bytes();
  if (kept.checksum != entry.checksum || kept.cut != nullptr || bytes_ + bytes > max_bytes_) return;
  kept = std::move(entry);
  bytes_ += bytes;
  ++size_;
}

LIMPID_INLINE std::int64_t CutPictures::bytes() const {
  const std::lock_guard lock{mutex_};
  return bytes_;
}

LIMPID_INLINE std::int64_t CutPictures::size() const {
  const std::lock_guard lock{mutex_};
  return size_;
}

}  // namespace limpid

#endif  // LIMPID_BODIES
