#pragma once

#include <limpid/core/printable.hpp>
#include <limpid/io/check_bools.hpp>
#include <limpid/io/pickle.hpp>
#include <limpid/io/safetensors.hpp>

#include <ATen/core/Tensor.h>
#include <c10/util/Exception.h>

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <iterator>
#include <limits>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace limpid::detail {

struct TorchType {
  std::string_view storage;  ///< its class in Python
  std::string_view dtype;
  at::ScalarType type;
};

inline constexpr TorchType kTorchTypes[] = {
    {"torch.FloatStorage", "torch.float32", at::kFloat},
    {"torch.DoubleStorage", "torch.float64", at::kDouble},
    {"torch.HalfStorage", "torch.float16", at::kHalf},
    {"torch.BFloat16Storage", "torch.bfloat16", at::kBFloat16},
    {"torch.LongStorage", "torch.int64", at::kLong},
    {"torch.IntStorage", "torch.int32", at::kInt},
    {"torch.ShortStorage", "torch.int16", at::kShort},
    {"torch.CharStorage", "torch.int8", at::kChar},
    {"torch.ByteStorage", "torch.uint8", at::kByte},
    {"torch.BoolStorage", "torch.bool", at::kBool},
};

/// A storage without a type: its length is in bytes.
inline constexpr std::string_view kUntyped = "torch.storage.UntypedStorage";

/// The names that a pickle of tensors may hold.
inline std::vector<std::string_view> tensor_globals() {
  std::vector<std::string_view> names{"torch._utils._rebuild_tensor",
                                      "torch._utils._rebuild_tensor_v2",
                                      "torch._utils._rebuild_tensor_v3",
                                      "torch._utils._rebuild_parameter",
                                      "torch.device",
                                      kUntyped};
  for (const auto& type : kTorchTypes) {
    names.push_back(type.storage);
    names.push_back(type.dtype);
  }
  return names;
}

/// Where a pickle says that a tensor's numbers are.
struct StorageId {
  std::string key;
  at::ScalarType type = at::kByte;
  std::uint64_t numel = 0;
  std::uint64_t view_offset = 0;  ///< in elements, where the storage is part of a larger one
  std::uint64_t view_numel = 0;

  std::uint64_t bytes() const { return numel * c10::elementSize(type); }
};

inline std::uint64_t count_of(const PickleValue& value, std::string_view what) {
  // Far beyond any file, and small enough to be multiplied by the size of an element.
  constexpr std::int64_t kMost = std::int64_t{1} << 48;
  TORCH_CHECK(value.is(PickleValue::Kind::integer) && value.integer >= 0 && value.integer <= kMost,
              "a malformed ", what);
  return static_cast<std::uint64_t>(value.integer);
}

/// ('storage', class, key, device, length[, None or (key, offset, length)])
inline StorageId parse_storage(const PickleValue& value) {
  using Kind = PickleValue::Kind;
  TORCH_CHECK(value.is(Kind::persistent) && value.items[0]->is(Kind::tuple), "no storage");
  const auto& id = value.items[0]->items;
  TORCH_CHECK((id.size() == 5 || id.size() == 6) && id[0]->is(Kind::text) &&
                  id[0]->text == "storage" && id[1]->is(Kind::global) && id[2]->is(Kind::text),
              "a malformed storage");
  StorageId storage;
  storage.key = std::string{id[2]->text};
  const auto* known = std::find_if(std::begin(kTorchTypes), std::end(kTorchTypes),
                                   [&](const auto& type) { return type.storage == id[1]->text; });
  TORCH_CHECK(known != std::end(kTorchTypes) || id[1]->text == kUntyped, "a storage of class '",
              printable(id[1]->text), "'");
  if (known != std::end(kTorchTypes)) storage.type = known->type;
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

/// Turns what a pickle holds into tensors by dotted name, and numbers and texts by dotted name.
class PickledTensors {
 public:
  /// The bytes of a storage. @throws c10::Error if it is missing or of another length.
  using ReadStorage = std::function<at::Tensor(const StorageId&)>;

  explicit PickledTensors(ReadStorage read_storage) : read_storage_(std::move(read_storage)) {}

  TensorFile collect(const PickleValue& root) {
    walk(root, "", 0);
    return std::move(file_);
  }

 private:
  using Kind = PickleValue::Kind;
  static constexpr int kDeepest = 32;
  static constexpr std::size_t kMostVisits = 1'000'000;
  static constexpr std::uint64_t kMostText = 64 << 20;    ///< bytes of names and texts
  static constexpr std::uint64_t kMostCopied = 64 << 20;  ///< bytes, beside the storages' own

  static std::string shown(const std::string& name) { return "'" + printable(name) + "'"; }

  void walk(const PickleValue& value, const std::string& name, int depth) {
    TORCH_CHECK(depth <= kDeepest, shown(name), " is nested deeper than ", kDeepest,
                " levels, or holds itself");
    TORCH_CHECK(++visits_ <= kMostVisits && (text_ += name.size()) <= kMostText,
                "it unfolds to too many values");
    switch (value.kind) {
      case Kind::dict:
        for (std::size_t i = 0; i < value.items.size(); i += 2) {
          walk(*value.items[i + 1], below(name, key_text(*value.items[i], name)), depth + 1);
        }
        return;
      case Kind::list:
      case Kind::tuple:
        for (std::size_t i = 0; i < value.items.size(); ++i) {
          walk(*value.items[i], below(name, std::to_string(i)), depth + 1);
        }
        return;
      case Kind::call:
        if (value.items[0]->text != "torch.device") {
          at::Tensor tensor;
          try {
            tensor = rebuild(value, 0);
          } catch (const c10::Error& error) {
            TORCH_CHECK(false, "tensor ", shown(name), ": ", error.what_without_backtrace());
          }
          const auto& key = name.empty() ? kOnly : name;
          TORCH_CHECK(file_.tensors.emplace(key, std::move(tensor)).second,
                      "two tensors are called ", shown(key));
          return;
        }
        [[fallthrough]];
      default:
        keep_text(name.empty() ? kOnly : name, value);
    }
  }

  static std::string below(const std::string& name, const std::string& key) {
    return name.empty() ? key : name + "." + key;
  }

  static std::string key_text(const PickleValue& key, const std::string& name) {
    if (key.is(Kind::integer)) return std::to_string(key.integer);
    TORCH_CHECK(key.is(Kind::text), shown(name), " has a key that is no text");
    TORCH_CHECK(key.text.size() <= 4096 && is_utf8(key.text), shown(name),
                " has a key that is no name: '", printable(key.text, 40), "'");
    return std::string{key.text};
  }

  void keep_text(const std::string& name, const PickleValue& value) {
    auto text = text_of(value);
    TORCH_CHECK((text_ += text.size()) <= kMostText, "it unfolds to too many values");
    TORCH_CHECK(file_.metadata.emplace(name, std::move(text)).second, "two values are called ",
                shown(name));
  }

  static std::string text_of(const PickleValue& value) {
    switch (value.kind) {
      case Kind::boolean:
        return value.integer != 0 ? "true" : "false";
      case Kind::integer:
        return std::to_string(value.integer);
      case Kind::real: {
        char text[32];
        return {text, std::to_chars(text, text + sizeof text, value.real).ptr};
      }
      case Kind::text:
        return is_utf8(value.text) ? std::string{value.text} : printable(value.text, 1000);
      case Kind::global:
        return std::string{value.text};
      case Kind::none:
        return "none";
      case Kind::large_integer:
        return "an integer of " + std::to_string(value.text.size()) + " bytes";
      case Kind::bytes:
        return std::to_string(value.text.size()) + " bytes";
      case Kind::persistent:
        return "a storage";
      default:
        return "a device";
    }
  }

  at::Tensor rebuild(const PickleValue& call, int depth) {
    const auto function = call.items[0]->text;
    const auto& arguments = call.items[1]->items;
    if (function == "torch._utils._rebuild_parameter") {
      TORCH_CHECK(!arguments.empty() && arguments[0]->is(Kind::call) && depth < kDeepest,
                  "a malformed parameter");
      return rebuild(*arguments[0], depth + 1);
    }
    const bool names_type = function == "torch._utils._rebuild_tensor_v3";
    TORCH_CHECK(names_type || function == "torch._utils._rebuild_tensor_v2" ||
                    function == "torch._utils._rebuild_tensor",
                "a call of '", function, "'");
    TORCH_CHECK(arguments.size() >= (names_type ? 7 : 4), "too few arguments");
    const auto id = parse_storage(*arguments[0]);
    auto type = id.type;
    if (names_type) type = type_of(*arguments[6]);
    const auto offset = count_of(*arguments[1], "offset");
    const auto shape = sides(*arguments[2], "shape");
    const auto strides = sides(*arguments[3], "strides");
    const auto numel = id.view_numel * c10::elementSize(id.type) / c10::elementSize(type);
    check_within(shape, strides, offset, numel);

    const auto start = static_cast<std::int64_t>(id.view_offset * c10::elementSize(id.type));
    TORCH_CHECK(start % static_cast<std::int64_t>(c10::elementSize(type)) == 0, "a malformed view");
    const auto length = static_cast<std::int64_t>(numel * c10::elementSize(type));
    const auto values = storage(id).narrow(0, start, length).view(type);
    check_bools(values);
    const auto view = values.as_strided(
        shape, strides, values.storage_offset() + static_cast<std::int64_t>(offset));
    if (view.is_contiguous()) return view;
    copied_ += view.nbytes();
    TORCH_CHECK(copied_ <= kMostCopied + 4 * stored_,
                "strides that repeat its numbers up to too many bytes");
    return view.contiguous();
  }

  static at::ScalarType type_of(const PickleValue& value) {
    for (const auto& known : kTorchTypes) {
      if (value.is(Kind::global) && value.text == known.dtype) return known.type;
    }
    TORCH_CHECK(false, "a malformed type");
  }

  static std::vector<std::int64_t> sides(const PickleValue& value, const std::string& what) {
    TORCH_CHECK((value.is(Kind::tuple) || value.is(Kind::list)) && value.items.size() <= 64,
                "a malformed " + what);
    std::vector<std::int64_t> sides;
    for (const auto* side : value.items) {
      sides.push_back(static_cast<std::int64_t>(count_of(*side, what)));
    }
    return sides;
  }

  /// Refuses a shape whose elements, at these strides, do not all lie within the storage.
  static void check_within(const std::vector<std::int64_t>& shape,
                           const std::vector<std::int64_t>& strides, std::uint64_t offset,
                           std::uint64_t numel) {
    TORCH_CHECK(shape.size() == strides.size(), "as many strides as ", strides.size(),
                ", expected ", shape.size());
    TORCH_CHECK(offset <= numel, "an offset beyond its storage");
    constexpr std::int64_t kMost = std::int64_t{1} << 48;
    std::int64_t elements = 1;
    bool is_empty = false;
    auto left =
        static_cast<std::int64_t>(numel - offset) - 1;  // steps to the storage's last number
    for (std::size_t i = 0; i < shape.size(); ++i) {
      is_empty = is_empty || shape[i] == 0;
      TORCH_CHECK(shape[i] <= 1 || elements <= kMost / shape[i], "a shape beyond all bounds");
      elements *= std::max<std::int64_t>(shape[i], 1);
    }
    if (is_empty) return;
    TORCH_CHECK(left >= 0, "a shape or strides beyond its storage");
    for (std::size_t i = 0; i < shape.size(); ++i) {
      if (shape[i] == 1 || strides[i] == 0) continue;
      TORCH_CHECK(strides[i] <= left / (shape[i] - 1), "a shape or strides beyond its storage");
      left -= strides[i] * (shape[i] - 1);
    }
  }

  /// The bytes of a storage, read once.
  at::Tensor storage(const StorageId& id) {
    const auto found = storages_.find(id.key);
    if (found != storages_.end()) {
      TORCH_CHECK(found->second.nbytes() == id.bytes(), "a storage with two lengths");
      return found->second;
    }
    auto bytes = read_storage_(id);
    stored_ += bytes.nbytes();
    return storages_.emplace(id.key, std::move(bytes)).first->second;
  }

  inline static const std::string kOnly = "value";  ///< what is in no container

  ReadStorage read_storage_;
  std::map<std::string, at::Tensor> storages_;
  TensorFile file_;
  std::size_t visits_ = 0;
  std::uint64_t text_ = 0;
  std::uint64_t stored_ = 0;
  std::uint64_t copied_ = 0;
};

}  // namespace limpid::detail
