#pragma once

#include <limpid/core/compiled.hpp>
#include <limpid/datasets/batch.hpp>
#include <limpid/datasets/image_pair.hpp>

#include <ATen/core/Tensor.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>

#include <cstdint>
#include <vector>

#ifdef LIMPID_BODIES
#include <limpid/datasets/signed_of_byte.hpp>
#include <limpid/io/image.hpp>

#include <c10/util/Exception.h>
#endif

namespace limpid {

/// A whole pair as a batch of one, for evaluation: (1, 3, H, W) in [-1, 1].
LIMPID_INLINE Batch load_whole(const ImagePair& pair);

}  // namespace limpid

#ifdef LIMPID_BODIES

namespace limpid {

LIMPID_INLINE Batch load_whole(const ImagePair& pair) {
  const auto convert = [](const Image& image) {
    TORCH_CHECK_VALUE(!image.empty(), "load_whole: an empty image");
    const auto count = image.height() * image.width();
    auto values = at::empty({1, 3, image.height(), image.width()}, at::kFloat);
    auto* out = values.data_ptr<float>();
    const auto& value = detail::signed_of_byte();
    for (std::int64_t i = 0; i < count; ++i) {
      for (std::int64_t c = 0; c < 3; ++c) out[c * count + i] = value[image.data()[3 * i + c]];
    }
    return values;
  };
  std::vector<at::Tensor> seen{convert(pair.degraded)};
  for (const auto& image : pair.beside) seen.push_back(convert(image));
  return {seen.size() == 1 ? seen[0] : at::cat(seen, 1), convert(pair.target)};
}

}  // namespace limpid

#endif  // LIMPID_BODIES
