#pragma once

#include <limpid/core/compiled.hpp>
#include <limpid/io/pickle_value.hpp>

#include <string>
#include <string_view>
#include <vector>

// What a pickle would call to make an object, told by its name and never followed.

#ifdef LIMPID_BODIES
#include <limpid/core/printable.hpp>
#endif

namespace limpid::detail {

/// The name of what is called, or of the class that is made.
LIMPID_INLINE std::string_view callee_name(const PickleValue& callee);

/// What makes a tensor, and of what.
struct TensorCall {
  std::string_view function;
  const std::vector<const PickleValue*>* arguments =
      nullptr;  ///< nothing: it makes no plain tensor
};

/// Sees through parameters and subclasses of tensors to the plain tensor that they are made of.
LIMPID_INLINE TensorCall tensor_call(std::string_view function, const PickleValue& tuple,
                                     int depth = 0);

/// "made by 'argparse.Namespace'": the class of an object, or the function that would be called.
LIMPID_INLINE std::string call_text(const PickleValue& call);

}  // namespace limpid::detail

#ifdef LIMPID_BODIES

namespace limpid::detail {

LIMPID_INLINE std::string_view callee_name(const PickleValue& callee) {
  using Kind = PickleValue::Kind;
  if (callee.is(Kind::global)) return callee.text;
  if (callee.is(Kind::persistent) && callee.items[0]->is(Kind::tuple)) {
    // ('module', class, file, source), as legacy files name the classes of modules
    const auto& id = callee.items[0]->items;
    if (id.size() > 1 && id[1]->is(Kind::global)) return id[1]->text;
  }
  return "something without a name";
}

LIMPID_INLINE TensorCall tensor_call(std::string_view function, const PickleValue& tuple,
                                     int depth) {
  using Kind = PickleValue::Kind;
  if (!tuple.is(Kind::tuple) || depth > 8) return {function};
  const auto& arguments = tuple.items;
  if (function == "torch._utils._rebuild_tensor" || function == "torch._utils._rebuild_tensor_v2" ||
      function == "torch._utils._rebuild_tensor_v3") {
    return {function, &arguments};
  }
  if (function == "torch._utils._rebuild_parameter" ||
      function == "torch._utils._rebuild_parameter_with_state") {
    if (arguments.empty() || !arguments[0]->is(Kind::call)) return {function};
    const auto& inner = arguments[0]->items;
    return tensor_call(callee_name(*inner[0]), *inner[1], depth + 1);
  }
  if (function == "torch._tensor._rebuild_from_type_v2" ||
      function == "torch._tensor._rebuild_from_type") {  // function, class, its arguments, state
    if (arguments.size() < 3 || !arguments[0]->is(Kind::global)) return {function};
    return tensor_call(arguments[0]->text, *arguments[2], depth + 1);
  }
  return {function};
}

LIMPID_INLINE std::string call_text(const PickleValue& call) {
  using Kind = PickleValue::Kind;
  auto name = callee_name(*call.items[0]);
  const auto* arguments = call.items[1];
  const auto argument = [&](std::size_t i) -> const PickleValue* {
    return arguments->is(Kind::tuple) && arguments->items.size() > i ? arguments->items[i]
                                                                     : nullptr;
  };
  const auto* made = name == "copyreg._reconstructor" || name == "copy_reg._reconstructor"
                         ? argument(0)
                     : name.find("_rebuild_from_type") != name.npos ? argument(1)
                                                                    : nullptr;
  if (made != nullptr && made->is(Kind::global)) name = made->text;
  return "made by '" + printable(name, 100) + "'";
}

}  // namespace limpid::detail

#endif  // LIMPID_BODIES
