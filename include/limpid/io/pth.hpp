#pragma once

#include <limpid/io/input_file.hpp>
#include <limpid/io/pickle.hpp>
#include <limpid/io/pickled_tensors.hpp>
#include <limpid/io/safetensors.hpp>
#include <limpid/io/zip.hpp>

#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>
#include <c10/util/Exception.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>

namespace limpid {

namespace detail {

/// Far more than the names of any network's tensors take.
inline constexpr std::uint64_t kLargestPickle = 64 << 20;

/// How the legacy format begins: a pickle of this number.
inline constexpr std::string_view kLegacyMagic = "\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19";

/// What `read` returns; its errors are said of the file.
template <class Read>
auto reading_pth(const std::filesystem::path& path, Read read) {
  try {
    return read();
  } catch (const c10::Error& error) {
    TORCH_CHECK(false, "cannot read PyTorch file '", path.string(),
                "': ", error.what_without_backtrace());
  }
}

/// The entry "ROOT/data.pkl", or nullptr.
inline const ZipEntry* find_data_pickle(const ZipArchive& archive) {
  constexpr std::string_view kName = "/data.pkl";
  for (const auto& entry : archive.entries()) {
    const auto slash = entry.name.find('/');
    if (slash != entry.name.npos && entry.name.substr(slash) == kName) return &entry;
  }
  return nullptr;
}

inline TensorFile read_zip_pth(ZipArchive& archive) {
  const auto* pickle_entry = find_data_pickle(archive);
  TORCH_CHECK(pickle_entry != nullptr, "expected an archive with data.pkl, found one of ",
              archive.entries().size(), " other entries");
  const auto root = pickle_entry->name.substr(0, pickle_entry->name.find('/') + 1);
  TORCH_CHECK(archive.find(root + "constants.pkl") == nullptr,
              "expected tensors, found a TorchScript program (save its state_dict instead)");
  if (const auto* order = archive.find(root + "byteorder")) {
    TORCH_CHECK(order->size == 6 && archive.read(*order) == "little",
                "expected little-endian numbers");
  }
  TORCH_CHECK(pickle_entry->size <= kLargestPickle, "its pickle has ", pickle_entry->size,
              " bytes, more than ", kLargestPickle);
  const auto bytes = archive.read(*pickle_entry);
  const Pickle pickle{bytes, 0, tensor_globals()};
  TORCH_CHECK(pickle.end() == bytes.size(), "its pickle ends before its file");
  PickledTensors tensors{[&](const StorageId& id) {
    const auto* entry = archive.find(root + "data/" + id.key);
    TORCH_CHECK(entry != nullptr, "a storage '", printable(id.key), "' that is not in the file");
    TORCH_CHECK(entry->size == id.bytes(), "a storage of ", id.bytes(), " bytes, its file has ",
                entry->size);
    auto storage = at::empty({static_cast<std::int64_t>(entry->size)}, at::kByte);
    archive.read_into(*entry, storage.data_ptr());
    return storage;
  }};
  return tensors.collect(pickle.root());
}

/// Where each storage of a legacy file begins: they follow in the order of a list of keys, each
/// behind its length.
inline std::map<std::string, std::uint64_t> find_legacy_storages(InputFile& file,
                                                                 const Pickle& object,
                                                                 const PickleValue& keys,
                                                                 std::uint64_t at) {
  using Kind = PickleValue::Kind;
  std::map<std::string, StorageId> named;
  for (const auto* value : object.persistent()) {
    auto id = parse_storage(*value);
    const auto known = named.emplace(id.key, id);
    TORCH_CHECK(known.second || known.first->second.bytes() == id.bytes(),
                "a storage with two lengths");
  }
  TORCH_CHECK(keys.is(Kind::list) && keys.items.size() == named.size(),
              "a list of storages that does not fit its tensors");
  std::map<std::string, std::uint64_t> places;
  for (const auto* key : keys.items) {
    const auto id = named.find(key->is(Kind::text) ? std::string{key->text} : std::string{});
    TORCH_CHECK(id != named.end(), "a storage that no tensor names");
    const auto numel = little_endian(file.read(at, 8).data(), 8);
    TORCH_CHECK(numel == id->second.numel, "a storage of ", numel, " numbers, expected ",
                id->second.numel);
    at += 8;
    TORCH_CHECK(id->second.bytes() <= file.size() - at, "a storage that is cut short");
    TORCH_CHECK(places.emplace(id->first, at).second, "a storage that is listed twice");
    at += id->second.bytes();
  }
  TORCH_CHECK(at == file.size(), file.size() - at, " bytes behind its last storage");
  return places;
}

inline TensorFile read_legacy_pth(InputFile& file) {
  using Kind = PickleValue::Kind;
  const auto bytes = file.read(0, std::min(file.size(), kLargestPickle));
  const Pickle magic{bytes, 0};
  TORCH_CHECK(magic.root().is(Kind::large_integer) && magic.root().text == kLegacyMagic,
              "expected the number of the legacy format");
  const Pickle version{bytes, magic.end()};
  TORCH_CHECK(version.root().is(Kind::integer) && version.root().integer == 1001,
              "expected version 1001 of the legacy format");
  const Pickle system{bytes, version.end()};
  const auto& facts = system.root();
  for (std::size_t i = 0; facts.is(Kind::dict) && i < facts.items.size(); i += 2) {
    TORCH_CHECK(facts.items[i]->text != "little_endian" || facts.items[i + 1]->integer == 1,
                "expected little-endian numbers");
  }
  const Pickle object{bytes, system.end(), tensor_globals()};
  const Pickle keys{bytes, object.end()};
  const auto places = find_legacy_storages(file, object, keys.root(), keys.end());
  PickledTensors tensors{[&](const StorageId& id) {
    auto storage = at::empty({static_cast<std::int64_t>(id.bytes())}, at::kByte);
    file.read(places.at(id.key), storage.data_ptr(), id.bytes());
    return storage;
  }};
  return tensors.collect(object.root());
}

}  // namespace detail

/// Reads the tensors of a file that `torch.save` wrote, zip (PyTorch 1.6 and newer) or legacy,
/// without executing anything: tensors and plain containers are read, all else is refused by name.
///
/// @return CPU tensors, contiguous, under dotted names: {"model": {"conv.weight": w}} becomes
/// "model.conv.weight", lists count from 0. Tensors that shared a storage share its memory. Numbers
/// and texts stand in the metadata under their dotted names.
/// @throws c10::Error that names the file and the tensor.
inline TensorFile read_pth(const std::filesystem::path& path) {
  return detail::reading_pth(path, [&] {
    InputFile file{path, "file"};
    const auto start = file.read(0, std::min<std::uint64_t>(file.size(), 512));
    if (start.compare(0, 2, "PK") == 0) {
      ZipArchive archive{path};
      return detail::read_zip_pth(archive);
    }
    TORCH_CHECK(
        start.size() < 262 || start.compare(257, 5, "ustar") != 0,
        "the tar format of PyTorch before 0.1.10 is not supported (load and save it again)");
    TORCH_CHECK(!start.empty() && start[0] == '\x80', "expected a zip archive or a pickle");
    return detail::read_legacy_pth(file);
  });
}

}  // namespace limpid
