#pragma once

#include <limpid/core/compiled.hpp>
#include <limpid/io/input_file.hpp>
#include <limpid/io/tensor_index.hpp>
#include <limpid/io/zip.hpp>

#include <cstdint>
#include <filesystem>
#include <string_view>
#include <utility>

#ifdef LIMPID_BODIES
#include <limpid/io/content_name.hpp>
#include <limpid/io/npy.hpp>
#include <limpid/io/npz.hpp>
#include <limpid/io/pth.hpp>
#include <limpid/io/safetensors.hpp>

#include <c10/util/Exception.h>

#include <algorithm>
#endif

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

/// What a file says of its tensors, and its format.
struct RecognisedIndex : TensorIndex {
  TensorFormat format = TensorFormat::safetensors;
};

namespace detail {

/// The format by the first bytes; an archive is told apart by its entries.
LIMPID_INLINE TensorFormat recognise(InputFile& file);

}  // namespace detail

/// What a file of any format that limpid knows says of its tensors, told apart by what the file
/// holds, not by its name. Their numbers are read one by one when asked for.
///
/// @return tensors by name: a .npy file's is called "array", nested containers of a .pth file
/// become dotted names ("model.conv.weight"), and their numbers and strings are metadata. What is
/// no tensor that limpid reads is passed over, and listed.
/// @throws c10::Error that names the file, what was expected and what was found.
LIMPID_INLINE RecognisedIndex index_tensor_file(const std::filesystem::path& path);

/// Reads all of a file that `index_tensor_file` knows.
///
/// @return tensors on the CPU, contiguous, in the types they were stored in (8-bit floats as float,
/// unsigned numbers as wider signed ones).
/// @throws c10::Error that names the file, what was expected and what was found.
LIMPID_INLINE RecognisedFile read_tensor_file(const std::filesystem::path& path);

}  // namespace limpid

#ifdef LIMPID_BODIES

namespace limpid::detail {

LIMPID_INLINE TensorFormat recognise(InputFile& file) {
  const auto start = file.read(0, std::min<std::uint64_t>(file.size(), 512));
  const auto begins = [&](std::string_view magic) {
    return start.compare(0, magic.size(), magic) == 0;
  };
  constexpr auto kExpected =
      "expected safetensors, a PyTorch file (zip or legacy), .npz or .npy, "
      "found ";
  if (begins("PK\3\4") || begins("PK\5\6")) {
    const ZipArchive archive{file.path()};
    if (find_data_pickle(archive) != nullptr) return TensorFormat::pth;
    const auto& entries = archive.entries();
    TORCH_CHECK(!entries.empty(), file.where(), kExpected, "an empty zip archive");
    TORCH_CHECK(std::any_of(entries.begin(), entries.end(), is_npy_entry), file.where(), kExpected,
                "a zip archive of something else (unpack it first); it holds '",
                printable(entries.front().name),
                entries.size() > 1 ? "' and " + std::to_string(entries.size() - 1) + " more" : "'");
    return TensorFormat::npz;
  }
  if (begins("\x93NUMPY")) return TensorFormat::npy;
  if (begins("\x80") && start.find(kLegacyMagic) < 16) return TensorFormat::legacy_pth;
  const bool has_header = start.size() >= 9 && start[8] == '{';
  TORCH_CHECK(has_header, file.where(), kExpected, content_name(start));
  return TensorFormat::safetensors;
}

}  // namespace limpid::detail

namespace limpid {

LIMPID_INLINE RecognisedIndex index_tensor_file(const std::filesystem::path& path) {
  InputFile file{path, "tensor file"};
  const auto format = detail::recognise(file);
  switch (format) {
    case TensorFormat::pth:
    case TensorFormat::legacy_pth:
      return {index_pth(path), format};
    case TensorFormat::npz:
      return {index_npz(path), format};
    case TensorFormat::npy:
      return {index_npy(path), format};
    default:
      auto index = index_safetensors(path);
      const bool is_limpid = index.metadata.count("limpid") != 0;
      return {std::move(index), is_limpid ? TensorFormat::limpid : format};
  }
}

LIMPID_INLINE RecognisedFile read_tensor_file(const std::filesystem::path& path) {
  const auto index = index_tensor_file(path);
  return {read_all(index), index.format};
}

}  // namespace limpid

#endif  // LIMPID_BODIES
