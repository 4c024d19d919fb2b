#pragma once

#include <limpid/core/compiled.hpp>

#include <ATen/core/Tensor.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#ifdef LIMPID_BODIES
#include <limpid/io/tensor_types.hpp>
#endif

namespace limpid {

/// Named tensors and the free-text metadata of one file.
struct TensorFile {
  std::map<std::string, at::Tensor> tensors;
  std::map<std::string, std::string> metadata;
  std::map<std::string, std::string> passed_over =
      {};  ///< what is no tensor that limpid reads, and
           ///< what it is: "an object of class 'X'"
};

/// One tensor of a file before its numbers are read.
struct IndexedTensor {
  std::string stored;                ///< the type in the file, as PyTorch calls it: "float8_e5m2"
  at::ScalarType type = at::kFloat;  ///< of the tensor that is read
  std::vector<std::int64_t> shape;
  std::function<at::Tensor()> read;  ///< contiguous, on the CPU; errors name the file

  /// Far below what a number of 64 bits holds, as readers checked.
  std::int64_t numel() const;
};

/// What a file says of its tensors, which are read one by one when asked for. The file is open as
/// long as one of them is there.
struct TensorIndex {
  std::map<std::string, IndexedTensor> tensors;
  std::map<std::string, std::string> metadata;
  std::map<std::string, std::string> passed_over;
};

/// Every tensor of a file.
LIMPID_INLINE TensorFile read_all(const TensorIndex& index);

/// Tensors that are in memory, as one would find them in a file.
LIMPID_INLINE TensorIndex index_of(const TensorFile& file);

}  // namespace limpid

#ifdef LIMPID_BODIES

namespace limpid {

LIMPID_INLINE std::int64_t IndexedTensor::numel() const {
  std::int64_t count = 1;
  for (const auto side : shape) count *= side;
  return count;
}

LIMPID_INLINE TensorFile read_all(const TensorIndex& index) {
  TensorFile file{{}, index.metadata, index.passed_over};
  for (const auto& [name, tensor] : index.tensors) file.tensors.emplace(name, tensor.read());
  return file;
}

LIMPID_INLINE TensorIndex index_of(const TensorFile& file) {
  TensorIndex index{{}, file.metadata, file.passed_over};
  for (const auto& [name, tensor] : file.tensors) {
    const auto* known = detail::find_tensor_type(tensor.scalar_type());
    index.tensors[name] = {known != nullptr ? std::string{known->name}
                                            : std::string{c10::toString(tensor.scalar_type())},
                           tensor.scalar_type(), tensor.sizes().vec(),
                           [tensor = tensor] { return tensor; }};
  }
  return index;
}

}  // namespace limpid

#endif  // LIMPID_BODIES
