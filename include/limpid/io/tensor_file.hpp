#pragma once

#include <limpid/io/input_file.hpp>
#include <limpid/io/npy.hpp>
#include <limpid/io/npz.hpp>
#include <limpid/io/pth.hpp>
#include <limpid/io/safetensors.hpp>
#include <limpid/io/zip.hpp>

#include <c10/util/Exception.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <string_view>
#include <utility>

namespace limpid {

/// What kind of file named tensors came from.
enum class TensorFormat { safetensors, limpid, pth, legacy_pth, npz, npy };

/// The format as a person calls it, such as "PyTorch (zip)".
constexpr std::string_view name_of(TensorFormat format) {
  switch (format) {
    case TensorFormat::safetensors:
      return "safetensors";
    case TensorFormat::limpid:
      return "limpid (safetensors with a manifest)";
    case TensorFormat::pth:
      return "PyTorch (zip)";
    case TensorFormat::legacy_pth:
      return "PyTorch (legacy)";
    case TensorFormat::npz:
      return "NumPy (npz)";
    case TensorFormat::npy:
      return "NumPy (npy)";
  }
  return "unknown";
}

/// Named tensors, free-text metadata, and the format they were found in.
struct RecognisedFile : TensorFile {
  TensorFormat format = TensorFormat::safetensors;
};

namespace detail {

/// The format by the first bytes; an archive is told apart by its entries.
inline TensorFormat recognise(InputFile& file) {
  const auto start = file.read(0, std::min<std::uint64_t>(file.size(), 512));
  const auto begins = [&](std::string_view magic) {
    return start.compare(0, magic.size(), magic) == 0;
  };
  if (begins("PK\3\4") || begins("PK\5\6")) {
    const ZipArchive archive{file.path()};
    const bool is_pth = find_data_pickle(archive) != nullptr;
    TORCH_CHECK(is_pth || !archive.entries().empty(), file.where(),
                "expected tensors, found an "
                "empty zip archive");
    return is_pth ? TensorFormat::pth : TensorFormat::npz;
  }
  if (begins("\x93NUMPY")) return TensorFormat::npy;
  const bool is_tar = start.size() >= 262 && start.compare(257, 5, "ustar") == 0;
  if (begins("\x80") && start.find(kLegacyMagic) < 16) return TensorFormat::legacy_pth;
  const bool has_header = start.size() >= 9 && start[8] == '{';
  TORCH_CHECK(has_header, file.where(),
              "expected safetensors, a PyTorch file (zip or legacy), .npz or .npy, found ",
              start.empty()       ? "nothing in it"
              : is_tar            ? "a tar archive, as PyTorch before 0.1.10 wrote it"
              : begins("\x80")    ? "a pickle of something else"
              : begins("\x89HDF") ? "HDF5"
                                  : "something else");
  return TensorFormat::safetensors;
}

}  // namespace detail

/// Reads named tensors from any format that limpid knows, told apart by what the file holds, not by
/// its name.
///
/// @return tensors on the CPU, contiguous, in the types they were stored in; a .npy file's is
/// called "array". Nested containers of a .pth file become dotted names ("model.conv.weight");
/// their numbers and strings are metadata.
/// @throws c10::Error that names the file, what was expected and what was found.
inline RecognisedFile read_tensor_file(const std::filesystem::path& path) {
  InputFile file{path, "tensor file"};
  const auto format = detail::recognise(file);
  switch (format) {
    case TensorFormat::pth:
    case TensorFormat::legacy_pth:
      return {read_pth(path), format};
    case TensorFormat::npz:
      return {{read_npz(path), {}}, format};
    case TensorFormat::npy:
      return {{{{"array", read_npy(path)}}, {}}, format};
    default:
      auto read = read_safetensors(path);
      const bool is_limpid = read.metadata.count("limpid") != 0;
      return {std::move(read), is_limpid ? TensorFormat::limpid : format};
  }
}

}  // namespace limpid
