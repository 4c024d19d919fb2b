#pragma once

#include <limpid/core/compiled.hpp>
#include <limpid/io/input_file.hpp>
#include <limpid/io/pickle.hpp>
#include <limpid/io/tensor_index.hpp>
#include <limpid/io/zip.hpp>

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#ifdef LIMPID_BODIES
#include <limpid/core/check.hpp>
#include <limpid/core/fail.hpp>
#include <limpid/io/content_name.hpp>
#include <limpid/io/pickled_storages.hpp>
#include <limpid/io/pickled_tensors.hpp>

#include <c10/util/Exception.h>

#include <algorithm>
#endif

namespace limpid {

namespace detail {

/// Far more than the names of any network's tensors take.
inline constexpr std::uint64_t kLargestPickle = 64 << 20;

/// How the legacy format begins: a pickle of this number.
inline constexpr std::string_view kLegacyMagic = "\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19";

/// The entry "ROOT/data.pkl", or nullptr.
LIMPID_INLINE const ZipEntry* find_data_pickle(const ZipArchive& archive);

/// @param where  how errors of the tensors begin
LIMPID_INLINE TensorIndex index_zip_pth(const std::filesystem::path& path,
                                        const std::string& where);

/// Where each storage of a legacy file begins: they follow in the order of a list of keys, each
/// behind its length.
LIMPID_INLINE std::map<std::string, std::uint64_t> find_legacy_storages(InputFile& file,
                                                                        const Pickle& object,
                                                                        const PickleValue& keys,
                                                                        std::uint64_t at);

LIMPID_INLINE TensorIndex index_legacy_pth(const std::shared_ptr<InputFile>& file,
                                           const std::string& where);

/// Refuses a file that has no tensor, only what is passed over.
LIMPID_INLINE void check_has_tensors(const TensorIndex& index);

}  // namespace detail

/// What a file that `torch.save` wrote, zip (PyTorch 1.6 and newer) or legacy, says of its tensors,
/// whose numbers are not read yet. Nothing is executed.
///
/// @return tensors under dotted names: {"model": {"conv.weight": w}} becomes "model.conv.weight",
/// lists count from 0, a module saved as a whole has the names of its state_dict. Numbers and texts
/// stand in the metadata under their dotted names. All else is passed over, and listed with what
/// would have made it.
/// @throws c10::Error that names the file and the tensor.
LIMPID_INLINE TensorIndex index_pth(const std::filesystem::path& path);

/// Reads the tensors of `index_pth`, all of them.
///
/// @return CPU tensors, contiguous, under dotted names. Tensors that shared a storage share its
/// memory.
/// @throws c10::Error that names the file and the tensor.
LIMPID_INLINE TensorFile read_pth(const std::filesystem::path& path);

}  // namespace limpid

#ifdef LIMPID_BODIES

namespace limpid::detail {

LIMPID_INLINE const ZipEntry* find_data_pickle(const ZipArchive& archive) {
  constexpr std::string_view kName = "/data.pkl";
  for (const auto& entry : archive.entries()) {
    const auto slash = entry.name.find('/');
    if (slash != entry.name.npos && entry.name.substr(slash) == kName) return &entry;
  }
  return nullptr;
}

LIMPID_INLINE TensorIndex index_zip_pth(const std::filesystem::path& path,
                                        const std::string& where) {
  const auto archive = std::make_shared<ZipArchive>(path);
  const auto* pickle_entry = find_data_pickle(*archive);
  TORCH_CHECK(pickle_entry != nullptr, "expected an archive with data.pkl, found one of ",
              archive->entries().size(), " other entries");
  const auto root = pickle_entry->name.substr(0, pickle_entry->name.find('/') + 1);
  TORCH_CHECK(archive->find(root + "constants.pkl") == nullptr,
              "expected tensors, found a TorchScript program (save its state_dict instead)");
  if (const auto* order = archive->find(root + "byteorder")) {
    TORCH_CHECK(order->size == 6 && archive->read(*order) == "little",
                "expected little-endian numbers");
  }
  TORCH_CHECK(pickle_entry->size <= kLargestPickle, "its pickle has ", pickle_entry->size,
              " bytes, more than ", kLargestPickle);
  const auto bytes = archive->read(*pickle_entry);
  const Pickle pickle{bytes, 0};
  TORCH_CHECK(pickle.end() == bytes.size(), "its pickle ends before its file");

  const auto check = [archive, root](const StorageId& id) {
    const auto* entry = archive->find(root + "data/" + id.key);
    TORCH_CHECK(entry != nullptr, "a storage '", printable(id.key), "' that is not in the file");
    TORCH_CHECK(entry->size == id.bytes(), "a storage of ", id.bytes(), " bytes, its file has ",
                entry->size);
  };
  const auto read = [archive, root](const StorageId& id, char* bytes_of_storage) {
    archive->read_into(*archive->find(root + "data/" + id.key), bytes_of_storage);
  };
  PickledTensors tensors{std::make_shared<PickledStorages>(check, read), where,
                         std::filesystem::file_size(path)};
  return tensors.collect(pickle.root());
}

LIMPID_INLINE std::map<std::string, std::uint64_t> find_legacy_storages(InputFile& file,
                                                                        const Pickle& object,
                                                                        const PickleValue& keys,
                                                                        std::uint64_t at) {
  using Kind = PickleValue::Kind;
  std::map<std::string, StorageId> named;
  for (const auto* value : object.persistent()) {
    if (!is_storage(*value)) continue;
    auto id = parse_storage(*value);
    TORCH_CHECK(id.item_bytes > 0, "a storage of class '",
                printable(value->items[0]->items[1]->text), "'");
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

LIMPID_INLINE TensorIndex index_legacy_pth(const std::shared_ptr<InputFile>& file,
                                           const std::string& where) {
  using Kind = PickleValue::Kind;
  const auto bytes = file->read(0, std::min(file->size(), kLargestPickle));
  const Pickle magic{bytes, 0};
  TORCH_CHECK(magic.root().is(Kind::large_integer) && magic.root().text == kLegacyMagic,
              "expected the number of the legacy format");
  const Pickle version{bytes, magic.end()};
  TORCH_CHECK(version.root().is(Kind::integer) && version.root().integer == 1001,
              "expected version 1001 of the legacy format");
  const Pickle system{bytes, version.end()};
  const auto* order = system.root().at("little_endian");
  TORCH_CHECK(order == nullptr || order->integer == 1, "expected little-endian numbers");
  const Pickle object{bytes, system.end()};
  const Pickle keys{bytes, object.end()};
  const auto places = find_legacy_storages(*file, object, keys.root(), keys.end());
  const auto check = [](const StorageId&) {};  // all of them were found
  const auto read = [file, places](const StorageId& id, char* bytes_of_storage) {
    file->read(places.at(id.key), bytes_of_storage, id.bytes());
  };
  PickledTensors tensors{std::make_shared<PickledStorages>(check, read), where, file->size()};
  return tensors.collect(object.root());
}

LIMPID_INLINE void check_has_tensors(const TensorIndex& index) {
  if (!index.tensors.empty() || index.passed_over.empty()) return;
  const auto& [name, what] = *index.passed_over.begin();
  limpid::fail("expected tensors, found none, only what is never executed: '", printable(name),
               "' (", what, ")",
               index.passed_over.size() > 1
                   ? " and " + std::to_string(index.passed_over.size() - 1) + " more"
                   : "");
}

}  // namespace limpid::detail

namespace limpid {

LIMPID_INLINE TensorIndex index_pth(const std::filesystem::path& path) {
  const auto where = "cannot read PyTorch file '" + path.string() + "': ";
  try {
    const auto file = std::make_shared<InputFile>(path, "file");
    const auto start = file->read(0, std::min<std::uint64_t>(file->size(), 512));
    const bool is_zip = start.compare(0, 2, "PK") == 0;
    TORCH_CHECK(is_zip || (!start.empty() && start[0] == '\x80'),
                "expected a zip archive or a pickle, found ", detail::content_name(start));
    auto index =
        is_zip ? detail::index_zip_pth(path, where) : detail::index_legacy_pth(file, where);
    detail::check_has_tensors(index);
    return index;
  } catch (const c10::Error& error) {
    limpid::fail(where, error.what_without_backtrace());
  }
}

LIMPID_INLINE TensorFile read_pth(const std::filesystem::path& path) {
  return read_all(index_pth(path));
}

}  // namespace limpid

#endif  // LIMPID_BODIES
