#pragma once

#include <limpid/core/concepts.hpp>
#include <limpid/core/modules.hpp>

#include <memory>
#include <utility>

namespace limpid::detail {

/// A handle to a clone of the module behind `handle`; every module inside must be `Cloneable`.
template <ModuleHandle H>
H deep_copy(const H& handle) {
  return H{std::dynamic_pointer_cast<ModuleOf<H>>(handle->clone())};
}

}  // namespace limpid::detail
