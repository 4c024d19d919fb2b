#pragma once

#include <c10/util/Exception.h>

#include <string>
#include <type_traits>

namespace limpid_test {

/// The text of the `Error` that `action` throws, without LibTorch's backtrace; "no error" where it
/// throws none. Another type of error goes on to the test.
///
/// @tparam Error  `c10::Error` (files and state, and all that derives from it), `c10::ValueError`
///                (bad values and shapes) or one of the standard library's
template <class Error = c10::Error, class Action>
std::string error_of(Action&& action) {
  try {
    static_cast<void>(action());
  } catch (const Error& error) {
    if constexpr (std::is_base_of_v<c10::Error, Error>) {
      return error.what_without_backtrace();
    } else {
      return error.what();
    }
  }
  return "no error";
}

/// The same for what refuses bad values and shapes.
template <class Action>
std::string value_error_of(Action&& action) {
  return error_of<c10::ValueError>(action);
}

}  // namespace limpid_test
