#pragma once

#include <limpid/core/printable.hpp>

#include <c10/util/Exception.h>

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
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
    list,
    dict,        ///< key, value, key, value ... in `items`
    persistent,  ///< something beside the pickle; its id is `items[0]`
    call,        ///< of the global `items[0]` with the tuple `items[1]`; nobody executes it
  };
  Kind kind = Kind::none;
  std::int64_t integer = 0;
  double real = 0;
  std::string_view text;
  std::vector<const PickleValue*> items;

  bool is(Kind wanted) const { return kind == wanted; }
};

/// Reads one pickle without executing anything: a call is kept as a name and its arguments, and
/// only for the names that the caller knows.
///
/// Source: CPython's "pickletools": the opcodes of protocols 0 to 5 that plain values need.
/// `collections.OrderedDict` becomes a dict, `torch.Size` a tuple. Texts are views of the bytes
/// read, which must outlive the object.
class Pickle {
 public:
  using Kind = PickleValue::Kind;

  /// @param bytes   the pickle, and what may stand behind it
  /// @param start   where it begins
  /// @param known   globals that may be named: "torch.FloatStorage"
  /// @throws c10::Error that says what is wrong and at which byte.
  Pickle(std::string_view bytes, std::size_t start, std::vector<std::string_view> known = {})
      : bytes_(bytes), at_(start), known_(std::move(known)) {
    none_ = make(Kind::none);
    for (auto* flag : {&false_, &true_}) *flag = make(Kind::boolean);
    true_->integer = 1;
    while (root_ == nullptr) {
      const auto here = at_;
      try {
        step(byte());
      } catch (const c10::Error& error) {
        TORCH_CHECK(false, error.what_without_backtrace(), ", at byte ", here, " of its pickle");
      }
    }
  }
  Pickle(const Pickle&) = delete;
  Pickle& operator=(const Pickle&) = delete;

  const PickleValue& root() const { return *root_; }

  /// Where the bytes behind it begin.
  std::size_t end() const { return at_; }

  /// Every value beside the pickle that it names, in order.
  const std::vector<const PickleValue*>& persistent() const { return persistent_; }

 private:
  static constexpr std::size_t kMostValues = 2'000'000;

  PickleValue* make(Kind kind) {
    TORCH_CHECK(values_.size() < kMostValues, "more than ", kMostValues, " values");
    values_.emplace_back().kind = kind;
    return &values_.back();
  }

  std::string_view take(std::uint64_t count) {
    TORCH_CHECK(count <= bytes_.size() - at_, "an end that comes too early");
    const auto taken = bytes_.substr(at_, count);
    at_ += count;
    return taken;
  }

  unsigned char byte() { return static_cast<unsigned char>(take(1)[0]); }

  std::uint64_t number(int count) {
    const auto taken = take(static_cast<std::uint64_t>(count));
    std::uint64_t value = 0;
    for (auto i = taken.size(); i-- > 0;) value = value << 8 | static_cast<unsigned char>(taken[i]);
    return value;
  }

  std::string_view line() {
    const auto end = bytes_.find('\n', at_);
    TORCH_CHECK(end != bytes_.npos, "an end that comes too early");
    const auto taken = take(end - at_);
    at_ = end + 1;
    return taken;
  }

  void push(PickleValue* value) { stack_.push_back(value); }

  void push_integer(std::int64_t value) {
    push(make(Kind::integer));
    stack_.back()->integer = value;
  }

  void push_text(Kind kind, std::string_view text) {
    push(make(kind));
    stack_.back()->text = text;
  }

  /// How many values stand above the last mark.
  std::size_t height() const { return stack_.size() - (marks_.empty() ? 0 : marks_.back()); }

  PickleValue* top() const {
    TORCH_CHECK(height() > 0, "an empty stack");
    return stack_.back();
  }

  PickleValue* pop() {
    auto* value = top();
    stack_.pop_back();
    return value;
  }

  std::vector<const PickleValue*> pop_to_mark() {
    TORCH_CHECK(!marks_.empty(), "no mark");
    const auto first = stack_.begin() + static_cast<std::ptrdiff_t>(marks_.back());
    std::vector<const PickleValue*> items{first, stack_.end()};
    stack_.erase(first, stack_.end());
    marks_.pop_back();
    return items;
  }

  void push_container(Kind kind, std::vector<const PickleValue*> items) {
    TORCH_CHECK(kind != Kind::dict || items.size() % 2 == 0, "a key without a value");
    auto* container = make(kind);
    container->items = std::move(items);
    push(container);
  }

  void push_tuple(std::size_t size) {
    std::vector<const PickleValue*> items(size);
    for (auto i = size; i-- > 0;) items[i] = pop();
    push_container(Kind::tuple, std::move(items));
  }

  /// Adds to the container on top.
  void extend(Kind kind, const std::vector<const PickleValue*>& items) {
    auto* container = top();
    TORCH_CHECK(container->is(kind), "items for what is no ", kind == Kind::dict ? "dict" : "list");
    TORCH_CHECK(kind != Kind::dict || items.size() % 2 == 0, "a key without a value");
    container->items.insert(container->items.end(), items.begin(), items.end());
  }

  void push_global(std::string_view module, std::string_view name) {
    auto full = std::string{module} + "." + std::string{name};
    TORCH_CHECK(full == "collections.OrderedDict" || full == "torch.Size" ||
                    std::find(known_.begin(), known_.end(), full) != known_.end(),
                "refused '", printable(full), "': only tensors and plain containers are read");
    push_text(Kind::global, names_.emplace_back(std::move(full)));
  }

  void call() {
    const auto* arguments = pop();
    const auto* callee = pop();
    TORCH_CHECK(callee->is(Kind::global) && arguments->is(Kind::tuple), "a malformed call");
    const auto& items = arguments->items;
    if (callee->text == "collections.OrderedDict") {
      TORCH_CHECK(items.size() <= 1 && (items.empty() || items[0]->is(Kind::list)),
                  "a malformed OrderedDict");
      std::vector<const PickleValue*> pairs;
      for (const auto* pair : items.empty() ? std::vector<const PickleValue*>{} : items[0]->items) {
        TORCH_CHECK((pair->is(Kind::tuple) || pair->is(Kind::list)) && pair->items.size() == 2,
                    "a malformed OrderedDict");
        pairs.insert(pairs.end(), pair->items.begin(), pair->items.end());
      }
      push_container(Kind::dict, std::move(pairs));
    } else if (callee->text == "torch.Size") {
      TORCH_CHECK(items.size() == 1 && (items[0]->is(Kind::tuple) || items[0]->is(Kind::list)),
                  "a malformed torch.Size");
      push_container(Kind::tuple, items[0]->items);
    } else {
      push_container(Kind::call, {callee, arguments});
    }
  }

  void push_long(std::string_view bytes) {
    if (bytes.size() > 8) return push_text(Kind::large_integer, bytes);
    std::uint64_t value = !bytes.empty() && (bytes.back() & 0x80) ? ~std::uint64_t{0} : 0;
    for (auto i = bytes.size(); i-- > 0;) {
      value = value << 8 | static_cast<unsigned char>(bytes[i]);
    }
    push_integer(static_cast<std::int64_t>(value));
  }

  void remember(std::uint64_t key) { memo_[key] = top(); }

  void recall(std::uint64_t key) {
    const auto found = memo_.find(key);
    TORCH_CHECK(found != memo_.end(), "a reference to nothing");
    push(found->second);
  }

  void step(unsigned char opcode) {
    switch (opcode) {
      case 0x80: {  // PROTO
        const int protocol = byte();
        TORCH_CHECK(protocol <= 5, "protocol ", protocol, ", expected at most 5");
        return;
      }
      case 0x95:  // FRAME
        TORCH_CHECK(number(8) <= bytes_.size() - at_, "an end that comes too early");
        return;
      case '.':  // STOP
        root_ = pop();
        TORCH_CHECK(stack_.empty() && marks_.empty(), "values that belong to nothing");
        return;
      case '(':
        return marks_.push_back(stack_.size());

      case 'N':
        return push(none_);
      case 0x88:
        return push(true_);
      case 0x89:
        return push(false_);
      case 'J':
        return push_integer(static_cast<std::int32_t>(number(4)));
      case 'K':
        return push_integer(byte());
      case 'M':
        return push_integer(static_cast<std::int64_t>(number(2)));
      case 0x8a:  // LONG1
        return push_long(take(byte()));
      case 0x8b:  // LONG4
        return push_long(take(number(4)));
      case 'G': {  // big-endian
        std::uint64_t bits = 0;
        for (const unsigned char part : take(8)) bits = bits << 8 | part;
        push(make(Kind::real));
        stack_.back()->real = std::bit_cast<double>(bits);
        return;
      }
      case 'X':
        return push_text(Kind::text, take(number(4)));
      case 0x8c:
        return push_text(Kind::text, take(byte()));
      case 0x8d:
        return push_text(Kind::text, take(number(8)));
      case 'T':  // str of Python 2
        return push_text(Kind::text, take(number(4)));
      case 'U':
        return push_text(Kind::text, take(byte()));
      case 'B':
        return push_text(Kind::bytes, take(number(4)));
      case 'C':
        return push_text(Kind::bytes, take(byte()));

      case ')':
        return push_tuple(0);
      case 0x85:
        return push_tuple(1);
      case 0x86:
        return push_tuple(2);
      case 0x87:
        return push_tuple(3);
      case 't':
        return push_container(Kind::tuple, pop_to_mark());
      case ']':
        return push_container(Kind::list, {});
      case 'l':
        return push_container(Kind::list, pop_to_mark());
      case '}':
        return push_container(Kind::dict, {});
      case 'd':
        return push_container(Kind::dict, pop_to_mark());
      case 'a': {
        const auto* item = pop();
        return extend(Kind::list, {item});
      }
      case 'e':
        return extend(Kind::list, pop_to_mark());
      case 's': {
        const auto* value = pop();
        const auto* key = pop();
        return extend(Kind::dict, {key, value});
      }
      case 'u':
        return extend(Kind::dict, pop_to_mark());

      case 'q':
        return remember(byte());
      case 'r':
        return remember(number(4));
      case 0x94:  // MEMOIZE
        return remember(memo_.size());
      case 'h':
        return recall(byte());
      case 'j':
        return recall(number(4));

      case 'c': {
        const auto module = line();
        return push_global(module, line());
      }
      case 0x93: {  // STACK_GLOBAL
        const auto* name = pop();
        const auto* module = pop();
        TORCH_CHECK(name->is(Kind::text) && module->is(Kind::text), "a malformed name");
        return push_global(module->text, name->text);
      }
      case 'R':
        return call();
      case 'b':  // attributes of an OrderedDict, such as the versions of a state_dict's modules
        pop();
        TORCH_CHECK(top()->is(Kind::dict), "attributes for what is no dict");
        return;
      case 'Q': {
        const auto* id = pop();
        push_container(Kind::persistent, {id});
        return persistent_.push_back(top());
      }
      default:
        TORCH_CHECK(false, "refused the opcode '",
                    printable(std::string(1, static_cast<char>(opcode))),
                    "', which no tensor or plain container needs");
    }
  }

  std::string_view bytes_;
  std::size_t at_;
  std::vector<std::string_view> known_;
  std::deque<PickleValue> values_;
  std::deque<std::string> names_;
  std::vector<PickleValue*> stack_;
  std::vector<std::size_t> marks_;
  std::unordered_map<std::uint64_t, PickleValue*> memo_;
  std::vector<const PickleValue*> persistent_;
  PickleValue* none_ = nullptr;
  PickleValue* false_ = nullptr;
  PickleValue* true_ = nullptr;
  const PickleValue* root_ = nullptr;
};

}  // namespace limpid
