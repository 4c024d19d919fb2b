#pragma once

#include <limpid/core/checksum.hpp>

#include <zlib.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

// Zip archives and .npy files put together byte by byte.
namespace limpid_test {

inline std::string little_endian(std::uint64_t value, int count) {
  std::string bytes;
  for (int i = 0; i < count; ++i, value >>= 8) bytes += static_cast<char>(value);
  return bytes;
}

inline std::string deflated(const std::string& bytes) {
  z_stream stream{};
  deflateInit2(&stream, 9, Z_DEFLATED, -MAX_WBITS, 8, Z_DEFAULT_STRATEGY);
  std::string packed(bytes.size() + 1000, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  deflate(&stream, Z_FINISH);
  const auto size = packed.size() - stream.avail_out;
  deflateEnd(&stream);
  return packed.substr(0, size);
}

/// One entry of an archive to be written; what is not the truth is what a test wants to see
/// refused.
struct ZipPart {
  std::string name;
  std::string packed;
  std::uint64_t size = 0;
  std::uint32_t checksum = 0;
  int method = 0;
  int flags = 0;
  std::string extra;           ///< of the directory
  std::int64_t header = -1;    ///< where the directory says its header is; -1: the truth
  std::string name_in_header;  ///< empty: the same name
  std::uint64_t said_packed_size;

  ZipPart(std::string name_, const std::string& content, bool deflate_it = false)
      : name(std::move(name_)),
        packed(deflate_it ? deflated(content) : content),
        size(content.size()),
        checksum(limpid::crc32(content.data(), content.size())),
        method(deflate_it ? 8 : 0),
        said_packed_size(packed.size()) {}
};

/// The end of a directory of `count` entries in `size` bytes at `offset`.
inline std::string zip_end(std::uint64_t count, std::uint64_t size, std::uint64_t offset,
                           const std::string& comment = {}) {
  return "PK\5\6" + little_endian(0, 4) + little_endian(count, 2) + little_endian(count, 2) +
         little_endian(size, 4) + little_endian(offset, 4) + little_endian(comment.size(), 2) +
         comment;
}

/// A zip64 end of a directory, and the saturated plain one behind it.
inline std::string zip64_end(std::uint64_t count, std::uint64_t size, std::uint64_t offset) {
  return "PK\6\6" + little_endian(44, 8) + little_endian(45, 2) + little_endian(45, 2) +
         little_endian(0, 8) + little_endian(count, 8) + little_endian(count, 8) +
         little_endian(size, 8) + little_endian(offset, 8) + "PK\6\7" + little_endian(0, 4) +
         little_endian(offset + size, 8) + little_endian(1, 4) +
         zip_end(0xffff, 0xffffffff, 0xffffffff);
}

inline std::string zip_file(const std::vector<ZipPart>& parts, const std::string& comment = {},
                            bool zip64 = false) {
  std::string bytes, directory;
  for (const auto& part : parts) {
    const auto name = part.name_in_header.empty() ? part.name : part.name_in_header;
    const auto facts = little_endian(20, 2) + little_endian(static_cast<unsigned>(part.flags), 2) +
                       little_endian(static_cast<unsigned>(part.method), 2) + little_endian(0, 4) +
                       little_endian(part.checksum, 4) + little_endian(part.said_packed_size, 4) +
                       little_endian(part.size, 4);
    const auto header = part.header < 0 ? bytes.size() : static_cast<std::uint64_t>(part.header);
    directory += "PK\1\2" + little_endian(20, 2) + facts + little_endian(part.name.size(), 2) +
                 little_endian(part.extra.size(), 2) + little_endian(0, 10) +
                 little_endian(header, 4) + part.name + part.extra;
    bytes +=
        "PK\3\4" + facts + little_endian(name.size(), 2) + little_endian(0, 2) + name + part.packed;
  }
  const auto offset = bytes.size();
  const auto end = zip64 ? zip64_end(parts.size(), directory.size(), offset)
                         : zip_end(parts.size(), directory.size(), offset, comment);
  return bytes + directory + end;
}

/// A .npy file of version `version`.0 with this dictionary and data.
inline std::string npy_file(const std::string& dictionary, const std::string& data,
                            int version = 1) {
  return "\x93NUMPY" + little_endian(static_cast<unsigned>(version), 2) +
         little_endian(dictionary.size(), version == 1 ? 2 : 4) + dictionary + data;
}

}  // namespace limpid_test
