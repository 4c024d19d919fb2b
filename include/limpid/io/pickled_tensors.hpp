#pragma once

#include <limpid/core/compiled.hpp>
#include <limpid/io/pickle_value.hpp>
#include <limpid/io/pickled_call.hpp>
#include <limpid/io/pickled_storages.hpp>
#include <limpid/io/tensor_index.hpp>
#include <limpid/io/tensor_types.hpp>

#include <ATen/core/Tensor.h>
#include <ATen/ops/from_blob.h>
#include <c10/core/TensorOptions.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#ifdef LIMPID_BODIES
#include <limpid/core/check.hpp>
#include <limpid/core/fail.hpp>
#include <limpid/core/printable.hpp>

#include <c10/util/Exception.h>

#include <algorithm>
#include <charconv>
#include <string_view>
#endif

namespace limpid::detail {

/// A tensor of a pickle: a view of a storage.
struct PickledView {
  StorageId storage;
  const TensorType* type = nullptr;
  std::uint64_t offset = 0;  ///< in numbers, within the storage's view
  std::vector<std::int64_t> shape, strides;

  std::uint64_t elements() const;

  bool is_contiguous() const;
};

LIMPID_INLINE std::vector<std::int64_t> pickled_sides(const PickleValue& value,
                                                      const std::string& what);

/// Refuses a shape whose elements, at these strides, do not all lie within `numel` numbers.
LIMPID_INLINE void check_view(const PickledView& view, std::uint64_t numel);

/// The view that a call of `_rebuild_tensor` and its kin describes; without a type where its
/// numbers are of none that limpid reads.
LIMPID_INLINE PickledView parse_view(const TensorCall& call);

/// The tensor of a view whose storage was read; it shares its memory where that is possible.
LIMPID_INLINE at::Tensor tensor_of(const PickledView& view, const PickledStorages::Bytes& bytes);

/// Turns what a pickle holds into tensors by dotted name, numbers and texts by dotted name, and a
/// list of what is neither.
class PickledTensors {
 public:
  /// @param file_size  of the file, in bytes: what its views may unfold to follows from it
  PickledTensors(std::shared_ptr<PickledStorages> storages, std::string where,
                 std::uint64_t file_size)
      : storages_(std::move(storages)),
        where_(std::move(where)),
        most_copied_((std::uint64_t{64} << 20) + 4 * file_size) {}

  TensorIndex collect(const PickleValue& root);

 private:
  using Kind = PickleValue::Kind;
  static constexpr int kDeepest = 32;
  static constexpr std::size_t kMostVisits = 500'000;
  static constexpr std::uint64_t kMostText = 64 << 20;  ///< bytes of names and texts

  static std::string shown(const std::string& name);

  void walk(const PickleValue& value, const std::string& name, int depth);

  /// Whether a list is what checkpoints keep beside tensors: a number for each step that was made.
  bool is_long_list_of_numbers(const PickleValue& list);

  void walk_dict(const PickleValue& dict, const std::string& name, int depth);

  void walk_call(const PickleValue& call, const std::string& name, int depth);

  /// What a whole module holds of tensors, or nullptr for any other object.
  static const PickleValue* module_state(const PickleValue& call);

  /// The tensors of a module saved as a whole, under the names of its state_dict. Its class and its
  /// other attributes are neither needed nor read.
  void walk_module(const PickleValue& state, const std::string& name, int depth);

  void add_tensor(const TensorCall& call, const std::string& name);

  void pass_over(const std::string& name, std::string what);

  void keep_text(const std::string& name, std::string text);

  void charge(std::uint64_t bytes);

  static std::string below(const std::string& name, const std::string& key);

  static bool is_name(const PickleValue& key);

  static std::string text_of(const PickleValue& value);

  inline static const std::string kOnly = "value";  ///< what is in no container

  std::shared_ptr<PickledStorages> storages_;
  std::string where_;
  std::uint64_t most_copied_;
  TensorIndex index_;
  std::unordered_map<const PickleValue*, bool> lists_of_numbers_;
  std::size_t visits_ = 0;
  std::uint64_t text_ = 0;
  std::uint64_t copied_ = 0;
};

}  // namespace limpid::detail

#ifdef LIMPID_BODIES

namespace limpid::detail {

LIMPID_INLINE std::uint64_t PickledView::elements() const {
  std::uint64_t count = 1;
  for (const auto side : shape) count *= static_cast<std::uint64_t>(side);
  return count;
}

LIMPID_INLINE bool PickledView::is_contiguous() const {
  std::int64_t expected = 1;
  for (auto i = shape.size(); i-- > 0;) {
    if (shape[i] == 0) return true;
    if (shape[i] != 1 && strides[i] != expected) return false;
    expected *= shape[i];
  }
  return true;
}

LIMPID_INLINE std::vector<std::int64_t> pickled_sides(const PickleValue& value,
                                                      const std::string& what) {
  using Kind = PickleValue::Kind;
  TORCH_CHECK((value.is(Kind::tuple) || value.is(Kind::list)) && value.items.size() <= 64,
              "a malformed " + what);
  std::vector<std::int64_t> sides;
  for (const auto* side : value.items) {
    sides.push_back(static_cast<std::int64_t>(count_of(*side, what)));
  }
  return sides;
}

LIMPID_INLINE void check_view(const PickledView& view, std::uint64_t numel) {
  const auto& shape = view.shape;
  const auto& strides = view.strides;
  TORCH_CHECK(shape.size() == strides.size(), "as many strides as ", strides.size(), ", expected ",
              shape.size());
  TORCH_CHECK(view.offset <= numel, "an offset beyond its storage");
  constexpr std::int64_t kMost = std::int64_t{1} << 48;
  std::int64_t elements = 1;
  bool is_empty = false;
  auto left = static_cast<std::int64_t>(numel - view.offset) - 1;  // steps to the last number
  for (const auto side : shape) {
    is_empty = is_empty || side == 0;
    TORCH_CHECK(side <= 1 || elements <= kMost / side, "a shape beyond all bounds");
    elements *= std::max<std::int64_t>(side, 1);
  }
  if (is_empty) return;
  TORCH_CHECK(left >= 0, "a shape or strides beyond its storage");
  for (std::size_t i = 0; i < shape.size(); ++i) {
    if (shape[i] == 1 || strides[i] == 0) continue;
    TORCH_CHECK(strides[i] <= left / (shape[i] - 1), "a shape or strides beyond its storage");
    left -= strides[i] * (shape[i] - 1);
  }
}

LIMPID_INLINE PickledView parse_view(const TensorCall& call) {
  using Kind = PickleValue::Kind;
  const auto& arguments = *call.arguments;
  const bool names_type = call.function == "torch._utils._rebuild_tensor_v3";
  TORCH_CHECK(arguments.size() >= (names_type ? 7 : 4), "too few arguments");
  PickledView view;
  view.storage = parse_storage(*arguments[0]);
  if (view.storage.item_bytes == 0) return view;
  view.type = view.storage.type;
  if (names_type) {
    const auto& type = *arguments[6];
    TORCH_CHECK(type.is(Kind::global) && type.text.substr(0, 6) == "torch.", "a malformed type");
    view.type = find_tensor_type(&TensorType::name, type.text.substr(6));
  }
  view.offset = count_of(*arguments[1], "offset");
  view.shape = pickled_sides(*arguments[2], "shape");
  view.strides = pickled_sides(*arguments[3], "strides");
  if (view.type == nullptr) return view;
  const auto item = static_cast<std::uint64_t>(view.type->bytes);
  TORCH_CHECK(view.storage.view_offset * view.storage.item_bytes % item == 0, "a malformed view");
  check_view(view, view.storage.view_numel * view.storage.item_bytes / item);
  return view;
}

LIMPID_INLINE at::Tensor tensor_of(const PickledView& view, const PickledStorages::Bytes& bytes) {
  const auto item = static_cast<std::uint64_t>(view.type->bytes);
  auto* first = static_cast<char*>(bytes->data_ptr()) +
                view.storage.view_offset * view.storage.item_bytes + view.offset * item;
  const auto as = [&](at::ScalarType type) {
    return at::from_blob(
        first, view.shape, view.strides, [bytes](void*) {}, at::dtype(type));
  };
  if (view.type->packing == Packing::plain) return as(view.type->type).contiguous();
  const auto packed = as(item == 1 ? at::kByte : item == 2 ? at::kShort : at::kInt).contiguous();
  return unpacked(*view.type, static_cast<const char*>(packed.data_ptr()), view.shape);
}

LIMPID_INLINE TensorIndex PickledTensors::collect(const PickleValue& root) {
  walk(root, "", 0);
  return std::move(index_);
}

LIMPID_INLINE std::string PickledTensors::shown(const std::string& name) {
  return "'" + printable(name) + "'";
}

LIMPID_INLINE void PickledTensors::walk(const PickleValue& value, const std::string& name,
                                        int depth) {
  TORCH_CHECK(depth <= kDeepest, shown(name), " is nested deeper than ", kDeepest,
              " levels, or holds itself");
  TORCH_CHECK(++visits_ <= kMostVisits, "it unfolds to too many values");
  charge(name.size());
  switch (value.kind) {
    case Kind::dict:
      return walk_dict(value, name, depth);
    case Kind::list:
    case Kind::tuple:
      if (is_long_list_of_numbers(value)) {
        return pass_over(name, "a list of " + std::to_string(value.items.size()) + " numbers");
      }
      for (std::size_t i = 0; i < value.items.size(); ++i) {
        walk(*value.items[i], below(name, std::to_string(i)), depth + 1);
      }
      return;
    case Kind::call:
      return walk_call(value, name, depth);
    case Kind::persistent:
      return pass_over(name, is_storage(value) ? "a storage without a tensor"
                                               : "'" + printable(callee_name(value), 100) + "'");
    case Kind::global:
      if (value.text.substr(0, 6) == "torch." &&
          find_tensor_type(&TensorType::name, value.text.substr(6)) != nullptr) {
        return keep_text(name, std::string{value.text});
      }
      return pass_over(name, "'" + printable(value.text, 100) + "'");
    default:
      return keep_text(name, text_of(value));
  }
}

LIMPID_INLINE bool PickledTensors::is_long_list_of_numbers(const PickleValue& list) {
  constexpr std::size_t kLong = 64;
  if (list.items.size() <= kLong) return false;
  const auto [known, is_new] = lists_of_numbers_.emplace(&list, false);
  if (is_new) {  // a list may be asked for often
    known->second = std::all_of(list.items.begin(), list.items.end(), [](const auto* item) {
      return item->is(Kind::integer) || item->is(Kind::real) || item->is(Kind::boolean);
    });
  }
  return known->second;
}

LIMPID_INLINE void PickledTensors::walk_dict(const PickleValue& dict, const std::string& name,
                                             int depth) {
  for (std::size_t i = 0; i < dict.items.size(); i += 2) {
    const auto& key = *dict.items[i];
    if (key.is(Kind::integer) || is_name(key)) {
      const auto text = key.is(Kind::integer) ? std::to_string(key.integer) : std::string{key.text};
      walk(*dict.items[i + 1], below(name, text), depth + 1);
    } else {
      pass_over(below(name, "[" + std::to_string(i / 2) + "]"), "under a key that is no name");
    }
  }
}

LIMPID_INLINE void PickledTensors::walk_call(const PickleValue& call, const std::string& name,
                                             int depth) {
  const auto tensor = tensor_call(callee_name(*call.items[0]), *call.items[1]);
  if (tensor.arguments != nullptr) return add_tensor(tensor, name);
  if (tensor.function == "torch.device") return keep_text(name, "a device");
  if (const auto* module = module_state(call)) return walk_module(*module, name, depth);
  if (const auto* entries = call.entries()) return walk_dict(*entries, name, depth);
  pass_over(name, call_text(call));
}

LIMPID_INLINE const PickleValue* PickledTensors::module_state(const PickleValue& call) {
  const auto* state = call.state();
  const bool is_module =
      state != nullptr && state->at("_parameters") != nullptr && state->at("_modules") != nullptr;
  return is_module ? state : nullptr;
}

LIMPID_INLINE void PickledTensors::walk_module(const PickleValue& state, const std::string& name,
                                               int depth) {
  TORCH_CHECK(depth <= kDeepest, shown(name), " is nested deeper than ", kDeepest,
              " levels, or holds itself");
  const auto* transient = state.at("_non_persistent_buffers_set");
  const auto is_transient = [&](std::string_view buffer) {
    return transient != nullptr && transient->is(Kind::list) &&
           std::any_of(transient->items.begin(), transient->items.end(), [&](const auto* item) {
             return item->is(Kind::text) && item->text == buffer;
           });
  };
  for (const auto* part : {"_parameters", "_buffers", "_modules"}) {
    const auto* items = state.at(part);
    if (items == nullptr || !items->is(Kind::dict)) continue;
    for (std::size_t i = 0; i < items->items.size(); i += 2) {
      const auto& key = *items->items[i];
      const auto& value = *items->items[i + 1];
      if (!is_name(key) || value.is(Kind::none) || is_transient(key.text)) continue;
      walk(value, below(name, std::string{key.text}), depth + 1);
    }
  }
}

LIMPID_INLINE void PickledTensors::add_tensor(const TensorCall& call, const std::string& name) {
  try {
    const auto view = parse_view(call);
    if (view.type == nullptr) {
      return pass_over(name, "a tensor of a type that is not read");
    }
    storages_->check(view.storage);
    if (!view.is_contiguous()) {
      copied_ += view.elements() * static_cast<std::uint64_t>(view.type->bytes);
      TORCH_CHECK(copied_ <= most_copied_, "strides that repeat its numbers up to too many bytes");
    }
    auto read = [view, name, storages = storages_, where = where_] {
      try {
        const bool are_bools = view.type->type == at::kBool;
        return tensor_of(view, storages->read(view.storage, are_bools));
      } catch (const c10::Error& error) {
        limpid::fail(where, "tensor ", shown(name), ": ", error.what_without_backtrace());
      }
    };
    IndexedTensor tensor{std::string{view.type->name}, view.type->type, view.shape,
                         std::move(read)};
    TORCH_CHECK(index_.tensors.emplace(name.empty() ? kOnly : name, std::move(tensor)).second,
                "a name that two tensors have");
  } catch (const c10::Error& error) {
    limpid::fail("tensor ", shown(name), ": ", error.what_without_backtrace());
  }
}

LIMPID_INLINE void PickledTensors::pass_over(const std::string& name, std::string what) {
  charge(name.size() + what.size());
  index_.passed_over.emplace(name.empty() ? kOnly : name, std::move(what));
}

LIMPID_INLINE void PickledTensors::keep_text(const std::string& name, std::string text) {
  charge(text.size());
  if (!index_.metadata.emplace(name.empty() ? kOnly : name, std::move(text)).second) {
    pass_over(name, "a second value of this name");
  }
}

LIMPID_INLINE void PickledTensors::charge(std::uint64_t bytes) {
  text_ += bytes;
  TORCH_CHECK(text_ <= kMostText, "it unfolds to too many values");
}

LIMPID_INLINE std::string PickledTensors::below(const std::string& name, const std::string& key) {
  return name.empty() ? key : name + "." + key;
}

LIMPID_INLINE bool PickledTensors::is_name(const PickleValue& key) {
  return key.is(Kind::text) && key.text.size() <= 4096 && is_utf8(key.text);
}

LIMPID_INLINE std::string PickledTensors::text_of(const PickleValue& value) {
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
    case Kind::large_integer:
      return "an integer of " + std::to_string(value.text.size()) + " bytes";
    case Kind::bytes:
      return std::to_string(value.text.size()) + " bytes";
    default:
      return "none";
  }
}

}  // namespace limpid::detail

#endif  // LIMPID_BODIES
