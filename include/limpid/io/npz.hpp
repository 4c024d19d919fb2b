#pragma once

#include <limpid/core/printable.hpp>
#include <limpid/io/npy.hpp>
#include <limpid/io/zip.hpp>

#include <ATen/core/Tensor.h>
#include <c10/util/Exception.h>

#include <filesystem>
#include <map>
#include <string>
#include <utility>

namespace limpid {

namespace detail {

inline std::map<std::string, at::Tensor> read_npz(ZipArchive& archive) {
  const auto where = "cannot read npz file '" + archive.path().string() + "': ";
  std::map<std::string, at::Tensor> arrays;
  for (const auto& entry : archive.entries()) {
    auto name = entry.name;
    TORCH_CHECK(name.size() > 4 && name.compare(name.size() - 4, 4, ".npy") == 0, where,
                "expected entries NAME.npy, found '", printable(name), "'");
    name.resize(name.size() - 4);
    const auto bytes = archive.read(entry);
    try {
      arrays.emplace(name, parse_npy(bytes));
    } catch (const c10::Error& error) {
      TORCH_CHECK(false, where, "array '", printable(name), "' has ",
                  error.what_without_backtrace());
    }
  }
  return arrays;
}

}  // namespace detail

/// Reads the arrays of a .npz file, plain (`numpy.savez`) or deflated (`numpy.savez_compressed`).
///
/// @return arrays by name, in the types of `read_npy`.
/// @throws c10::Error that names the file, the array and what is wrong with it.
inline std::map<std::string, at::Tensor> read_npz(const std::filesystem::path& path) {
  ZipArchive archive{path};
  return detail::read_npz(archive);
}

}  // namespace limpid
