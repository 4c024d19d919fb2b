#pragma once

#include <limpid/core/compiled.hpp>
#include <limpid/io/tensor_index.hpp>
#include <limpid/io/zip.hpp>

#include <ATen/core/Tensor.h>

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <utility>

#ifdef LIMPID_BODIES
#include <limpid/core/check.hpp>
#include <limpid/core/fail.hpp>
#include <limpid/core/printable.hpp>
#include <limpid/io/npy.hpp>

#include <c10/util/Exception.h>

#include <algorithm>
#include <string_view>
#endif

namespace limpid {

namespace detail {

/// Whether an entry's name says that it is an array.
LIMPID_INLINE bool is_npy_entry(const ZipEntry& entry);

}  // namespace detail

/// What a .npz file says of its arrays, by name; their numbers are not read yet. What is no array
/// of numbers is passed over.
/// @throws c10::Error that names the file, the array and what is wrong with it.
LIMPID_INLINE TensorIndex index_npz(const std::filesystem::path& path);

/// Reads the arrays of a .npz file, plain (`numpy.savez`) or deflated (`numpy.savez_compressed`).
///
/// @return arrays by name, in the types of `read_npy`.
/// @throws c10::Error that names the file, the array and what is wrong with it.
LIMPID_INLINE std::map<std::string, at::Tensor> read_npz(const std::filesystem::path& path);

}  // namespace limpid

#ifdef LIMPID_BODIES

namespace limpid::detail {

LIMPID_INLINE bool is_npy_entry(const ZipEntry& entry) {
  return entry.name.size() > 4 &&
         std::string_view{entry.name}.substr(entry.name.size() - 4) == ".npy";
}

}  // namespace limpid::detail

namespace limpid {

LIMPID_INLINE TensorIndex index_npz(const std::filesystem::path& path) {
  const auto archive = std::make_shared<ZipArchive>(path);
  const auto where = "cannot read npz file '" + path.string() + "': ";
  TensorIndex index;
  for (const auto& entry : archive->entries()) {
    auto name = entry.name;
    if (!detail::is_npy_entry(entry)) {
      index.passed_over[name] = "no array, but a file of " + std::to_string(entry.size) + " bytes";
      continue;
    }
    name.resize(name.size() - 4);
    const auto said = [=](const auto& action) {
      try {
        return action();
      } catch (const c10::Error& error) {
        limpid::fail(where, "array '", printable(name), "' has ", error.what_without_backtrace());
      }
    };
    const auto start = archive->read_start(entry, detail::kNpyHeader);
    const auto layout = said([&] { return detail::npy_layout(start, entry.size); });
    if (layout.type == nullptr) {
      archive->read(entry);  // its checksum tells a damaged array from one of another type
      index.passed_over[name] = "an array of " + detail::npy_type_text(layout);
      continue;
    }
    auto read = [=, &entry] {  // entries live as long as their archive
      const auto bytes = archive->read(entry);
      return said([&] { return detail::npy_array(layout, bytes.data() + layout.start); });
    };
    index.tensors[name] = {std::string{layout.type->name}, layout.type->type, layout.shape,
                           std::move(read)};
  }
  TORCH_CHECK(!index.tensors.empty() || index.passed_over.empty(), where,
              "expected arrays of numbers (NAME.npy), found ", index.passed_over.size(),
              " other entries, such as '", printable(index.passed_over.begin()->first), "' (",
              index.passed_over.begin()->second, ")");
  return index;
}

LIMPID_INLINE std::map<std::string, at::Tensor> read_npz(const std::filesystem::path& path) {
  return read_all(index_npz(path)).tensors;
}

}  // namespace limpid

#endif  // LIMPID_BODIES
