#pragma once

#include <c10/util/Exception.h>
#include <c10/util/StringUtil.h>

namespace limpid {

/// Throws a c10::Error made of `parts`, for files and state. Unlike `TORCH_CHECK(false, ...)`,
/// every compiler and LibTorch knows that it does not return.
template <class... Parts>
[[noreturn]] void fail(const Parts&... parts) {
  C10_THROW_ERROR(Error, c10::str(parts...));
}

/// The same with a c10::ValueError, for arguments out of range.
template <class... Parts>
[[noreturn]] void refuse(const Parts&... parts) {
  C10_THROW_ERROR(ValueError, c10::str(parts...));
}

}  // namespace limpid
