#pragma once

#include <ATen/TensorIterator.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>

#include <cstdint>

namespace limpid::detail {

/// Calls `body(begin, end)` for parts of [0, count), on LibTorch's threads: by a loop inside its
/// library, which has OpenMP whatever this program was compiled with (`at::parallel_for` in a
/// header has one thread without `-fopenmp`).
template <class Body>
void in_parallel(std::int64_t count, const Body& body) {
  if (count <= 0) return;
  const auto places = at::empty({count}, at::kByte);  // only their addresses are used
  const auto* first = static_cast<const char*>(places.data_ptr());
  auto loop = at::TensorIteratorConfig()
                  .check_all_same_dtype(false)
                  .resize_outputs(false)
                  .add_output(places)
                  .build();
  loop.for_each(
      [&](char** at, const std::int64_t*, std::int64_t size) {
        const auto begin = at[0] - first;
        body(begin, begin + size);
      },
      /*grain_size=*/1);
}

}  // namespace limpid::detail
