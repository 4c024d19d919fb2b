#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace limpid {

/// A value in a pickle. Containers point to other values of the same `Pickle`; they may form
/// cycles, so whoever walks them counts the depth.
struct PickleValue {
  enum class Kind {
    none,
    boolean,  ///< in `integer`
    integer,
    large_integer,  ///< of more than 8 bytes: little-endian in `text`
    real,
    text,
    bytes,
    global,  ///< "module.name" in `text`
    tuple,
    list,        ///< also of a set
    dict,        ///< key, value, key, value ... in `items`
    persistent,  ///< something beside the pickle; its id is `items[0]`
    call,        ///< of `items[0]` with the tuple `items[1]`, to make an object; nobody executes it
  };
  Kind kind = Kind::none;
  std::int64_t integer = 0;
  double real = 0;
  std::string_view text;
  std::vector<const PickleValue*> items;

  bool is(Kind wanted) const { return kind == wanted; }

  /// Of a call: what the object would be told of its state, or nullptr.
  const PickleValue* state() const { return items.size() > 2 ? items[2] : nullptr; }

  /// Of a call: a dict of what would be put into the object under keys, or nullptr.
  const PickleValue* entries() const { return items.size() > 3 ? items[3] : nullptr; }

  /// Of a dict: the value under a text, or nullptr.
  const PickleValue* at(std::string_view key) const {
    for (std::size_t i = 0; is(Kind::dict) && i + 1 < items.size(); i += 2) {
      if (items[i]->is(Kind::text) && items[i]->text == key) return items[i + 1];
    }
    return nullptr;
  }
};

}  // namespace limpid
