#pragma once

#include <support/archives.hpp>

#include <cstdint>
#include <initializer_list>
#include <string>
#include <utility>
#include <vector>

// Pickles and PyTorch's files put together opcode by opcode.
namespace limpid_test::pickle {

using Pairs = std::vector<std::pair<std::string, std::string>>;

inline std::string text(const std::string& value) {
  return "X" + little_endian(value.size(), 4) + value;
}

inline std::string integer(std::int64_t value) {
  return "\x8a\x08" + little_endian(static_cast<std::uint64_t>(value), 8);
}

inline std::string tuple(const std::vector<std::string>& items) {
  std::string bytes = "(";
  for (const auto& item : items) bytes += item;
  return bytes + "t";
}

inline std::string sides(const std::vector<std::int64_t>& values) {
  std::vector<std::string> items;
  for (const auto value : values) items.push_back(integer(value));
  return tuple(items);
}

/// A dict; keys and values are pickled already.
inline std::string dict(const Pairs& pairs) {
  std::string bytes = "}(";
  for (const auto& [key, value] : pairs) bytes += key + value;
  return bytes + "u";
}

/// A dict with these texts as keys.
inline std::string named(const Pairs& pairs) {
  Pairs keyed;
  for (const auto& [key, value] : pairs) keyed.emplace_back(text(key), value);
  return dict(keyed);
}

inline std::string global(const std::string& module, const std::string& name) {
  return "c" + module + "\n" + name + "\n";
}

inline std::string call(const std::string& module, const std::string& name,
                        const std::vector<std::string>& arguments) {
  return global(module, name) + tuple(arguments) + "R";
}

inline std::string storage(const std::string& type, const std::string& key, std::int64_t numel,
                           const std::string& view = {}) {
  auto parts = std::vector{text("storage"), global("torch", type), text(key), text("cuda:0"),
                           integer(numel)};
  if (!view.empty()) parts.push_back(view);
  return tuple(parts) + "Q";
}

inline std::string tensor(const std::string& storage, std::int64_t offset,
                          const std::vector<std::int64_t>& shape,
                          const std::vector<std::int64_t>& strides) {
  return call("torch._utils", "_rebuild_tensor_v2",
              {storage, integer(offset), sides(shape), sides(strides), "\x89",
               global("collections", "OrderedDict") + ")R"});
}

/// What stands between the protocol and the end.
inline std::string whole(const std::string& content) { return "\x80\x02" + content + "."; }

/// A file as `torch.save` writes it today, of pickled content and storages by key.
inline std::string zip_pth(const std::string& content, const Pairs& storages) {
  std::vector<ZipPart> parts{{"archive/data.pkl", whole(content)}, {"archive/byteorder", "little"}};
  for (const auto& [key, bytes] : storages) parts.emplace_back("archive/data/" + key, bytes);
  parts.emplace_back("archive/version", "3\n");
  return zip_file(parts);
}

/// One storage of a legacy file.
struct LegacyStorage {
  std::string key;
  std::uint64_t numel;
  std::string bytes;
};

/// A file as `torch.save` wrote it before 1.6.
inline std::string legacy_pth(const std::string& content,
                              const std::vector<LegacyStorage>& storages) {
  using namespace std::string_literals;
  const auto system = named({{"protocol_version", integer(1001)}, {"little_endian", "\x88"}});
  std::string keys = "](", data;
  for (const auto& storage : storages) {
    keys += text(storage.key);
    data += little_endian(storage.numel, 8) + storage.bytes;
  }
  return whole("\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19") + whole("M\xe9\x03") +
         whole(system) + whole(content) + whole(keys + "e") + data;
}

}  // namespace limpid_test::pickle
