#pragma once

#include <limpid/core/compiled.hpp>
#include <limpid/core/fail.hpp>

#include <c10/util/Exception.h>

#include <exception>
#include <string>

#ifdef LIMPID_BODIES
#include <limpid/core/check.hpp>

#include <new>
#endif

namespace limpid {

/// Whether an error says that memory ran out: `std::bad_alloc`, or what LibTorch's allocators of
/// the CPU and of CUDA throw, which have no type of their own in all versions.
LIMPID_INLINE bool is_out_of_memory(const std::exception& error);

/// What an error says, for people: without LibTorch's backtrace, and "out of memory" as such.
LIMPID_INLINE std::string error_text(const std::exception& error);

/// Calls `action`; its errors get "WHAT: " before their text. What needs a name, such as a picture
/// that is worked on, need not know it.
/// @throws c10::ValueError where `action` does, else c10::Error
template <class Action>
decltype(auto) naming(const std::string& what, Action&& action) {
  try {
    return action();
  } catch (const c10::ValueError& error) {
    limpid::refuse(what, ": ", error.what_without_backtrace());
  } catch (const std::exception& error) {
    limpid::fail(what, ": ", error_text(error));
  }
}

}  // namespace limpid

#ifdef LIMPID_BODIES

namespace limpid {

LIMPID_INLINE bool is_out_of_memory(const std::exception& error) {
  if (dynamic_cast<const std::bad_alloc*>(&error) != nullptr) return true;
  const std::string text = error.what();
  return text.find("DefaultCPUAllocator") != text.npos || text.find("out of memory") != text.npos ||
         text.find("bad_alloc") != text.npos;
}

LIMPID_INLINE std::string error_text(const std::exception& error) {
  const auto* of_torch = dynamic_cast<const c10::Error*>(&error);
  const std::string text = of_torch != nullptr ? of_torch->what_without_backtrace() : error.what();
  const bool is_raw = text.find("DefaultCPUAllocator") != text.npos || text == "std::bad_alloc";
  return is_raw ? "out of memory" : text;
}

}  // namespace limpid

#endif  // LIMPID_BODIES
