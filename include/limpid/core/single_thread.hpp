#pragma once

#include <ATen/Parallel.h>
#include <dlfcn.h>

namespace limpid {

/// Lets LibTorch's operators use so many threads when the calling thread runs them, whatever the
/// rest of the program uses.
///
/// `at::set_num_threads` sets what every later thread starts with, so OpenMP is asked directly; it
/// is looked up by name, because programs link it through LibTorch only. Does nothing where
/// LibTorch was built without OpenMP.
inline void use_threads(int count) {
  at::get_num_threads();  // LibTorch sets a thread's number once, at its first look
  using SetNumThreads = void (*)(int);
  const auto set = reinterpret_cast<SetNumThreads>(::dlsym(RTLD_DEFAULT, "omp_set_num_threads"));
  if (set != nullptr) set(count);
}

/// One: for workers beside a training step, which would otherwise each bring a team.
inline void use_one_thread() { use_threads(1); }

}  // namespace limpid
