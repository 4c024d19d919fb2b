#pragma once

#include <limpid/core/compiled.hpp>
#include <limpid/io/pickle_value.hpp>
#include <limpid/io/tensor_types.hpp>

#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#ifdef LIMPID_BODIES
#include <limpid/core/check.hpp>
#include <limpid/core/fail.hpp>
#include <limpid/core/printable.hpp>

#include <c10/util/Exception.h>

#include <algorithm>
#include <cstring>
#endif

namespace limpid::detail {

/// Where a pickle says that a tensor's numbers are.
struct StorageId {
  std::string key;
  const TensorType* type = nullptr;  ///< nothing of a type that limpid does not read
  std::uint64_t item_bytes = 1;      ///< of one number; 0 where its class is not known
  std::uint64_t numel = 0;
  std::uint64_t view_offset = 0;  ///< in numbers, where the storage is part of a larger one
  std::uint64_t view_numel = 0;

  std::uint64_t bytes() const { return numel * item_bytes; }
};

LIMPID_INLINE std::uint64_t count_of(const PickleValue& value, std::string_view what);

/// Bytes of one number in a storage of a class that limpid reads or at least knows, 0 for another.
LIMPID_INLINE std::uint64_t storage_item_bytes(std::string_view storage);

/// Whether a persistent value is a storage; what else PyTorch writes is the class of a module.
LIMPID_INLINE bool is_storage(const PickleValue& value);

/// ('storage', class, key, device, length[, None or (key, offset, length)])
LIMPID_INLINE StorageId parse_storage(const PickleValue& value);

/// The storages of a file, read when a tensor asks for its numbers. Tensors that are there at one
/// time share what was read once; storages of up to 256 MB also stay for tensors to come.
class PickledStorages {
 public:
  using Bytes = std::shared_ptr<at::Tensor>;

  /// Checks that a storage is in the file, in its length.
  using Check = std::function<void(const StorageId&)>;
  /// Writes the bytes of a storage.
  using Read = std::function<void(const StorageId&, char*)>;

  PickledStorages(Check check, Read read) : check_(std::move(check)), read_(std::move(read)) {}

  /// @throws c10::Error where it is missing, or of another length than the file or another tensor
  ///         says.
  void check(const StorageId& id);

  /// @param are_bools  whether each byte must be 0 or 1; looked at once for each storage
  Bytes read(const StorageId& id, bool are_bools);

 private:
  static constexpr std::uint64_t kKept = 256 << 20;

  static void check_bools_of(const at::Tensor& bytes);

  void keep(const Bytes& bytes);

  Check check_;
  Read read_;
  std::map<std::string, std::uint64_t> lengths_;
  std::map<std::string, std::weak_ptr<at::Tensor>> cached_;
  std::set<std::string> bools_;
  std::vector<Bytes> kept_;
  std::uint64_t kept_bytes_ = 0;
};

}  // namespace limpid::detail

#ifdef LIMPID_BODIES

namespace limpid::detail {

LIMPID_INLINE std::uint64_t count_of(const PickleValue& value, std::string_view what) {
  // Far beyond any file, and small enough to be multiplied by the size of an element.
  constexpr std::int64_t kMost = std::int64_t{1} << 48;
  TORCH_CHECK(value.is(PickleValue::Kind::integer) && value.integer >= 0 && value.integer <= kMost,
              "a malformed ", what);
  return static_cast<std::uint64_t>(value.integer);
}

LIMPID_INLINE std::uint64_t storage_item_bytes(std::string_view storage) {
  constexpr std::string_view kTorch = "torch.";
  if (storage == "torch.storage.UntypedStorage") return 1;  // its length is in bytes
  if (storage.substr(0, kTorch.size()) == kTorch) {
    const auto name = storage.substr(kTorch.size());
    const auto* known = find_tensor_type(&TensorType::storage, name);
    if (known != nullptr) return static_cast<std::uint64_t>(known->bytes);
    for (const auto* byte : {"QInt8Storage", "QUInt8Storage", "QUInt4x2Storage", "QUInt2x4Storage",
                             "UntypedStorage"}) {
      if (name == byte) return 1;
    }
    if (name == "QInt32Storage") return 4;
  }
  return 0;
}

LIMPID_INLINE bool is_storage(const PickleValue& value) {
  using Kind = PickleValue::Kind;
  if (!value.is(Kind::persistent) || !value.items[0]->is(Kind::tuple)) return false;
  const auto& id = value.items[0]->items;
  return !id.empty() && id[0]->is(Kind::text) && id[0]->text == "storage";
}

LIMPID_INLINE StorageId parse_storage(const PickleValue& value) {
  using Kind = PickleValue::Kind;
  TORCH_CHECK(is_storage(value), "no storage");
  const auto& id = value.items[0]->items;
  TORCH_CHECK(
      (id.size() == 5 || id.size() == 6) && id[1]->is(Kind::global) && id[2]->is(Kind::text),
      "a malformed storage");
  StorageId storage;
  storage.key = std::string{id[2]->text};
  storage.item_bytes = storage_item_bytes(id[1]->text);
  if (storage.item_bytes > 0) {
    storage.type = find_tensor_type(&TensorType::storage, id[1]->text.substr(6));
  }
  storage.numel = count_of(*id[4], "length of a storage");
  storage.view_numel = storage.numel;
  if (id.size() == 6 && !id[5]->is(Kind::none)) {
    TORCH_CHECK(id[5]->is(Kind::tuple) && id[5]->items.size() == 3, "a malformed view");
    storage.view_offset = count_of(*id[5]->items[1], "view");
    storage.view_numel = count_of(*id[5]->items[2], "view");
    TORCH_CHECK(storage.view_offset <= storage.numel &&
                    storage.view_numel <= storage.numel - storage.view_offset,
                "a view beyond its storage");
  }
  return storage;
}

LIMPID_INLINE void PickledStorages::check(const StorageId& id) {
  const auto [known, is_new] = lengths_.emplace(id.key, id.bytes());
  TORCH_CHECK(known->second == id.bytes(), "a storage with two lengths");
  if (is_new) check_(id);
}

LIMPID_INLINE PickledStorages::Bytes PickledStorages::read(const StorageId& id, bool are_bools) {
  auto bytes = cached_[id.key].lock();
  if (!bytes) {
    const auto size = static_cast<std::int64_t>(id.bytes());
    bytes = std::make_shared<at::Tensor>(at::empty({size}, at::kByte));
    read_(id, static_cast<char*>(bytes->data_ptr()));
    cached_[id.key] = bytes;
    keep(bytes);
  }
  if (are_bools && bools_.count(id.key) == 0) {
    check_bools_of(*bytes);
    bools_.insert(id.key);
  }
  return bytes;
}

LIMPID_INLINE void PickledStorages::check_bools_of(const at::Tensor& bytes) {
  const auto* first = static_cast<const unsigned char*>(bytes.data_ptr());
  const auto* end = first + bytes.nbytes();
  const auto* bad = std::find_if(first, end, [](unsigned char byte) { return byte > 1; });
  TORCH_CHECK(bad == end, "a bool of value ", static_cast<int>(*bad));
}

LIMPID_INLINE void PickledStorages::keep(const Bytes& bytes) {
  kept_bytes_ += bytes->nbytes();
  if (kept_bytes_ > kKept) {
    kept_.clear();
    kept_bytes_ = bytes->nbytes();
  }
  if (kept_bytes_ <= kKept) kept_.push_back(bytes);
}

}  // namespace limpid::detail

#endif  // LIMPID_BODIES
