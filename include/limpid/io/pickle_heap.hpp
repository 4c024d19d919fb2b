#pragma once

#include <limpid/core/compiled.hpp>
#include <limpid/io/pickle_value.hpp>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#ifdef LIMPID_BODIES
#include <c10/util/Exception.h>
#endif

namespace limpid::detail {

/// What a pickle may ask for: far more than the tensors of any network take, and in all less than
/// 500 MB.
struct PickleLimits {
  std::size_t values = 2'000'000;
  std::size_t moves = 6'000'000;       ///< values put on the stack or into containers
  std::size_t remembered = 1'000'000;  ///< values that are named to be used again
  std::size_t name_bytes = 4 << 20;    ///< of all different names together
};

/// The values of a pickle, its stack, and what is remembered: the memory of its machine, all
/// bounded. Containers are shared, never copied.
class PickleHeap {
 public:
  using Kind = PickleValue::Kind;
  using Items = std::vector<const PickleValue*>;

  PickleHeap();

  PickleValue* make(Kind kind);

  PickleValue* none() const { return none_; }
  PickleValue* boolean(bool value) const { return value ? true_ : false_; }

  void push(PickleValue* value);

  void push_integer(std::int64_t value);

  void push_text(Kind kind, std::string_view text);

  void push_container(Kind kind, Items items);

  /// One copy of each name, however often it comes.
  void push_global(std::string_view module, std::string_view name);

  PickleValue* top() const;

  PickleValue* pop();

  void mark();

  Items pop_to_mark();

  /// Takes the last value away, or the last mark where nothing stands above it.
  void drop();

  bool is_empty() const { return stack_.empty() && marks_.empty(); }

  /// Adds to the container on top; to an object, where it is one.
  void extend(Kind kind, const Items& items);

  /// Tells the object on top its state.
  void set_state(const PickleValue* state);

  /// The object that `callee` would make of `arguments`.
  void push_call(const PickleValue* callee, const PickleValue* arguments);

  void remember(std::uint64_t key);

  void remember_next();

  void recall(std::uint64_t key);

 private:
  /// How many values stand above the last mark.
  std::size_t height() const { return stack_.size() - (marks_.empty() ? 0 : marks_.back()); }

  void charge(std::size_t moves);

  PickleValue* entries_of(PickleValue* object);

  PickleLimits limits_;
  std::size_t moves_ = 0;
  std::size_t name_bytes_ = 0;
  std::deque<PickleValue> values_;
  std::set<std::string, std::less<>> names_;
  std::vector<PickleValue*> stack_;
  std::vector<std::size_t> marks_;
  std::unordered_map<std::uint64_t, PickleValue*> memo_;
  PickleValue* none_ = nullptr;
  PickleValue* false_ = nullptr;
  PickleValue* true_ = nullptr;
};

}  // namespace limpid::detail

#ifdef LIMPID_BODIES

namespace limpid::detail {

LIMPID_INLINE PickleHeap::PickleHeap() {
  none_ = make(Kind::none);
  for (auto* flag : {&false_, &true_}) *flag = make(Kind::boolean);
  true_->integer = 1;
}

LIMPID_INLINE PickleValue* PickleHeap::make(Kind kind) {
  TORCH_CHECK(values_.size() < limits_.values, "more than ", limits_.values, " values");
  values_.emplace_back().kind = kind;
  return &values_.back();
}

LIMPID_INLINE void PickleHeap::push(PickleValue* value) {
  charge(1);
  stack_.push_back(value);
}

LIMPID_INLINE void PickleHeap::push_integer(std::int64_t value) {
  push(make(Kind::integer));
  stack_.back()->integer = value;
}

LIMPID_INLINE void PickleHeap::push_text(Kind kind, std::string_view text) {
  push(make(kind));
  stack_.back()->text = text;
}

LIMPID_INLINE void PickleHeap::push_container(Kind kind, Items items) {
  TORCH_CHECK(kind != Kind::dict || items.size() % 2 == 0, "a key without a value");
  charge(items.size());
  auto* container = make(kind);
  container->items = std::move(items);
  push(container);
}

LIMPID_INLINE void PickleHeap::push_global(std::string_view module, std::string_view name) {
  constexpr std::size_t kLongest = 1024;
  TORCH_CHECK(module.size() + name.size() <= kLongest, "a name of more than ", kLongest,
              " characters");
  const auto [known, is_new] = names_.insert(std::string{module} + "." + std::string{name});
  if (is_new) name_bytes_ += known->size();
  TORCH_CHECK(name_bytes_ <= limits_.name_bytes, "names of more than ", limits_.name_bytes,
              " bytes");
  push_text(Kind::global, *known);
}

LIMPID_INLINE PickleValue* PickleHeap::top() const {
  TORCH_CHECK(height() > 0, "an empty stack");
  return stack_.back();
}

LIMPID_INLINE PickleValue* PickleHeap::pop() {
  auto* value = top();
  stack_.pop_back();
  return value;
}

LIMPID_INLINE void PickleHeap::mark() {
  charge(1);
  marks_.push_back(stack_.size());
}

LIMPID_INLINE PickleHeap::Items PickleHeap::pop_to_mark() {
  TORCH_CHECK(!marks_.empty(), "no mark");
  const auto first = stack_.begin() + static_cast<std::ptrdiff_t>(marks_.back());
  Items items{first, stack_.end()};
  stack_.erase(first, stack_.end());
  marks_.pop_back();
  return items;
}

LIMPID_INLINE void PickleHeap::drop() {
  if (height() == 0 && !marks_.empty()) return marks_.pop_back();
  pop();
}

LIMPID_INLINE void PickleHeap::extend(Kind kind, const Items& items) {
  charge(items.size());
  auto* container = top();
  if (container->is(Kind::call) && kind == Kind::dict) container = entries_of(container);
  const bool is_unread = container->is(Kind::call);  // a list of a class of its own
  TORCH_CHECK(is_unread || container->is(kind), "items for what is no ",
              kind == Kind::dict ? "dict" : "list");
  TORCH_CHECK(kind != Kind::dict || items.size() % 2 == 0, "a key without a value");
  if (!is_unread) {
    container->items.insert(container->items.end(), items.begin(), items.end());
  }
}

LIMPID_INLINE void PickleHeap::set_state(const PickleValue* state) {
  auto* object = top();
  if (object->is(Kind::dict)) return;  // the versions of a state_dict's modules
  TORCH_CHECK(object->is(Kind::call), "a state for what is no object");
  object->items[2] = state;
}

LIMPID_INLINE void PickleHeap::push_call(const PickleValue* callee, const PickleValue* arguments) {
  push_container(Kind::call, {callee, arguments, none_});
}

LIMPID_INLINE void PickleHeap::remember(std::uint64_t key) {
  auto* value = top();
  memo_[key] = value;
  TORCH_CHECK(memo_.size() <= limits_.remembered, "more than ", limits_.remembered,
              " values that are used again");
}

LIMPID_INLINE void PickleHeap::remember_next() { remember(memo_.size()); }

LIMPID_INLINE void PickleHeap::recall(std::uint64_t key) {
  const auto found = memo_.find(key);
  TORCH_CHECK(found != memo_.end(), "a reference to nothing");
  push(found->second);
}

LIMPID_INLINE void PickleHeap::charge(std::size_t moves) {
  moves_ += moves;
  TORCH_CHECK(moves_ <= limits_.moves, "more than ", limits_.moves, " values in its containers");
}

LIMPID_INLINE PickleValue* PickleHeap::entries_of(PickleValue* object) {
  if (object->items.size() == 3) object->items.push_back(make(Kind::dict));
  // Made just here, and of this heap.
  return const_cast<PickleValue*>(object->items[3]);
}

}  // namespace limpid::detail

#endif  // LIMPID_BODIES
