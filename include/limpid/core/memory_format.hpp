#pragma once

#include <limpid/core/compiled.hpp>
#include <limpid/core/modules.hpp>
#include <limpid/core/named.hpp>

#include <ATen/core/Tensor.h>
#include <c10/core/MemoryFormat.h>

#include <string_view>

namespace limpid {

/// How pictures and kernels, (N, C, H, W) whatever the order, lie in memory. Results differ by
/// rounding alone, and files are the same.
inline constexpr NamedTable kMemoryFormats{
    "a memory format",
    Named{"contiguous", "channel by channel", at::MemoryFormat::Contiguous},
    Named{"channels-last", "pixel by pixel, as tensor cores take them",
          at::MemoryFormat::ChannelsLast},
};

inline constexpr std::string_view name_of(at::MemoryFormat format) {
  std::string_view name;
  kMemoryFormats.for_each([&](const auto& entry) {
    if (entry.value == format) name = entry.name;
  });
  return name;
}

namespace detail {

/// A picture in `format`. In the contiguous one it is what it is: nothing is copied.
LIMPID_INLINE at::Tensor laid_out(const at::Tensor& picture, at::MemoryFormat format);

/// `map`, laid out in memory as `like` is, where that is pixel by pixel; else `map` itself.
LIMPID_INLINE at::Tensor laid_like(const at::Tensor& map, const at::Tensor& like);

/// Lays the kernels of a module out in `format`; in the contiguous one they stay as they are. The
/// parameters stay the same objects with the same values, and what an optimiser makes like them,
/// and a copy of the module, is laid out so, too.
LIMPID_INLINE void lay_out(torch::nn::Module& module, at::MemoryFormat format);

}  // namespace detail
}  // namespace limpid

#ifdef LIMPID_BODIES

namespace limpid::detail {

LIMPID_INLINE at::Tensor laid_out(const at::Tensor& picture, at::MemoryFormat format) {
  return format == at::MemoryFormat::ChannelsLast ? picture.contiguous(format) : picture;
}

LIMPID_INLINE at::Tensor laid_like(const at::Tensor& map, const at::Tensor& like) {
  const bool last =
      like.dim() == 4 && like.suggest_memory_format() == at::MemoryFormat::ChannelsLast;
  return last ? map.contiguous(at::MemoryFormat::ChannelsLast) : map;
}

LIMPID_INLINE void lay_out(torch::nn::Module& module, at::MemoryFormat format) {
  if (format != at::MemoryFormat::ChannelsLast) return;
  for (const auto& parameter : module.parameters()) {
    if (parameter.dim() != 4) continue;
    const auto laid = parameter.detach().contiguous(format);
    if (!laid.is_same(parameter)) at::Tensor{parameter}.set_data(laid);
  }
}

}  // namespace limpid::detail

#endif  // LIMPID_BODIES
