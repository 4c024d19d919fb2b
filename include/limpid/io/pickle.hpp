#pragma once

#include <limpid/core/compiled.hpp>
#include <limpid/io/pickle_bytes.hpp>
#include <limpid/io/pickle_heap.hpp>
#include <limpid/io/pickle_value.hpp>

#include <c10/util/Exception.h>

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#ifdef LIMPID_BODIES
#include <limpid/core/check.hpp>
#include <limpid/core/fail.hpp>
#include <limpid/core/printable.hpp>

#include <bit>
#endif

namespace limpid {

/// Reads one pickle without executing anything: a call, or an object of a class, is kept as a name
/// and what belongs to it.
///
/// Source: CPython's "pickletools": the opcodes of protocols 0 to 5, without those of extensions
/// and of buffers outside the file. `collections.OrderedDict` becomes a dict, `torch.Size` a tuple.
/// Texts are views of the bytes read, which must outlive the object.
class Pickle {
 public:
  using Kind = PickleValue::Kind;

  /// @param bytes   the pickle, and what may stand behind it
  /// @param start   where it begins
  /// @throws c10::Error that says what is wrong and at which byte.
  Pickle(std::string_view bytes, std::size_t start);
  Pickle(const Pickle&) = delete;
  Pickle& operator=(const Pickle&) = delete;

  const PickleValue& root() const { return *root_; }

  /// Where the bytes behind it begin.
  std::size_t end() const;

  /// Every value beside the pickle that it names, in order.
  const std::vector<const PickleValue*>& persistent() const { return persistent_; }

 private:
  using Items = detail::PickleHeap::Items;

  void push_tuple(std::size_t size);

  void push_long(std::string_view bytes);

  /// A number as text: "12", "12L", "0x1p3" is none.
  template <class T>
  static T parsed(std::string_view text) {
    T value{};
    if (!text.empty() && text.back() == 'L') text.remove_suffix(1);
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    TORCH_CHECK(error == std::errc{} && end == text.data() + text.size(), "a malformed number");
    return value;
  }

  void push_integer_line(std::string_view text);

  void push_real(double value);

  /// A text between quotes. What it escapes stays as it is written.
  void push_quoted(std::string_view text);

  void push_persistent(const PickleValue* id);

  void call();

  /// A dict of pairs, as pickles of old have it.
  void push_ordered(const Items& arguments);

  /// An object: class and arguments stand above the last mark.
  void push_object();

  void push_object(const PickleValue* made, Items arguments);

  void step(unsigned char opcode);

  /// @return whether it is the opcode of a number, a text, bytes or nothing.
  bool push_plain(unsigned char opcode);

  /// @return whether it is the opcode of a tuple, list, set or dict.
  bool build_container(unsigned char opcode);

  /// @return whether it is an opcode that remembers a value or uses one again.
  bool use_memo(unsigned char opcode);

  /// @return whether it is an opcode of names, calls and objects, which are kept and not followed.
  bool make_object(unsigned char opcode);

  detail::PickleBytes bytes_;
  detail::PickleHeap heap_;
  std::vector<const PickleValue*> persistent_;
  const PickleValue* root_ = nullptr;
};

}  // namespace limpid

#ifdef LIMPID_BODIES

namespace limpid {

LIMPID_INLINE Pickle::Pickle(std::string_view bytes, std::size_t start) : bytes_(bytes, start) {
  while (root_ == nullptr) {
    const auto here = bytes_.at();
    try {
      step(bytes_.byte());
    } catch (const c10::Error& error) {
      limpid::fail(error.what_without_backtrace(), ", at byte ", here, " of its pickle");
    }
  }
}

LIMPID_INLINE std::size_t Pickle::end() const { return bytes_.at(); }

LIMPID_INLINE void Pickle::push_tuple(std::size_t size) {
  Items items(size);
  for (auto i = size; i-- > 0;) items[i] = heap_.pop();
  heap_.push_container(Kind::tuple, std::move(items));
}

LIMPID_INLINE void Pickle::push_long(std::string_view bytes) {
  if (bytes.size() > 8) return heap_.push_text(Kind::large_integer, bytes);
  std::uint64_t value = !bytes.empty() && (bytes.back() & 0x80) ? ~std::uint64_t{0} : 0;
  for (auto i = bytes.size(); i-- > 0;) {
    value = value << 8 | static_cast<unsigned char>(bytes[i]);
  }
  heap_.push_integer(static_cast<std::int64_t>(value));
}

LIMPID_INLINE void Pickle::push_integer_line(std::string_view text) {
  if (text == "00" || text == "01") return heap_.push(heap_.boolean(text == "01"));
  heap_.push_integer(parsed<std::int64_t>(text));
}

LIMPID_INLINE void Pickle::push_real(double value) {
  auto* real = heap_.make(Kind::real);
  real->real = value;
  heap_.push(real);
}

LIMPID_INLINE void Pickle::push_quoted(std::string_view text) {
  TORCH_CHECK(text.size() >= 2 && text.front() == text.back(), "a malformed text");
  heap_.push_text(Kind::text, text.substr(1, text.size() - 2));
}

LIMPID_INLINE void Pickle::push_persistent(const PickleValue* id) {
  heap_.push_container(Kind::persistent, {id});
  persistent_.push_back(heap_.top());
}

LIMPID_INLINE void Pickle::call() {
  const auto* arguments = heap_.pop();
  const auto* callee = heap_.pop();
  TORCH_CHECK(arguments->is(Kind::tuple), "a malformed call");
  if (callee->is(Kind::global) && callee->text == "collections.OrderedDict") {
    return push_ordered(arguments->items);
  }
  if (callee->is(Kind::global) && callee->text == "torch.Size") {
    const auto& items = arguments->items;
    TORCH_CHECK(items.size() == 1 && (items[0]->is(Kind::tuple) || items[0]->is(Kind::list)),
                "a malformed torch.Size");
    return heap_.push(const_cast<PickleValue*>(items[0]));  // of this heap; shared, not copied
  }
  heap_.push_call(callee, arguments);
}

LIMPID_INLINE void Pickle::push_ordered(const Items& arguments) {
  TORCH_CHECK(arguments.size() <= 1 && (arguments.empty() || arguments[0]->is(Kind::list)),
              "a malformed OrderedDict");
  Items flat;
  for (const auto* pair : arguments.empty() ? Items{} : arguments[0]->items) {
    TORCH_CHECK((pair->is(Kind::tuple) || pair->is(Kind::list)) && pair->items.size() == 2,
                "a malformed OrderedDict");
    flat.insert(flat.end(), pair->items.begin(), pair->items.end());
  }
  heap_.push_container(Kind::dict, std::move(flat));
}

LIMPID_INLINE void Pickle::push_object() {
  auto items = heap_.pop_to_mark();
  TORCH_CHECK(!items.empty(), "an object without a class");
  const auto* made = items.front();
  items.erase(items.begin());
  push_object(made, std::move(items));
}

LIMPID_INLINE void Pickle::push_object(const PickleValue* made, Items arguments) {
  heap_.push_container(Kind::tuple, std::move(arguments));
  const auto* tuple = heap_.pop();
  heap_.push_call(made, tuple);
}

LIMPID_INLINE void Pickle::step(unsigned char opcode) {
  switch (opcode) {
    case 0x80: {  // PROTO
      const int protocol = bytes_.byte();
      TORCH_CHECK(protocol <= 5, "protocol ", protocol, ", expected at most 5");
      return;
    }
    case 0x95:  // FRAME
      TORCH_CHECK(bytes_.number(8) <= bytes_.left(), "an end that comes too early");
      return;
    case '.':  // STOP
      root_ = heap_.pop();
      TORCH_CHECK(heap_.is_empty(), "values that belong to nothing");
      return;
    case '(':
      return heap_.mark();
    case '0':
      return heap_.drop();
    case '1':
      heap_.pop_to_mark();
      return;
    case '2':
      return heap_.push(heap_.top());
    default:
      if (push_plain(opcode) || build_container(opcode) || use_memo(opcode) ||
          make_object(opcode)) {
        return;
      }
      limpid::fail("refused the opcode '", printable(std::string(1, static_cast<char>(opcode))),
                   "', which no file of tensors needs");
  }
}

LIMPID_INLINE bool Pickle::push_plain(unsigned char opcode) {
  switch (opcode) {
    case 'N':
      return heap_.push(heap_.none()), true;
    case 0x88:
    case 0x89:
      return heap_.push(heap_.boolean(opcode == 0x88)), true;
    case 'I':
    case 'L':
      return push_integer_line(bytes_.line()), true;
    case 'J':
      return heap_.push_integer(static_cast<std::int32_t>(bytes_.number(4))), true;
    case 'K':
      return heap_.push_integer(bytes_.byte()), true;
    case 'M':
      return heap_.push_integer(static_cast<std::int64_t>(bytes_.number(2))), true;
    case 0x8a:  // LONG1
      return push_long(bytes_.take(bytes_.byte())), true;
    case 0x8b:  // LONG4
      return push_long(bytes_.take(bytes_.number(4))), true;
    case 'F':
      return push_real(parsed<double>(bytes_.line())), true;
    case 'G': {  // big-endian
      std::uint64_t bits = 0;
      for (const unsigned char part : bytes_.take(8)) bits = bits << 8 | part;
      return push_real(std::bit_cast<double>(bits)), true;
    }
    case 'X':
    case 'T':  // str of Python 2
      return heap_.push_text(Kind::text, bytes_.take(bytes_.number(4))), true;
    case 0x8c:
    case 'U':
      return heap_.push_text(Kind::text, bytes_.take(bytes_.byte())), true;
    case 0x8d:
      return heap_.push_text(Kind::text, bytes_.take(bytes_.number(8))), true;
    case 'V':
      return heap_.push_text(Kind::text, bytes_.line()), true;
    case 'S':
      return push_quoted(bytes_.line()), true;
    case 'C':
      return heap_.push_text(Kind::bytes, bytes_.take(bytes_.byte())), true;
    case 'B':
      return heap_.push_text(Kind::bytes, bytes_.take(bytes_.number(4))), true;
    case 0x8e:  // BINBYTES8
    case 0x96:  // BYTEARRAY8
      return heap_.push_text(Kind::bytes, bytes_.take(bytes_.number(8))), true;
    default:
      return false;
  }
}

LIMPID_INLINE bool Pickle::build_container(unsigned char opcode) {
  switch (opcode) {
    case ')':
      return push_tuple(0), true;
    case 0x85:
    case 0x86:
    case 0x87:
      return push_tuple(opcode - 0x84u), true;
    case 't':
      return heap_.push_container(Kind::tuple, heap_.pop_to_mark()), true;
    case ']':
    case 0x8f:  // EMPTY_SET
      return heap_.push_container(Kind::list, {}), true;
    case 'l':
    case 0x91:  // FROZENSET
      return heap_.push_container(Kind::list, heap_.pop_to_mark()), true;
    case '}':
      return heap_.push_container(Kind::dict, {}), true;
    case 'd':
      return heap_.push_container(Kind::dict, heap_.pop_to_mark()), true;
    case 'a': {
      const auto* item = heap_.pop();
      return heap_.extend(Kind::list, {item}), true;
    }
    case 'e':
    case 0x90:  // ADDITEMS
      return heap_.extend(Kind::list, heap_.pop_to_mark()), true;
    case 's': {
      const auto* value = heap_.pop();
      const auto* key = heap_.pop();
      return heap_.extend(Kind::dict, {key, value}), true;
    }
    case 'u':
      return heap_.extend(Kind::dict, heap_.pop_to_mark()), true;
    default:
      return false;
  }
}

LIMPID_INLINE bool Pickle::use_memo(unsigned char opcode) {
  switch (opcode) {
    case 'p':
      return heap_.remember(parsed<std::uint64_t>(bytes_.line())), true;
    case 'q':
      return heap_.remember(bytes_.byte()), true;
    case 'r':
      return heap_.remember(bytes_.number(4)), true;
    case 0x94:  // MEMOIZE
      return heap_.remember_next(), true;
    case 'g':
      return heap_.recall(parsed<std::uint64_t>(bytes_.line())), true;
    case 'h':
      return heap_.recall(bytes_.byte()), true;
    case 'j':
      return heap_.recall(bytes_.number(4)), true;
    default:
      return false;
  }
}

LIMPID_INLINE bool Pickle::make_object(unsigned char opcode) {
  switch (opcode) {
    case 'c': {
      const auto module = bytes_.line();
      return heap_.push_global(module, bytes_.line()), true;
    }
    case 0x93: {  // STACK_GLOBAL
      const auto* name = heap_.pop();
      const auto* module = heap_.pop();
      TORCH_CHECK(name->is(Kind::text) && module->is(Kind::text), "a malformed name");
      return heap_.push_global(module->text, name->text), true;
    }
    case 'R':
      return call(), true;
    case 'i': {
      const auto module = bytes_.line();
      heap_.push_global(module, bytes_.line());
      const auto* made = heap_.pop();
      return push_object(made, heap_.pop_to_mark()), true;
    }
    case 'o':
      return push_object(), true;
    case 0x81: {  // NEWOBJ
      const auto* arguments = heap_.pop();
      const auto* made = heap_.pop();
      return heap_.push_call(made, arguments), true;
    }
    case 0x92: {    // NEWOBJ_EX
      heap_.pop();  // arguments with keywords
      const auto* arguments = heap_.pop();
      const auto* made = heap_.pop();
      return heap_.push_call(made, arguments), true;
    }
    case 'b': {
      const auto* state = heap_.pop();
      return heap_.set_state(state), true;
    }
    case 'P':
      heap_.push_text(Kind::text, bytes_.line());
      return push_persistent(heap_.pop()), true;
    case 'Q':
      return push_persistent(heap_.pop()), true;
    default:
      return false;
  }
}

}  // namespace limpid

#endif  // LIMPID_BODIES
